"""The answers of a trained net to the rows of a file, block by block, however many there are."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.drift import Drift
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Table, concatenate_columns, text_of
from nnfs_cli.data.texts import GAP, Texts
from nnfs_cli.errors import DataError, NnfsWarning, UserError
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.wording import counted, named, shown

OnError = Literal["stop", "skip", "null"]
SMALL = 100_000  # parameters


class Predictions:
    """Iterating gives the answers to each block of rows, as named columns: first those kept, then the predictions.

    `inputs` is what a run remembers of its training rows' columns. A row that cannot be used is an error, or, by
    `on_error`, left out (skip) or answered with empty cells (null). After the last block `rows` says how many there
    were, `faulty` how many of them could not be used, and `drift` how far they are from the training rows, if asked.
    """

    def __init__(
        self,
        predictor: Predictor,
        inputs: Sequence[Mapping[str, Any]],
        source: DataSource,
        on_error: OnError = "stop",
        keep: Sequence[str] | Literal["all"] = (),
        drift: bool = False,
    ) -> None:
        self.predictor, self.inputs, self.source, self.on_error, self.keep = predictor, inputs, source, on_error, keep
        self.rows = self.written = self.faulty = self._far = 0
        self._first = self._example = ""
        self.drift = Drift(inputs) if drift else None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        keep = self.source.names() if self.keep == "all" else tuple(self.keep)
        with self._threads():
            for table in self.source.chunks(self.predictor.encoder.kinds, keep, self.on_error != "stop"):
                if not self.rows:
                    self._look_at(table, keep)
                yield self._answer(table, keep)
                self.rows += table.n_rows
                self.written = self.rows - (self.faulty if self.on_error == "skip" else 0)
        self._warn(table)

    def _threads(self) -> contextlib.AbstractContextManager[None]:
        """A small net's products are made by one thread: the others, which would only wait for it, read the file."""
        if self.predictor.model.n_parameters > SMALL:
            return thread_limit(self.predictor.spec.threads)
        return thread_limit(1)

    def all(self) -> dict[str, Any]:
        """The answers to all rows at once."""
        answers = list(self)
        return {name: concatenate_columns([answer[name] for answer in answers]) for name in answers[0]}

    def _answer(self, table: Table, keep: Sequence[str]) -> dict[str, Any]:
        marks = None
        if self.on_error != "stop":
            marks = np.zeros(table.n_rows, bool)
            marks[list(table.faults)] = True
        answers: dict[str, Any] = self.predictor.predict(table, marks)
        if twice := [name for name in keep if name in answers]:
            raise UserError(
                f"{table.name}: a column to keep is called {named(twice[0])}, as a prediction is; rename it"
            )
        answers = {**{name: table.kept[name] for name in keep}, **answers}
        if self.drift:  # of all rows: those that cannot be used may be the ones that have moved
            self.drift.add(table)
        usable = None if marks is None or not marks.any() else ~marks
        if usable is not None and marks is not None:
            self._note(table, marks)
            table = table.take(usable)
            if self.on_error == "skip":
                answers = {name: _some(column, usable) for name, column in answers.items()}
            else:
                answers |= {name: _emptied(column, marks) for name, column in answers.items() if name not in keep}
        self.watch(table)
        return answers

    def _look_at(self, table: Table, keep: Sequence[str]) -> None:
        """Raise `DataError` for a column that is not there; warn of those that are not known."""
        self.predictor.encoder.require_columns(table)
        for name in keep:
            if name not in table.kept:
                raise DataError(table.no_such_column(name))
        dataset, split = self.predictor.spec.dataset, self.predictor.spec.split
        known = {*dataset.target_columns(), *dataset.dropped_columns(), *split.columns, dataset.weight_column(), *keep}
        strange = [named(name) for name in table.not_read if name not in known]
        if strange:
            verb = "was" if len(strange) == 1 else "were"
            more = ", ..." if len(strange) > 5 else ""
            message = f"{counted(len(strange), 'column')} that {verb} not trained on: {', '.join(strange[:5])}{more}"
            warnings.warn(f"{table.name} has {message}", NnfsWarning, stacklevel=4)

    def _note(self, table: Table, marks: Array) -> None:
        """Count the rows that cannot be used, and say what is wrong with the first."""
        self.faulty += int(marks.sum())
        if not self._first:
            row = int(np.argmax(marks))
            self._first = table.faults.get(row, "")
            if not self._first:
                try:
                    self.predictor.predict(table.take(np.array([row])))
                except DataError as error:
                    self._first = str(error)

    def watch(self, table: Table) -> None:
        """Count the rows that are far outside of what was trained on."""
        far: Array | None = None
        for column in self.inputs if table.n_rows else ():
            outside = self._unseen(table, column) if column["kind"] == "category" else self._outside(table, column)
            if outside is not None:
                far = outside if far is None else far | outside
        self._far += int(far.sum()) if far is not None else 0

    def _outside(self, table: Table, column: Mapping[str, Any]) -> Array | None:
        """The rows (rows,) with a value further outside the range of the training rows than that range is wide."""
        name, low, high = column["name"], column.get("min"), column.get("max")
        if low is None or high is None:
            return None
        values: Any = table.numbers(name, gaps=True) if column["kind"] == "number" else table.dates(name)
        low, high = values.dtype.type(low), values.dtype.type(high)
        with np.errstate(over="ignore"):  # what overflows is further than any value
            lowest, highest = low - (high - low), high + (high - low)
        if np.fmin.reduce(values) >= lowest and np.fmax.reduce(values) <= highest:
            return None
        outside: Array = (values < lowest) | (values > highest)
        if outside.any() and not self._example:
            self._example = f"{name} is {_brief(values[outside][0])}, and was {_brief(low)} to {_brief(high)}"
        return outside

    def _unseen(self, table: Table, column: Mapping[str, Any]) -> Array | None:
        """The rows (rows,) with a word that no training row held, where it is known which they held."""
        if "counts" not in column or column.get("others"):
            return None
        texts = table.texts(column["name"])
        unseen: Array = texts.look_up(dict.fromkeys([*column["counts"], None], 0), 1) == 1
        if not unseen.any():
            return None
        if not self._example:
            self._example = f"{column['name']} is {shown(texts.at(int(np.argmax(unseen))))}, and never was"
        return unseen

    def _warn(self, table: Table) -> None:
        rows = counted(self.rows, "row")
        if self.faulty:
            one, more = (
                ("is left out", "are left out") if self.on_error == "skip" else ("has no answer", "have no answer")
            )
            done = one if self.faulty == 1 else more
            message = f"{self.faulty:,} of {rows} cannot be used and {done}; the first: {self._first}"
            warnings.warn(message, NnfsWarning, stacklevel=4)
        if self._far:
            verb = "lies" if self._far == 1 else "lie"
            message = f"{self._far:,} of {rows} {verb} far outside of what was trained on ({self._example})"
            warnings.warn(message, NnfsWarning, stacklevel=4)


def _brief(value: Any) -> str:
    return text_of(value) if isinstance(value, np.datetime64) else f"{value:g}"


def _some(column: Any, rows: Array) -> Any:
    if isinstance(column, np.ndarray | Texts):
        return column[rows]
    import pyarrow as pa

    return column.filter(pa.array(rows))


def _emptied(column: Any, rows: Array) -> Any:
    """The column with empty cells in these rows."""
    if isinstance(column, Texts):
        return Texts(np.where(rows, GAP, column.codes), column.distinct)
    import pyarrow as pa

    return pa.array(column, mask=rows)
