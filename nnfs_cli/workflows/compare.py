"""Compare a net with baseline models on exactly the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DataError, RunError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.experiment.usable_rows import without_unusable
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.threads import openmp_limit
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import listing
from nnfs_cli.workflows.baselines import BASELINES, Baseline, BaselineInputs, fit_and_predict
from nnfs_cli.workflows.boosting import MANY, TreeChoice, folds_for_trees, joined_copies
from nnfs_cli.workflows.evaluate import rows_with_weight
from nnfs_cli.workflows.figures import Figures, finite
from nnfs_cli.workflows.load_run import data_of, restore
from nnfs_cli.workflows.verdicts import Verdict
from nnfs_cli.workflows.verdicts.against_baselines import Contest, against_baselines


class Comparison(dict[str, Figures]):
    """Figures by split, then by model; `verdict` says whether the net is better than the best baseline.

    The figures called validation may be `out_of_fold`: each row is predicted by a model without it.
    """

    verdict: Sequence[Verdict] = ()
    out_of_fold: bool = False


def baselines(config: Config) -> Comparison:
    """Return the figures of baseline models on the held-out rows of a config, or else on its training rows.

    Raises `DataError` or `ConfigError` if config and data do not fit together.
    """
    loaded = _require_memory(load_data(config))
    experiment = prepare(config, loaded)
    loaded = without_unusable(config, experiment.predictor.encoder, loaded)
    wanted = _held_out(experiment.splits)
    predicted = _predict_baselines(experiment.predictor, loaded, experiment.splits, wanted, BASELINES)
    return _scored(predicted, config)


def compare(
    run: RunDirectory,
    splits: Sequence[str] | None = None,
    weights: str = "best",
    data: Any = None,
    predictor: Predictor | None = None,
) -> Comparison:
    """Return the figures of a run and of the baselines on its splits, by default the held-out ones.

    `data` holds the rows, if they are not where the config says, or were given in Python; see `rows_for`.
    `predictor` takes the place of the net of the run: it may have another threshold or other metrics.
    Raises `RunError` for a split that the run does not have, `DataError` if the data is missing or has changed.
    """
    predictor = predictor or restore(run, weights)
    loaded = _require_memory(data_of(run, predictor.config, "restore the data", data))
    rows = encode_splits(predictor, loaded)
    wanted = list(splits or _held_out(rows))
    if missing := [split for split in wanted if split not in rows]:
        raise RunError(f"{run.path} has no {missing[0]} rows; it has {listing([*rows])} rows")
    return beside_baselines(run.path.name, predictor, loaded, rows, wanted)


def beside_baselines(
    name: str,
    predictor: Predictor,
    loaded: LoadedData,
    rows: Mapping[str, EncodedRows],
    wanted: Sequence[str],
    models: Sequence[Baseline] = BASELINES,
) -> Comparison:
    """Return the figures of a net, called `name`, and of baseline models on the wanted splits of its rows."""
    others = _predict_baselines(predictor, loaded, rows, wanted, models)
    nets = {split: predictor.evaluate(rows[split])[1] for split in wanted}
    comparison = _scored({split: {name: nets[split], **others[split]} for split in wanted}, predictor.config)
    contests = [Contest(nets[split], others[split], rows[split].member) for split in wanted if split != "train"]
    comparison.verdict = [*against_baselines(contests, predictor.config.loss)]
    return comparison


def _scored(predicted: Mapping[str, Mapping[str, PredictedRows]], config: Config) -> Comparison:
    """Return the figures of predicted rows, by split, then by model."""
    metrics = shared_metrics([config])
    comparison = Comparison(
        {
            split: {model: finite(figures_by(metrics, rows)) for model, rows in models.items()}
            for split, models in predicted.items()
        }
    )
    comparison.out_of_fold = config.holdout is not None
    return comparison


def _require_memory(loaded: LoadedData) -> LoadedData:
    if loaded.budget is not None:
        raise DataError("baselines need all rows in memory, and the data needs more than memory_limit")
    return loaded


def _held_out(splits: Iterable[str]) -> list[str]:
    return [split for split in splits if split != "train"] or ["train"]


def shared_metrics(configs: Sequence[Config]) -> list[Metric]:
    """Return the metrics to compare configs by: rmse or log_loss, then the metrics that all configs name."""
    losses = [config.loss for config in configs]
    usual = ["rmse"] if losses[0].task == "regression" else ["log_loss"] * all(loss.probabilistic for loss in losses)
    named = [
        metric for metric in configs[0].metrics or () if all(metric in (config.metrics or ()) for config in configs)
    ]
    return list(dict.fromkeys([*map(Metric.resolve, usual), *named]))


def figures_by(metrics: Sequence[Metric], predicted: PredictedRows) -> dict[str, float]:
    """Return the figures of predicted rows by these metrics; NaN where one is not defined."""
    return {name: float(value) for metric in metrics for name, value in metric.figures(predicted).items()}


def _predict_baselines(
    predictor: Predictor,
    loaded: LoadedData,
    rows: Mapping[str, EncodedRows],
    wanted: Sequence[str],
    models: Sequence[Baseline],
) -> dict[str, dict[str, PredictedRows]]:
    """Return what baseline models predict for the wanted splits, by split, then by model."""
    config = predictor.config
    tables = {
        split: rows_with_weight(loaded.readers[split].survey.take(loaded.rows[split]), predictor)
        for split in dict.fromkeys(["train", *wanted])
        if rows[split].member is None
    }
    inputs, n_classes = BaselineInputs(tables["train"], loaded.kinds, config.preprocessing), len(loaded.classes or ())
    X = {split: inputs.matrix(table) for split, table in tables.items()}
    train = replace(rows["train"], X=X["train"])
    found: dict[str, dict[str, PredictedRows]] = {split: {} for split in wanted}
    for baseline in models:
        levels = config.loss.constant_levels() if baseline.name == "constant" else ()
        model = inputs.model(baseline, n_classes, config.seed, levels)
        fit = partial(fit_and_predict, n_classes=n_classes, levels=levels)
        choice, known = None, train
        try:
            with openmp_limit(1 if len(train) < MANY else config.threads):
                if baseline.name == "boosting":
                    known, places = joined_copies(train, inputs.n_numbers)
                    classes, table = known.truth if n_classes else None, tables["train"].take(places)
                    folds = known.folds or folds_for_trees(config.split, table, classes, config.seed)
                    choice = TreeChoice(model, known.X, known.truth, known.weight, n_classes, folds)
                predictions = _predict(model, fit, choice, known, X, rows, wanted)
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            warn(f"the {baseline.name} baseline cannot be fitted: {reason:.200}")
            continue
        for split, y_hat in predictions.items():
            quantiles = config.loss.quantiles(y_hat) if levels else {}
            answer = config.loss.answer(y_hat) if levels else y_hat
            truth, weight = rows[split].truth, rows[split].weight
            found[split][baseline.name] = PredictedRows(truth, answer, weight, None, predictor.labels, quantiles)
    return found


def _predict(
    model: Any,
    fit: Callable[..., dict[str, Array]],
    choice: TreeChoice | None,
    known: EncodedRows,
    X: Mapping[str, Array],
    rows: Mapping[str, EncodedRows],
    wanted: Iterable[str],
) -> dict[str, Array]:
    """Return the predictions of a model for each split, fitted to `known` rows, whose X holds inputs of the model.

    Rows out of fold for the net are out of fold for the model.
    """

    def fitted_to(some: EncodedRows, new: Mapping[str, Array], left_out: int | None = None) -> dict[str, Array]:
        if choice is not None:
            model.set_params(model__max_iter=choice.best(left_out))
        return fit(model, some.X, some.truth, some.weight, new)

    direct = {split: X[split] for split in wanted if rows[split].member is None}
    predictions = fitted_to(known, direct) if direct else {}
    for split in wanted:
        if rows[split].member is None or (folds := rows["train"].folds) is None or known.folds is None:
            continue
        places, of_folds = [], []
        for fold in range(folds.n_folds):
            seen, unseen = np.flatnonzero(known.folds.trains[:, fold]), np.flatnonzero(folds.fold == fold)
            found = fitted_to(known.take(seen), {split: X["train"][unseen]}, fold)
            of_folds.append(found[split])
            places.append(unseen)
        predictions[split] = np.concatenate(of_folds)[np.argsort(np.concatenate(places))]
    return predictions
