"""The contract of a tracker: what it is told about a run, and what it does with that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from nnfs_cli.components.component import Component

Row = Mapping[str, float]  # of the epoch log: epoch, step, seconds and other figures by name


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told about a run before its epochs."""

    path: Path
    """The absolute path of the run directory."""
    begun: datetime
    """When the training began; a resumed run keeps it."""
    epoch: int
    """The last epoch that the run cannot lose any more; 0 if there is none."""
    spec: str
    """The config as YAML, with every default spelled out."""
    settings: Mapping[str, str]
    """The settings of the config by their keys, such as `layers.0.linear.units`."""

    @property
    def name(self) -> str:
        """The name of the run directory, such as houses-1."""
        return self.path.name

    @property
    def stamp(self) -> str:
        """The moment when the training began, as digits; no two runs of a name share it."""
        return self.begun.strftime("%Y%m%d%H%M%S") + f"{self.begun.microsecond // 1000:03}"

    def time(self, row: Row) -> float:
        """Return the time of a row in seconds since 1970. The time between two sessions does not count."""
        return self.begun.timestamp() + row["seconds"]


class Columns(NamedTuple):
    """The columns of a trained net, each with its name and its kind."""

    inputs: Sequence[tuple[str, str]]
    """Columns of rows: `number`, `category` or `date`."""
    outputs: Sequence[tuple[str, str]]
    """Columns of predictions: `number`, `text` or `truth`."""


@dataclass(frozen=True)
class Ending:
    """What a tracker is told about a run when its training has ended."""

    state: str
    """`finished`, `interrupted`, `diverged` or `failed`."""
    metrics: Mapping[str, Any]
    """The final figures by split, and more; empty unless the training has finished."""
    save: Callable[[Path], Columns]
    """Copy the trained net into a new folder, which nnfs opens as a run, and return its columns. Raises `RunError` if
    the net needs code of the user's own."""


class TrackerWriter(Protocol):
    """What passes on one run. If a method raises, the writer is closed, and another one is opened later."""

    def write(self, rows: Sequence[Row]) -> None:
        """Pass on rows. Each row of the run comes once, in their order, beginning with the first."""

    def finish(self, ending: Ending) -> None:
        """Pass on the end of the training."""

    def close(self) -> None:
        """Close everything that is open."""


class Tracker(Component, family="tracker"):
    """A place outside of a run that is told of its settings, its epochs and its end."""

    needs = ("open", "place")
    extra: ClassVar[str] = ""  # the extra that installs its package
    package: ClassVar[str] = ""  # the module of that package
    withdraws: ClassVar[bool] = True  # whether `open` can take back rows that a resumed training computes again

    def open(self, run: TrackedRun) -> TrackerWriter:
        """Return what passes on the run. What was passed on before is taken back, or not passed on twice."""
        raise NotImplementedError

    def place(self, run: Path) -> str:
        """Return where the figures of a run go, in words."""
        raise NotImplementedError
