"""The inputs of a net: blocks of columns, each transformed by its preprocessing steps.

Columns of numbers that take the same steps form one block, so that a step transforms them together; a column of
categories or dates forms a block of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar, NamedTuple, Self
from typing import cast as typed

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import local
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.steps.base import Fit, Statistics, fit_chain, fit_weighted, ready, stack_fits
from nnfs_cli.data.steps.embedding import Embedding
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.pipeline.elementwise import cast, is_finite, is_nan, logical_not, logical_or
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import all_last, concatenate, take
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import named

NO_IMPUTE = "the net has no step impute for this column; fill in the number, or leave out the row"
NO_GAP = (
    "no training row is empty there, so the net does not know what that means; fill in the cell, or leave out the row"
)
FoldsByColumn = Mapping[str, Array]  # for steps that fit by folds: the fold of each training row, (rows,), by column


class UnusableRows:
    """A policy for rows that cannot be used: raise an error for the first one, or mark all of them."""

    def __init__(self, marks: Array | None = None) -> None:
        self.marks = marks  # (rows,) of booleans; None to raise errors

    def check(self, wrong: Array, table: Table, name: str, expected: str, if_empty: str = "") -> None:
        """Mark the rows that are `wrong` (rows,), or raise `DataError` for the first of them; see `Table.error`."""
        if self.marks is not None:
            self.marks |= wrong
        elif wrong.any():
            raise table.error(int(np.argmax(wrong)), name, expected, if_empty=if_empty)


@dataclass(frozen=True)
class NumberInputs:
    """Columns of numbers that take the same steps, with the fits of these steps."""

    kind: ClassVar[Kind] = "number"
    columns: tuple[str, ...]
    steps: tuple[NumberStep, ...]
    statistics: tuple[Statistics, ...]  # one for each step

    @classmethod
    def fit(
        cls, columns: Mapping[str, Array], steps: Sequence[NumberStep], table: str = "", weights: Array | None = None
    ) -> Self:
        """Fit the steps to columns by name, each (rows,) float64, of the table that messages call `table`.

        `weights` (rows,) are numbers of rows that each row stands for.

        Raises `DataError` when a step cannot take a column.
        """
        fits: list[list[Fit]] = []
        for name, values in columns.items():
            with np.errstate(over="ignore", invalid="ignore"), _naming_column(table, name):
                fits.append(fit_chain(steps, values, weights))
        by_step = zip(*fits, strict=True) if fits else [()] * len(steps)
        return cls(tuple(columns), tuple(steps), tuple(map(stack_fits, by_step)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs: first the transformed columns, then those that mark empty cells."""
        return tuple(f"{column} {suffix}".rstrip() for column, suffix in self._outputs)

    @property
    def origins(self) -> tuple[str, ...]:
        """The column that each input comes from."""
        return tuple(column for column, _ in self._outputs)

    @property
    def plain(self) -> list[bool]:
        """Whether each input says something that none before it says in another form."""
        n = len(self.steps[-1].outputs(self.columns, self.statistics[-1]))
        first = self.steps[-1].n_plain(self.columns, self.statistics[-1])
        return [i < first or i >= n for i in range(len(self._outputs))]

    @property
    def _outputs(self) -> list[tuple[str, str]]:
        of_steps = self.steps[-1].outputs(self.columns, self.statistics[-1])
        return [*of_steps, *((self.columns[i], "is empty") for i in self._marked)]

    @property
    def allows_gaps(self) -> bool:
        """Whether empty cells are allowed."""
        return isinstance(self.steps[0], Impute)

    @cached_property
    def _marked(self) -> list[int]:
        """The columns, by index, that get a second column which marks empty cells."""
        return np.flatnonzero(self.statistics[0]["gaps"]).tolist() if self.allows_gaps and self.statistics[0] else []

    def read(self, table: Table, unusable: UnusableRows, folds: FoldsByColumn) -> list[Array]:
        """Return the columns, each (rows,) float64; empty cells are NaN."""
        columns = []
        for name in self.columns:
            values = table.numbers(name, gaps=True)
            if not self.allows_gaps:
                unusable.check(np.isnan(values), table, name, "numbers", NO_IMPUTE)
            columns.append(values)
        return columns

    def rows_of(self, columns: Any) -> Callable[[slice], Array]:
        """Return a function that transforms some rows of the columns that `read` returned: (rows, inputs)."""
        transform = self.ready()
        return lambda rows: transform(np.stack([column[rows] for column in columns], axis=1))

    def ready(self) -> Callable[[Array], Array]:
        """Return a function that transforms cells (rows, columns) into inputs (rows, inputs).

        What does not depend on the cells is computed once.
        """
        steps = [ready(step, statistics) for step, statistics in zip(self.steps, self.statistics, strict=True)]
        marked = self._marked

        def transform(raw: Array) -> Array:
            values = reduce(lambda values, step: step(values), steps, raw)
            return np.concatenate([values, np.isnan(raw[:, marked])], axis=1) if marked else values

        return transform

    def operations(self, columns: Mapping[str, Value]) -> tuple[Value, Value | None]:
        """Return the inputs as operations of a pipeline, (inputs,) float64, and which rows are usable, (1,) "bool"."""
        with part(f"numbers: {_some(self.columns)}"):
            raw = concatenate([columns[name] for name in self.columns])
        values = self.forward_operations(raw)
        if self._marked:
            with part(f"empty cells: {_some([self.columns[i] for i in self._marked])}"):
                values = concatenate([values, cast(is_nan(take(raw, self._marked)), "float64")])
        with part(f"usable cells: {_some(self.columns)}"):
            usable = logical_or(is_finite(raw), is_nan(raw)) if self.allows_gaps else is_finite(raw)
            return values, all_last(usable)

    def forward_operations(self, values: Value) -> Value:
        """Return `forward` as operations of a pipeline, (columns,) -> (outputs,)."""
        for step, statistics in zip(self.steps, self.statistics, strict=True):
            step.require_operations()
            with part(f"{step.name}: {_some(self.columns)}", statistics):
                values = step.operations(values, statistics)
        return values

    def inverse_operations(self, values: Value, limited: bool = True) -> Value:
        """Return `inverse` as operations of a pipeline, (columns,) -> (columns,)."""
        for step, statistics in zip(reversed(self.steps), reversed(self.statistics), strict=True):
            if limited or not step.limits:
                step.require_operations()
                with part(f"undo {step.name}: {_some(self.columns)}", statistics):
                    values = step.inverse_operations(values, statistics)
        return values

    def forward(self, values: Array) -> Array:
        """Apply all steps to values: (rows, columns) -> (rows, outputs)."""
        for step, statistics in zip(self.steps, self.statistics, strict=True):
            values = step.transform(values, statistics)
        return values

    def inverse(self, values: Array, limited: bool = True) -> Array:
        """Undo `forward`: apply the inverse of each step, the last step first; unless `limited`, skip `clamp`."""
        for step, statistics in zip(reversed(self.steps), reversed(self.statistics), strict=True):
            if limited or not step.limits:
                values = step.inverse(values, statistics)
        return values

    def to_json(self) -> dict[str, Any]:
        """Return the fits as JSON values; the steps themselves are in the config."""
        fits = [{key: array.tolist() for key, array in one.items()} for one in self.statistics]
        return {"kind": self.kind, "columns": list(self.columns), "fits": fits}

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any], steps: Sequence[PreprocessingStep]) -> Self:
        """Restore a block from the result of `to_json`. Raises `ValueError` when it does not fit the steps."""
        statistics = tuple({key: np.array(array, np.float64) for key, array in fit.items()} for fit in fitted["fits"])
        if len(statistics) != len(steps):
            raise ValueError("it does not have one fit for each preprocessing step")
        n = len(fitted["columns"])
        if any(array.shape[:1] != (n,) or array.ndim > 2 for one in statistics for array in one.values()):
            raise ValueError("the fit of a preprocessing step does not have one value for each column")
        return cls(tuple(fitted["columns"]), typed(tuple[NumberStep, ...], tuple(steps)), statistics)


@dataclass(frozen=True)
class _SingleColumn:
    """One column with its step and the fit of that step."""

    kind: ClassVar[Kind]
    column: str
    step: Any
    fit: Fit

    @property
    def columns(self) -> tuple[str, ...]:
        """The column, as a tuple of one."""
        return (self.column,)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        raise NotImplementedError

    @property
    def origins(self) -> tuple[str, ...]:
        """The column, once for each input."""
        return self.columns * len(self.names)

    @property
    def plain(self) -> list[bool]:
        """Whether each input says something that none before it says in another form."""
        return [True] * len(self.names)

    def operations(self, columns: Mapping[str, Value]) -> tuple[Value, Value | None]:
        """Return the inputs as operations of a pipeline, (inputs,) float64, and which rows are usable, (1,) "bool".

        If all are, there is no second value.
        """
        cell = columns[self.column]
        self.step.require_operations()
        with part(f"{self.step.name}: {self.column}"):
            inputs = self.step.operations(cell, self.fit)
        with part(f"usable cells: {self.column}"):
            refused = self.step.refused(cell, self.fit)
            return inputs, None if refused is None else logical_not(refused)

    def rows_of(self, columns: Any) -> Callable[[slice], Array]:
        """Return a function that gives some rows of the array that `read` returned: (rows, inputs)."""
        return lambda rows: typed(Array, columns[rows])

    def to_json(self) -> dict[str, Any]:
        """Return the fit as JSON values; the step itself is in the config."""
        return {"kind": self.kind, "columns": [self.column], "fit": self.fit}


@dataclass(frozen=True)
class CategoryInput(_SingleColumn):
    """A column of categories with its step."""

    kind: ClassVar[Kind] = "category"
    step: CategoryStep

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, such as `city=Paris`."""
        return tuple(f"{self.column}={name}" if name else self.column for name in self.step.names(self.fit))

    def read(self, table: Table, unusable: UnusableRows, folds: FoldsByColumn) -> Array:
        """Return the transformed column, (rows, inputs)."""
        texts = table.texts(self.column)
        unusable.check(self.step.unknown(texts, self.fit), table, self.column, self._expected(table), NO_GAP)
        return self.step.transform(texts, self.fit, folds.get(self.column))

    def _expected(self, table: Table) -> str:
        levels = [f"'{level}'" if level is not None else "an empty cell" for level in self.fit.get("levels", ())[:3]]
        known = f"a category of the training rows, such as {', '.join(levels)}"
        setting = "unseen='other'" if table.from_python else "unseen: other"
        return f"{known} (with {setting}, its step {self.step.name} accepts any)"


@dataclass(frozen=True)
class DateInput(_SingleColumn):
    """A column of dates with its step."""

    kind: ClassVar[Kind] = "date"
    step: DateStep
    zoned: bool = True  # whether dates with an offset from UTC keep their local times; not in runs of edition 1

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, such as `sold year sin`."""
        return tuple(f"{self.column} {name}" for name in self.step.names(self.fit))

    def read(self, table: Table, unusable: UnusableRows, folds: FoldsByColumn) -> Array:
        """Return the transformed column, (rows, inputs)."""
        dates = dates_for(self.step, table, self.column, self.zoned)
        unusable.check(self.step.unknown(dates, self.fit), table, self.column, "a date", NO_GAP)
        return self.step.transform(dates, self.fit)

    def to_json(self) -> dict[str, Any]:
        """Return the fit as JSON values; the step itself is in the config."""
        return super().to_json() | ({"zoned": True} if self.zoned else {})


InputBlock = NumberInputs | CategoryInput | DateInput


class RowSample(NamedTuple):
    """A sample of the training rows: the indices (n,) of its rows, and the number of all training rows."""

    rows: Array
    total: int


def fit_inputs(
    table: Table,
    rows: Any,
    kinds: Mapping[str, Kind],
    preprocessing: Preprocessing,
    y: Array,
    seed: int,
    sample: RowSample | None = None,
    weights: Array | None = None,
    zoned: bool = True,
) -> tuple[InputBlock, ...]:
    """Fit the steps of every input column to the training `rows` of a table, and to no others.

    `kinds` names the input columns and their kinds. y (training rows, n) is the target, for steps that learn from it.
    The rows are all training rows, or the ones in `sample`. `weights` (training rows,) are the numbers of
    rows that each row stands for. Without `zoned`, dates with an offset lose their local times.
    Raises `DataError` when a step cannot take a column.
    """
    # Columns of numbers that take the same steps share a block; every other column has a block of its own.
    together: dict[tuple[PreprocessingStep, ...] | str, list[str]] = {}
    for name, kind in kinds.items():
        together.setdefault(preprocessing.steps(name, kind) if kind == "number" else name, []).append(name)
    blocks: list[InputBlock] = []
    for names in together.values():
        name, kind = names[0], kinds[names[0]]
        steps = preprocessing.steps(name, kind)
        with _naming_column(table.name, name):
            if kind == "category":
                of_categories = typed(CategoryStep, steps[0])
                fit = _fit(of_categories, table.texts(name)[rows], y, seed, sample, weights)
                blocks.append(CategoryInput(name, of_categories, fit))
            elif kind == "date":
                of_dates = typed(DateStep, steps[0])
                dates = dates_for(of_dates, table, name, zoned)[rows]
                blocks.append(DateInput(name, of_dates, fit_weighted(of_dates.fit, dates, weights=weights), zoned))
            else:
                gaps = preprocessing.takes_gaps(name)
                columns = {name: table.numbers(name, gaps=gaps)[rows] for name in names}
                of_numbers = typed(tuple[NumberStep, ...], steps)
                blocks.append(NumberInputs.fit(columns, of_numbers, table.name, weights))
    return tuple(blocks)


def dates_for(step: DateStep, table: Table, name: str, zoned: bool) -> Array:
    """Return a column of dates as the step takes it: `zoned`, if it can, or else local times, or instants in UTC."""
    if not zoned:
        return table.dates(name)
    return table.zoned_dates(name) if step.takes_zones else local(table.zoned_dates(name))


def _fit(step: CategoryStep, texts: Texts, y: Array, seed: int, sample: RowSample | None, weights: Array | None) -> Fit:
    folds = step.assign_folds(sample.total, seed) if sample else None
    if folds is None or sample is None:
        return fit_weighted(step.fit, texts, y, seed, weights=weights)
    return fit_weighted(step.fit_sample, texts, y, seed, folds[sample.rows], weights=weights)


def _some(columns: Sequence[str]) -> str:
    """Return the first columns, and how many there are besides them: "age, income, height and 27 more"."""
    first, n_others = ", ".join(columns[:3]), len(columns) - 3
    return f"{first} and {n_others} more" if n_others > 0 else first


@contextlib.contextmanager
def _naming_column(table: str, column: str) -> Iterator[None]:
    """Turn the `ValueError` of a step into a `DataError` that names the table and the column."""
    try:
        yield
    except ValueError as error:
        where = f"{table}: " if table else ""
        raise DataError(f"{where}column {named(column)} {error}") from None


def block_from_json(fitted: Mapping[str, Any], preprocessing: Preprocessing) -> InputBlock:
    """Restore a block from the result of its `to_json`."""
    steps = preprocessing.steps(fitted["columns"][0], fitted["kind"])
    if fitted["kind"] == "number":
        return NumberInputs.from_json(fitted, steps)
    column, fit = fitted["columns"][0], fitted["fit"]
    if fitted["kind"] == "category":
        return CategoryInput(column, typed(CategoryStep, steps[0]), fit)
    return DateInput(column, typed(DateStep, steps[0]), fit, fitted.get("zoned", False))


def lookups(blocks: Sequence[InputBlock]) -> Iterator[tuple[int, int, int, str]]:
    """Yield (index of the input, number of codes, length of the vectors, column) for each input that holds codes."""
    start = 0
    for block in blocks:
        if isinstance(block, CategoryInput) and isinstance(block.step, Embedding):
            yield start, block.step.n_rows(block.fit), block.step.width(block.fit), block.column
        start += len(block.names)
