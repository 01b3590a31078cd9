"""Which rows train, which validate, and which are kept for the final test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, model_validator

from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, counted
from nnfs_cli.parameters import Array
from nnfs_cli.settings import Section, Switch, Text, absolute, relative, shown, wrong
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


Share = Annotated[float | Path, PlainValidator(_share), PlainSerializer(_plain)]


class Split(Section):
    """How rows are held back: a fraction of them, a file of their own, or a column that names each row's part.

    Classes are split in equal proportion unless `stratify` is false.
    """

    main = "validation"

    validation: Share = 0.2
    test: Share = 0.0
    stratify: Switch = True
    column: Text | None = None  # holds train, validation or test in every row; then the fractions say nothing

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
        if self.column:
            parts = _by_column(table, self.column)
        else:
            fractions = {part: share for part in PARTS[1:] if isinstance(share := getattr(self, part), float)}
            groups = classes if self.stratify and classes is not None else np.zeros(table.n_rows, np.intp)
            parts = _by_fraction(groups, fractions, stream(seed, "split"))
            for part, fraction in fractions.items():
                if fraction and not len(parts[part]):
                    raise DataError(f"{counted(table.n_rows, 'row')} are too few to hold back {fraction:g} for {part}")
        if not len(parts["train"]):
            raise DataError("the split leaves no row to train")
        return parts


def _by_fraction(groups: Array, fractions: dict[str, float], rng: Any) -> dict[str, Array]:
    """Shuffle each group and cut it; what rounding leaves over goes where the total falls shortest."""
    order = rng.permutation(len(groups))
    parts: dict[str, list[Array]] = {part: [] for part in PARTS}
    owed = dict.fromkeys(fractions, 0.0)
    for group in np.unique(groups):
        members = order[groups[order] == group]
        start = 0
        for part, fraction in fractions.items():
            owed[part] += fraction * len(members)
            take = min(int(np.floor(owed[part] + 0.5)), max(len(members) - 1 - start, 0))
            owed[part] -= take
            parts[part].append(members[start : start + take])
            start += take
        parts["train"].append(members[start:])
    return {part: np.sort(np.concatenate(rows)) if rows else np.empty(0, np.intp) for part, rows in parts.items()}


def _by_column(table: Table, name: str) -> dict[str, Array]:
    column = table.column(name)
    unknown = [i for i, value in enumerate(column) if value not in PARTS]
    if unknown:
        raise DataError(
            f"{table.name}, {table.locate(unknown[0])}: column '{name}' should hold train, validation or test,"
            f" found '{column[unknown[0]]}'"
        )
    return {part: np.flatnonzero(column == part) for part in PARTS}
