"""How good a config is, by nets that are each trained without a fold of the rows and judged by it."""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.folds import deal_rows
from nnfs_cli.data.labels import class_indices
from nnfs_cli.data.split import Split
from nnfs_cli.data.table import text_of
from nnfs_cli.errors import DataError, Fault, NnfsWarning
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.system.wording import counted, shown
from nnfs_cli.workflows.compare import scores, shared_figures
from nnfs_cli.workflows.train import begin, train

Report = Callable[[str, int, int, dict[str, float]], object]  # of a config's name, a repeat and a fold: its figures


class Estimate(NamedTuple):
    """A mean over folds, and the interval that holds what is estimated in 95 of 100 cases."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class CrossValidation:
    """What came out: figures by config, one for each fold of each repeat, and what was said of each row."""

    rows: int
    folds: int
    repeats: int
    figures: Mapping[str, list[dict[str, float]]]
    predictions: Mapping[str, Array]  # columns: config, repeat, fold, row, truth, and what was predicted

    def estimates(self) -> dict[str, dict[str, Estimate]]:
        """By config, then by figure."""
        return {
            name: {figure: self.estimate([one[figure] for one in found]) for figure in found[0]}
            for name, found in self.figures.items()
        }

    def differences(self) -> dict[str, dict[str, Estimate]]:
        """How much greater the figures of each config are than those of the first, on the same folds."""
        (_, first), *others = self.figures.items()
        return {
            name: {
                figure: self.estimate([b[figure] - a[figure] for a, b in zip(first, found, strict=True)])
                for figure in first[0]
            }
            for name, found in others
        }

    def estimate(self, values: Sequence[float]) -> Estimate:
        """The mean of one value a fold, with a t interval that knows that training rows are shared.

        With k folds the variance of the mean is (1 / n + 1 / (k - 1)) times that of the n values.
        Source: Nadeau and Bengio, "Inference for the Generalization Error" (2003).
        """
        from scipy.stats import t

        n, mean = len(values), float(np.mean(values))
        spread = float(np.std(values, ddof=1)) * math.sqrt(1 / n + 1 / (self.folds - 1))
        reach = float(t.ppf(0.975, n - 1)) * spread
        return Estimate(mean, mean - reach, mean + reach)


def cross_validate(
    specs: Mapping[str, Config], folds: int = 5, repeats: int = 1, report: Report = lambda *_: None
) -> CrossValidation:
    """Train every spec on the same folds: each time on all rows but those of one, which then judge it.

    The rows are those that the first spec's split leaves after the test rows, which nothing is learned of here either;
    of the others' splits only the share that validates counts.
    Raises `DataError` or `ConfigError` where the specs are not about the same rows.
    """
    loaded_by_name = {name: load_data(spec) for name, spec in specs.items()}
    first_spec, first = next(iter(specs.values())), next(iter(loaded_by_name.values()))
    pool = _pool(first_spec, first)
    if len(pool) < 2 * folds:
        raise DataError(f"{counted(len(pool), 'row')} cannot be dealt into {folds} folds of two or more")
    for name, loaded in loaded_by_name.items():
        _require_the_same(first, loaded, name)
    table, classes = first.readers["train"].survey, _classes(first_spec, first, pool)
    figures = shared_figures(list(specs.values()))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in specs}
    said: list[dict[str, Array]] = []
    for repeat in range(repeats):
        dealt = deal_rows(table, pool, first_spec.split.group, classes, folds, first_spec.seed + repeat)
        for fold in range(folds):
            for name, spec in specs.items():
                seed = spec.seed + repeat
                loaded = _without(spec, loaded_by_name[name], pool, dealt == fold, seed)
                predicted = _trained(spec.model_copy(update={"seed": seed}), loaded)
                found[name].append(
                    scores(predicted, figures)
                )  # of a fold without one of the classes some are no numbers
                said.append(_columns(name, repeat, fold, loaded, predicted))
                report(name, repeat, fold, found[name][-1])
    columns = {key: np.concatenate([part[key] for part in said]) for key in said[0]}
    return CrossValidation(len(pool), folds, repeats, found, columns)


def _pool(spec: Config, loaded: LoadedData) -> Array:
    """The places of the rows that take part. Raises where they cannot be dealt at random."""
    if loaded.budget is not None:
        raise DataError("folds are dealt in memory, and these rows are more than memory_limit holds")
    for way in ("time", "column", "hash"):
        if way in spec.split.column_by_key:
            message = "cv deals rows at random, or by group; what the net is to be judged by later cannot be dealt so"
            raise spec.error([Fault(("split", way), message)])
    held_back = [] if "validation" in spec.split.files else [loaded.rows["validation"]]
    return np.sort(np.concatenate([loaded.rows["train"], *held_back]))


def _require_the_same(first: LoadedData, loaded: LoadedData, name: str) -> None:
    one, other = first.readers["train"], loaded.readers["train"]
    if (one.sha256, one.survey.n_rows, first.classes) != (other.sha256, other.survey.n_rows, loaded.classes):
        raise DataError(f"{name} is about other data than the first config, {shown(one.name)}")


def _classes(spec: Config, loaded: LoadedData, rows: Array) -> Array | None:
    """The class indices of some rows, if there are classes."""
    if loaded.classes is None:
        return None
    table = loaded.readers["train"].survey
    return class_indices(table, spec.dataset.target_columns()[0], loaded.classes)[rows]


def _without(spec: Config, loaded: LoadedData, pool: Array, fold: Array, seed: int) -> LoadedData:
    """The rows without a fold, which becomes the test; as many of them validate as the config says."""
    rest = pool[~fold]
    rows = {**loaded.rows, "train": rest, "test": pool[fold]}
    fractions = spec.split.fractions
    share = fractions.get("validation", 0.0) / (1 - fractions.get("test", 0.0))
    if share:
        split = Split(validation=share, stratify=spec.split.stratify, group=spec.split.group)
        table = loaded.readers["train"].survey.take(rest)
        parts = split.divide(table, _classes(spec, loaded, rest), seed)
        rows |= {part: rest[parts[part]] for part in ("train", "validation")}
    elif "validation" not in spec.split.files:
        rows["validation"] = rest[:0]
    readers = {**loaded.readers, "test": loaded.readers["train"]}
    return replace(loaded, rows=rows, readers=readers)


def _trained(spec: Config, loaded: LoadedData) -> PredictedRows:
    """What a net of these rows says of the test rows; its run vanishes."""
    with tempfile.TemporaryDirectory(prefix="nnfs-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", NnfsWarning)  # it would be said for every fold
        experiment = prepare(spec, loaded)
        train(experiment, begin(experiment, folder))
        return experiment.predictor.judge(experiment.splits["test"])[1]


def _columns(name: str, repeat: int, fold: int, loaded: LoadedData, predicted: PredictedRows) -> dict[str, Array]:
    """What is known of each row of a fold, as columns of a table; rows are counted from 1."""
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
        return columns | {f"score_{label}": values for label, values in zip(labels, predicted.y_hat.T, strict=True)}
    many = predicted.y.shape[1] > 1
    for j in range(predicted.y.shape[1]):
        suffix = f"_{j + 1}" if many else ""
        columns |= {f"truth{suffix}": predicted.y[:, j], f"prediction{suffix}": predicted.y_hat[:, j]}
    return columns
