"""What data sets that lie in files have in common: a path, a target, and columns to leave out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema, model_validator

from nnfs_cli.components.field_types import FilePath, NotEmpty, Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.source import NO_KINDS, DataSource
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.errors import DataError
from nnfs_cli.system.files import attach_path
from nnfs_cli.system.matching import matching_files
from nnfs_cli.system.wording import listing, named, shown


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise invalid(f"'{name}' stands here twice")
    return names


def _as_names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, tuple | list):
        raise invalid(f"expected the name of a column, or a list of names, found {shown(value)}")
    return value


_NAME = {"type": "string", "minLength": 1}
Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_names),
    AfterValidator(_different),
    WithJsonSchema({"type": ["string", "array"], "minLength": 1, "items": _NAME, "uniqueItems": True}),
]


STDIN = Path("-")


class FileSource(DataSource):
    """A table in a file, or in several of one schema."""

    suffixes: ClassVar[tuple[str, ...]]

    path: FilePath
    """Relative to the folder of the config; a pattern such as `part-*.csv` for several files of one schema."""

    def at(self, path: Path) -> Self:
        """The same kind of file at another place."""
        return self.model_copy(update={"path": path})

    @property
    def files(self) -> list[Path]:
        """The files, in the order of their names."""
        return matching_files(self.path)

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """All columns but those to drop. Raises `DataError` when the file is not a table, or not there."""
        with self._said_plainly():
            return self._read(self.path.name, kinds)

    def _read(self, name: str, kinds: Mapping[str, Kind]) -> Table:
        raise NotImplementedError

    @contextlib.contextmanager
    def _said_plainly(self) -> Iterator[None]:
        try:
            with attach_path(self.path):
                yield
        except FileNotFoundError:
            raise DataError(f"there is no file {self.path}") from None
        except IsADirectoryError:
            raise DataError(f"{self.path} is a folder, not a file") from None

    def stamp(self) -> tuple[tuple[Path, int, int], ...]:
        """Of each file its size and when it was changed, which tells whether it was, at no cost."""
        with self._said_plainly():
            found = [(path, path.stat()) for path in self.files]
        return tuple((path, about.st_size, about.st_mtime_ns) for path, about in found)

    def sha256(self) -> str:
        """Of the content: of the file, or of the digests of several."""
        with self._said_plainly():
            digests = []
            for path in self.files:
                with path.open("rb") as file:
                    digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


class ColumnSource(FileSource):
    """A table in files whose columns have names."""

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
                raise invalid(f"'{name}' {used[0]} and {used[1]}; it can't be both")
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

    def names(self) -> tuple[str, ...]:
        """The columns of the file, those to drop among them."""
        with self._said_plainly():
            return self._names()

    def kinds(self, given: Mapping[str, Kind] = NO_KINDS) -> dict[str, Kind]:
        """What each column but those to drop is taken for: as given, or as all of its cells show, in flat memory."""
        with self._said_plainly():
            return self._kinds(given)

    def chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str] = (), faults: bool = False) -> Iterator[Table]:
        """Those of the columns that there are, as these kinds, some ten thousand rows at a time, in flat memory.

        `keep` names columns to carry along as they are, in `Table.kept`. A cell that does not hold what its column is
        taken for raises `DataError`; with `faults` it becomes a gap, and `Table.faults` says of its row why.
        """
        with self._said_plainly():
            yield from self._chunks(kinds, keep, faults)

    def _names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _kinds(self, given: Mapping[str, Kind]) -> dict[str, Kind]:
        raise NotImplementedError

    def _chunks(self, kinds: Mapping[str, Kind], keep: Sequence[str], faults: bool) -> Iterator[Table]:
        raise NotImplementedError


def check_names(names: Sequence[str], path: str) -> None:
    """Raise `DataError` unless every column has a name of its own."""
    places: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise DataError(f"{path}: column {place} has no name in the header; name it, or write the file without it")
        if name in places:
            both = f"the columns {places[name]} and {place}"
            raise DataError(f"{path}: {both} are both named {named(name)}; rename one of them")
        places[name] = place


def check_schema(names: Sequence[str], first: Sequence[str], file: str, first_file: str) -> None:
    """Raise `DataError` unless a file has the same columns as the first of its set, in whatever order."""
    for name in first:
        if name not in names:
            raise DataError(f"{file} has no column {named(name)}, which {first_file} has")
    for name in names:
        if name not in first:
            raise DataError(f"{file} has a column {named(name)}, which {first_file} does not have")


Kinds = TypeVar("Kinds", bound=FileSource)


def kind_of(path: Path, among: type[Kinds]) -> type[Kinds]:
    """The kind of file that a path names, by its suffix. Raises `DataError` when it is none of those."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file")
    kinds = [member for member in FileSource.registered.values() if issubclass(member, among)]
    for kind in kinds:
        if path.name.lower().endswith(kind.suffixes) or (path == STDIN and ".csv" in kind.suffixes):
            return kind
    known = [suffix for kind in kinds for suffix in kind.suffixes]
    raise DataError(f"{path.name}: files that can be read end in {listing(known, 'or')}")


def source_for(path: Path, like: DataSource) -> FileSource:
    """The data set for another file, by its suffix; one of the same kind as `like` shares its settings."""
    kind = kind_of(path, FileSource)
    if isinstance(like, kind):
        return like.at(path)
    settings: dict[str, Any] = {"path": "stdin" if path == STDIN else path}
    if issubclass(kind, ColumnSource):
        settings |= {"target": like.target_columns(), "drop": like.dropped_columns(), "weight": like.weight_column()}
    return kind(**settings).at(path)
