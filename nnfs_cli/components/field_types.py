"""The types of settings: numbers with ranges, switches, amounts of memory, texts and paths of files.

They are strict: a number is neither a text nor a boolean, and a switch is true, false, yes, no, on or off.
"""

from __future__ import annotations

import errno
import glob
import math
import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from nnfs_cli.components.section import invalid
from nnfs_cli.system.matching import matching_files
from nnfs_cli.system.remote.file import Location, RemoteFile, is_remote, location
from nnfs_cli.system.secrets import holds_secret
from nnfs_cli.system.wording import did_you_mean, shown

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SWITCH_IN_ANY_CASE = "|".join("".join(f"[{c}{c.upper()}]" for c in word) for word in _SWITCH)


def _switch(value: object) -> object:
    return _SWITCH.get(value.lower(), value) if isinstance(value, str) else value


class _NotEmpty(AfterValidator):
    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minItems": 1}


_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def _bytes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    amount = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([KMGT]B)", value) if isinstance(value, str) else None
    if amount is None or not float(amount[1]):
        raise invalid(f"expected an amount of memory, such as 500 MB or 2 GB, found {shown(value)}")
    return math.ceil(float(amount[1]) * _UNITS[amount[2]])


def _not_empty(entries: tuple[object, ...]) -> tuple[object, ...]:
    if not entries:
        raise invalid("expected at least one entry, found an empty list")
    return entries


def data_location(value: object, info: ValidationInfo) -> Location:
    """Return the remote file at a URL, or else the absolute path of a file or a folder; see `absolute_path`."""
    if isinstance(value, RemoteFile):
        return value
    if not (isinstance(value, str | Path) and is_remote(value)):
        return absolute_path(value, info, folders=True)
    refuse_secret(str(value))
    return location(value)


def refuse_secret(url: str) -> None:
    """Raise for a URL that holds a password or a token, which would be kept in the config and in the run."""
    if holds_secret(url):
        remedy = "write ${NAME} in its place, and set the environment variable NAME"
        raise invalid(f"this URL holds a password or a token, which would be kept in every run; {remedy}")


def absolute_path(value: object, info: ValidationInfo, folders: bool = False, new: bool = False) -> Path:
    """Return the absolute path of an input file. A relative path is resolved against the config's folder.

    A `new` file or folder need not exist.
    """
    if not isinstance(value, str | Path) or not str(value):
        raise invalid(f"expected a path, found {shown(value)}")
    context = info.context or {}
    try:
        path = Path(os.path.abspath(Path(context.get("folder", Path()), Path(value).expanduser())))
        must_exist = context.get("files_must_exist", False) and not new
        missing = must_exist and not any(map(Path.is_file, matching_files(path)))
        missing = missing and not (folders and path.is_dir())
        problem = _why_missing(path) if missing else None
        if new:
            _require_possible(path)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            raise  # the machine failed, and the name is not at fault
        raise invalid(
            f"{shown(str(value))} cannot be the path of a file: {getattr(error, 'strerror', error)}"
        ) from None
    if problem:
        raise invalid(problem)
    return path


def _require_possible(path: Path) -> None:
    """Raise `ValueError` or `OSError` if no file can have this path."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
            raise


def _why_missing(path: Path) -> str:
    if path.exists():
        return f"{path} is not a file"
    if glob.has_magic(str(path)):
        return f"no file matches {path}"
    near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
    return f"there is no file {path}{near}"


def relative_path(path: Location, info: SerializationInfo) -> str:
    """Return the path relative to the folder that a config will be written to: the inverse of `data_location`."""
    if isinstance(path, RemoteFile):
        return path.url
    try:
        return Path(os.path.relpath(path, (info.context or {}).get("folder", "."))).as_posix()
    except ValueError:  # on another drive of Windows, no relative path exists
        return path.as_posix()


MAX_INT = 1_000_000_000  # a larger number is a mistake: training would take years or exhaust any memory

PositiveInt = Annotated[int, Field(strict=True, gt=0, le=MAX_INT)]
Count = Annotated[int, Field(strict=True, gt=0, le=10_000)]  # for things that each take memory
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
PositiveFloat = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]
Rate = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]
Level = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
FiniteFloat = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Switch = Annotated[
    bool,
    Field(strict=True),
    BeforeValidator(_switch),
    WithJsonSchema(
        {
            "named": "switch",
            "type": ["boolean", "string"],
            "pattern": f"^({_SWITCH_IN_ANY_CASE})$",
            "patternErrorMessage": "expected true or false",  # editors show this instead of the pattern
        }
    ),
]
Bytes = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "format": "amount of memory",
            "exclusiveMinimum": 0,
            "pattern": "^(?=.*[1-9])[0-9]{1,9}(\\.[0-9]{1,9})? ?[KMGT]B$",
            "patternErrorMessage": "expected an amount of memory, such as 500 MB or 2 GB",
        }
    ),
]
Lines = Annotated[int, Field(strict=True, ge=0, le=10_000)]  # lines or rows before a header
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]
NotEmpty = _NotEmpty(_not_empty)  # for a tuple; pydantic's own min_length does not count invalid entries
FilePath = Annotated[
    Path,
    BeforeValidator(lambda value, info: absolute_path(value, info)),
    PlainSerializer(relative_path, return_type=str),
    WithJsonSchema({"type": "string", "format": "path", "minLength": 1}),
]
OutputPath = Annotated[
    Path,
    BeforeValidator(lambda value, info: absolute_path(value, info, new=True)),
    PlainSerializer(relative_path, return_type=str),
    WithJsonSchema({"type": "string", "format": "path", "minLength": 1}),
]
DataLocation = Annotated[
    Location,
    PlainValidator(data_location),
    PlainSerializer(relative_path, return_type=str),
    WithJsonSchema({"type": "string", "format": "path", "minLength": 1}),
]
