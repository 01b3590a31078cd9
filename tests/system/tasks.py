"""Tasks that worker processes run in the tests of `map_tasks`; they import little, so that a worker starts fast."""

from __future__ import annotations

import os
import signal
import time
import warnings
from pathlib import Path
from typing import NamedTuple

from nnfs_cli.errors import DataError, NnfsWarning


class Place(NamedTuple):
    """Where the tasks run: the process that maps them, and a folder in which each process leaves a file."""

    pid: int
    folder: Path

    @property
    def is_worker(self) -> bool:
        """Whether this is a worker. The other process does not go on before there is one."""
        (self.folder / str(os.getpid())).touch()
        while len(list(self.folder.iterdir())) < 2:
            time.sleep(0.01)
        return os.getpid() != self.pid


class OddError(DataError):
    """An error that has no pickle."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")
        self.file = open(os.devnull)  # noqa: SIM115


def square(place: Place, x: int) -> tuple[int, bool]:
    worker = place.is_worker
    warnings.warn(f"{x} is odd" if x % 2 else "even", NnfsWarning, stacklevel=2)
    return x * x, worker


def fails_at(bad: int, place: Place, x: int) -> int:
    worker = place.is_worker
    if x == bad:
        raise OddError(f"{x} failed", "that is all")
    time.sleep(0.02 if worker else 0)
    return x


def dies(place: Place, x: int) -> int:
    if place.is_worker:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def waits(place: Place, x: int) -> None:
    place.is_worker  # noqa: B018 - it leaves a file
    time.sleep(60)
