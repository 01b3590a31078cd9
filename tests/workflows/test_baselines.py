"""What simple and well-known models make of a net's rows: they are scikit-learn's, on exactly the same rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.errors import DataError, NnfsWarning
from nnfs_cli.workflows.baselines import FREQUENT
from tests.conftest import ROOT, Nnfs, one_message
from tests.runs.test_hostile_files import tree

Write = Callable[..., Path]
SPLIT = {"validation": 0.2, "test": 0.2, "stratify": False}
BREAST_CANCER: dict[str, Any] = {
    "dataset": "breast_cancer",
    "split": SPLIT,
    "layers": [{"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "epochs": 2,
}
DIABETES: dict[str, Any] = {
    "dataset": "diabetes",
    "split": SPLIT,
    "preprocessing": {"numbers": "standardize", "target": "standardize"},
    "layers": [{"linear": 1}],
    "loss": "mse",
    "epochs": 2,
}


@pytest.fixture
def config(tmp_path: Path) -> Write:
    def write(content: dict[str, Any], table: str = "") -> Path:
        (tmp_path / "t.csv").write_text(table, encoding="utf-8")
        (tmp_path / "c.yaml").write_text(dump(content), encoding="utf-8")
        return tmp_path / "c.yaml"

    return write


def parts_of(spec: Config) -> dict[str, np.ndarray]:
    """The places of the rows of each part."""
    from nnfs_cli.experiment.read_data import load_data

    return dict(load_data(spec).rows)


def test_classifiers_are_those_of_scikit_learn_on_the_same_rows(config: Write) -> None:
    spec = Config.load(config(BREAST_CANCER))
    found, rows = workflows.baselines(spec), parts_of(spec)
    X, y = load_breast_cancer(return_X_y=True)
    assert set(found) == {"validation", "test"}
    for part in found:
        for name, model in {
            "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
            "boosting": HistGradientBoostingClassifier(random_state=spec.seed),
        }.items():
            model.fit(X[rows["train"]], y[rows["train"]])
            y_hat = model.predict_proba(X[rows[part]])
            assert found[part][name] == pytest.approx(
                {
                    "log_loss": log_loss(y[rows[part]], y_hat),
                    "accuracy": accuracy_score(y[rows[part]], y_hat.argmax(axis=1)),
                }
            )
        share = y[rows["train"]].mean()
        y_hat = np.tile([1 - share, share], (len(rows[part]), 1))
        assert found[part]["constant"]["log_loss"] == pytest.approx(log_loss(y[rows[part]], y_hat))


def test_regressors_are_those_of_scikit_learn_on_the_same_rows(config: Write) -> None:
    spec = Config.load(config(DIABETES))
    found, rows = workflows.baselines(spec), parts_of(spec)
    X, y = load_diabetes(return_X_y=True)
    for part in ("validation", "test"):
        for name, model in {
            "linear": make_pipeline(StandardScaler(), Ridge()),
            "boosting": HistGradientBoostingRegressor(random_state=spec.seed),
        }.items():
            y_hat = model.fit(X[rows["train"]], y[rows["train"]]).predict(X[rows[part]])
            truth = y[rows[part]]
            assert found[part][name] == pytest.approx(
                {"rmse": math.sqrt(mean_squared_error(truth, y_hat)), "r2": r2_score(truth, y_hat)}
            )
        constant = found[part]["constant"]["rmse"]
        assert constant == pytest.approx(math.sqrt(np.mean((y[rows[part]] - y[rows["train"]].mean()) ** 2)))


MIXED = "a,when,town,z,part\n" + "".join(
    f"{'' if i % 7 == 0 else i / 10},{'' if i % 9 == 0 else f'2024-01-{1 + i % 28:02d}'},"
    f"{'' if i % 11 == 0 else 'Ulm' if i == 59 else ('Bonn', 'Köln', 'Jena')[i % 3]},{i % 3 * 10 + i / 20},"
    f"{'train' if i < 40 else 'validation'}\n"
    for i in range(60)
)
OF_MIXED: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "z"}},
    "split": {"column": "part"},
    "preprocessing": {
        "numbers": ["impute", "standardize"],
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
    },
    "layers": [{"linear": 1}],
    "loss": "mse",
    "epochs": 1,
}


def test_gaps_words_and_dates_are_taken_as_they_are(config: Write) -> None:
    """Here by hand: the median and a flag where a number is empty; an empty cell is a word, and a new one is none."""
    found = workflows.baselines(Config.load(config(OF_MIXED, MIXED)))["validation"]
    rows = [line.split(",") for line in MIXED.splitlines()[1:]]
    a = np.array([float(row[0] or "nan") for row in rows])
    day = np.array([np.datetime64(row[1] or "NaT", "D") for row in rows])
    days = np.where(np.isnat(day), np.nan, day.astype(np.int64))
    z = np.array([float(row[3]) for row in rows])
    columns = []
    for column in (a, days):
        filled = np.where(np.isnan(column), np.nanmedian(column[:40]), column)
        columns += [filled, np.isnan(column).astype(float)]
    numbers = np.stack(columns, axis=1)
    words = np.array([[row[2]] for row in rows])
    X = np.concatenate([numbers, OneHotEncoder(handle_unknown="ignore").fit(words[:40]).transform(words).toarray()], 1)
    model = make_pipeline(make_column_transformer((StandardScaler(), [0, 1, 2, 3]), remainder="passthrough"), Ridge())
    y_hat = model.fit(X[:40], z[:40]).predict(X[40:])
    assert found["linear"]["rmse"] == pytest.approx(math.sqrt(mean_squared_error(z[40:], y_hat)))
    codes = np.array([[{"Köln": 0, "Jena": 1, "Bonn": 2, "": 3}.get(word, np.nan)] for word in words[:, 0]])
    X = np.concatenate([a[:, None], days[:, None], codes], axis=1)
    trees = HistGradientBoostingRegressor(categorical_features=[2], random_state=0).fit(X[:40], z[:40])
    assert found["boosting"]["rmse"] == pytest.approx(math.sqrt(mean_squared_error(z[40:], trees.predict(X[40:]))))


def test_words_beyond_number_are_taken_together(config: Write) -> None:
    n = 3 * FREQUENT
    table = "town,y\n" + "".join(f"w{i % (2 * FREQUENT)},{i % 2}\n" for i in range(n))
    content = {
        **BREAST_CANCER,
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "preprocessing": {"categories": {"hashing": 8}},
    }
    assert set(workflows.baselines(Config.load(config(content, table)))["test"]) == {"constant", "linear", "boosting"}


def test_rows_count_by_their_weights(config: Write) -> None:
    """A row of weight 2 is two rows, and one of weight 0, or of a class of weight 0, is none."""
    rng = np.random.default_rng(0)
    rows = [(x, int(x + rng.normal() > 0), p) for x, p in zip(rng.normal(size=90).tolist(), "ttv" * 30, strict=True)]
    name = {"t": "train", "v": "validation"}
    weights = [(0, 1, 2)[i // 3 % 3] for i in range(90)]
    weighted = "x,w,part,y\n" + "".join(
        f"{x!r},{w},{name[p]},{y}\n" for (x, y, p), w in zip(rows, weights, strict=True)
    )
    repeated = "x,part,y\n" + "".join(f"{x!r},{name[p]},{y}\n" * w for (x, y, p), w in zip(rows, weights, strict=True))
    content = {**BREAST_CANCER, "split": {"column": "part"}}
    source = {"path": "t.csv", "target": "y"}
    once = workflows.baselines(
        Config.load(config({**content, "dataset": {"csv": {**source, "weight": "w"}}}, weighted))
    )
    twice = workflows.baselines(Config.load(config({**content, "dataset": {"csv": source}}, repeated)))
    assert once["validation"]["constant"] == pytest.approx(twice["validation"]["constant"])
    linear = twice["validation"]["linear"]  # but for what numbers are standardised by
    assert once["validation"]["linear"] == pytest.approx(linear, rel=0.01)
    three = weighted + "".join(f"{i},1,{part},2\n" for i in range(5) for part in name.values())
    content = {
        **content,
        "dataset": {"csv": {**source, "weight": "w"}},
        "class_weights": {"2": 0},
        "layers": [{"linear": 3}, "softmax"],
        "loss": "cross_entropy",
    }
    of_two = workflows.baselines(Config.load(config(content, three)))
    assert of_two["validation"]["linear"] == pytest.approx(once["validation"]["linear"], rel=1e-4)


def test_a_class_that_training_rows_lack_has_no_probability(config: Write) -> None:
    table = "x,part,y\n" + "".join(
        f"{i},{'validation' if i > 29 else 'train'},{'abc'[i % 3] if i > 29 else 'ab'[i % 2]}\n" for i in range(40)
    )
    content = {
        **BREAST_CANCER,
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "split": {"column": "part"},
        "layers": [{"linear": 3}, "softmax"],
        "loss": "cross_entropy",
    }
    found = workflows.baselines(Config.load(config(content, table)))["validation"]
    for figures in found.values():
        assert figures["accuracy"] <= 7 / 10
        assert figures["log_loss"] > 3 / 10 * 20


def test_what_cannot_be_fitted_is_said(config: Write) -> None:
    table = "x,part,y\n" + "".join(
        f"{i},{'validation' if i > 29 else 'train'},{i % 2 if i > 29 else 0}\n" for i in range(40)
    )
    content = {
        **BREAST_CANCER,
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "split": {"column": "part"},
    }
    with pytest.warns(NnfsWarning, match="cannot be fitted: all training rows are of one class"):
        found = workflows.baselines(Config.load(config(content, table)))
    assert list(found["validation"]) == ["constant"]


def test_several_targets_are_learned_one_by_one(config: Write) -> None:
    table = "x,y,z\n" + "".join(f"{i},{2 * i},{-i}\n" for i in range(60))
    content = {
        **DIABETES,
        "dataset": {"csv": {"path": "t.csv", "target": ["y", "z"]}},
        "layers": [{"linear": 2}],
        "metrics": ["mae", {"pinball": 0.9}],
    }
    found = workflows.baselines(Config.load(config(content, table)))["test"]
    assert list(found["linear"]) == ["rmse", "mae", "pinball_0.9"]
    assert found["linear"]["rmse"] < 1 < found["constant"]["rmse"]


def test_without_probabilities_there_is_no_log_loss(config: Write) -> None:
    content = {**BREAST_CANCER, "layers": [{"linear": 1}], "loss": "hinge"}
    assert list(workflows.baselines(Config.load(config(content)))["test"]["linear"]) == ["accuracy"]


def test_rows_that_are_not_in_memory_are_refused(config: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnfs_cli.experiment.read_data._size", lambda source: 10**9)
    content = {**DIABETES, "dataset": {"csv": {"path": "t.csv", "target": "y"}}, "memory_limit": "250 MB"}
    table = "x,y\n" + "".join(f"{i / 7},{i}\n" for i in range(100))
    with pytest.raises(DataError, match="baselines need all rows in memory"):
        workflows.baselines(Config.load(config(content, table)))


# The commands


def test_baseline_prints_a_table_for_each_split(config: Write, inside: Nnfs) -> None:
    done = inside("baseline", config(DIABETES))
    assert done.returncode == 0
    *models, next_ = done.stderr.splitlines()
    assert next_.startswith("next        nnfs train ")
    assert [line.split() for line in models] == [
        ["constant", "DummyRegressor"],
        ["linear", "Ridge"],
        ["boosting", "HistGradientBoostingRegressor"],
        [],
    ]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines if line] == [
        "validation", "constant", "linear", "boosting", "test", "constant", "linear", "boosting",
    ]  # fmt: skip
    assert lines[0] == ["validation", "rmse", "r2"]
    assert float(lines[2][1]) < float(lines[1][1])


def test_without_held_out_rows_they_are_scored_on_the_training_rows(config: Write, inside: Nnfs) -> None:
    done = inside("baseline", config({**DIABETES, "split": 0}), "--json")
    assert list(json.loads(done.stdout)["baselines"]) == ["train"]


def test_evaluate_puts_them_beside_the_run(config: Write, inside: Nnfs, tmp_path: Path) -> None:
    run = inside("train", config(BREAST_CANCER), "-q").stdout.strip()
    before = tree(tmp_path)
    alone = json.loads(inside("evaluate", run, "--json").stdout)
    done = json.loads(inside("evaluate", run, "--baselines", "--json").stdout)
    beside = done.pop("baselines")
    assert done == alone
    of_baselines = json.loads(inside("baseline", tmp_path / "c.yaml", "--json").stdout)["baselines"]
    for part, models in beside.items():
        figures = models.pop("c-1")
        assert figures["accuracy"] == alone["metrics"][part]["accuracy"]
        assert figures["log_loss"] == pytest.approx(alone["metrics"][part]["loss"], rel=1e-6)
        assert models == of_baselines[part]
    shown = inside("evaluate", run, "--baselines", "--split", "test").stdout.splitlines()
    assert [line.split()[0] for line in shown[3:7]] == ["test", "c-1", "constant", "linear"][:4]
    assert {path for path in tree(tmp_path) if "evaluation" not in path} == {
        path for path in before if "evaluation" not in path
    }


def test_what_does_not_go_with_them_is_refused(config: Write, inside: Nnfs, tmp_path: Path) -> None:
    run = inside("train", config(OF_MIXED, MIXED), "-q").stdout.strip()
    message = one_message(inside("evaluate", run, "--baselines", "--input", "t.csv"), 2)
    assert "--baselines or --input, not both: baselines are scored on the rows of the run" in message
    message = one_message(inside("evaluate", run, "--baselines", "--split", "test"), 2)
    assert "has no test rows" in message
    (tmp_path / "t.csv").write_text(MIXED.replace("Bonn", "Rom"), encoding="utf-8")
    assert "has changed since" in one_message(inside("evaluate", run, "--baselines"), 2)


NOTEBOOKS = sorted(Path("configs/seeds").glob("*.yaml"))
THOROUGH = [pytest.param(path, marks=pytest.mark.slow) for path in NOTEBOOKS[1:]]


@pytest.mark.parametrize("path", [NOTEBOOKS[0], *THOROUGH], ids=lambda path: path.stem)
def test_they_go_with_every_notebook(path: Path, inside: Nnfs) -> None:
    done = inside("baseline", path, "--json", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for models in json.loads(done.stdout)["baselines"].values():
        best = {name: figures.get("log_loss", figures.get("rmse")) for name, figures in models.items()}
        assert best["linear"] < best["constant"]
        assert best["boosting"] < best["constant"]
