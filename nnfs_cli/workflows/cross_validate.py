"""Cross-validate configs: train on all folds but one, and score on that one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.user_code import LOADED, comes_from_files
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import Folds, deal_forward, deal_rows
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, Fault
from nnfs_cli.experiment.read_data import MACHINERY, LoadedData, load_data
from nnfs_cli.metrics import Metric
from nnfs_cli.metrics.student_t import t_quantile
from nnfs_cli.system.map_tasks import map_tasks
from nnfs_cli.system.memory import physical_memory
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import allowed_threads, thread_limit
from nnfs_cli.system.wording import counted, shown
from nnfs_cli.workflows.compare import shared_metrics
from nnfs_cli.workflows.result import without_rows
from nnfs_cli.workflows.train_fold import CrossValidated, FoldTraining, classes_of, train_fold

BYTES_PER_CELL = 32  # of a table: its number, the encoded one with its copies in training, and what reading it took
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
    table, classes = first.readers["train"].survey, classes_of(first_config, first, pool)
    metrics = shared_metrics(list(configs.values()))
    seeds = {name: [_seed_of(config, repeat) for repeat in range(repeats)] for name, config in configs.items()}
    dealt = [_deal(first_config, table, pool, classes, folds, seed) for seed in seeds[first_name]]
    workers = most_workers(configs, loaded)
    places = [(repeat, fold, name) for repeat in range(repeats) for fold in range(folds) for name in configs]
    trainings = [
        FoldTraining(name, repeat, fold, dealt[repeat], seeds[name][repeat], threads)
        for (repeat, fold, name), threads in zip(places, _threads(len(places), workers), strict=True)
    ]
    plain = {name: without_rows(config) for name, config in configs.items()}
    shared = CrossValidated(tuple(LOADED.values()), plain, loaded, pool, tuple(metrics))
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in configs}
    weights: dict[str, list[dict[str, float]]] = {name: [] for name in configs}
    owners: dict[str, Metric] = {}
    predictions: list[dict[str, Array]] = []
    results = map_tasks(partial(train_fold, shared), trainings, workers)
    for training, result in zip(trainings, results, strict=True):
        figures[training.config].append(result.figures)
        weights[training.config].append(result.weights)
        owners = result.metrics
        predictions.append(result.predictions)
        report(training.config, training.repeat, training.fold, result.figures)
    columns = {key: np.concatenate([block[key] for block in predictions]) for key in predictions[0]}
    return CrossValidation(len(pool), folds, repeats, figures, weights, owners, columns)


def most_workers(configs: Mapping[str, Config], loaded: Mapping[str, LoadedData]) -> int:
    """Return how many processes may train at once.

    In one process stay the user's own callbacks, which may watch for something outside of them, and what another
    process cannot load.
    """
    stays = any(callback.is_own() for config in configs.values() for callback in config.callbacks)
    if stays or not comes_from_files(list(configs.values())):
        return 1
    need = MACHINERY + BYTES_PER_CELL * sum(data.n_cells for data in loaded.values())
    limits = [config.memory_limit for config in configs.values() if config.memory_limit is not None]
    memory = min([*limits, (physical_memory() or math.inf) / 2])
    with thread_limit(min((config.threads for config in configs.values() if config.threads), default=None)):
        return max((n for n in range(1, allowed_threads() + 1) if n * need <= memory), default=1)


def _threads(trainings: int, workers: int) -> list[int | None]:
    """Return the limit of threads of each training: one, or more where cores would be idle, as in the last of 5 on 2.

    In one process, the limit is that of the config.
    """
    if workers == 1:
        return [None] * trainings
    last = trainings % workers
    return [*[1] * (trainings - last), *[workers // max(last, 1)] * last]


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
