"""The functions that every written file has: they read rows, and answer them.

The source of these functions is copied into the files, so they must run in Python 3.9 with NumPy 1.22, and use nothing
but NumPy, the standard library, each other, and what a file defines anew: `COLUMNS`, `EMPTY_DATE`, `model` and `W`.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.cells import EMPTY_DATE

COLUMNS: dict[str, str] = {}  # the kind of each column: number, category or date


def model(cells: dict[str, Array]) -> tuple[dict[str, Array], list[tuple[Any, Array]]]:
    """Return the predictions by name, and for each check the columns that it looks at and which rows pass it."""
    raise NotImplementedError


def predict(rows: Any, on_error: str = "raise") -> dict[str, Array]:
    """Return the predictions: an array (rows,) for each name.

    `rows` is a list of dicts, one dict, or a dict (or a data frame) of columns; other columns than COLUMNS are ignored.
    None and NaN are empty cells, and so is "" in a column of numbers or dates. Numbers may be texts, as in "1.5". Dates
    are ISO texts, dates, datetimes or datetime64; of a date with an offset from UTC, its local time counts. A number in
    a column of categories becomes the text that a CSV file would hold.
    Raises ValueError for a row that the model refuses; with on_error="null", its predictions are NaN or None.
    """
    if on_error not in ("raise", "null"):
        raise ValueError('on_error should be "raise" or "null", found ' + repr(on_error))
    outputs, refused = answer(rows)
    if refused and on_error == "raise":
        row = min(refused)
        raise ValueError(f"row {row + 1} of {len(next(iter(outputs.values())))}: {refused[row]}")
    if not refused:
        return outputs
    found = {name: values if values.dtype.kind == "f" else values.astype(object) for name, values in outputs.items()}
    for values in found.values():
        values[list(refused)] = math.nan if values.dtype.kind == "f" else None
    return found


def answer(rows: Any) -> tuple[dict[str, Array], dict[int, str]]:
    """Return the predictions of all rows by name, and the reason why the model refuses a row, by its index from 0."""
    columns = columns_of(rows)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"all columns should have the same number of rows, found {sorted(lengths)}")
    n_rows = lengths.pop()
    cells: dict[str, Array] = {}
    refused: dict[int, str] = {}
    for name, values in columns.items():
        cells[name], wrong = read(values, COLUMNS[name])
        for row, reason in wrong.items():
            refused.setdefault(row, f"the column {name!r} {reason}")
    with np.errstate(all="ignore"):
        outputs, checks = model({name: values[:, None] for name, values in cells.items()})
    for names, passes in checks:
        for row in np.flatnonzero(~np.broadcast_to(passes, (n_rows, 1))[:, 0]).tolist():
            refused.setdefault(row, reason_of(row, {name: cells[name] for name in names}))
    return {name: np.array(np.broadcast_to(values, n_rows)) for name, values in outputs.items()}, refused


def columns_of(rows: Any) -> dict[str, Any]:
    """Return the columns by name, each a list or an array (rows,)."""
    if not isinstance(rows, Mapping) and not hasattr(rows, "columns"):
        rows = list(rows)
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise ValueError(f"row {i + 1} should be a dict, found {type(row).__name__}")
            for name in COLUMNS:
                if name not in row:
                    raise ValueError(f"row {i + 1}: there is no column {name!r}")
        return {name: [row[name] for row in rows] for name in COLUMNS}
    for name in COLUMNS:
        if name not in rows:
            raise ValueError(f"there is no column {name!r}")
    columns = {name: rows[name] for name in COLUMNS}
    if any(hasattr(values, "__len__") and not isinstance(values, str) for values in columns.values()):
        return columns
    return {name: [value] for name, value in columns.items()}


def read(values: Any, kind: str) -> tuple[Array, dict[int, str]]:
    """Return a column as the model takes it, (rows,), and what is wrong with some rows."""
    if hasattr(values, "__array__"):
        array = np.asarray(values)
        if kind == "number" and array.dtype.kind in "biuf":
            numbers = array.astype(np.float64)
            return numbers, dict.fromkeys(np.flatnonzero(np.isinf(numbers)).tolist(), "holds an infinite number")
        if array.dtype.kind == "M":
            array = array.astype("datetime64[us]")
            if kind == "date":
                return array.astype(np.int64), {}
        values = array.tolist()
    of_cell = {"number": number_of, "category": text_of, "date": date_of}[kind]
    column = np.empty(len(values), {"number": np.float64, "category": object, "date": np.int64}[kind])
    wrong = {}
    for row, value in enumerate(values):
        try:
            column[row] = of_cell(None if is_empty(value) else value)
        except (ValueError, TypeError, ArithmeticError):
            column[row] = of_cell(None)
            expected = "a finite number" if kind == "number" else "a date, as in 2026-01-31 or 2026-01-31 12:30:00"
            wrong[row] = f"should hold {expected}, found {str(value)[:40]!r}"
    return column, wrong


def is_empty(value: Any) -> bool:
    """Return whether a cell is None, NaN, NaT or pandas.NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def number_of(value: Any) -> float:
    """Return the number in a cell, and NaN for an empty one."""
    if value is None or value == "":
        return math.nan
    if isinstance(value, str):
        text = {"true": "1", "false": "0"}.get(value.lower(), value.strip())
        value = text if re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text) else math.inf
    if math.isinf(float(value)):
        raise ValueError("it is not finite")
    return float(value)


def text_of(value: Any) -> str | None:
    """Return a cell as the text that a CSV file would hold: true, 2 (also for 2.0), 1.5, Paris."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, (datetime, np.datetime64)):
        text = str(np.asarray(value, "datetime64[us]")).replace("T", " ")
        return re.sub(r"( 00:00:00)?\.000000$", "", text)
    return str(value)


def date_of(value: Any) -> int:
    """Return the microseconds since 1970 of the local time in a cell, and EMPTY_DATE for an empty one."""
    if value is None or value == "":
        value = np.datetime64("NaT")
    elif isinstance(value, str):
        pattern = r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)(?:Z|[-+]\d\d(?::?\d\d)?)?)?"
        found = re.fullmatch(pattern, value.strip(), re.ASCII)
        if found is None:
            raise ValueError("it is not a date")
        value = f"{found[1]}T{found[2][:15]}" if found[2] else found[1]
    elif isinstance(value, datetime):
        value = value.replace(tzinfo=None)
    elif not isinstance(value, (date, np.datetime64)):
        raise ValueError("it is not a date")
    return int(np.datetime64(value, "us").astype(np.int64))


def reason_of(row: int, cells: dict[str, Array]) -> str:
    """Return why the model refuses a row, of which a check has looked at these columns."""
    for name, values in cells.items():
        if values[row] in (None, EMPTY_DATE) or values[row] != values[row]:
            return f"the column {name!r} is empty"
    if len(cells) == 1:
        name, values = next(iter(cells.items()))
        return f"the model cannot use {str(values[row])[:40]!r} in the column {name!r}"
    return "its numbers are too large for the model"


def main(arguments: list[str]) -> None:
    """Predict the rows of a CSV file, and print the predictions as another one."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        sys.exit(f"usage: python {Path(sys.argv[0]).name} rows.csv")
    path = arguments[0]
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")
    except (UnicodeDecodeError, csv.Error) as error:
        sys.exit(f"{path} is no CSV file in UTF-8: {error}")
    try:
        found = predict(rows)
    except ValueError as error:
        sys.exit(f"{path}: {error}")
    writer = csv.writer(sys.stdout)
    writer.writerow(found)
    for row in range(len(rows)):
        writer.writerow([values[row] for values in found.values()])
