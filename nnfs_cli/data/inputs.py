"""The inputs of a net: columns of a table, each taken through its steps, side by side."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.steps.base import Fit, Statistics, fit_chain, stacked
from nnfs_cli.data.steps.embedding import Embedding
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import named

Folds = Mapping[str, Array]  # of training rows, by column: which fold of a step's fit each row belongs to


class Faulty:
    """What becomes of rows that cannot be used: the first one is an error, or all of them are marked."""

    def __init__(self, marks: Array | None = None) -> None:
        self.marks = marks  # (rows,), true for every such row

    def check(self, wrong: Array, table: Table, name: str, expected: str) -> None:
        """Raise `DataError` for the first row that is `wrong` (rows,), unless rows are only to be marked."""
        if self.marks is not None:
            self.marks |= wrong
        elif wrong.any():
            raise table.error(int(np.argmax(wrong)), name, expected)


@dataclass(frozen=True)
class Numbers:
    """Columns of numbers that go through the same steps, with what each step has learned of them."""

    kind: ClassVar[Kind] = "number"
    columns: tuple[str, ...]
    steps: tuple[NumberStep, ...]
    statistics: tuple[Statistics, ...]  # one for each step, its arrays (columns,) or (columns, n)

    @classmethod
    def fit(cls, columns: Mapping[str, Array], steps: Sequence[NumberStep], table: str = "") -> Self:
        """Learn from columns by name, each (rows,) float64. Raises `DataError` when a step cannot take one of them.

        `table` is what messages call where they come from.
        """
        learned: list[list[Fit]] = []
        for name, values in columns.items():
            with np.errstate(over="ignore", invalid="ignore"), _about(table, name):
                learned.append(fit_chain(steps, values))
        by_step = zip(*learned, strict=True) if learned else [()] * len(steps)
        return cls(tuple(columns), tuple(steps), tuple(map(stacked, by_step)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of what comes out: the columns, or the parts of each, and behind them those that say where one was empty."""
        return tuple(f"{column} {part}".rstrip() for column, part in self._outputs)

    @property
    def origins(self) -> tuple[str, ...]:
        """The column that each is made of."""
        return tuple(column for column, _ in self._outputs)

    @property
    def _outputs(self) -> list[tuple[str, str]]:
        of_steps = self.steps[-1].outputs(self.columns, self.statistics[-1])
        return [*of_steps, *((self.columns[i], "is empty") for i in self._flagged)]

    @property
    def gaps(self) -> bool:
        """Whether an empty cell can be taken."""
        return isinstance(self.steps[0], Impute)

    @property
    def _flagged(self) -> list[int]:
        return np.flatnonzero(self.statistics[0]["gaps"]).tolist() if self.gaps and self.statistics[0] else []

    def read(self, table: Table, faulty: Faulty, folds: Folds) -> list[Array]:
        """The columns, each (rows,) float64."""
        columns = []
        for name in self.columns:
            values = table.numbers(name, gaps=True)
            if not self.gaps:
                faulty.check(np.isnan(values), table, name, "numbers")
            columns.append(values)
        return columns

    def transform(self, columns: Any, rows: slice) -> Array:
        """Some rows of what was read, through all steps: (rows, n)."""
        raw = np.stack([column[rows] for column in columns], axis=1)
        values = self.forward(raw)
        flags = [np.isnan(raw[:, [i]]) for i in self._flagged]
        return np.concatenate([values, *flags], axis=1) if flags else values

    def forward(self, values: Array) -> Array:
        """(rows, columns) -> the same, through all steps."""
        for step, statistics in zip(self.steps, self.statistics, strict=True):
            values = step.transform(values, statistics)
        return values

    def inverse(self, values: Array) -> Array:
        """Take `forward` back."""
        for step, statistics in zip(reversed(self.steps), reversed(self.statistics), strict=True):
            values = step.inverse(values, statistics)
        return values

    def to_json(self) -> dict[str, Any]:
        """What was learned, as plain JSON; the steps themselves stand in the spec."""
        fits = [{key: array.tolist() for key, array in one.items()} for one in self.statistics]
        return {"kind": self.kind, "columns": list(self.columns), "fits": fits}

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any], steps: Sequence[PreprocessingStep]) -> Self:
        """Take `to_json` back."""
        statistics = tuple({key: np.array(array, np.float64) for key, array in fit.items()} for fit in fitted["fits"])
        if len(statistics) != len(steps):
            raise ValueError("there is not a record for every preprocessing step")
        n = len(fitted["columns"])
        if any(array.shape[:1] != (n,) or array.ndim > 2 for of_step in statistics for array in of_step.values()):
            raise ValueError("a preprocessing step has not learned as much as it has columns")
        return cls(tuple(fitted["columns"]), cast(tuple[NumberStep, ...], tuple(steps)), statistics)


@dataclass(frozen=True)
class _Single:
    """A column alone, with its step and what that has learned."""

    kind: ClassVar[Kind]
    column: str
    step: Any
    fit: Fit

    @property
    def columns(self) -> tuple[str, ...]:
        """The one there is."""
        return (self.column,)

    def transform(self, columns: Any, rows: slice) -> Array:
        """Some rows of what was read."""
        return cast(Array, columns[rows])

    def to_json(self) -> dict[str, Any]:
        """What was learned, as plain JSON."""
        return {"kind": self.kind, "columns": [self.column], "fit": self.fit}


@dataclass(frozen=True)
class Words(_Single):
    """A column of words and its step."""

    kind: ClassVar[Kind] = "category"
    step: CategoryStep

    @property
    def names(self) -> tuple[str, ...]:
        """Of what comes out, as in `city=Paris`."""
        return tuple(f"{self.column}={name}" if name else self.column for name in self.step.names(self.fit))

    def read(self, table: Table, faulty: Faulty, folds: Folds) -> Array:
        """The column, through its step: (rows, n)."""
        texts = table.texts(self.column)
        faulty.check(self.step.unknown(texts, self.fit), table, self.column, self._expected)
        return self.step.transform(texts, self.fit, folds.get(self.column))

    @property
    def _expected(self) -> str:
        levels = [f"'{level}'" if level is not None else "nothing" for level in self.fit.get("levels", ())[:3]]
        known = f"a word of the training rows, such as {', '.join(levels)}"
        return f"{known} (unseen: other in its {self.step.name} would take any)"


@dataclass(frozen=True)
class Dates(_Single):
    """A column of dates and its step."""

    kind: ClassVar[Kind] = "date"
    step: DateStep

    @property
    def names(self) -> tuple[str, ...]:
        """Of what comes out, as in `sold year sin`."""
        return tuple(f"{self.column} {name}" for name in self.step.names(self.fit))

    def read(self, table: Table, faulty: Faulty, folds: Folds) -> Array:
        """The column, through its step: (rows, n)."""
        dates = table.dates(self.column)
        faulty.check(self.step.unknown(dates, self.fit), table, self.column, "dates; no training row was empty")
        return self.step.transform(dates, self.fit)


Group = Numbers | Words | Dates


class Drawn(NamedTuple):
    """Some of the training rows: their places (n,) among all, and how many there are."""

    places: Array
    total: int


def fit_inputs(
    table: Table,
    rows: Any,
    kinds: Mapping[str, Kind],
    preprocessing: Preprocessing,
    y: Array,
    seed: int,
    drawn: Drawn | None = None,
) -> tuple[Group, ...]:
    """Fit every input column's steps to the training `rows` of a table, and to no others.

    `kinds` are the input columns and what they are taken for; y (training rows, n) is the target, for the steps that go
    by it. The rows are all that are trained on, or those `drawn` from them.
    Raises `DataError` for every column that cannot be used as it is.
    """
    together: dict[
        tuple[PreprocessingStep, ...] | str, list[str]
    ] = {}  # numbers that take the same steps, and the others alone
    for name, kind in kinds.items():
        together.setdefault(preprocessing.steps(name, kind) if kind == "number" else name, []).append(name)
    groups: list[Group] = []
    for names in together.values():
        name, kind = names[0], kinds[names[0]]
        steps = preprocessing.steps(name, kind)
        with _about(table.name, name):
            if kind == "category":
                words = cast(CategoryStep, steps[0])
                groups.append(Words(name, words, _fit(words, table.texts(name)[rows], y, seed, drawn)))
            elif kind == "date":
                dates = cast(DateStep, steps[0])
                groups.append(Dates(name, dates, dates.fit(table.dates(name)[rows])))
            else:
                gaps = preprocessing.takes_gaps(name)
                columns = {name: table.numbers(name, gaps=gaps)[rows] for name in names}
                groups.append(Numbers.fit(columns, cast(tuple[NumberStep, ...], steps), table.name))
    return tuple(groups)


def _fit(step: CategoryStep, texts: Texts, y: Array, seed: int, drawn: Drawn | None) -> Fit:
    folds = step.fold_of(drawn.total, seed) if drawn else None
    if folds is None or drawn is None:
        return step.fit(texts, y, seed)
    return step.fit_drawn(texts, y, seed, folds[drawn.places])


@contextlib.contextmanager
def _about(table: str, column: str) -> Iterator[None]:
    """Let what a step has against a column be about the column of this name."""
    try:
        yield
    except ValueError as error:
        where = f"{table}: " if table else ""
        raise DataError(f"{where}column {named(column)} {error}") from None


def group_from_json(fitted: Mapping[str, Any], preprocessing: Preprocessing) -> Group:
    """Take `to_json` of any group back."""
    steps = preprocessing.steps(fitted["columns"][0], fitted["kind"])
    if fitted["kind"] == "number":
        return Numbers.from_json(fitted, steps)
    kind = Words if fitted["kind"] == "category" else Dates
    return kind(fitted["columns"][0], steps[0], fitted["fit"])  # type: ignore[arg-type]


def lookups(groups: Sequence[Group]) -> Iterator[tuple[int, int, int, str]]:
    """The inputs that are codes of a table the net learns: where they stand, its rows, its width and its name."""
    start = 0
    for group in groups:
        if isinstance(group, Words) and isinstance(group.step, Embedding):
            yield start, group.step.n_rows(group.fit), group.step.width(group.fit), group.column
        start += len(group.names)
