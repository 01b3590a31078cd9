"""Read the rows of a body in JSON: a list of objects, or an object that has such a list as its `rows`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nnfs_cli.data.table import Kind
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.serve.row_schema import ColumnSchema, RowSchema
from nnfs_cli.serve.rows import BODY, Rows
from nnfs_cli.system.wording import listing, named, shown, type_of

EXPECTED = '[{"column": cell, ...}, ...] or {"rows": [{"column": cell, ...}, ...]}'
CELLS = {"number": "a number", "category": "a text", "date": "a text with a date"}
_NUMBERS = {int, float, type(None)}
_TEXTS = {str, type(None)}


def json_objects(body: bytes, most: int) -> list[dict[str, Any]]:
    """Return the rows of a body, at least one and at most so many. Raises `Refusal` for anything else."""
    rows = _parsed(body)
    if isinstance(rows, dict):
        if rows.keys() != {"rows"}:
            found = f"the keys {listing([*map(named, rows)][:5])}" if rows else "an empty object"
            raise Refusal(422, "wrong_shape", f"{BODY} should be {EXPECTED}, found {found}")
        rows = rows["rows"]
    if not isinstance(rows, list):
        raise Refusal(422, "wrong_shape", f"{BODY} should be {EXPECTED}, found {type_of(rows)}")
    if not rows:
        raise Refusal(422, "no_rows", f"{BODY} has no rows")
    if len(rows) > most:
        raise too_many(len(rows), most)
    for i, row in enumerate(rows, 1):
        if type(row) is not dict:
            message = f"{BODY}, row {i}: expected an object with the columns, found {type_of(row)}"
            raise Refusal(422, "wrong_shape", message, len(rows))
    return rows


def json_rows(objects: Sequence[dict[str, Any]], schema: RowSchema) -> Rows:
    """Return the rows of objects. Raises `Refusal` for a missing or unknown column and for a cell of a wrong type."""
    check_columns(objects, schema)
    names = [name for name in schema.columns if name in objects[0]]
    cells = {name: [row[name] for row in objects] for name in names}
    kinds: dict[str, Kind] = {}
    for name, column in cells.items():
        expected = schema.columns[name]
        kinds[name] = expected.kind
        _check_cells(column, expected)
    return Rows(cells=cells, kinds=kinds)


def check_columns(objects: Sequence[dict[str, Any]], schema: RowSchema) -> None:
    """Raise `Refusal` unless every row has the columns of the schema, and the same optional ones."""
    first = objects[0].keys()
    optional = first & (schema.columns.keys() - schema.required)
    expected = schema.required | optional
    for i, row in enumerate(objects, 1):
        if row.keys() == expected:
            continue
        schema.check(row, i, len(objects))
        if missing := optional.symmetric_difference(row.keys() & schema.columns.keys() - schema.required):
            what = f"column {named(min(missing))} should be in all rows or in none"
            raise Refusal(422, "missing_column", f"{BODY}, row {i}: {what}", len(objects))


def too_many(rows: int, most: int) -> Refusal:
    """Return the refusal of a body with more than the most rows."""
    return Refusal(413, "too_many_rows", f"{BODY} has {rows:,} rows; at most {most:,} are taken at once", rows)


def _check_cells(cells: list[Any], column: ColumnSchema) -> None:
    allowed = _NUMBERS if column.kind == "number" else _TEXTS
    found = {*map(type, cells)}
    if column.boolean and column.kind == "number":
        found.discard(bool)
    if not found <= allowed:
        row = next(i for i, cell in enumerate(cells) if type(cell) in found - allowed)
        expected = CELLS.get(column.kind, "a text")
        place = f"{BODY}, row {row + 1}: column {named(column.name)}"
        message = f"{place} should hold {expected}, found {_described(cells[row])}"
        raise Refusal(422, "wrong_type", message, len(cells))
    if str in found:
        check_texts(cells, column.name)


def check_texts(cells: Sequence[Any], name: str) -> None:
    """Raise `Refusal` for a text with half of a surrogate pair, which JSON can spell and UTF-8 cannot."""
    try:
        "".join(filter(None, cells)).encode()
    except UnicodeEncodeError:
        row = next(i for i, cell in enumerate(cells, 1) if cell and not _is_text(cell))
        message = f"{BODY}, row {row}: column {named(name)} holds half of a surrogate pair, which is not a valid text"
        raise Refusal(422, "wrong_type", message, len(cells)) from None


def _is_text(cell: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in cell)


def _described(cell: Any) -> str:
    if isinstance(cell, str):
        return f"the text {shown(cell)}"
    return f"{json.dumps(cell):.40}" if isinstance(cell, bool | int | float) else type_of(cell)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        message = f"{BODY} is not UTF-8: byte {error.start + 1} cannot be read"
    except json.JSONDecodeError as error:
        message = f"{BODY} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        message = f"{BODY} is not JSON that can be read: it is nested too deeply"
    except ValueError as error:
        message = f"{BODY} is not JSON: {error}"
    raise Refusal(400, "malformed", message)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"an object has two keys {named(twice)}")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON; an empty cell is null")
