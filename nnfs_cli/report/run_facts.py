"""What a report says about a run, read once. What is missing or damaged is None, and is told in the report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import RunError, UserError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.records import EXPLANATION
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.workflows.compare import Comparison, beside_baselines
from nnfs_cli.workflows.load_run import UNUSABLE, config_of
from nnfs_cli.workflows.run_predictions import FreshPredictions, RunPredictions
from nnfs_cli.workflows.verdicts import Verdict, recorded_verdict

if TYPE_CHECKING:
    from nnfs_cli.explain.explanation import Explanation

T = TypeVar("T")


class RunFacts:
    """The facts about a run. Each is read when it is first asked for, and is None if it cannot be read.

    `faults` collects, in sentences, what could not be read. `experiment` is that of the training that just ended, if
    there is one: its rows need not be read again; `fresh` is what the training found out about them. Else `data` may
    hold the rows, as for `evaluate`. With `rows` off, no section shows rows of the data. With `baselines`, baseline
    models are scored on the same rows. A `thorough` report has sections that take seconds.
    """

    def __init__(
        self,
        run: RunDirectory,
        experiment: Experiment | None = None,
        rows: bool = True,
        baselines: bool = False,
        data: Any = None,
        fresh: FreshPredictions | None = None,
        thorough: bool = False,
    ) -> None:
        self.run, self.experiment, self.rows, self._given, self._fresh = run, experiment, rows, data, fresh
        self.with_baselines, self.thorough = baselines, thorough
        self.faults: list[str] = []
        self._unpredicted = ""

    @property
    def name(self) -> str:
        """The name of the run directory."""
        return self.run.path.absolute().name

    @cached_property
    def status(self) -> dict[str, Any]:
        """How the run stands; empty if that is not known."""
        return self._read(self.run.status) or {}

    @property
    def state(self) -> str:
        """The state of the training, such as "finished"."""
        return str(self.status.get("state", "unknown"))

    @cached_property
    def config(self) -> Config | None:
        """The config with every default spelled out."""
        if self.experiment is not None and not self.lineage:  # a resumed one has other epochs
            return self.experiment.config
        return self._read(lambda: config_of(self.run))

    @cached_property
    def source(self) -> bytes:
        """The config file as it was given; empty if there was none, as from Python."""
        return self._read(self.run.records.config_source) or b""

    @cached_property
    def data(self) -> dict[str, Any] | None:
        """The record of the data."""
        return self._read(self.run.records.data)

    @cached_property
    def log(self) -> dict[str, Array] | None:
        """The epoch log by column, each (rows,); None if no epoch was logged."""
        rows = self._read(self.run.epochs)
        if not rows:
            return None
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The final figures by split, with `best_epoch`; empty if the training has not finished."""
        if self.state != "finished":
            return {}
        return self._read(self.run.metrics) or {}

    @property
    def figures(self) -> dict[str, dict[str, float | None]]:
        """The final figures by split."""
        return {split: figures for split, figures in self.metrics.items() if isinstance(figures, dict)}

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights were kept as the best."""
        return self.metrics.get("best_epoch")

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on the net."""
        return self._read(lambda: recorded_verdict(self.run)) or ()

    @cached_property
    def explanation(self) -> Explanation | None:
        """What `nnfs explain` has found out, if it was asked."""

        def read() -> Explanation | None:
            plain = self.run.records.explanation()
            if plain is None:
                return None
            from nnfs_cli.explain.explanation import Explanation  # it is not needed where nothing was explained

            try:
                return Explanation.of_plain(plain)
            except ValueError:
                file = self.run.path / EXPLANATION
                raise RunError(f"{file} is damaged or of another version; `nnfs explain` writes it again") from None

        return self._read(read)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """The versions and the machine that the run was started with; empty if that is not known."""
        return self._read(self.run.records.environment) or {}

    @property
    def command(self) -> str:
        """The command line that started the run."""
        return str(self.environment.get("command") or "")

    @cached_property
    def lineage(self) -> list[dict[str, Any]]:
        """The sessions in which the run was resumed."""
        return self._read(self.run.status_file.lineage) or []

    @cached_property
    def probes(self) -> dict[str, Array] | None:
        """The statistics of layers and parameters, each (probed epochs,), and their `epoch` and `step`."""
        return self._read(self.run.arrays.probes)

    @cached_property
    def predictions(self) -> RunPredictions | None:
        """What the net predicts for the rows of the run; None if that cannot be known, see `why_no_predictions`."""
        if self.experiment is None and not self._read(lambda: self.run.arrays.has_weights("best")):
            return None
        before = len(self.faults)
        found = self._read(self._predict)
        self._unpredicted = " ".join(self.faults[before:])
        return found

    @property
    def why_no_predictions(self) -> str:
        """A sentence on why the report shows no predictions."""
        _ = self.predictions
        if not self._unpredicted:
            return (
                f"There are no predictions: the run has no best weights; the state of its training is '{self.state}'."
            )
        return f"There are no predictions: {self._unpredicted}."

    def _predict(self) -> RunPredictions:
        if self.experiment is not None:
            return RunPredictions.of_experiment(self.run, self.experiment, self._fresh)
        return RunPredictions.of_run(self.run, self._given)

    @cached_property
    def baselines(self) -> Comparison | None:
        """The figures of the net beside those of baseline models; None unless they were asked for."""
        found = self.predictions if self.with_baselines else None
        if found is None or found.loaded is None:
            return None
        wanted, loaded = found.held_out or ["train"], found.loaded
        return self._read(lambda: beside_baselines(self.name, found.predictor, loaded, found.rows, wanted))

    def _read(self, read: Callable[[], T]) -> T | None:
        """Return what a function reads; if it cannot, note why and return None."""
        with self.noted(), ignored_warnings():
            return read()
        return None

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note an error about the content of the run instead of raising it."""
        try:
            yield
        except (UserError, *UNUSABLE) as error:
            told = str(error).replace(str(self.run.path), self.name)  # the page may be passed on
            fault = " ".join(f"{told:.500}".split()) or type(error).__name__
            if fault not in self.faults:
                self.faults.append(fault)
