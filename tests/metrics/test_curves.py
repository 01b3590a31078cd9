"""Curves of a ranking and reliability diagrams against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from nnfs_cli.arrays import Array
from nnfs_cli.metrics.ranking_curve import RankingCurve
from nnfs_cli.metrics.reliability import Reliability

Rows = tuple[Array, Array, Array]


@st.composite
def ranked_rows(draw: st.DrawFn) -> Rows:
    """Scores with many ties, classes with at least one row each, and weights."""
    n = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    score = rng.integers(0, draw(st.integers(2, 30)), n) / 29
    of_class = rng.random(n) < draw(st.floats(0.05, 0.95))
    of_class[:2] = True, False
    weight = rng.integers(1, 5, n) / 2.0 if draw(st.booleans()) else np.ones(n)
    return score, of_class, weight


@given(ranked_rows())
def test_a_ranking_curve_is_that_of_scikit_learn(rows: Rows) -> None:
    score, of_class, weight = rows
    curve = RankingCurve.of(score, of_class, weight)
    false, true, thresholds = sk.roc_curve(of_class, score, sample_weight=weight, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_alarm_rate, false, atol=1e-12)
    np.testing.assert_allclose(curve.recall, true, atol=1e-12)
    np.testing.assert_array_equal(curve.threshold, thresholds)
    precision, recall, _ = sk.precision_recall_curve(of_class, score, sample_weight=weight)
    np.testing.assert_allclose(curve.precision[::-1], precision, atol=1e-12)
    np.testing.assert_allclose(curve.recall[::-1], recall, atol=1e-12)
    assert curve.roc_auc == pytest.approx(sk.roc_auc_score(of_class, score, sample_weight=weight))
    assert curve.average_precision == pytest.approx(sk.average_precision_score(of_class, score, sample_weight=weight))


@given(ranked_rows(), st.floats(-0.1, 1.1))
def test_a_ranking_curve_counts_the_rows_at_any_threshold(rows: Rows, threshold: float) -> None:
    score, of_class, weight = rows
    reach = score >= threshold
    hits, false_alarms = RankingCurve.of(score, of_class, weight).at(threshold)
    assert hits == pytest.approx(weight[reach & of_class].sum())
    assert false_alarms == pytest.approx(weight[reach & ~of_class].sum())


def test_a_ranking_of_one_class_is_not_defined() -> None:
    one_class = RankingCurve.of(np.array([0.2, 0.7]), np.array([True, True]))
    assert not one_class.defined
    assert RankingCurve.of(np.array([0.2, 0.7]), np.array([True, False])).defined


@pytest.mark.parametrize("bins", [5, 10])
def test_reliability_is_the_calibration_curve_of_scikit_learn(bins: int) -> None:
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.random(300) ** 2, [0.0, 1.0]])
    came_true = rng.random(302) < p
    found = Reliability.of(p, came_true, bins=bins)
    frequency, probability = calibration_curve(came_true, p, n_bins=bins)
    np.testing.assert_allclose(found.frequency, frequency)
    np.testing.assert_allclose(found.probability, probability)
    assert found.rows.sum() == 302


def test_a_row_of_weight_2_counts_as_two_rows_in_a_reliability_diagram() -> None:
    p, came_true, weight = np.array([0.11, 0.15, 0.8]), np.array([True, False, True]), np.array([2.0, 1, 1])
    weighted = Reliability.of(p, came_true, weight)
    repeated = Reliability.of(p.repeat([2, 1, 1]), came_true.repeat([2, 1, 1]))
    np.testing.assert_allclose(weighted.frequency, repeated.frequency)
    np.testing.assert_allclose(weighted.probability, repeated.probability)
    np.testing.assert_array_equal(weighted.rows, [2, 1])
