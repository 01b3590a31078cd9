"""The shapes of texts: what is left of a text when each digit is a 0, as in `$0,000.00` for `$2,493.94`.

A column has millions of texts, but few shapes. So a parser decides once what a shape means, and computes the values of
all texts of that shape at once, from a matrix of their digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array

FEW = 64  # texts that Python reads faster than NumPy
_DIGIT = re.compile("[0-9]")
_RUN = re.compile("0+")


class SameShape(NamedTuple):
    """Texts of one shape: which ones they are among all texts, (n,), and their digits, (n, number of digits)."""

    shape: str
    rows: Array
    digits: Array  # of whole numbers from 0 to 9


class Run(NamedTuple):
    """Digits that stand side by side: the first and the last + 1, among the characters and among the digits."""

    start: int
    end: int
    first: int
    last: int


def by_shape(texts: Sequence[str]) -> Iterator[SameShape]:
    """Yield the texts by shape; every text has one."""
    yield from _few(texts) if len(texts) <= FEW else _many(texts)


def _few(texts: Sequence[str]) -> Iterator[SameShape]:
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows.setdefault(shape_of(text), []).append(row)
    for shape, of_shape in rows.items():
        digits = [[int(digit) for digit in _DIGIT.findall(texts[row])] for row in of_shape]
        yield SameShape(shape, np.array(of_shape), np.array(digits, np.int64).reshape(len(of_shape), -1))


def _many(texts: Sequence[str]) -> Iterator[SameShape]:
    import pyarrow as pa

    array = pa.array(texts, pa.large_string())
    _, ends, content = array.buffers()
    offsets = np.frombuffer(ends, np.int64)[: len(array) + 1]
    data = np.frombuffer(content, np.uint8)[: offsets[-1]] if content else np.empty(0, np.uint8)
    is_digit = (data >= ord("0")) & (data <= ord("9"))
    found = pa.LargeStringArray.from_buffers(
        len(array), ends, pa.py_buffer(np.where(is_digit, np.uint8(ord("0")), data))
    ).dictionary_encode()
    codes = found.indices.to_numpy()
    digits, before = data[is_digit] - ord("0"), np.concatenate([[0], np.cumsum(is_digit)])
    first = before[offsets[:-1]]
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(found.dictionary) + 1))
    for code, shape in enumerate(found.dictionary.to_pylist()):
        rows = order[bounds[code] : bounds[code + 1]]
        width = shape.count("0")
        yield SameShape(shape, rows, digits[first[rows][:, None] + np.arange(width)].astype(np.int64))


def shape_of(text: str) -> str:
    """Return the shape of a text.

    >>> shape_of("$2,493.94"), shape_of("Dec 01, 2023")
    ('$0,000.00', 'Dec 00, 0000')
    """
    return _DIGIT.sub("0", text)


def runs(shape: str) -> list[Run]:
    """Return the runs of digits in a shape, from left to right."""
    found, before = [], 0
    for match in _RUN.finditer(shape):
        n = match.end() - match.start()
        found.append(Run(match.start(), match.end(), before, before + n))
        before += n
    return found


def whole(digits: Array) -> Array:
    """Return the whole number that each row of digits (rows, n) writes, (rows,); n is at most 18."""
    number: Array = digits @ 10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64)
    return number
