"""Sums over trees are those of scikit-learn and of a walk row by row, in NumPy and in compiled code alike."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from nnfs_cli.arrays import Array
from nnfs_cli.blend import tree_sums
from nnfs_cli.blend.boosting import _tree as tree_of_boosting
from nnfs_cli.blend.tree_arrays import Tree, as_arrays, check_trees
from nnfs_cli.blend.tree_sums import sums
from nnfs_cli.errors import UserError

INPUTS = 4

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed")


def rows_of(rng: np.random.Generator, n: int, scale: float = 1.0) -> Array:
    """Rows with few different numbers, and some far ones."""
    X = np.round(rng.standard_normal((n, INPUTS)), 1)
    X[rng.integers(n, size=n // 10), rng.integers(INPUTS, size=n // 10)] *= 1e6
    return (X * scale).astype(np.float32)


def with_ties(X: Array, arrays: Mapping[str, Array]) -> Array:
    """The rows, followed by rows that hold thresholds of the trees and the numbers next to them."""
    inner = np.flatnonzero(np.isfinite(arrays["threshold"]))[:300]
    threshold, feature = arrays["threshold"][inner], arrays["feature"][inner]
    ties = []
    for number in (
        np.nextafter(threshold, np.float32(-np.inf)),
        threshold,
        np.nextafter(threshold, np.float32(np.inf)),
    ):
        rows = X[np.arange(len(inner)) % len(X)]
        rows[np.arange(len(inner)), feature] = number
        ties.append(rows)
    return np.concatenate([X, *ties])


def sums_of(arrays: Mapping[str, Array], X: Array) -> Array:
    return sums(arrays, X, arrays["roots"], arrays["depth"])


@pytest.mark.parametrize(("n_classes", "scale"), [(0, 1e30), (2, 1.0), (3, 1e-30)])
def test_sums_of_boosted_trees_are_what_scikit_learn_predicts(n_classes: int, scale: float) -> None:
    rng = np.random.default_rng(n_classes)
    X = rows_of(rng, 200, scale)
    y = rng.integers(n_classes, size=200) if n_classes else X[:, 0] / scale + rng.standard_normal(200)
    model: Any = (HistGradientBoostingClassifier if n_classes else HistGradientBoostingRegressor)(
        max_iter=8, min_samples_leaf=2, max_bins=20, early_stopping=False
    ).fit(X, y)
    arrays = as_arrays([[[tree_of_boosting(p.nodes) for p in each] for each in model._predictors]], np.arange(INPUTS))
    X = with_ties(X, arrays)
    expected = model.decision_function(X) if n_classes else model.predict(X)
    found = sums_of(arrays, X)[0] + np.reshape(model._baseline_prediction, -1)
    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("n_classes", "scale"), [(0, 1.0), (3, 1e30)])
def test_the_mean_of_a_forest_is_what_scikit_learn_predicts(n_classes: int, scale: float) -> None:
    rng = np.random.default_rng(n_classes)
    X = rows_of(rng, 150, scale)
    y = rng.integers(n_classes, size=150) if n_classes else rng.standard_normal((150, 2))
    model: Any = (ExtraTreesClassifier if n_classes else ExtraTreesRegressor)(5, random_state=0).fit(X, y)
    trees = []
    for each in (one.tree_ for one in model.estimators_):
        values = each.value[:, 0] if n_classes else each.value[:, :, 0]
        left, right = each.children_left, each.children_right
        trees.append([Tree.of(each.feature, each.threshold, left, right, values, left < 0)])
    arrays = as_arrays([trees], np.arange(INPUTS), n_classes or 2)
    X = with_ties(X, arrays)
    expected = model.predict_proba(X) if n_classes else model.predict(X)
    np.testing.assert_allclose(sums_of(arrays, X)[0] / 5, expected, rtol=1e-5, atol=1e-6)


def random_tree(rng: np.random.Generator, n_splits: int, n_values: int) -> Tree:
    """A tree of random shape, with nodes in random order."""
    n = 2 * n_splits + 1
    names = np.concatenate([[0], 1 + rng.permutation(n - 1)])
    left, right, leaf = np.zeros(n, int), np.zeros(n, int), np.ones(n, bool)
    ends = [0]
    for i in range(n_splits):
        node = ends.pop(rng.integers(len(ends)))
        left[node], right[node] = children = names[2 * i + 1 : 2 * i + 3]
        leaf[node] = False
        ends += children.tolist()
    threshold = np.round(rng.standard_normal(n), 1) + rng.choice([0, 1e-12, -1e-12], n)
    return Tree.of(rng.integers(INPUTS, size=n), threshold, left, right, rng.standard_normal((n, n_values)), leaf)


def random_arrays(seed: int, sets: int, rounds: int, n_trees: int, n_values: int, splits: int = 12) -> dict[str, Array]:
    rng = np.random.default_rng(seed)

    def tree() -> Tree | None:
        return random_tree(rng, int(rng.integers(splits)), n_values) if rng.random() < 0.9 else None

    trees = [[[tree() for _ in range(n_trees)] for _ in range(rounds)] for _ in range(sets)]
    return as_arrays(trees, np.arange(INPUTS), n_values)


def walked(arrays: Mapping[str, Array], X: Array) -> Array:
    """The sums, row by row and tree by tree."""
    sets, _, n_trees = arrays["roots"].shape
    n_values = arrays["value"].shape[1]
    found = np.zeros((sets, len(X), n_trees * n_values))
    for (s, _, j), root in np.ndenumerate(arrays["roots"]):
        for i, x in enumerate(X):
            node = int(root)
            while arrays["left"][node] != node:
                node = arrays["left"][node] + int(x[arrays["feature"][node]] > arrays["threshold"][node])
            found[s, i, j * n_values : (j + 1) * n_values] += arrays["value"][node].astype(np.float64)
    return found


SHAPES = st.tuples(*[st.integers(1, most) for most in (3, 6, 3, 3)])
WAYS = ["numpy", pytest.param("compiled", marks=needs_numba)]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let all sums be added in one of the two ways, in small pieces."""
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    monkeypatch.setattr(tree_sums, "COMPILED", 0 if request.param == "compiled" else np.inf)
    monkeypatch.setattr(tree_sums, "ROWS", 7)
    monkeypatch.setattr(tree_sums, "AT_ONCE", 40)
    return str(request.param)


def test_sums_have_the_bytes_of_a_walk_row_by_row(way: str) -> None:
    @settings(max_examples=10)
    @given(seed=st.integers(0, 10**6), shape=SHAPES, n=st.integers(0, 16))
    def check(seed: int, shape: tuple[int, int, int, int], n: int) -> None:
        arrays = random_arrays(seed, *shape)
        check_trees(arrays, shape[0], INPUTS, *shape[2:])
        X = rows_of(np.random.default_rng(seed), 20)[:n]
        assert sums_of(arrays, X).tobytes() == walked(arrays, X).tobytes()

    check()


def test_threads_change_no_byte(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays, X = random_arrays(0, 2, 5, 2, 1), rows_of(np.random.default_rng(0), 60)
    alone = sums_of(arrays, X)
    monkeypatch.setattr(tree_sums, "allowed_threads", lambda: 3)
    assert sums_of(arrays, X).tobytes() == alone.tobytes()


@needs_numba
@pytest.mark.slow
def test_much_work_is_done_by_compiled_code_with_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    arrays, X = random_arrays(0, 4, 30, 2, 3, splits=400), rows_of(np.random.default_rng(0), 30_000)
    assert len(X) * arrays["depth"].sum() > tree_sums.COMPILED
    compiled = sums_of(arrays, X)
    monkeypatch.setattr(tree_sums, "_compiled", lambda *arguments: None)
    assert sums_of(arrays, X).tobytes() == compiled.tobytes()


def test_a_number_too_large_for_float32_goes_right() -> None:
    arrays = random_arrays(1, 1, 5, 1, 1)
    far, infinite = np.full((1, INPUTS), 1e300), np.full((1, INPUTS), np.inf)
    assert sums_of(arrays, far).tobytes() == sums_of(arrays, infinite).tobytes()


@needs_numba
def test_much_work_in_many_calls_is_done_by_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    arrays, X, calls = random_arrays(0, 2, 5, 1, 1), rows_of(np.random.default_rng(0), 60), 0
    compiled = tree_sums._compiled

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return compiled(*arguments)

    monkeypatch.setattr(tree_sums, "_compiled", counted)
    monkeypatch.setattr(tree_sums, "_done", 0)
    monkeypatch.setattr(tree_sums, "COMPILED", 3 * len(X) * int(arrays["depth"].sum()))
    assert len({sums_of(arrays, X).tobytes() for _ in range(4)}) == 1
    assert calls == 2  # the third and the fourth


def test_little_work_looks_for_no_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_sums, "_compiled", lambda *arguments: pytest.fail("it was looked for"))
    sums_of(random_arrays(0, 3, 5, 1, 1), rows_of(np.random.default_rng(0), 50))


@pytest.mark.parametrize("reason", ["", "Numba is not installed"])
def test_numpy_adds_where_nothing_can_be_compiled(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*arguments: object) -> None:
        raise UserError("Numba cannot be imported")

    arrays, X = random_arrays(0, 2, 3, 1, 2), rows_of(np.random.default_rng(0), 20)
    monkeypatch.setattr(tree_sums, "COMPILED", 0)
    monkeypatch.setattr(tree_sums, "load", load)
    monkeypatch.setattr(tree_sums, "why_not_compile", lambda: reason)
    assert sums_of(arrays, X).tobytes() == walked(arrays, X).tobytes()


HOSTILE: dict[str, tuple[str, Any]] = {
    "a feature below the first": ("feature", -1),
    "a feature behind the last": ("feature", INPUTS),
    "a child before the first": ("left", -1),
    "a child behind the last": ("left", 2**31 - 1),
    "a child that is the last node, without a neighbour": ("left", "last"),
    "a child that is its own ancestor": ("left", 0),
    "a leaf with a threshold": ("threshold", 0.5),
    "a threshold that is no number": ("threshold", np.nan),
    "a value that is no number": ("value", np.nan),
    "an infinite value": ("value", np.inf),
    "a root before the first": ("roots", -1),
    "a root behind the last": ("roots", "behind"),
    "a negative depth": ("depth", -1),
    "a depth of more than all nodes": ("depth", 10**9),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_trees_that_lead_outside_are_refused(fault: str) -> None:
    arrays = random_arrays(3, 2, 4, 1, 1)
    name, number = HOSTILE[fault]
    n = len(arrays["left"])
    number = {"last": n - 1, "behind": n}.get(number, number) if isinstance(number, str) else number
    leaf = arrays["left"] == np.arange(n)
    at = np.flatnonzero(leaf)[-1] if fault == "a leaf with a threshold" else np.flatnonzero(~leaf)[1]
    check_trees(arrays, 2, INPUTS, 1, 1)
    arrays[name] = arrays[name].copy()
    arrays[name][at if name in ("feature", "left", "threshold", "value") else 0] = number
    with pytest.raises(ValueError, match=r"^its "):
        check_trees(arrays, 2, INPUTS, 1, 1)


@pytest.mark.parametrize("name", ["feature", "threshold", "left", "value", "roots", "depth"])
def test_trees_of_other_kinds_of_numbers_or_shapes_are_refused(name: str) -> None:
    arrays = random_arrays(3, 2, 4, 1, 1)
    array = arrays[name]
    others = [array.astype(array.dtype.kind + "8"), array.astype(">" + array.dtype.str[1:]), array[:-1], array[None]]
    for other in [*others, np.zeros(array.shape, np.uint8), np.empty(0, array.dtype)]:
        with pytest.raises(ValueError, match=r"^(its|it lacks) "):
            check_trees({**arrays, name: other}, 2, INPUTS, 1, 1)
    with pytest.raises(ValueError, match=f"it lacks the array '{name}'"):
        check_trees({other: arrays[other] for other in arrays if other != name}, 2, INPUTS, 1, 1)


@given(
    name=st.sampled_from(["feature", "threshold", "left", "value", "roots", "depth"]),
    place=st.integers(0, 10**6),
    number=st.one_of(st.integers(-3, 60), st.sampled_from([-(2**31), 2**31 - 1])),
)
def test_damaged_trees_are_refused_or_lead_to_finite_sums(name: str, place: int, number: int) -> None:
    arrays = random_arrays(5, 2, 3, 1, 1)
    arrays[name] = arrays[name].copy()
    arrays[name].reshape(-1)[place % arrays[name].size] = number
    try:
        check_trees(arrays, 2, INPUTS, 1, 1)
    except ValueError:
        return
    assert np.isfinite(sums_of(arrays, rows_of(np.random.default_rng(0), 10))).all()
