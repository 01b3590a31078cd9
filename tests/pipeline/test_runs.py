"""The pipeline of a trained net computes what the net predicts, of every kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.blend import BlendedModel
from nnfs_cli.blend.forest import Forest
from nnfs_cli.errors import ExportError, UserError
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.prediction.as_pipeline import as_pipeline
from nnfs_cli.prediction.calibration.spread import LearnedSpread, QuantileSpread
from nnfs_cli.prediction.cells import cells_of
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.predictor import Predictor
from tests.conftest import CONFIGS
from tests.pipeline.runs import (
    STEPS,
    assert_same,
    frame,
    new_rows,
    settings,
    table_of,
    trained,
    trained_and_calibrated,
)

ONE = ["linear: 4", "tanh", "linear: 1"]
THREE = ["linear: 4", "relu", "linear: 3"]
BLEND: list[Any] = [{"trees": {"most": 6, "min_rows": 5}}, {"forest": 3}, "linear", "constant"]
FOLDS: dict[str, Any] = {"members": 3, "holdout": "fold", "split": {"test": 0.2}}
KINDS: dict[str, dict[str, Any]] = {
    "two classes": settings("two", [*ONE, "sigmoid"], "binary_cross_entropy"),
    "classes in float64": settings("three", [*THREE, "softmax"], "cross_entropy", dtype="float64"),
    "logits of members": settings("three", THREE, "focal", members=3),
    "ordered classes": settings("grade", ["linear: 4", "cumulative_logits: 2"], {"ordinal": ["bad", "fair", "good"]}),
    "scores": settings("three", THREE, "hinge"),
    "scores of two classes": settings("two", ONE, "hinge"),
    "labels": settings(["wet", "cold"], ["linear: 2"], "binary_cross_entropy"),
    "a number": settings("price", ["linear: 4", "gelu", "linear: 1"], "mse", dtype="float64"),
    "numbers": settings(["price", "size"], ["linear: 2"], "mse", preprocessing={**STEPS, "target": "standardize"}),
    "quantiles": settings(["price", "size"], ["linear: 8"], {"quantile": [0.1, 0.4, 0.7, 0.9]}),
    "amounts": settings("size", ONE, "gamma"),
    "counts": settings("claims", ONE, "poisson", exposure="years"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run(kind: str) -> None:
    assert_same(trained(KINDS[kind], frame()), new_rows())


def with_calibration(predictor: Predictor, calibration: Any, level: float = 0.8) -> Predictor:
    return predictor.with_interval(Interval(calibration, level))


@pytest.fixture(scope="module")
def numbers() -> Predictor:
    """A net for two numbers, with a calibration."""
    return trained(KINDS["numbers"], frame(), 0.8)


@pytest.fixture(scope="module")
def classes() -> Predictor:
    """A net for three classes, trained with class weights, with a calibration."""
    return trained(KINDS["classes in float64"], frame(), 0.8, class_weights={0: 2, 2: 4})


def calibration_in(predictor: Predictor) -> Any:
    assert predictor.decision.interval is not None
    return predictor.decision.interval.calibration


@pytest.mark.parametrize("kind", ["ordered classes", "amounts", "quantiles"])
def test_an_interval_or_a_set(kind: str) -> None:
    assert_same(trained(KINDS[kind], frame(), 0.8), new_rows())


LIMITS = [[[-np.inf, -np.inf], [np.inf, np.inf]], [[-0.5, -np.inf], [np.inf, np.inf]], [[-0.1, 1.0], [0.2, 1.5]]]


@pytest.mark.parametrize("limits", [None, *LIMITS])
def test_limits_of_an_interval(numbers: Predictor, limits: Any) -> None:
    """Calibrations of earlier releases have none."""
    limits = None if limits is None else np.array(limits)
    calibration = replace(calibration_in(numbers), limits=limits, spread=None)
    assert_same(with_calibration(numbers, calibration), new_rows())


@pytest.mark.parametrize("left_out", [(), (1,), (0, 1, 2, 3)])
def test_a_learned_spread(numbers: Predictor, left_out: tuple[int, ...]) -> None:
    n = len(numbers.encoder.names)
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    spread = LearnedSpread.blank(n, left_out, 2, 2, rngs)
    rng = np.random.default_rng(0)
    spread.model.parameters.vector[...] += rng.normal(scale=0.1, size=spread.model.parameters.vector.shape)
    spread.mean[...], spread.factor[...] = rng.normal(size=(2, len(spread.mean)))
    spread.shrink[...] = 0.3, 1
    assert_same(with_calibration(numbers, replace(calibration_in(numbers), spread=spread)), new_rows())


def test_a_spread_of_quantiles() -> None:
    predictor = trained(KINDS["quantiles"], frame(), 0.8)
    assert isinstance(calibration_in(predictor).spread, QuantileSpread)
    wide = replace(calibration_in(predictor), spread=QuantileSpread(np.array([0.9, 1e-3])))
    assert_same(with_calibration(predictor, wide), new_rows())


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_sets_of_classes_trained_with_weights(classes: Predictor, temperature: float) -> None:
    found = calibration_in(classes)
    assert found.class_weights == (2, 1, 4)
    for level, weights in ((0.05, (2.0, 1.0, 4.0)), (0.5, (1.0, 0.0, 3.0)), (0.9, None)):
        calibration = replace(found, temperature=temperature, class_weights=weights)
        assert_same(with_calibration(classes, calibration, level), new_rows())


def test_sets_of_edition_1_have_one_bound_for_all_classes(classes: Predictor) -> None:
    calibration = calibration_in(classes)
    assert_same(with_calibration(classes, replace(calibration, scores=calibration.scores[:1], test=None)), new_rows())


def test_a_level_that_too_few_rows_were_held_out_for(numbers: Predictor) -> None:
    with pytest.raises(UserError, match="needs 99,999 rows"):
        as_pipeline(with_calibration(numbers, calibration_in(numbers), 0.99999))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_thresholds(threshold: float) -> None:
    assert_same(two_classes().with_threshold(threshold), new_rows())
    each = labels().with_decision({"targets": {"cold": {"threshold": threshold}}})
    assert_same(each, new_rows())


def test_a_probability_that_equals_the_threshold_is_decided_in_float64() -> None:
    """In float32 the threshold would be rounded to the probability, which is below it."""
    predictor = two_classes()
    rows = frame(20, 2)
    p = predictor.predict(table_of(rows, predictor))["probability_yes"]
    for above in (False, True):
        threshold = float(np.nextafter(np.float64(p[3]), 1.0)) if above else float(p[3])
        outputs, _ = evaluate(
            as_pipeline(predictor.with_threshold(threshold)), cells_of(predictor.encoder, table_of(rows, predictor))
        )
        assert outputs["prediction"][3] == ("no" if above else "yes")


@cache
def two_classes() -> Predictor:
    return trained(KINDS["two classes"], frame())


@cache
def labels() -> Predictor:
    return trained(KINDS["labels"], frame())


def test_without_a_column_of_exposures_each_is_1() -> None:
    predictor = trained(KINDS["counts"], frame())
    rows = new_rows()
    assert as_pipeline(predictor).columns.keys() == {"a", "b", "kind", "years"}
    assert_same(predictor, rows)
    assert_same(predictor, rows.drop(columns="years"))


@pytest.mark.parametrize("edition", [1, 2])
def test_dates_with_offsets_have_the_hours_that_the_run_gave_them(edition: int) -> None:
    """Runs of edition 1 took the time in UTC, and later ones the local time."""
    rows = frame(60).assign(kind=pd.date_range("2024-01-01", periods=60, freq="37h", tz="America/New_York"))
    steps = {**STEPS, "dates": {"calendar": ["day_cycle", "week_cycle", "month_cycle"]}}
    assert_same(trained(KINDS["amounts"], rows, edition=edition, preprocessing=steps), rows)


@pytest.mark.parametrize("kind", ["two classes", "classes in float64", "ordered classes", "numbers"])
def test_a_blend(kind: str) -> None:
    predictor = trained(KINDS[kind], frame(), 0.7, blend=BLEND, **FOLDS)
    assert_same(predictor, new_rows())
    blend = predictor.blend
    assert blend is not None
    for part in range(len(blend.names)):  # each part alone, which has its arrays if it counts
        if blend.weights[0, part]:
            weights = blend.weights * 0
            weights[:, part] = 0.7 if blend.probable else 1
            predictor.blend = replace(blend, weights=weights)
            assert_same(predictor, new_rows())


def test_a_blended_model_without_operations_is_named() -> None:
    class Twice(Forest):
        def outputs(self, *about: Any) -> Array:
            return 2 * super().outputs(*about)

    predictor = trained(KINDS["two classes"], frame(), blend=["forest: 2"], **FOLDS)
    assert predictor.blend is not None
    predictor.blend = replace(predictor.blend, models=(Twice(2),), weights=np.ones_like(predictor.blend.weights))
    with pytest.raises(ExportError, match="the blended model forest has no method `operations`"):
        as_pipeline(predictor)


@pytest.mark.parametrize("model", BlendedModel.registered.values(), ids=lambda one: one.name)
def test_every_blended_model_says_what_it_computes(model: type[BlendedModel]) -> None:
    model().require_operations()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("config", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_config(config: Path) -> None:
    predictor, calibration = trained_and_calibrated(config, epochs=3)
    assert_same(predictor, None)
    if calibration is not None:
        assert_same(predictor.with_interval(Interval(calibration, 0.5)), None)


PRESETS: dict[str, Any] = {
    "two": {},
    "three": {"loss": "cross_entropy"},
    "price": {"loss": "mse", "layers": [{"residual": [{"linear": 8}, "layer_norm", "selu"]}, "linear: 1"]},
    "size": {"loss": {"quantile": [0.1, 0.9]}, "layers": ["linear: 8", "layer_norm", "prelu", "linear: 2"]},
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", PRESETS)
def test_the_preset(target: str, dtype: str) -> None:
    """It chooses embeddings, views of numbers, members and a blend."""
    rng, rows = np.random.default_rng(0), frame(400)
    rows = rows.assign(kind=rng.choice([*"abcdefghijklmnopqrstuvw"], 400)).mask(rng.random(rows.shape) < 0.03)
    dataset = settings(target, [], "")["dataset"]
    kinds = {**PRESETS[target], "preset": "tabular", "dataset": dataset, "dtype": dtype, "epochs": 3}
    predictor, calibration = trained_and_calibrated(kinds, rows.dropna(subset=[target]))
    assert_same(predictor, new_rows())
    assert_same(predictor.with_interval(Interval(calibration, 0.8)), new_rows())
