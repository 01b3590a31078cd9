"""A forked process that answers messages, and ends with the process that it was forked from."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from nnfs_cli.system.ignored_warnings import ignored_warnings

MESSAGE = 1 << 16  # bytes of the longest message


def can_fork() -> bool:
    """Return whether a process can be forked safely: on macOS, the libraries behind NumPy forbid it."""
    return sys.platform == "linux"


class Forked:
    """A copy of this process that calls `answer` with each message and sends back what it returns.

    It shares arrays of `shared_memory` with this process, and has its own copy of everything else. It prints nothing,
    ignores Ctrl-C, holds no file open, and ends when this process ends, however that happens. It must not use a lock
    that another thread may have held. Raises `OSError` if the system refuses another process.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._connection, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stopping = {signal.SIGINT, signal.SIGTERM}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, stopping)  # a handler must not run in the new process
        try:
            with ignored_warnings(DeprecationWarning):  # of other threads, which are not in the new process
                self._process = os.fork()
            if not self._process:
                _serve(other, answer)
        except OSError:
            self._connection.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            other.close()

    def send(self, message: bytes) -> None:
        """Send a message of at most 64 KB. Raises `OSError` if the process is gone."""
        self._connection.send(message)

    def receive(self, seconds: float) -> bytes:
        """Return the answer to the last message. Raises `OSError` if the process is gone or needs longer than this."""
        self._connection.settimeout(seconds)
        answer = self._connection.recv(MESSAGE)
        if not answer:
            raise ConnectionResetError("the process has ended")
        return answer

    def end(self) -> None:
        """End the process at once."""
        self._connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _serve(connection: socket.socket, answer: Callable[[bytes], bytes]) -> NoReturn:
    """Answer messages until the other side is gone; then end without any clean-up, which is not ours to do."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        nowhere = os.open(os.devnull, os.O_RDWR)
        for file in range(3):
            os.dup2(nowhere, file)
        for name in os.listdir("/proc/self/fd"):  # files may be locked, and connections keep other processes waiting
            if int(name) > 2 and int(name) != connection.fileno():
                with contextlib.suppress(OSError):
                    os.close(int(name))
        while message := connection.recv(MESSAGE):
            connection.send(answer(message))
    finally:
        os._exit(0)
