"""What preprocessing steps make of columns, against scikit-learn and closed forms, and on columns that are odd."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from scipy import stats
from sklearn import preprocessing as sk

from nnfs_cli.arrays import Array
from nnfs_cli.config import yaml
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.steps.base import Fit
from nnfs_cli.data.steps.target_mean import TargetMean
from nnfs_cli.data.texts import Texts

NUMBERS = [
    "robust", "quantile", "quantile: 7", "min_max", "log1p", "clip", "clip: {low: 0.2, high: 1.0}", "smooth_clip",
    "smooth_clip: 0.5",
]  # fmt: skip
INVERTIBLE = ["none", "standardize", "robust", "quantile", "min_max", "log1p"]
WIDENING = ["piecewise_linear", "piecewise_linear: 4", "views: [[robust, smooth_clip], piecewise_linear: 3, log1p]"]
WORDS = [
    "one_hot", "one_hot: {min_frequency: 2, unseen: other}", "ordinal", "ordinal: {max_categories: 2}", "hashing",
    "hashing: 5", "target_mean", "target_mean: {smoothing: 0.0, folds: 2}", "embedding", "embedding: {unseen: other}",
]  # fmt: skip
OTHERS = ["calendar", "clamp", "impute"]
LEVELS = ["one_hot", "ordinal", "embedding"]

random = np.random.default_rng(0)
SKEWED = np.stack([random.normal(5, 2, 300), random.exponential(1e-9, 300), random.lognormal(20, 3, 300)], axis=1)
NO_TARGET = np.zeros((0, 1))

numbers = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40).map(lambda column: np.array(column, np.float64))
words = st.lists(st.none() | st.sampled_from("abcd") | st.text(max_size=3), min_size=1, max_size=30)
instants = st.lists(st.none() | st.datetimes(), min_size=1, max_size=20).filter(any)


def step(text: str) -> Any:
    return PreprocessingStep.resolve(yaml.read(text.encode())[0])


def kept(fit: Fit) -> Fit:
    """What is left of it in a file."""
    again: Fit = json.loads(json.dumps(fit, allow_nan=False))
    return again


def statistics(of: NumberStep, columns: Array) -> dict[str, Array]:
    fits = [kept(of.fit(column)) for column in columns.T]
    return {key: np.array([fit[key] for fit in fits], np.float64) for key in fits[0]}


def fit_transform(text: str, columns: Array) -> Array:
    return step(text).transform(columns, statistics(step(text), columns))  # type: ignore[no-any-return]


def encoded(text: str, trained: Sequence[str | None], asked: Sequence[str | None] | None = None) -> list[list[float]]:
    texts = Texts.of(trained)
    fit = kept(step(text).fit(texts, np.zeros((len(texts), 1)), 0))
    found: list[list[float]] = step(text).transform(Texts.of(trained if asked is None else asked), fit).tolist()
    return found


def dates(*texts: str | datetime.datetime | None) -> Array:
    return np.array([np.datetime64(text or "NaT", "us") for text in texts], "datetime64[us]")


def some_words(*, n: int = 400, different: int = 9) -> tuple[Texts, Array]:
    """Words and a target of two columns that goes by them."""
    places = random.integers(different, size=n)
    y = np.stack([places * 3.0, places % 2], axis=1) + random.normal(0, 1, (n, 2))
    return Texts.of([f"word {place}" if place else None for place in places.tolist()]), y


# numbers


def test_robust_is_that_of_scikit_learn() -> None:
    np.testing.assert_allclose(fit_transform("robust", SKEWED), sk.RobustScaler().fit_transform(SKEWED), rtol=1e-12)


def test_min_max_is_that_of_scikit_learn() -> None:
    np.testing.assert_allclose(fit_transform("min_max", SKEWED), sk.MinMaxScaler().fit_transform(SKEWED), rtol=1e-12)


def test_log1p_is_the_logarithm_on_both_sides() -> None:
    x = np.array([[0.0], [1.0], [-1.0], [1e300], [-1e-300]])
    expected = [[0], [np.log(2)], [-np.log(2)], [np.log(1e300)], [-1e-300]]
    np.testing.assert_allclose(fit_transform("log1p", x), expected, rtol=1e-15)


def test_clip_keeps_to_quantiles_of_the_training_rows() -> None:
    low, high = np.quantile(SKEWED, [0.01, 0.99], axis=0)
    np.testing.assert_allclose(fit_transform("clip", SKEWED), np.clip(SKEWED, low, high), rtol=1e-12)
    learned = statistics(step("clip: {low: 0.0, high: 0.5}"), SKEWED)
    far = np.array([[-1e9] * 3, [1e99] * 3])
    expected = [SKEWED.min(axis=0), np.median(SKEWED, axis=0)]
    np.testing.assert_allclose(step("clip").transform(far, learned), expected, rtol=1e-12)


@pytest.mark.parametrize("bound", [0.5, 3.0])
def test_smooth_clip_stays_between_its_bounds_and_keeps_the_order(bound: float) -> None:
    column = np.array([-1e300, -40.0, -1.0, -1e-6, 0.0, 1e-6, 2.0, 50.0, 1e300])
    found = fit_transform(f"smooth_clip: {bound}", column[:, None])[:, 0]
    np.testing.assert_allclose(found[1:-1], column[1:-1] / np.sqrt(1 + (column[1:-1] / bound) ** 2), rtol=1e-14)
    np.testing.assert_allclose(found[[0, -1]], [-bound, bound])
    np.testing.assert_allclose(found[3:6], column[3:6], rtol=1e-9)
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("knots", [7, 300, 1000])
def test_quantile_is_that_of_scikit_learn(knots: int) -> None:
    X = SKEWED * [1, 1e9, 1]  # with numbers close to 1e-7 theirs is not exact
    theirs = sk.QuantileTransformer(n_quantiles=min(knots, 300), output_distribution="normal").fit(X)
    unseen = np.concatenate([X, X[:50] + 0.25, X.min(axis=0)[None] - 5, X.max(axis=0)[None] + 5])
    ours = step(f"quantile: {knots}")
    learned = statistics(ours, X)
    np.testing.assert_allclose(ours.transform(unseen, learned), theirs.transform(unseen), rtol=1e-6, atol=1e-9)
    normal = random.normal(0, 2, (300, 3))
    expected = theirs.inverse_transform(normal)
    np.testing.assert_allclose(ours.inverse(normal, learned), expected, rtol=1e-9, atol=1e-12)


@given(column=st.lists(st.integers(-5, 5), min_size=2, max_size=60).filter(lambda column: len(set(column)) > 1))
@example(column=[0] * 6 + [1, 2, 3])
def test_equal_numbers_get_their_mean_rank(column: list[int]) -> None:
    """Also the smallest and the largest one, which scikit-learn moves to ±5.2, however many rows hold them."""
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
def test_whatever_the_numbers_they_become_numbers(text: str, column: Array) -> None:
    before = column.copy()
    X = np.stack([column, -column], axis=1)
    result = fit_transform(text, X)
    assert result.shape == X.shape
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(column, before)
    np.testing.assert_array_equal(X, np.stack([before, -before], axis=1))
    if step(text).invertible:
        learned = statistics(step(text), X)
        restored = step(text).inverse(result, learned)
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
def test_a_column_that_is_constant_up_to_rounding_does_not_explode(text: str, size: float, noise: list[int]) -> None:
    column = size + np.array(noise) * np.spacing(size)
    result = fit_transform(text, column[:, None])
    if text.startswith("quantile"):
        assert (result == 0).all()
    elif text in ("robust", "min_max", "standardize"):
        assert (np.abs(result) <= 1e-13 * abs(size)).all()
    else:
        assert np.ptp(result) <= 1e-13 * abs(size)


@pytest.mark.parametrize("text", ["robust", "min_max", "quantile", "clip", "log1p"])
def test_numbers_too_far_apart_are_refused_where_that_matters(text: str) -> None:
    column = np.array([-1.7e308, -1.7e308, 1.7e308, 1.7e308])
    if text in ("clip", "log1p"):
        assert np.isfinite(fit_transform(text, column[:, None])).all()
    else:
        with pytest.raises(ValueError, match=r"holds numbers too far apart, from -1\.7e\+308 to 1\.7e\+308"):
            step(text).fit(column)


def test_an_outlier_leaves_the_others_where_they_are() -> None:
    column = np.arange(101.0)
    hurt = np.append(column[:-1], 1e12)
    np.testing.assert_allclose(fit_transform("robust", hurt[:, None])[:-1], (column[:-1, None] - 50) / 50, rtol=1e-12)


def test_robust_takes_the_standard_deviation_where_quartiles_are_the_same() -> None:
    column = np.array([0.0] * 90 + [1.0] * 10)
    np.testing.assert_allclose(fit_transform("robust", column[:, None])[-1], 1 / column.std(), rtol=1e-12)


@pytest.mark.parametrize("text", [*NUMBERS, *INVERTIBLE, *WIDENING])
def test_a_row_of_numbers_is_transformed_by_itself(text: str) -> None:
    learned = statistics(step(text), SKEWED)
    whole = step(text).transform(SKEWED, learned)
    others = np.array(SKEWED)
    others[1:] = others[:0:-1] * 3
    np.testing.assert_array_equal(step(text).transform(others, learned)[0], whole[0])
    alone = [step(text).transform(SKEWED[[row]], learned)[0] for row in range(50)]
    np.testing.assert_allclose(alone, whole[:50], rtol=1e-14)


@pytest.mark.parametrize("text", [*NUMBERS, *INVERTIBLE])
def test_what_is_no_number_stays_none_and_moves_no_other(text: str) -> None:
    learned = statistics(step(text), SKEWED)
    holed = np.array(SKEWED)
    holed[3, 1] = np.nan
    result = step(text).transform(holed, learned)
    assert np.argwhere(np.isnan(result)).tolist() == [[3, 1]]
    np.testing.assert_array_equal(np.delete(result, 3, 0), np.delete(step(text).transform(SKEWED, learned), 3, 0))


@pytest.mark.parametrize("text", INVERTIBLE)
def test_predictions_of_any_size_are_taken_back_without_a_warning(text: str) -> None:
    learned = statistics(step(text), SKEWED)
    y_hat = np.array([[-1e6], [-30.0], [0.0], [30.0], [1e6]]) * np.ones((1, 3))
    restored = step(text).inverse(y_hat, learned)
    assert np.isfinite(restored).all()
    assert (np.diff(restored, axis=0) >= 0).all()


@pytest.mark.parametrize(
    "name", sorted(name for name, member in PreprocessingStep.registered.items() if issubclass(member, NumberStep))
)
def test_only_what_can_be_taken_back_says_so(name: str) -> None:
    of = step(PreprocessingStep.registered[name].examples[0])
    learned = statistics(of, SKEWED)
    result = of.transform(SKEWED, learned)
    if of.invertible:
        np.testing.assert_allclose(of.inverse(result, learned), SKEWED, rtol=1e-9)
    else:
        with pytest.raises(NotImplementedError):
            of.inverse(result, learned)
    if of.centred:
        assert (result.min(axis=0) < 0).all()
        assert (result.max(axis=0) > 0).all()


def test_bins_hold_equally_many_rows_and_say_how_far_a_number_has_come() -> None:
    learned = statistics(step("piecewise_linear: 8"), SKEWED)
    np.testing.assert_allclose(learned["edges"], np.quantile(SKEWED, np.linspace(0, 1, 9), axis=0).T, rtol=1e-12)
    result = fit_transform("piecewise_linear: 8", SKEWED)
    assert result.shape == (300, 24)
    for j, (column, edges) in enumerate(zip(SKEWED.T, learned["edges"], strict=True)):
        for i in range(8):
            expected = np.interp(column, edges[i : i + 2], [0, 1])
            np.testing.assert_allclose(result[:, 8 * j + i], expected, atol=1e-12)
    far = step("piecewise_linear: 8").transform(np.array([[-1e300] * 3, [1e300] * 3]), learned)
    assert (far[0] == 0).all()
    assert (far[1] == 1).all()


@given(column=numbers, bins=st.integers(2, 40), asked=st.floats(-1e300, 1e300))
@example(column=np.array([5e-324, 0.0, 1e-323]), bins=2, asked=1.0)
@example(column=np.array([0.1, np.nextafter(0.1, 1)]), bins=2, asked=0.1)
def test_bins_of_any_numbers(column: Array, bins: int, asked: float) -> None:
    of = step(f"piecewise_linear: {bins}")
    learned = statistics(of, column[:, None])
    result = of.transform(np.sort(np.append(column, asked))[:, None], learned)
    outputs = of.outputs(["a"], learned)
    assert result.shape[1] == len(outputs) <= min(bins, max(len(set(column.tolist())) - 1, 0) * bins)
    assert ((result >= 0) & (result <= 1)).all()
    assert (np.diff(result, axis=0) >= 0).all()
    assert (np.diff(result, axis=1) <= 0).all()  # a bin is only entered from the one before it
    if np.ptp(column) <= 1e-14 * np.abs(column).max():
        assert not outputs


def test_a_number_that_never_changes_has_no_bins_and_others_are_named_by_their_edges() -> None:
    X = np.stack([np.full(9, 3.0), np.arange(9.0), np.array([0.0] * 7 + [1, 5])], axis=1)
    of = step("piecewise_linear: 4")
    learned = statistics(of, X)
    assert of.outputs(["a", "b", "c"], learned) == [
        ("b", "0 to 2"), ("b", "2 to 4"), ("b", "4 to 6"), ("b", "6 to 8"), ("c", "0 to 5"),
    ]  # fmt: skip
    assert of.transform(X, learned).shape == (9, 5)


def test_numbers_too_far_apart_have_no_bins() -> None:
    with pytest.raises(ValueError, match="holds numbers too far apart"):
        step("piecewise_linear").fit(np.array([-1.7e308, 1.7e308]))


def test_views_stand_side_by_side() -> None:
    of = step("views: [[robust, smooth_clip], piecewise_linear: 3, [log1p]]")
    learned = statistics(of, SKEWED)
    alone = [step("smooth_clip").transform(fit_transform("robust", SKEWED), {})]
    alone += [fit_transform("piecewise_linear: 3", SKEWED), step("log1p").transform(SKEWED, {})]
    np.testing.assert_allclose(of.transform(SKEWED, learned), np.concatenate(alone, axis=1), rtol=1e-12)
    outputs = of.outputs(["a", "b", "c"], learned)
    assert len(outputs) == 3 + 9 + 3
    assert outputs[0] == ("a", "robust, smooth_clip")
    assert outputs[-1] == ("c", "log1p")


def test_a_clamped_target_stays_within_what_was_seen() -> None:
    of, column = step("clamp"), np.array([[3.0], [-1.0], [2.0]])
    learned = statistics(of, column)
    np.testing.assert_array_equal(of.transform(column, learned), column)
    np.testing.assert_array_equal(of.inverse(np.array([[-9.0], [0.5], [1e300]]), learned), [[-1.0], [0.5], [3.0]])


# words


def test_one_hot_is_that_of_scikit_learn() -> None:
    trained = [str(word) for word in random.integers(12, size=200)]
    theirs = sk.OneHotEncoder(sparse_output=False).fit(np.array(trained)[:, None])
    of = step("one_hot")
    fit = of.fit(Texts.of(trained), NO_TARGET, 0)
    assert of.names(fit) == tuple(theirs.categories_[0])
    np.testing.assert_array_equal(of.transform(Texts.of(trained), fit), theirs.transform(np.array(trained)[:, None]))


@pytest.mark.parametrize("limit", ["min_frequency", "max_categories"])
@pytest.mark.parametrize("n", [1, 3, 8, 20])
def test_rare_words_are_put_together_as_by_scikit_learn(limit: str, n: int) -> None:
    trained = [str(word) for word in np.repeat(np.arange(12), np.arange(1, 13))]
    theirs = sk.OneHotEncoder(
        sparse_output=False,
        handle_unknown="infrequent_if_exist",
        **{limit: n if limit == "min_frequency" else n + 1},  # theirs counts the column of the others
    ).fit(np.array(trained)[:, None])
    asked = [*trained, "never seen"]
    result = encoded(f"one_hot: {{{limit}: {n}, unseen: other}}", trained, asked)
    np.testing.assert_array_equal(result, theirs.transform(np.array(asked)[:, None]))


def test_ordinal_is_that_of_scikit_learn_standardised() -> None:
    order = ["low", "medium", "high"]
    trained = random.choice(order, 100)
    places = sk.OrdinalEncoder(categories=[order]).fit_transform(trained[:, None])
    expected = sk.StandardScaler().fit_transform(places)
    np.testing.assert_allclose(encoded("ordinal: [low, medium, high]", trained.tolist()), expected, rtol=1e-12)
    alphabetical = sk.StandardScaler().fit_transform(sk.OrdinalEncoder().fit_transform(trained[:, None]))
    np.testing.assert_allclose(encoded("ordinal", trained.tolist()), alphabetical, rtol=1e-12)


def test_words_that_are_numbers_are_ordered_as_numbers() -> None:
    fit = step("ordinal").fit(Texts.of(["10", "9", "-2.5", None, "1e3"]), NO_TARGET, 0)
    assert fit["levels"] == ["-2.5", "9", "10", "1e3", None]
    assert step("ordinal").fit(Texts.of(["10", "9", "many"]), NO_TARGET, 0)["levels"] == ["10", "9", "many"]


def test_words_outside_of_the_declared_order_are_refused() -> None:
    of = step("ordinal: [low, high]")
    with pytest.raises(ValueError, match=r"holds categories missing from its order, such as 'huge', in 2 rows"):
        of.fit(Texts.of(["low", "huge", "huge"]), NO_TARGET, 0)
    fit = of.fit(Texts.of(["low", "low"]), NO_TARGET, 0)
    assert of.unknown(Texts.of(["low", "high", "huge", None]), fit).tolist() == [False, False, True, True]
    assert of.transform(Texts.of(["low", "high"]), fit).tolist() == [[0], [1]]


def test_an_empty_cell_is_the_mean_of_an_order_and_is_named() -> None:
    of, trained = step("ordinal"), Texts.of(["1", None, "3", "2", None])
    fit = of.fit(trained, NO_TARGET, 0)
    assert of.names(fit) == ("", "(empty)")
    root = 1.5**0.5
    np.testing.assert_allclose(of.transform(trained, fit), [[-root, 0], [0, 1], [root, 0], [0, 0], [0, 1]], atol=1e-15)
    assert of.names(of.fit(Texts.of(["1", "2"]), NO_TARGET, 0)) == ("",)


@pytest.mark.parametrize("name", LEVELS)
def test_words_never_seen_are_an_error_unless_declared(name: str) -> None:
    trained, asked = Texts.of(["a", "b", "b"]), Texts.of(["b", "c", None])
    strict, open_ = step(name), step(f"{name}: {{unseen: other}}")
    fit = strict.fit(trained, NO_TARGET, 0)
    assert strict.unknown(asked, fit).tolist() == [False, True, True]
    assert open_.unknown(asked, fit).tolist() == [False, False, False]
    expected = {"one_hot": [[0, 1], [0, 0], [0, 0]], "ordinal": [[0.5**0.5], [0], [0]], "embedding": [[1], [-1], [-1]]}
    np.testing.assert_allclose(open_.transform(asked, fit), expected[name])


@pytest.mark.parametrize("name", LEVELS)
def test_words_never_seen_are_like_rare_ones_where_those_were_put_together(name: str) -> None:
    of = step(f"{name}: {{min_frequency: 2}}")
    asked = Texts.of(["rare", "never", "a", None])
    fit = of.fit(Texts.of(["a", "a", "b", "b", "b", "rare", None]), NO_TARGET, 0)
    assert not of.unknown(asked, fit).any()
    expected = {
        "one_hot": [[0, 0, 1], [0, 0, 1], [1, 0, 0], [0, 0, 1]],
        "ordinal": [[0], [0], [-0.6 / 0.24**0.5], [0]],
        "embedding": [[2], [2], [0], [2]],
    }
    np.testing.assert_allclose(of.transform(asked, fit), expected[name])


def test_columns_are_named_apart() -> None:
    of = step("one_hot: {min_frequency: 2}")
    twice = ["other", "other", "(empty)", "(empty)", "(other)", "(other)", None, None, "rare"]
    assert of.names(of.fit(Texts.of(twice), NO_TARGET, 0)) == (
        "(empty)", "(other)", "other", "((empty))", "((other))",
    )  # fmt: skip
    plain = ["a", "a", None, None, "rare"]
    assert of.names(of.fit(Texts.of(plain), NO_TARGET, 0)) == ("a", "(empty)", "other")


def test_a_column_for_each_of_too_many_words_is_refused() -> None:
    many = Texts.of([f"name {i}" for i in range(1500)])
    with pytest.raises(
        ValueError, match=r"holds 1,500 different categories in 1,500 rows, and one_hot takes at most 1,000"
    ):
        step("one_hot").fit(many, NO_TARGET, 0)
    assert len(step("one_hot: {max_categories: 1000}").fit(many, NO_TARGET, 0)["levels"]) == 1000
    assert len(step("embedding").fit(many, NO_TARGET, 0)["levels"]) == 1500


def test_hashing_is_the_same_everywhere_and_takes_any_word() -> None:
    """The buckets are those of b2sum -l 64, whose first byte counts the ones; of an empty cell, that of a byte ff."""
    of = step("hashing: 8")
    result = of.transform(Texts.of(["Paris", "", None, "Zürich", "Paris"]), of.fit(Texts.of([]), NO_TARGET, 0))
    assert result.sum(axis=1).tolist() == [1] * 5
    assert result.argmax(axis=1).tolist() == [0x6B % 8, 0xE4 % 8, 0xA7 % 8, 0x70 % 8, 0x6B % 8]
    assert of.names({})[:2] == ("bucket 1", "bucket 2")
    assert len(of.names({})) == result.shape[1] == 8


def test_buckets_are_filled_evenly() -> None:
    of = step("hashing: 16")
    filled = of.transform(Texts.of([str(i) for i in range(16_000)]), {}).sum(axis=0, dtype=int)
    assert abs(filled - 1000).max() < 150


def test_an_embedding_is_as_wide_as_fastai_would_make_it() -> None:
    of = step("embedding")
    for n, width in [(1, 2), (2, 2), (10, 6), (100, 21), (400, 46), (100_000, 50)]:
        assert of.width({"levels": ["w"] * (n - 1), "other": True}) == width
    assert step("embedding: 7").width({"levels": ["w"], "other": False}) == 7


def test_codes_of_an_embedding_are_the_rows_of_its_table() -> None:
    of = step("embedding: {max_categories: 2}")
    trained = Texts.of(["b", "b", "c", None, None, "a"])
    fit = of.fit(trained, NO_TARGET, 0)
    assert (fit["levels"], of.n_rows(fit)) == (["b", None], 3)
    assert of.transform(trained, fit).tolist() == [[0], [0], [2], [1], [1], [2]]


def closed_form(texts: Texts, y: Array, asked: Texts, smoothing: float) -> Array:
    words, cells = texts.tolist(), np.array(texts.tolist(), object)
    rows = [y[cells == word] if word in words else y[:0] for word in asked.tolist()]
    means = [(part.sum(axis=0) + smoothing * y.mean(axis=0)) / (len(part) + smoothing) for part in rows]
    return np.array((means - y.mean(axis=0)) / y.std(axis=0))


@pytest.mark.parametrize("smoothing", [0.5, 10.0, 1e6])
def test_target_mean_is_its_closed_form(smoothing: float) -> None:
    texts, y = some_words()
    of = step(f"target_mean: {smoothing}")
    asked = Texts.of(["word 3", None, "never seen", "word 7"])
    result = of.transform(asked, kept(of.fit(texts, y, 3)))
    np.testing.assert_allclose(result, closed_form(texts, y, asked, smoothing), rtol=1e-9, atol=1e-12)
    assert result[2].tolist() == [0, 0]


def test_without_smoothing_it_is_the_mean_of_the_word() -> None:
    y = np.array([[1.0], [3.0], [8.0], [8.0]])
    texts = Texts.of(["a", "a", "b", "b"])
    of = step("target_mean: 0.0")
    result = of.transform(Texts.of(["a", "b", "c"]), of.fit(texts, y, 0))
    np.testing.assert_allclose(result[:, 0] * y.std() + y.mean(), [2, 8, 5], rtol=1e-12)


def test_training_rows_get_what_the_rows_of_other_folds_say() -> None:
    texts, y = some_words()
    of = step("target_mean")
    fit, folds = kept(of.fit(texts, y, 3)), of.assign_folds(len(texts), 3)
    assert np.bincount(folds).tolist() == [80] * 5
    result = of.transform(texts, fit, folds)
    for k in range(5):
        inside = folds == k
        expected = closed_form(texts[~inside], y[~inside], texts[inside], 10.0)
        np.testing.assert_allclose(result[inside], expected, rtol=1e-9, atol=1e-12)
    some = np.array([5, 300, 17])
    np.testing.assert_array_equal(of.transform(texts[some], fit, folds[some]), result[some])


@given(cells=words, seed=st.integers(0, 99), row=st.integers(0, 1000), target=st.floats(-1e300, 1e300))
def test_a_training_row_does_not_know_its_own_target(
    cells: list[str | None], seed: int, row: int, target: float
) -> None:
    texts, row = Texts.of(cells), row % len(cells)
    y = np.random.default_rng(seed).normal(0, 1, (len(cells), 2))
    changed = np.array(y)
    changed[row] = target
    of = step("target_mean: {smoothing: 1.0}")
    folds = of.assign_folds(len(texts), seed)
    before, after = (of.transform(texts, kept(of.fit(texts, t, seed)), folds) for t in (y, changed))
    np.testing.assert_array_equal(after[row], before[row])
    assert np.isfinite(after).all()
    others = folds == folds[row]
    np.testing.assert_array_equal(after[others], before[others])


def test_words_that_tell_nothing_of_the_target_do_not_seem_to() -> None:
    texts = Texts.of([f"id {i}" for i in range(1000)])
    y = np.random.default_rng(1).normal(0, 1, (1000, 1))
    of = step("target_mean: 0.0")
    fit = of.fit(texts, y, 0)
    assert np.corrcoef(of.transform(texts, fit)[:, 0], y[:, 0])[0, 1] > 0.999
    assert (of.transform(texts, fit, of.assign_folds(1000, 0)) == 0).all()


def test_folds_are_those_of_the_seed() -> None:
    of = step("target_mean")
    assert of.assign_folds(50, 1).tolist() == of.assign_folds(50, 1).tolist() != of.assign_folds(50, 2).tolist()
    assert [step(name).assign_folds(50, 1) for name in ("one_hot", "ordinal", "hashing", "embedding")] == [None] * 4


def test_a_target_that_is_constant_says_nothing() -> None:
    texts = Texts.of(["a", "a", "b"])
    of = step("target_mean")
    fit = of.fit(texts, np.full((3, 1), 0.1) + np.array([[0], [1e-17], [0]]), 0)
    np.testing.assert_allclose(of.transform(texts, fit), 0, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows_are_enough_for_out_of_fold_means(n: int) -> None:
    texts, y = Texts.of(["a", "b", "a"][:n]), np.arange(n, dtype=np.float64)[:, None]
    of: TargetMean = step("target_mean")
    result = of.transform(texts, kept(of.fit(texts, y, 0)), of.assign_folds(n, 0))
    assert result.shape == (n, 1)
    assert np.isfinite(result).all()


@pytest.mark.parametrize("text", WORDS)
@given(trained=words, asked=words)
def test_any_words_become_numbers_each_row_by_itself(
    text: str, trained: list[str | None], asked: list[str | None]
) -> None:
    of: CategoryStep = step(text)
    texts, other = Texts.of(trained), Texts.of(asked)
    fit = of.fit(texts, np.arange(2.0 * len(texts)).reshape(-1, 2), 5)
    names, again = of.names(fit), kept(fit)
    assert len(set(names)) == len(names)
    assert not of.unknown(texts, fit).any()
    for of_these in (texts, other):
        result = of.transform(of_these, fit)
        assert result.shape == (len(of_these), len(names))
        assert np.isfinite(result).all()
        np.testing.assert_array_equal(of.transform(of_these, again), result)
        alone = [of.transform(Texts.of([cell]), fit)[0] for cell in of_these]
        np.testing.assert_array_equal(alone, result)
        np.testing.assert_array_equal(of.transform(of_these[::-2], fit), result[::-2])
        np.testing.assert_array_equal(of.unknown(of_these[::-1], fit), of.unknown(of_these, fit)[::-1])


@pytest.mark.parametrize("text", WORDS)
def test_what_is_learned_does_not_hang_on_words_of_other_rows(text: str) -> None:
    """A part of a column still has all of its words."""
    cells = ["a", "b", None, "a", "b", "poison", "c"]
    y = np.arange(7.0)[:, None]
    part, alone = Texts.of(cells)[:5], Texts.of(cells[:5])
    assert step(text).fit(part, y[:5], 1) == step(text).fit(alone, y[:5], 1)


# dates


def by_clock(moment: datetime.datetime) -> dict[str, float]:
    """The phases of the cycles, as Python's own calendar has them."""
    midnight = datetime.datetime.combine(moment, datetime.time())
    leap = moment.year % 4 == 0 and (moment.year % 100 != 0 or moment.year % 400 == 0)
    month_length = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][moment.month - 1]
    return {
        "year": (moment.timetuple().tm_yday - 1) / (365 + leap),
        "month": (moment.day - 1) / month_length,
        "week": moment.weekday() / 7,
        "day": (moment - midnight) / datetime.timedelta(days=1),
    }


EVERYTHING = "calendar: [trend, year_cycle, month_cycle, week_cycle, day_cycle, weekend]"


@given(moments=instants)
@example(moments=[datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(2000, 2, 29)])
@example(moments=[datetime.datetime.min, datetime.datetime.max, None])
def test_the_calendar_is_that_of_python(moments: list[datetime.datetime | None]) -> None:
    of: DateStep = step(EVERYTHING)
    column = dates(*moments)
    fit = kept(of.fit(column))
    result = dict(zip(of.names(fit), of.transform(column, fit).T, strict=True))
    there = [moment for moment in moments if moment]
    rows = ~np.isnat(column)
    for cycle in ("year", "month", "week", "day"):
        angle = 2 * np.pi * np.array([by_clock(moment)[cycle] for moment in there])
        np.testing.assert_allclose(result[f"{cycle} sin"][rows], np.sin(angle), atol=1e-12)
        np.testing.assert_allclose(result[f"{cycle} cos"][rows], np.cos(angle), atol=1e-12)
    assert result["weekend"][rows].tolist() == [moment.weekday() >= 5 for moment in there]
    assert all((values[~rows] == 0).all() for name, values in result.items() if name != "is empty")
    assert ("is empty" in result) == (None in moments)
    if None in moments:
        assert result["is empty"].tolist() == [moment is None for moment in moments]


def test_the_trend_counts_days_from_the_mean() -> None:
    column = dates("2026-01-01", "2026-01-02 12:00", "2026-03-01")
    days = np.array([0, 1.5, 59])
    of = step("calendar: [trend]")
    result = of.transform(column, of.fit(column))
    np.testing.assert_allclose(result[:, 0], (days - days.mean()) / days.std(), rtol=1e-9)


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (["2020-01-05", "2021-06-07", "2022-03-01"], ["trend", "year_cycle", "week_cycle"]),
        (["2020-01-05 10:00", "2021-06-07 22:00"], ["trend", "year_cycle", "week_cycle", "day_cycle"]),
        (["2020-01-05 10:00", "2020-01-05 22:00"], ["trend", "day_cycle"]),
        (["2019-07-01", "2020-07-01", "2021-07-01"], ["trend", "week_cycle"]),
        (["2020-01-06", "2020-03-02", "2020-06-01"], ["trend", "year_cycle"]),
        (["2020-01-06", "2020-01-06"], ["trend"]),
        (["2020-01-06", None], ["trend"]),
    ],
)
def test_parts_that_do_not_vary_are_left_out(texts: list[str | None], parts: list[str]) -> None:
    assert step("calendar").fit(dates(*texts))["parts"] == parts


def test_one_date_alone_is_no_trend() -> None:
    column = dates("2020-01-06", "2020-01-06", None)
    of = step("calendar")
    fit = of.fit(column)
    assert of.names(fit) == ("trend", "is empty")
    assert of.transform(column, fit).tolist() == [[0, 0], [0, 0], [0, 1]]


def test_an_empty_date_is_refused_unless_training_rows_had_one() -> None:
    of, asked = step("calendar"), dates("2020-05-05", None)
    without = of.fit(dates("2020-01-06", "2020-02-01"))
    assert of.unknown(asked, without).tolist() == [False, True]
    assert (of.transform(asked, without)[1] == 0).all()
    assert not of.unknown(asked, of.fit(dates("2020-01-06", None))).any()
    with pytest.raises(ValueError, match="is empty in every training row"):
        of.fit(dates(None, None))


@given(trained=instants, asked=instants)
def test_a_date_is_transformed_by_itself(
    trained: list[datetime.datetime | None], asked: list[datetime.datetime | None]
) -> None:
    of: DateStep = step("calendar")
    column, before = dates(*asked), dates(*asked)
    fit = of.fit(dates(*trained))
    result = of.transform(column, fit)
    assert result.shape == (len(column), len(of.names(fit)))
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(of.transform(column, kept(fit)), result)
    np.testing.assert_array_equal(np.isnat(column), np.isnat(before))
    alone = [of.transform(column[[row]], fit)[0] for row in range(len(column))]
    np.testing.assert_allclose(alone, result, rtol=1e-14, atol=1e-15)


def test_the_widest_range_of_instants_is_taken() -> None:
    limits = np.array([np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max]).astype("datetime64[us]")
    of = step(EVERYTHING)
    result = of.transform(limits, of.fit(limits))
    assert np.isfinite(result).all()
    assert (np.abs(result) <= 1.0000001).all()


# all of them


def test_an_example_of_each_kind_has_been_tried() -> None:
    tried = {text.partition(":")[0] for text in [*NUMBERS, *INVERTIBLE, *WIDENING, *WORDS, *OTHERS]}
    assert tried == set(PreprocessingStep.registered)


@pytest.mark.parametrize("name", sorted(PreprocessingStep.registered))
def test_every_setting_is_explained(name: str) -> None:
    member = PreprocessingStep.registered[name]
    assert member.descriptions().keys() >= member.model_fields.keys()
    assert len(member.summary()) <= 120


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clip: {low: 0.9, high: 0.5}", "low must be below high, found 0.9 and 0.5"),
        ("clip: {low: 1.5}", "must be less than 1, found 1.5"),
        ("quantile: 1", "must be at least 2, found 1"),
        ("hashing: 1", "must be at least 2, found 1"),
        ("target_mean: -1.0", "must be at least 0, found -1.0"),
        ("target_mean: {folds: 1}", "must be at least 2, found 1"),
        ("ordinal: []", "expected at least one entry, found an empty list"),
        ("ordinal: [a, b, a]", "'a' is listed twice"),
        ("ordinal: {order: [a, b], min_frequency: 2}", "order lists all categories"),
        ("calendar: [trend, trend]", "'trend' is listed twice"),
        ("calendar: [year]", "expected trend, year_cycle, .* found 'year'"),
        ("embedding: 0", "must be greater than 0, found 0"),
        ("one_hot: {unseen: ignore}", "expected error or other, found 'ignore'"),
        ("robust: 3", "robust takes no bare value"),
        ("views: []", "expected at least one entry"),
        ("views: [[impute, robust]]", "impute must come before views, as in"),
        ("views: [one_hot]", "one_hot cannot be one of the views"),
        ("views: [views: [robust]]", "views cannot be one of the views"),
        ("views: [[piecewise_linear, robust]]", "piecewise_linear must come last: it turns one column into several"),
        ("piecewise_linear: 1", "must be at least 2"),
    ],
)
def test_settings_that_make_no_sense_are_refused(text: str, sentence: str) -> None:
    with pytest.raises((ValidationError, PydanticCustomError), match=sentence):
        step(text)


def test_scipy_is_waited_for_by_none_but_who_uses_it() -> None:
    code = "import sys, nnfs_cli.data.steps; print('scipy' in sys.modules, 'sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
