"""What `nnfs explain` says, keeps and shows."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli import DataError, NnfsWarning, Run, train
from nnfs_cli.charts.bars import Bar, Bars
from nnfs_cli.errors import UserError
from nnfs_cli.explain.dependence import Dependence
from nnfs_cli.explain.explained_rows import LEAST_ROWS, MOST_ROWS, ExplainedRows, most_rows
from nnfs_cli.explain.explanation import Explanation, explain
from nnfs_cli.explain.importance import ColumnImportance, Importance
from nnfs_cli.explain.sentences import grows, of_dependence, of_importance, of_linear
from nnfs_cli.report.page import page
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import made, run_report
from nnfs_cli.report.sections.explanation import explanation
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from tests.conftest import Nnfs, one_message
from tests.explain.trained import SMALL, trained, twenty_columns

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

CONFIG = """\
dataset: {csv: {path: t.csv, target: price}}
split: {validation: 0.3}
preprocessing: {numbers: standardize, categories: one_hot}
layers: [linear: 8, tanh, linear: 1]
loss: mse
optimizer: adam
lr: 0.02
epochs: 40
"""


def houses(n: int = 200) -> str:
    rng = np.random.default_rng(0)
    area, noise = rng.uniform(40, 140, n), rng.standard_normal(n)
    city = np.array(["Bonn", "Ulm"])[rng.integers(0, 2, n)]
    price = 2 * area + 60 * (city == "Ulm") + rng.normal(0, 3, n)
    rows = zip(area.round(1), city, noise.round(2), price.round(1), strict=True)
    return "area,city,noise,price\n" + "".join(f"{a},{c},{z},{p}\n" for a, c, z, p in rows)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    (folder / "t.csv").write_text(houses())
    (folder / "houses.yaml").write_text(CONFIG)
    with contextlib.chdir(folder), ignored_warnings():
        train("houses.yaml")
    return folder


@pytest.fixture
def run(once: Path, tmp_path: Path) -> Path:
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs" / "houses-1"


def test_the_command_tells_what_matters_and_keeps_it_for_the_report(run: Path, inside: Nnfs) -> None:
    assert made(explanation, RunFacts(RunDirectory.open(run))) is None
    done = inside("explain", run)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    words = " ".join(done.stdout.split())
    assert "houses-1: 60 validation rows; cells shuffled 20 times" in words
    assert "- 'area' matters most: with its cells shuffled, the loss grows by" in words
    assert "- 'noise' has no clear effect." in words
    assert "The predicted price rises from" in words
    assert "nnfs report" in done.stderr
    kept = json.loads((run / "explanation.json").read_text())
    assert Explanation.of_plain(kept).plain() == kept
    found = json.loads(inside("explain", run, "--json").stdout)
    assert found.pop("run") == run.as_posix()
    assert found == kept
    inside("explain", run, "--columns", "0")
    assert json.loads((run / "explanation.json").read_text()) == kept
    shown = run_report(RunFacts(RunDirectory.open(run)))
    assert "What matters" in shown
    assert " matters most: with its cells shuffled" in shown


def test_what_was_explained_is_forgotten_when_training_goes_on(run: Path, inside: Nnfs) -> None:
    inside("explain", run, "-q", "--columns", "0")
    assert (run / "explanation.json").exists()
    assert inside("resume", run, "--epochs", "41", "-q").returncode == 0
    assert not (run / "explanation.json").exists()


def test_other_rows_are_explained_and_not_kept(run: Path, inside: Nnfs, write: Callable[[str, str], Path]) -> None:
    header, *lines = houses(40).splitlines()
    file = write("more.csv", "\n".join([header, *lines]))
    found = json.loads(inside("explain", run, "--input", file, "--columns", "1", "--repeats", "3", "--json").stdout)
    assert (found["split"], found["total"], found["importance"]["repeats"]) == ("input", 40, 3)
    assert [one["column"] for one in found["dependence"]] == ["area"]
    assert found["linear"] is None
    assert not (run / "explanation.json").exists()
    write("more.csv", "area,city,noise\n80,Ulm,0\n")
    assert "price" in one_message(inside("explain", run, "--input", file), 2)
    assert inside("explain", run, "--repeats", "0").stderr.startswith(
        "error: --repeats takes a whole number, at least 1"
    )


def test_a_damaged_record_is_told_in_the_report_with_its_remedy(run: Path, inside: Nnfs) -> None:
    inside("explain", run, "-q", "--columns", "0")
    (run / "explanation.json").write_text("{}")
    assert "<code>nnfs explain</code> writes it again" in run_report(RunFacts(RunDirectory.open(run)))
    with pytest.raises(ValueError, match="importance"):
        Explanation.of_plain({"split": "test"})
    kept = explain(RunDirectory.open(run), columns=2, repeats=1).plain()
    for name, wrong in (("places", [1.0]), ("main", 9), ("mean", []), ("curves", [[]]), ("cells", [])):
        bent = {**kept, "dependence": [{**one, name: wrong} for one in kept["dependence"]]}
        with pytest.raises(ValueError, match="do not fit together"):
            Explanation.of_plain(bent)


def test_whatever_a_record_holds_the_page_is_made(run: Path) -> None:
    facts, good = RunFacts(RunDirectory.open(run)), explain(RunDirectory.open(run), columns=2, repeats=1).plain()

    @settings(max_examples=10)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        bent = json.loads(json.dumps(good))
        for _ in range(data.draw(st.integers(1, 3))):
            at, key = bent, data.draw(st.sampled_from(sorted(bent)))
            while isinstance(at[key], dict | list) and at[key] and data.draw(st.integers(0, 3)):
                at = at[key]
                key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
            at[key] = data.draw(
                st.sampled_from([None, -1, 0, 1e300, [], [[]], {}, "<script>", "\x1b[2J", True, ["a", "b"]])
            )
        facts.__dict__.pop("explanation", None)
        with mock.patch.object(facts.run.records, "explanation", return_value=bent), np.errstate(all="ignore"):
            section = made(explanation, facts)
        text = "" if section is None else page("a run", "report.html", [], summary=[], sections=[section])
        assert "<script>\n" not in text
        assert "\x1b" not in text

    check()


def test_without_held_out_rows_a_warning_says_what_is_shown(tmp_path: Path) -> None:
    table = twenty_columns(1, 60)
    run = train({"dataset": {"table": "y"}, **SMALL, "split": {"validation": 0}, "epochs": 2}, table, folder=tmp_path)
    with pytest.warns(NnfsWarning, match="held out no rows"):
        assert explain(RunDirectory.open(run.path), columns=0, repeats=1, data=table).split == "train"


def test_a_python_user_gets_frames_and_sentences(tmp_path: Path) -> None:
    table = twenty_columns(1, 300)
    found = train({"dataset": {"table": "y"}, **SMALL}, table, folder=tmp_path).explain(data=table, columns=2)
    assert set(found.importance["column"][:3]) == {"c0", "c1", "c2"}
    assert (found.importance["low"] <= found.importance["growth"]).all()
    assert found.together["column"].tolist() == ["c0 + c3", "c1 + c4"]
    assert len(found.dependence) == len(found.curves) == 2
    assert "matters most" in repr(found)
    assert "<table" in found._repr_html_()
    with pytest.raises(UserError, match="either a table"):
        Run.newest(tmp_path).explain(table, data=table)
    with pytest.raises(DataError, match="does not keep its rows"):
        Run.newest(tmp_path).explain()


def test_rows_of_a_stream_are_drawn_evenly_and_never_too_many_in_memory() -> None:
    experiment = trained(twenty_columns(0, 3_000), "y", epochs=1, split={"validation": 0})
    assert experiment.loaded is not None
    table, drawn = experiment.loaded.readers["train"].survey, np.zeros(30)
    blocks = [table.take(slice(start, start + 100)) for start in range(0, 3_000, 100)]
    found = ExplainedRows.of_tables(experiment.predictor, blocks, 300)
    assert (len(found.rows), found.total, found.out_of_fold) == (300, 3_000, False)
    assert found.table is not None
    of_rows = {value: i // 100 for i, value in enumerate(table.numbers("c0").tolist())}
    for value in found.table.numbers("c0").tolist():
        drawn[of_rows[value]] += 1
    assert drawn[:15].sum() == pytest.approx(150, abs=40)
    assert (drawn > 0).all()


def test_fewer_rows_are_looked_at_if_there_are_many_columns() -> None:
    assert most_rows(10, 5) == MOST_ROWS
    assert LEAST_ROWS < most_rows(50, 5) < MOST_ROWS
    assert most_rows(10_000, 5) == LEAST_ROWS


def column(name: str, growth: float, effect: Any = "matters", p_value: float | None = 0.01) -> ColumnImportance:
    return ColumnImportance((name,), growth, growth - 0.1, growth + 0.1, p_value, effect, None)


def test_importance_is_told_in_plain_sentences() -> None:
    columns = (column("age", 1.0), column("city", 0.5), column("id", 0.0, "unclear"), column("x", -0.4, "hurts"))
    group = dataclasses.replace(column("", 2.4), columns=("age", "city"))
    found = Importance(100, 5, 2.0, None, None, columns, (group,))
    assert of_importance(found) == [
        "'age' matters most: with its cells shuffled, the loss grows by 50 % (45 to 55 %).",
        "Then comes 'city' (25 %).",
        "'x' does harm: with its cells shuffled, the loss falls by 20 % (15 to 25 %). Leave it out and train again.",
        "'id' has no clear effect.",
        "'age' and 'city' are closely related: with their cells shuffled together, the loss grows by 120 % (115 to"
        " 125 %); one at a time, by 50 % and 25 %. That seems less, since each stands in for the others.",
    ]
    few = dataclasses.replace(found, columns=(column("age", 1.0, "unclear", None),), together=())
    assert of_importance(few) == ["There are too few rows to tell which columns matter."]
    chance = dataclasses.replace(
        found, columns=(column("age", 1.0, "unclear"), column("id", 0.0, "unclear")), together=()
    )
    assert of_importance(chance) == [
        "'age' may matter: with its cells shuffled, the loss grows by 50 % (45 to 55 %). Among 2 columns, one can seem"
        " to matter as much by chance."
    ]
    negative = dataclasses.replace(found, loss=-1.0)
    assert grows(negative, columns[0]) == "grows by 1 (0.9 to 1.1)"


def test_curves_are_told_in_plain_sentences() -> None:
    def told(mean: tuple[float, ...], **others: Any) -> str:
        settings: dict[str, Any] = {"places": (1.0, 2.0, 3.0), "empty": False, "low": None, "high": None, "curves": ()}
        settings |= {"cells": ("1", "2", "3"), "answers": ("price",), **others}
        return of_dependence(Dependence("x", "number", shares=(), main=0, mean=(mean,), **settings))

    assert told((1.0, 2.0, 3.0)) == "the predicted price rises from 1 at 1 to 3 at 3."
    assert told((3.0, 2.0, 1.0), curves=((1.0, 1.0, 2.0), (3.0, 2.0, 1.0))) == (
        "the predicted price falls from 3 at 1 to 1 at 3, but the other way for 1 of 2 rows looked at."
    )
    assert told((1.0, 5.0, 2.0)) == "the predicted price is highest with 5 at 2, and lowest with 1 at 1."
    assert told((0.05, 0.5), places=None, cells=("a", ""), answers=("probability of yes",)) == (
        "the probability of yes is highest with 50 % for an empty cell, and lowest with 5.0 % for a."
    )
    assert told((1.0, 2.0, 9.0), empty=True) == (
        "the predicted price rises from 1 at 1 to 2 at 2; it is 9 where the cell is empty."
    )
    assert told((1.0, 2.0, 3.0), low=((0.0, 0.0, 0.0),), high=((4.0, 4.0, 4.0),)).endswith(
        "; the members of the net disagree about this."
    )


def test_a_linear_model_goes_by_other_columns_where_columns_act_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (1_000, 4))
    table: dict[str, Any] = {f"c{j}": z[:, j] for j in range(4)}
    table["y"] = 3 * z[:, 0] * z[:, 1] + z[:, 2]
    run = train({"dataset": {"table": "y"}, **SMALL}, table, folder=tmp_path)
    found = explain(RunDirectory.open(run.path), data=table)
    assert found.linear is not None
    assert set(found.linear.nonlinear) == {"c0", "c1"}
    assert "'c0'" in " ".join(of_linear(found.linear))
    assert set(found.pairs[0].columns) == {"c0", "c1"}
    assert found.surface is not None


def test_bars_hold_their_intervals_and_escape_names() -> None:
    bars = [Bar("<age>", 0.5, "50 %", 0.4, 0.7), Bar("id", -0.1, "-10 %", quiet=True), Bar("odd", float("nan"), "-")]
    svg = Bars("Importance", "growth", bars).svg()
    assert "&lt;age&gt;: 50 %" in svg
    assert svg.count("<rect") == 3
    assert "nan" not in svg
