"""One writer at a time: a lock that the kernel holds for as long as the process lives that took it."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

PLACE = 1 << 20  # of the byte that is locked where bytes are: nothing is written there


class Lock:
    """A locked file, which names who has locked it; it is gone when it is released.

    Raises `BlockingIOError` at once when another process holds it, or another `Lock` of this one.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path, self._file = path, -1
        try:
            while self._file < 0:
                self._take(what)
            os.ftruncate(self._file, 0)
            os.write(self._file, _holder().encode())
        except BlockingIOError:
            raise
        except OSError as error:
            self.release()
            raise type(error)(error.errno, error.strerror, str(path)) from None

    def _take(self, what: str) -> None:
        """Open the file and lock it, unless it was taken away in between."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            _lock(file)
            if not _still_there(self.path, file):
                return
            if os.fstat(file).st_nlink > 1:  # a copy made of links, or another file altogether: not to be written to
                self.path.unlink()
                return
            self._file = file
        except BlockingIOError:
            holder = os.read(file, 200).decode(errors="replace") or "another process"
            raise BlockingIOError(errno.EAGAIN, f"is being written by {holder}", what) from None
        finally:
            if self._file < 0:
                os.close(file)

    def release(self) -> None:
        """Let others have it; the file goes first, while nobody else can have locked it."""
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):  # another one is found to be dead all the same
                self.path.unlink()
            with contextlib.suppress(OSError):
                os.close(file)

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)


def _holder() -> str:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    return f"process {os.getpid()} on {platform.node() or 'this machine'}, since {since}"


def _still_there(path: Path, file: int) -> bool:
    """Whether the locked file is still the one of that name: the holder before takes it away."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(errno.EAGAIN, "is locked") from error
        finally:
            os.lseek(file, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
