"""Metrics against scikit-learn or their written-out definitions, and properties that hold for any rows."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn import metrics as sk

from nnfs_cli.arrays import Array
from nnfs_cli.metrics import Metric, PredictedRows, default_metrics
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.losses.ordinal import Ordinal

Reference = Callable[[Array, Array, Array], float]  # of y, y_hat and weights

EXAMPLES = [example for member in Metric.registered.values() for example in member.examples]


def metric(example: str) -> Metric:
    return Metric.resolve(yaml.safe_load(example))


CLASSES = [metric(example) for example in EXAMPLES if metric(example).task == "classification"]
NUMBERS = [metric(example) for example in EXAMPLES if metric(example).task == "regression"]


def classes(n_classes: int, n_rows: int = 200, *, weighted: bool = True) -> PredictedRows:
    """Return rows of a net that is right more often than not."""
    rng = np.random.default_rng(n_classes)
    y = rng.integers(n_classes, size=n_rows)
    scores = np.exp(rng.standard_normal((n_rows, n_classes)) + np.eye(n_classes)[y])
    weight = rng.random(n_rows) + 0.1 if weighted else None
    return PredictedRows(y, scores / scores.sum(axis=1, keepdims=True), weight)


def numbers(n_targets: int, n_rows: int = 201, *, weighted: bool = True) -> PredictedRows:
    rng = np.random.default_rng(n_targets)
    y = rng.standard_normal((n_rows, n_targets)) * 3 + 1
    weight = rng.integers(1, 9, n_rows) / 4 if weighted else None
    return PredictedRows(y, y + rng.standard_normal(y.shape), weight)


# --- each metric against another way to its figure -------------------------------------------------------------------


def decided(score: Callable[..., float], **how: object) -> Reference:
    return lambda y, p, w: score(y, p.argmax(axis=1), sample_weight=w, **how)


def ranked(score: Callable[..., float]) -> Reference:
    """The second column for two classes, else scikit-learn's own way through the indicator matrix."""

    def reference(y: Array, p: Array, w: Array) -> float:
        truth, said = (y, p[:, 1]) if p.shape[1] == 2 else (np.eye(p.shape[1])[y], p)
        return score(truth, said, average="macro", sample_weight=w)

    return reference


def top_k(y: Array, p: Array, w: Array, k: int) -> float:
    better = (p > p[np.arange(len(y)), y][:, None]).sum(axis=1)
    return float(w[better < k].sum() / w.sum())


def brier(y: Array, p: Array, w: Array) -> float:
    if p.shape[1] == 2:
        return float((w * (p[:, 1] - y) ** 2).sum() / w.sum())
    return float((w[:, None] * (p - np.eye(p.shape[1])[y]) ** 2).sum() / w.sum())


def calibration(y: Array, p: Array, w: Array, bins: int) -> float:
    error = 0.0
    for b in range(bins):
        inside = (p.max(axis=1) > b / bins) & (p.max(axis=1) <= (b + 1) / bins)
        if inside.any():
            right = np.average((p.argmax(axis=1) == y)[inside], weights=w[inside])
            sure = np.average(p.max(axis=1)[inside], weights=w[inside])
            error += w[inside].sum() / w.sum() * abs(right - sure)
    return float(error)


def correlation(y: Array, p: Array, w: Array) -> float:
    """Compute the correlation from indicators, as defined by Gorodkin."""
    t, d = np.eye(p.shape[1])[y], np.eye(p.shape[1])[p.argmax(axis=1)]
    t, d = t - np.average(t, axis=0, weights=w), d - np.average(d, axis=0, weights=w)
    together, each = (w[:, None] * t * d).sum(), [(w[:, None] * a * a).sum() for a in (t, d)]
    return float(together / np.sqrt(np.prod(each)))


def off(score: Callable[..., float], **how: object) -> Reference:
    return lambda y, y_hat, w: score(y, y_hat, sample_weight=w, **how)


def median(y: Array, y_hat: Array, w: Array) -> float:
    """Repeat every row according to its weight."""
    return float(np.median(np.repeat(np.abs(y_hat - y), (w * 4).astype(int), axis=0), axis=0).mean())


CLASS_REFERENCES: dict[str, Reference] = {
    "accuracy": decided(sk.accuracy_score),
    "subset_accuracy": decided(sk.accuracy_score),
    "balanced_accuracy": decided(sk.recall_score, average="macro"),
    "precision": decided(sk.precision_score, average="macro"),
    "precision: micro": decided(sk.accuracy_score),
    "precision: per_class": decided(sk.precision_score, average="macro"),
    "recall": decided(sk.recall_score, average="macro"),
    "recall: micro": decided(sk.accuracy_score),
    "recall: weighted": decided(sk.accuracy_score),
    "f1": decided(sk.f1_score, average="macro"),
    "f1: micro": decided(sk.accuracy_score),
    "f1: weighted": decided(sk.f1_score, average="weighted"),
    "f1: per_class": decided(sk.f1_score, average="macro"),
    "matthews_correlation": correlation,
    "top_k_accuracy": partial(top_k, k=5),
    "top_k_accuracy: 3": partial(top_k, k=3),
    "top_k_accuracy: 1": decided(sk.accuracy_score),
    "roc_auc": ranked(sk.roc_auc_score),
    "roc_auc: per_class": ranked(sk.roc_auc_score),
    "average_precision": ranked(sk.average_precision_score),
    "average_precision: per_class": ranked(sk.average_precision_score),
    "log_loss": lambda y, p, w: float(-(w * np.log(p[np.arange(len(y)), y])).sum() / w.sum()),
    "brier": brier,
    "rank_mae": decided(sk.mean_absolute_error),
    "quadratic_kappa": decided(sk.cohen_kappa_score, weights="quadratic"),
    "calibration_error": partial(calibration, bins=15),
    "calibration_error: 10": partial(calibration, bins=10),
}
NUMBER_REFERENCES: dict[str, Reference] = {
    "mse": off(sk.mean_squared_error),
    "rmse": lambda y, y_hat, w: math.sqrt(sk.mean_squared_error(y, y_hat, sample_weight=w)),
    "mae": off(sk.mean_absolute_error),
    "median_absolute_error": median,
    "r2": off(sk.r2_score),
    "mape": lambda y, y_hat, w: float(np.average(np.abs(y_hat / y - 1), axis=0, weights=w).mean()),
    "pinball": lambda y, y_hat, w: sk.mean_absolute_error(y, y_hat, sample_weight=w) / 2,
    "pinball: 0.9": lambda y, y_hat, w: float(
        np.average(np.maximum(0.9 * (y - y_hat), 0.1 * (y_hat - y)), axis=0, weights=w).mean()
    ),
}


def test_every_metric_has_a_reference() -> None:
    assert set(EXAMPLES) <= {*CLASS_REFERENCES, *NUMBER_REFERENCES}


CASES = [(example, width) for example in CLASS_REFERENCES for width in (2, 3, 7)]
CASES += [(example, width) for example in NUMBER_REFERENCES for width in (1, 3)]


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(("example", "width"), CASES)
def test_a_metric_agrees_with_its_definition(example: str, width: int, weighted: bool) -> None:
    predicted = (classes if example in CLASS_REFERENCES else numbers)(width, weighted=weighted)
    weight = np.ones(len(predicted.y)) if predicted.weight is None else predicted.weight
    expected = (CLASS_REFERENCES | NUMBER_REFERENCES)[example](predicted.y, predicted.y_hat, weight)
    assert metric(example).score(predicted) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_averages_agree_with_scikit_learn_if_every_class_has_rows(name: str, average: str) -> None:
    """One class is never predicted."""
    predicted = classes(4)
    predicted.y_hat[:, 2] = 0
    expected = getattr(sk, f"{name}_score")(
        predicted.y, predicted.decided, average=average, sample_weight=predicted.weight, zero_division=0
    )
    assert metric(f"{name}: {average}").score(predicted) == pytest.approx(expected, rel=1e-12)


def test_rankings_take_scores_and_classes_without_rows() -> None:
    """The scores are not probabilities, and one class has no rows."""
    predicted = classes(4)
    predicted = replace(predicted, y=predicted.y % 3, y_hat=np.log(predicted.y_hat) * 100)
    for name, score in (("roc_auc", sk.roc_auc_score), ("average_precision", sk.average_precision_score)):
        expected = score(np.eye(3)[predicted.y], predicted.y_hat[:, :3], sample_weight=predicted.weight)
        assert metric(name).score(predicted) == pytest.approx(expected, rel=1e-12)


def test_pinball_scores_the_predicted_quantile_of_its_level() -> None:
    predicted = numbers(2)
    other = predicted.y_hat + 1.5
    with_quantiles = replace(predicted, quantiles={0.9: other})
    assert metric("pinball: 0.9").score(with_quantiles) == metric("pinball: 0.9").score(replace(predicted, y_hat=other))
    assert metric("pinball: 0.8").score(with_quantiles) == metric("pinball: 0.8").score(predicted)


# --- decisions, columns, settings ------------------------------------------------------------------------------------


def test_the_second_class_is_predicted_at_the_threshold_or_more() -> None:
    p = np.array([0.2, 0.3, 0.3000001, 0.6], np.float32)
    predicted = PredictedRows(np.array([0, 0, 1, 1]), np.stack([1 - p, p], axis=1))
    assert predicted.decided.tolist() == [0, 0, 0, 1]
    assert replace(predicted, threshold=float(p[1])).decided.tolist() == [0, 1, 1, 1]
    between = (float(p[1]) + float(p[2])) / 2
    assert replace(predicted, threshold=between).decided.tolist() == [0, 0, 1, 1]
    assert metric("accuracy").score(replace(predicted, threshold=between)) == 1


def test_a_threshold_between_neighbouring_float32_numbers_separates_them() -> None:
    p = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1))], np.float32)
    predicted = PredictedRows(
        np.array([0, 1]), np.stack([1 - p, p], axis=1), threshold=float(p.astype(np.float64).mean())
    )
    assert predicted.decided.tolist() == [0, 1]


def test_of_equally_probable_classes_the_first_counts() -> None:
    predicted = PredictedRows(np.array([0, 1, 2]), np.full((3, 3), 1 / 3))
    assert predicted.decided.tolist() == [0, 0, 0]
    scores = [metric(f"top_k_accuracy: {k}").score(predicted) for k in (1, 2, 3, 9)]
    np.testing.assert_allclose(scores, [1 / 3, 2 / 3, 1, 1], rtol=1e-15)


@pytest.mark.parametrize(
    ("example", "column"),
    [
        ("accuracy", "accuracy"),
        ("f1", "f1_macro"),
        ("f1: weighted", "f1_weighted"),
        ("f1: per_class", "f1"),
        ("top_k_accuracy", "top_5_accuracy"),
        ("pinball: 0.9", "pinball_0.9"),
        ("calibration_error", "calibration_error_15"),
    ],
)
def test_the_name_of_a_figure_includes_the_main_setting(example: str, column: str) -> None:
    assert metric(example).column == column


def test_no_two_examples_share_a_name() -> None:
    columns = [column for m in CLASSES for column in m.figures(classes(3))]
    columns += [column for m in NUMBERS for column in m.figures(numbers(2))]
    assert len(columns) == len(set(columns))


def test_per_class_figures_are_nan_for_classes_without_rows_or_predictions() -> None:
    y, guess = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 2])
    predicted = PredictedRows(y, np.eye(4)[guess], classes=("ash", "birch", "cedar", "durian"))
    of = {name: metric(f"{name}: per_class").figures(predicted) for name in ("precision", "recall", "f1")}
    assert list(of["f1"]) == ["f1_ash", "f1_birch", "f1_cedar", "f1_durian"]
    np.testing.assert_allclose([*of["precision"].values()], [1, 2 / 3, 0, math.nan])
    np.testing.assert_allclose([*of["recall"].values()], [1 / 2, 2 / 3, math.nan, math.nan])
    np.testing.assert_allclose([*of["f1"].values()], [2 / 3, 2 / 3, 0, math.nan])
    for name, figures in of.items():
        assert metric(name).score(predicted) == pytest.approx(np.nanmean([*figures.values()]), rel=1e-12)
    assert list(metric("f1: per_class").figures(replace(predicted, classes=()))) == ["f1_0", "f1_1", "f1_2", "f1_3"]


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("width", [2, 3])
def test_per_class_rankings_compare_a_class_with_the_rest(name: str, width: int) -> None:
    predicted, score = classes(width, weighted=True), getattr(sk, f"{name}_score")
    expected = [score(predicted.y == k, predicted.y_hat[:, k], sample_weight=predicted.weight) for k in range(width)]
    found = metric(f"{name}: per_class").figures(predicted)
    assert list(found) == [f"{name}_{k}" for k in range(width)]
    assert [*found.values()] == pytest.approx(expected, rel=1e-12)
    assert all(map(math.isnan, metric(f"{name}: per_class").figures(replace(predicted, y=predicted.y * 0)).values()))


@pytest.mark.parametrize("example", ["f1: mean", "top_k_accuracy: 0", "pinball: 1", "pinball: 0.0", "pinball: .nan"])
def test_a_setting_out_of_range_is_refused(example: str) -> None:
    with pytest.raises(ValidationError):
        metric(example)


def test_default_metrics() -> None:
    assert [m.column for m in default_metrics(CrossEntropy())] == ["accuracy"]
    assert [m.column for m in default_metrics(Ordinal())] == ["accuracy", "rank_mae", "quadratic_kappa"]
    assert [m.column for m in default_metrics(MSE())] == ["rmse", "r2"]


def test_default_metrics_do_not_import_scikit_learn() -> None:
    script = """
import sys
import numpy as np
from nnfs_cli.metrics import Metric, PredictedRows
y, y_hat = np.arange(4) % 2, np.eye(2)[[0, 1, 1, 1]]
assert Metric.resolve("accuracy").score(PredictedRows(y, y_hat)) == 0.75
for name in ("mse", "rmse", "mae", "r2"):
    Metric.resolve(name).figures(PredictedRows(y_hat, y_hat * 2))
assert not {"sklearn", "scipy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


# --- what has no figure ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", CLASSES, ids=lambda m: m.column)
@pytest.mark.parametrize("case", ["no rows", "no weight", "not finite"])
def test_a_figure_of_classes_without_usable_rows_is_nan(m: Metric, case: str) -> None:
    predicted = classes(3)
    predicted = {
        "no rows": PredictedRows(predicted.y[:0], predicted.y_hat[:0]),
        "no weight": replace(predicted, weight=np.zeros(len(predicted.y))),
        "not finite": replace(predicted, y_hat=np.where(predicted.y_hat > 0.9, np.nan, predicted.y_hat)),
    }[case]
    assert math.isnan(m.score(predicted))
    assert all(math.isnan(figure) for figure in m.figures(predicted).values())


@pytest.mark.parametrize("m", NUMBERS, ids=lambda m: m.column)
def test_a_figure_of_numbers_without_usable_rows_is_nan(m: Metric) -> None:
    predicted = numbers(2)
    assert math.isnan(m.score(PredictedRows(predicted.y[:0], predicted.y_hat[:0])))
    assert math.isnan(m.score(replace(predicted, weight=np.zeros(len(predicted.y)))))
    assert math.isnan(m.score(replace(predicted, y_hat=predicted.y_hat * np.inf)))
    assert math.isnan(m.score(replace(predicted, quantiles={0.9: predicted.y_hat * np.inf})))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("rows", [1, 5])
def test_figures_that_need_two_classes_are_nan_for_one(n_classes: int, rows: int) -> None:
    predicted = PredictedRows(np.full(rows, 1), classes(n_classes, rows).y_hat)
    undefined = {m.column for m in CLASSES if math.isnan(m.score(predicted))}
    assert undefined - {"quadratic_kappa"} == {"matthews_correlation", "roc_auc", "average_precision"}


def test_matthews_correlation_of_constant_predictions_is_zero() -> None:
    assert metric("matthews_correlation").score(PredictedRows(np.array([0, 1, 1]), np.eye(2)[[1, 1, 1]])) == 0


def test_r2_of_a_constant_target_is_one_if_it_is_predicted_exactly() -> None:
    """The mean of three times 0.1 is not 0.1, through rounding."""
    y, weight = np.full((3, 1), 0.1), np.array([0.1, 0.2, 0.4])
    assert [metric("r2").score(PredictedRows(y, y + off, weight)) for off in (0, 1e-9)] == [1, 0]
    assert math.isnan(metric("r2").score(PredictedRows(y[:1], y[:1])))


def test_log_loss_takes_probabilities_that_rounding_moved_beyond_one() -> None:
    y_hat = np.array([[np.nextafter(1, 2), -1e-17], [0, 1]])
    assert metric("log_loss").score(PredictedRows(np.array([0, 1]), y_hat)) == pytest.approx(0, abs=1e-12)


# --- what must hold on any rows --------------------------------------------------------------------------------------

WEIGHTS = st.integers(0, 12).map(lambda eighths: eighths / 8)  # their sums are exact, and so is where the median lies


@st.composite
def any_classes(draw: st.DrawFn) -> PredictedRows:
    """Draw rows with ties among few distinct probabilities, classes without rows, and weights of zero."""
    n_classes, n_rows = draw(st.integers(2, 4)), draw(st.integers(1, 12))
    counts = draw(
        st.lists(
            st.lists(st.integers(0, 4), min_size=n_classes, max_size=n_classes).filter(any),
            min_size=n_rows,
            max_size=n_rows,
        )
    )
    y = draw(st.lists(st.integers(0, n_classes - 1), min_size=n_rows, max_size=n_rows))
    weight = draw(st.none() | st.lists(WEIGHTS, min_size=n_rows, max_size=n_rows).map(np.array))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    y_hat = (np.array(counts) / np.sum(counts, axis=1, keepdims=True)).astype(dtype)
    threshold = draw(st.none() | st.floats(0, 1)) if n_classes == 2 else None
    return PredictedRows(np.array(y), y_hat, weight, threshold)


@st.composite
def any_numbers(draw: st.DrawFn) -> PredictedRows:
    n_targets, n_rows = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    value = st.integers(-40, 40).map(lambda eighths: eighths / 8) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
    row = st.lists(value, min_size=n_targets, max_size=n_targets)
    y, y_hat = (np.array(draw(st.lists(row, min_size=n_rows, max_size=n_rows))) for _ in range(2))
    weight = draw(st.none() | st.lists(WEIGHTS, min_size=n_rows, max_size=n_rows).map(np.array))
    return PredictedRows(y, y_hat, weight, quantiles=draw(st.sampled_from([{}, {0.9: y_hat + 1}])))


ANY = any_classes() | any_numbers()


def metrics_for(predicted: PredictedRows) -> list[Metric]:
    return CLASSES if predicted.y.ndim == 1 else NUMBERS


def all_figures(predicted: PredictedRows) -> dict[str, float]:
    """Every column and, for the classes' own columns, their mean."""
    figures: dict[str, float] = {}
    for m in metrics_for(predicted):
        figures |= {m.column: m.score(predicted), **m.figures(predicted)}
    return figures


def same(figures: dict[str, float], others: dict[str, float]) -> None:
    assert figures == pytest.approx(others, rel=1e-12, abs=1e-14, nan_ok=True)


def taken(predicted: PredictedRows, rows: Array, weight: Array | None) -> PredictedRows:
    quantiles = {level: values[rows] for level, values in predicted.quantiles.items()}
    return replace(predicted, y=predicted.y[rows], y_hat=predicted.y_hat[rows], weight=weight, quantiles=quantiles)


@given(ANY)
def test_a_figure_lies_in_its_range_or_is_nan(predicted: PredictedRows) -> None:
    """Errors and warnings would fail the test, too."""
    above_one = {"log_loss": math.inf, "brier": 2.0, "rank_mae": math.inf}
    for m in metrics_for(predicted):
        for figure in (m.score(predicted), *m.figures(predicted).values()):
            assert type(figure) is float
            if not math.isnan(figure):
                low = (
                    -math.inf
                    if m.name == "r2"
                    else -1.0
                    if m.name in ("matthews_correlation", "quadratic_kappa")
                    else 0.0
                )
                high = 1.0 if m.task == "classification" or m.name == "r2" else math.inf
                assert low - 1e-12 <= figure <= above_one.get(m.name, high) + 1e-12


@given(ANY)
def test_equal_weights_change_nothing(predicted: PredictedRows) -> None:
    n_rows = len(predicted.y)
    plain = all_figures(replace(predicted, weight=None))
    same(all_figures(replace(predicted, weight=np.ones(n_rows))), plain)
    same(all_figures(replace(predicted, weight=np.full(n_rows, 4.0))), plain)


@given(ANY, st.data())
def test_a_repeated_row_equals_a_row_of_twice_the_weight(predicted: PredictedRows, data: st.DataObject) -> None:
    n_rows = len(predicted.y)
    weight = np.ones(n_rows) if predicted.weight is None else predicted.weight
    assume(np.count_nonzero(weight) != 1)  # a single row has no r2
    again = data.draw(st.integers(0, n_rows - 1))
    twice = taken(predicted, np.append(np.arange(n_rows), again), np.append(weight, weight[again]))
    double = replace(predicted, weight=weight * np.where(np.arange(n_rows) == again, 2, 1))
    same(all_figures(twice), all_figures(double))


@given(ANY)
def test_rows_of_weight_zero_are_ignored(predicted: PredictedRows) -> None:
    weight = np.ones(len(predicted.y)) if predicted.weight is None else predicted.weight
    rows = np.flatnonzero(weight)
    same(all_figures(predicted), all_figures(taken(predicted, rows, weight[rows])))
