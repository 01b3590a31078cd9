"""Files behind a URL, which are downloaded once, into a temporary file without a name."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from nnfs_cli.system.files import unnamed_file, write_all
from nnfs_cli.system.matching import is_pattern, name_matches
from nnfs_cli.system.remote import store

HTTP = ("https", "http")
SCHEMES = ("s3", "gs", *HTTP)


class Stat(NamedTuple):
    """The size and the time of a remote file, named as `Path.stat` names them."""

    st_size: int  # bytes
    st_mtime_ns: int


class RemoteFile:
    """A file at a URL, with those methods of a path that data sets use.

    Its content is that of the moment when it was first opened: it is downloaded then, and kept as long as this object.
    In the URL, ${NAME} stands for an environment variable, and messages show the URL so.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._content: Any = None  # a buffer of Arrow
        self._others: dict[str, RemoteFile] | None = None  # by their paths

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"RemoteFile({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteFile) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __reduce__(self) -> tuple[object, ...]:
        return RemoteFile, (self.url,)

    @property
    def _path(self) -> str:
        if self.scheme in HTTP:
            return unquote(urlsplit(self.url).path)
        return f"/{store.path_in(self.url).partition('/')[2]}"

    @property
    def scheme(self) -> str:
        """The beginning of the URL, such as s3."""
        return self.url.partition(":")[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self._path).name or self.url

    @property
    def suffix(self) -> str:
        """The suffix of the name."""
        return PurePosixPath(self.name).suffix

    def as_posix(self) -> str:
        """Return the URL."""
        return self.url

    def is_dir(self) -> bool:
        """Return whether the URL is that of a folder: it ends with a slash."""
        return self._path.endswith("/")

    def is_file(self) -> bool:
        """Return whether the URL is not that of a folder; whether the file exists is seen when it is opened."""
        return not self.is_dir()

    def exists(self) -> bool:
        """Return whether there may be such a file, without asking the server."""
        return True

    def files(self, suffixes: tuple[str, ...]) -> list[RemoteFile]:
        """Return the file, or the sorted files that match a pattern, or those below a folder with these suffixes."""
        pattern = self._path
        if self.scheme in HTTP or not (self.is_dir() or is_pattern(pattern)):
            return [self]
        if self._others is None:
            self._others = {
                name: RemoteFile(store.sibling(self.url, name)) for name in sorted(store.names_at(self.url))
            }
        return [file for name, file in self._others.items() if name_matches(name, pattern, suffixes)] or [self]

    def stat(self) -> Stat:
        """Return the size of the file, which is downloaded for it. The time is 0: the content does not change."""
        return Stat(self._downloaded().size, 0)

    def open(self, mode: str = "rb", buffering: int = -1) -> Any:
        """Open the file for reading, as a file of Arrow. Raises `OSError`, or `UserError` if access is denied."""
        import pyarrow as pa

        return pa.BufferReader(self._downloaded())

    def _downloaded(self) -> Any:
        import pyarrow as pa

        if self._content is None:
            file = unnamed_file(self)
            for block in self._blocks():
                write_all(file, memoryview(block))
            size = file.tell()
            self._content = pa.py_buffer(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b"")
        return self._content

    def _blocks(self) -> Iterator[bytes]:
        if self.scheme not in HTTP:
            return store.download(self.url)
        from nnfs_cli.system.remote import http  # which imports much of Python's own library

        return http.download(self.url)


Location = Path | RemoteFile


def is_remote(path: str | Path) -> bool:
    """Return whether a text is a URL, perhaps one that went through `Path`, which keeps one slash of two."""
    scheme, colon, rest = str(path).partition(":/")
    return bool(colon and rest) and scheme in SCHEMES


def location(path: str | os.PathLike[str] | RemoteFile) -> Location:
    """Return the remote file at a URL, or the path of a local file."""
    if isinstance(path, RemoteFile):
        return path
    path = os.fspath(path)
    if not is_remote(path):
        return Path(path)
    scheme, _, rest = str(path).partition(":/")
    return RemoteFile(f"{scheme}://{rest.lstrip('/')}")
