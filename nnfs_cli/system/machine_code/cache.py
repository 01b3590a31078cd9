"""The cache of machine code: a folder of this user's, in which nobody else can write.

Machine code can do anything, so a file is used only if it is this user's own, nobody else can write to it or to its
folder, and it holds what was written. Otherwise it is ignored, and written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from pathlib import Path

from nnfs_cli.system.files import write_atomically

DIGEST = hashlib.sha256().digest_size


def folder() -> Path:
    """Return the folder of the cache, which may not exist yet."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "nnfs" / "machine-code"


def read(name: str) -> bytes | None:
    """Return what `write` kept under this name; None if there is nothing, or nothing that can be trusted."""
    try:
        if not _only_ours(os.stat(folder())):
            return None
        # The file that is checked is the one that is read, whatever happens to its name meanwhile.
        with open(os.open(folder() / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            if not _only_ours(os.fstat(file.fileno())):
                return None
            content = file.read()
    except OSError:
        return None
    digest, code = content[:DIGEST], content[DIGEST:]
    return code if digest == _digest(name, code) else None


def write(name: str, code: bytes) -> None:
    """Keep code under this name, if there is a place where that is safe."""
    with contextlib.suppress(OSError):
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _only_ours(place.stat()):
            write_atomically(place / name, lambda file: file.write(_digest(name, code) + code))


def _digest(name: str, code: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + code).digest()


def _only_ours(status: os.stat_result) -> bool:
    """Return whether a file or folder belongs to this user, and nobody else may write to it."""
    if not hasattr(os, "getuid"):  # on Windows the folder of a user is closed to others
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
