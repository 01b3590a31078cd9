"""Write rows to a file, an object in a store, or a table of a database: all of them, or none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from nnfs_cli.data.arrow import to_arrow
from nnfs_cli.data.sql.url import database_at, is_database
from nnfs_cli.data.write_table import SUFFIXES, writer_for
from nnfs_cli.errors import UserError
from nnfs_cli.system.files import write_atomically
from nnfs_cli.system.remote import store
from nnfs_cli.system.remote.file import HTTP, is_remote, location
from nnfs_cli.system.secrets import require_no_secret
from nnfs_cli.system.wording import listing

Blocks = Iterable[Mapping[str, Any]]


def check_destination(output: str, table: str | None = None) -> None:
    """Raise `UserError` unless rows can be written there; see `write_rows`."""
    require_no_secret(output, "the output")
    if is_database(output):
        if not table:
            raise UserError("the output is a database; name the table with --table")
        return
    if table:
        raise UserError("--table names a table of a database, and the output is none; leave --table out")
    if is_remote(output) and output.startswith(HTTP):
        raise UserError(
            f"{output}: files cannot be written over HTTP; write to a store, such as s3://bucket/rows.parquet"
        )
    if PurePosixPath(output).suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: the name of the output must end in {listing(SUFFIXES, 'or')}")


def write_rows(blocks: Blocks, output: str, table: str | None = None) -> None:
    """Write blocks of named columns to a file, to an object in a store, or to a table of a database.

    `output` is a path or a URL, whose suffix says the kind of file. Rows are added to `table`, which is created if the
    database lacks it. After an error nothing is there that was not there before.
    """
    check_destination(output, table)
    if is_database(output):
        database_at(output).append(str(table), map(to_arrow, blocks))
    elif is_remote(output):
        with tempfile.TemporaryFile() as file:
            write_blocks(blocks, cast(BinaryIO, file), PurePosixPath(output).suffix)
            file.seek(0)
            store.upload(str(location(output)), cast(BinaryIO, file))
    else:
        path = Path(output)
        write_atomically(path, lambda file: write_blocks(blocks, file, path.suffix))


def write_blocks(blocks: Blocks, file: BinaryIO, suffix: str) -> None:
    """Write blocks of named columns to an open file of the kind that a suffix names."""
    with writer_for(suffix, file) as writer:
        for columns in blocks:
            writer.write(columns)
