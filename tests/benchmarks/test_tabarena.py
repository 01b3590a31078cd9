"""The protocol of TabArena: its splits, its errors and its ratings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold

from tests.benchmarks import accuracy
from tests.benchmarks.accuracy import figures
from tests.benchmarks.tabarena import elo, error, errors_of, interval, leaderboard, main, protocol, repeats, wins
from tests.benchmarks.tables import Task, in_folder

ROWS = 40
FOLDS = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
LABELS = np.arange(ROWS) % 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).normal(size=ROWS)
    lines = [f"{number:.3f},{i % 3},{'ab'[label]}" for i, (number, label) in enumerate(zip(x, LABELS, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(["x,code,label", *lines, ""]))
    split_rows = [
        f"{part},{row},{i // 3},{i % 3}"
        for i, parts in enumerate(FOLDS.split(LABELS, LABELS))
        for part, rows in zip(("TRAIN", "TEST"), parts, strict=True)
        for row in rows
    ]
    head = ["@RELATION splits", "@ATTRIBUTE type {TRAIN,TEST}", "@ATTRIBUTE rowid INTEGER", "@DATA"]
    (tmp_path / "t.arff").write_text("\n".join([*head, *split_rows, ""]))
    about = "t: {path: t.csv, target: label, classes: true, categories: [code], splits: t.arff}\n"
    (tmp_path / "tables.yaml").write_text(about)
    return tmp_path


def test_the_splits_are_those_of_openml(folder: Path) -> None:
    (task,) = in_folder(folder)
    assert task.kinds == {"x": "number", "code": "category"}
    assert task.table.texts("code").tolist()[:4] == ["=0", "=1", "=2", "=0"]
    for (train, test), (known_train, known_test) in zip(task.splits, FOLDS.split(LABELS, LABELS), strict=True):
        assert (train.tolist(), test.tolist()) == (known_train.tolist(), known_test.tolist())
    assert task.split(4)[1].tolist() == task.splits[4][1].tolist()


def test_small_tables_have_more_repeats(folder: Path) -> None:
    assert [repeats(rows) for rows in (2_499, 2_500, 250_000, 250_001)] == [10, 3, 3, 1]
    (task,) = in_folder(folder)
    assert len(protocol(task).splits) == 6
    assert len(protocol(task, lite=True).splits) == 1


def test_the_error_of_two_classes_is_that_of_the_auc(folder: Path) -> None:
    (task,) = in_folder(folder)
    p = np.random.default_rng(0).random(ROWS)
    found = error(figures(task, np.arange(ROWS), np.stack([1 - p, p], axis=1)))
    assert found == pytest.approx(1 - roc_auc_score(LABELS, p))
    assert error({"loss": 2.0, "r2": 0.5}) == 2


def test_two_models_have_ratings_in_closed_form() -> None:
    difference = np.diff(elo(np.array([[0, 3.0], [1.0, 0]])))[0]
    assert difference == pytest.approx(400 * np.log10(0.25 / 0.75), rel=1e-5)


def test_ratings_are_those_of_logistic_regression_without_penalty() -> None:
    rng = np.random.default_rng(0)
    won = wins({table: rng.normal(size=(9, 5)) + np.arange(5) / 4 for table in "abcdef"}).sum(axis=0)
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    X = np.zeros((len(pairs), 5))
    for row, (winner, loser) in zip(X, pairs, strict=True):
        row[[winner, loser]] = 1, -1
    both = np.concatenate([X, -X])
    answers, weights = np.repeat([1, 0], len(X)), [won[pair] for pair in pairs] * 2
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(both, answers, sample_weight=weights)
    theirs = model.coef_[0] * 400 / np.log(10)
    assert elo(won) == pytest.approx(theirs - theirs.mean(), abs=0.01)


def test_a_model_that_always_wins_has_a_finite_rating() -> None:
    ratings = elo(np.array([[0, 5.0, 5.0], [0, 0, 2.0], [0, 3.0, 0]]))
    assert np.isfinite(ratings).all()
    assert ratings.argmax() == 0


def test_a_tie_is_half_a_win_and_tables_weigh_the_same() -> None:
    won = wins({"many": np.array([[1.0, 2], [1, 1], [1, 1], [1, 1]]), "one": np.array([[2.0, 1]])})
    assert won.tolist() == [[[0, 0.625], [0.375, 0]], [[0, 0], [1, 0]]]


def test_the_interval_is_that_of_a_proportion() -> None:
    """Of two models and one split a table, the rating is a log odds; its error is known by the delta method."""
    n, p = 400, 0.7
    errors = {str(table): np.array([[0, 1] if table < p * n else [1, 0]]) for table in range(n)}
    low, high = interval(wins(errors))
    expected = 400 / np.log(10) / np.sqrt(n * p * (1 - p))  # of the difference, which the two share
    assert (high - low) / (2 * 1.96) * 2 == pytest.approx([expected] * 2, rel=0.2)


def test_it_rates_beside_published_results(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(task: Task, model: str, split: int) -> dict[str, float]:
        return {"split": split, "loss": 9.0, "roc_auc": 0.5 + 0.1 * (model == "nnfs") + 0.01 * split}

    monkeypatch.setattr(accuracy, "measured", measured)
    others = [f"Other,t,{split},{0.2 if split else 0.45}" for split in range(6)] + ["Partial,u,0,0.1"]
    (folder / "others.csv").write_text("\n".join(["method,dataset,fold,metric_error", *others, ""]))
    main([str(folder), "--output", str(folder / "o.json"), "--published", str(folder / "others.csv")])
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "1 tables, 6 splits. RandomForest has 1000 Elo."
    assert [row.split(" | ")[0] for row in shown[4:]] == ["| Other", "| nnfs", "| RandomForest"]
    assert shown[-1].split(" | ")[1] == "1000"
    assert "| 1.17 |" in shown[4]
    found = json.loads((folder / "o.json").read_text())["figures"]
    assert errors_of(found, ["nnfs"])["t"][:, 0] == pytest.approx(0.4 - 0.01 * np.arange(6))
    assert leaderboard(found, ["nnfs", "absent"]).startswith("There is no split")
