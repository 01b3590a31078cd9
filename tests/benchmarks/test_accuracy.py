"""The comparison of models works: each answers about the same rows and is judged by them."""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nnfs_cli.data.table import concatenate_tables
from nnfs_cli.system.threads import VARIABLES
from tests.benchmarks import accuracy
from tests.benchmarks.accuracy import compared, figures, main, markdown, read, selected
from tests.benchmarks.comparison import is_variant
from tests.benchmarks.models import MODELS, answer
from tests.benchmarks.tables import Task, built_in, in_folder

OTHERS = {"LightGBM": "lightgbm", "CatBoost": "catboost", "RealMLP": "pytabkit", "TabM": "pytabkit"}
INSTALLED = [
    name
    for name in MODELS
    if not is_variant(name) and (name not in OTHERS or importlib.util.find_spec(OTHERS[name]) is not None)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [(x, "ab"[i % 2], i % 7) for i, x in enumerate(rng.normal(size=80).tolist())]
    lines = [
        f"{x:.3f},{'' if i == 3 else x * 2:.3},{word},{word}{n % 3},{n}" for i, (x, word, n) in enumerate(rows[4:])
    ]
    (tmp_path / "t.csv").write_text("\n".join(["x,z,word,label,n", *lines, ",1.0,a,a0,3", "0.5,1.0,,b1,9\n"]))
    (tmp_path / "tables.yaml").write_text(
        "labels: {path: t.csv, target: label, classes: true, drop: [n]}\n"
        "numbers: {path: t.csv, target: n, drop: [label], clip: [2, 5]}\n"
    )
    return tmp_path


def test_tables_are_those_that_come_with_scikit_learn() -> None:
    assert [(task.name, task.table.n_rows, len(task.kinds), task.n_classes) for task in built_in()] == [
        ("breast_cancer", 569, 30, 2),
        ("wine", 178, 13, 3),
        ("digits", 1797, 64, 10),
        ("diabetes", 442, 10, 0),
    ]


def test_a_folder_describes_its_tables(folder: Path) -> None:
    labels, numbers = in_folder(folder)
    assert labels.kinds == numbers.kinds == {"x": "number", "z": "number", "word": "category"}
    assert labels.n_classes == len(labels.words)
    assert (numbers.y.min(), numbers.y.max()) == (2, 5)


def test_figures_are_those_of_scikit_learn() -> None:
    task = next(task for task in built_in() if task.name == "wine")
    X, y = load_wine(return_X_y=True)
    train, test = task.split(3)
    theirs = train_test_split(np.arange(len(y)), test_size=0.2, random_state=3, stratify=y)
    assert [train.tolist(), test.tolist()] == [sorted(rows) for rows in theirs]
    y_hat, seconds = answer("linear", task, train, test)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(X[train], y[train])
    assert figures(task, test, y_hat)["loss"] == pytest.approx(log_loss(y[test], model.predict_proba(X[test])))
    assert seconds > 0


def test_a_file_of_figures_is_continued(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [replace(task, name=name) for task in in_folder(folder) for name in (f"{task.name} 1", f"{task.name} 2")]
    tasks[0] = replace(tasks[0], table=concatenate_tables([tasks[0].table] * 2))
    output, asked = folder / "found.json", []

    def measured(task: Task, model: str, split: int) -> dict[str, float]:
        asked.append((split, model, task.name))
        if (model, split) == ("linear", 1):
            raise MemoryError
        return {"split": split, "loss": split + len(task.name)}

    monkeypatch.setattr(accuracy, "measured", measured)
    compared(tasks[:2], ["constant"], 1, output)
    assert asked == [(0, "constant", "labels 2"), (0, "constant", "labels 1")]  # the smaller one first
    asked.clear()
    found = compared(tasks[:2], ["constant", "linear"], 2, output)
    assert asked == [
        (split, model, f"labels {number}")
        for split, model in [(0, "linear"), (1, "constant"), (1, "linear")]
        for number in (2, 1)
    ]
    assert found == read(output)
    assert {of: [one["split"] for one in splits] for of, splits in found["figures"]["labels 1"].items()} == {
        "constant": [0, 1],
        "linear": [0],
    }
    only = selected(found, ["labels 2"], ["linear"])["figures"]
    assert only == {"labels 2": {"linear": [{"split": 0, "loss": 8}]}}


@pytest.mark.slow
@pytest.mark.parametrize("name", INSTALLED)
def test_a_model_answers_about_every_row(name: str, folder: Path) -> None:
    for task in in_folder(folder):
        train, test = task.split(0) if not task.n_classes else np.split(np.arange(task.table.n_rows), [60])
        y_hat, seconds = answer(name, task, train, test)
        assert np.isfinite(y_hat).all()
        assert seconds > 0
        if task.n_classes:
            assert y_hat.shape == (len(test), task.n_classes)
            assert y_hat.sum(axis=1) == pytest.approx(np.ones(len(test)), abs=1e-5)
        else:
            assert y_hat.shape == (len(test),)


@pytest.mark.slow
def test_it_measures_and_reports(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, os.environ.get(variable, ""))
    monkeypatch.setattr("tests.benchmarks.accuracy.PEERS", ("numpy",))
    words = ["--splits", "2", "--tables", "numbers", "--models", "constant", "linear", "nnfs", "--output"]
    main([str(folder), *words, str(folder / "found.json")])
    found = json.loads((folder / "found.json").read_text())
    assert [[one["split"] for one in of] for of in found["figures"]["numbers"].values()] == [[0, 1]] * 3
    assert capsys.readouterr().out == markdown(found)
    assert "| numbers |" in markdown(found)
