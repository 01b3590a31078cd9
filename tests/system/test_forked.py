"""Forked processes answer, share memory, and are never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli.system.forked import Forked, can_fork
from nnfs_cli.system.shared_memory import shared_zeros

pytestmark = [
    pytest.mark.skipif(not can_fork(), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@pytest.fixture
def fork() -> Iterator[Callable[[Callable[[bytes], bytes]], Forked]]:
    """Fork a process that is ended after the test."""
    made: list[Forked] = []

    def begin(answer: Callable[[bytes], bytes]) -> Forked:
        made.append(Forked(answer))
        return made[-1]

    yield begin
    for process in made:
        process.end()
    with pytest.raises(ChildProcessError):  # there is none left
        os.waitpid(-1, os.WNOHANG)


Fork = Callable[[Callable[[bytes], bytes]], Forked]


def test_it_answers_each_message_and_sees_what_this_process_writes(fork: Fork) -> None:
    numbers = shared_zeros((3,), np.dtype("float32"))

    def double(message: bytes) -> bytes:
        numbers[...] *= 2
        return message + str(os.getpid()).encode()

    process = fork(double)
    for i in range(1, 4):
        numbers[...] = i
        process.send(b"%d " % i)
        number, other = process.receive(60).split()
        assert int(number) == i
        assert int(other) != os.getpid()
        assert (numbers == 2 * i).all()


def test_an_error_ends_it_without_a_word(fork: Fork, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(message: bytes) -> bytes:
        print("printed", flush=True)
        raise ValueError("wrong")

    process = fork(fail)
    process.send(b"?")
    with pytest.raises(ConnectionResetError):
        process.receive(60)
    with pytest.raises(OSError):  # noqa: PT011 - it depends on the system which
        process.send(b"?")
    assert capfd.readouterr() == ("", "")


def test_who_needs_too_long_is_not_waited_for(fork: Fork) -> None:
    process = fork(lambda message: bytes(time.sleep(60) or 0))  # type: ignore[func-returns-value]
    process.send(b"?")
    with pytest.raises(TimeoutError):
        process.receive(0.05)


def test_it_ignores_ctrl_c_and_ends_at_sigterm(fork: Fork) -> None:
    process = fork(lambda message: message)
    os.kill(process._process, signal.SIGINT)
    process.send(b"still there")
    assert process.receive(60) == b"still there"
    os.kill(process._process, signal.SIGTERM)
    _, status = os.waitpid(process._process, 0)
    assert os.WTERMSIG(status) == signal.SIGTERM


def test_it_holds_no_lock_and_no_file(fork: Fork, tmp_path: Path) -> None:
    import fcntl

    file = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    process = fork(lambda message: b" ".join(name.encode() for name in os.listdir("/proc/self/fd")))
    process.send(b"?")
    assert len(process.receive(60).split()) == 5  # the standard streams, the connection and the listing
    os.close(file)  # as if this process were killed
    again = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)


CHILDREN = """
import os, sys, time
from nnfs_cli.system.forked import Forked
processes = [Forked(lambda message: str(os.getpid()).encode()) for _ in range(3)]
for process in processes:
    process.send(b"?")
    print(process.receive(60).decode(), flush=True)
time.sleep(60)
"""


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_none_is_left_when_this_process_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILDREN], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        others = [int(parent.stdout.readline()) for _ in range(3)]
        assert all(map(alive, others))
        parent.kill()
    end = time.monotonic() + 60
    while any(map(alive, others)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(map(alive, others))


def test_a_system_without_room_for_a_process_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(OSError, match="no more"):
        Forked(bytes)
