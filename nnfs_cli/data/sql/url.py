"""Which database a URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, WithJsonSchema

from nnfs_cli.components.field_types import absolute_path, refuse_secret, relative_path
from nnfs_cli.components.section import invalid
from nnfs_cli.data.sql.database import Database
from nnfs_cli.data.sql.duckdb import Duck
from nnfs_cli.data.sql.postgresql import PostgreSql
from nnfs_cli.data.sql.sqlite import Sqlite
from nnfs_cli.system.secrets import require_no_secret
from nnfs_cli.system.wording import shown

SERVERS = ("postgresql://", "postgres://")
SQLITE = "sqlite:"
DUCKDB = "duckdb:"
SCHEMES = (*SERVERS, SQLITE, DUCKDB)


def is_database(text: str) -> bool:
    """Return whether a text is the URL of a database."""
    return text.startswith(SCHEMES)


def database_at(url: str) -> Database:
    """Return the database at a URL, whose path is relative to the working directory.

    Raises `UserError` for a URL with a password.
    """
    require_no_secret(url, "the database")
    if url.startswith(SERVERS):
        return PostgreSql(url)
    if url.startswith(SQLITE):
        return Sqlite(f"{SQLITE}{path_in(url)}")
    path = url.removeprefix(DUCKDB).removeprefix("//")
    return Duck(Path(path).absolute() if path else None, Path.cwd())


def path_in(url: str) -> str:
    """Return the path in the URL of a database in a file; SQLAlchemy writes three slashes before it.

    >>> path_in("sqlite:sales.db"), path_in("sqlite:///sales.db"), path_in("sqlite:////data/sales.db")
    ('sales.db', 'sales.db', '/data/sales.db')
    """
    return url.partition(":")[2].removeprefix("///")


def _checked(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str) or not value.startswith((*SERVERS, SQLITE)):
        examples = "such as postgresql://ann@db.example.org/sales or sqlite:sales.db"
        raise invalid(f"expected the URL of a database, {examples}, found {shown(value)}")
    refuse_secret(value)
    return f"{SQLITE}{absolute_path(path_in(value), info)}" if value.startswith(SQLITE) else value


def _relative(url: str, info: SerializationInfo) -> str:
    return f"{SQLITE}{relative_path(Path(path_in(url)), info)}" if url.startswith(SQLITE) else url


DatabaseUrl = Annotated[
    str,
    PlainValidator(_checked),
    PlainSerializer(_relative, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join((*SERVERS, SQLITE))})"}),
]
