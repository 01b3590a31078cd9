"""`nnfs cv`: estimates by folds, their intervals, and whether a difference is real."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError
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
    found = CrossValidation(100, 5, 1, {"a": [{"accuracy": value} for value in values]}, {})
    one = found.estimates()["a"]["accuracy"]
    error = np.std(values, ddof=1) * np.sqrt(1 / 5 + 20 / 80)  # test rows / training rows, as in the paper
    assert one.mean == pytest.approx(np.mean(values))
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=error)
    assert (one.low, one.high) == pytest.approx((low, high))


def test_differences_are_paired() -> None:
    base = np.array([1.0, 5.0, 3.0, 9.0])
    wobble = np.array([0, 0.01, 0, 0.01])
    better = {"a": [{"rmse": v} for v in base], "b": [{"rmse": v} for v in base - 0.5 + wobble]}
    found = CrossValidation(40, 4, 1, better, {}).differences()["b"]["rmse"]
    assert found.high < 0
    assert found.mean == pytest.approx(-0.495)


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
    assert set(workflows.cross_validate(specs, folds=2).figures["b"][0]) == {"accuracy"}


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
    timed = spec(tmp_path, **changes, loss="mse", split={"time": "when", "test": 0.2})
    with pytest.raises(ConfigError, match="cross-validation deals rows at random"):
        workflows.cross_validate({"a": timed})


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
    assert {"config", "repeat", "fold", "row", "truth", "prediction", "score_setosa"} <= set(rows[0])
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
