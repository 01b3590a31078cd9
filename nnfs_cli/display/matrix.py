"""Show an array of numbers as aligned text, with the middle left out where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nnfs_cli.arrays import Array

GAP = 2  # columns between numbers
LEFT_OUT = "⋯"
MOST_ROWS = 8


def matrix(
    values: Array,
    width: int,
    text: Callable[[float], str],
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    most_rows: int = MOST_ROWS,
) -> list[list[str]]:
    """Return an array (n, m) as lines of padded cells that fit into `width`: a line of headings, then one for each row.

    The first cell of a line is the name of the row. `text` formats a number; decimal points are below each other.
    `rows` and `columns` are names, by default indices. Rows and columns in the middle are left out where there are too
    many.
    """
    n, m = values.shape
    names = [str(i) for i in range(n)] if rows is None else list(rows)
    headings = [str(j) for j in range(m)] if columns is None else list(columns)
    lines = _kept(n, most_rows)
    labels = [""] + [LEFT_OUT if i is None else names[i] for i in lines]
    label_width = max(map(len, labels))
    made = {
        j: _column(headings[j], [None if i is None else text(float(values[i, j])) for i in lines]) for j in range(m)
    }
    room, most = width - label_width, m
    while True:
        shown = _kept(m, most)
        cells = [[LEFT_OUT] * len(labels) if j is None else made[j] for j in shown]
        if most <= 2 or sum(len(column[0]) + GAP for column in cells) <= room:
            break
        most -= 1
    return [[label.rjust(label_width), *line] for label, line in zip(labels, zip(*cells, strict=True), strict=True)]


def _kept(n: int, most: int) -> list[int | None]:
    """Return the indices to show of n, with None for those that are left out before the last."""
    return list(range(n)) if n <= most else [*range(max(most - 2, 1)), None, n - 1]


def _column(heading: str, numbers: Sequence[str | None]) -> list[str]:
    """Return a heading and numbers of equal width, with the decimal points below each other."""
    parts = [(number or LEFT_OUT).partition(".") for number in numbers]
    left, right = (max(len(part) for part in side) for side in ([p[0] for p in parts], [p[1] + p[2] for p in parts]))
    aligned = [whole.rjust(left) + (point + rest).ljust(right) for whole, point, rest in parts]
    width = max(left + right, len(heading))
    return [heading.rjust(width), *(text.rjust(width) for text in aligned)]
