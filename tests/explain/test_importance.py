"""How much columns matter: against closed forms, scikit-learn, and tables whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nnfs_cli.arrays import Array
from nnfs_cli.explain.importance import holm, importance
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.explain.shuffled_rows import ShuffledRows, draw_donors
from nnfs_cli.metrics.student_t import t_tail
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.workflows.verdicts.interval import interval
from tests.explain.trained import trained, twenty_columns


def squares(y_hat: Array, y: Array) -> Array:
    return np.asarray(np.square(y_hat - y)[:, 0])


def line(b: Any) -> Callable[[EncodedRows], Array]:
    return lambda rows: b * rows.X[:, :1]


def rows_of(x: Array, y: Array, **others: Any) -> EncodedRows:
    return EncodedRows(x[:, None], y[:, None], y[:, None], **others)


@given(st.integers(2, 60), st.integers(1, 6), st.integers(1, 4), st.integers(0, 9))
def test_each_repeat_gives_every_row_the_cells_of_another_row_of_its_member(
    n: int, repeats: int, members: int, seed: int
) -> None:
    member = np.arange(2 * n) % members
    donors = draw_donors(2 * n, member, repeats, np.random.default_rng(seed))
    for givers in donors:
        assert np.sort(givers).tolist() == list(range(2 * n))
        assert (member[givers] == member).all()
    sizes = np.bincount(member)
    assert (donors[0] != np.arange(2 * n))[sizes[member] > 1].all()
    if sizes.min() > repeats:
        assert all(len(set(column)) == repeats for column in donors.T.tolist())


@given(st.integers(2, 30), st.integers(0, 1000))
def test_a_row_of_weight_two_counts_in_the_growth_as_two_rows(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n))
    weight = rng.integers(1, 4, n).astype(float)
    found = ShuffledRows(rows_of(x, y, weight=weight), line(2.0), squares, 3, np.random.default_rng(0))
    growth = found.growth(np.array([0])).mean
    grown = [squares(2 * x[givers][:, None], y[:, None]) - found.losses for givers in found.donors]
    assert growth.value == pytest.approx(np.average(np.mean(grown, axis=0), weights=weight))
    assert found.loss == pytest.approx(np.average(found.losses, weights=weight))


@pytest.mark.parametrize("v", [1, 2, 9, 99.5, 20_000])
@pytest.mark.parametrize("t", [-2.0, 0.0, 0.7, 2.1, 4.0])
def test_tails_of_students_distribution_are_those_of_scipy(v: float, t: float) -> None:
    assert t_tail(t, v) == pytest.approx(stats.t.sf(t, v), rel=1e-5)


@given(st.lists(st.floats(0, 1) | st.none(), max_size=8))
def test_adjusted_p_values_reject_what_the_stepwise_method_rejects(p_values: list[float | None]) -> None:
    """Holm's own words: go through them from the smallest on, and stop at the first above level / those left."""
    adjusted = holm(p_values)
    known = sorted(p for p in p_values if p is not None)
    for level in (0.01, 0.05, 0.5):
        rejected = 0
        while rejected < len(known) and known[rejected] <= level / (len(known) - rejected):
            rejected += 1
        assert abs(sum(p is not None and p <= level for p in adjusted) - rejected) <= sum(
            p is not None and abs(p - level) < 1e-12 for p in adjusted
        )
    assert [p is None for p in adjusted] == [p is None for p in p_values]


def test_importance_is_that_of_scikit_learn_for_the_same_net() -> None:
    from sklearn.base import BaseEstimator
    from sklearn.inspection import permutation_importance

    experiment = trained(twenty_columns(3), "y")
    predictor, rows = experiment.predictor, experiment.splits["validation"]
    found = importance(predictor, rows, inputs_by_column(predictor), repeats=10)

    class Net(BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Array, y: Array) -> Net:
            return self

        def score(self, X: Array, y: Array) -> float:
            return -float(predictor.config.loss.of_rows(predictor.outputs_for(X), y).mean())

    theirs = permutation_importance(Net(), rows.X, rows.y, n_repeats=10, random_state=0)
    for j in range(20):
        error = theirs.importances_std[j] * (2 / 10) ** 0.5
        assert abs(found.of(f"c{j}").growth - theirs.importances_mean[j]) < 4 * error + 1e-6


def test_informative_columns_lead_and_noise_has_no_clear_effect() -> None:
    experiment = trained(twenty_columns(1), "y")
    predictor, rows = experiment.predictor, experiment.splits["validation"]
    found = importance(predictor, rows, inputs_by_column(predictor), together=[("c0", "c3"), ("c5", "c6")])
    assert {one.name for one in found.columns[:3]} == {"c0", "c1", "c2"}
    assert all(one.effect == "matters" for one in found.columns[:3])
    assert all(one.effect == "unclear" for one in found.columns if int(one.name[1:]) > 4)
    assert [one.effect for one in found.together] == ["matters", "unclear"]
    assert found.together[0].growth > found.of("c0").growth
    leading = found.columns[0]
    assert leading.metric is not None
    assert found.metric is not None
    assert (found.metric_name, leading.metric > 1.2 * found.metric) == ("rmse", True)


def test_too_few_rows_have_no_interval_and_no_clear_effect() -> None:
    experiment = trained(twenty_columns(1), "y")
    predictor, rows = experiment.predictor, experiment.splits["validation"].take(np.arange(9))
    found = importance(predictor, rows, inputs_by_column(predictor))
    assert {(one.low, one.p_value, one.effect) for one in found.columns} == {(None, None, "unclear")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [{}, {"split": {"validation": 0}, "members": 4, "holdout": "fold"}], ids=["split", "out of fold"]
)
def test_noise_columns_are_called_important_in_at_most_one_of_twenty_draws(settings: dict[str, Any]) -> None:
    wrong = led = 0
    for seed in range(200):
        experiment = trained(twenty_columns(seed), "y", seed=seed, **settings)
        predictor = experiment.predictor
        found = importance(predictor, experiment.splits["validation"], inputs_by_column(predictor))
        wrong += any(int(name[1:]) > 4 for name in found.main)
        led += {one.name for one in found.columns[:3]} == {"c0", "c1", "c2"}
    assert wrong <= 10
    assert led >= 190


@pytest.mark.slow
@pytest.mark.parametrize("members", [1, 4])
def test_intervals_hold_the_true_growth_in_about_95_of_100_samples(members: int) -> None:
    """With ŷ = b x and y = x + e, shuffling x adds E (b x' - y)² - E (b x - y)² = 2 b to the loss, if Var x = 1.

    Each member has a b of its own, from a sample of its own; the true growth is that of the mean b.
    """
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        x = rng.standard_normal(120)
        y = x + rng.standard_normal(120)
        b = 1 + 0.1 * rng.standard_normal(members)
        member = np.arange(120) % members
        rows = rows_of(x, y, member=member if members > 1 else None)
        found = ShuffledRows(rows, line(b[member, None]), squares, 5, rng)
        bounds = interval(found.growth(np.array([0])).mean)
        truth = 2 * b[0] if members == 1 else 2.0
        held += bounds is not None and bounds.low <= truth <= bounds.high
    assert 920 <= held <= 1000 if members > 1 else 930 <= held <= 970
