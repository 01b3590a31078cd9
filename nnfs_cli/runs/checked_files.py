"""Files of a directory that may come from anyone: replaced as a whole, and checked before they are read.

No link is followed, no pipe is waited for, no file is read that is larger than it may be, and no file is read whose
SHA-256 is not the recorded one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nnfs_cli.errors import RunError
from nnfs_cli.system.files import attach_path, path_without_links, sync_folder, write_atomically
from nnfs_cli.system.lock import holder_of

if TYPE_CHECKING:
    from nnfs_cli.arrays import Array

LARGEST = 1 << 22  # bytes of a text file that has no limit of its own
REMEDIES = {
    "decision.json": "`nnfs decide` writes it again",
    "explanation.json": "`nnfs explain` writes it again",
    "export.json": "delete it; `nnfs export` writes it again",
}  # else: restore it from a copy

Digests = tuple[str | None, ...]  # the SHA-256 values that a file may have; None: it may be missing; (): not recorded


class CheckedFiles:
    """The files below one directory. Every method raises `RunError` if a file is not what it should be.

    `larger` gives the largest size in bytes of single files, or of all files in a folder. `recorded` returns the
    digests that a file may have.
    """

    def __init__(
        self, path: Path, larger: Mapping[str, int] | None = None, recorded: Callable[[str], Digests] = lambda name: ()
    ) -> None:
        self.path, self.larger, self.recorded = path, larger or {}, recorded

    def locate(self, name: str) -> Path:
        """Return the path of a file, which need not exist. Raises `RunError` if a link or pipe is in the way."""
        try:
            return path_without_links(self.path, name)
        except ValueError as error:
            raise RunError(f"{self.path} is not a run directory that nnfs wrote: {error}") from None

    def locate_folder(self, name: str) -> Path:
        """Return the path of a folder, which need not exist. Raises `RunError` if a link or file is in the way."""
        return self.locate(f"{name}/file").parent

    def has(self, name: str) -> bool:
        """Return whether the file exists. Raises `RunError` if it is missing although its digest is recorded."""
        if self.locate(name).exists():
            return True
        recorded = self.recorded(name)
        if recorded and None not in recorded:
            raise RunError(f"{self.path / name} is missing, although status.json records it; {_remedy(name)}")
        return False

    def open(self, name: str, most: int = 0) -> BinaryIO:
        """Open a file to read it. Raises `RunError` if it has more than `most` bytes or a digest not recorded."""
        most = most or self.larger.get(name.partition("/")[0], LARGEST)
        recorded, path = self.recorded(name), self.locate(name)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            holder = holder_of(self.path / "lock")
            why = f"it is still being trained by {holder}" if holder else "its training did not get that far"
            raise RunError(f"{self.path} has no {name}; {why}") from None
        with contextlib.ExitStack() as ends, attach_path(path):
            ends.callback(file.close)
            if (size := os.fstat(file.fileno()).st_size) > most:
                raise RunError(f"{path} has {size:,} bytes, and should not have more than {most:,}")
            if recorded and hashlib.file_digest(file, "sha256").hexdigest() not in recorded:
                found = (
                    "it is not recorded in status.json"
                    if recorded == (None,)
                    else "its SHA-256 is not the recorded one"
                )
                raise RunError(f"{path} is damaged or was changed: {found}; {_remedy(name)}")
            file.seek(0)
            ends.pop_all()
        return file

    def digest(self, name: str) -> str | None:
        """Return the SHA-256 of a file as it is now; None if there is no such file."""
        try:
            with self.locate(name).open("rb") as file, attach_path(self.path / name):
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with self.open(name) as file, attach_path(self.path / name):
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        """Replace a file as a whole."""
        write_atomically(self.locate(name), lambda file: file.write(content))

    def remove(self, name: str) -> None:
        """Delete a file, if there is one, so that it stays deleted after a power loss."""
        path = self.locate(name)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the JSON object that a file holds."""
        return self.parse_json(name, self.read(name))

    def parse_json(self, name: str, content: bytes) -> dict[str, Any]:
        """Return the JSON object that the content of a file holds."""
        try:
            parsed = json.loads(content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.path / name} is damaged: {error}") from None
        except MemoryError:
            raise RunError(f"{self.path / name} is damaged: it needs more memory than is available") from None
        if not isinstance(parsed, dict):
            raise RunError(f"{self.path / name} is damaged: it does not hold a JSON object")
        return parsed

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file by a JSON object."""
        self.write(name, json_bytes(content))

    def read_arrays(self, name: str, into: Mapping[str, Array], finite: Iterable[str]) -> None:
        """Fill the arrays `into` from an npz file; those named in `finite` may hold finite numbers only."""
        from nnfs_cli.arrays import all_finite
        from nnfs_cli.runs.npz import most_bytes, read_arrays

        with self.open(name, most_bytes(into)) as file, attach_path(self.path / name):
            try:
                read_arrays(file, into)
                if wrong := next((key for key in finite if not all_finite(into[key])), None):
                    raise ValueError(f"{wrong} holds a value that is not finite")
            except ValueError as error:
                raise RunError(f"{self.path / name} is damaged: {error}") from None

    def read_count(self, name: str, of: str) -> int:
        """Return one whole number of an npz file of any size."""
        from nnfs_cli.runs.npz import read_count

        with self.open(name, sys.maxsize) as file, attach_path(self.path / name):
            try:
                return read_count(file, of)
            except ValueError as error:
                raise RunError(f"{self.path / name} is damaged: {error}") from None

    def find_arrays(self, name: str) -> dict[str, Array]:
        """Return all arrays of an npz file, whatever they are called: numbers of 4 or 8 bytes."""
        import numpy as np

        from nnfs_cli.runs.npz import array_forms

        with self.open(name) as file, attach_path(self.path / name):
            try:
                forms = array_forms(file)
            except ValueError as error:
                raise RunError(f"{self.path / name} is damaged: {error}") from None
        arrays = {}
        for key, (dtype, shape) in forms.items():
            try:
                arrays[key] = np.empty(shape, dtype)
            except (ValueError, MemoryError):
                raise RunError(f"{self.path / name} is damaged: {key[:80]!r} has a shape of no array") from None
        self.read_arrays(name, arrays, ())
        return arrays

    def write_arrays(self, name: str, arrays: Mapping[str, Array]) -> None:
        """Replace a file by an npz file with these arrays."""
        from nnfs_cli.runs.npz import write_arrays  # imported here: commands without arrays do not need NumPy

        write_atomically(self.locate(name), lambda file: write_arrays(file, arrays))


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return a JSON object as the text that all JSON files of a run have."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _remedy(name: str) -> str:
    return REMEDIES.get(name, "restore it from a copy")


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")
