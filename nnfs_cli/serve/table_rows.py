"""Read the rows of a body in CSV or Arrow, and of JSON where the run parses cells itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Kind
from nnfs_cli.errors import DataError
from nnfs_cli.serve.body_file import BodyFile
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.serve.row_schema import RowSchema
from nnfs_cli.serve.rows import BODY, Rows


def csv_source(body: bytes, like: DataSource) -> DataSource:
    """Return the data set of a body in CSV, with the delimiter and so on of the training table if that was CSV.

    Raises `Refusal` for a header alone, which is what `curl -d` makes of a file.
    """
    if body and not (b"\n" in body or b"\r" in body) and not (isinstance(like, Csv) and like.header):
        hint = "curl keeps the line ends of a file with --data-binary, not with -d"
        raise Refusal(422, "unusable_rows", f"{BODY} is a single line, with a header but no rows; {hint}")
    if not isinstance(like, Csv):
        given = Csv(path="stdin", target=like.target_columns()).in_place_of(like)
        return given.model_copy(update={"path": BodyFile(body)})
    delimiter = like.separator
    return like.model_copy(update={"path": BodyFile(body), "delimiter": delimiter})


def arrow_source(body: bytes, file: bool, like: DataSource) -> DataSource:
    """Return the data set of a body in Arrow's IPC format, as a `file` or as a stream. Raises `Refusal`."""
    import pyarrow as pa

    try:
        read = pa.ipc.open_file if file else pa.ipc.open_stream
        table = read(pa.py_buffer(body)).read_all()
        table.validate(full=True)  # what reads the cells later trusts their places in memory
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        form = "file" if file else "stream"
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise Refusal(400, "malformed", f"{BODY} is not an Arrow IPC {form}: {why:.200}") from None
    return table_source(table, like)


def table_source(table: Any, like: DataSource) -> DataSource:
    """Return the data set of a table in memory."""
    try:
        return rows_for(table, like, BODY)
    except DataError as error:
        raise Refusal.of(error) from None


def source_rows(source: DataSource, kinds: Mapping[str, Kind], schema: RowSchema, most: int) -> Rows:
    """Return the rows of a data set. Raises `Refusal`, also for more than the most rows."""
    try:
        schema.check(source.names())
        tables, n = [], 0
        for table in source.chunks(kinds):
            n += table.n_rows
            if n > most:
                raise Refusal(413, "too_many_rows", f"{BODY} has more than {most:,} rows, which is the most at once", n)
            tables.append(table)
    except DataError as error:
        raise Refusal.of(error) from None
    return Rows(tuple(tables))
