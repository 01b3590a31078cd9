"""The body of a request as a file, so that what reads files reads it."""

from __future__ import annotations

from typing import Any

from nnfs_cli.serve.rows import BODY
from nnfs_cli.system.remote.file import RemoteFile, Stat


class BodyFile(RemoteFile):
    """A file that is in memory as a whole."""

    def __init__(self, content: bytes) -> None:
        super().__init__(BODY)
        self._bytes = content

    @property
    def name(self) -> str:
        """What messages call the file."""
        return BODY

    def is_dir(self) -> bool:
        """Return False: it is not a folder."""
        return False

    def files(self, suffixes: tuple[str, ...]) -> list[RemoteFile]:
        """Return the file itself."""
        return [self]

    def stat(self) -> Stat:
        """Return its size."""
        return Stat(len(self._bytes), 0)

    def open(self, mode: str = "rb", buffering: int = -1) -> Any:
        """Open it for reading."""
        import pyarrow as pa

        return pa.BufferReader(self._bytes)
