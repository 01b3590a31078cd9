"""A file lock for one writer at a time. The kernel releases it when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

LOCKED_BYTE = 1 << 20  # Windows locks a range of bytes; this byte lies after the content


class Lock:
    """A locked file that names its holder. It is deleted when the lock is released.

    Raises `BlockingIOError` at once if another process, or another `Lock` of this process, holds it.
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
        """Open the file and lock it. Leave `_file` unset if the file was deleted in between."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            _lock(file)
            if not _still_there(self.path, file):
                return
            if os.fstat(file).st_nlink > 1:  # it is a hard link to another file, which must not be overwritten
                self.path.unlink()
                return
            self._file = file
        except BlockingIOError:
            raise BlockingIOError(errno.EAGAIN, f"is being written by {_written_in(file)}", what) from None
        finally:
            if self._file < 0:
                os.close(file)

    def release(self) -> None:
        """Delete the file, while no one else can have locked it, and then release the lock."""
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):  # a file that stays is not locked, so it does not matter
                if _still_there(self.path, file):  # its folder may have been renamed, and another one made
                    self.path.unlink()
            with contextlib.suppress(OSError):
                os.close(file)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a lock cannot be copied or pickled")

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)


def holder_of(path: Path) -> str | None:
    """Return which process holds the lock; None if none does. A link is not followed, and nothing is written.

    Only the file of a process that was killed is locked here, for a moment. A new holder may be refused then, as if the
    old one were still there.
    """
    access = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY  # which is enough to ask
    try:
        file = os.open(path, access | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:  # there is no such file, or it is none of ours
        return None
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            _lock(file)
        return None
    except BlockingIOError:
        return _written_in(file)
    finally:
        os.close(file)


def _holder() -> str:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    return f"process {os.getpid()} on {platform.node() or 'this machine'}, since {since}"


def _written_in(file: int) -> str:
    """Return the holder that a locked file names."""
    return os.read(file, 200).decode(errors="replace") or "another process"


def _still_there(path: Path, file: int) -> bool:
    """Return whether the path still names the locked file; the previous holder deletes it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
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
