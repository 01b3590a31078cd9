"""Each blended model is scikit-learn's, fitted without a fold."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge

from nnfs_cli.arrays import Array
from nnfs_cli.blend import BlendedModel
from nnfs_cli.blend.constant import Constant
from nnfs_cli.blend.folded_rows import FoldedRows, Sets
from nnfs_cli.blend.forest import Forest
from nnfs_cli.blend.linear import LinearModel
from nnfs_cli.blend.trees import Trees
from nnfs_cli.data.folds import Folds
from tests.blend.rows import KINDS, at_random, folded_rows, forward, probabilities_by_class

MODELS = [Constant(), LinearModel(penalty=2.0), Trees(most=8, min_rows=5, l2=1.0), Forest(trees=3)]
FEW, NOT_PLAIN = [0, 1, 2], 4  # the inputs of a linear model, and an input that no model looks at


def fresh(rows: FoldedRows) -> Array:
    X = np.random.default_rng(9).normal(size=(40, rows.X.shape[1])).astype(np.float32)
    X[:, 3] = np.arange(40) % 4
    return X


def by_hand(model: BlendedModel, rows: FoldedRows, k: int, n_rounds: int, X: Array) -> Array:
    """The outputs of scikit-learn's model for new rows: probabilities of all classes, or numbers."""
    some = np.flatnonzero(rows.folds.trains[:, rows.sets.of_member == k].all(axis=1))
    weight = None if rows.weight is None else rows.weight[some].astype(float)
    classes, y = bool(rows.n_classes), rows.target[some]
    if isinstance(model, Trees):
        settings: dict[str, Any] = {
            "max_iter": n_rounds, "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 5,
            "l2_regularization": 1.0, "max_features": 0.5, "random_state": rows.seed_of("trees", k),
            "early_stopping": False,
        }  # fmt: skip
        if classes:
            return np.asarray(
                HistGradientBoostingClassifier(**settings).fit(rows.X[some, :4], y, weight).predict_proba(X[:, :4])
            )
        each = [HistGradientBoostingRegressor(**settings).fit(rows.X[some, :4], of, weight) for of in y.T]
        return np.stack([one.predict(X[:, :4]) for one in each], axis=1)
    if isinstance(model, LinearModel):
        A, B = rows.X[some][:, FEW].astype(float), X[:, FEW].astype(float)
        if classes:
            return np.asarray(LogisticRegression(C=0.5, tol=1e-8).fit(A, y, weight).predict_proba(B))
        found = Ridge(alpha=2.0).fit(A, y, weight).predict(B).reshape(len(X), -1)
        return np.asarray(np.clip(found, y.min(axis=0), y.max(axis=0)))
    if isinstance(model, Forest):
        kind: Any = ExtraTreesClassifier if classes else ExtraTreesRegressor
        seed = rows.seed_of("forest", k)
        forest = kind(3, max_features=0.5, random_state=seed).fit(
            rows.X[some, :4], y if classes or y.shape[1] > 1 else y[:, 0], weight
        )
        if not classes:
            return np.asarray(forest.predict(X[:, :4])).reshape(len(X), -1)
        shares = DummyClassifier(strategy="prior").fit(y, y, weight).predict_proba(X)
        return np.asarray((3 * forest.predict_proba(X[:, :4]) + shares) / 4)
    if classes:
        return np.asarray(DummyClassifier(strategy="prior").fit(y, y, weight).predict_proba(X))
    return np.asarray(DummyRegressor().fit(y, y, weight).predict(X)).reshape(len(X), -1)


def tolerance(model: BlendedModel, rows: FoldedRows) -> tuple[float, float]:
    """The relative and the absolute one: logistic regression ends before it has quite converged."""
    return (1e-2, 1e-3) if isinstance(model, LinearModel) and rows.n_classes else (1e-5, 1e-6)


def outputs(model: BlendedModel, rows: FoldedRows, X: Array) -> tuple[Array, list[int]]:
    """The outputs of the models of all sets, (sets, rows, outputs), and the number of rounds of trees of each set."""
    fitted = model.fit(rows)
    model.check(fitted, rows.sets.n, rows.X.shape[1], rows.n_outputs)
    found = model.outputs(fitted, X, np.arange(rows.sets.n), bool(rows.n_classes))
    assert found.shape == (rows.sets.n, len(X), rows.n_outputs)
    assert found.dtype == np.float64
    rounds = (fitted["roots"] > 0).any(axis=2).sum(axis=1) if "roots" in fitted else np.zeros(rows.sets.n, int)
    return found, rounds.tolist()


# By default each kind of target is tried with weights or without.
ROWS = [
    pytest.param(kind, weighted, marks=[pytest.mark.slow] if (i + weighted) % 2 else [])
    for i, kind in enumerate(KINDS)
    for weighted in (False, True)
]


@pytest.mark.parametrize(("kind", "weighted"), ROWS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_is_that_of_scikit_learn_without_the_fold(model: BlendedModel, kind: str, weighted: bool) -> None:
    rows = folded_rows(kind, weighted=weighted)
    X = fresh(rows)
    found, n_rounds = outputs(model, rows, X)
    for k in range(3):
        one = probabilities_by_class(found[k]) if rows.n_classes else found[k]
        np.testing.assert_allclose(one, by_hand(model, rows, k, n_rounds[k], X), *tolerance(model, rows))
    X[:, NOT_PLAIN] += 1
    np.testing.assert_array_equal(outputs(model, rows, X)[0], found)


def lone(truth: Array) -> FoldedRows:
    """Rows in three folds, with these classes; the rows of the first fold come first, and so on."""
    rows = folded_rows("four classes", len(truth), Folds.of(np.arange(len(truth)) * 3 // len(truth), 3))
    return FoldedRows(**{**rows.__dict__, "target": truth})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("present", [[1, 2, 3], [0, 3], [2]], ids=str)
def test_a_class_that_a_set_lacks_is_improbable_there_and_the_others_are_as_if_it_did_not_exist(
    model: BlendedModel, present: list[int]
) -> None:
    rng = np.random.default_rng(1)
    rows = lone(np.concatenate([np.arange(30) % 4, rng.choice(present, 60)]))  # only the first fold has all classes
    X = fresh(rows)
    found, n_rounds = outputs(model, rows, X)
    absent = [k for k in range(4) if k not in present]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=-1), 1)
    assert (found[0][:, absent] < 1e-3).all()
    assert (found[1].max(axis=0) > 0.01).all()
    if len(present) > 1:
        expected = by_hand(model, rows, 0, n_rounds[0], X)
        np.testing.assert_allclose(found[0][:, present], expected, 2e-3, 1e-3)
    else:
        assert (found[0][:, present] > 0.999).all()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("only", [0, 1])
def test_a_set_with_one_of_two_classes_is_nearly_sure_of_it(model: BlendedModel, only: int) -> None:
    rows = folded_rows("two classes", folds=Folds.of(np.arange(90) // 30, 3))
    truth = np.where(np.arange(90) < 30, np.arange(90) % 2, only)
    rows = FoldedRows(**{**rows.__dict__, "target": truth})
    found, _ = outputs(model, rows, fresh(rows))
    assert (np.abs(found[0] - only) < 1e-3).all()
    assert np.isfinite(found).all()


@pytest.mark.parametrize("members", [3, 8, 11, 16])
def test_more_than_eight_folds_share_sets_and_no_set_has_seen_the_rows_that_it_predicts(members: int) -> None:
    rows = folded_rows("a number", folds=at_random(90, members))
    assert rows.sets.n == min(members, 8)
    assert rows.sets.shares.sum() == pytest.approx(1)
    assert set(rows.held_out_by.tolist()) == {*range(rows.sets.n)}
    for k in range(rows.sets.n):
        fitted = rows.fitted_by(k)
        np.testing.assert_array_equal(np.setdiff1d(np.arange(90), fitted), np.flatnonzero(rows.held_out_by == k))
        folds = set(rows.folds.fold[rows.held_out_by == k].tolist())
        assert folds == set(np.flatnonzero(rows.sets.of_member == k).tolist())


def test_a_set_of_forward_folds_has_earlier_rows_only_and_members_without_a_fold_share_one_of_all_rows() -> None:
    rows = folded_rows("a number", folds=forward(90, 7, 3))
    np.testing.assert_array_equal(rows.sets.of_member, [0, 1, 2, 3, 3, 3, 3])
    np.testing.assert_allclose(rows.sets.shares, [1 / 7, 1 / 7, 1 / 7, 4 / 7])
    assert (rows.held_out_by[:45] == -1).all()
    for k in range(3):
        assert rows.fitted_by(k).max() + 1 == np.flatnonzero(rows.held_out_by == k).min()
    assert len(rows.fitted_by(3)) == 90


@pytest.mark.parametrize("kind", ["two numbers", pytest.param("four classes", marks=pytest.mark.slow)])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_models_are_fitted_before_forward_folds_too(model: BlendedModel, kind: str) -> None:
    rows = folded_rows(kind, folds=forward(90, 5, 2))
    X = fresh(rows)
    found, n_rounds = outputs(model, rows, X)
    for k in range(3):
        one = probabilities_by_class(found[k]) if rows.n_classes else found[k]
        np.testing.assert_allclose(one, by_hand(model, rows, k, n_rounds[k], X), *tolerance(model, rows))
    later = folded_rows(kind, folds=forward(90, 5, 2))
    later.target[-20:] = later.target[-20:][::-1]
    if not isinstance(model, Trees):  # later rows help to choose their number
        np.testing.assert_array_equal(outputs(model, later, X)[0][0], found[0])


def test_the_number_of_trees_is_that_with_the_least_loss_on_the_other_folds() -> None:
    rows = folded_rows("a number", 60, weighted=True)
    rows.target[:] += np.random.default_rng(0).normal(size=rows.target.shape)
    model = Trees(most=30, lr=0.3, min_rows=5)
    numbers = (model.fit(rows)["roots"][..., 0] > 0).sum(axis=1)
    losses = np.zeros((3, 30))
    for k in range(3):
        some, held = rows.fitted_by(k), np.flatnonzero(rows.held_out_by == k)
        settings: dict[str, Any] = {"learning_rate": 0.3, "min_samples_leaf": 5, "max_features": 0.5}
        judge = HistGradientBoostingRegressor(max_iter=30, random_state=rows.seed_of("trees", k), **settings)
        assert rows.weight is not None
        judge.fit(rows.X[some, :4], rows.target[some, 0], rows.weight[some].astype(float))
        for i, found in enumerate(judge.staged_predict(rows.X[held, :4])):
            losses[k, i] = rows.weight[held] @ (found - rows.target[held, 0]) ** 2
    np.testing.assert_array_equal(numbers, (losses.sum(axis=0) - losses).argmin(axis=1) + 1)
    assert len({*numbers.tolist()}) > 1
    assert numbers.max() < 30


def test_a_model_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = folded_rows("four classes", weighted=True)
    several = [model.fit(rows) for model in MODELS]
    monkeypatch.setattr("nnfs_cli.system.parallel_map.WORKERS", 1)
    for model, arrays in zip(MODELS, several, strict=True):
        again = model.fit(rows)
        assert {name: array.tobytes() for name, array in again.items()} == {
            name: array.tobytes() for name, array in arrays.items()
        }


class Slow(warnings.catch_warnings):
    """A change of the filters of warnings that lasts so long that other threads begin theirs meanwhile."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        time.sleep(0.001)
        return entered


def test_threads_leave_the_filters_of_warnings_as_they_were_and_warn_of_nothing(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    rows, filters = folded_rows("four classes", folds=at_random(90, 8)), [*warnings.filters]
    with monkeypatch.context() as patch:
        patch.setattr(warnings, "catch_warnings", Slow)
        for model in MODELS:
            model.fit(rows)
    assert warnings.filters == filters
    assert not recwarn.list


def test_sets_know_their_members() -> None:
    sets = Sets(np.array([0, 0, 1, 1, 2]))
    assert sets.n == 3
    np.testing.assert_allclose(sets.shares, [0.4, 0.4, 0.2])
