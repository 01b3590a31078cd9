"""The kinds of files that tables are written as, by their suffixes."""

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
    """The writer for files with this suffix. Raises `UserError` for one that nothing is written as."""
    if suffix.lower() not in SUFFIXES:
        raise UserError(f"tables are written as {listing(SUFFIXES, 'or')}, not as '{suffix}'")
    return CsvWriter(file) if suffix.lower() in CSV else ParquetWriter(file)
