"""`nnfs cv`: estimates by folds, their intervals, and whether a difference is real."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.workflows import CrossValidation
from tests.conftest import Nnfs

Write = Callable[[str, str], Path]
LINEAR: dict[str, Any] = {
    "dataset": "iris",
    "split": {"validation": 0.2, "test": 0.2},
    "layers": [{"linear": 3}, "softmax"],
    "loss": "cross_entropy",
    "lr": 0.1,
    "epochs": 5,
}


def spec(tmp_path: Path, name: str = "a", **changes: Any) -> Config:
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**LINEAR, **changes}))
    return workflows.load(path)


def of_folds(figure: str, weights: Sequence[float] | None = None, /, **values: Sequence[float]) -> CrossValidation:
    """What is made of given figures of a config's folds, which weigh alike unless `weights` are given."""
    figures = {name: [{figure: value} for value in found] for name, found in values.items()}
    n = len(next(iter(values.values())))
    counts = {name: [{figure: weight} for weight in weights or [1.0] * n] for name in values}
    return CrossValidation(100, n, 1, figures, counts, {figure: Metric.resolve(figure)}, {})


def test_every_row_is_predicted_once_by_a_net_that_has_not_seen_it(tmp_path: Path) -> None:
    found = workflows.cross_validate({"a": spec(tmp_path)}, folds=4, repeats=2)
    assert (found.rows, found.folds, found.repeats) == (120, 4, 2)
    columns = found.predictions
    assert len(columns["row"]) == 240
    for repeat in (1, 2):
        rows = columns["row"][columns["repeat"] == repeat]
        assert len(set(rows.tolist())) == 120
    kept = set(range(1, 151)) - set(columns["row"].tolist())
    experiment = workflows.prepare(spec(tmp_path))
    assert len(kept) == 30 == len(experiment.splits["test"])
    first, second = (columns["fold"][columns["repeat"] == repeat] for repeat in (1, 2))
    assert not np.array_equal(columns["row"][:120], columns["row"][120:])
    assert sorted(np.bincount(first)[1:]) == sorted(np.bincount(second)[1:]) == [30] * 4


def test_a_fold_is_a_training_like_any_other(tmp_path: Path) -> None:
    """With the rows of the other folds in files of their own."""
    rng = np.random.default_rng(0)
    lines = [f"{a:.3f},{b:.3f},{a + b:.3f}" for a, b in rng.normal(size=(40, 2))]
    (tmp_path / "all.csv").write_text("\n".join(["a,b,y", *lines]) + "\n")
    settings: dict[str, Any] = {"layers": [{"linear": 1}], "loss": "mse", "split": 0, "metrics": ["rmse", "r2"]}
    whole = spec(tmp_path, dataset={"csv": {"path": "all.csv", "target": "y"}}, **settings)
    found = workflows.cross_validate({"a": whole}, folds=4)
    for fold in range(4):
        of_fold = found.predictions["fold"] == fold + 1
        test = set((found.predictions["row"][of_fold] - 1).tolist())
        for name, wanted in (("train", False), ("test", True)):
            chosen = [line for i, line in enumerate(lines) if (i in test) == wanted]
            (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,y", *chosen]) + "\n")
        alone = {**settings, "split": {"validation": 0, "test": "test.csv"}}
        experiment = workflows.prepare(spec(tmp_path, dataset={"csv": {"path": "train.csv", "target": "y"}}, **alone))
        run = workflows.begin(experiment, tmp_path / "runs")
        workflows.train(experiment, run)
        figures = workflows.evaluate(run, ["test"])["test"]
        assert found.figures["a"][fold] == pytest.approx({key: figures[key] for key in ("rmse", "r2")}, rel=1e-5)


def test_intervals_know_that_training_rows_are_shared() -> None:
    values = [0.9, 0.8, 0.85, 0.95, 0.7]
    one = of_folds("accuracy", a=values).estimates()["a"]["accuracy"]
    error = np.std(values, ddof=1) * np.sqrt(1 / 5 + 20 / 80)  # test rows / training rows, as in the paper
    assert one.mean == pytest.approx(np.mean(values))
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=error)
    assert (one.low, one.high) == pytest.approx((low, min(high, 1)))


def test_the_estimate_of_an_rmse_is_that_of_all_rows_pooled() -> None:
    rng = np.random.default_rng(0)
    errors = [rng.normal(size=n) * scale for n, scale in ((10, 1), (20, 2), (70, 5))]
    found = of_folds("rmse", [10, 20, 70], a=[math.sqrt(np.mean(error**2)) for error in errors])
    assert found.estimates()["a"]["rmse"].mean == pytest.approx(math.sqrt(np.mean(np.concatenate(errors) ** 2)))


def test_the_estimate_of_r2_is_that_of_all_sums_of_squares() -> None:
    rng = np.random.default_rng(0)
    folds = [PredictedRows(y := rng.normal(size=(n, 1)), y + rng.normal(size=(n, 1)) / 2) for n in (5, 20, 30)]
    r2 = Metric.resolve("r2")
    found = of_folds("r2", [r2.fold_weight(rows) for rows in folds], a=[r2.score(rows) for rows in folds])
    errors = sum(float(np.sum((rows.y_hat - rows.y) ** 2)) for rows in folds)
    spread = sum(float(np.sum((rows.y - rows.y.mean()) ** 2)) for rows in folds)
    assert found.estimates()["a"]["r2"].mean == pytest.approx(1 - errors / spread)


def test_a_row_of_weight_2_counts_as_two_rows_of_a_fold() -> None:
    y = np.array([[0.0], [1.0], [4.0]])
    once = PredictedRows(y, np.zeros((3, 1)), weight=np.array([1.0, 2.0, 0.0]))
    twice = PredictedRows(y[[0, 1, 1]], np.zeros((3, 1)))
    for name in ("rmse", "r2"):
        metric = Metric.resolve(name)
        assert metric.fold_weight(once) == pytest.approx(metric.fold_weight(twice))


@pytest.mark.parametrize("name", ["accuracy", "rmse", "r2", "matthews_correlation"])
def test_intervals_end_where_the_range_of_a_figure_ends(name: str) -> None:
    least, greatest = Metric.resolve(name).figure_range
    estimates = of_folds(name, a=[0.1, 0.9, 1.0], b=[0.0, 1.0, 0.3])
    (one,) = estimates.estimates()["a"].values()
    assert least <= one.low < one.mean < one.high <= greatest
    (difference,) = estimates.differences()["b"].values()
    assert least - greatest <= difference.low < difference.mean < difference.high <= greatest - least


def test_every_figure_lies_in_the_range_that_its_metric_declares() -> None:
    rng = np.random.default_rng(0)
    y, y_hat = rng.integers(0, 3, 30), rng.dirichlet([0.3] * 3, 30)
    for metric in Metric.registered.values():
        if not metric.__module__.startswith("nnfs_cli."):
            continue
        numbers = metric.task == "regression"
        rows = PredictedRows(rng.normal(size=(30, 1)), rng.normal(size=(30, 1))) if numbers else PredictedRows(y, y_hat)
        best = PredictedRows(rows.y, rows.y) if numbers else PredictedRows(y, np.eye(3)[y])
        worst = rows if numbers else PredictedRows(y, np.eye(3)[(y + 1) % 3])
        low, high = metric.figure_range
        assert all(low <= metric().score(one) <= high for one in (rows, best, worst))
        if metric.name not in ("brier", "matthews_correlation"):  # of which only the best and the worst are special
            assert metric().score(best) == pytest.approx(high if metric.greater_is_better else low)


@pytest.mark.slow
def test_pooled_rmse_has_no_bias_and_its_interval_covers_the_truth() -> None:
    """Ordinary least squares with heavy tails, scored on 20,000 new rows; the mean of the RMSEs is too low."""
    rng, biases, means, covered = np.random.default_rng(0), [], [], []
    new = rng.normal(size=(20_000, 4))
    noise = rng.standard_t(4, 20_000)
    for _ in range(400):
        X, error = rng.normal(size=(60, 4)), rng.standard_t(4, 60)
        fold = rng.permutation(60) % 5
        nets = [np.linalg.lstsq(X[fold != k], error[fold != k], rcond=None)[0] for k in range(5)]
        truth = math.sqrt(np.mean([(noise - new @ net) ** 2 for net in nets]))
        values = [math.sqrt(np.mean((error - X @ net)[fold == k] ** 2)) for k, net in enumerate(nets)]
        one = of_folds("rmse", a=values).estimates()["a"]["rmse"]
        biases.append(one.mean**2 / truth**2 - 1)
        means.append(np.mean(values) ** 2 / truth**2 - 1)
        covered.append(one.low <= truth <= one.high)
    error = np.std(biases) / math.sqrt(len(biases))
    assert abs(np.mean(biases)) < 3 * error
    assert np.mean(means) < -3 * error
    assert np.mean(covered) > 0.9


def test_differences_are_paired() -> None:
    base = np.array([1.0, 5.0, 3.0, 9.0])
    wobble = np.array([0, 0.01, 0, 0.01])
    found = of_folds("mae", a=base, b=base - 0.5 + wobble).differences()["b"]["mae"]
    assert found.high < 0
    assert found.mean == pytest.approx(-0.495)


def test_differences_are_those_of_the_estimates() -> None:
    found = of_folds("rmse", [3, 1, 2], a=[1.0, 2.0, 4.0], b=[1.5, 2.0, 3.0])
    a, b = (found.estimates()[name]["rmse"].mean for name in "ab")
    assert found.differences()["b"]["rmse"].mean == pytest.approx(b - a)


def test_of_a_config_and_its_twin_no_difference_is_seen(tmp_path: Path) -> None:
    found = workflows.cross_validate({"a": spec(tmp_path), "b": spec(tmp_path, "b")}, folds=3)
    assert found.figures["a"] == found.figures["b"]
    assert set(found.differences()) == {"b"}
    assert all(one == (0, 0, 0) for one in found.differences()["b"].values())


def test_groups_stay_in_one_fold(tmp_path: Path) -> None:
    lines = [f"{i % 7},{i % 3},g{i % 9}" for i in range(90)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y,g", *lines]))
    changes: dict[str, Any] = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "split": {"group": "g", "validation": 0.2},
        "layers": [{"linear": 1}],
        "loss": "mse",
    }
    found = workflows.cross_validate({"a": spec(tmp_path, **changes)}, folds=3)
    groups = (found.predictions["row"] - 1) % 9
    for group in range(9):
        assert len(set(found.predictions["fold"][groups == group].tolist())) == 1


def test_figures_are_those_that_all_configs_have(tmp_path: Path) -> None:
    specs = {
        "a": spec(tmp_path, metrics=["accuracy", "balanced_accuracy"]),
        "b": spec(tmp_path, "b", loss="hinge", layers=[{"linear": 3}], metrics=["accuracy"]),
    }
    found = workflows.cross_validate(specs, folds=2)
    assert set(found.figures["b"][0]) == {"accuracy"}
    assert "score_setosa" in found.predictions


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"dataset": "wine"}, DataError, "b uses other data than the first config"),
        ({"dataset": {"csv": {"path": "t.csv", "target": "y"}}}, DataError, "b uses other data"),
    ],
)
def test_configs_about_other_rows_are_not_compared(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i % 3}\n" for i in range(150)))
    with pytest.raises(error, match=message):
        workflows.cross_validate({"a": spec(tmp_path), "b": spec(tmp_path, "b", **changes)}, folds=2)


@pytest.mark.parametrize("changes", [{"split": {"test": 0.3}}, {"seed": 1}, {"split": {"validation": 0, "test": 0.2}}])
def test_configs_with_other_splits_are_scored_on_the_same_rows(tmp_path: Path, changes: dict[str, Any]) -> None:
    found = workflows.cross_validate({"a": spec(tmp_path), "b": spec(tmp_path, "b", **changes)}, folds=2).predictions
    of = {name: found["row"][found["config"] == name] for name in "ab"}
    np.testing.assert_array_equal(of["a"], of["b"])


def test_what_cannot_be_dealt_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="120 rows cannot be dealt into 61 folds"):
        workflows.cross_validate({"a": spec(tmp_path)}, folds=61)
    (tmp_path / "t.csv").write_text("x,y,when\n" + "".join(f"{i},{i},{i}\n" for i in range(60)))
    changes: dict[str, Any] = {"dataset": {"csv": {"path": "t.csv", "target": "y"}}, "layers": [{"linear": 1}]}
    hashed = spec(tmp_path, **changes, loss="mse", split={"hash": "when", "test": 0.2})
    with pytest.raises(ConfigError, match="cross-validation deals rows at random, by group or by time, not by hash"):
        workflows.cross_validate({"a": hashed})


def test_the_command(inside: Nnfs, write: Write, tmp_path: Path) -> None:
    write("a.yaml", yaml.safe_dump(LINEAR))
    write("b.yaml", yaml.safe_dump({**LINEAR, "epochs": 40}))
    done = inside("cv", "a.yaml", "b.yaml", "--folds", "3")
    assert done.returncode == 0, done.stderr
    assert "fold 3 of 3, b: log_loss" in done.stderr
    assert "output      a-cv.csv, 240 predictions" in done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("a ", "b "))] == ["a", "b", "b"]
    assert "different?" in done.stdout
    with (tmp_path / "a-cv.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 240
    assert {"config", "repeat", "fold", "row", "truth", "prediction", "probability_setosa"} <= set(rows[0])
    done = inside("cv", "a.yaml", "--folds", "2", "--repeats", "2", "--json", "--quiet", "--output", "o.parquet")
    found = json.loads(done.stdout)
    assert (found["folds"], found["repeats"], found["predictions"]) == (2, 2, "o.parquet")
    assert len(found["configs"]["a"]["folds"]) == 4
    assert (
        found["configs"]["a"]["estimates"]["accuracy"]["low"] <= found["configs"]["a"]["estimates"]["accuracy"]["mean"]
    )
    done = inside("cv", "a.yaml", "a.yaml")
    assert done.returncode == 2
    assert "the same config is given twice" in done.stderr
    assert not list(tmp_path.glob("runs"))
