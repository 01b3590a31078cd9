"""Find rows that repeat others, and rows of one split that are in another one, too."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.copies import row_hashes, units_of_copies
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.inspection.column_relations import cell_hashes
from nnfs_cli.system.wording import counted, percent

FEW, MANY = 0.05, 0.2  # shares of copies among rows that make their figures slightly, or much, too good


def repeated_rows(
    tables: Mapping[str, Table], names: Sequence[str], kinds: Mapping[str, Kind]
) -> Iterator[tuple[str, str]]:
    """Yield findings on the rows of each split, (what, message), from the columns with these names.

    `kinds` are those of the input columns.
    """
    names = [name for name in names if all(name in table.columns for table in tables.values())]
    hashes = {split: row_hashes(cell_hashes(table.column(name)) for name in names) for split, table in tables.items()}
    everything = np.concatenate(list(hashes.values()))
    duplicates = len(everything) - len(np.unique(everything))
    if duplicates:
        share = percent(duplicates / len(everything))
        verb = "repeats" if duplicates == 1 else "repeat"
        message = f"{counted(duplicates, 'row')} of {len(everything):,} ({share}) {verb} another row in every column"
        yield "duplicates", message
    units = _units(tables, names, kinds) if duplicates else {}
    for one, other in itertools.combinations(hashes, 2):
        shared = int(np.isin(hashes[other], hashes[one]).sum())
        if shared:
            copied = float(np.isin(units[other], units[one]).mean())
            rows = f"{shared:,} of the {len(hashes[other]):,} {other} rows"
            verb, among = "is" if shared == 1 else "are", "training" if one == "train" else one
            yield "two_parts", f"{rows} {verb} also among the {among} rows, {_effect(other, copied)}"


def _units(tables: Mapping[str, Table], names: Sequence[str], kinds: Mapping[str, Kind]) -> dict[str, Array]:
    """Return the unit of every row, (rows,), by split; copies of one row share a unit."""
    columns = {name: np.concatenate([cell_hashes(table.column(name)) for table in tables.values()]) for name in names}
    numbers = [columns.pop(name) for name in names if kinds.get(name) in ("number", "date")]
    ends = np.cumsum([table.n_rows for table in tables.values()])[:-1]
    return dict(zip(tables, np.split(units_of_copies(numbers, [*columns.values()]), ends), strict=True))


def _effect(split: str, share: float) -> str:
    """Return what it does to the figures of a split that a share of its rows are copies."""
    if not share:
        return "as is usual where columns have few different values"
    much = "slightly " if share < FEW else "much " if share > MANY else ""
    return f"so {split} figures are {much}too good"
