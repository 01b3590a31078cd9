"""A process that runs one function for one argument after another, for as long as this process lives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from nnfs_cli.system import worker_loop
from nnfs_cli.system.answer import Answer, Question
from nnfs_cli.system.messages import Parts, packed, read_message, unpacked, write_message
from nnfs_cli.system.threads import OF_BLAS

# It says nothing if it cannot start, since the work is then done elsewhere.
_PROGRAM = """
import sys
sys.path[:] = {path!r}
try:
    from nnfs_cli.system.worker_loop import serve
except BaseException:
    sys.exit(1)
serve()
"""


def can_start_workers() -> bool:
    """Return whether this process may start others: not from a worker, of nnfs or of `multiprocessing`."""
    parent = getattr(sys.modules.get("multiprocessing.process"), "parent_process", lambda: None)
    return bool(sys.executable) and not hasattr(sys, "frozen") and not worker_loop.serving and parent() is None


class Worker:
    """A worker process. It imports no `__main__`, so a script needs no guard.

    It ends when this process ends, however that happens. Ctrl-C does not reach it: this process decides what to do.
    """

    def __init__(self) -> None:
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with _interrupts_blocked():  # the worker inherits that
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, "-c", _PROGRAM.format(path=path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={name: value for name, value in os.environ.items() if name not in OF_BLAS},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # there, Ctrl-C goes to a whole console
            )

    def prepare(self, function: Parts) -> bool:
        """Send the function, as a message, and return whether the worker is ready to run it."""
        try:
            self._ask(function)
        except ChildProcessError:
            return False
        return True

    def call(self, argument: object, reply: Callable[[Any], object] | None = None) -> Answer:
        """Run the function. `reply` answers what it asks by `worker_loop.ask` on its way.

        Raises `ChildProcessError` if the worker ends before it has answered.
        """
        said: Answer | Question = unpacked(self._ask(packed(argument)))
        while isinstance(said, Question):
            said = unpacked(self._ask(packed(reply(said.about) if reply is not None else None)))
        return said

    def kill(self) -> None:
        """End the worker at once. Any thread may do so, while another one waits for an answer."""
        self._process.kill()

    def close(self) -> None:
        """End the worker and forget it."""
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]  # both are pipes
        self._process.wait()

    def _ask(self, message: Parts) -> Parts:
        stdin, stdout = self._process.stdin, self._process.stdout
        try:
            write_message(stdin, message)  # type: ignore[arg-type]
            return read_message(stdout)  # type: ignore[arg-type]
        except (EOFError, OSError):
            raise ChildProcessError(f"a worker process {self._end()} before its work was done") from None

    def _end(self) -> str:
        """Say how the worker has ended."""
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
            return f"was killed by {name}" + (", perhaps for lack of memory," if name == "SIGKILL" else "")
        return f"was killed by signal {-code}"


@contextlib.contextmanager
def _interrupts_blocked() -> Any:
    """Block Ctrl-C in the current thread for a moment; it comes afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
