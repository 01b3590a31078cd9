"""Write files atomically and durably, open temporary files without a name, and check paths for links."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import named

UNFINISHED = ".tmp"
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH  # root could write to a file that nobody may write to


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that it is either complete or unchanged, also after a crash or a power loss.

    `write` fills a temporary file in the same folder, which is flushed to the disk and renamed to `path`. If `write`
    raises, nothing is left behind. If `path` is a link, its target is replaced. A pipe or a terminal is written to
    directly. Raises `PermissionError` for a read-only file, which a rename would replace.
    """
    path = Path(os.path.realpath(path))
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        with path.open("wb") as file:
            write(file)
        return
    if mode is not None and not mode & _WRITABLE:
        raise PermissionError(errno.EACCES, "the file is read-only; make it writable first", str(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):  # report the first error, not this one
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = None  # the user does not know the temporary file
        with attach_path(path):
            raise
    sync_folder(path.parent)


def attach_path(path: Path) -> AbstractContextManager[None]:
    """Add the path to an OSError that does not name a file."""
    return _Block(path)


class _Block(AbstractContextManager[None]):  # a generator would take three times as long, for each row of a log
    def __init__(self, path: Path) -> None:
        self._path = path

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.errno and error.filename is None:
            raise type(error)(error.errno, error.strerror, str(self._path)) from None


def unfinished_files(folder: Path) -> list[Path]:
    """Return the temporary files that a killed `write_atomically` left in a folder or below it."""
    temporary = re.compile(r"\..+\.[0-9a-f]{16}" + re.escape(UNFINISHED))
    return [Path(parent, name) for parent, _, names in os.walk(folder) for name in names if temporary.fullmatch(name)]


def require_folder_of(path: Path) -> None:
    """Raise `UserError` if the folder of a file that is to be written does not exist."""
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {named(str(path.parent))}; make it first")


def is_one_of(path: Path, files: Iterable[object]) -> bool:
    """Return whether a path leads to one of some files; remote files and missing ones are not compared."""
    present = (file for file in files if isinstance(file, Path) and file.exists())
    return path.exists() and any(map(path.samefile, present))


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, so that they survive a power loss."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def path_without_links(folder: Path, name: str) -> Path:
    """Return the path of a file below an untrusted folder. The file need not exist.

    Raises `ValueError` if any part of the path is not a real folder or, at the end, a plain file. A link could lead
    anywhere, and opening a pipe would block.
    """
    whole = folder / name
    for path in [*reversed(whole.relative_to(folder).parents), Path(name)][1:]:
        mode = _mode(folder / path, follow=False)
        if mode is None:
            break
        last = path == Path(name)
        if not (stat.S_ISREG(mode) if last else stat.S_ISDIR(mode)):
            kind = "a link" if stat.S_ISLNK(mode) else "not a file" if last else "not a folder"
            raise ValueError(f"{path.as_posix()} is {kind}")
    return whole


def unnamed_file(owner: object) -> FileIO:
    """Open a temporary file without a name. It is deleted with its owner, or when the process ends in any way."""
    file = tempfile.TemporaryFile(dir=_temporary_folder(), buffering=0)  # noqa: SIM115 - `owner` closes it
    weakref.finalize(owner, file.close)
    return file


def write_all(file: FileIO, data: memoryview) -> None:
    """Write all the data to an unbuffered file, which may accept only a part at a time."""
    view = data.cast("B")
    while view:
        view = view[file.write(view) :]


def _temporary_folder() -> str | None:
    """Return a folder on disk for large files, because /tmp may be in memory, or None where the user has set one."""
    if any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")):
        return None
    folder = Path("/var/tmp")  # noqa: S108 - the file has no name there
    return str(folder) if os.access(folder, os.W_OK) else None


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power loss, on systems that allow it."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        with attach_path(folder):
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _mode(path: Path, follow: bool = True) -> int | None:
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except FileNotFoundError:
        return None
