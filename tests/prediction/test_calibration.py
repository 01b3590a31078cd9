"""Intervals, sets and probabilities: as sure as the net may be, and honest about it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from nnfs_cli import NetClassifier, Run, workflows
from nnfs_cli.arrays import Array
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.errors import NnfsWarning, RunError, UserError
from nnfs_cli.prediction.calibration import (
    NonconformityScores,
    NumberCalibration,
    calibration_from_json,
)
from nnfs_cli.prediction.calibration.calibration_weights import calibration_weights
from nnfs_cli.prediction.calibration.fit import fit_calibration
from nnfs_cli.prediction.calibration.scores import KEPT
from nnfs_cli.prediction.calibration.temperature import fit_temperature, fit_to_mean, scale
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.load_run import calibration_of, restore
from tests.conftest import Nnfs, one_message

Write = Callable[[str, str], Path]
SMALL: dict[str, Any] = {"epochs": 40, "members": 4, "log_every": 2}


# --- Scores ---


@given(st.integers(1, 5_000), st.floats(0.01, 0.999))
def test_a_bound_is_the_score_with_the_rank_that_conformal_prediction_asks_for(n: int, level: float) -> None:
    values = np.random.default_rng(n).permutation(n)[:, None].astype(float)
    bound = NonconformityScores.from_rows(values).bound(level)
    rank = math.ceil((n + 1) * level - 1e-9)
    if rank > n:
        assert bound is None
        return
    assert bound is not None
    exact = rank - 1.0
    assert exact <= bound[0] <= exact + (0 if n <= KEPT else math.ceil(n / KEPT))


def test_a_bound_holds_a_new_score_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(4000):
        scores = rng.exponential(size=(20, 1))
        bound = NonconformityScores.from_rows(scores[:19]).bound(0.9)
        assert bound is not None
        hits.append(scores[19, 0] <= bound[0])
    assert np.mean(hits) == pytest.approx(0.9, abs=0.015)  # (19 + 1) * 0.9 is a whole number, so it is met exactly


@given(st.integers(10, 2_500), st.integers(1, 2), st.floats(0.05, 0.9), st.booleans())
def test_a_row_of_weight_2_is_two_rows_among_scores(n: int, targets: int, level: float, ties: bool) -> None:
    rng = np.random.default_rng(n)
    scores = rng.exponential(size=(n, targets))
    scores = scores.round(1) if ties else scores
    counts = rng.integers(1, 5, n)
    weighted = NonconformityScores.from_rows(scores, counts.astype("float32"))
    repeated = NonconformityScores.from_rows(np.repeat(scores, counts, axis=0))
    bound, same = weighted.bound(level), repeated.bound(level)
    np.testing.assert_allclose(bound, same, rtol=1e-9)
    assert bound is not None
    np.testing.assert_allclose(weighted.coverage(bound), repeated.coverage(bound), rtol=1e-9)
    assert weighted.coverage(bound) == pytest.approx((scores <= bound).T @ counts / counts.sum(), abs=2 / KEPT)


def test_weights_that_only_compare_rows_need_no_scale() -> None:
    scores = np.random.default_rng(0).exponential(size=(50, 1))
    shares = np.random.default_rng(1).random(50)
    weights = [calibration_weights(50, shares * scale) for scale in (1e-9, 0.1, 1.0)]
    bounds = [NonconformityScores.from_rows(scores, weight).bound(0.8) for weight in weights]
    np.testing.assert_array_equal(bounds[0], bounds[1])
    np.testing.assert_array_equal(bounds[0], bounds[2])


@given(st.integers(1, 3), st.integers(1, 1500))
def test_scores_and_calibrations_come_back_from_json(n_targets: int, n: int) -> None:
    rng = np.random.default_rng(n)
    scores, test = (NonconformityScores.from_rows(rng.random((rows, n_targets))) for rows in (n, 7))
    one = NumberCalibration("out of fold", scores, test)
    again = calibration_from_json(json.loads(json.dumps(one.to_json())))
    assert isinstance(again, NumberCalibration)
    assert again.to_json() == one.to_json()
    np.testing.assert_array_equal(again.scores.values, scores.values)


# --- Temperatures ---


@pytest.mark.parametrize("truly", [0.5, 0.8, 1.0, 2.0])
def test_a_temperature_is_found_again(truly: float) -> None:
    rng = np.random.default_rng(0)
    p = scale(rng.dirichlet(np.ones(4), size=20_000), 0.7)
    cumulative = scale(p, truly).cumsum(axis=1)
    truth = (rng.random((len(p), 1)) > cumulative).sum(axis=1)
    assert fit_temperature(p, truth) == pytest.approx(truly, rel=0.05)
    twice = np.concatenate([p, p]), np.concatenate([truth, (truth + 1) % 4])
    weight = np.repeat([1.0, 0.0], len(p))
    assert fit_temperature(*twice, weight) == pytest.approx(fit_temperature(p, truth), rel=1e-3)


def test_a_temperature_has_the_least_loss() -> None:
    """The minimum is that of SciPy, over the log loss with a normal prior on the logarithm."""
    rng = np.random.default_rng(1)
    for spread in (0.3, 3, 30):
        p = scale(np.exp(rng.normal(0, spread, (200, 3))), 1)
        truth = rng.integers(0, 3, 200)

        def loss(log: float, p: Array = p, truth: Array = truth) -> float:
            return float(-np.log(scale(p, math.exp(log))[np.arange(200), truth]).sum() + (log / 0.3) ** 2 / 2)

        least = minimize_scalar(loss, bounds=(math.log(0.1), math.log(10)), method="bounded", options={"xatol": 1e-9})
        assert math.log(fit_temperature(p, truth)) == pytest.approx(least.x, abs=1e-5)


def test_of_few_rows_a_temperature_stays_near_1() -> None:
    p = np.full((10, 2), [0.9, 0.1])
    assert 0.7 < fit_temperature(p, np.zeros(10, int)) < 1  # never wrong, and nearly nothing is known by it


def test_tempered_probabilities_are_those_of_divided_logits() -> None:
    z = np.random.default_rng(0).normal(size=(50, 3)) * 4

    def softmax(z: Array) -> Array:
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

    np.testing.assert_allclose(scale(softmax(z), 2.5), softmax(z / 2.5), rtol=1e-9)
    sure = scale(np.array([[1.0, 0.0]]), 3.0)
    assert np.isfinite(sure).all()
    assert sure[0, 0] == pytest.approx(1)


def test_a_mean_of_members_is_softer_than_they_are() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1, 500, 3)) * 3 + rng.normal(size=(8, 500, 3)) * 2
    members = np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)
    assert fit_to_mean(members, members.mean(axis=0)) > 1.1
    same = np.repeat(members[:1], 8, axis=0)
    assert fit_to_mean(same, same[0]) == pytest.approx(1, abs=1e-2)


# --- Ten kinds of noise ---


def f(X: Array) -> Array:
    y: Array = 2 * X[:, 0] + np.sin(2 * X[:, 1]) + X[:, 2] * X[:, 3]
    return y


NOISES: dict[str, Callable[[Array, Any], Array]] = {
    "normal": lambda X, rng: f(X) + rng.normal(size=len(X)),
    "little": lambda X, rng: f(X) + 0.2 * rng.normal(size=len(X)),
    "much": lambda X, rng: f(X) + 5 * rng.normal(size=len(X)),
    "uniform": lambda X, rng: f(X) + rng.uniform(-2, 2, len(X)),
    "heavy tails": lambda X, rng: f(X) + rng.standard_t(3, len(X)),
    "skewed": lambda X, rng: f(X) + rng.exponential(size=len(X)),
    "by an input": lambda X, rng: f(X) + np.abs(X[:, 4]) * rng.normal(size=len(X)),
    "growing": lambda X, rng: f(X) + np.exp(X[:, 0] / 2) * rng.normal(size=len(X)),
    "by the target": lambda X, rng: np.exp(f(X) / 3) * (1 + 0.3 * rng.normal(size=len(X))),
    "two kinds of rows": lambda X, rng: f(X) + np.where(X[:, 1] > 0, 3, 0.3) * rng.normal(size=len(X)),
}


USUAL = ("heavy tails",)


@pytest.mark.parametrize(
    "noise", [noise if noise in USUAL else pytest.param(noise, marks=pytest.mark.slow) for noise in NOISES]
)
def test_intervals_hold_the_truth_as_often_as_they_say(noise: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(list(NOISES).index(noise))
    X = rng.normal(size=(6_000, 5))
    rows = np.column_stack([X, NOISES[noise](X, rng)])
    for name, part in (("train", rows[:2_000]), ("new", rows[2_000:])):
        lines = [",".join(map("{:.5f}".format, row)) for row in part]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,c,d,e,y", *lines]) + "\n")
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump({"dataset": {"csv": {"path": "train.csv", "target": "y"}}, "epochs": 40}))
    experiment = workflows.prepare(workflows.load(config))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    found = workflows.batch_predictor(run, tmp_path / "new.csv", interval=0.9).all()
    y = Csv(path=tmp_path / "new.csv", target="y").read().numbers("y")
    inside = (found["lower"] <= y) & (y <= found["upper"])
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    assert (found["lower"] < found["prediction"]).all()
    assert (found["prediction"] < found["upper"]).all()


# --- Estimates out of fold ---


def fold_experiment(tmp_path: Path, dataset: object, seed: int, **changes: Any) -> Any:
    config = tmp_path / f"{seed}.yaml"
    config.write_text(yaml.safe_dump({"dataset": dataset, "seed": seed, "split": {"test": 0.3}, **SMALL, **changes}))
    experiment = workflows.prepare(workflows.load(config))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    return experiment


@pytest.mark.parametrize(
    ("dataset", "splits"),
    [("diabetes", 4), *(pytest.param(name, 20, marks=pytest.mark.slow) for name in ("breast_cancer", "diabetes"))],
)
def test_what_is_said_out_of_fold_is_what_new_rows_show(dataset: str, splits: int, tmp_path: Path) -> None:
    """Members are evaluated one by one, as they are out of fold."""
    differences = []
    for seed in range(splits):
        experiment = fold_experiment(tmp_path, dataset, seed, epochs=20)
        evaluate, test = experiment.predictor.evaluate, experiment.splits["test"]
        alone = [evaluate(replace(test, member=np.full(len(test), j)))[0] for j in range(4)]
        differences.append(np.mean(alone) - evaluate(experiment.splits["validation"])[0])
    error = np.std(differences, ddof=1) / math.sqrt(splits)
    assert abs(np.mean(differences)) < 3 * error


@pytest.mark.parametrize(("classes", "known"), [(True, False), (False, False), (True, True), (False, True)])
def test_where_there_is_nothing_to_learn_no_skill_is_seen(classes: bool, known: bool, tmp_path: Path) -> None:
    """The target is shuffled; left as it is, the same net does see it."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(600, 4))
    y = X[:, 0] + X[:, 1] + 0.3 * rng.normal(size=600)
    y = y if known else rng.permutation(y)
    lines = [",".join([*map("{:.4f}".format, row), "yes" if v > 0 else "no"]) for row, v in zip(X, y, strict=True)]
    if not classes:
        lines = [",".join(map("{:.4f}".format, [*row, v])) for row, v in zip(X, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    source = {"csv": {"path": str(tmp_path / "t.csv"), "target": "y"}}
    experiment = fold_experiment(tmp_path, source, 0, split={"test": 0})
    figures = experiment.predictor.figures(experiment.splits["validation"])
    if known:
        assert figures["accuracy" if classes else "r2"] > 0.8
    elif classes:
        assert figures["loss"] > math.log(2) - 0.02
        assert abs(figures["accuracy"] - 0.5) < 3 * 0.5 / math.sqrt(600) + 0.02
    else:
        assert figures["r2"] < 0.02


# --- The command ---


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run for classes, one for two targets of numbers, and their rows."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    names = np.array(["low", "mid", "high"])[np.digitize(X[:, 0] + 0.5 * rng.normal(size=200), [-0.5, 0.5])]
    rows = [f"{a:.4f},{b:.4f},{a + b:.4f},{a - b:.4f},{n}" for (a, b), n in zip(X, names, strict=True)]
    (folder / "t.csv").write_text("\n".join(["a,b,sum,difference,name", *rows]) + "\n")
    targets = {"classes": ("name", ["sum", "difference"]), "numbers": (["sum", "difference"], ["name"])}
    for name, (target, drop) in targets.items():
        source = {"csv": {"path": "t.csv", "target": target, "drop": drop}}
        config = {"dataset": source, "split": {"test": 0.2}, **SMALL}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
        experiment = workflows.prepare(workflows.load(folder / f"{name}.yaml"))
        run = workflows.begin(experiment, folder / "runs")
        workflows.train(experiment, run)
    return folder


def test_sets_of_classes(trained: Path, inside: Nnfs) -> None:
    done = inside("predict", "--run", "runs/classes-1", "--input", "t.csv", "--interval", "0.9", cwd=trained)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    truth = [row["name"] for row in csv.DictReader(io.StringIO((trained / "t.csv").read_text()))]
    assert all(row["prediction"] in row["set"].split("|") for row in rows)
    assert {len(row["set"].split("|")) for row in rows} > {1}
    assert np.mean([t in row["set"].split("|") for t, row in zip(truth, rows, strict=True)]) > 0.87
    assert sum(float(rows[0][f"probability_{name}"]) for name in ("low", "mid", "high")) == pytest.approx(1)
    assert (
        "sets        90 % for each class, calibrated on 160 validation rows (out of fold); they hold the truth for"
        in done.stderr
    )
    assert "calibrated  with temperature" in done.stderr
    plain = inside("predict", "--run", "runs/classes-1", "--input", "t.csv", cwd=trained)
    assert "set" not in plain.stdout.partition("\n")[0].split(",")
    assert [row["prediction"] for row in csv.DictReader(io.StringIO(plain.stdout))] == [r["prediction"] for r in rows]


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_where_nothing_is_known_probabilities_are_not_made_surer(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"7,{i % 2}\n" for i in range(60)))
    source = {"csv": {"path": str(tmp_path / "t.csv"), "target": "y"}}
    experiment = fold_experiment(tmp_path, source, 0, split={"test": 0}, members=8)
    found = fit_calibration(experiment.predictor, experiment.splits["validation"], None)
    assert found is not None
    assert found.temperature is not None
    assert found.temperature > 0.8


def test_bounds_of_several_targets(trained: Path, inside: Nnfs) -> None:
    words = ("predict", "--run", "runs/numbers-1", "--input", "t.csv", "--interval")
    wide, narrow = (
        list(csv.DictReader(io.StringIO(inside(*words, level, cwd=trained).stdout))) for level in ("0.9", "0.5")
    )
    assert list(wide[0]) == [
        f"{what}_{name}" for what in ("prediction", "lower", "upper") for name in ("sum", "difference")
    ]
    for a, b in zip(wide, narrow, strict=True):
        for name in ("sum", "difference"):
            low, middle, high = (float(a[f"{what}_{name}"]) for what in ("lower", "prediction", "upper"))
            assert low < float(b[f"lower_{name}"]) < middle < float(b[f"upper_{name}"]) < high


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("0", "--interval takes a probability between 0 and 1, such as 0.9, found 0"),
        ("1", "--interval takes a probability"),
        ("90", "--interval takes a probability"),
        ("nan", "--interval takes a probability"),
        ("0.999", "an interval of 0.999 needs 999 rows that the net was not trained on, but there are only 160"),
    ],
)
def test_levels_that_cannot_be(trained: Path, inside: Nnfs, level: str, message: str) -> None:
    done = inside("predict", "--run", "runs/numbers-1", "--input", "t.csv", "--interval", level, cwd=trained)
    assert message in one_message(done, 2)


@pytest.mark.parametrize("level", ["0.9", None, math.nan, 0, 1, 1 + 0j])
def test_a_level_in_python_is_a_number_between_0_and_1(trained: Path, level: Any) -> None:
    net = NetClassifier(layers=["linear: 2"], epochs=1, split=0.5).fit([[0.0], [1.0]] * 20, ["a", "b"] * 20)
    with pytest.raises(ValueError, match=r"a level is a probability between 0 and 1, such as 0\.9, found "):
        net.predict_set([[0.0]], level=level)
    if level is not None:
        with pytest.raises(UserError, match=r"a level is a probability between 0 and 1, such as 0\.9, found "):
            Run(trained / "runs" / "numbers-1").predict(trained / "t.csv", interval=level)


def test_a_class_with_too_few_rows_for_a_level_is_named() -> None:
    """A level of 0.95 needs 0.95 / 0.05 = 19 rows of each class; at 0.9, 12 rows are enough."""
    X, y = [[0.0]] * 40 + [[1.0]] * 12, ["often"] * 40 + ["rarely"] * 12
    net = NetClassifier(layers=["linear: 2"], epochs=2, random_state=0).fit(X, y, validation_data=(X, y))
    with pytest.warns(NnfsWarning, match=r"class 'rarely' has 12 rows to calibrate on; 95 % needs 19: its threshold"):
        net.predict_set(X, level=0.95)
    net.predict_set(X, level=0.9)
    with pytest.raises(UserError, match=r"a set of classes at 0\.99 needs 99 rows .* there are only 52"):
        net.predict_set(X, level=0.99)


def test_a_run_without_rows_to_calibrate_by_says_so(inside: Nnfs, write: Write) -> None:
    write("c.yaml", "dataset: iris\nsplit: 0\nmembers: 1\nepochs: 2\n")
    assert inside("train", "c.yaml").returncode == 0
    write("new.csv", "sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n")
    done = inside("predict", "--run", "runs/c-1", "--input", "new.csv", "--interval", "0.9")
    assert "has no calibration: it was trained without rows to calibrate on" in one_message(done, 2)


def test_other_weights_have_no_intervals(trained: Path) -> None:
    with pytest.raises(UserError, match="calibrated for the best weights, not for last"):
        workflows.batch_predictor(
            RunDirectory.open(trained / "runs" / "numbers-1"), trained / "t.csv", "last", interval=0.9
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": None}, {"scores": {}}, {"temperature": 0}, {"temperature": "warm"}, {"temperature": math.inf},
        {"errors": [2, 3]}, {"errors": [0.1]}, {"test": {"rows": 1, "ranks": [1], "values": [[1, 2, 3, 4]]}},
        {"scores": {"rows": 2, "ranks": [1, 2], "values": [[0.5], [0.1]]}},
        {"scores": {"rows": 9, "ranks": [1, 2], "values": [[0.1], [0.5]]}},
        {"scores": {"rows": 2, "ranks": [2, 1], "values": [[0.1], [0.5]]}},
        {"scores": {"rows": 1, "ranks": [1], "values": [["x"]]}}, {"scores": {"rows": 0, "ranks": [], "values": []}},
        {"scores": {"rows": 1, "ranks": [1], "values": [[10**400]]}}, {"scores": [[[1]]]},
        {"scores": []}, {"test": [{"rows": 1, "positions": [1], "values": [0.5]}]}, {"class_weights": [1, 2]},
        {"class_weights": [1, -2, 1]}, {"scores": 3 * [{"rows": 1, "positions": [1], "values": [1.5]}]},
        {"scores": 3 * [{"rows": 1, "positions": [1, 2], "values": [0.5]}]},
        {"scores": 3 * [{"rows": 2, "positions": [2, 1], "values": [0.5, 0.6]}]},
        {"scores": 3 * [{"rows": 0, "positions": [1], "values": [0.5]}]},
        {"scores": 3 * [{"rows": 10**400, "positions": [1], "values": [0.5]}]},
    ],
)  # fmt: skip
def test_a_damaged_calibration_is_refused(trained: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    plain = json.loads((trained / "runs" / "classes-1" / "calibration.json").read_text())
    (tmp_path / "calibration.json").write_text(json.dumps({**plain, **changes}))
    run = RunDirectory(tmp_path)
    with pytest.raises(RunError):
        run.records.calibration()


def test_a_calibration_of_other_classes_is_refused(trained: Path, tmp_path: Path) -> None:
    run = RunDirectory.open(trained / "runs" / "classes-1")
    plain = run.calibration().to_json()
    fewer = {**plain, "scores": plain["scores"][:2], "test": None, "sizes": None}
    (tmp_path / "calibration.json").write_text(json.dumps(fewer))
    with pytest.raises(RunError, match=r"its calibration\.json has scores of other classes than its net"):
        calibration_of(RunDirectory(tmp_path), restore(run))
