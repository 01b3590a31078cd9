"""Taking turns: each contestant trains in a process of its own, for a while, while the others wait."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, Protocol

from tests.benchmarks.part import as_installed

PAUSE = 0.1  # seconds between turns, for threads that wait by spinning to fall asleep
WARM_UP = 3  # epochs, in which those who compile do so

Figures = dict[str, Any]  # seconds a step of every turn, `wall` and `cpu`, and seconds of compiling: `first`, `again`


class Race(Protocol):
    """What a race needs to know of a workload."""

    @property
    def steps(self) -> int:
        """How many an epoch has."""


class _FinishedError(Exception):
    """Training has been long enough."""


class Turns:
    """What a contestant tells how far it is: `ready()` before its first epoch, and a call after every one.

    A call waits when the turn is over. The seconds of an epoch are measured from one call to the next.
    """

    def __init__(self, line: Connection, warm_up: int) -> None:
        self._line, self._warm_up, self._epochs, self._seconds = line, warm_up, 0, 0.0
        self._firsts: list[float] = []
        self.ready()

    def ready(self) -> None:
        """Begin to count time."""
        self._begun, self._cpu = time.perf_counter(), time.process_time()

    def __call__(self) -> None:
        if len(self._firsts) < self._warm_up:
            now = time.perf_counter()
            self._firsts.append(now - self._begun)
            self._begun = now
            if len(self._firsts) == self._warm_up:
                self._wait(self._firsts)
            return
        self._epochs += 1
        wall = time.perf_counter() - self._begun
        if wall >= self._seconds:
            self._wait((self._epochs, wall, time.process_time() - self._cpu))

    def _wait(self, message: object) -> None:
        self._line.send(message)
        self._seconds, self._epochs = self._line.recv(), 0
        if self._seconds < 0:
            raise _FinishedError
        self.ready()


def _train(contestant: Callable[[Any, Turns], None], workload: Race, line: Connection, warm_up: int) -> None:
    warnings.simplefilter("ignore")
    try:
        contestant(workload, Turns(line, warm_up))
    except _FinishedError:
        return


class Racer:
    """A contestant in a process of its own, once its training is warm."""

    def __init__(
        self, contestant: Callable[..., None], workload: Race, settings: Mapping[str, str], warm_up: int = WARM_UP
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, there = context.Pipe()
        self._process = context.Process(target=_train, args=(contestant, workload, there, warm_up))
        with as_installed(**settings):
            self._process.start()
        there.close()
        self.first_epochs: list[float] = self._answer()

    def turn(self, seconds: float) -> tuple[int, float, float]:
        """Train for at least so long: epochs, seconds and CPU seconds."""
        self._line.send(seconds)
        turn: tuple[int, float, float] = self._answer()
        return turn

    def stop(self) -> None:
        """End its training."""
        self._line.send(-1.0)
        self._process.join(20)
        self._process.kill()

    def _answer(self) -> Any:
        try:
            return self._line.recv()
        except EOFError:
            raise RuntimeError("a contestant has failed; see its traceback above") from None


def race(
    workload: Race,
    contestants: Mapping[str, Callable[..., None]],
    turns: int,
    seconds: float = 0.5,
    settings: Mapping[str, str] | None = None,
    compiling: tuple[str, ...] = (),
) -> dict[str, Figures]:
    """Let the contestants take turns of so many seconds.

    `settings` are variables of their processes. Those of `compiling` are started twice, to see how long the first epoch
    takes with an empty cache and with the cache of the time before.
    """
    found: dict[str, Figures] = {name: {"wall": [], "cpu": []} for name in contestants}
    racers: dict[str, Racer] = {}
    with tempfile.TemporaryDirectory(prefix="nnfs-caches-") as folder:
        variables = {**caches(folder), **(settings or {})}
        try:
            for name, contestant in contestants.items():
                firsts = []
                if name in compiling:
                    once = Racer(contestant, workload, variables)
                    firsts.append(once.first_epochs[0])
                    once.stop()
                racers[name] = Racer(contestant, workload, variables)
                found[name]["first epochs"] = [*firsts, racers[name].first_epochs[0]]
                racers[name].turn(4 * seconds)  # in early epochs, nearly all weights are the best so far
            for _ in range(turns):
                for name, racer in racers.items():
                    time.sleep(PAUSE)
                    epochs, wall, cpu = racer.turn(seconds)
                    found[name]["wall"].append(wall / (epochs * workload.steps))
                    found[name]["cpu"].append(cpu / (epochs * workload.steps))
        finally:
            for racer in racers.values():
                racer.stop()
    for figures in found.values():  # what a first epoch takes longer than the others
        epoch = median(figures["wall"]) * workload.steps
        figures["compiling"] = [max(0.0, first - epoch) for first in figures.pop("first epochs")]
    return found


def caches(folder: str) -> dict[str, str]:
    """Variables by which those who keep compiled code keep it in a folder."""
    return {
        "XDG_CACHE_HOME": folder,
        "TORCHINDUCTOR_CACHE_DIR": f"{folder}/torch",
        "JAX_COMPILATION_CACHE_DIR": f"{folder}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
