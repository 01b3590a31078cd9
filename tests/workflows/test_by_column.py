"""The metrics of groups that a column makes, checked against scikit-learn on the predictions of each row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

import nnfs_cli
from nnfs_cli import Run, UserError
from nnfs_cli.data.texts import Texts
from nnfs_cli.workflows.by_column import readable
from tests.conftest import Nnfs

SETTINGS: dict[str, Any] = {
    "dataset": {"csv": {"path": "people.csv", "target": "ill", "drop": ["sex", "code", "all"]}},
    "split": {"validation": 0.4},
    "preprocessing": {"numbers": "standardize", "categories": "one_hot"},
    "layers": ["linear: 1", "sigmoid"],
    "loss": "binary_cross_entropy",
    "metrics": ["accuracy", "roc_auc"],
    "lr": 0.5,
    "epochs": 3,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    age, sex = rng.integers(20, 90, 300), rng.choice(["female", "male", ""], 300, p=[0.5, 0.4, 0.1])
    ill = np.where(rng.random(300) < age / 110, "yes", "no")
    lines = [f"{a},{s},{i % 20},same,{y}" for i, (a, s, y) in enumerate(zip(age, sex, ill, strict=True))]
    (folder / "people.csv").write_text("\n".join(["age,sex,code,all,ill", *lines]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return Run((folder / nnfs_cli.train(SETTINGS, verbose=False).path).absolute())


@pytest.fixture
def folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(run.path.parent.parent)
    return run.path.parent.parent


@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")  # the run was trained on these rows
def test_the_metrics_of_a_group_are_those_of_scikit_learn(run: Run, folder: Path) -> None:
    found = run.evaluate("people.csv", by="sex").by
    assert found is not None
    predicted = run.predict("people.csv", keep="all")
    truth, p = predicted["ill"] == "yes", predicted["probability_yes"]
    assert set(found.figures["input"]) == {"female", "male", "(empty)"}
    for group, figures in found.figures["input"].items():
        here = np.array([(sex or "(empty)") == group for sex in predicted["sex"]])
        assert figures["rows"] == here.sum()
        assert figures["accuracy"] == pytest.approx(accuracy_score(truth[here], p[here] > 0.5))
        assert figures["roc_auc"] == pytest.approx(roc_auc_score(truth[here], p[here]))
        low, high = found.intervals["input"][group]["accuracy"] or (1, 0)
        assert low < figures["accuracy"] < high


def test_the_groups_of_held_out_rows_add_up_to_the_whole(run: Run, folder: Path) -> None:
    for column, groups in {"sex": 3, "code": 8}.items():
        evaluation = run.evaluate(by=column)
        assert evaluation.by is not None
        figures = evaluation.by.figures["validation"]
        assert len(figures) == groups
        weighted = sum(one["rows"] * one["accuracy"] for one in figures.values())
        whole = evaluation["validation"]
        assert weighted / whole["rows"] == pytest.approx(whole["accuracy"])


def test_the_groups_are_printed_and_are_in_the_json(run: Run, folder: Path, inside: Nnfs) -> None:
    text = inside("evaluate", run.path, "--by", "sex", cwd=folder).stdout
    assert "validation, by sex  rows  accuracy" in text
    plain = json.loads(inside("evaluate", run.path, "--by", "sex", "--json", cwd=folder).stdout)["by"]
    found = run.evaluate(by="sex").by
    assert found is not None
    assert plain["column"] == "sex"
    assert plain["metrics"] == found.figures


@pytest.mark.parametrize(
    ("column", "message"),
    [("sexx", "did you mean 'sex'?"), ("all", "all cells of column 'all' are alike, so it makes no groups")],
)
def test_a_column_that_makes_no_groups_is_refused(column: str, message: str, run: Run, folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        run.evaluate(by=column)
    assert message in str(caught.value)


def test_texts_that_are_all_numbers_are_numbers() -> None:
    column = readable(Texts.of(["1", None, "2.5"]))
    np.testing.assert_array_equal(column, [1, np.nan, 2.5])
    assert isinstance(readable(Texts.of(["1", "a"])), Texts)
    assert isinstance(readable(Texts.of([None])), Texts)


def test_a_category_that_only_one_split_holds_makes_a_group(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 40)
    table = {"x": x, "code": ["A"] + ["1", "2", "3"] * 13, "y": np.where(x > 0, "yes", "no")}
    columns = {"code": {"one_hot": {"unseen": "other"}}}
    preprocessing = {**SETTINGS["preprocessing"], "columns": columns}
    settings = {**SETTINGS, "dataset": {"table": "y"}, "preprocessing": preprocessing}
    run = nnfs_cli.train(settings, table, folder=tmp_path, verbose=False)
    found = run.evaluate(splits=["train", "validation"], data=table, by="code").by
    assert found is not None
    assert sorted(group for groups in found.figures.values() for group in groups if group == "A") == ["A"]
    assert all({"1", "2", "3"} <= set(groups) for groups in found.figures.values())
