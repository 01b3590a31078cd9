"""What the net of a run predicts for its own rows: from the training that just ended, or by reading the data again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.evaluation import Evaluation
from nnfs_cli.workflows.figures import Scored, score
from nnfs_cli.workflows.load_run import calibration_of, data_of, restore
from nnfs_cli.workflows.rows_of_split import rows_of_split
from nnfs_cli.workflows.verdicts.losses import RowLosses, losses_by_split


class FreshPredictions(NamedTuple):
    """The predictions and the losses of the rows of a run, by split, right after its training."""

    scored: Mapping[str, Scored]
    losses: Mapping[str, RowLosses]


@dataclass(frozen=True)
class RunPredictions:
    """The rows of a run by split, with the net's predictions for them.

    `predictor` decides by the threshold that the run keeps, if it keeps one. `loaded` holds the tables of the rows,
    unless they do not fit into the memory limit, or are so large that training has `dropped` them.
    """

    predictor: Predictor
    rows: Mapping[str, EncodedRows]
    evaluation: Evaluation
    calibration: NumberCalibration | ClassCalibration | None
    loaded: LoadedData | None
    dropped: bool
    fresh: FreshPredictions | None = None

    @classmethod
    def of_experiment(cls, run: RunDirectory, experiment: Experiment, fresh: FreshPredictions | None = None) -> Self:
        """Predict the rows of an experiment, whose net has the best weights of the run, without reading them again.

        What is already known after the training is not computed again.
        """
        decision = run.records.decision()
        predictor = experiment.predictor.with_decision(decision)
        dropped = experiment.loaded is None and experiment.batches.window is None
        return cls._of(run, predictor, experiment.splits, experiment.loaded, dropped, fresh)

    @classmethod
    def of_run(cls, run: RunDirectory, data: Any = None) -> Self:
        """Read the rows of a run again and predict them; `data` is that of `evaluate`.

        Raises `RunError` if the run has no best weights or is damaged, `DataError` if the data is missing or has
        changed since the training.
        """
        predictor = restore(run)
        loaded = data_of(run, predictor.config, "restore the data", data)
        return cls._of(run, predictor, encode_splits(predictor, loaded), loaded)

    @classmethod
    def _of(
        cls,
        run: RunDirectory,
        predictor: Predictor,
        rows: Mapping[str, EncodedRows],
        loaded: LoadedData | None,
        dropped: bool = False,
        fresh: FreshPredictions | None = None,
    ) -> Self:
        calibration = calibration_of(run, predictor) if run.records.has_calibration() else None
        decision = run.records.decision()
        scored: Mapping[str, Scored]
        if fresh is not None and decision is None:
            scored = fresh.scored
        else:
            # The figures of a finished run are those of its best weights, without a threshold.
            recorded = run.metrics() if decision is None and run.status().get("state") == "finished" else {}
            scored = {split: score(predictor, of_split, recorded.get(split)) for split, of_split in rows.items()}
        in_memory = loaded if loaded is not None and loaded.budget is None else None
        evaluation = Evaluation(scored, predictor, decision)
        return cls(predictor, rows, evaluation, calibration, in_memory, dropped, fresh)

    @cached_property
    def losses(self) -> Mapping[str, RowLosses]:
        """The losses of held-out rows by split: those of the net, of a constant and of a linear model."""
        return losses_by_split(self.predictor, self.rows) if self.fresh is None else self.fresh.losses

    @property
    def held_out(self) -> list[str]:
        """The splits that the net was not trained on; with a holdout, each validation row is predicted out of fold."""
        return [split for split in self.rows if split != "train"]

    @property
    def largest_held_out(self) -> str | None:
        """The split with the most held-out rows; None if there are none."""
        return max(self.held_out, key=lambda split: len(self.rows[split]), default=None)

    @property
    def main_split(self) -> str:
        """The split that says most about new rows: test, else validation, else train."""
        return next(split for split in ("test", "validation", "train") if split in self.rows)

    def predicted(self, split: str) -> PredictedRows:
        """Return the predictions for the rows of a split."""
        return self.evaluation.scored[split].predicted

    def weight(self, split: str) -> Array | None:
        """Return how much each row of a split counts, (rows,), without class weights; None if all count alike."""
        rows = self.predicted(split)
        return self.predictor.own_weight(rows.weight, rows.y)

    def table(self, split: str, places: Array) -> tuple[Table, Array] | None:
        """Return the cells of some rows of a split, as they were read, and the numbers of these rows in their table.

        Numbers (rows,) count from 0. None if the table is not in memory.
        """
        found = None if self.loaded is None else rows_of_split(self.loaded, self.predictor, self.rows, split)
        return None if found is None else (found[0].take(found[1][places]), found[1][places])
