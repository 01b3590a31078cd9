"""The files of a directory that may come from anyone: written whole, and read only if they are what they should be.

No link is followed, no pipe waited for, nothing read that is larger than it may be, and nothing that has changed since
its SHA-256 was written down.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from nnfs_cli.errors import RunError
from nnfs_cli.system.files import attach_path, path_without_links, write_atomically

if TYPE_CHECKING:
    from nnfs_cli.arrays import Array

LARGEST = 1 << 22  # bytes of a text of which nothing else is known


class CheckedFiles:
    """Such a directory. Each method raises `RunError` where it is not what it should be."""

    larger: ClassVar[Mapping[str, int]] = {}  # bytes that some texts, or those of some folders, may have

    def __init__(self, path: Path) -> None:
        self.path = path

    def recorded(self, name: str) -> str | None:
        """The SHA-256 that a file has, where that was written down."""
        return None

    def _write_arrays(self, name: str, arrays: Mapping[str, Array]) -> None:
        from nnfs_cli.runs.npz import write_arrays  # only who has arrays waits for NumPy

        write_atomically(self._file(name), lambda file: write_arrays(file, arrays))

    def _read_arrays(self, name: str, into: Mapping[str, Array], finite: Iterable[str]) -> None:
        from nnfs_cli.arrays import all_finite
        from nnfs_cli.runs.npz import most_bytes, read_arrays

        with self._open(name, most_bytes(into)) as file, attach_path(self.path / name):
            try:
                read_arrays(file, into)
                if wrong := next((key for key in finite if not all_finite(into[key])), None):
                    raise ValueError(f"{wrong} holds what is no number")
            except ValueError as error:
                raise RunError(f"{self.path / name} is damaged: {error}") from None

    def _file(self, name: str) -> Path:
        """Where a file lies or is to lie. Raises `RunError` where that is not in the directory itself."""
        try:
            return path_without_links(self.path, name)
        except ValueError as error:
            raise RunError(f"{self.path} is no run directory of ours: {error}") from None

    def _folder(self, name: str) -> Path:
        return self._file(f"{name}/file").parent

    def _open(self, name: str, most: int = 0) -> BinaryIO:
        """A file to read. Raises `RunError` unless it is what it was, as far as that was written down."""
        most = most or self.larger.get(name.partition("/")[0], LARGEST)
        recorded, path = self.recorded(name), self._file(name)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise RunError(f"{self.path} has no {name}; its training did not get that far") from None
        with contextlib.ExitStack() as ends, attach_path(path):
            ends.callback(file.close)
            if (size := os.fstat(file.fileno()).st_size) > most:
                raise RunError(f"{path} has {size:,} bytes, and should not have more than {most:,}")
            if recorded is not None and recorded != hashlib.file_digest(file, "sha256").hexdigest():
                changed = "its SHA-256 is not the one that was written down"
                raise RunError(f"{path} is damaged or was changed: {changed}")
            file.seek(0)
            ends.pop_all()
        return file

    def _digest(self, name: str) -> str | None:
        try:
            with self._file(name).open("rb") as file, attach_path(self.path / name):
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def _read(self, name: str) -> bytes:
        with self._open(name) as file, attach_path(self.path / name):
            return file.read()

    def _write(self, name: str, content: bytes) -> None:
        write_atomically(self._file(name), lambda file: file.write(content))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self._write(name, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            content = json.loads(self._read(name), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.path / name} is damaged: {error}") from None
        except MemoryError:
            raise RunError(f"{self.path / name} is damaged: it takes more memory than there is") from None
        if not isinstance(content, dict):
            raise RunError(f"{self.path / name} is damaged: it holds no settings")
        return content


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
