"""What came of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnfs_cli.metrics.direction import Mode
from nnfs_cli.search.base import Scalar
from nnfs_cli.tuning.study import EPOCHS, MESSAGE, SECONDS, STATE, Study

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class TrialRow:
    """A trial: its number, counted from 1, its state, and what was drawn for it, by the names of settings."""

    number: int
    state: str
    drawn: Mapping[str, Scalar]
    figures: Mapping[str, float]  # empty unless it has finished
    run: Path
    epochs: int | None = None
    seconds: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Found:
    """What came of a search so far.

    `front` has the numbers of the best trials: one, or the Pareto front of several figures. `best` is the one of them
    with the best first figure. `importances` are shares of 1 by setting.
    """

    folder: Path
    figures: Mapping[str, Mode]
    trials: Sequence[TrialRow]
    front: Sequence[int]
    importances: Mapping[str, float]
    config: str = ""  # that of the best trial; empty if none has finished
    config_file: Path | None = None

    @property
    def best(self) -> TrialRow | None:
        """The best trial; None if none has finished."""
        first, mode = next(iter(self.figures.items()))
        sign = 1 if mode == "min" else -1
        return min(
            (one for one in self.trials if one.number in self.front),
            key=lambda one: (sign * one.figures[first], one.number),
            default=None,
        )

    def best_first(self) -> list[TrialRow]:
        """Return the trials that have finished, the best first; with several figures, those of the front first."""
        first, mode = next(iter(self.figures.items()))
        sign = 1 if mode == "min" else -1
        several = len(self.figures) > 1

        def key(one: TrialRow) -> tuple[bool, float, int]:
            return several and one.number not in self.front, sign * one.figures[first], one.number

        return sorted((one for one in self.trials if one.figures), key=key)

    def count(self, *states: str) -> int:
        """Return how many trials are in one of some states."""
        return sum(one.state in states for one in self.trials)

    def plain(self) -> dict[str, Any]:
        """Return all of it as JSON holds it."""
        best = self.best
        return {
            "search": self.folder.as_posix(),
            "figures": dict(self.figures),
            "trials": [_plain(one) for one in self.trials],
            "best": _plain(best) if best else None,
            "front": [*self.front],
            "importances": dict(self.importances),
            "config": self.config_file.as_posix() if self.config_file else None,
        }


def rows_of(study: Study, folder: Path) -> list[TrialRow]:
    """Return the trials of a study that have begun."""
    return [_row(one, study, folder) for one in study.trials() if one.state.name != "WAITING"]


def _row(trial: FrozenTrial, study: Study, folder: Path) -> TrialRow:
    about, finished = trial.user_attrs, trial.state.name == "COMPLETE"
    state = "interrupted" if trial.state.name == "RUNNING" else str(about.get(STATE, trial.state.name.lower()))
    figures = dict(zip(study.plan.figures, trial.values or (), strict=False)) if finished else {}
    run = folder / f"trial-{trial.number + 1}"
    epochs, seconds = about.get(EPOCHS), about.get(SECONDS)
    return TrialRow(trial.number + 1, state, trial.params, figures, run, epochs, seconds, about.get(MESSAGE, ""))


def _plain(row: TrialRow) -> dict[str, Any]:
    return {
        "trial": row.number,
        "state": row.state,
        "values": dict(row.drawn),
        "figures": dict(row.figures),
        "epochs": row.epochs,
        "seconds": row.seconds if row.seconds is None else round(row.seconds, 3),
        "run": row.run.as_posix(),
        **({"message": row.message} if row.message else {}),
    }
