"""Writing a file so that it is either there whole or not there at all; and files that nobody else is to see."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".tmp"


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file in the same folder, flush it to the disk, and rename it to `path`.

    Whatever stood at `path` stays until the new content is safe; when `write` raises, nothing is left behind. A link
    stays one: what it points to is replaced. What is not a file, such as a pipe or a terminal, is written to directly.
    """
    path = Path(os.path.realpath(path))
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        with path.open("wb") as file:
            write(file)
        return
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
        with contextlib.suppress(OSError):  # the first thing that went wrong is the one to tell
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = None  # the user knows the file by its own name
        with attach_path(path):
            raise
    sync_folder(path.parent)


@contextlib.contextmanager
def attach_path(path: Path) -> Iterator[None]:
    """Let what the system refuses be about this file, if it does not say which one it is about."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise


def unfinished_files(folder: Path) -> list[Path]:
    """What `write_atomically` has left in a folder, or further down, where it was killed."""
    ours = re.compile(r"\..+\.[0-9a-f]{16}" + re.escape(UNFINISHED))
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names if ours.fullmatch(name)]


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are not there, so that they last through a power loss."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def path_without_links(folder: Path, name: str) -> Path:
    """The path of a file below a folder that may come from anyone; it need not be there.

    Raises `ValueError` where the way to it is not all real folders and, at the end, a plain file: a link would lead
    somewhere else, and whoever opens a pipe waits.
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
    """A file without a name, which vanishes with its owner, and with the process however it ends."""
    file = tempfile.TemporaryFile(dir=_room(), buffering=0)  # noqa: SIM115 - it is to outlive this
    weakref.finalize(owner, file.close)
    return file


def write_all(file: FileIO, data: memoryview) -> None:
    """Write at the file's position; a file without a buffer may take less at once."""
    view = data.cast("B")
    while view:
        view = view[file.write(view) :]


def _room() -> str | None:
    """Where large files may lie: where the user says, or on a disk rather than in memory."""
    if any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")):
        return None
    place = Path("/var/tmp")  # noqa: S108 - the file has no name there
    return str(place) if os.access(place, os.W_OK) else None


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder last through a power loss, where the system has a way to."""
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
