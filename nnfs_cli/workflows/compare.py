"""A net beside simple and well-known models, on exactly the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DataError, NnfsWarning, RunError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.prediction.predictor import EncodedRows, Predictor
from nnfs_cli.runs.run import Run
from nnfs_cli.workflows.baselines import BASELINES, Inputs, answers
from nnfs_cli.workflows.evaluate import that_counts
from nnfs_cli.workflows.figures import Figures, finite
from nnfs_cli.workflows.load_run import gathered, restore

Comparison = dict[str, Figures]  # by split, then by model


def baselines(spec: Config) -> Comparison:
    """What the baselines reach on the rows that a net of this spec is held back, or else on the training rows.

    Raises `DataError` or `ConfigError` where spec and data do not go together.
    """
    loaded = _in_memory(load_data(spec))
    experiment = prepare(spec, loaded)
    return _compared(experiment.predictor, loaded, experiment.splits, _held_back(experiment.splits))


def compare(run: Run, splits: Sequence[str] | None = None, weights: str = "best") -> Comparison:
    """A run beside the baselines, on rows of its splits: those held back, unless named.

    Raises `RunError` for a split the run does not have, `DataError` when the data is gone or has changed.
    """
    predictor = restore(run, weights)
    loaded = _in_memory(gathered(run, predictor.spec, "put back what it was"))
    rows = encode_splits(predictor, loaded)
    wanted = list(splits or _held_back(rows))
    if missing := [split for split in wanted if split not in rows]:
        raise RunError(f"{run.path} has no {missing[0]} rows; its split is {', '.join(rows)}")
    others = _compared(predictor, loaded, rows, wanted)
    figures = shared_figures([predictor.spec])
    return {
        split: {run.path.name: finite(scores(predictor.judge(rows[split])[1], figures)), **others[split]}
        for split in wanted
    }


def _in_memory(loaded: LoadedData) -> LoadedData:
    if loaded.budget is not None:
        raise DataError("baselines need all rows in memory, and these are more than memory_limit holds")
    return loaded


def _held_back(splits: Iterable[str]) -> list[str]:
    return [split for split in splits if split != "train"] or ["train"]


def shared_figures(specs: Sequence[Config]) -> list[Metric]:
    """What all can be compared by: what most models of the kind are trained for, and metrics that all specs name."""
    losses = [spec.loss for spec in specs]
    usual = ["rmse"] if losses[0].task == "regression" else ["log_loss"] * all(loss.probabilistic for loss in losses)
    named = [metric for metric in specs[0].metrics or () if all(metric in (spec.metrics or ()) for spec in specs)]
    return list(dict.fromkeys([*map(Metric.resolve, usual), *named]))


def scores(predicted: PredictedRows, figures: Sequence[Metric]) -> dict[str, float]:
    """The figures of an predicted; NaN where one is not defined."""
    return {name: float(value) for figure in figures for name, value in figure.figures(predicted).items()}


def _compared(
    predictor: Predictor, loaded: LoadedData, rows: Mapping[str, EncodedRows], wanted: Sequence[str]
) -> Comparison:
    tables = {
        split: that_counts(loaded.readers[split].survey.take(loaded.rows[split]), predictor)
        for split in dict.fromkeys(["train", *wanted])
        if rows[split].member is None
    }
    inputs, n_classes = Inputs(tables["train"], loaded.kinds), len(loaded.classes or ())
    X = {split: inputs.matrix(table) for split, table in tables.items()}
    found: Comparison = {split: {} for split in wanted}
    for baseline in BASELINES:
        model = inputs.model(baseline, n_classes, predictor.spec.seed)
        try:
            answered = _answers(model, X, rows, wanted, n_classes)
        except ValueError as error:
            what = str(error).partition("\n")[0]
            warnings.warn(f"the {baseline.name} baseline cannot be fitted: {what:.200}", NnfsWarning, stacklevel=4)
            continue
        for split, y_hat in answered.items():
            predicted = PredictedRows(rows[split].truth, y_hat, rows[split].weight, None, predictor.words)
            found[split][baseline.name] = finite(scores(predicted, shared_figures([predictor.spec])))
    return found


def _answers(
    model: Any, X: Mapping[str, Array], rows: Mapping[str, EncodedRows], wanted: Iterable[str], n_classes: int
) -> dict[str, Array]:
    """What a model says of each split. Rows that a net is judged by out of fold are left out of what it learns, too."""

    def learned_from(train: EncodedRows, inputs: Array, asked: Mapping[str, Array]) -> dict[str, Array]:
        return answers(model, inputs, train.truth, train.weight, n_classes, asked)

    direct = {split: X[split] for split in wanted if rows[split].member is None}
    found = learned_from(rows["train"], X["train"], direct) if direct else {}
    for split in wanted:
        if (held_out := rows[split].member) is None:
            continue
        places, said = [], []
        for fold in np.unique(held_out):
            seen, unseen = np.flatnonzero(held_out != fold), np.flatnonzero(held_out == fold)
            said.append(learned_from(rows["train"].take(seen), X["train"][seen], {split: X["train"][unseen]})[split])
            places.append(unseen)
        found[split] = np.concatenate(said)[np.argsort(np.concatenate(places))]
    return found
