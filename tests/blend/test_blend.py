"""The blend as a whole: honest out of fold, and restored from plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.blend import BlendedModel
from nnfs_cli.blend.blend import Blend
from nnfs_cli.blend.constant import Constant
from nnfs_cli.blend.folded_rows import FoldedRows
from nnfs_cli.blend.forest import Forest
from nnfs_cli.blend.linear import LinearModel
from nnfs_cli.blend.trees import Trees
from nnfs_cli.blend.weights import Choice, pooled, row_losses
from nnfs_cli.data.folds import Folds
from tests.blend.rows import KINDS, at_random, folded_rows, forward

MODELS: tuple[BlendedModel, ...] = (Trees(most=4, min_rows=5), Forest(trees=2), LinearModel(), Constant())


def net(rows: FoldedRows, X: Array) -> Array:
    """The outputs of something like a net: it knows a part of what there is to know."""
    z = X[:, [0, 1, 2, 3]].astype(float)[:, : rows.n_outputs]
    if not rows.n_classes:
        return z.astype(np.float32)
    p = 1 / (1 + np.exp(-z))
    return np.asarray(p if rows.n_outputs == 1 else p / p.sum(axis=1, keepdims=True), np.float32)


def fitted(rows: FoldedRows) -> Blend:
    held = rows.held_out_by >= 0

    def loss_of(outputs: Array) -> float:
        weight = None if rows.weight is None else rows.weight[held]
        return float(np.average(row_losses(outputs, rows.target[held]), weights=weight))

    return Blend.fit(MODELS, rows, net(rows, rows.X[held]), loss_of)


def of_folds(blend: Blend, rows: FoldedRows) -> Array:
    """The outputs for the rows in folds, each of the member that has not seen the row."""
    held = rows.held_out_by >= 0
    return blend.outputs(rows.X[held], net(rows, rows.X[held]), rows.folds.fold[held])


def parts(blend: Blend, rows: FoldedRows, X: Array, sets: Array) -> Array:
    """The mean outputs of each model of some sets, after those of the net."""
    shares = blend.sets.shares[sets] / blend.sets.shares[sets].sum()
    each = [
        np.tensordot(shares, model.outputs(arrays, X, sets, bool(rows.n_classes)), 1)
        if arrays
        else np.full((len(X), rows.n_outputs), 0.5)  # it never counts
        for model, arrays in zip(blend.models, blend.fitted, strict=True)
    ]
    return np.stack([net(rows, X), *each])


FOLDS = {
    "at random": lambda: at_random(90, 3),
    "more than sets": lambda: at_random(90, 9),
    "forward": lambda: forward(90, 6, 2),
}

# By default each kind of target is tried with one kind of folds.
WAYS = [
    pytest.param(kind, folds, marks=[] if i % 3 == j else [pytest.mark.slow])
    for i, kind in enumerate(KINDS)
    for j, folds in enumerate(FOLDS)
]


@pytest.mark.parametrize(("kind", "folds"), WAYS)
def test_rows_of_a_member_are_predicted_by_its_set_and_new_rows_by_all(kind: str, folds: str) -> None:
    rows = folded_rows(kind, folds=FOLDS[folds](), weighted=True)
    blend = fitted(rows)
    assert blend.names == ("net", "trees", "forest", "linear", "constant")
    X, member = rows.X[:30], np.arange(30) % len(blend.sets.of_member)
    found = blend.outputs(X, net(rows, X), member)
    for j, k in enumerate(blend.sets.of_member):
        mine = member == j
        expected = pooled(parts(blend, rows, X[mine], np.array([k])), blend.weights[1 + k], blend.probable)
        np.testing.assert_allclose(found[mine], expected, 1e-5, 1e-6)
    expected = pooled(parts(blend, rows, X, np.arange(blend.sets.n)), blend.weights[0], blend.probable)
    np.testing.assert_allclose(blend.outputs(X, net(rows, X)), expected, 1e-5, 1e-6)


@pytest.mark.parametrize(("kind", "folds"), WAYS)
def test_losses_are_those_of_the_outputs_out_of_fold(kind: str, folds: str) -> None:
    rows = folded_rows(kind, folds=FOLDS[folds](), weighted=True)
    blend, held = fitted(rows), rows.held_out_by >= 0
    assert rows.weight is not None
    losses = row_losses(of_folds(blend, rows), rows.target[held])
    assert blend.losses[0] == pytest.approx(np.average(losses, weights=rows.weight[held]), rel=1e-5)
    of_net = row_losses(net(rows, rows.X[held]).astype(float), rows.target[held])
    assert blend.losses[1] == pytest.approx(np.average(of_net, weights=rows.weight[held]))


@settings(max_examples=3)
@given(st.sampled_from([*KINDS]), st.integers(0, 10**6), st.booleans())
def test_weights_for_the_rows_of_a_set_are_chosen_by_the_outputs_for_other_rows(
    kind: str, seed: int, ahead: bool
) -> None:
    rows = folded_rows(kind, 60, forward(60, 5, 3) if ahead else at_random(60, 3), weighted=True, seed=seed)
    blend, held = fitted(rows), np.flatnonzero(rows.held_out_by >= 0)
    by, weight, prior = rows.held_out_by[held], rows.weight_of(held), np.array([2, 1, 1, 0, 0]) / 4
    every = [model.fit(rows) for model in MODELS]
    outputs = np.empty((5, len(held), rows.n_outputs))
    outputs[0] = net(rows, rows.X[held])
    for i, k in enumerate(by):
        for model, arrays, found in zip(MODELS, every, outputs[1:], strict=True):
            found[i] = model.outputs(arrays, rows.X[held[[i]]], np.array([k]), blend.probable)[0, 0]
    assert weight is not None
    for k in range(-1, 3):
        some = by != k
        chosen = Choice(outputs[:, some], rows.target[held[some]], weight[some], prior, blend.probable, 4)
        np.testing.assert_allclose(blend.weights[1 + k], chosen.weights(), atol=1e-4)


@pytest.mark.parametrize("kind", ["a number", "four classes"])
def test_a_single_fold_is_predicted_with_the_weights_that_are_expected_beforehand(kind: str) -> None:
    rows = folded_rows(kind, 60, forward(60, 4, 1))
    blend = fitted(rows)
    np.testing.assert_allclose(blend.weights[1], [0.5, 0.25, 0.25, 0, 0])
    assert np.isfinite(blend.losses).all()


@settings(max_examples=4)
@given(st.sampled_from([*KINDS]), st.integers(0, 10**6), st.integers(0, 2))
def test_targets_of_a_fold_change_no_model_for_its_rows(kind: str, seed: int, fold: int) -> None:
    rows = folded_rows(kind, 60, at_random(60, 3), weighted=True, seed=seed)
    mine = rows.folds.fold == fold

    def found() -> list[Array]:
        sets, probable = np.array([fold]), bool(rows.n_classes)
        return [model.outputs(model.fit(rows), rows.X[mine], sets, probable) for model in MODELS[1:]]

    before = found()
    rows.target[mine] = rows.target[mine][::-1]
    for one, other in zip(before, found(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_targets_of_a_fold_change_no_tree_for_its_rows_but_at_most_the_number_of_trees() -> None:
    rows = folded_rows("a number", 60, at_random(60, 3))
    before = Trees(most=8, min_rows=5).fit(rows)
    mine = rows.folds.fold == 1
    rows.target[mine] = -rows.target[mine]
    after = Trees(most=8, min_rows=5).fit(rows)
    n = min((some["roots"][1] > 0).sum() for some in (before, after))
    X, sets = rows.X[mine], np.array([1])
    same = [{**some, **{name: some[name][:, :n] for name in ("roots", "depth")}} for some in (before, after)]
    np.testing.assert_array_equal(*(Trees().outputs(some, X, sets, False) for some in same))


def test_a_model_that_never_counts_keeps_no_arrays() -> None:
    rows = folded_rows("a number", 300, at_random(300, 3))
    rows.target[:] = rows.X[:, :1] ** 2 * np.sign(rows.X[:, :1])  # a tree finds more than a line
    blend = fitted(rows)
    unused = np.flatnonzero(~blend.weights[:, 1:].any(axis=0))
    assert len(unused)
    assert all(not blend.fitted[i] for i in unused)
    assert all(not name.startswith(f"{i}.") for i in unused for name in blend.arrays())


@pytest.mark.parametrize("kind", ["a number", "four classes"])
def test_a_net_that_does_not_count_is_left_out_whatever_it_says(kind: str) -> None:
    rows = folded_rows(kind)
    blend = fitted(rows)
    weights = blend.weights.copy()
    weights[:, 0] = 0
    without = Blend(blend.models, blend.fitted, blend.sets, weights, blend.losses, blend.probable)
    X, huge = rows.X, np.full((90, rows.n_outputs), np.float32(3e38))
    np.testing.assert_array_equal(without.outputs(X, huge), without.outputs(X, net(rows, X)))


# --- Arrays ---


def restored(blend: Blend, rows: FoldedRows, arrays: dict[str, Array]) -> Blend:
    size = len(blend.sets.of_member), rows.X.shape[1], rows.n_outputs
    return Blend.of_arrays(blend.models, arrays, size, blend.probable)


@pytest.mark.parametrize(("kind", "folds"), WAYS)
def test_a_blend_is_restored_from_its_arrays(kind: str, folds: str) -> None:
    rows = folded_rows(kind, folds=FOLDS[folds]())
    blend = fitted(rows)
    again = restored(blend, rows, blend.arrays())
    np.testing.assert_array_equal(again.outputs(rows.X, net(rows, rows.X)), blend.outputs(rows.X, net(rows, rows.X)))
    np.testing.assert_array_equal(of_folds(again, rows), of_folds(blend, rows))
    assert {name: array.tobytes() for name, array in again.arrays().items()} == {
        name: array.tobytes() for name, array in blend.arrays().items()
    }
    assert all(array.dtype.itemsize in (4, 8) for array in blend.arrays().values())


@pytest.fixture(scope="module")
def blends() -> dict[str, tuple[Blend, FoldedRows]]:
    """A blend of each kind of target in which every model counts."""
    made = {}
    for kind in KINDS:
        rows = folded_rows(kind, 60)
        arrays = [model.fit(rows) for model in MODELS]
        weights = np.full((4, 5), 0.2)
        made[kind] = Blend(MODELS, tuple(arrays), rows.sets, weights, np.ones(6), bool(rows.n_classes)), rows
    return made


INTEGERS = [-1, 1, 2, 7, 2**31 - 1, -(2**31), 2**63 - 1]
NUMBERS = [np.nan, np.inf, -np.inf, -1.0, 1e38, -1e308, 1e-300]


def damaged(array: Array, how: str, rng: np.random.Generator) -> Array:
    """Change an array in one way."""
    whole, axis = array.dtype.kind == "i", rng.integers(array.ndim)
    if how == "kind":
        return np.nan_to_num(array, posinf=0).astype(np.float64 if whole else np.int64)
    if how == "shorter":
        return array.take(np.arange(max(array.shape[axis] - 1, 0)), axis)
    if how == "longer":
        return np.concatenate([array, array], axis=axis)
    if how == "axes":
        return array[..., None] if rng.integers(2) else array[0]
    other, limits = array.copy(), np.iinfo(array.dtype) if whole else None
    value = rng.choice(np.array(INTEGERS if whole else NUMBERS))
    value = value if limits is None else np.clip(value, limits.min, limits.max)
    other.reshape(-1)[rng.integers(array.size, size=rng.integers(1, 6))] = value
    return other


@settings(max_examples=100)
@given(
    st.sampled_from([*KINDS]),
    st.sampled_from(["entries", "entry", "kind", "shorter", "longer", "axes", "missing"]),
    st.integers(0, 10**9),
)
def test_damaged_arrays_are_refused_or_predict_something(
    blends: dict[str, tuple[Blend, FoldedRows]], kind: str, how: str, seed: int
) -> None:
    (blend, rows), rng = blends[kind], np.random.default_rng(seed)
    arrays = blend.arrays()
    name = rng.choice(sorted(arrays))
    with np.errstate(all="ignore"):
        if how == "missing":
            del arrays[name]
        else:
            arrays[name] = damaged(arrays[name], how, rng)
        try:
            again = restored(blend, rows, arrays)
        except ValueError:
            return
        assert again.outputs(rows.X, net(rows, rows.X)).shape == (60, rows.n_outputs)
        assert of_folds(again, rows).shape == (60, rows.n_outputs)


def test_arrays_are_refused_for_a_net_of_another_size(blends: dict[str, tuple[Blend, FoldedRows]]) -> None:
    blend, _ = blends["four classes"]
    for size in ((2, 5, 4), (4, 5, 4), (3, 2, 4), (3, 5, 3), (3, 5, 5)):
        with pytest.raises(ValueError, match=r"its|it lacks"):
            Blend.of_arrays(blend.models, blend.arrays(), size, True)


# --- Rows that ask for trouble ---


@settings(max_examples=6)
@given(st.data())
def test_any_few_rows_can_be_blended(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([*KINDS]))
    members, n = data.draw(st.integers(2, 10)), data.draw(st.integers(10, 40))
    seed, n_classes = data.draw(st.integers(0, 10**6)), KINDS[kind][1]
    folds = data.draw(
        st.sampled_from(
            [at_random(n, members, seed), forward(n, members, 2), Folds.of(np.arange(n) * members // n, members)]
        )
    )
    rows = folded_rows(kind, n, folds, data.draw(st.booleans()), seed)
    if data.draw(st.booleans()):  # a target that does not vary
        rows.target[:] = data.draw(st.integers(0, max(n_classes - 1, 0)))
    if data.draw(st.booleans()):
        rows.X[:] = 0
    blend = fitted(rows)
    assert np.isfinite(blend.weights).all()
    assert np.isfinite(blend.losses).all()
    found = of_folds(blend, rows)
    assert np.isfinite(found).all()
    if blend.probable:
        assert ((found >= 0) & (found <= 1)).all()
    restored(blend, rows, blend.arrays())
