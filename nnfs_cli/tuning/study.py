"""The study of Optuna behind a search: it proposes the values of trials, and its journal remembers them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnfs_cli.errors import RunError
from nnfs_cli.search import Distribution
from nnfs_cli.search.base import Scalar
from nnfs_cli.system.extras import needed
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.tuning.plan import Plan
from nnfs_cli.tuning.samplers import pruner, sampler
from nnfs_cli.tuning.trial import Log, Outcome

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna.trial import FrozenTrial, Trial

STATE, MESSAGE, SECONDS, EPOCHS = "nnfs.state", "nnfs.message", "nnfs.seconds", "nnfs.epochs"  # attributes of trials
DIRECTIONS: dict[str, Literal["minimize", "maximize"]] = {"min": "minimize", "max": "maximize"}


@dataclass(frozen=True)
class Proposal:
    """A trial to train: its number, counted from 1, and the values of the settings by their paths."""

    number: int
    values: Mapping[str, Any]


class Study:
    """The trials of a search. Several threads may use it; only one process writes to its journal."""

    def __init__(self, journal: Path, plan: Plan, space: Mapping[str, Distribution]) -> None:
        """Open the journal, or begin one. Raises `RunError` if it is damaged."""
        with needed("tune", "nnfs tune"):
            import optuna
            from optuna.storages import JournalStorage
            from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        self._optuna, self.plan, self.space = optuna, plan, space
        self._lock = threading.RLock()
        self._running: dict[int, Trial] = {}
        with self._using(), _reading(journal):
            storage = JournalStorage(JournalFileBackend(str(journal), JournalFileOpenLock(str(journal))))
            directions: list[Any] = [DIRECTIONS[mode] for mode in plan.figures.values()]
            self._study: OptunaStudy = optuna.create_study(
                storage=storage,
                study_name=plan.name,
                directions=[*directions],
                pruner=pruner(plan.pruner),
                sampler=sampler(plan.sampler, plan.seed, 0),
                load_if_exists=True,
            )
            if self._study.metric_names is None:
                self._study.set_metric_names([*plan.figures])
            self._left = [one for one in self._study.get_trials(deepcopy=False) if _is(one, "RUNNING")]
            if [one.name.lower() for one in self._study.directions] != directions:
                raise ValueError("its study searches in another direction")

    def begin_with(self, first: Mapping[str, Scalar]) -> None:
        """Let the first trial have some values, if there is no trial yet."""
        with self._using():
            if not self._study.get_trials(deepcopy=False):
                self._study.enqueue_trial(dict(first))

    def propose(self) -> Proposal | None:
        """Return the next trial: one that was killed, or a new one; None if there are as many as the plan asks for."""
        with self._using():
            if self._left:
                number = self._left[0].number
                self._study.sampler = sampler(self.plan.sampler, self.plan.seed, number)
                trial = self._optuna.trial.Trial(self._study, self._left.pop(0)._trial_id)
            else:
                known = self._study.get_trials(deepcopy=False)
                waiting = [one for one in known if _is(one, "WAITING")]
                if len(known) - len(waiting) >= self.plan.trials:
                    return None
                number = waiting[0].number if waiting else len(known)
                self._study.sampler = sampler(self.plan.sampler, self.plan.seed, number)
                trial = self._study.ask()
            self._running[number] = trial
            draws = _Draws(trial, self._study, self.plan)
            return Proposal(number + 1, {name: one.draw(draws, name) for name, one in self.space.items()})

    def prunes(self, log: Log) -> bool:
        """Record the figure of a trial after an epoch, and return whether the trial is to stop."""
        with self._using():
            trial = self._running[log.number - 1]
            if log.epoch not in self._study.get_trials(deepcopy=False)[log.number - 1].intermediate_values:
                trial.report(log.figure, log.epoch)  # else it was logged before it was killed
            return trial.should_prune()

    def record(self, number: int, outcome: Outcome) -> None:
        """Record what came of a trial."""
        state = self._optuna.trial.TrialState
        states = {"finished": state.COMPLETE, "pruned": state.PRUNED}
        with self._using():
            trial = self._running.pop(number - 1)
            about = {STATE: outcome.state, SECONDS: outcome.seconds, EPOCHS: outcome.epochs}
            for key, value in (about | ({MESSAGE: outcome.message} if outcome.message else {})).items():
                trial.set_user_attr(key, value)
            values = [*outcome.figures] if outcome.state == "finished" else None
            self._study.tell(number - 1, values, states.get(outcome.state, state.FAIL))

    def values_of(self, number: int) -> dict[str, Any]:
        """Return the values of the settings of a trial, by their paths."""
        with self._using():
            trial = self._study.get_trials(deepcopy=False)[number - 1]
            return {name: one.draw(_Drawn(trial), name) for name, one in self.space.items()}

    def trials(self) -> Sequence[FrozenTrial]:
        """Return all trials as Optuna holds them."""
        with self._using():
            return self._study.get_trials(deepcopy=False)

    def front(self) -> list[int]:
        """Return the numbers of the best trials, counted from 1: one, or the Pareto front of several figures."""
        with self._using():
            if not self.n_finished:
                return []
            best = [self._study.best_trial] if len(self.plan.figures) == 1 else self._study.best_trials
            return sorted(one.number + 1 for one in best)

    @property
    def n_finished(self) -> int:
        """The number of trials that have finished with figures."""
        return sum(_is(one, "COMPLETE") for one in self.trials())

    def importances(self) -> dict[str, float]:
        """Return how much each setting matters for the first figure, as shares of 1, the largest first.

        They are Optuna's, by PED-ANOVA; there are none until some trials differ.
        """
        with self._using():
            if self.n_finished < 4:
                return {}
            try:
                found = self._optuna.importance.get_param_importances(self._study, target=lambda one: one.values[0])
            except (RuntimeError, ValueError):  # all trials are alike
                return {}
            return {name: float(share) for name, share in found.items()}

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        """Keep other threads out, and Optuna quiet."""
        with self._lock, ignored_warnings(Warning):
            before = self._optuna.logging.get_verbosity()
            self._optuna.logging.set_verbosity(self._optuna.logging.ERROR)
            try:
                yield
            finally:
                self._optuna.logging.set_verbosity(before)


class _Draws:
    """A trial of Optuna as a `Draws`. Each setting has a random stream of its own, so a trial can be drawn again."""

    def __init__(self, trial: Trial, study: OptunaStudy, plan: Plan) -> None:
        self._trial, self._study, self._plan = trial, study, plan

    def number(self, name: str, low: float, high: float, log: bool) -> float:
        """Draw a number."""
        self._seed(name)
        return self._trial.suggest_float(name, low, high, log=log)

    def whole(self, name: str, low: int, high: int, step: int, log: bool) -> int:
        """Draw a whole number."""
        self._seed(name)
        return self._trial.suggest_int(name, low, high, step=step, log=log)

    def option(self, name: str, labels: Sequence[Scalar]) -> int:
        """Draw an option."""
        self._seed(name)
        return index_of(self._trial.suggest_categorical(name, labels), labels)

    def _seed(self, name: str) -> None:
        if name in self._trial.distributions:  # it was drawn before the search was killed
            return
        _ = self._trial.relative_params  # the settings that are drawn together, by the stream of the trial
        self._study.sampler = sampler(self._plan.sampler, self._plan.seed, self._trial.number, name)


class _Drawn:
    """What was drawn for a trial, as a `Draws`."""

    def __init__(self, trial: FrozenTrial) -> None:
        self._params = trial.params

    def number(self, name: str, low: float, high: float, log: bool) -> float:
        """Return a number."""
        return float(self._params[name])

    def whole(self, name: str, low: int, high: int, step: int, log: bool) -> int:
        """Return a whole number."""
        return int(self._params[name])

    def option(self, name: str, labels: Sequence[Scalar]) -> int:
        """Return the index of an option."""
        return index_of(self._params[name], labels)


def index_of(drawn: Scalar, labels: Sequence[Scalar]) -> int:
    """Return the index of a label; 1 is not True."""
    return next(i for i, label in enumerate(labels) if type(label) is type(drawn) and label == drawn)


def _is(trial: FrozenTrial, state: str) -> bool:
    return trial.state.name == state


@contextlib.contextmanager
def _reading(journal: Path) -> Iterator[None]:
    """Turn whatever a damaged journal causes in Optuna into a `RunError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise RunError(f"{journal} is damaged: {type(error).__name__}: {error}") from None
