"""The place where MLflow keeps its runs: a server, or a database."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, WithJsonSchema

from nnfs_cli.components.field_types import refuse_secret
from nnfs_cli.components.section import invalid
from nnfs_cli.system.wording import shown

SQLITE = "sqlite:///"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+|databricks")


def database(uri: str) -> Path | None:
    """Return the file of a database of SQLite; None for anything else."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) and "${" not in uri else None


def _absolute(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str) or not _URL.fullmatch(value):
        example = "http://localhost:5000 or sqlite:///mlflow.db"
        raise invalid(f"expected the URL of a server or a database, such as {example}, found {shown(value)}")
    refuse_secret(value)
    file = database(value)
    if file is None:
        return value
    return SQLITE + Path(os.path.abspath(Path((info.context or {}).get("folder", "."), file))).as_posix()


def _relative(uri: str, info: SerializationInfo) -> str:
    file = database(uri)
    folder = (info.context or {}).get("folder")
    if file is None or folder is None:
        return uri
    try:
        return SQLITE + Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive of Windows, no relative path exists
        return uri


TrackingUri = Annotated[
    str,
    PlainValidator(_absolute),
    PlainSerializer(_relative, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^({_URL.pattern})$"}),
]
