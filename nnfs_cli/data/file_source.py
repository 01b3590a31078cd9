"""What data sets that lie in files have in common: a path, a target, and columns to leave out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, ValidationInfo, field_validator

from nnfs_cli.data.source import DataSource
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, did_you_mean, listing
from nnfs_cli.settings import FilePath, NotEmpty, Text, wrong

Names = Annotated[
    tuple[Text, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value), NotEmpty
]


class FileSource(DataSource):
    """A table in a file."""

    suffixes: ClassVar[tuple[str, ...]]

    path: FilePath

    @field_validator("path")
    @classmethod
    def _is_there(cls, path: Path, info: ValidationInfo) -> Path:
        if (info.context or {}).get("files_must_exist", False) and not path.is_file():
            near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
            raise wrong(f"there is no file {path}{near}" if not path.exists() else f"{path} is not a file")
        return path

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

    target: Names
    drop: Names | tuple[()] = ()

    def target_columns(self) -> tuple[str, ...]:
        """As the config names them."""
        return self.target

    def dropped_columns(self) -> tuple[str, ...]:
        """As the config names them."""
        return self.drop


def source_for(path: Path, like: DataSource | None = None) -> FileSource:
    """The data set for a file, by its suffix; one of the same kind as `like` shares its settings."""
    for member in FileSource.members.values():
        if issubclass(member, FileSource) and path.suffix.lower() in member.suffixes:
            if isinstance(like, member):
                return like.at(path)
            settings: dict[str, Any] = {"path": path}
            if issubclass(member, ColumnSource):
                settings["target"] = like.target_columns() if like else ("target",)
            return member(**settings)
    known = [s for m in FileSource.members.values() if issubclass(m, FileSource) for s in m.suffixes]
    raise DataError(f"{path} ends in '{path.suffix}'; files that can be read end in {listing(known, 'or')}")


def checked_names(path: str, names: list[str]) -> list[str]:
    """The header, if every column has a name of its own."""
    for j, name in enumerate(names):
        if not name.strip():
            raise DataError(f"{path}: column {j + 1} has no name in the header; name it, or write the file without it")
        if name in names[:j]:
            raise DataError(
                f"{path}: the columns {names.index(name) + 1} and {j + 1} are both named '{name}'; rename one of them"
            )
    return names
