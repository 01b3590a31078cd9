"""How predictions depend on columns, and which act together: against scikit-learn and closed forms."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.explain.dependence import ROWS, dependence
from nnfs_cli.explain.grid import POINTS, grid_of
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.explain.pairs import interaction, pairs, surface_of
from nnfs_cli.explain.reasons import cells_in_words
from tests.explain.trained import trained

MIXED: dict[str, Any] = {
    "preprocessing": {"numbers": ["impute", "standardize"], "categories": "one_hot", "dates": "calendar"}
}


def mixed(n: int = 200) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    age = rng.integers(20, 60, n).astype(float)
    age[:20] = np.nan
    city = rng.integers(0, 3, n)
    return {
        "age": age,
        "mass": rng.standard_normal(n),
        "gain": np.where(rng.random(n) < 0.95, 0, np.round(np.exp(rng.normal(8, 1, n)))),
        "city": np.array(["Bonn", "Kiel", None], object)[city],
        "day": np.datetime64("2024-01-01", "us") + rng.integers(0, 400, n) * np.timedelta64(1, "D"),
        "y": np.nan_to_num(age, nan=30) / 10 + city,
    }


@functools.cache
def of_mixed() -> tuple[Experiment, Table]:
    experiment = trained(mixed(), "y", epochs=5, split={"validation": 0}, **MIXED)
    assert experiment.loaded is not None
    return experiment, experiment.loaded.readers["train"].survey


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
def test_dependence_is_that_of_scikit_learn_on_the_same_grid(loss: str) -> None:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.inspection import partial_dependence

    table, classes = mixed(), loss != "mse"
    numbers: dict[str, Any] = {name: table[name] for name in ("mass", "gain")} | {
        "old": np.nan_to_num(table["age"], nan=30)
    }
    numbers["y"] = np.array(["no", "yes"], object)[(table["y"] > 5).astype(int)] if classes else table["y"]
    layers = ["linear: 8", "tanh", "linear: 1", *(["sigmoid"] if classes else [])]
    settings: Any = {"loss": loss, "layers": layers, "epochs": 3, "split": {"validation": 0}, "dtype": "float64"}
    experiment = trained(numbers, "y", **settings)
    assert experiment.loaded is not None
    predictor, X = experiment.predictor, experiment.splits["train"].X
    inputs, survey = inputs_by_column(predictor), experiment.loaded.readers["train"].survey

    class Net(ClassifierMixin if classes else RegressorMixin, BaseEstimator):  # type: ignore[misc]
        classes_ = np.array([0, 1])

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def fit(self, X: Array, y: Array) -> Net:
            return self

        def predict_proba(self, X: Array) -> Array:
            return self.predict(X)

        def predict(self, X: Array) -> Array:
            given = Table("t", dict(zip(("mass", "gain", "old"), X.T, strict=True)))
            answer = predictor.answer(predictor.outputs_for(predictor.encoder.encode(given, "float64")))
            return answer if classes else answer[:, 0]

    cells = np.stack([survey.numbers(name) for name in ("mass", "gain", "old")], axis=1)
    for j, name in enumerate(("mass", "gain", "old")):
        grid = grid_of(predictor, survey, name, inputs)
        assert grid is not None
        assert grid.places is not None
        ours = dependence(predictor, X, inputs[name], grid)
        method = {"response_method": "predict_proba"} if classes else {}
        theirs = partial_dependence(
            Net(), cells, [j], custom_values={j: grid.places}, method="brute", kind="both", **method
        )
        assert np.allclose(ours.mean[0], theirs["average"][0], rtol=1e-9, atol=0)
        assert np.allclose(ours.curves, theirs["individual"][0][: len(ours.curves)], rtol=1e-9, atol=0)
    assert len(cells) <= ROWS


@pytest.mark.parametrize("name", ["age", "mass", "gain", "city", "day"])
def test_cells_of_a_grid_are_those_of_rows_and_are_encoded_as_in_a_prediction(name: str) -> None:
    experiment, table = of_mixed()
    predictor, inputs = experiment.predictor, inputs_by_column(experiment.predictor)
    grid = grid_of(predictor, table, name, inputs)
    assert grid is not None
    assert 2 <= len(grid.texts) <= POINTS + POINTS // 2 + 1
    assert grid.shares.sum() == pytest.approx(1)
    known = {table.text_of(i, name) for i in range(table.n_rows)}
    assert grid.empty == ("" in known)
    assert grid.empty == (grid.texts[-1] == "")
    if grid.places is not None:
        assert (np.diff(grid.places[: grid.ordered]) > 0).all()
    X = experiment.splits["train"].X
    rows = {X[i, inputs[name]].tobytes() for i in range(table.n_rows)}
    assert {cell.tobytes() for cell in grid.inputs} <= rows
    if name == "gain":  # mostly 0
        assert len(grid.texts) >= POINTS // 2


def test_yes_and_no_are_words_and_two_numbers_are_no_curve() -> None:
    size, balcony = np.arange(60.0), ["ja", "nein", None] * 20
    table = {"size": size, "balcony": balcony, "floor": ["1", "2"] * 30, "y": size}
    steps = {"numbers": ["impute", "standardize"]}
    parse = {"balcony": "boolean", "floor": "number"}
    experiment = trained(table, "y", epochs=1, split={"validation": 0}, parse=parse, preprocessing=steps)
    assert experiment.loaded is not None
    predictor, survey = experiment.predictor, experiment.loaded.readers["train"].survey
    inputs = inputs_by_column(predictor)
    assert cells_in_words(predictor, survey, "balcony", np.arange(3)) == [
        "balcony = true",
        "balcony = false",
        "balcony is empty",
    ]
    for name, texts in (("balcony", ("false", "true", "")), ("floor", ("1", "2"))):
        grid = grid_of(predictor, survey, name, inputs)
        assert grid is not None
        assert grid.texts == texts
        assert not dependence(predictor, experiment.splits["train"].X, inputs[name], grid).is_curve
    grid = grid_of(predictor, survey, "size", inputs)
    assert grid is not None
    assert dependence(predictor, experiment.splits["train"].X, inputs["size"], grid).is_curve


def test_a_column_of_equal_cells_has_no_grid() -> None:
    experiment, table = of_mixed()
    predictor, inputs = experiment.predictor, inputs_by_column(experiment.predictor)
    assert grid_of(predictor, table.take(np.array([30, 30, 30])), "mass", inputs) is None


def test_members_make_a_band_around_the_mean() -> None:
    experiment = trained(mixed(), "y", epochs=3, split={"validation": 0}, members=3, **MIXED)
    assert experiment.loaded is not None
    predictor, X, inputs = experiment.predictor, experiment.splits["train"].X, inputs_by_column(experiment.predictor)
    grid = grid_of(predictor, experiment.loaded.readers["train"].survey, "age", inputs)
    assert grid is not None
    found = dependence(predictor, X, inputs["age"], grid)
    assert found.low is not None
    assert found.high is not None
    for low, mean, high in zip(found.low[0], found.mean[0], found.high[0], strict=True):
        assert low < mean < high
    assert found.empty


@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 1000))
def test_an_interaction_is_what_a_sum_of_two_effects_leaves(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, product = (rng.random(n) + 0.1, rng.random(m) + 0.1), rng.standard_normal((n, m, 1))
    pure = interaction(product, *weights)
    effects = rng.standard_normal((n, 1, 1)) + rng.standard_normal((1, m, 1))
    assert np.allclose(interaction(pure + effects, *weights), pure)
    assert np.allclose(np.average(pure, axis=0, weights=weights[0]), 0)
    assert np.allclose(np.average(pure, axis=1, weights=weights[1]), 0)


@pytest.fixture(scope="module")
def of_xor() -> tuple[Any, ...]:
    """Return a net that has learned xor from two of five columns, its inputs, and the grids of all columns."""
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (1_000, 5))
    table: dict[str, Any] = {f"c{j}": z[:, j] for j in range(5)}
    table["y"] = np.array(["same", "different"], object)[(z[:, 1] * z[:, 3] < 0).astype(int)]
    layers = ["linear: 16", "relu", "linear: 1", "sigmoid"]
    experiment = trained(table, "y", layers=layers, loss="binary_cross_entropy", epochs=20)
    assert experiment.loaded is not None
    predictor, survey = experiment.predictor, experiment.loaded.readers["train"].survey
    inputs = inputs_by_column(predictor)
    grids = [grid_of(predictor, survey, name, inputs, 8) for name in inputs]
    return predictor, experiment.splits["validation"].X, inputs, grids


def test_xor_is_found_by_pairs_though_neither_column_does_anything_alone(of_xor: tuple[Any, ...]) -> None:
    predictor, X, inputs, grids = of_xor
    found = pairs(predictor, X, inputs, grids)
    assert len(found) == 10
    assert set(found[0].columns) == {"c1", "c3"}
    assert found[0].share > 0.9
    assert found[0].strength > 3 * found[1].strength
    alone = dependence(predictor, X, inputs["c1"], grids[1])
    assert max(alone.mean[0]) - min(alone.mean[0]) < 0.2
    surface = np.array(surface_of(predictor, X, inputs, grids[1], grids[3]).mean)
    assert abs(surface[0, 0] - surface[0, -1]) > 0.8
    assert abs(surface[0, 0] - surface[-1, -1]) < 0.2


def test_columns_whose_effects_add_up_are_no_notable_pair() -> None:
    rng = np.random.default_rng(1)
    z = rng.standard_normal((600, 3))
    table = {"a": z[:, 0], "b": z[:, 1], "c": z[:, 2], "y": z @ np.array([1.0, -2.0, 0.5])}
    experiment = trained(table, "y", epochs=60)
    assert experiment.loaded is not None
    predictor, survey = experiment.predictor, experiment.loaded.readers["train"].survey
    inputs = inputs_by_column(predictor)
    grids = [grid for name in inputs if (grid := grid_of(predictor, survey, name, inputs, 8)) is not None]
    assert not any(pair.notable for pair in pairs(predictor, experiment.splits["validation"].X, inputs, grids))
