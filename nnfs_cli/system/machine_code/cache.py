"""The cache of machine code: a folder of this user's, in which nobody else can write.

Machine code can do anything, so a file is used only if it is this user's own, nobody else can write to it or to its
folder or replace a part of its path, and it holds what was written. Otherwise it is ignored, and written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from nnfs_cli.system.files import write_atomically

DIGEST = hashlib.sha256().digest_size
OTHERS = stat.S_IWGRP | stat.S_IWOTH


def folder() -> Path:
    """Return the folder of the cache, which may not exist yet. Raises `OSError` if there is no place for it."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches"
    else:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        base = named if named.is_absolute() else _home() / ".cache"  # the standard says to ignore relative ones
    if not base.is_absolute():
        raise FileNotFoundError(f"{base} depends on the current folder")
    return base / "nnfs" / "machine-code"


def read(name: str) -> bytes | None:
    """Return what `write` kept under this name; None if there is nothing, or nothing that can be trusted."""
    try:
        place = folder()
        if not _is_safe(place):
            return None
        # The file that is checked is the one that is read, whatever happens to its name meanwhile.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe would block
        with open(place / name, "rb", opener=lambda path, _: os.open(path, flags)) as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) and _only_ours(status)):
                return None
            content = file.read()
    except OSError:
        return None
    digest, code = content[:DIGEST], content[DIGEST:]
    return code if digest == _digest(name, code) else None


def write(name: str, code: bytes) -> None:
    """Keep code under this name, if there is a place where that is safe."""

    def fill(file: BinaryIO) -> None:
        os.chmod(file.name, 0o600)
        file.write(_digest(name, code) + code)

    with contextlib.suppress(OSError):
        place = folder()
        for part in [*reversed(place.parents), place]:
            if not part.is_dir():
                part.mkdir(mode=0o700, exist_ok=True)
        if _is_safe(place):
            (place / name).unlink(missing_ok=True)  # whatever it was
            write_atomically(place / name, fill)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from None


def _digest(name: str, code: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + code).digest()


def _only_ours(status: os.stat_result) -> bool:
    """Return whether a file or folder belongs to this user, and nobody else may write to it."""
    if not hasattr(os, "getuid"):  # on Windows the folder of a user is closed to others
        return True
    return status.st_uid == os.getuid() and not status.st_mode & OTHERS


def _is_safe(place: Path) -> bool:
    """Return whether nobody else decides what a folder holds: neither there, nor by another folder in its place."""
    parts = {part for path in (place, place.resolve()) for part in path.parents}
    return _only_ours(place.stat()) and all(_stays(part.lstat()) for part in [place, *parts])


def _stays(status: os.stat_result) -> bool:
    """Return whether only this user and the administrator can replace what is in a folder, or where a link leads."""
    if not hasattr(os, "getuid"):
        return True
    if status.st_uid not in {0, os.getuid()}:
        return False
    if stat.S_ISLNK(status.st_mode) or status.st_mode & stat.S_ISVTX:  # a link has no mode; "sticky" folders as /tmp
        return True
    others = stat.S_IWOTH if status.st_gid == status.st_uid else OTHERS  # many systems give each user a group
    return not status.st_mode & others
