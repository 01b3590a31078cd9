"""Intervals as wide as the row is hard: their spread, their scale, and how often they hold the truth."""

from __future__ import annotations

import copy
import csv
import io
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import NetRegressor, workflows
from nnfs_cli.arrays import Array
from nnfs_cli.errors import RunError, UserError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.prediction.calibration import NonconformityScores, NumberCalibration, calibration_from_json
from nnfs_cli.prediction.calibration.calibration_weights import calibration_weights
from nnfs_cli.prediction.calibration.fit import fit_calibration
from nnfs_cli.prediction.calibration.fit_spread import best_power, learn_spread
from nnfs_cli.prediction.calibration.log_linear import fit_log_linear
from nnfs_cli.prediction.calibration.numbers import limits_of
from nnfs_cli.prediction.calibration.spread import LearnedSpread, QuantileSpread
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.fit import fit
from nnfs_cli.workflows.load_run import calibration_of, restore

SMALL: dict[str, Any] = {"epochs": 15, "members": 4, "random_state": 0}


def hard_rows(n: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """Inputs, numbers, and the standard deviation of their noise, which is ten times as large where x1 > 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    deviation = np.where(X[:, 1] > 0, 1.0, 0.1)
    return X, X[:, 0] + deviation * rng.normal(size=n), deviation


@pytest.fixture(scope="module")
def hard() -> NetRegressor:
    """A net trained on 400 such rows."""
    X, y, _ = hard_rows(400)
    return NetRegressor(**SMALL).fit(X, y)


def calibration_in(net: NetRegressor) -> NumberCalibration:
    found = net.result_.outcome.calibration
    assert isinstance(found, NumberCalibration)
    return found


# --- The spread ---


def test_a_spread_is_learned_where_there_is_one() -> None:
    X, _, deviation = hard_rows(600)
    size = np.abs(np.random.default_rng(1).normal(size=(600, 1))) * deviation[:, None]
    learned = learn_spread(X, [], X[:, :1], size, np.ones(600), np.arange(600), 0)
    assert learned is not None
    spread, out_of_fold = learned
    new, _, truly = hard_rows(2_000, 1)
    below, above = spread.sides(new, new[:, :1], new[:, :1])
    np.testing.assert_array_equal(below, above)
    ratio = np.log(below[:, 0] / truly)
    assert np.std(ratio) < 0.8  # without a spread it is 1.15
    assert np.corrcoef(np.log(out_of_fold[:, 0]), np.log(deviation))[0, 1] > 0.7


def test_where_all_rows_are_alike_intervals_stay_nearly_as_wide() -> None:
    rng = np.random.default_rng(0)
    found = []
    for seed in range(20):
        X, size = rng.normal(size=(300, 5)), np.abs(rng.normal(size=(300, 1)))
        learned = learn_spread(X, [], X[:, :1], size, np.ones(300), np.arange(300), seed)
        found.append(0.0 if learned is None else float(np.log(learned[1]).std()))
    assert np.mean(found) < 0.05
    assert sorted(found)[10] == 0


def test_copies_of_rows_do_not_look_like_a_spread() -> None:
    found = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rows = np.repeat(np.arange(80), 4)
        X, size = rng.normal(size=(80, 6))[rows], np.abs(rng.standard_t(3, size=(80, 1)))[rows]
        found += learn_spread(X, [], 0 * size, size, np.ones(320), rows, seed) is not None
    assert found <= 2  # with copies both among the rows that learn and those that judge, it is 6


def test_a_spread_of_few_rows_is_steep_enough() -> None:
    """The size of errors grows by a factor of e for each unit of one of 14 inputs."""
    slopes = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(150, 14))
        size = np.exp(X[:, :1]) * np.abs(rng.normal(size=(150, 1)))
        learned = learn_spread(X, [], X[:, 1:2], size, np.ones(150), np.arange(150), seed)
        assert learned is not None
        new = rng.normal(size=(500, 14))
        slopes.append(np.polyfit(new[:, 0], np.log(learned[0].sides(new, new, new[:, 1:2])[0][:, 0]), 1)[0])
    assert 0.7 < np.mean(slopes) < 1.1


@pytest.mark.parametrize(("inputs", "ridge"), [(1, 1.0), (3, 20.0), (30, 0.1), (60, 5.0)])
def test_a_log_linear_model_is_that_of_scikit_learn(inputs: int, ridge: float) -> None:
    from sklearn.linear_model import GammaRegressor

    rng = np.random.default_rng(inputs)
    X, weight = rng.normal(size=(40, inputs)), rng.uniform(0.5, 3, 40)
    y = np.exp(2 * rng.normal(size=(40, 2)))
    coefficients, intercepts = fit_log_linear(X, y, weight, ridge)
    for target in range(2):
        theirs = GammaRegressor(alpha=ridge / weight.sum(), solver="newton-cholesky", tol=1e-9, max_iter=1_000)
        theirs.fit(X, y[:, target], weight)
        np.testing.assert_allclose(coefficients[:, target], theirs.coef_, atol=1e-5)
        np.testing.assert_allclose(intercepts[target], theirs.intercept_, atol=1e-5)


def test_codes_of_categories_are_not_taken_for_numbers() -> None:
    X, _, deviation = hard_rows(200)
    size = np.abs(np.random.default_rng(1).normal(size=(200, 1))) * deviation[:, None]
    learned = learn_spread(X, [0, 2], X[:, :1], size, np.ones(200), np.arange(200), 0)
    assert learned is not None
    other = X.copy()
    other[:, [0, 2]] = 1e6
    for a, b in zip(learned[0].sides(X, X, X[:, :1]), learned[0].sides(other, X, X[:, :1]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_errors_there_is_no_spread() -> None:
    X = np.random.default_rng(0).normal(size=(100, 2))
    assert learn_spread(X, [], X[:, :1], np.zeros((100, 1)), np.ones(100), np.arange(100), 0) is None
    assert learn_spread(X[:50], [], X[:50, :1], np.ones((50, 1)), np.ones(50), np.arange(50), 0) is None
    assert learn_spread(X, [], X[:, :1], np.ones((100, 1)), np.ones(100), np.zeros(100), 0) is None


@given(st.floats(-2, 2), st.integers(0, 100))
def test_the_best_power_has_the_largest_gamma_likelihood(slope: float, seed: int) -> None:
    from scipy.stats import gamma

    rng = np.random.default_rng(seed)
    log_spread = rng.normal(size=400)
    size = rng.exponential(size=400) * np.exp(slope * log_spread)

    def likelihood(power: float) -> float:
        scale = np.exp(power * log_spread)
        return float(gamma.logpdf(size, 1, scale=scale * np.mean(size / scale)).sum())

    found = best_power(size, log_spread, np.ones(400), np.arange(400))
    assert found in (0, max((0, 0.25, 0.5, 0.75, 1), key=likelihood))
    if slope > 0.5:
        assert found > 0


# --- Weights and groups ---


def experiment_on(folder: Path, rows: Array, **settings: Any) -> Experiment:
    lines = [",".join(map("{:.6f}".format, row)) for row in rows]
    names = [*(f"x{i}" for i in range(rows.shape[1] - 1)), "y"]
    (folder / "t.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    config = {"dataset": {"csv": {"path": "t.csv", "target": "y"}}, "split": {"test": 0}, "members": 4, **settings}
    (folder / "c.yaml").write_text(yaml.safe_dump(config))
    return workflows.prepare(workflows.load(folder / "c.yaml"))


@pytest.mark.parametrize("loss", ["mse", "quantile"])
def test_a_row_of_weight_2_is_two_rows_for_an_interval(loss: str, tmp_path: Path) -> None:
    X, y, _ = hard_rows(90)
    experiment = experiment_on(tmp_path, np.column_stack([X, y]), epochs=5, dtype="float64", loss=loss)
    fit(experiment)
    predictor, rows = experiment.predictor, experiment.splits["validation"]
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 5, len(rows))
    counts[rows.truth[:, 0].argmin()] = 4  # copies of the lowest row are not several rows that share a limit
    weighted = fit_calibration(predictor, replace(rows, weight=counts.astype(np.float64)), None)
    repeated = fit_calibration(predictor, rows.take(rng.permutation(np.repeat(np.arange(len(rows)), counts))), None)
    assert isinstance(weighted, NumberCalibration)
    assert isinstance(repeated, NumberCalibration)
    assert isinstance(weighted.spread, LearnedSpread if loss == "mse" else QuantileSpread)
    y_hat = predictor.model.predict(rows.X)
    given = predictor.encoder, rows.X, y_hat, predictor.answer(y_hat)
    for level in (0.5, 0.9):
        np.testing.assert_allclose(weighted.interval(*given, level), repeated.interval(*given, level), rtol=1e-9)


def test_each_group_counts_as_one_row() -> None:
    group = np.array([3, 3, 3, 1, 0, 0])
    np.testing.assert_allclose(calibration_weights(6, None, group), [1 / 3, 1 / 3, 1 / 3, 1, 1 / 2, 1 / 2])
    repeated = calibration_weights(12, None, np.repeat(group, 2))
    np.testing.assert_allclose(calibration_weights(6, np.full(6, 2.0), group), repeated.reshape(6, 2).sum(axis=1))


def test_too_few_groups_are_named() -> None:
    scores = NonconformityScores.from_rows(np.arange(40.0)[:, None], calibration_weights(40, None, np.arange(40) % 8))
    calibration = NumberCalibration("out of fold", scores)
    assert calibration.bound(0.8)[0] == 35  # the weight of 36 of 40 rows is (8 + 1) · 0.8
    with pytest.raises(UserError, match=r"an interval of 0\.9 needs 9 groups .* there are only 8"):
        calibration.bound(0.9)


# --- The scale, and limits ---


def test_an_interval_around_a_logarithm_is_a_factor() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y = np.exp(3 + X[:, 0] + 0.5 * rng.normal(size=600))
    net = NetRegressor(**SMALL, preprocessing={"target": ["log1p", "standardize"]}).fit(X[:500], y[:500])
    low, high = net.predict_interval(X[500:]).T
    answer = net.predict(X[500:])
    assert (low >= 0).all()
    assert (low == 0).mean() < 0.2  # which is the limit
    inside = low > 0
    np.testing.assert_allclose(((1 + low) * (1 + high))[inside], (1 + answer[inside]) ** 2, rtol=1e-4)
    assert 0.8 < ((low <= y[500:]) & (y[500:] <= high)).mean() < 0.98


def test_clamp_limits_predictions_but_not_bounds(hard: NetRegressor) -> None:
    y, encoder = hard_rows(400)[1], hard.result_.predictor.encoder
    far = encoder.scale_target(np.array([[y.max() + 5]]))
    assert encoder.unscale_target(far) == pytest.approx(y.max())
    assert encoder.unscale_bounds(far) == pytest.approx(y.max() + 5)


def test_limits_are_ends_that_rows_share_and_zero() -> None:
    grades = np.repeat([1.0, 2, 3, 4, 5], 20)
    positive, both = np.linspace(0.5, 3, 100), np.linspace(-1, 1, 100)
    one_high = np.append(np.zeros(99), 7.0)
    found = limits_of(np.stack([grades, positive, both, one_high], axis=1))
    np.testing.assert_array_equal(found, [[1, 0, -np.inf, 0], [5, np.inf, np.inf, np.inf]])


def test_counts_have_no_bounds_below_0() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    y = rng.poisson(np.exp(X[:, 0])).astype(float)
    for settings in ({}, {"loss": "poisson"}):
        net = NetRegressor(**SMALL, **settings).fit(X[:400], y[:400])
        low, high = net.predict_interval(X[400:]).T
        assert (low == 0).any()
        assert (low >= np.minimum(net.predict(X[400:]), 0)).all()
        assert ((low <= y[400:]) & (y[400:] <= high)).mean() > 0.84


def test_quantiles_are_stretched_to_intervals() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 2))
    y = X[:, 0] + np.exp(X[:, 1]) * rng.exponential(size=900)
    net = NetRegressor(**{**SMALL, "epochs": 40}, loss={"quantile": [0.1, 0.5, 0.9]}).fit(X[:500], y[:500])
    assert isinstance(calibration_in(net).spread, QuantileSpread)
    answer, before = net.predict(X[500:]), None
    for level in (0.1, 0.5, 0.9, 0.95):
        low, high = net.predict_interval(X[500:], level=level).T
        assert (low <= answer).all()
        assert (answer <= high).all()
        assert ((low <= y[500:]) & (y[500:] <= high)).mean() == pytest.approx(level, abs=0.08)
        assert before is None or ((low <= before[0]) & (before[1] <= high)).all()
        before = low, high
    assert np.mean(high - answer) > 1.5 * np.mean(answer - low)  # as skewed as the noise


# --- Records ---


def test_a_calibration_of_an_earlier_release_gives_the_same_intervals() -> None:
    plain = {
        "how": "out of fold", "temperature": None, "errors": None, "test": None,
        "scores": {"rows": 4, "ranks": [1, 2, 3, 4], "values": [[0.5], [1.0], [1.5], [4.0]]},
    }  # fmt: skip
    calibration = calibration_from_json(plain)
    assert isinstance(calibration, NumberCalibration)
    answer = np.array([[10.0], [20.0]])
    low, high = calibration.interval(None, answer, answer, answer, 0.6)  # type: ignore[arg-type]
    np.testing.assert_array_equal([low, high], [[[8.5], [18.5]], [[11.5], [21.5]]])


def test_a_run_keeps_the_spread(hard: NetRegressor, tmp_path: Path) -> None:
    X = hard_rows(50, 1)[0]
    assert isinstance(calibration_in(hard).spread, LearnedSpread)
    hard.save(tmp_path / "run")
    expected = hard.predict_interval(X)
    np.testing.assert_array_equal(NetRegressor.load(tmp_path / "run").predict_interval(X), expected)
    np.testing.assert_array_equal(copy.deepcopy(hard).predict_interval(X), expected)
    names = np.load(tmp_path / "run" / "spread.npz", allow_pickle=False).files
    assert {"inputs.mean", "inputs.factor", "0.projection"} <= {*names}


@pytest.mark.parametrize(
    "changes",
    [
        {"members": 1}, {"members": 10**9}, {"members": "4"}, {"features": 10**12}, {"features": 7}, {"features": -1},
        {"left_out": [99]}, {"left_out": [0, 0]}, {"left_out": ["x"]}, {"left_out": None}, {"shrink": [2.0]},
        {"shrink": []}, {"shrink": [1.0, 1.0]}, {"shrink": [math.inf]}, {"least": [0.0]}, {"least": [1.0, 1.0]},
        {"least": "x"}, {"members": 5},
    ],
)  # fmt: skip
def test_a_damaged_spread_is_refused(hard: NetRegressor, tmp_path: Path, changes: dict[str, Any]) -> None:
    hard.save(tmp_path / "run")
    path = tmp_path / "run" / "calibration.json"
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "spread": {**plain["spread"], **changes}}))
    _refuses(tmp_path / "run")


@pytest.mark.parametrize("limits", [[[1.0], [0.0]], [[0.0]], [[0.0, 1.0], [2.0, 3.0]], "x", [["a"], [1]], 3])
def test_damaged_limits_are_refused(hard: NetRegressor, tmp_path: Path, limits: Any) -> None:
    hard.save(tmp_path / "run")
    path = tmp_path / "run" / "calibration.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "limits": limits}))
    _refuses(tmp_path / "run")


def test_a_spread_that_is_missing_or_not_finite_is_refused(hard: NetRegressor, tmp_path: Path) -> None:
    hard.save(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "other")
    path = tmp_path / "run" / "spread.npz"
    arrays = dict(np.load(path, allow_pickle=False))
    arrays["inputs.mean"][0] = np.nan
    np.savez(path, **arrays)
    _refuses(tmp_path / "run")
    (tmp_path / "other" / "spread.npz").unlink()
    _refuses(tmp_path / "other")


def _refuses(path: Path) -> None:
    (path / "status.json").unlink()  # it has the digests of all files
    run = RunDirectory(path)
    with pytest.raises(RunError), pytest.warns():
        calibration_of(run, restore(run))


def test_the_command_reports_coverage_of_rows_of_weight(tmp_path: Path, inside: Any) -> None:
    X, y, _ = hard_rows(300)
    lines = [",".join([*map("{:.5f}".format, row), str(1 + i % 3)]) for i, row in enumerate(np.column_stack([X, y]))]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,y,w", *lines]) + "\n")
    source = {"csv": {"path": "t.csv", "target": "y", "weight": "w"}}
    config = {"dataset": source, "epochs": 10, "members": 4, "split": {"test": 0.3}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    assert inside("train", "c.yaml", cwd=tmp_path).returncode == 0
    done = inside("predict", "--run", "runs/c-1", "--input", "t.csv", "--interval", "0.8", cwd=tmp_path)
    assert "80 %, calibrated on 210 validation rows (out of fold); they hold the truth for" in done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    widths = [float(row["upper"]) - float(row["lower"]) for row in rows]
    assert np.std(np.log(widths)) > 0.3
