"""Sets of classes hold each class as often as they say, and calibrated probabilities are those of new rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.calibration import ClassCalibration, calibration_from_json
from nnfs_cli.prediction.calibration.class_scores import KEPT, LEVELS, ClassScores
from nnfs_cli.prediction.calibration.error import scaled_out_of_fold, squared_calibration_error
from nnfs_cli.prediction.calibration.fit_classes import ClassRows, calibrate
from nnfs_cli.prediction.calibration.temperature import fit_temperature, fit_to_mean, scale

Rows = tuple[Array, Array]


# --- Scores of one class ---


@given(st.integers(20, 400), st.floats(0.01, 0.95), st.booleans())
def test_a_threshold_is_a_quantile_of_the_scores(n: int, level: float, ties: bool) -> None:
    scores = np.random.default_rng(n).beta(0.5, 2, n)
    scores = scores.round(1) if ties else scores
    expected = np.quantile(np.concatenate([[0.0], scores]), level * (n + 1) / n, method="linear")
    assert ClassScores.from_rows(scores).threshold(level) == pytest.approx(expected, abs=1e-6)


@given(st.integers(1, 3_000), st.floats(0.01, 0.999), st.booleans())
def test_a_row_of_weight_2_is_two_rows_in_a_threshold(n: int, level: float, ties: bool) -> None:
    rng = np.random.default_rng(n)
    scores, counts = rng.random(n), rng.integers(1, 4, n)
    scores = scores.round(1) if ties else scores
    weighted = ClassScores.from_rows(scores, counts.astype(float))
    repeated = ClassScores.from_rows(scores.repeat(counts))
    assert weighted.threshold(level) == pytest.approx(repeated.threshold(level), abs=1e-9)
    assert weighted.within(0.55) == pytest.approx(repeated.within(0.55), abs=counts.sum() / KEPT)


def test_beyond_the_last_score_a_threshold_approaches_the_one_that_holds_every_row() -> None:
    few = ClassScores.from_rows(np.array([0.2, 0.6]))
    thresholds = [few.threshold(level) for level in (0.6, 2 / 3, 0.8, 0.9, 0.999)]
    assert thresholds[1] == pytest.approx(0.6)
    assert (np.diff(thresholds) > 0).all()
    assert 0.999 < thresholds[-1] < 1
    none = ClassScores.from_rows(np.zeros(0))
    assert 0.95 < none.threshold(0.9) < 1


@pytest.mark.parametrize(("n", "slack"), [(2, 0.06), (5, 0.03), (9, 0.005), (14, 0.005), (30, 0.005)])
def test_a_threshold_holds_new_scores_as_often_as_it_says(n: int, slack: float) -> None:
    """In 5,000 samples of uniform scores, whose share below a threshold is the threshold."""
    rng = np.random.default_rng(n)
    thresholds = [ClassScores.from_rows(rng.random(n)).threshold(0.9) for _ in range(5_000)]
    error = np.std(thresholds) / len(thresholds) ** 0.5
    assert -3 * error < np.mean(thresholds) - 0.9 < slack


# --- Calibrations ---


def rows_of(rng: Any, n: int, classes: int = 3, sure: float = 1.5) -> Rows:
    """Return probabilities that are too sure, and classes drawn from the true ones."""
    z = rng.normal(size=(n, classes)) * 2 + np.linspace(1, -0.5, classes)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return scale(p, 1 / sure), (rng.random((n, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)


def fitted(p: Array, y: Array, weight: Array | None = None, test: Rows | None = None, **more: Any) -> ClassCalibration:
    return calibrate("validation", ClassRows(p, y, weight, **more), None if test is None else ClassRows(*test))


@given(st.integers(1, 400), st.integers(2, 4))
def test_a_calibration_of_classes_comes_back_from_json(n: int, classes: int) -> None:
    rng = np.random.default_rng(n)
    weights = tuple(rng.random(classes) * 3)
    for more in ({}, {"test": rows_of(rng, 7, classes)}, {"class_weights": weights}):
        calibration = fitted(*rows_of(rng, n, classes), rng.random(n), **more)
        again = calibration_from_json(json.loads(json.dumps(calibration.to_json())))
        assert isinstance(again, ClassCalibration)
        assert again.to_json() == calibration.to_json()
        p = rng.dirichlet(np.ones(classes), 50)
        np.testing.assert_array_equal(again.members(p, 0.4), calibration.members(p, 0.4))


@given(st.integers(30, 300), st.floats(0.5, 0.9))
def test_a_row_of_weight_2_is_two_rows_of_a_calibration(n: int, level: float) -> None:
    rng = np.random.default_rng(n)
    (p, y), counts = rows_of(rng, n), rng.integers(1, 4, n)
    weighted, repeated = fitted(p, y, counts.astype("float32")), fitted(p.repeat(counts, axis=0), y.repeat(counts))
    assert weighted.temperature == pytest.approx(repeated.temperature, abs=1e-9)
    np.testing.assert_allclose(weighted.bound(level), repeated.bound(level), atol=1e-9)
    assert weighted.errors == pytest.approx(repeated.errors, abs=1e-9)
    members = np.stack([p, rows_of(rng, n)[0]])
    once = fit_to_mean(members, members.mean(axis=0), counts)
    members = members.repeat(counts, axis=1)
    assert once == pytest.approx(fit_to_mean(members, members.mean(axis=0)), abs=1e-9)


def test_rows_of_a_group_count_as_one_row_of_each_class() -> None:
    rng = np.random.default_rng(0)
    p, y = rows_of(rng, 120)
    one_each = fitted(p, y)
    times = rng.integers(1, 6, 120)
    groups = np.arange(120).repeat(times)
    repeated = fitted(p.repeat(times, axis=0), y.repeat(times), group=groups)
    assert repeated.temperature == pytest.approx(one_each.temperature, abs=1e-9)
    np.testing.assert_allclose(repeated.bound(0.85), one_each.bound(0.85), atol=1e-9)
    assert repeated.rows == times.sum()
    pairs = fitted(p, y, group=np.arange(120) // 2)  # a group with two classes counts in both
    assert sum(scores.weight for scores in pairs.scores) == len({(k, g // 2) for g, k in enumerate(y)})


@pytest.mark.parametrize("by", ["test", "validation"])
def test_the_mean_size_of_sets_is_that_of_the_sets_of_these_rows(by: str) -> None:
    rng = np.random.default_rng(0)
    rows, test = rows_of(rng, 200), rows_of(rng, 90)
    weights = tuple(rng.random(3) * 3)
    calibration = fitted(*rows, test=test if by == "test" else None, class_weights=weights)
    p = (test if by == "test" else rows)[0]
    if by == "test":  # made without class weights, see `fitted`
        sets = [
            calibration.members(scale(p, calibration.temperature), level, p.argmax(axis=1)) for level in LEVELS[1:96]
        ]
    else:
        sets = [calibration.members(calibration.scale(p), level, p.argmax(axis=1)) for level in LEVELS[1:96]]
    sizes = [each.sum(axis=1).mean() for each in sets]
    assert calibration.sizes is not None
    assert calibration.sizes[1:96] == pytest.approx(sizes)
    assert calibration.sizes[100] == 3
    assert calibration.mean_size(0.905) == pytest.approx((calibration.sizes[90] + calibration.sizes[91]) / 2)


@pytest.mark.parametrize("sizes", [[1.0] * 100, [4.0] * 101, ["x"] * 101, 3])
def test_sizes_of_sets_that_are_none_are_refused(sizes: Any) -> None:
    plain = fitted(*rows_of(np.random.default_rng(0), 50)).to_json()
    with pytest.raises((TypeError, ValueError)):
        calibration_from_json({**plain, "sizes": sizes})


def test_a_calibration_of_an_earlier_run_gives_the_same_sets() -> None:
    """Its only threshold is the score with rank ceil((rows + 1) · level), or the next one that was kept."""
    rng = np.random.default_rng(0)
    for rows in (1, 19, 40, 3_000):
        values = np.sort(rng.random(rows))
        ranks = np.unique(np.ceil(np.linspace(1, rows, min(rows, 1_000))).astype(int))
        scores = {"rows": rows, "ranks": ranks.tolist(), "values": values[ranks - 1, None].tolist()}
        plain = {"how": "validation", "temperature": 1.1, "scores": scores, "test": scores, "errors": None}
        calibration = calibration_from_json(plain)
        assert isinstance(calibration, ClassCalibration)
        assert calibration_from_json(json.loads(json.dumps(calibration.to_json()))).to_json() == calibration.to_json()
        p = rng.dirichlet(np.ones(3), 200)
        for level in (*rng.random(100), *(np.arange(1, rows + 1) / (rows + 1))[:50]):
            rank = int(np.ceil((rows + 1) * level - 1e-9))
            if rank > rows:
                with pytest.raises(UserError, match="choose a lower level"):
                    calibration.bound(level)
                continue
            bound = values[ranks[np.searchsorted(ranks, rank)] - 1]
            assert calibration.bound(level) == pytest.approx(bound, abs=1e-15)
            expected = p >= 1 - bound - 1e-12
            expected[np.arange(200), p.argmax(axis=1)] = True
            np.testing.assert_array_equal(calibration.members(p, level), expected)
            assert calibration.coverage(level)[0] == pytest.approx((values <= bound).mean(), abs=2e-3)


@pytest.mark.parametrize("rarity", [1.0, 0.3])
def test_sets_hold_each_class_as_often_as_they_say(rarity: float) -> None:
    """On 200 samples of 90 rows, where sets with one threshold for all classes hold the rare one in 0.6 of its rows."""
    rng = np.random.default_rng(0)
    found: dict[str, list[Array]] = {"by class": [], "as one": []}
    for _ in range(200):
        p, y = rows_of(rng, 700)
        kept = (y < 2) | (rng.random(700) < rarity)
        p, y = p[kept], y[kept]
        by_class = fitted(p[:90], y[:90])
        improbable = 1 - by_class.scale(p[:90])[np.arange(90), y[:90]]
        as_one = ClassCalibration("validation", (ClassScores.from_rows(improbable),))
        for name, calibration in (("by class", by_class), ("as one", as_one)):
            p_new, y_new = by_class.scale(p[90:]), y[90:]
            members = calibration.members(p_new, 0.9)
            assert members.any(axis=1).all()
            hits = members[np.arange(len(y_new)), y_new]
            found[name].append(np.array([hits.mean(), *(hits[y_new == k].mean() for k in range(3))]))
    mean, error = np.mean(found["by class"], axis=0), np.std(found["by class"], axis=0) / 200**0.5
    assert (np.abs(mean - 0.9) < 0.02 + 2 * error).all()
    assert np.ptp(np.mean(found["as one"], axis=0)) > 0.1


def test_the_predicted_class_is_in_the_set() -> None:
    p, y = rows_of(np.random.default_rng(0), 200)
    calibration = fitted(p, y)
    decided = np.arange(200) % 3
    members = calibration.members(p, 0.5, decided)
    assert members[np.arange(200), decided].all()
    assert members[np.arange(200), p.argmax(axis=1)].all()
    sets = calibration.sets(p, ["a", "b", "c"], 0.5, decided)
    assert ["|".join(np.array(["a", "b", "c"])[each]) for each in members] == list(map(str, sets.tolist()))


def test_class_weights_are_taken_out_of_calibrated_probabilities() -> None:
    """The best net under class weights is known: its probabilities are multiplied by them."""
    rng = np.random.default_rng(0)
    p, y = rows_of(rng, 50_000, sure=1.0)
    weights = (1.0, 2.0, 8.0)
    weighted = p * weights / (p * weights).sum(axis=1, keepdims=True)
    calibration = fitted(weighted, y, class_weights=weights)
    assert calibration.temperature == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(calibration.scale(weighted), scale(p, calibration.temperature), rtol=1e-9)
    assert calibration.errors is not None
    assert calibration.errors[0] > 0.05
    assert calibration.errors[1] < 0.02


# --- Calibration error ---


@pytest.mark.parametrize("sure", [1.0, 2.0])
def test_the_error_of_few_rows_is_that_of_new_rows_on_average(sure: float) -> None:
    """On 400 samples of 150 rows; the squared error as it is usually computed is far above that of new rows."""
    rng = np.random.default_rng(0)
    new = squared_calibration_error(*rows_of(rng, 400_000, sure=sure))
    samples = [rows_of(rng, 150, sure=sure) for _ in range(400)]
    found = np.array([squared_calibration_error(*sample) for sample in samples])
    error = found.std() / len(found) ** 0.5
    assert abs(found.mean() - new) < 3 * error
    edges = np.linspace(0, 1, 16)[1:-1]
    usual = []
    for p, y in samples:
        gap, of_bin = (p.argmax(axis=1) == y) - p.max(axis=1), edges.searchsorted(p.max(axis=1))
        usual.append(sum(gap[of_bin == b].sum() ** 2 / max((of_bin == b).sum(), 1) for b in range(15)) / 150)
    assert np.mean(usual) - new > 10 * error


def test_the_error_after_scaling_is_that_of_new_rows_on_average() -> None:
    """On 100 samples of 100 rows that are also the ones that the temperature was fitted to."""
    rng = np.random.default_rng(1)
    new = rows_of(rng, 10_000, sure=2.0)
    differences = []
    for _ in range(100):
        p, y = rows_of(rng, 100, sure=2.0)
        found = squared_calibration_error(scaled_out_of_fold(p, y), y)
        differences.append(found - squared_calibration_error(scale(new[0], fit_temperature(p, y)), new[1]))
    assert abs(np.mean(differences)) < 3 * np.std(differences) / len(differences) ** 0.5
