"""Choose the writer of a table by the suffix of the file."""

from __future__ import annotations

from typing import BinaryIO

from nnfs_cli.data.csv.writer import CsvWriter
from nnfs_cli.data.parquet.writer import ParquetWriter
from nnfs_cli.data.table_writer import TableWriter
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import listing

CSV = (".csv", ".txt")
SUFFIXES = (*CSV, ".parquet", ".pq")


def writer_for(suffix: str, file: BinaryIO) -> TableWriter:
    """Return the writer for files with this suffix. Raises `UserError` for an unknown suffix."""
    if suffix.lower() not in SUFFIXES:
        raise UserError(
            f"cannot write a table as '{suffix}'; the name of the file must end in {listing(SUFFIXES, 'or')}"
        )
    return CsvWriter(file) if suffix.lower() in CSV else ParquetWriter(file)
