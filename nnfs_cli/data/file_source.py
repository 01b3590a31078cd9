"""The base classes of data sets in files."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import Field, field_validator

from nnfs_cli.components.field_types import DataLocation
from nnfs_cli.components.section import invalid
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.source import NO_KINDS, DataSource
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.files import attach_path
from nnfs_cli.system.matching import matching_files
from nnfs_cli.system.remote.file import Location, RemoteFile
from nnfs_cli.system.wording import listing, named

STDIN = Path("-")
COMPRESSED = (".gz", ".zst")


class FileSource(DataSource):
    """A data set in one file, or in several files with the same columns."""

    suffixes: ClassVar[tuple[str, ...]]
    reads_folders: ClassVar[bool] = False

    path: DataLocation = Field(kw_only=False)
    """Path of the file, relative to the folder of the config, or a URL. A pattern such as `part-*.csv` names several
    files."""

    @field_validator("path")
    @classmethod
    def _is_no_folder(cls, path: Location) -> Location:
        is_folder = path.is_dir() if isinstance(path, RemoteFile) else os.path.isdir(path)  # False for any odd name
        if not cls.reads_folders and is_folder:
            raise invalid(f"{path} is not a file")
        return path

    def at(self, path: Location) -> Self:
        """Return a data set with the same settings for another file."""
        return self.model_copy(update={"path": path})

    @property
    def files(self) -> Sequence[Location]:
        """The files, sorted by name."""
        if isinstance(self.path, RemoteFile):
            return self.path.files(self.suffixes)
        return matching_files(self.path)

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Read all columns that are not dropped. Raises `DataError` if a file is missing or is not a table."""
        with self._plain_errors():
            table = self._read(self.path.name, self._parsing.stored(kinds, every=True))
            (parsed,) = self._parse_each([table], kinds, faults=False)
            return parsed

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        raise NotImplementedError

    @contextlib.contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            with attach_path(Path(str(self.path))):
                yield
        except FileNotFoundError:
            raise DataError(f"there is no file {self.path}") from None
        except IsADirectoryError:
            raise DataError(f"{self.path} is a folder, not a file") from None

    def stamp(self) -> tuple[tuple[Location, int, int], ...]:
        """Return the path, size and modification time of each file: a cheap way to notice a change."""
        with self._plain_errors():
            found = [(path, path.stat()) for path in self.files]
        return tuple((path, about.st_size, about.st_mtime_ns) for path, about in found)

    def sha256(self) -> str:
        """Return the digest of the file, or the digest of the digests of several files."""
        with self._plain_errors():
            digests = []
            for path in self.files:
                with path.open("rb") as file:
                    digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


class ColumnFile(ColumnSource, FileSource):
    """A data set in files whose columns have names."""

    @property
    def called(self) -> str:
        """The name of the file."""
        return self.path.name

    def size(self) -> int:
        """Return the size of the files in bytes."""
        with self._plain_errors():
            return sum(path.stat().st_size for path in self.files)

    def _table_size(self) -> int:
        return sum(path.stat().st_size * (5 if path.suffix in COMPRESSED else 1) for path in self.files) * 3 // 2

    def _estimate_rows(self, first: int) -> int:
        lines = n_bytes = 0
        with self.files[0].open("rb") as file:
            while lines < first and (block := file.read(1 << 22)):
                lines += block.count(b"\n")
                n_bytes += len(block)
        return round(self.size() / n_bytes * lines)


def check_names(names: Sequence[str], path: str) -> None:
    """Raise `DataError` unless every column has a name and no two names are equal."""
    places: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise DataError(f"{path}: column {place} has no name; name it, or leave this column out")
        if name in places:
            both = f"the columns {places[name]} and {place}"
            raise DataError(f"{path}: {both} are both named {named(name)}; rename one of them")
        places[name] = place


def check_schema(names: Sequence[str], first: Sequence[str], file: str, first_file: str) -> None:
    """Raise `DataError` unless a file has the same columns as the first file, in any order."""
    here, there = set(names), set(first)
    for name in first:
        if name not in here:
            raise DataError(f"{file} has no column {named(name)}, which {first_file} has")
    for name in names:
        if name not in there:
            raise DataError(f"{file} has a column {named(name)}, which {first_file} does not have")


Source = TypeVar("Source", bound=FileSource)


def source_class_for(path: Location, among: type[Source]) -> type[Source]:
    """Return the class of data sets that reads this file or folder. Raises `DataError` if none does."""
    kinds = [member for member in FileSource.registered.values() if issubclass(member, among)]
    if path.is_dir():
        return _class_for_folder(path, kinds)
    for kind in kinds:
        if path.name.lower().endswith(kind.suffixes) or (path == STDIN and ".csv" in kind.suffixes):
            return kind
    known = [suffix for kind in kinds for suffix in kind.suffixes if not suffix.endswith(COMPRESSED)]
    raise DataError(f"{path.name} is not a known kind of file; its name must end in {listing(known, 'or')}")


def _class_for_folder(path: Location, kinds: Sequence[type[Source]]) -> type[Source]:
    """Return the class of data sets that reads all the files in a folder whose kind is known."""
    found = [kind(path=path, target="?") for kind in kinds if kind.reads_folders]  # type: ignore[call-arg]
    fits = [type(one) for one in found if one.files != [one.path]]  # a folder without such files stands for itself
    if len(fits) == 1:
        return fits[0]
    suffixes = [kind.suffixes[0] for kind in fits or kinds if kind.reads_folders]
    if fits:
        raise DataError(f"{path} is a folder with files of several kinds: {listing(suffixes)}; name one with a pattern")
    raise DataError(f"{path} is a folder without files that end in {listing(suffixes, 'or')}")


def source_for(path: Location, like: DataSource) -> FileSource:
    """Return the data set for another file, by its suffix.

    If `like` reads the same kind of file, its settings are kept; otherwise only its target, drop, weight and exposure
    are.
    """
    kind = source_class_for(path, FileSource)
    if isinstance(like, kind):
        return like.at(path)
    settings: dict[str, Any] = {"path": "stdin" if path == STDIN else path}
    if issubclass(kind, ColumnFile):
        settings |= {"target": like.target_columns(), "drop": like.dropped_columns()}
        settings |= {"weight": like.weight_column(), "exposure": like.exposure_column()}
    return kind(**settings).at(path).parsed_by(like.parsers)
