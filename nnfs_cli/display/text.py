"""Show text from data, figures and tables as plain text."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nnfs_cli.system.wording import counted, in_a_line


def fold(text: str, width: int, indent: str = "") -> list[str]:
    """Break a line between words; every line but the first begins with `indent`."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def number(value: float | None) -> str:
    """Format a figure: four decimals, fewer if it is large, scientific if it is tiny or huge."""
    if value is None or value != value:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return _formatted(value, abs(value))


def numbers(values: Sequence[float | None]) -> list[str]:
    """Format the numbers of one column alike, by the largest of them."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    return ["-" if value is None or value != value else _formatted(value, largest) for value in values]


def _formatted(value: float, size: float) -> str:
    """Format a number with as many decimals as one of this size has."""
    if size == 0 or 1e-3 <= size < 100:
        return f"{value:.4f}"
    if 100 <= size < 1e9:
        return f"{value:.{max(0, 5 - math.floor(math.log10(size)))}f}"
    return f"{value:.4g}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table whose first column is left-aligned and whose other columns are right-aligned."""
    rows = [[in_a_line(cell) for cell in row] for row in (header, *rows)]
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([label.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
        for label, *cells in rows
    )


def row_count(rows: float, out_of_fold: bool) -> str:
    """Return how many rows were evaluated, and whether they were out of fold, as in "477 rows, out of fold"."""
    return f"{counted(int(rows), 'row')}{', out of fold' if out_of_fold else ''}"


def split_sizes(rows: Mapping[str, int]) -> str:
    """Return the sizes of the splits, as in "455 to train, 114 to validate"."""
    verbs = {"train": "to train", "validation": "to validate", "test": "to test"}
    return ", ".join(f"{n:,} {verbs[split]}" for split, n in rows.items())


def column_kinds(kinds: Iterable[str]) -> str:
    """Return how many columns are of each kind, as in "4 columns of numbers, 1 column of dates"."""
    counts = Counter(kinds)
    nouns = {"number": "numbers", "category": "categories", "date": "dates"}
    return ", ".join(f"{counted(counts[kind], 'column')} of {noun}" for kind, noun in nouns.items() if counts[kind])
