"""Labels that are probably wrong: beside cleanlab, and in tables of which some labels are flipped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nnfs_cli.arrays import Array
from nnfs_cli.audit.label_errors import confident_thresholds, label_errors, suspicion
from tests.audit.flipped import flipped, out_of_fold

CLEANLAB = [19, 26, 37, 42, 43, 27]


def labelled(seed: int, n: int = 60, share: float = 0.2) -> tuple[Array, Array]:
    """Return labels (n,) of three classes, a share of them wrong, and probabilities (n, 3) of the true ones."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, n)
    probability = rng.dirichlet([1, 1, 1], n) * 0.6
    probability[np.arange(n), true] += 0.4
    return np.where(rng.random(n) < share, (true + 1) % 3, true), probability


def test_the_rows_and_their_order_are_those_of_cleanlab() -> None:
    # cleanlab 2.9.0: find_label_issues(given, probability, filter_by="confident_learning",
    # return_indices_ranked_by="self_confidence").tolist(), for labelled(4)
    given, probability = labelled(4)
    assert label_errors(given, probability).rows.tolist() == CLEANLAB


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_rows_thresholds_and_scores_are_those_of_cleanlab(seed: int) -> None:
    count = pytest.importorskip("cleanlab.count", reason="it needs the extra bench")
    filters, rank = pytest.importorskip("cleanlab.filter"), pytest.importorskip("cleanlab.rank")
    given, probability = labelled(seed, n=400, share=0.03 * seed)
    how = {"filter_by": "confident_learning", "return_indices_ranked_by": "self_confidence"}
    assert label_errors(given, probability).rows.tolist() == [*filters.find_label_issues(given, probability, **how)]
    assert confident_thresholds(given, probability) == pytest.approx(count.get_confident_thresholds(given, probability))
    assert 1 - suspicion(given, probability) == pytest.approx(
        rank.get_self_confidence_for_each_label(given, probability)
    )


def test_labels_that_are_as_likely_as_any_are_not_suspected() -> None:
    given = np.array([0, 1, 0, 1])
    assert not len(label_errors(given, np.full((4, 2), 0.5)).rows)


def test_a_single_wrong_label_is_found_with_the_likely_one() -> None:
    given = np.repeat([0, 1, 2], 10)
    probability = np.full((30, 3), 0.05) + 0.85 * np.eye(3)[given]
    probability[4] = [0.02, 0.08, 0.9]
    found = label_errors(given, probability)
    assert found.rows.tolist() == [4]
    assert found.likely.tolist() == [2]


@settings(max_examples=30)
@drawn(seed=st.integers(0, 10_000), n=st.integers(1, 50), n_classes=st.integers(2, 5))
def test_a_suspected_label_is_never_the_most_probable_one(seed: int, n: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    given, probability = rng.integers(0, n_classes, n), rng.dirichlet(np.full(n_classes, 0.5), n)
    found = label_errors(given, probability)
    own, likely = probability[found.rows, given[found.rows]], probability[found.rows, found.likely]
    assert (likely > own).all()
    assert (np.diff(own) >= 0).all()  # the most improbable label comes first


def test_most_of_the_flipped_labels_of_a_table_are_found() -> None:
    X, y = load_wine(return_X_y=True)
    given = flipped(y, 0.05, seed=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression())
    probability = cross_val_predict(linear, X, given, cv=5, method="predict_proba")
    assert average_precision_score(given != y, suspicion(given, probability)) > 0.95
    assert set(np.flatnonzero(given != y)) <= set(label_errors(given, probability).rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "load", [load_breast_cancer, load_digits, load_iris, load_wine], ids=lambda load: load.__name__
)
def test_flipped_labels_are_ranked_as_by_cleanlab_with_boosted_trees(load: object) -> None:
    data = load()  # type: ignore[operator]
    X, y = data.data, data.target
    ours, theirs = [], []
    for seed in range(2):
        given = flipped(y, 0.05, seed)
        ours.append(average_precision_score(given != y, suspicion(given, out_of_fold(X, given, seed))))
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        trees = HistGradientBoostingClassifier(random_state=seed)
        other = cross_val_predict(trees, X, given, cv=folds, method="predict_proba")
        theirs.append(average_precision_score(given != y, suspicion(given, other)))  # cleanlab's score, see above
    assert np.mean(ours) >= np.mean(theirs) - 0.02
