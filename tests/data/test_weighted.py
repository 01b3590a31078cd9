"""A row of weight 2 is two rows: in every statistic, step, loss and metric, against rows that are repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli import NetRegressor, workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.weighted import as_counts, deviation, mean, median, quantiles
from nnfs_cli.data.weights import resolve_class_weights
from nnfs_cli.experiment import read_data
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.calibration.temperature import fit_temperature
from nnfs_cli.prediction.threshold import best_threshold
from tests.data.encoding_helpers import EVERYTHING, rows, settings, text
from tests.data.step_helpers import NUMBERS, OTHERS, WIDENING, stored

LEVELS = np.array([0, 0.01, 0.25, 1 / 3, 0.5, 0.9, 1])
ROWS = st.lists(
    st.tuples(st.integers(-3, 3).map(float) | st.floats(-1e12, 1e12), st.integers(1, 5)), min_size=1, max_size=30
)

random = np.random.default_rng(3)
N = 60
COUNTS = random.integers(1, 5, N)
TWICE = np.repeat(np.arange(N), COUNTS)  # each row as often as its weight says
WEIGHTS = COUNTS.astype(np.float64)
DRAWN = random.bit_generator.state
EXAMPLES = sorted(
    {example for member in PreprocessingStep.registered.values() for example in member.examples}
    | {*NUMBERS, *WIDENING, *OTHERS}
)


@pytest.fixture(autouse=True)
def same_numbers_in_any_order() -> None:
    """Let every test draw the same numbers, whichever tests ran before it in this process."""
    random.bit_generator.state = DRAWN


def near(found: Any, expected: Any) -> None:
    """Compare fits, however they are nested, to 1e-9."""
    if isinstance(expected, Mapping):
        assert list(found) == list(expected)
        for key, value in expected.items():
            near(found[key], value)
    elif isinstance(expected, list) and not all(isinstance(value, float) for value in expected):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            near(one, other)
    elif isinstance(expected, float | list):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    else:
        assert found == expected


# --- statistics ------------------------------------------------------------------------------------------------------


@given(of_rows=ROWS)
@example(of_rows=[(1.0, 1), (1e12, 3), (1.0, 5), (-1e-12, 2)])
def test_statistics_of_whole_weights_are_those_of_repeated_rows(of_rows: list[tuple[float, int]]) -> None:
    column, counts = (np.array(values) for values in zip(*of_rows, strict=True))
    repeated, weights = np.repeat(column, counts), counts.astype(np.float64)
    size = 1e-9 * np.abs(column).max()
    assert quantiles(column, LEVELS, weights) == pytest.approx(np.quantile(repeated, LEVELS), rel=1e-9, abs=1e-3 * size)
    assert median(column, weights) == pytest.approx(np.median(repeated), rel=1e-9, abs=1e-3 * size)
    assert mean(column, weights) == pytest.approx(repeated.mean(), rel=1e-9, abs=size)
    assert deviation(column, weights) == pytest.approx(repeated.std(), rel=1e-9, abs=size)


@given(of_rows=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0.01, 30)), min_size=1, max_size=30))
def test_quantiles_of_any_weights_rise_within_the_range(of_rows: list[tuple[float, float]]) -> None:
    column, weights = (np.array(values) for values in zip(*of_rows, strict=True))
    counts = as_counts(weights)
    found = np.array(quantiles(column, np.linspace(0, 1, 50), counts))
    assert (np.diff(found) >= -1e-9 * np.abs(column).max()).all()
    assert found[0] >= column.min() - 1e-9
    assert found[-1] <= column.max() + 1e-9
    halves = [np.repeat(column, 2), None if counts is None else np.repeat(counts / 2, 2)]
    if counts is not None:  # two halves of a row are the row
        assert quantiles(halves[0], LEVELS, halves[1]) == pytest.approx(quantiles(column, LEVELS, counts), abs=1e-6)


def test_shares_that_sum_to_one_stand_for_as_many_rows_as_they_are_worth() -> None:
    column = random.normal(size=40)
    assert quantiles(column, LEVELS, as_counts(np.full(40, 1 / 40))) == pytest.approx(np.quantile(column, LEVELS))
    heavy = np.append(np.full(20, 2.0), np.full(40, 1e-9))
    assert np.sum(as_counts(heavy / heavy.sum())) == pytest.approx(20, rel=1e-6)  # Kish: the light rows add nothing
    assert as_counts(np.ones(3)) is None
    np.testing.assert_array_equal(as_counts(WEIGHTS), WEIGHTS)


# --- steps -----------------------------------------------------------------------------------------------------------


def columns_for(step: PreprocessingStep) -> tuple[Any, Any]:
    """Return data for a step, and the same with each row repeated."""
    if isinstance(step, NumberStep):
        numbers = np.round(random.lognormal(size=N), 1)  # with ties
        numbers[::7] = np.nan if step.name == "impute" else 2.0
        return numbers, numbers[TWICE]
    if isinstance(step, DateStep):
        dates = np.datetime64("2020-01-31", "us") + np.round(random.exponential(1e13, N)).astype("timedelta64[us]")
        return dates, dates[TWICE]
    texts = Texts.of(random.choice(["low", "medium", "high"], N))
    return texts, texts[TWICE]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_step_fits_weights_as_it_fits_repeated_rows(example: str) -> None:
    step: Any = PreprocessingStep.resolve(yaml.safe_load(example))
    column, repeated = columns_for(step)
    if not isinstance(step, CategoryStep):
        near(stored(step.fit(column, WEIGHTS)), stored(step.fit(repeated)))
        return
    y = random.normal(size=(N, 2))
    folds = step.assign_folds(N, 0)
    if folds is None:
        near(stored(step.fit(column, y, 0, WEIGHTS)), stored(step.fit(repeated, y[TWICE], 0)))
        return
    near(
        stored(step.fit_sample(column, y, 0, folds, WEIGHTS)),
        stored(step.fit_sample(repeated, y[TWICE], 0, folds[TWICE])),
    )


def test_every_step_changes_its_fit_with_the_weights_or_needs_none() -> None:
    """This list tells which steps weights cannot matter to; a new step must be here or use them."""
    same = set()
    for name, member in PreprocessingStep.registered.items():
        step: Any = member.resolve(yaml.safe_load(member.examples[-1]))
        y = (random.normal(size=(N, 1)), 0) if isinstance(step, CategoryStep) else ()
        uneven = np.where(np.arange(N) % 2, 1.0, 40.0)
        columns = [columns_for(step)[0] for _ in range(5)]  # of one, quantiles may stay the same by chance
        if all(step.fit(column, *y, uneven) == step.fit(column, *y) for column in columns):
            same.add(name)
    assert same == {
        "none",
        "min_max",
        "clamp",
        "log1p",
        "smooth_clip",
        "hashing",
        "impute",
        "one_hot",
        "embedding",
        "multi_hot",
    }


@pytest.mark.parametrize("name", ["one_hot", "embedding", "ordinal"])
def test_the_frequency_of_a_category_is_the_sum_of_its_weights(name: str) -> None:
    texts, weights = Texts.of(["a", "b", "b", "c", "c", None]), np.array([3.5, 1, 1, 2, 2, 0.5])
    for settings_of, known in (
        ("min_frequency: 3", ["a", "c"]),
        ("max_categories: 1", ["c"]),
        ("", ["a", "b", "c", None]),
    ):
        step: Any = PreprocessingStep.resolve(yaml.safe_load(f"{name}: {{{settings_of}}}"))
        fit = step.fit(texts, np.zeros((6, 1)), 0, weights)
        assert (fit["levels"], fit["other"]) == (known, len(known) < 4)


# --- losses, metrics, and what is chosen by them ----------------------------------------------------------------------


@pytest.mark.parametrize("example", sorted({text for loss in Loss.registered.values() for text in loss.examples}))
def test_a_loss_weighs_rows_as_it_counts_repeated_rows(example: str) -> None:
    loss = Loss.resolve(yaml.safe_load(example))
    classes = 2 if loss.task == "classification" else None
    n_outputs = loss.n_outputs(classes, 1)
    model = Model((Linear(n_outputs),), loss, (3,), "float64", np.random.default_rng(0))
    X = random.normal(size=(N, 3))
    truth = random.integers(2, size=N) if classes else random.integers(1, 4, (N, 1)).astype(np.float64)
    y = loss.encode(truth, n_outputs).astype(np.float64)
    weighted = model.differentiate(X, y, WEIGHTS)
    gradient = model.gradients.vector.copy()
    assert weighted == pytest.approx(model.differentiate(X[TWICE], y[TWICE]), rel=1e-9)
    np.testing.assert_allclose(gradient, model.gradients.vector, rtol=1e-9, atol=1e-12)
    assert model.evaluate(X, y, WEIGHTS)[0] == pytest.approx(model.evaluate(X[TWICE], y[TWICE])[0], rel=1e-9)


@pytest.mark.parametrize("example", sorted({text for metric in Metric.registered.values() for text in metric.examples}))
@pytest.mark.parametrize("width", [2, 3])
def test_a_metric_weighs_rows_as_it_counts_repeated_rows(example: str, width: int) -> None:
    metric = Metric.resolve(yaml.safe_load(example))
    if metric.task == "classification":
        y, y_hat = random.integers(width, size=N), random.dirichlet(np.ones(width), N).round(2)
    else:
        y = random.normal(size=(N, width)).round(1) + 9
        y_hat = (y + random.normal(size=y.shape)).round(1)
    weighted = metric.figures(PredictedRows(y, y_hat, WEIGHTS))
    assert weighted == pytest.approx(metric.figures(PredictedRows(y[TWICE], y_hat[TWICE])), rel=1e-9)


def test_class_weights_thresholds_and_temperatures_weigh_rows_as_they_count_repeated_rows() -> None:
    second, p = random.integers(2, size=N), random.random(N).round(2)
    y_hat = np.stack([1 - p, p], axis=1).clip(0.01, 0.99)
    labels = ("no", "yes")
    assert resolve_class_weights("balanced", labels, second, WEIGHTS) == pytest.approx(
        resolve_class_weights("balanced", labels, second[TWICE]), rel=1e-12
    )
    for by in ("f1", "accuracy"):
        assert best_threshold(p, second, WEIGHTS, by) == best_threshold(p[TWICE], second[TWICE], None, by)  # type: ignore[arg-type]
    expected = fit_temperature(y_hat[TWICE], second[TWICE])
    assert fit_temperature(y_hat, second, WEIGHTS) == pytest.approx(expected, rel=1e-9)


# --- from a table to a run -------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    """Write t.csv with these rows and return a config for it."""

    def write(table: list[dict[str, Any]], weight: str | None = "w", target: str = "price", **changes: Any) -> Config:
        (tmp_path / "t.csv").write_text(text(table), encoding="utf-8")
        shop, code = {"embedding": {"min_frequency": 4}}, {"one_hot": {"max_categories": 5}}
        columns = {**EVERYTHING["columns"], "shop": shop, "code": code}
        spec = settings(target, EVERYTHING | {"columns": columns}, **changes)
        spec["dataset"]["csv"] |= {"weight": weight} if weight else {}
        (tmp_path / "c.yaml").write_text(json.dumps(spec), encoding="utf-8")
        return Config.load(tmp_path / "c.yaml")

    return write


WEIGHED = [row | {"w": i % 3 + 1} for i, row in enumerate(rows(90))]
REPEATED = [{name: cell for name, cell in row.items() if name != "w"} for row in WEIGHED for _ in range(row["w"])]


@pytest.mark.parametrize("target", ["price", "class"])
def test_every_step_of_a_config_is_fitted_to_the_weights_of_its_rows(
    target: str, config: Callable[..., Config]
) -> None:
    """`target_mean` is left out, since its folds are of rows, whatever their weights."""
    weighted = workflows.prepare(config(WEIGHED, target=target)).predictor.encoder.to_json()
    near(weighted, workflows.prepare(config(REPEATED, None, target)).predictor.encoder.to_json())


def test_a_sample_of_a_large_table_is_fitted_to_its_weights(
    config: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = workflows.prepare(config(WEIGHED)).predictor.encoder.to_json()
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**12)
    near(workflows.prepare(config(WEIGHED, memory_limit="1 MB")).predictor.encoder.to_json(), expected)


@pytest.mark.parametrize("changes", [{"edition": 1}, {"weight": None, "class_weights": {"low": 5}}], ids=str)
def test_statistics_of_earlier_runs_and_of_classes_with_weights_count_each_row_once(
    changes: dict[str, Any], config: Callable[..., Config]
) -> None:
    without = [{name: cell for name, cell in row.items() if name != "w"} for row in WEIGHED]
    table = without if "weight" in changes else WEIGHED
    found = workflows.prepare(config(table, target="class", **changes)).predictor.encoder.to_json()
    expected = workflows.prepare(config(without, None, "class", edition=changes.get("edition", 2)))
    assert found["inputs"] == expected.predictor.encoder.to_json()["inputs"]


def test_weights_given_in_python_are_weights_of_rows() -> None:
    X, y = random.normal(size=(N, 2)), random.normal(size=N)
    how: dict[str, Any] = {
        "layers": ["linear: 3", "tanh"],
        "batch_size": "full",
        "shuffle": False,
        "epochs": 5,
        "dtype": "float64",
        "split": 0,
    }
    weighted = NetRegressor(**how).fit(X, y, sample_weight=WEIGHTS)
    repeated = NetRegressor(**how).fit(X[TWICE], y[TWICE])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)
