"""Taking turns: each contestant trains in a process of its own, some epochs at a time, while the others wait."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any, Protocol

PAUSE = 0.1  # seconds between turns, for threads that wait by spinning to fall asleep
PREFIXES = ("OMP_", "OPENBLAS_", "MKL_", "XLA_", "NUMBA_")  # of variables by which a machine slows one of them down


class Race(Protocol):
    """What a race needs to know of a workload."""

    @property
    def steps(self) -> int:
        """How many an epoch has."""

    @property
    def epochs(self) -> int:
        """How many there are in all."""


class _FinishedError(Exception):
    """Training has been long enough."""


class _Turns:
    """Called after every epoch: waits when the turn is over, and says how long it took."""

    def __init__(self, line: Connection, warm_up: int) -> None:
        self._line, self._left = line, warm_up
        self._begun = time.perf_counter()

    def __call__(self) -> None:
        self._left -= 1
        if self._left:
            return
        self._line.send(time.perf_counter() - self._begun)
        epochs = self._line.recv()
        if not epochs:
            raise _FinishedError
        self._left, self._begun = epochs, time.perf_counter()


def warm_up(workload: Race) -> int:
    """The first half of the epochs, in which those who compile do so."""
    return max(1, workload.epochs // 2)


def _train(contestant: Callable[[Any, Callable[[], None]], None], workload: Race, line: Connection) -> None:
    warnings.simplefilter("ignore")
    with contextlib.suppress(_FinishedError):
        contestant(workload, _Turns(line, warm_up(workload)))


@contextlib.contextmanager
def as_installed() -> Iterator[list[str]]:
    """Take away the variables that tell a library how to calculate; their names are given."""
    found = {name: value for name, value in os.environ.items() if name.startswith(PREFIXES)}
    for name in found:
        del os.environ[name]
    try:
        yield sorted(found)
    finally:
        os.environ.update(found)


def race(workload: Race, contestants: Mapping[str, Callable[..., None]], turns: int) -> dict[str, list[float]]:
    """Seconds per step of each contestant, turn by turn, in the second half of its training."""
    context = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    processes = []
    for name, contestant in contestants.items():
        here, there = context.Pipe()
        process = context.Process(target=_train, args=(contestant, workload, there), daemon=True)
        process.start()
        there.close()
        here.recv()  # it is warm
        lines[name] = here
        processes.append(process)
    epochs = max(1, (workload.epochs - warm_up(workload)) // turns)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(turns):
        for name, line in lines.items():
            time.sleep(PAUSE)
            line.send(epochs)
            seconds[name].append(line.recv() / (epochs * workload.steps))
    for line in lines.values():
        with contextlib.suppress(BrokenPipeError):  # its training has had all its epochs
            line.send(0)
    for process in processes:
        process.join()
    return seconds
