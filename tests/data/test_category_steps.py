"""Steps for categories: results against scikit-learn and closed forms, and unusual columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import preprocessing as sk

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps import CategoryStep
from nnfs_cli.data.steps.target_mean import TargetMean
from nnfs_cli.data.texts import Texts
from tests.data.step_helpers import (
    CATEGORIES,
    KNOWN_CATEGORIES,
    NO_TARGET,
    categories,
    encoded,
    random,
    some_categories,
    step,
    stored,
)


def test_one_hot_agrees_with_scikit_learn() -> None:
    trained = [str(code) for code in random.integers(12, size=200)]
    theirs = sk.OneHotEncoder(sparse_output=False).fit(np.array(trained)[:, None])
    of = step("one_hot")
    fit = of.fit(Texts.of(trained), NO_TARGET, 0)
    assert of.names(fit) == tuple(theirs.categories_[0])
    np.testing.assert_array_equal(of.transform(Texts.of(trained), fit), theirs.transform(np.array(trained)[:, None]))


@pytest.mark.parametrize("limit", ["min_frequency", "max_categories"])
@pytest.mark.parametrize("n", [1, 3, 8, 20])
def test_rare_categories_share_a_column_as_in_scikit_learn(limit: str, n: int) -> None:
    trained = [str(code) for code in np.repeat(np.arange(12), np.arange(1, 13))]
    theirs = sk.OneHotEncoder(
        sparse_output=False,
        handle_unknown="infrequent_if_exist",
        **{limit: n if limit == "min_frequency" else n + 1},  # scikit-learn counts the shared column
    ).fit(np.array(trained)[:, None])
    asked = [*trained, "never seen"]
    result = encoded(f"one_hot: {{{limit}: {n}, unseen: other}}", trained, asked)
    np.testing.assert_array_equal(result, theirs.transform(np.array(asked)[:, None]))


def test_ordinal_agrees_with_scikit_learn_when_standardised() -> None:
    order = ["low", "medium", "high"]
    trained = random.choice(order, 100)
    places = sk.OrdinalEncoder(categories=[order]).fit_transform(trained[:, None])
    expected = sk.StandardScaler().fit_transform(places)
    np.testing.assert_allclose(encoded("ordinal: [low, medium, high]", trained.tolist()), expected, rtol=1e-12)
    alphabetical = sk.StandardScaler().fit_transform(sk.OrdinalEncoder().fit_transform(trained[:, None]))
    np.testing.assert_allclose(encoded("ordinal", trained.tolist()), alphabetical, rtol=1e-12)


def test_ordinal_sorts_numeric_categories_by_value() -> None:
    fit = step("ordinal").fit(Texts.of(["10", "9", "-2.5", None, "1e3"]), NO_TARGET, 0)
    assert fit["levels"] == ["-2.5", "9", "10", "1e3", None]
    assert step("ordinal").fit(Texts.of(["10", "9", "many"]), NO_TARGET, 0)["levels"] == ["10", "9", "many"]


def test_ordinal_refuses_categories_missing_from_its_order() -> None:
    of = step("ordinal: [low, high]")
    with pytest.raises(ValueError, match=r"holds categories missing from its order, such as 'huge', in 2 rows"):
        of.fit(Texts.of(["low", "huge", "huge"]), NO_TARGET, 0)
    fit = of.fit(Texts.of(["low", "low"]), NO_TARGET, 0)
    assert of.unknown(Texts.of(["low", "high", "huge", None]), fit).tolist() == [False, False, True, True]
    assert of.transform(Texts.of(["low", "high"]), fit).tolist() == [[0], [1]]


def test_an_empty_cell_becomes_the_mean_of_an_order_and_is_marked() -> None:
    of, trained = step("ordinal"), Texts.of(["1", None, "3", "2", None])
    fit = of.fit(trained, NO_TARGET, 0)
    assert of.names(fit) == ("", "(empty)")
    root = 1.5**0.5
    np.testing.assert_allclose(of.transform(trained, fit), [[-root, 0], [0, 1], [root, 0], [0, 0], [0, 1]], atol=1e-15)
    assert of.names(of.fit(Texts.of(["1", "2"]), NO_TARGET, 0)) == ("",)


@pytest.mark.parametrize("name", KNOWN_CATEGORIES)
def test_unknown_categories_are_refused_by_default(name: str) -> None:
    trained, asked = Texts.of(["a", "b", "b"]), Texts.of(["b", "c", None])
    strict, open_ = step(name), step(f"{name}: {{unseen: other}}")
    fit = strict.fit(trained, NO_TARGET, 0)
    assert strict.unknown(asked, fit).tolist() == [False, True, True]
    assert open_.unknown(asked, fit).tolist() == [False, False, False]
    expected = {"one_hot": [[0, 1], [0, 0], [0, 0]], "ordinal": [[0.5**0.5], [0], [0]], "embedding": [[1], [-1], [-1]]}
    np.testing.assert_allclose(open_.transform(asked, fit), expected[name])


@pytest.mark.parametrize("name", KNOWN_CATEGORIES)
def test_unknown_categories_count_as_rare_ones_if_there_are_any(name: str) -> None:
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


def test_output_names_are_distinct() -> None:
    of = step("one_hot: {min_frequency: 2}")
    twice = ["other", "other", "(empty)", "(empty)", "(other)", "(other)", None, None, "rare"]
    assert of.names(of.fit(Texts.of(twice), NO_TARGET, 0)) == (
        "(empty)", "(other)", "other", "((empty))", "((other))",
    )  # fmt: skip
    plain = ["a", "a", None, None, "rare"]
    assert of.names(of.fit(Texts.of(plain), NO_TARGET, 0)) == ("a", "(empty)", "other")


def test_one_hot_refuses_too_many_categories() -> None:
    many = Texts.of([f"name {i}" for i in range(1500)])
    with pytest.raises(
        ValueError, match=r"holds 1,500 different categories in 1,500 rows, and one_hot takes at most 1,000"
    ):
        step("one_hot").fit(many, NO_TARGET, 0)
    assert len(step("one_hot: {max_categories: 1000}").fit(many, NO_TARGET, 0)["levels"]) == 1000
    assert len(step("embedding").fit(many, NO_TARGET, 0)["levels"]) == 1500


LISTS = st.lists(st.lists(st.sampled_from(["red", "green", "blue", "1", "light blue"]), max_size=4), min_size=1)


@given(LISTS, LISTS, st.sampled_from([";", ",", " | "]))
def test_multi_hot_agrees_with_scikit_learn(trained: list[list[str]], asked: list[list[str]], mark: str) -> None:
    theirs = sk.MultiLabelBinarizer().fit(trained)
    of = step(f"multi_hot: {{delimiter: '{mark}', unseen: other}}")
    fit = of.fit(Texts.of(mark.join(row) or None for row in trained), NO_TARGET, 0)
    assert of.names(fit) == tuple(theirs.classes_)
    known = [[entry for entry in row if entry in theirs.classes_] for row in asked]
    result = of.transform(Texts.of(mark.join(row) or None for row in asked), fit)
    np.testing.assert_array_equal(result, theirs.transform(known))


def test_rare_and_unknown_entries_of_a_list_share_a_column_or_are_refused() -> None:
    trained = Texts.of(["a;b", "a;b", "a", "c;d;a", None])
    of = step("multi_hot: {min_frequency: 2}")
    fit = stored(of.fit(trained, NO_TARGET, 0))
    assert of.names(fit) == ("a", "b", "other")
    assert of.transform(Texts.of(["b;z;c", None]), fit).tolist() == [[0, 1, 1], [0, 0, 0]]
    assert not of.unknown(Texts.of(["z"]), fit).any()
    strict = step("multi_hot")
    fit = strict.fit(trained, NO_TARGET, 0)
    assert strict.unknown(Texts.of(["b;a", "a;z", None]), fit).tolist() == [False, True, False]
    weighted = of.fit(trained, NO_TARGET, 0, np.array([1.0, 0.5, 0.4, 2, 1]))
    assert weighted["levels"] == ["a", "c", "d"]


def test_a_list_as_python_writes_it_has_the_same_entries() -> None:
    of = step("multi_hot: ','")
    fit = of.fit(Texts.of(["['a', 'b']", '{"c"}', " a ,,b", "()"]), NO_TARGET, 0)
    assert fit["levels"] == ["a", "b", "c"]


def test_multi_hot_refuses_too_many_entries() -> None:
    with pytest.raises(ValueError, match=r"holds 1,001 different entries in 1 row, and multi_hot takes at most 1,000"):
        step("multi_hot").fit(Texts.of([";".join(map(str, range(1_001)))]), NO_TARGET, 0)


def test_hashing_is_the_same_on_every_machine_and_takes_any_category() -> None:
    """The buckets are the first byte of `b2sum -l 64`, modulo 8; an empty cell is hashed as the byte ff."""
    of = step("hashing: 8")
    result = of.transform(Texts.of(["Paris", "", None, "Zürich", "Paris"]), of.fit(Texts.of([]), NO_TARGET, 0))
    assert result.sum(axis=1).tolist() == [1] * 5
    assert result.argmax(axis=1).tolist() == [0x6B % 8, 0xE4 % 8, 0xA7 % 8, 0x70 % 8, 0x6B % 8]
    assert of.names({})[:2] == ("bucket 1", "bucket 2")
    assert len(of.names({})) == result.shape[1] == 8


def test_hashing_fills_buckets_evenly() -> None:
    of = step("hashing: 16")
    filled = of.transform(Texts.of([str(i) for i in range(16_000)]), {}).sum(axis=0, dtype=int)
    assert abs(filled - 1000).max() < 150


def test_the_default_size_of_an_embedding_follows_the_rule_of_fastai() -> None:
    of = step("embedding")
    for n, width in [(1, 2), (2, 2), (10, 6), (100, 21), (400, 46), (100_000, 50)]:
        assert of.width({"levels": ["w"] * (n - 1), "other": True}) == width
    assert step("embedding: 7").width({"levels": ["w"], "other": False}) == 7


def test_codes_of_an_embedding_index_its_vectors() -> None:
    of = step("embedding: {max_categories: 2}")
    trained = Texts.of(["b", "b", "c", None, None, "a"])
    fit = of.fit(trained, NO_TARGET, 0)
    assert (fit["levels"], of.n_rows(fit)) == (["b", None], 3)
    assert of.transform(trained, fit).tolist() == [[0], [0], [2], [1], [1], [2]]


def closed_form(texts: Texts, y: Array, asked: Texts, smoothing: float) -> Array:
    known, cells = texts.tolist(), np.array(texts.tolist(), object)
    of_each = [y[cells == category] if category in known else y[:0] for category in asked.tolist()]
    means = [(rows.sum(axis=0) + smoothing * y.mean(axis=0)) / (len(rows) + smoothing) for rows in of_each]
    return np.array((means - y.mean(axis=0)) / y.std(axis=0))


@pytest.mark.parametrize("smoothing", [0.5, 10.0, 1e6])
def test_target_mean_agrees_with_its_closed_form(smoothing: float) -> None:
    texts, y = some_categories()
    of = step(f"target_mean: {smoothing}")
    asked = Texts.of(["category 3", None, "never seen", "category 7"])
    result = of.transform(asked, stored(of.fit(texts, y, 3)))
    np.testing.assert_allclose(result, closed_form(texts, y, asked, smoothing), rtol=1e-9, atol=1e-12)
    assert result[2].tolist() == [0, 0]


def test_target_mean_without_smoothing_is_the_mean_of_the_category() -> None:
    y = np.array([[1.0], [3.0], [8.0], [8.0]])
    texts = Texts.of(["a", "a", "b", "b"])
    of = step("target_mean: 0.0")
    result = of.transform(Texts.of(["a", "b", "c"]), of.fit(texts, y, 0))
    np.testing.assert_allclose(result[:, 0] * y.std() + y.mean(), [2, 8, 5], rtol=1e-12)


def test_training_rows_get_target_means_of_the_other_folds() -> None:
    texts, y = some_categories()
    of = step("target_mean")
    fit, folds = stored(of.fit(texts, y, 3)), of.assign_folds(len(texts), 3)
    assert np.bincount(folds).tolist() == [80] * 5
    result = of.transform(texts, fit, folds)
    for k in range(5):
        inside = folds == k
        expected = closed_form(texts[~inside], y[~inside], texts[inside], 10.0)
        np.testing.assert_allclose(result[inside], expected, rtol=1e-9, atol=1e-12)
    some = np.array([5, 300, 17])
    np.testing.assert_array_equal(of.transform(texts[some], fit, folds[some]), result[some])


@given(cells=categories, seed=st.integers(0, 99), row=st.integers(0, 1000), target=st.floats(-1e300, 1e300))
def test_the_target_mean_of_a_training_row_ignores_its_own_target(
    cells: list[str | None], seed: int, row: int, target: float
) -> None:
    texts, row = Texts.of(cells), row % len(cells)
    y = np.random.default_rng(seed).normal(0, 1, (len(cells), 2))
    changed = np.array(y)
    changed[row] = target
    of = step("target_mean: {smoothing: 1.0}")
    folds = of.assign_folds(len(texts), seed)
    before, after = (of.transform(texts, stored(of.fit(texts, t, seed)), folds) for t in (y, changed))
    np.testing.assert_array_equal(after[row], before[row])
    assert np.isfinite(after).all()
    others = folds == folds[row]
    np.testing.assert_array_equal(after[others], before[others])


def test_unique_categories_do_not_leak_the_target() -> None:
    texts = Texts.of([f"id {i}" for i in range(1000)])
    y = np.random.default_rng(1).normal(0, 1, (1000, 1))
    of = step("target_mean: 0.0")
    fit = of.fit(texts, y, 0)
    assert np.corrcoef(of.transform(texts, fit)[:, 0], y[:, 0])[0, 1] > 0.999
    assert (of.transform(texts, fit, of.assign_folds(1000, 0)) == 0).all()


def test_folds_depend_on_the_seed() -> None:
    of = step("target_mean")
    assert of.assign_folds(50, 1).tolist() == of.assign_folds(50, 1).tolist() != of.assign_folds(50, 2).tolist()
    assert [step(name).assign_folds(50, 1) for name in ("one_hot", "ordinal", "hashing", "embedding")] == [None] * 4


def test_the_target_mean_of_a_constant_target_is_zero() -> None:
    texts = Texts.of(["a", "a", "b"])
    of = step("target_mean")
    fit = of.fit(texts, np.full((3, 1), 0.1) + np.array([[0], [1e-17], [0]]), 0)
    np.testing.assert_allclose(of.transform(texts, fit), 0, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_target_mean_works_with_few_rows(n: int) -> None:
    texts, y = Texts.of(["a", "b", "a"][:n]), np.arange(n, dtype=np.float64)[:, None]
    of: TargetMean = step("target_mean")
    result = of.transform(texts, stored(of.fit(texts, y, 0)), of.assign_folds(n, 0))
    assert result.shape == (n, 1)
    assert np.isfinite(result).all()


@pytest.mark.parametrize("text", CATEGORIES)
@given(trained=categories, asked=categories)
def test_any_categories_become_finite_numbers_row_by_row(
    text: str, trained: list[str | None], asked: list[str | None]
) -> None:
    of: CategoryStep = step(text)
    texts, other = Texts.of(trained), Texts.of(asked)
    fit = of.fit(texts, np.arange(2.0 * len(texts)).reshape(-1, 2), 5)
    names, again = of.names(fit), stored(fit)
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


@pytest.mark.parametrize("text", CATEGORIES)
def test_a_fit_ignores_categories_of_other_rows(text: str) -> None:
    """A slice of a column keeps the list of all its categories, which must not matter."""
    cells = ["a", "b", None, "a", "b", "poison", "c"]
    y = np.arange(7.0)[:, None]
    part, alone = Texts.of(cells)[:5], Texts.of(cells[:5])
    assert step(text).fit(part, y[:5], 1) == step(text).fit(alone, y[:5], 1)
