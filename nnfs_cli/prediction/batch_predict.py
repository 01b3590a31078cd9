"""Predict the rows of a file of any size, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.arrow import to_arrow_array, to_column
from nnfs_cli.data.drift import Drift
from nnfs_cli.data.left_out import without_advice
from nnfs_cli.data.several_files import FILE, SeveralFiles
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Table, concatenate_columns
from nnfs_cli.data.texts import GAP, Texts
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.prediction.far_rows import FarRows
from nnfs_cli.prediction.predictor import MoreColumns, Predictor
from nnfs_cli.system.parallel_map import parallel_map
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, listing, named, shown

OnError = Literal["stop", "skip", "null"]
Result = TypeVar("Result")


class BatchPredictor:
    """Predict the rows of a source; iterating yields a block of rows as named columns, kept columns first.

    `inputs` describes the input columns of the training rows, as a run records them. A row that cannot be used raises
    `DataError`, or is left out (`on_error="skip"`), or has empty predictions ("null"). After the last block, `rows` is
    the number of rows read, `written` of rows returned, `faulty` of rows that cannot be used. `drift`, if asked for,
    compares the rows with the training rows. Of several files, the first column names the file of each row. `more`, if
    set, adds columns to the predictions of each block; see `Predictor.predict`.
    """

    def __init__(
        self,
        predictor: Predictor,
        inputs: Sequence[Mapping[str, Any]],
        source: DataSource | SeveralFiles,
        on_error: OnError = "stop",
        keep: Sequence[str] | Literal["all"] = (),
        drift: bool = False,
    ) -> None:
        if on_error not in get_args(OnError):
            raise UserError(f"on_error is {listing(get_args(OnError), 'or')}, found {shown(on_error)}")
        self.predictor, self.inputs, self.source, self.on_error, self.keep = predictor, inputs, source, on_error, keep
        self.rows = self.written = self.faulty = 0
        self._first_fault, self.far = "", FarRows(inputs)
        self.drift = Drift(inputs) if drift else None
        self.more: MoreColumns | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        keep = self.source.names() if self.keep == "all" else tuple(self.keep)
        if isinstance(self.source, SeveralFiles):
            if FILE in keep:
                raise UserError(f"the column '{FILE}' cannot be kept: the files of the rows have this name; rename it")
            keep = FILE, *keep
        kinds = dict(self.predictor.encoder.kinds)
        if self.predictor.encoder.exposure is not None:
            kinds[self.predictor.encoder.exposure] = "number"
        tables = self._checked(self.source.chunks(kinds, keep, self.on_error != "stop"), keep)
        for table, (columns, marks) in shared_out(lambda table: self._predict(table, keep), tables):
            yield self._usable(table, columns, marks, keep)
            self.rows += table.n_rows
            self.written = self.rows - (self.faulty if self.on_error == "skip" else 0)
        self._warn(table)

    def all(self) -> dict[str, Any]:
        """Return the predictions of all rows at once; kept columns, and those with empty cells, are of Arrow."""
        blocks = list(self)
        return {name: _joined([block[name] for block in blocks]) for name in blocks[0]}

    def _predict(self, table: Table, keep: Sequence[str]) -> tuple[dict[str, Any], Array | None]:
        """Return the kept columns and the predictions of a block, and which rows cannot be used, (rows,)."""
        marks = None
        if self.on_error != "stop":
            marks = np.zeros(table.n_rows, bool)
            marks[list(table.faults)] = True
        columns: dict[str, Any] = self.predictor.predict(table, marks, self.more)
        if twice := [name for name in keep if name in columns]:
            raise UserError(
                f"{table.name}: the column {named(twice[0])} cannot be kept: a column of predictions has that name;"
                " rename it"
            )
        return {**{name: table.kept[name] for name in keep}, **columns}, marks

    def _usable(
        self, table: Table, columns: dict[str, Any], marks: Array | None, keep: Sequence[str]
    ) -> dict[str, Any]:
        """Return the columns without the predictions of rows that cannot be used, and count the rows of the block."""
        if self.drift:  # count all rows: the ones that cannot be used may be the ones that have moved
            self.drift.add(table)
        if marks is not None and marks.any():
            self._count_faulty(table, marks)
            table = table.take(~marks)
            if self.on_error == "skip":
                columns = {name: _take(column, ~marks) for name, column in columns.items()}
            else:
                columns |= {name: _empty_cells(column, marks) for name, column in columns.items() if name not in keep}
        self.far.count(table)
        return columns

    def _checked(self, tables: Iterator[Table], keep: Sequence[str]) -> Iterator[Table]:
        """Yield the tables, and check the columns of the first of each file."""
        checked = set[str]()
        for table in tables:
            file = table.kept[FILE].distinct[0] if isinstance(self.source, SeveralFiles) else ""
            if file not in checked:
                self._check_columns(table, keep)
                checked.add(file)
            yield table

    def _check_columns(self, table: Table, keep: Sequence[str]) -> None:
        """Raise `DataError` for a missing column; warn about columns that the net does not know."""
        self.predictor.encoder.require_columns(table)
        for name in keep:
            if name not in table.kept:
                raise DataError(table.no_such_column(name))
        exposure = self.predictor.encoder.exposure
        if exposure is not None and not table.has(exposure):
            warn(f"{table.name} has no column {named(exposure)}, so each prediction is the rate: for an exposure of 1")
        known = self.predictor.ignored_columns.union(keep)
        unknown = [named(name) for name in table.not_read if name not in known]
        if unknown:
            verb = "was" if len(unknown) == 1 else "were"
            more = ", ..." if len(unknown) > 5 else ""
            message = f"{counted(len(unknown), 'column')} that {verb} not trained on: {', '.join(unknown[:5])}{more}"
            warn(f"{table.name} has {message}")

    def _count_faulty(self, table: Table, marks: Array) -> None:
        """Count the rows that cannot be used, and remember what is wrong with the first."""
        self.faulty += int(marks.sum())
        if not self._first_fault:
            row = int(np.argmax(marks))
            self._first_fault = table.faults.get(row, "")
            if not self._first_fault:
                try:
                    self.predictor.predict(table.take(np.array([row])))
                except DataError as error:
                    self._first_fault = str(error)
            self._first_fault = without_advice(self._first_fault)

    def _warn(self, table: Table) -> None:
        rows = counted(self.rows, "row")
        if self.faulty:
            one, more = (
                ("is left out", "are left out")
                if self.on_error == "skip"
                else ("has an empty prediction", "have empty predictions")
            )
            done = one if self.faulty == 1 else more
            message = f"{self.faulty:,} of {rows} cannot be used and {done}; the first: {self._first_fault}"
            warn(message)
        self.far.warn()


def shared_out(compute: Callable[[Table], Result], tables: Iterable[Table]) -> Iterator[tuple[Table, Result]]:
    """Yield each table with what is computed for it, in order; several threads share the work.

    Each of them multiplies with one thread, so the number of cores changes no result.
    """

    def alone(table: Table) -> Result:
        with thread_limit(1):
            return compute(table)

    with thread_limit(1):
        yield from parallel_map(alone, tables)


def _joined(columns: Sequence[Any]) -> Any:
    """Return the column with the rows of all, as Arrow if any of them is; as texts if files have other types."""
    if all(isinstance(column, np.ndarray | Texts) for column in columns):
        return concatenate_columns(columns)
    import pyarrow as pa

    arrays = [to_arrow_array(column) for column in columns]
    if any(array.type != arrays[0].type for array in arrays):
        arrays = [to_arrow_array(to_column(array, as_texts=True)) for array in arrays]
    return pa.chunked_array([chunk for array in arrays for chunk in getattr(array, "chunks", [array])])


def _take(column: Any, rows: Array) -> Any:
    if isinstance(column, np.ndarray | Texts):
        return column[rows]
    import pyarrow as pa

    return column.filter(pa.array(rows))


def _empty_cells(column: Any, rows: Array) -> Any:
    """Return the column with empty cells in these rows."""
    if isinstance(column, Texts):
        return Texts(np.where(rows, GAP, column.codes), column.distinct)
    import pyarrow as pa

    return pa.array(column, mask=rows)
