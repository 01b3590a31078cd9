"""The program of a worker process: read calls from stdin, and write their results to what was stdout."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, BinaryIO, NoReturn

from nnfs_cli.system.answer import Answer, Question
from nnfs_cli.system.messages import Parts, packed, read_message, unpacked, write_message
from nnfs_cli.system.threads import prepare_threads

serving = False  # whether this process is a worker
_pipe: tuple[BinaryIO, SimpleQueue[Parts]] | None = None  # to the parent process and from it


def serve() -> NoReturn:
    """Run the first value that comes in, a function, for each other one, until stdin ends with the parent process."""
    global serving, _pipe
    serving = True
    prepare_threads()
    with contextlib.suppress(BaseException):
        results = os.fdopen(os.dup(1), "wb")
        os.dup2(os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else 2, 1)  # what the user's code prints
        calls: SimpleQueue[Parts] = SimpleQueue()
        threading.Thread(target=_receive, args=(calls,), daemon=True).start()
        _pipe = results, calls
        function = unpacked(calls.get())
        write_message(results, packed(None))  # ready
        while True:
            write_message(results, _answer(function, unpacked(calls.get())))
    os._exit(1)


def ask(about: object) -> Any:
    """Ask the parent process something while it waits for an answer, and return its reply; see `Worker.call`."""
    if _pipe is None:
        raise RuntimeError("only a worker has a parent process to ask")
    results, calls = _pipe
    write_message(results, packed(Question(about)))
    return unpacked(calls.get())


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
