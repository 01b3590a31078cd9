"""The columns that rows must have, as a run was trained on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnfs_cli.data.inputs import CategoryInput, DateInput, InputBlock, NumberInputs
from nnfs_cli.data.steps.base import KnownCategoriesStep
from nnfs_cli.data.table import Kind
from nnfs_cli.data.texts import Texts
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.system.wording import closest, counted, did_you_mean, listing, named

NAMED = 5  # columns that a message names
UNSEEN = "\x00 no training row has this text"


@dataclass(frozen=True)
class ColumnSchema:
    """A column of the rows: what its cells may be.

    `words` are the categories that are accepted, if no others are. `profile` describes the column in the training rows.
    """

    name: str
    kind: Kind  # "stored" for the texts that a parser of the run reads
    empty: bool  # whether cells may be empty
    boolean: bool = False  # whether true and false are numbers here: all training rows had 0 to 1
    words: tuple[str, ...] | None = None
    required: bool = True
    profile: Mapping[str, Any] = field(default_factory=dict)


class RowSchema:
    """The columns by name. `ignored` may be there too: the target and what else predictions do not need."""

    def __init__(self, columns: Iterable[ColumnSchema], ignored: Iterable[str]) -> None:
        self.columns = {column.name: column for column in columns}
        self.required = {name for name, column in self.columns.items() if column.required}
        self.ignored = frozenset(ignored) - self.columns.keys()

    @classmethod
    def of(cls, predictor: Predictor, inputs: Sequence[Mapping[str, Any]]) -> RowSchema:
        """Return the schema of a net; `inputs` describes the columns of the training rows, as a run records them."""
        profiles = {profile["name"]: profile for profile in inputs}
        columns: dict[str, ColumnSchema] = {}
        for block in predictor.encoder.inputs:
            for name in block.columns:
                columns[name] = _column(block, name, profiles.get(name, {}))
        for name, parser in predictor.config.dataset.parsers.items():
            if made := columns.keys() & {*parser.outputs(name)}:
                empty = all(columns[one].empty for one in made)
                columns = {one: column for one, column in columns.items() if one not in made}
                columns[name] = ColumnSchema(name, "stored", empty)
        exposure = predictor.encoder.exposure
        if exposure is not None:
            columns[exposure] = ColumnSchema(exposure, "number", False, required=False)
        order = {name: place for place, name in enumerate(profiles)}
        in_order = sorted(columns.values(), key=lambda column: order.get(column.name, len(order)))
        return cls(in_order, filter(None, predictor.ignored_columns))

    def check(self, names: Iterable[str], row: int | None = None, rows: int = 0) -> None:
        """Raise `Refusal` unless these are the names of the columns, in any order.

        `row` (from 1) is the row that has these columns, if rows may differ; `rows` is the number of all.
        """
        found = set(names)
        place = "the body" if row is None else f"the body, row {row}"
        if missing := [name for name in self.columns if name in self.required and name not in found]:
            near = closest(missing[0], found - self.columns.keys())
            hint = f"; it has {named(near)}" if near else ""
            message = f"{place} lacks {counted(len(missing), 'column')}: {_listed(missing)}{hint}"
            raise Refusal(422, "missing_column", message, rows)
        if unknown := [name for name in found if name not in self.columns and name not in self.ignored]:
            unknown.sort()
            hint = did_you_mean(unknown[0], self.columns) or f"; the columns are {_listed([*self.columns])}"
            message = f"{place} has {counted(len(unknown), 'column')} that the model does not know: {_listed(unknown)}"
            raise Refusal(422, "unknown_column", f"{message}{hint}", rows)


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return listing([*map(named, names[:NAMED]), *more])


def _column(block: InputBlock, name: str, profile: Mapping[str, Any]) -> ColumnSchema:
    if isinstance(block, NumberInputs):
        low, high = profile.get("min"), profile.get("max")
        boolean = low is not None and high is not None and low >= 0 and high <= 1
        return ColumnSchema(name, "number", block.allows_gaps, boolean, profile=profile)
    if isinstance(block, DateInput):
        empty = not block.step.unknown(np.array(["NaT"], "datetime64[us]"), block.fit).any()
        return ColumnSchema(name, "date", empty, profile=profile)
    return _category(block, profile)


def _category(block: CategoryInput, profile: Mapping[str, Any]) -> ColumnSchema:
    gap, unseen = block.step.unknown(Texts.of([None, UNSEEN]), block.fit).tolist()
    closed = unseen and type(block.step).unknown is KnownCategoriesStep.unknown
    words = tuple(level for level in block.fit["levels"] if level is not None) if closed else None
    return ColumnSchema(block.column, "category", not gap, words=words, profile=profile)
