"""Choose the writer of a table by the suffix of the file."""

from __future__ import annotations

from typing import BinaryIO

from nnfs_cli.data.csv.writer import CsvWriter
from nnfs_cli.data.excel.writer import ExcelWriter
from nnfs_cli.data.feather.writer import FeatherWriter
from nnfs_cli.data.jsonl.writer import JsonLinesWriter
from nnfs_cli.data.parquet.writer import ParquetWriter
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import listing

WRITERS: dict[str, type[TableWriter]] = {
    ".csv": CsvWriter,
    ".txt": CsvWriter,
    ".parquet": ParquetWriter,
    ".pq": ParquetWriter,
    ".feather": FeatherWriter,
    ".arrow": FeatherWriter,
    ".jsonl": JsonLinesWriter,
    ".ndjson": JsonLinesWriter,
    ".xlsx": ExcelWriter,
}
SUFFIXES = tuple(WRITERS)


def writer_for(suffix: str, file: BinaryIO) -> TableWriter:
    """Return the writer for files with this suffix. Raises `UserError` for an unknown suffix."""
    writer = WRITERS.get(suffix.lower())
    if writer is None:
        raise UserError(
            f"cannot write a table as '{suffix}'; the name of the file must end in {listing(SUFFIXES, 'or')}"
        )
    return writer(file)
