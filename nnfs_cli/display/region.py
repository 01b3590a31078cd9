"""The last lines of a terminal, which are drawn again in place while other lines scroll by above them."""

from __future__ import annotations

import contextlib
import math
import os
import re
import sys
import threading
from collections.abc import Sequence
from typing import Any, ClassVar, TextIO

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # of colours
UP, CLEAR_LINE, CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"


class Region:
    """Lines at the bottom of a terminal.

    What this process writes to stdout and stderr while the region is open appears above it, if it goes to the same
    terminal. The cursor stays visible behind the last line, so that nothing has to be repaired if the process is
    killed. There is at most one region at a time: `begin` returns whether this one is open.
    """

    _open: ClassVar[Region | None] = None
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._streams: dict[str, TextIO] = {}

    @property
    def size(self) -> tuple[int, int]:
        """The columns and the rows of the terminal as they are now."""
        try:
            columns, rows = os.get_terminal_size(self._terminal.fileno())
        except (OSError, ValueError):
            columns, rows = 0, 0
        given = {name: os.environ.get(name, "") for name in ("COLUMNS", "LINES")}
        if not columns:
            columns = int(given["COLUMNS"]) if given["COLUMNS"].isdecimal() else 80
        return columns, rows or (int(given["LINES"]) if given["LINES"].isdecimal() else 24)

    @property
    def _terminal(self) -> TextIO:
        return self._streams.get("stderr", sys.stderr)

    def begin(self) -> bool:
        """Open the region, unless another one is open."""
        with self._lock:
            if Region._open is not None:
                return False
            Region._open = self
            for name in ("stderr", "stdout"):
                stream = getattr(sys, name)
                if stream is not None and stream.isatty():
                    self._streams[name] = stream
                    setattr(sys, name, _Above(self, stream))
            return True

    def end(self) -> None:
        """Remove the lines, and write to stdout and stderr as before."""
        with self._lock:
            if Region._open is not self:
                return
            self.draw([])
            for name, stream in self._streams.items():
                proxy = getattr(sys, name)
                if isinstance(proxy, _Above):  # else somebody else has replaced it since
                    proxy.finish()
                    setattr(sys, name, stream)
            self._streams = {}
            Region._open = None

    def draw(self, lines: Sequence[str]) -> None:
        """Replace the lines by others, each without a line break and narrower than the terminal."""
        with self._lock:
            text = self._to_the_top()
            text += f"{CLEAR_LINE}\n".join(lines) + CLEAR_LINE if lines else ""
            self._lines = [*lines]
            _write(f"{text}{CLEAR_BELOW}", self._terminal)

    def above(self, text: str, stream: TextIO) -> None:
        """Write whole lines above the region."""
        with self._lock:
            lines = self._lines
            self.draw([])
            _write(text, stream)
            self.draw(lines)

    def _to_the_top(self) -> str:
        """Return what moves the cursor to the first character of the region.

        A terminal that became narrower has folded lines that were too long for it.
        """
        if not self._lines:
            return ""
        columns = self.size[0]
        rows = sum(max(1, math.ceil(len(ESCAPES.sub("", line)) / columns)) for line in self._lines)
        return f"\r{UP.format(rows - 1)}" if rows > 1 else "\r"


class _Above:
    """A stream whose whole lines appear above a region. A line that is not complete waits."""

    def __init__(self, region: Region, stream: TextIO) -> None:
        self._region, self._stream, self._waiting = region, stream, ""

    def write(self, text: str) -> int:
        """Write the lines that are complete."""
        whole, end, rest = (self._waiting + text).rpartition("\n")
        self._waiting = rest
        if end:
            self._region.above(whole + end, self._stream)
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: every whole line is flushed."""

    def finish(self) -> None:
        """Write a line that was not completed."""
        if self._waiting:
            _write(self._waiting, self._stream)
            self._waiting = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _write(text: str, stream: TextIO) -> None:
    """Write at once. A terminal that has been closed is no reason to end a training."""
    with contextlib.suppress(OSError):
        stream.write(text)
        stream.flush()


if sys.platform == "win32":
    import ctypes
    import msvcrt

    def obeys_escapes(stream: TextIO) -> bool:
        """Return whether a console obeys escape sequences, once it is told to."""
        kernel, mode = ctypes.windll.kernel32, ctypes.c_ulong()
        console = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
        known = kernel.GetConsoleMode(console, ctypes.byref(mode))
        return bool(known and kernel.SetConsoleMode(console, mode.value | 4))
else:

    def obeys_escapes(stream: TextIO) -> bool:
        """Return whether a terminal obeys escape sequences."""
        return os.environ.get("TERM") != "dumb"
