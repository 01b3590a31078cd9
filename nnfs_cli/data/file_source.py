"""What data sets that lie in files have in common: a path, a target, and columns to leave out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema, model_validator

from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, listing, shown
from nnfs_cli.settings import FilePath, NotEmpty, Text, wrong


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise wrong(f"'{name}' stands here twice")
    return names


def _as_names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, tuple | list):
        raise wrong(f"expected the name of a column, or a list of names, found {shown(value)}")
    return value


_NAME = {"type": "string", "minLength": 1}
Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_names),
    AfterValidator(_different),
    WithJsonSchema({"type": ["string", "array"], "minLength": 1, "items": _NAME, "uniqueItems": True}),
]


class FileSource(DataSource):
    """A table in a file."""

    suffixes: ClassVar[tuple[str, ...]]

    path: FilePath
    """Relative to the folder of the config."""

    def at(self, path: Path) -> Self:
        """The same kind of file at another place."""
        return self.model_copy(update={"path": path})

    def read(self) -> Table:
        """All columns. Raises `DataError` when the file is not a table, or not there."""
        try:
            return self._read(self.path.name)
        except FileNotFoundError:
            raise DataError(f"there is no file {self.path}") from None
        except IsADirectoryError:
            raise DataError(f"{self.path} is a folder, not a file") from None

    def _read(self, name: str) -> Table:
        raise NotImplementedError

    def _sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class ColumnSource(FileSource):
    """A table in a file whose columns have names."""

    target: Annotated[Names, NotEmpty]
    """The column to predict, or several of numbers."""
    drop: Names = ()
    """Columns to leave out; all others are inputs."""
    weight: Text | None = None
    """The column that says what each row counts, 0 or more; 1 without it."""

    @model_validator(mode="after")
    def _keeps_its_target(self) -> Self:
        uses = {"is the target": self.target, "is to be dropped": self.drop, "is the weight": (self.weight,)}
        for name in (*self.target, *self.drop):
            used = [use for use, names in uses.items() if name in names]
            if len(used) > 1:
                raise wrong(f"'{name}' {used[0]} and {used[1]}; it can't be both")
        return self

    def target_columns(self) -> tuple[str, ...]:
        """As the config names them."""
        return self.target

    def dropped_columns(self) -> tuple[str, ...]:
        """As the config names them."""
        return self.drop

    def weight_column(self) -> str | None:
        """As the config names it."""
        return self.weight


def source_for(path: Path, like: DataSource) -> FileSource:
    """The data set for another file, by its suffix; one of the same kind as `like` shares its settings."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file")
    kinds = [member for member in FileSource.members.values() if issubclass(member, FileSource)]
    for kind in kinds:
        if path.name.lower().endswith(kind.suffixes):
            if isinstance(like, kind):
                return like.at(path)
            settings: dict[str, Any] = {"path": path}
            if issubclass(kind, ColumnSource):
                settings |= {"target": like.target_columns(), "weight": like.weight_column()}
            return kind(**settings)
    known = [suffix for kind in kinds for suffix in kind.suffixes]
    raise DataError(f"{path.name}: files that can be read end in {listing(known, 'or')}")
