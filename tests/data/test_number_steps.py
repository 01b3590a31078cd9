"""Steps for numbers: results against scikit-learn and closed forms, and extreme columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from sklearn import preprocessing as sk

from nnfs_cli.arrays import Array
from nnfs_cli.data.inputs import NumberInputs
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps import NumberStep, PreprocessingStep
from tests.data.step_helpers import (
    INVERTIBLE,
    NUMBERS,
    SKEWED,
    WIDENING,
    fit_transform,
    numbers,
    random,
    statistics,
    step,
)


def test_robust_agrees_with_scikit_learn() -> None:
    np.testing.assert_allclose(fit_transform("robust", SKEWED), sk.RobustScaler().fit_transform(SKEWED), rtol=1e-12)


def test_min_max_agrees_with_scikit_learn() -> None:
    np.testing.assert_allclose(fit_transform("min_max", SKEWED), sk.MinMaxScaler().fit_transform(SKEWED), rtol=1e-12)


def test_log1p_takes_the_logarithm_of_numbers_of_either_sign() -> None:
    x = np.array([[0.0], [1.0], [-1.0], [1e300], [-1e-300]])
    expected = [[0], [np.log(2)], [-np.log(2)], [np.log(1e300)], [-1e-300]]
    np.testing.assert_allclose(fit_transform("log1p", x), expected, rtol=1e-15)


def test_clip_limits_numbers_to_quantiles_of_the_training_rows() -> None:
    low, high = np.quantile(SKEWED, [0.01, 0.99], axis=0)
    np.testing.assert_allclose(fit_transform("clip", SKEWED), np.clip(SKEWED, low, high), rtol=1e-12)
    fitted = statistics(step("clip: {low: 0.0, high: 0.5}"), SKEWED)
    far = np.array([[-1e9] * 3, [1e99] * 3])
    expected = [SKEWED.min(axis=0), np.median(SKEWED, axis=0)]
    np.testing.assert_allclose(step("clip").transform(far, fitted), expected, rtol=1e-12)


@pytest.mark.parametrize("bound", [0.5, 3.0])
def test_smooth_clip_stays_within_its_bounds_and_keeps_the_order(bound: float) -> None:
    column = np.array([-1e300, -40.0, -1.0, -1e-6, 0.0, 1e-6, 2.0, 50.0, 1e300])
    found = fit_transform(f"smooth_clip: {bound}", column[:, None])[:, 0]
    np.testing.assert_allclose(found[1:-1], column[1:-1] / np.sqrt(1 + (column[1:-1] / bound) ** 2), rtol=1e-14)
    np.testing.assert_allclose(found[[0, -1]], [-bound, bound])
    np.testing.assert_allclose(found[3:6], column[3:6], rtol=1e-9)
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("knots", [7, 300, 1000])
def test_quantile_agrees_with_scikit_learn(knots: int) -> None:
    X = SKEWED * [1, 1e9, 1]  # scikit-learn is inexact for numbers close to 1e-7
    theirs = sk.QuantileTransformer(n_quantiles=min(knots, 300), output_distribution="normal").fit(X)
    unseen = np.concatenate([X, X[:50] + 0.25, X.min(axis=0)[None] - 5, X.max(axis=0)[None] + 5])
    ours = step(f"quantile: {knots}")
    fitted = statistics(ours, X)
    np.testing.assert_allclose(ours.transform(unseen, fitted), theirs.transform(unseen), rtol=1e-6, atol=1e-9)
    normal = random.normal(0, 2, (300, 3))
    expected = theirs.inverse_transform(normal)
    np.testing.assert_allclose(ours.inverse(normal, fitted), expected, rtol=1e-9, atol=1e-12)


@given(column=st.lists(st.integers(-5, 5), min_size=2, max_size=60).filter(lambda column: len(set(column)) > 1))
@example(column=[0] * 6 + [1, 2, 3])
def test_equal_numbers_get_their_mean_rank(column: list[int]) -> None:
    """Ties at both ends get their mean rank, too; scikit-learn moves them to ±5.2 whatever their number."""
    ranks = (stats.rankdata(column) - 1) / (len(column) - 1)
    expected = np.clip(stats.norm.ppf(ranks), -5.199337582187, 5.199337582187)
    result = fit_transform("quantile", np.array(column, np.float64)[:, None])
    np.testing.assert_allclose(result[:, 0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("text", NUMBERS)
@given(column=numbers)
@example(column=np.array([5e-324, 0.0, 1e-323]))
@example(column=np.array([1e300, -1e300, 0.0, 5e-324]))
@example(column=np.array([0.0] * 9 + [1e300]))
@example(column=np.array([1e-300] * 3 + [1e300] * 2))
@example(column=np.array([1.0, 2.0, 3.0, 4.0, 1e300]))
def test_any_finite_numbers_become_finite_numbers(text: str, column: Array) -> None:
    before = column.copy()
    X = np.stack([column, -column], axis=1)
    result = fit_transform(text, X)
    assert result.shape == X.shape
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(column, before)
    np.testing.assert_array_equal(X, np.stack([before, -before], axis=1))
    if step(text).invertible:
        fitted = statistics(step(text), X)
        restored = step(text).inverse(result, fitted)
        if text == "quantile: 7":
            assert (restored >= X.min(axis=0)).all()
            assert (restored <= X.max(axis=0)).all()
        else:
            np.testing.assert_allclose(restored, X, rtol=1e-12, atol=1e-12 * np.abs(column).max())


@pytest.mark.parametrize("text", [*NUMBERS, "standardize"])
@given(
    size=st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100),
    noise=st.lists(st.integers(-9, 9), min_size=1, max_size=20),
)
@example(size=0.1, noise=[0, 1, -1])
@example(size=1e9, noise=[5, -5, 0, 0, 0])
def test_rounding_errors_of_a_constant_column_are_not_scaled_up(text: str, size: float, noise: list[int]) -> None:
    column = size + np.array(noise) * np.spacing(size)
    result = fit_transform(text, column[:, None])
    if text.startswith("quantile"):
        assert (result == 0).all()
    elif text in ("robust", "min_max", "standardize"):
        assert (np.abs(result) <= 1e-13 * abs(size)).all()
    else:
        assert np.ptp(result) <= 1e-13 * abs(size)


@pytest.mark.parametrize("text", ["robust", "min_max", "quantile", "clip", "log1p"])
def test_steps_that_need_a_finite_range_refuse_numbers_too_far_apart(text: str) -> None:
    column = np.array([-1.7e308, -1.7e308, 1.7e308, 1.7e308])
    if text in ("clip", "log1p"):
        assert np.isfinite(fit_transform(text, column[:, None])).all()
    else:
        with pytest.raises(ValueError, match=r"holds numbers too far apart, from -1\.7e\+308 to 1\.7e\+308"):
            step(text).fit(column)


def test_an_outlier_does_not_affect_robust() -> None:
    column = np.arange(101.0)
    hurt = np.append(column[:-1], 1e12)
    np.testing.assert_allclose(fit_transform("robust", hurt[:, None])[:-1], (column[:-1, None] - 50) / 50, rtol=1e-12)


def test_robust_uses_the_standard_deviation_if_the_quartiles_are_equal() -> None:
    column = np.array([0.0] * 90 + [1.0] * 10)
    np.testing.assert_allclose(fit_transform("robust", column[:, None])[-1], 1 / column.std(), rtol=1e-12)


@pytest.mark.parametrize("text", [*NUMBERS, *INVERTIBLE, *WIDENING])
def test_a_row_of_numbers_is_transformed_independently_of_other_rows(text: str) -> None:
    fitted = statistics(step(text), SKEWED)
    whole = step(text).transform(SKEWED, fitted)
    others = np.array(SKEWED)
    others[1:] = others[:0:-1] * 3
    np.testing.assert_array_equal(step(text).transform(others, fitted)[0], whole[0])
    alone = [step(text).transform(SKEWED[[row]], fitted)[0] for row in range(50)]
    np.testing.assert_allclose(alone, whole[:50], rtol=1e-14)


@pytest.mark.parametrize("text", [*NUMBERS, *INVERTIBLE])
def test_nan_stays_nan_and_affects_no_other_row(text: str) -> None:
    fitted = statistics(step(text), SKEWED)
    holed = np.array(SKEWED)
    holed[3, 1] = np.nan
    result = step(text).transform(holed, fitted)
    assert np.argwhere(np.isnan(result)).tolist() == [[3, 1]]
    np.testing.assert_array_equal(np.delete(result, 3, 0), np.delete(step(text).transform(SKEWED, fitted), 3, 0))


@pytest.mark.parametrize("text", INVERTIBLE)
def test_the_inverse_takes_predictions_of_any_size_without_a_warning(text: str) -> None:
    fitted = statistics(step(text), SKEWED)
    y_hat = np.array([[-1e6], [-30.0], [0.0], [30.0], [1e6]]) * np.ones((1, 3))
    restored = step(text).inverse(y_hat, fitted)
    assert np.isfinite(restored).all()
    assert (np.diff(restored, axis=0) >= 0).all()


@pytest.mark.parametrize(
    "name", sorted(name for name, member in PreprocessingStep.registered.items() if issubclass(member, NumberStep))
)
def test_exactly_the_invertible_steps_have_an_inverse(name: str) -> None:
    of = step(PreprocessingStep.registered[name].examples[0])
    fitted = statistics(of, SKEWED)
    result = of.transform(SKEWED, fitted)
    if of.invertible:
        np.testing.assert_allclose(of.inverse(result, fitted), SKEWED, rtol=1e-9)
    else:
        with pytest.raises(NotImplementedError):
            of.inverse(result, fitted)
    if of.centred:
        assert (result.min(axis=0) < 0).all()
        assert (result.max(axis=0) > 0).all()


def test_piecewise_linear_bins_are_quantiles() -> None:
    fitted = statistics(step("piecewise_linear: 8"), SKEWED)
    np.testing.assert_allclose(fitted["edges"], np.quantile(SKEWED, np.linspace(0, 1, 9), axis=0).T, rtol=1e-12)
    result = fit_transform("piecewise_linear: 8", SKEWED)
    assert result.shape == (300, 24)
    for j, (column, edges) in enumerate(zip(SKEWED.T, fitted["edges"], strict=True)):
        for i in range(8):
            expected = np.interp(column, edges[i : i + 2], [0, 1])
            np.testing.assert_allclose(result[:, 8 * j + i], expected, atol=1e-12)
    far = step("piecewise_linear: 8").transform(np.array([[-1e300] * 3, [1e300] * 3]), fitted)
    assert (far[0] == 0).all()
    assert (far[1] == 1).all()


@given(column=numbers, bins=st.integers(2, 40), asked=st.floats(-1e300, 1e300))
@example(column=np.array([5e-324, 0.0, 1e-323]), bins=2, asked=1.0)
@example(column=np.array([0.1, np.nextafter(0.1, 1)]), bins=2, asked=0.1)
def test_piecewise_linear_bins_of_any_numbers(column: Array, bins: int, asked: float) -> None:
    of = step(f"piecewise_linear: {bins}")
    fitted = statistics(of, column[:, None])
    result = of.transform(np.sort(np.append(column, asked))[:, None], fitted)
    outputs = of.outputs(["a"], fitted)
    assert result.shape[1] == len(outputs) <= min(bins, max(len(set(column.tolist())) - 1, 0) * bins)
    assert ((result >= 0) & (result <= 1)).all()
    assert (np.diff(result, axis=0) >= 0).all()
    assert (np.diff(result, axis=1) <= 0).all()  # a bin fills only after the one below it
    if np.ptp(column) <= 1e-14 * np.abs(column).max():
        assert not outputs


def test_a_constant_column_has_no_bins_and_bins_are_named_by_their_edges() -> None:
    X = np.stack([np.full(9, 3.0), np.arange(9.0), np.array([0.0] * 7 + [1, 5])], axis=1)
    of = step("piecewise_linear: 4")
    fitted = statistics(of, X)
    assert of.outputs(["a", "b", "c"], fitted) == [
        ("b", "0 to 2"), ("b", "2 to 4"), ("b", "4 to 6"), ("b", "6 to 8"), ("c", "0 to 5"),
    ]  # fmt: skip
    assert of.transform(X, fitted).shape == (9, 5)


def test_piecewise_linear_refuses_numbers_too_far_apart() -> None:
    with pytest.raises(ValueError, match="holds numbers too far apart"):
        step("piecewise_linear").fit(np.array([-1.7e308, 1.7e308]))


def test_views_put_outputs_side_by_side() -> None:
    of = step("views: [[robust, smooth_clip], piecewise_linear: 3, [log1p]]")
    fitted = statistics(of, SKEWED)
    alone = [step("smooth_clip").transform(fit_transform("robust", SKEWED), {})]
    alone += [fit_transform("piecewise_linear: 3", SKEWED), step("log1p").transform(SKEWED, {})]
    np.testing.assert_allclose(of.transform(SKEWED, fitted), np.concatenate(alone, axis=1), rtol=1e-12)
    outputs = of.outputs(["a", "b", "c"], fitted)
    assert len(outputs) == 3 + 9 + 3
    assert outputs[0] == ("a", "robust, smooth_clip")
    assert outputs[-1] == ("c", "log1p")


def test_clamp_limits_predictions_to_the_range_of_the_training_rows() -> None:
    of, column = step("clamp"), np.array([[3.0], [-1.0], [2.0]])
    fitted = statistics(of, column)
    np.testing.assert_array_equal(of.transform(column, fitted), column)
    np.testing.assert_array_equal(of.inverse(np.array([[-9.0], [0.5], [1e300]]), fitted), [[-1.0], [0.5], [3.0]])


@pytest.mark.parametrize(
    ("views", "plain"),
    [
        ([["robust", "smooth_clip"], {"piecewise_linear": 4}], 2),
        (["quantile", "standardize", {"piecewise_linear": 4}], 4),
        (["quantile", {"piecewise_linear": 4}, "standardize"], 2),
        ([{"piecewise_linear": 4}, "quantile"], 8),
    ],
)
def test_what_is_plain_are_the_first_view_and_the_narrow_ones_behind_it(views: list[Any], plain: int) -> None:
    rng = np.random.default_rng(0)
    steps = Preprocessing.model_validate({"numbers": [{"views": views}]}).numbers
    fitted = NumberInputs.fit({"a": rng.normal(size=50), "b": rng.normal(size=50)}, steps)  # type: ignore[arg-type]
    assert fitted.plain == [i < plain for i in range(len(fitted.names))]
