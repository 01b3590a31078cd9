"""A run at a glance: what a list of a thousand runs says about each, from small files only."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from nnfs_cli.errors import RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.status_file import Status
from nnfs_cli.system.lock import holder_of

PREFIXES = {"train": "train_", "validation": "val_", "test": "test_"}  # of figures, as in the epoch log
STATES = (*get_args(Status), "damaged")
LARGEST_LOG = 1 << 20  # bytes of an epoch log that is read as a whole


@dataclass(frozen=True)
class RunOverview:
    """What a run is and how far it is.

    `figures` are those of the best weights, by names such as `val_loss`, `train_accuracy` or `test_rmse`. `monitor`
    names the one that chose the best epoch, and `mode` says whether less or more of it is better. A run that was killed
    is interrupted. Of a damaged run only the `problem` is known, and perhaps some of the rest.
    """

    path: Path
    state: Status | Literal["damaged"] = "damaged"
    locked: bool = False  # whether a process writes to the run
    problem: str = ""
    config: str = ""
    data: str = ""
    loss: str = ""
    planned: int | None = None  # epochs
    epochs: int | None = None  # so far
    seconds: float | None = None
    begun: datetime | None = None
    since: datetime | None = None  # when the state was reached
    monitor: str = "val_loss"
    mode: Literal["min", "max"] = "min"
    best_epoch: int | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)  # None where one is not defined

    @property
    def name(self) -> str:
        """The name of the directory."""
        return self.path.name

    @property
    def figure(self) -> str:
        """The name of the figure that chose the best epoch; without validation rows, that of the training loss."""
        return "train_loss" if self.figures and self.monitor not in self.figures else self.monitor


def runs_in(folder: Path) -> list[RunOverview]:
    """Return all runs in a folder, the newest first, those of unknown age last. Links are not followed."""
    found = [overview(path) for path in sorted(folder.iterdir()) if is_run(path)] if folder.is_dir() else []
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda run: (run.begun or oldest, run.name), reverse=True)


def is_run(path: Path) -> bool:
    """Return whether a path is a directory that a training has made, perhaps a damaged one, and not a link."""
    if path.name.startswith(".") or path.is_symlink():
        return False
    return any((path / name).is_file() for name in ("spec.yaml", "status.json"))


def overview(path: Path) -> RunOverview:
    """Return a run at a glance. It never raises an error about what is in the directory."""
    run, known = RunDirectory(path), dict[str, Any]()
    try:
        known["locked"] = holder_of(path / "lock") is not None
        _add_status(run, known)
        _add_settings(run, known)
        _add_log(run, known)
        if known["state"] != "running" and run.records.has_metrics():
            _add_metrics(run, known)
    except RunError as error:
        return RunOverview(path, **{**known, "state": "damaged", "problem": str(error)})
    except OSError as error:
        problem = f"{error.filename or path}: {error.strerror}"
        return RunOverview(path, **{**known, "state": "damaged", "problem": problem})
    return RunOverview(path, **known)


def _add_status(run: RunDirectory, known: dict[str, Any]) -> None:
    status = run.status()
    if not status:
        raise RunError(f"{run.path} has no status.json; its training did not get that far")
    killed = status["state"] == "running" and not known["locked"]
    known["state"] = "interrupted" if killed else status["state"]
    for key in ("begun", "since"):
        with contextlib.suppress(ValueError, TypeError):  # it is only shown and compared
            moment = datetime.fromisoformat(status.get(key, ""))
            known[key] = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if sessions := run.status_file.lineage():
        known["planned"] = sessions[-1]["epochs"]


def _add_settings(run: RunDirectory, known: dict[str, Any]) -> None:
    settings = run.records.settings("name", "dataset", "loss", "epochs", "checkpoint")
    known["config"] = str(settings.get("name", ""))
    known["data"] = _data_name(settings.get("dataset"))
    known["loss"] = next(iter(loss), "") if isinstance(loss := settings.get("loss"), dict) else str(loss or "")
    if type(epochs := settings.get("epochs")) is int:
        known.setdefault("planned", epochs)
    if isinstance(checkpoint := settings.get("checkpoint"), dict):
        known["monitor"] = str(checkpoint.get("monitor") or "val_loss")
        known["mode"] = "max" if checkpoint.get("mode") == "max" else "min"


def _data_name(dataset: object) -> str:
    """Return the name of a built-in dataset, or of the file that the rows are in."""
    if isinstance(dataset, dict) and len(dataset) == 1:
        ((name, settings),) = dataset.items()
        path = settings.get("path") if isinstance(settings, dict) else settings
        return PurePosixPath(path).name if isinstance(path, str) else str(name)
    return str(dataset or "")


def _add_log(run: RunDirectory, known: dict[str, Any]) -> None:
    if (last := run.log.last()) is None:
        known["epochs"] = 0
        return
    known["epochs"], seconds = _epoch_of(run, last), last.get("seconds", math.nan)
    known["seconds"] = seconds if math.isfinite(seconds) else None
    if known["state"] != "finished" and run.log.size <= LARGEST_LOG:
        monitor, sign = known["monitor"], -1 if known["mode"] == "max" else 1
        rows = [row for row in run.epochs() if not math.isnan(row.get(monitor, math.nan))]
        if rows:
            best = min(rows, key=lambda row: sign * row[monitor])
            known["best_epoch"] = _epoch_of(run, best)
            known["figures"] = {name: _figure(best[name]) for name in best if name.startswith(("train_", "val_"))}


def _epoch_of(run: RunDirectory, row: Mapping[str, float]) -> int:
    epoch = row["epoch"]
    if not 0 <= epoch < 1 << 63:
        raise RunError(f"{run.path} is damaged: its epochs.csv has an epoch {epoch:g}")
    return int(epoch)


def _figure(value: float | None) -> float | None:
    """Return a figure; None if it is not defined."""
    return None if value is None or not math.isfinite(value) else value


def _add_metrics(run: RunDirectory, known: dict[str, Any]) -> None:
    metrics = run.metrics()
    known["best_epoch"] = metrics.get("best_epoch")
    known["figures"] = {
        PREFIXES[split] + name: _figure(value)
        for split, figures in metrics.items()
        if split in PREFIXES
        for name, value in figures.items()
        if name != "rows"
    }
