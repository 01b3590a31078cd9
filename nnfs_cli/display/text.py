"""Show text from data, figures and tables as plain text."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from nnfs_cli.system.wording import counted, in_a_line

ROWS_OF = {"train": "training rows", "validation": "validation rows", "test": "test rows"}  # by split


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


def value(entry: float | None) -> str:
    """Format a number of the data: a whole one in full, another one with six digits."""
    if entry is None or entry != entry:
        return "-"
    return f"{entry:.0f}" if abs(entry) < 1e15 and entry == int(entry) else f"{entry:.6g}"


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
    return f"{value:.3e}" if value else "0"


def duration(seconds: float | None) -> str:
    """Format a time as people say it, as in "0.013 s", "8 s", "3 min" or "2 h 05 min"."""
    if seconds is None:
        return "-"
    if seconds < 99.5:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60:02} min"


def byte_size(size: int) -> str:
    """Format a number of bytes, as in "820 B", "61 kB" or "1.2 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= 0.9995 * factor:
            return f"{size / factor:.1f} {unit}" if size < 9.95 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size} B"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """Lay out a table. The columns with the indices `left` are left-aligned, the others right-aligned."""
    rows = [[in_a_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def narrow_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: float, left: Collection[int] = (0,), least: int = 2
) -> str:
    """Lay out a table, see `table`, without its last columns where it is wider than `width`.

    At least the `least` first columns stay.
    """
    for kept in range(len(header), least - 1, -1):
        lines = [line.rstrip() for line in table(header[:kept], [row[:kept] for row in rows], left).splitlines()]
        if max(map(len, lines)) <= width:
            break
    return "\n".join(lines)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table in Markdown; the first row is its header."""
    lines = ["| " + " | ".join(in_a_line(cell).strip().replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


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
