"""Runs that an earlier release made still load, evaluate, predict, resume and verify.

`fixtures/` holds two runs as they were left by commit 180dd30, when `status.json` recorded fewer digests, and the table
of one of them. `xor-1` has a threshold, which was chosen afterwards.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nnfs_cli import workflows
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import ROOT, Nnfs, one_message

FIXTURES = ROOT / "tests" / "runs" / "fixtures"
RUNS = ("flowers-1", "xor-1")

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with both runs, and the table where the run expects it."""
    shutil.copytree(FIXTURES, tmp_path / "runs")
    (tmp_path / "runs" / "flowers.csv").rename(tmp_path / "flowers.csv")
    return tmp_path


def test_the_fixtures_name_no_place_on_a_machine() -> None:
    for path in FIXTURES.rglob("*"):
        if path.is_file():
            assert not any(place in path.read_bytes() for place in (b"/home/", b"/root/", b"/tmp/"))


@pytest.mark.parametrize("name", RUNS)
def test_it_evaluates_to_the_figures_that_it_recorded(name: str, folder: Path) -> None:
    run = RunDirectory.open(folder / "runs" / name)
    recorded, confusion = run.metrics(), {split: run.records.confusion(split) for split in ("train", "validation")}
    figures = workflows.evaluate(run, [split for split in recorded if split != "best_epoch"])
    for split, found in figures.items():
        assert found == pytest.approx(recorded[split], rel=1e-6)
    assert {split: run.records.confusion(split) for split in confusion} == confusion
    assert len(run.epochs()) == {"flowers-1": 200, "xor-1": 50}[name]


def test_its_threshold_still_decides(folder: Path) -> None:
    run = RunDirectory.open(folder / "runs" / "xor-1")
    decision = run.records.decision()
    assert decision == {"threshold": 0.49968865513801575, "class": "different", "by": "best_f1"}
    (folder / "new.csv").write_text("x0,x1\n0.5,0.5\n-0.5,0.5\n")
    found = workflows.predict(run, folder / "new.csv")
    assert found["prediction"].tolist() == ["same", "different"]
    assert (found["probability_different"] >= decision["threshold"]).tolist() == [False, True]


@pytest.mark.parametrize("name", RUNS)
def test_it_verifies_and_resumes_and_verifies_again(name: str, folder: Path, inside: Nnfs) -> None:
    run = folder / "runs" / name
    epochs = len(RunDirectory.open(run).epochs())
    for words in (["verify"], ["resume", "--epochs", epochs + 3], ["verify"]):
        done = inside(*words, run, "--quiet", cwd=folder)
        assert done.returncode == 0, done.stderr
    assert len(RunDirectory.open(run).epochs()) == epochs + 3
    assert RunDirectory.open(run).status_file.changed() == []


@pytest.mark.parametrize("words", [["evaluate"], ["decide", "--threshold", "0.4"], ["resume", "--epochs", 52, "-q"]])
def test_the_first_who_writes_there_records_the_digests_of_all_files(
    words: list[object], folder: Path, inside: Nnfs
) -> None:
    run = folder / "runs" / "xor-1"
    assert "status.json" not in json.loads((run / "status.json").read_text())["sha256"]
    assert inside(*words, run, cwd=folder).returncode == 0
    recorded = json.loads((run / "status.json").read_text())["sha256"]
    assert recorded.keys() == {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    (run / "environment.json").write_text("{}")
    assert f"{run} has changed since training: environment.json" in one_message(
        inside("verify", run, "-q", cwd=folder), 2
    )
