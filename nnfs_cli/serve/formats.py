"""The formats of bodies and answers, by their media types."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from io import BytesIO
from typing import Any

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.table import Column
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.system.wording import listing, shown


class Format(StrEnum):
    """A format, with its media type."""

    json = "application/json"
    csv = "text/csv"
    arrow_stream = "application/vnd.apache.arrow.stream"
    arrow_file = "application/vnd.apache.arrow.file"


BY_TYPE: dict[str, Format] = {one.value: one for one in Format}
KNOWN = listing(BY_TYPE, "or")


def format_of_body(content_type: str, encoding: str) -> Format:
    """Return the format that the headers of a request name. Raises `Refusal`."""
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if encoding not in ("", "identity"):
        found = f"the body is encoded by {shown(encoding)}; send it without Content-Encoding"
        raise Refusal(415, "unsupported_encoding", found)
    if media not in BY_TYPE:
        found = shown(media) if media else "none"
        raise Refusal(415, "unsupported_type", f"the Content-Type of rows is {KNOWN}, found {found}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Refusal(415, "unsupported_encoding", f"rows are sent in UTF-8, found {shown(value)}")
    return BY_TYPE[media]


def format_of_answer(accept: str, of_body: Format) -> Format:
    """Return the format that a client asks for, which is that of the body where any will do. Raises `Refusal`."""
    if accept in ("", "*/*"):
        return of_body
    wanted = dict[str, float]()
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        wanted[media] = next((_quality(one) for one in parameters if one.startswith("q=")), 1.0)
    for media in sorted((one for one in wanted if wanted[one] > 0), key=lambda one: -wanted[one]):
        if media in BY_TYPE:
            return BY_TYPE[media]
        if media == "*/*" or media == f"{of_body.value.partition('/')[0]}/*":
            return of_body
    raise Refusal(406, "not_acceptable", f"answers are sent as {KNOWN}, and Accept names none of them")


def _quality(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0


def encoded(blocks: Sequence[Mapping[str, Column]], form: Format) -> bytes:
    """Return predictions, in blocks with the same columns, as the body of an answer."""
    if form is Format.json:
        return _json(blocks)
    if form is Format.csv:
        from nnfs_cli.workflows.write_rows import write_blocks

        file = BytesIO()
        write_blocks(blocks, file, ".csv")
        return file.getvalue()
    import pyarrow as pa

    tables, sink = [to_arrow(columns) for columns in blocks], pa.BufferOutputStream()
    make = pa.ipc.new_file if form is Format.arrow_file else pa.ipc.new_stream
    with make(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table.cast(tables[0].schema))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _json(blocks: Sequence[Mapping[str, Column]]) -> bytes:
    """Return `{"predictions": [...]}` with an object for each row; numbers that JSON lacks are null."""
    rows: list[dict[str, Any]] = []
    for columns in blocks:
        names = [*columns]
        rows += [dict(zip(names, cells, strict=True)) for cells in zip(*map(_cells, columns.values()), strict=True)]
    try:
        return json.dumps({"predictions": rows}, allow_nan=False).encode()
    except ValueError:
        finite = [{name: _finite(cell) for name, cell in row.items()} for row in rows]
        return json.dumps({"predictions": finite}, allow_nan=False).encode()


def _cells(column: Column) -> list[Any]:
    return column.tolist()


def _finite(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
