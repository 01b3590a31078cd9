"""Train a net without one fold and score it on that fold: the task that a cross-validation repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.user_code import CodeFile
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import Folds
from nnfs_cli.data.labels import class_indices
from nnfs_cli.data.table import text_of
from nnfs_cli.errors import NnfsWarning
from nnfs_cli.experiment.experiment import fit_net, prepare
from nnfs_cli.experiment.read_data import LoadedData, class_weights_of
from nnfs_cli.experiment.usable_rows import without_unusable
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.fit import fit


@dataclass(frozen=True)
class CrossValidated:
    """What all trainings of a cross-validation share: plain values that another process can receive.

    `pool` (rows,) are the indices of the rows that were dealt. The `code` comes first, since it defines components of
    the configs.
    """

    code: tuple[CodeFile, ...]
    configs: Mapping[str, Config]
    loaded: Mapping[str, LoadedData]
    pool: Array
    metrics: tuple[Metric, ...]


class FoldTraining(NamedTuple):
    """A training to do: of which config, and for which fold of which repeat; both are counted from 0."""

    config: str
    repeat: int
    fold: int
    folds: Folds  # of the rows of the pool
    seed: int
    threads: int | None  # None stands for those of the config


class FoldScore(NamedTuple):
    """Figures on the rows of a fold, how much the fold counts in each, and its predictions as columns of a table."""

    figures: dict[str, float]
    weights: dict[str, float]
    metrics: dict[str, Metric]  # by figure
    predictions: dict[str, Array]


def train_fold(shared: CrossValidated, training: FoldTraining) -> FoldScore:
    """Train the net of a config on the rows of all folds but one, and score it on that one."""
    config = shared.configs[training.config]
    config = config.model_copy(update={"seed": training.seed, "threads": training.threads or config.threads})
    data = _leave_out(config, shared.loaded[training.config], shared.pool, training)
    with thread_limit(config.threads):
        predicted = _train_and_predict(config, data)
        scored = {metric: metric.figures(predicted) for metric in shared.metrics}  # NaN if a class is lacking
    metrics = {figure: metric for metric, found in scored.items() for figure in found}
    figures = {figure: float(found[figure]) for found in scored.values() for figure in found}
    weights = {figure: metric.fold_weight(predicted) for figure, metric in metrics.items()}
    probable = all(one.loss.probabilistic for one in shared.configs.values())
    columns = _columns(training, data, predicted, "probability" if probable else "score")
    return FoldScore(figures, weights, metrics, columns)


def classes_of(config: Config, loaded: LoadedData, rows: Array) -> Array | None:
    """Return the class indices (n,) of some rows of the table, if there are classes."""
    if loaded.classes is None:
        return None
    table = loaded.readers["train"].survey
    return class_indices(table, config.dataset.target_columns()[0], loaded.classes)[rows]


def _leave_out(config: Config, loaded: LoadedData, pool: Array, training: FoldTraining) -> LoadedData:
    """Return the data with a fold as the test split; the validation rows are some of the rows that train for it.

    They are drawn at random, or are the latest ones if the split is by time.
    """
    folds = training.folds
    rest = pool[folds.trains[:, training.fold]]
    rows = {**loaded.rows, "train": rest, "test": pool[folds.fold == training.fold]}
    fractions, table = config.split.fractions, loaded.readers["train"].survey
    share = fractions.get("validation", 0.0) / (1 - fractions.get("test", 0.0))
    if share:
        split = config.split.model_copy(update={"validation": share, "test": 0.0, "hash": None, "column": None})
        splits = split.divide(table.take(rest), classes_of(config, loaded, rest), training.seed)
        rows |= {name: rest[splits[name]] for name in ("train", "validation")}
    elif "validation" not in config.split.files:
        rows["validation"] = rest[:0]
    weights = loaded.class_weights
    if loaded.classes is not None and weights is not None:  # the later rows of a fold must not decide them
        indices = class_indices(table, config.dataset.target_columns()[0], loaded.classes)
        weights = class_weights_of(config, table, rows["train"], loaded.classes, indices)
    readers = {**loaded.readers, "test": loaded.readers["train"]}
    data = replace(loaded, rows=rows, readers=readers, class_weights=weights)
    return without_unusable(config, fit_net(config, data)[0].encoder, data) if config.on_error == "skip" else data


def _train_and_predict(config: Config, loaded: LoadedData) -> PredictedRows:
    """Train a net, and return its predictions for the test rows."""
    with ignored_warnings(NnfsWarning):  # the same warnings would come again for every fold
        experiment = prepare(config, loaded)
        fit(experiment)
        return experiment.predictor.evaluate(experiment.splits["test"])[1]


def _columns(training: FoldTraining, loaded: LoadedData, predicted: PredictedRows, kind: str) -> dict[str, Array]:
    """Return the predictions for a fold as columns of a table, of classes as `kind`; rows are counted from 1."""
    n = len(predicted.y)
    columns: dict[str, Any] = {
        "config": np.full(n, training.config, object),
        "repeat": np.full(n, training.repeat + 1),
        "fold": np.full(n, training.fold + 1),
        "row": loaded.rows["test"] + 1,
    }
    if loaded.classes is not None:
        labels = np.array([text_of(label) for label in loaded.classes], object)
        columns |= {"truth": labels[predicted.y], "prediction": labels[predicted.decided]}
        return columns | {f"{kind}_{label}": values for label, values in zip(labels, predicted.y_hat.T, strict=True)}
    many = predicted.y.shape[1] > 1
    for j in range(predicted.y.shape[1]):
        suffix = f"_{j + 1}" if many else ""
        columns |= {f"truth{suffix}": predicted.y[:, j], f"prediction{suffix}": predicted.y_hat[:, j]}
    return columns
