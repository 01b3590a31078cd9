"""Cross-validate configs: train on all folds but one, and score on that one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import Folds, deal_forward, deal_rows
from nnfs_cli.data.labels import class_indices
from nnfs_cli.data.table import Table, text_of
from nnfs_cli.errors import DataError, Fault, NnfsWarning
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import LoadedData, class_weights_of, load_data
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.metrics.student_t import t_quantile
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, shown
from nnfs_cli.workflows.compare import shared_metrics
from nnfs_cli.workflows.fit import fit

Report = Callable[[str, int, int, dict[str, float]], object]  # called with a config's name, repeat, fold and figures


class FoldEstimate(NamedTuple):
    """The mean of a figure over folds, and its 95 % confidence interval.

    The mean of an RMSE is the root of the mean of its squares; see `CrossValidation.estimates`.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation."""

    rows: int
    folds: int
    repeats: int
    figures: Mapping[str, list[dict[str, float]]]  # by config; one dict for each fold of each repeat
    weights: Mapping[str, list[dict[str, float]]]  # how much each fold counts in each figure, likewise
    metrics: Mapping[str, Metric]  # by figure
    predictions: Mapping[str, Array]  # columns: config, repeat, fold, row, truth and predictions

    def estimates(self) -> dict[str, dict[str, FoldEstimate]]:
        """Return the estimates by config, then by figure.

        They are those of all rows pooled: a fold counts by its rows, the mean of RMSEs is the root of the mean of their
        squares, and that of R² is 1 - the sum of squared errors / the sum of squares. Intervals end where the range
        of the figure ends.
        """
        return {
            name: {
                figure: self._estimate(self._contributions(name, figure), *metric.figure_range)
                for figure, metric in self.metrics.items()
            }
            for name in self.figures
        }

    def differences(self) -> dict[str, dict[str, FoldEstimate]]:
        """Return how much greater the estimates of each other config are than those of the first, on the same folds."""
        first, *others = self.figures
        found: dict[str, dict[str, FoldEstimate]] = {name: {} for name in others}
        for name in others:
            for figure, metric in self.metrics.items():
                gains = self._contributions(name, figure) - self._contributions(first, figure)
                low, high = metric.figure_range
                found[name][figure] = self._estimate(gains, low - high, high - low)
        return found

    def _contributions(self, name: str, figure: str) -> Array:
        """Return a value for each fold, (folds · repeats,), whose mean is the pooled figure.

        Their spread is that of the pooled figure by the delta method: each is the pooled figure plus its gradient by
        the fold's sums.
        """
        power = self.metrics[figure].pooled_power
        values = np.array([fold[figure] for fold in self.figures[name]]) ** power
        weights = np.array([fold[figure] for fold in self.weights[name]])
        shares = weights / weights.mean() if weights.any() else np.ones(len(weights))
        pooled = float(np.mean(shares * values))
        slope = pooled ** (1 / power - 1) / power if pooled else 1.0
        return np.asarray(pooled ** (1 / power) + shares * (values - pooled) * slope)

    def _estimate(self, values: Array, least: float, greatest: float) -> FoldEstimate:
        """Return the mean of one value for each fold, with a t interval corrected for shared training rows.

        With k folds, the variance of the mean is (1 / n + 1 / (k - 1)) times the variance of the n values.
        Source: Nadeau and Bengio, "Inference for the Generalization Error" (2003).
        """
        n, mean = len(values), float(np.mean(values))
        spread = float(np.std(values, ddof=1)) * math.sqrt(1 / n + 1 / (self.folds - 1))
        reach = t_quantile(0.975, n - 1) * spread
        return FoldEstimate(mean, float(max(mean - reach, least)), float(min(mean + reach, greatest)))


def cross_validate(
    configs: Mapping[str, Config], folds: int = 5, repeats: int = 1, report: Report = lambda *_: None
) -> CrossValidation:
    """Cross-validate configs on the same folds.

    The folds are dealt from the training and validation rows of the first config; its test rows are not used. They are
    dealt at random, by group or, if its split is by time, forward: a fold is scored by nets that train on all rows
    before it, so the earliest rows only train. Of the other configs' splits, only the validation fraction is used.
    Raises `DataError` or `ConfigError` if the configs do not use the same rows, or rows that cannot be dealt.
    """
    (first_name, first_config), *_ = configs.items()
    if repeats > 1 and first_config.split.time is not None:
        message = "folds by time are the same in every repeat; leave repeats out"
        raise first_config.error([Fault(("split", "time"), message)])
    loaded = {name: load_data(_without_gap(config)) for name, config in configs.items()}
    first = loaded[first_name]
    pool = _pool(first_config, first)
    if len(pool) < 2 * folds:
        raise DataError(f"{counted(len(pool), 'row')} cannot be dealt into {folds} folds of two rows or more")
    for name in configs:
        _require_same_data(first, loaded[name], name)
    table, classes = first.readers["train"].survey, _classes(first_config, first, pool)
    metrics = shared_metrics(list(configs.values()))
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in configs}
    weights: dict[str, list[dict[str, float]]] = {name: [] for name in configs}
    owners: dict[str, Metric] = {}
    kind = "probability" if all(config.loss.probabilistic for config in configs.values()) else "score"
    predictions: list[dict[str, Array]] = []
    for repeat in range(repeats):
        dealt = _deal(first_config, table, pool, classes, folds, _seed_of(first_config, repeat))
        for fold in range(folds):
            for name, config in configs.items():
                seed = _seed_of(config, repeat)
                data = _leave_out(config, loaded[name], pool, dealt, fold, seed)
                predicted = _train_and_predict(config.model_copy(update={"seed": seed}), data)
                scored = {metric: metric.figures(predicted) for metric in metrics}  # NaN if a class is lacking
                owners = {figure: metric for metric, found in scored.items() for figure in found}
                figures[name].append({figure: float(found[figure]) for found in scored.values() for figure in found})
                weights[name].append({figure: metric.fold_weight(predicted) for figure, metric in owners.items()})
                predictions.append(_columns(name, repeat, fold, data, predicted, kind))
                report(name, repeat, fold, figures[name][-1])
    columns = {key: np.concatenate([block[key] for block in predictions]) for key in predictions[0]}
    return CrossValidation(len(pool), folds, repeats, figures, weights, owners, columns)


def _without_gap(config: Config) -> Config:
    """Return a config that loses no rows to the gap of its split: each fold leaves out its own."""
    return config.model_copy(update={"split": config.split.model_copy(update={"gap": None})})


def _pool(config: Config, loaded: LoadedData) -> Array:
    """Return the positions of the rows to deal. Raises an error if they cannot be dealt."""
    if loaded.budget is not None:
        raise DataError("cross-validation needs all rows in memory, and they need more than memory_limit")
    for way in ("column", "hash"):
        if way in config.split.column_by_key:
            message = f"cross-validation deals rows at random, by group or by time, not by {way}"
            raise config.error([Fault(("split", way), f"{message}; remove this key for `nnfs cv`")])
    validation = [] if "validation" in config.split.files else [loaded.rows["validation"]]
    return np.sort(np.concatenate([loaded.rows["train"], *validation]))


def _deal(config: Config, table: Table, pool: Array, classes: Array | None, folds: int, seed: int) -> Folds:
    """Deal the rows of the pool into folds; by time, into folds + 1 blocks of which the first one only trains."""
    if config.split.time is None:
        return deal_rows(table, pool, config.split.group, classes, folds, seed)
    return deal_forward(table, pool, config.split, folds, len(pool) // (folds + 1) * folds)


def _seed_of(config: Config, repeat: int) -> int:
    """Return the seed of a repeat: that of the config for the first one, and its own for each other one."""
    return int(random_stream(config.seed, "repeat", repeat).integers(2**32)) if repeat else config.seed


def _require_same_data(first: LoadedData, loaded: LoadedData, name: str) -> None:
    one, other = first.readers["train"], loaded.readers["train"]
    if (one.sha256, one.survey.n_rows, first.classes) != (other.sha256, other.survey.n_rows, loaded.classes):
        raise DataError(f"{name} uses other data than the first config, which uses {shown(one.name)}")


def _classes(config: Config, loaded: LoadedData, rows: Array) -> Array | None:
    """Return the class indices of some rows, if there are classes."""
    if loaded.classes is None:
        return None
    table = loaded.readers["train"].survey
    return class_indices(table, config.dataset.target_columns()[0], loaded.classes)[rows]


def _leave_out(config: Config, loaded: LoadedData, pool: Array, folds: Folds, fold: int, seed: int) -> LoadedData:
    """Return the data with a fold as the test split; the validation rows are some of the rows that train for it.

    They are drawn at random, or are the latest ones if the split is by time.
    """
    rest = pool[folds.trains[:, fold]]
    rows = {**loaded.rows, "train": rest, "test": pool[folds.fold == fold]}
    fractions, table = config.split.fractions, loaded.readers["train"].survey
    share = fractions.get("validation", 0.0) / (1 - fractions.get("test", 0.0))
    if share:
        split = config.split.model_copy(update={"validation": share, "test": 0.0, "hash": None, "column": None})
        splits = split.divide(table.take(rest), _classes(config, loaded, rest), seed)
        rows |= {name: rest[splits[name]] for name in ("train", "validation")}
    elif "validation" not in config.split.files:
        rows["validation"] = rest[:0]
    weights = loaded.class_weights
    if loaded.classes is not None and weights is not None:  # the later rows of a fold must not decide them
        indices = class_indices(table, config.dataset.target_columns()[0], loaded.classes)
        weights = class_weights_of(config, table, rows["train"], loaded.classes, indices)
    readers = {**loaded.readers, "test": loaded.readers["train"]}
    return replace(loaded, rows=rows, readers=readers, class_weights=weights)


def _train_and_predict(config: Config, loaded: LoadedData) -> PredictedRows:
    """Train a net, and return its predictions for the test rows."""
    with ignored_warnings(NnfsWarning):  # the same warnings would come again for every fold
        experiment = prepare(config, loaded)
        fit(experiment)
        return experiment.predictor.evaluate(experiment.splits["test"])[1]


def _columns(
    name: str, repeat: int, fold: int, loaded: LoadedData, predicted: PredictedRows, kind: str
) -> dict[str, Array]:
    """Return the predictions for a fold as columns of a table, of classes as `kind`; rows are counted from 1."""
    n = len(predicted.y)
    columns: dict[str, Any] = {
        "config": np.full(n, name, object),
        "repeat": np.full(n, repeat + 1),
        "fold": np.full(n, fold + 1),
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
