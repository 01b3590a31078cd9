"""The program of a worker process: read calls from stdin, and write their results to what was stdout."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NoReturn

from nnfs_cli.system.answer import Answer
from nnfs_cli.system.messages import Parts, packed, read_message, unpacked, write_message
from nnfs_cli.system.threads import prepare_threads

serving = False  # whether this process is a worker


def serve() -> NoReturn:
    """Run the first value that comes in, a function, for each other one, until stdin ends with the parent process."""
    global serving
    serving = True
    prepare_threads()
    with contextlib.suppress(BaseException):
        results = os.fdopen(os.dup(1), "wb")
        os.dup2(os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else 2, 1)  # what the user's code prints
        calls: SimpleQueue[Parts] = SimpleQueue()
        threading.Thread(target=_receive, args=(calls,), daemon=True).start()
        function = unpacked(calls.get())
        write_message(results, packed(None))  # ready
        while True:
            write_message(results, _answer(function, unpacked(calls.get())))
    os._exit(1)


def _receive(calls: SimpleQueue[Parts]) -> None:
    """Pass on what comes in. The end of it ends this process at once, whatever it is doing."""
    try:
        while True:
            calls.put(read_message(sys.stdin.buffer))
    finally:
        os._exit(0)


def _answer(function: Callable[[Any], Any], argument: object) -> Parts:
    """Run the function, and return the answer as a message."""
    seen: dict[tuple[str, type[Warning], str, int], None] = {}

    def note(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        seen[str(message), category, filename, lineno] = None

    warnings.simplefilter("always")  # the filters of the parent process choose
    warnings.showwarning = note  # type: ignore[assignment]
    try:
        return packed(Answer(function(argument), warnings=tuple(seen)))
    except BaseException:  # the parent process will see it for itself
        return packed(Answer(failed=True))
