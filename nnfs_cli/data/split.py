"""Which rows train, which validate, and which are kept for the final test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, model_validator

from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, counted, shown
from nnfs_cli.parameters import Array
from nnfs_cli.settings import FilePath, Fraction, Section, Switch, Text, absolute, relative, wrong
from nnfs_cli.streams import stream

PARTS = ("train", "validation", "test")


def _share(value: object, info: ValidationInfo) -> float | Path:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return float(value)
    if isinstance(value, str | Path):
        return absolute(value, info)
    raise wrong(f"expected a fraction of the rows, such as 0.2, or the path of a file, found {shown(value)}")


def _plain(value: float | Path, info: SerializationInfo) -> float | str:
    return relative(value, info) if isinstance(value, Path) else value


Share = Annotated[
    float | Path, PlainValidator(_share, json_schema_input_type=Fraction | FilePath), PlainSerializer(_plain)
]


class Split(Section):
    """How rows are held back: a fraction of them, a file of their own, or a column that names each row's part.

    Classes are split in equal proportion unless `stratify` is false.
    """

    main = "validation"

    validation: Share = 0.2
    """A fraction of the rows, to choose the best epoch by, or the path of a file of such rows."""
    test: Share = 0.0
    """The same, for the final test."""
    stratify: Switch = True
    """Whether every part holds the classes in equal proportion."""
    column: Text | None = None
    """Holds train, validation or test in every row; then the fractions say nothing."""

    @model_validator(mode="after")
    def _leaves_rows(self) -> Self:
        fractions = [share for share in (self.validation, self.test) if isinstance(share, float)]
        if sum(fractions) >= 1:
            raise wrong(f"validation and test take {sum(fractions):g} of the rows and leave none to train")
        return self

    @property
    def files(self) -> dict[str, Path]:
        """The parts that have a file of their own."""
        return {part: share for part in PARTS[1:] if isinstance(share := getattr(self, part), Path)}

    def divide(self, table: Table, classes: Array | None, seed: int) -> dict[str, Array]:
        """The indices of the rows of each part, sorted. `classes` (rows,) are the class indices, if there are any.

        Raises `DataError` when a part that was asked for would be empty.
        """
        n_rows = table.n_rows
        if self.column:
            parts = _by_column(table, self.column)
        else:
            fractions = {part: share for part in PARTS[1:] if isinstance(share := getattr(self, part), float)}
            groups = classes if self.stratify and classes is not None else np.zeros(n_rows, np.intp)
            parts = _by_fraction(groups, fractions, stream(seed, "split"))
            for part, fraction in fractions.items():
                if fraction and not len(parts[part]):
                    few = f"{counted(n_rows, 'row')} {'is' if n_rows == 1 else 'are'} too few"
                    raise DataError(f"{table.name}: {few} to hold back {fraction:g} of them for {part}")
        if not len(parts["train"]):
            raise DataError(f"{table.name}: the split leaves no row to train")
        return parts


def _by_fraction(groups: Array, fractions: dict[str, float], rng: Any) -> dict[str, Array]:
    """Shuffle the rows and give each part its share of every group, within a row; every group keeps one to train."""
    order = rng.permutation(len(groups))
    members = [order[groups[order] == group] for group in np.unique(groups)]
    sizes = np.array([len(rows) for rows in members])
    start = np.zeros_like(sizes)
    parts = {}
    for part, fraction in fractions.items():
        take = _apportion(fraction * sizes, sizes - 1 - start)
        parts[part] = [rows[i : i + n] for rows, i, n in zip(members, start, take, strict=True)]
        start = start + take
    parts["train"] = [rows[i:] for rows, i in zip(members, start, strict=True)]
    return {part: np.sort(np.concatenate(parts[part])) if part in parts else np.empty(0, np.intp) for part in PARTS}


def _apportion(shares: Array, most: Array) -> Array:
    """Whole numbers next to the shares that add up to what the shares do, where `most` allows: largest remainders."""
    take = np.minimum(np.floor(shares), most).astype(np.intp)
    missing = round(shares.sum()) - take.sum()
    for i in np.argsort(take - shares, kind="stable"):
        if missing > 0 and take[i] < min(shares[i], most[i]):
            take[i] += 1
            missing -= 1
    return take


def _by_column(table: Table, name: str) -> dict[str, Array]:
    column = table.column(name)
    known = np.isin(column, PARTS) if column.dtype == object else np.zeros(len(column), bool)
    if not known.all():
        raise table.error(int(np.argmin(known)), name, "train, validation or test")
    return {part: np.flatnonzero(column == part) for part in PARTS}
