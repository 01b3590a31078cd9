"""The format `sql`: one SELECT that DuckDB, SQLite and PostgreSQL run."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.format import ExportedModel, Format, Predictions, output_types
from nnfs_cli.export.sql.operations import terms_of
from nnfs_cli.export.sql.query import Query
from nnfs_cli.export.sql.terms import case, quoted
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.system.wording import in_a_line, named

HEADER = """\
-- A trained model as one SELECT for DuckDB (1.1 or later), SQLite (3.35 or later, with its mathematical functions) and
-- PostgreSQL (12 or later). It reads a table named "rows", and returns the number of each row, the columns of the table
-- and the predictions, which are NULL for a row that the model refuses. Numbers are read in double precision.
-- Categories are texts, and dates are dates, timestamps, or ISO texts without an offset from UTC. In SQLite, columns of
-- numbers should hold no texts, which would be read as 0.
"""
SQL_TYPES = {"number": "DOUBLE PRECISION", "category": "TEXT", "date": "TEXT"}


class SqlFormat(Format):
    """One SELECT, for linear models and small nets."""

    name = "sql"
    suffix = ".sql"
    overflows = False  # SQL computes in double precision

    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        """Return the content of the file."""
        comments = "".join(f"-- {in_a_line(f'{key}: {value}')[:200]}\n" for key, value in model.about.items())
        return {f"{stem}{self.suffix}": f"{HEADER}{comments}\n{select(model.pipeline)}".encode()}

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        """Return what the SELECT predicts in SQLite."""
        query = (folder / f"{stem}{self.suffix}").read_bytes().decode()  # a text may hold a carriage return
        create, insert, rows = table_of(model.pipeline, cells)
        with closing(sqlite3.connect(":memory:")) as connection:
            try:
                connection.execute("SELECT TANH(EXP(1.0))")
            except sqlite3.OperationalError:
                raise ExportError("the SQLite of this Python has no mathematical functions, which SQL needs") from None
            connection.execute(create)
            connection.executemany(insert, rows)
            return predictions(model.pipeline, connection.execute(query).fetchall())


def select(pipeline: Pipeline) -> str:
    """Return the SELECT of a pipeline. Raises `ExportError` for what SQL cannot compute."""
    _require_different_names([*pipeline.columns])
    terms = terms_of(pipeline)
    outputs = {name: terms[id(value)].item() for name, value in pipeline.outputs.items()}
    if not _accepts_all(pipeline):
        usable = terms[id(pipeline.usable)].item()
        outputs = {name: case((usable, term), kind=term.kind) for name, term in outputs.items()}
    return Query(outputs).text


def _accepts_all(pipeline: Pipeline) -> bool:
    return pipeline.usable.is_constant and bool(pipeline.usable.array.all())


def _require_different_names(columns: Sequence[str]) -> None:
    known: dict[str, str] = {}
    for name in columns:
        if (other := known.setdefault(name.lower(), name)) != name:
            raise ExportError(f"SQL cannot tell the columns {named(other)} and {named(name)} apart")


def table_of(pipeline: Pipeline, cells: Mapping[str, Array]) -> tuple[str, str, list[tuple[Any, ...]]]:
    """Return statements that create a table "rows" of cells and insert rows, and the rows."""
    kinds = {name: value.settings["kind"] for name, value in pipeline.columns.items()}
    columns = ", ".join(f"{quoted(name)} {SQL_TYPES[kind]}" for name, kind in kinds.items())
    insert = f'INSERT INTO "rows" VALUES ({", ".join("?" * len(kinds))})'  # noqa: S608 - question marks
    rows = [*zip(*(_as_stored(cells[name], kind) for name, kind in kinds.items()), strict=True)]
    return f'CREATE TABLE "rows" ({columns})', insert, rows


def _as_stored(column: Array, kind: str) -> list[Any]:
    """Return cells as a database stores them, with None for gaps."""
    if kind == "date":
        dates = column.astype("datetime64[us]")
        return [None if np.isnat(date) else str(date) for date in dates]
    return [None if cell is None or cell != cell else cell for cell in column.tolist()]


def predictions(pipeline: Pipeline, rows: Sequence[tuple[Any, ...]]) -> Predictions:
    """Return the predictions in the rows that a SELECT returned, which stand in their last columns."""
    n = len(pipeline.outputs)
    answers = [row[-n:] for row in rows]
    usable = np.array([any(cell is not None for cell in row) for row in answers], bool)
    if _accepts_all(pipeline):
        usable[:] = True
    outputs = {
        name: _column(cells, dtype)
        for (name, dtype), cells in zip(output_types(pipeline).items(), zip(*answers, strict=True), strict=True)
    }
    return Predictions(outputs, usable)


def _column(cells: Sequence[Any], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "O":
        return np.array([*cells, None], object)[:-1]
    gap = np.nan if dtype.kind == "f" else 0
    return np.array([gap if cell is None else cell for cell in cells], np.float64).astype(dtype)
