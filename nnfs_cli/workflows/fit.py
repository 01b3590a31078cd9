"""Train a net in memory. Nothing is written unless the callbacks or the store write it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nnfs_cli.arrays import Array
from nnfs_cli.blend.blend import Blend
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.warnings import no_average
from nnfs_cli.prediction.background import draw_background
from nnfs_cli.prediction.blending import fit_blend
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.calibration.fit import fit_calibration
from nnfs_cli.runs.records import ConfusionTable
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, listing
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.checkpoint import Store
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.callbacks.probes import Probes, ProbeStore
from nnfs_cli.training.progress import LogRow, State, evaluated
from nnfs_cli.workflows.figures import Figures, Scored, confusion_tables, finite, score


class TrainingStore(Store, ProbeStore, Protocol):
    """A place for all that training leaves, such as a run directory."""


@dataclass(frozen=True)
class Outcome:
    """The results of a training: figures, confusion matrices and calibration.

    `metrics` are the final figures by split, with the `best_epoch`, why training `stopped` early, if it did, and the
    weights and losses of the parts of a `blend`.
    `background` are inputs of the net for some training rows, (rows, features), which predictions are explained by.
    `scored` holds the predictions by split, as long as somebody needs them.
    """

    metrics: Mapping[str, Any]
    confusion: Mapping[str, ConfusionTable]  # by split, for a classifier
    calibration: NumberCalibration | ClassCalibration | None  # None without validation rows
    blend: Blend | None = None  # None if the config blends no models
    background: Array | None = field(default=None, compare=False, repr=False)
    scored: Mapping[str, Scored] = field(default_factory=dict, compare=False, repr=False)


def fit(
    experiment: Experiment,
    first: Sequence[Callback] = (),
    last: Sequence[Callback] = (),
    store: TrainingStore | None = None,
    restore: Callable[[State], object] | None = None,
) -> Outcome:
    """Train the net of an experiment, put the best weights into it, and score them on every split.

    The callbacks in `first` are called before those of the config, and those in `last` after them. Weights, states
    and what probes show are written to `store`, if given; `restore` fills the state to continue from, see
    `Trainer.train`.
    Raises `DivergedError` if a loss or gradient is not finite.
    """
    calibration, splits = None, experiment.splits
    with thread_limit(experiment.config.threads):
        metrics, scored = _train(experiment, first, last, store, restore)
        if "validation" in splits:
            calibration = fit_calibration(experiment.predictor, splits["validation"], splits.get("test"))
    predictor = experiment.predictor
    background = draw_background(predictor, splits["train"], experiment.config.background)
    return Outcome(metrics, confusion_tables(scored), calibration, predictor.blend, background, scored)


def _train(
    experiment: Experiment,
    first: Sequence[Callback],
    last: Sequence[Callback],
    store: TrainingStore | None,
    restore: Callable[[State], object] | None,
) -> tuple[dict[str, Any], dict[str, Scored]]:
    """Train and score the net, and free the memory that only training needs; return figures and scores by split."""
    config, predictor, splits = experiment.config, experiment.predictor, experiment.splits
    predictor.blend = None  # while the net is trained
    watched, prefix = (splits["validation"], "val_") if "validation" in splits else (splits["train"], "train_")

    def evaluate() -> LogRow:
        return evaluated(prefix, predictor.figures(watched))

    checkpoint = config.checkpoint.into(store)
    callbacks: list[Callback] = [*first]
    if config.max_minutes is not None:
        callbacks.append(TimeLimit(config.max_minutes))
    callbacks.append(checkpoint)
    if config.early_stopping is not None:
        callbacks.append(config.early_stopping.model_copy())
    callbacks += [callback.model_copy(deep=True) for callback in config.callbacks]
    callbacks += last
    if config.probes and store is not None:
        callbacks.append(Probes(experiment.training_rows, store))
    trainer = experiment.trainer(callbacks, evaluate)
    trainer.train(experiment.training_rows, config.epochs, restore)
    if trainer.average.pending:
        warn(no_average())
    checkpoint.restore_best(predictor.model)
    predictor.model.end_training()
    predictor.blend = blend = fit_blend(predictor, splits)
    scored = {split: score(predictor, rows) for split, rows in splits.items()}
    figures = {split: found.figures for split, found in scored.items()}
    for of_split in figures.values():
        trainer.require_finite(of_split["loss"])
    _warn_undefined(figures)
    ending: dict[str, Any] = {"stopped": trainer.stopped} if trainer.stopped else {}
    finals = {split: finite(of_split) for split, of_split in figures.items()}
    if blend is not None:
        ending["blend"] = [{"model": name, **finite(part)} for name, part in blend.figures().items()]
    return {"best_epoch": checkpoint.best_epoch, **ending, **finals}, scored


def _warn_undefined(figures: Figures) -> None:
    """Warn about figures that are not defined, such as r2 of a single row or roc_auc of a single class."""
    for split, of_split in figures.items():
        if undefined := [name for name, value in of_split.items() if math.isnan(value)]:
            rows = counted(int(of_split["rows"]), f"{split} row")
            are = "is" if len(undefined) == 1 else "are"
            warn(f"{listing(undefined)} {are} not defined on the {rows}")
