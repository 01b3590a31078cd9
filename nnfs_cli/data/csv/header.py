"""Name the columns of a CSV file, also those without a name, such as the index that pandas writes."""

from __future__ import annotations

from collections.abc import Sequence

# What a warning says of a first column that is left out.
LIKE_INDEX = "the first column has no name and holds whole numbers, like an index that pandas writes; it is left out"


def name_columns(cells: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of the columns, and those that the header leaves empty.

    Like pandas, call a column without a name by its place, from 0: ``Unnamed: 0``.
    """
    names, unnamed = list(cells), set()
    for place, cell in enumerate(cells):
        if not cell.strip():
            names[place] = f"Unnamed: {place}"
            while names[place] in cells:
                names[place] += ".1"
            unnamed.add(names[place])
    return tuple(names), frozenset(unnamed)
