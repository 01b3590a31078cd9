"""The grammar of numbers in text files: digits, an optional sign, a decimal mark and an exponent."""

from __future__ import annotations

import re

import numpy as np

from nnfs_cli.arrays import Array

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
GROUPED = re.compile("[-+]?[0-9]{1,3}([.,' \u00a0\u202f])[0-9]{3}(?:\\1[0-9]{3})*(?:[.,][0-9]+)?")  # as in 1.234.567,8
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")


def is_number(text: str, decimal: str = ".") -> bool:
    """Return whether a text is a number with this decimal mark."""
    text = text.strip()
    if decimal != ".":
        text = "" if "." in text else text.replace(decimal, ".")
    return NUMBER.fullmatch(text) is not None


def looks_like_number(text: str, decimal: str = ".") -> bool:
    """Return whether a text is a number with this decimal mark or with marks between thousands."""
    return is_number(text, decimal) or GROUPED.fullmatch(text.strip()) is not None


def parse_number(text: str, decimal: str = ".") -> float | None:
    """Return the finite number in a cell, 1 or 0 for a boolean, and None for any other text."""
    if text in TRUE:
        return 1.0
    if text in FALSE:
        return 0.0
    text = text.strip(" \t")
    if decimal != ".":
        text = "?" if "." in text else text.replace(decimal, ".")
    number = float(text) if NUMBER.fullmatch(text) else np.inf
    return number if np.isfinite(number) else None


def expected_number(text: str, decimal: str = ".") -> str:
    """Return what a cell with this text, which is not a finite number, should hold."""
    infinite = re.fullmatch(r"[-+]?(inf|infinity|nan)", text.strip(), re.IGNORECASE)
    return "finite numbers" if infinite or is_number(text, decimal) else "numbers"


def all_finite(numbers: Array, n_gaps: int) -> bool:
    """Return whether all numbers are finite except the `n_gaps` empty cells."""
    with np.errstate(over="ignore", invalid="ignore"):
        if not n_gaps and np.isfinite(numbers.sum()):
            return True
    return int(np.isfinite(numbers).sum()) == len(numbers) - n_gaps
