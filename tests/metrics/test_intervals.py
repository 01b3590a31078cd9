"""Confidence intervals of figures: against closed forms, SciPy's bootstrap, and how often they hold the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.metrics.resamples import MOST_UNITS, RESAMPLES, Resamples
from nnfs_cli.metrics.student_t import t_quantile
from nnfs_cli.workflows.bootstrap import intervals
from tests.metrics.test_metrics import CLASSES, NUMBERS, classes, metric, numbers

CASES = [(m, width) for m in CLASSES for width in (2, 3)] + [(m, width) for m in NUMBERS for width in (1, 2)]


def rows_for(m: Metric, width: int, n_rows: int = 150, *, weighted: bool = True) -> PredictedRows:
    return (classes if m.task == "classification" else numbers)(width, n_rows, weighted=weighted)


def resamples_of(rows: PredictedRows, seed: int = 0) -> Resamples:
    return Resamples(np.random.default_rng(seed), len(rows.y), rows.weight, rows.group)


def interval(example: str, rows: PredictedRows, seed: int = 0) -> tuple[float, float]:
    (found,) = intervals([metric(example)], rows, seed).values()
    assert found is not None
    return found


@pytest.mark.parametrize(("m", "width"), CASES, ids=lambda value: getattr(value, "column", value))
def test_many_resamples_at_once_give_the_figures_of_each_by_itself(
    m: Metric, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without rows that are imagined; a calibration error has no interval."""
    monkeypatch.setattr(Resamples, "imagined", lambda self, columns, units=0.1: np.full((columns, RESAMPLES), 1e-200))
    rows = rows_for(m, width)
    if m.task == "classification":
        rows = replace(rows, y_hat=rows.y_hat.round(1))  # so that there are equal scores
    for group in (None, np.arange(150) // 4):
        rows = replace(rows, group=group)
        fast, weights = m.resampled(rows, resamples_of(rows)), resamples_of(rows).weights(8)
        if m.name == "calibration_error":
            assert len(fast) == 0
            continue
        assert len(fast) == RESAMPLES
        slow = [list(m.figures(replace(rows, weight=weight)).values()) for weight in weights]
        np.testing.assert_allclose(fast[: len(slow)], slow, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("right", "rows"), [(109, 114), (30, 30), (0, 12), (7, 20)])
def test_the_interval_of_an_accuracy_is_that_of_jeffreys(right: int, rows: int) -> None:
    """A Beta distribution, with a little more at both ends for few rows; within the error of 1,000 draws."""
    guess = (np.arange(rows) >= right).astype(int)
    low, high = interval("accuracy", PredictedRows(np.zeros(rows, int), np.eye(2)[guess]))
    tail = stats.norm.cdf(stats.t.ppf(0.025, rows - 1) * math.sqrt(rows / (rows - 1)))
    share = stats.beta(right + 0.5, rows - right + 0.5)
    for bound, level in ((low, tail), (high, 1 - tail)):
        assert abs(share.cdf(bound) - level) < 4 * math.sqrt(tail * (1 - tail) / RESAMPLES)


@pytest.mark.parametrize(
    ("example", "statistic"),
    [
        ("mae", lambda error, axis: np.abs(error).mean(axis=axis)),
        ("rmse", lambda error, axis: np.sqrt(np.square(error).mean(axis=axis))),
        ("median_absolute_error", lambda error, axis: np.median(np.abs(error), axis=axis)),
    ],
)
def test_intervals_are_those_of_the_bootstrap_of_scipy(example: str, statistic: Callable[..., Array]) -> None:
    rows = numbers(1, 400, weighted=False)
    low, high = interval(example, rows)
    error = (rows.y_hat - rows.y)[:, 0]
    theirs = stats.bootstrap(
        (error,), statistic, n_resamples=4000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.2 * (theirs.high - theirs.low))


def test_the_interval_of_an_area_is_that_of_hanley_and_mcneil() -> None:
    """For scores that are normal in both classes, by their formula for the standard error."""
    rng = np.random.default_rng(3)
    y = rng.integers(2, size=600)
    p = stats.norm.cdf(rng.standard_normal(600) + y)
    low, high = interval("roc_auc", PredictedRows(y, np.stack([1 - p, p], axis=1)))
    area, n1, n0 = metric("roc_auc").score(PredictedRows(y, np.stack([1 - p, p], axis=1))), y.sum(), (1 - y).sum()
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = math.sqrt((area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)) / (n1 * n0))
    assert (high - low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.12)


def test_a_row_of_weight_2_moves_a_mean_as_two_rows_that_are_one_unit() -> None:
    rows = numbers(1, 60, weighted=False)
    twice = np.repeat(np.arange(60), 2)
    doubled = PredictedRows(rows.y[twice], rows.y_hat[twice], group=twice)
    weighted = replace(rows, weight=np.full(60, 2.0))
    for example in ("rmse", "r2", "median_absolute_error"):
        assert interval(example, weighted) == pytest.approx(interval(example, rows), rel=1e-12)
        assert interval(example, doubled) == pytest.approx(interval(example, rows), rel=1e-12)


def test_rows_of_one_group_are_not_as_good_as_rows_of_many() -> None:
    """Twenty rows with the same error are one row: the interval is as wide as that of the groups' means."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(50), 20)
    error = rng.standard_normal(50)[group][:, None]
    rows = PredictedRows(np.zeros((1000, 1)), error)
    low, high = interval("mae", replace(rows, group=group))
    one_low, one_high = interval("mae", PredictedRows(np.zeros((50, 1)), error[::20]))
    assert (low, high) == pytest.approx((one_low, one_high), rel=1e-12)
    narrow_low, narrow_high = interval("mae", rows)
    assert (high - low) / (narrow_high - narrow_low) == pytest.approx(math.sqrt(20), rel=0.2)


def test_more_rows_than_units_give_the_same_width() -> None:
    rows = numbers(1, 20 * MOST_UNITS, weighted=False)
    low, high = interval("mse", rows)
    error = np.square(rows.y_hat - rows.y)
    assert (high - low) / (2 * 1.96 * error.std() / math.sqrt(len(error))) == pytest.approx(1, abs=0.08)


def test_there_is_no_interval_where_there_is_nothing_to_vary() -> None:
    exact = numbers(1)
    assert not any(intervals(NUMBERS, replace(exact, y_hat=exact.y), 0).values())
    none = PredictedRows(np.zeros(0, int), np.zeros((0, 2)))
    one_group = replace(classes(2), group=np.zeros(200, int))
    for rows in (none, replace(classes(2), weight=np.zeros(200)), one_group):
        assert not any(intervals(CLASSES, rows, 0).values())


@pytest.mark.parametrize("y", [[1.0], [1.0] * 9, [1e300, 2e300, 1.0]])
def test_a_figure_that_is_undefined_or_too_large_has_no_interval(y: list[float]) -> None:
    truth = np.array(y)[:, None]
    found = intervals(map(metric, ("r2", "rmse")), PredictedRows(truth, np.arange(len(y))[:, None] + 2.0), 0)
    assert found["r2"] is None
    assert (found["rmse"] is not None) == (len(y) == 9)


def test_what_looks_perfect_is_not_certain() -> None:
    """Of 20 rows that are all right, the next one is wrong with a probability of up to 14 %."""
    y = np.arange(20) % 2
    p = 0.25 + y / 2
    perfect = PredictedRows(y, np.stack([1 - p, p], axis=1))
    for example in ("accuracy", "f1", "balanced_accuracy", "matthews_correlation", "roc_auc", "average_precision"):
        low, high = interval(example, perfect)
        assert 0.6 < low < 0.95 < high <= 1, example


def test_a_class_of_one_row_that_is_missed_makes_a_mean_over_classes_uncertain() -> None:
    """Its recall is anything from 0 to 0.85 (Jeffreys), a third of which counts; nothing is known of its precision."""
    y = np.repeat([0, 1, 2], [150, 150, 1])
    decided = np.where(np.arange(301) % 30 == 0, 1 - y, y)
    decided[-1] = 0
    rows = PredictedRows(y, np.eye(3)[decided])
    upper = stats.beta(0.5, 1.5).ppf(0.975) / 3
    for example in ("balanced_accuracy", "recall"):
        low, high = interval(example, rows)
        assert low < metric(example).score(rows) < high
        assert high - metric(example).score(rows) == pytest.approx(upper, abs=0.03)
    assert intervals([metric("precision")], rows, 0)["precision_macro"] is None


def test_a_rare_class_is_in_every_resample() -> None:
    rows = classes(2, 300, weighted=False)
    rows = replace(rows, y=(np.arange(300) == 7).astype(int))
    low, high = interval("roc_auc", rows)
    assert 0 <= low < high <= 1


def test_too_many_rows_for_a_ranking_have_no_interval_and_others_do() -> None:
    rows = classes(2, 60_000, weighted=False)
    found = intervals([metric("roc_auc"), metric("f1")], rows, 0)
    assert found["roc_auc"] is None
    assert found["f1_macro"] is not None


def test_intervals_depend_on_the_seed_and_on_nothing_else() -> None:
    rows = classes(3)
    some = [metric("accuracy"), metric("roc_auc"), metric("log_loss")]
    assert intervals(some, rows, 1) == intervals(some, rows, 1) != intervals(some, rows, 2)


def test_a_metric_of_ones_own_is_measured_even_if_it_inherits_from_another() -> None:
    class Doubled(type(metric("rmse"))):  # type: ignore[misc]
        def measure(self, rows: PredictedRows) -> float:
            return 2 * float(super().measure(rows))

    rows = numbers(1)
    (low, high), (plain_low, plain_high) = intervals([Doubled()], rows, 0)["rmse"], interval("rmse", rows)  # type: ignore[misc]
    assert (low, high) == pytest.approx((2 * plain_low, 2 * plain_high), rel=0.05)


SETS = 1_000


def drawn_classes(rng: np.random.Generator, n: int, rare: float = 0.5, right: float = 0.85) -> PredictedRows:
    y = (rng.random(n) < rare).astype(int)
    y[:2] = 0, 1  # an area needs both classes
    p = stats.norm.cdf(rng.standard_normal(n) * 0.8 + stats.norm.ppf(right) * (2 * y - 1))
    return PredictedRows(y, np.stack([1 - p, p], axis=1))


def drawn_rare(rng: np.random.Generator, n: int) -> PredictedRows:
    return drawn_classes(rng, n, rare=0.1)


def drawn_hidden(rng: np.random.Generator, n: int) -> PredictedRows:
    """Three classes, one of 3 % of the rows, which is right with 0.6 and never predicted for other rows."""
    y = np.repeat([0, 1, 2], [n // 2, n // 2, n // 30])
    right = rng.random(len(y)) < np.array([0.95, 0.9, 0.6])[y]
    return PredictedRows(y, np.eye(3)[np.where(right, y, np.where(y == 0, 1, 0))])


def drawn_numbers(rng: np.random.Generator, n: int) -> PredictedRows:
    y = rng.standard_normal((n, 1))
    return PredictedRows(y, y + rng.standard_normal((n, 1)) * 0.4)


def drawn_tails(rng: np.random.Generator, n: int) -> PredictedRows:
    """Errors with heavy tails: Student's t with 6 degrees of freedom."""
    y = rng.standard_normal((n, 1))
    return PredictedRows(y, y + rng.standard_t(6, (n, 1)) * 0.4)


def drawn_groups(rng: np.random.Generator, n: int) -> PredictedRows:
    """Groups of 8 rows, whose errors have half of their variance in common."""
    group = np.arange(n * 8) // 8
    y = rng.standard_normal((n * 8, 1))
    error = rng.standard_normal(n)[group] + rng.standard_normal(n * 8)
    return PredictedRows(y, y + 0.3 * error[:, None], group=group)


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 100, 300])
@pytest.mark.parametrize(
    ("draw", "examples"),
    [
        (drawn_classes, ["accuracy", "f1", "roc_auc", "average_precision", "log_loss", "matthews_correlation"]),
        (drawn_rare, ["f1", "recall", "roc_auc", "average_precision", "balanced_accuracy"]),
        (drawn_hidden, ["f1", "recall", "balanced_accuracy"]),
        (drawn_numbers, ["rmse", "mae", "r2", "median_absolute_error"]),
        (drawn_tails, ["rmse", "mae", "r2", "median_absolute_error"]),
        (drawn_groups, ["rmse", "mae", "r2"]),
    ],
    ids=["classes", "rare class", "hidden class", "numbers", "heavy tails", "groups"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    draw: Callable[[np.random.Generator, int], PredictedRows], examples: list[str], n: int
) -> None:
    """On 1,000 sets of rows (standard error 0.7 %); the truth is the figure of 400,000 rows.

    The spread of squared errors is hard to know from few rows, and harder with heavy tails: there the bounds are low.
    """
    rng, metrics = np.random.default_rng(n), [metric(example) for example in examples]
    many = draw(rng, 400_000 // (8 if draw is drawn_groups else 1))
    truth = {name: value for m in metrics for name, value in m.figures(many).items()}
    held = dict.fromkeys(truth, 0)
    for seed in range(SETS):
        for name, bounds in intervals(metrics, draw(rng, n), seed).items():
            held[name] += bounds is not None and bounds[0] <= truth[name] <= bounds[1]
    print(n, {name: f"{count / SETS:.3f}" for name, count in held.items()})
    least = {30: 0.85, 100: 0.87, 300: 0.88} if draw is drawn_tails else {30: 0.87, 100: 0.91, 300: 0.91}
    assert min(held.values()) >= least[n] * SETS


@pytest.mark.parametrize("freedom", [1, 1.3, 2, 4.5, 30, 1e3, 1e6])
def test_quantiles_of_student_are_those_of_scipy(freedom: float) -> None:
    for probability in (0.05, 0.5, 0.9, 0.975, 0.995):
        assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-7, abs=1e-12)
