"""`nnfs report`, and the page that `train` and `resume` leave."""

from __future__ import annotations

import json
import re
import shutil
import webbrowser
from pathlib import Path

import pytest

from nnfs_cli import Run
from nnfs_cli.errors import UserError
from nnfs_cli.report import write
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.lock import Lock
from tests.conftest import Nnfs, one_message
from tests.report.kinds import run_of, table
from tests.twins import Leaving, lasting

CONFIG = """\
dataset: {csv: {path: rows.csv, target: two, drop: [three, number]}}
preprocessing: {categories: one_hot}
split: {validation: 0.25}
layers: [linear: 4, tanh, linear: 1]
loss: binary_cross_entropy
epochs: 4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table and a config."""
    table(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def finished(folder: Path) -> Path:
    """A finished run in that folder, without its page."""
    copy = folder / "runs" / "binary-1"
    source = run_of("binary").path
    shutil.copytree(source, copy)
    shutil.copy(source.parent.parent / "rows.csv", folder / "rows.csv")
    return copy


def test_training_writes_the_page_last_and_names_it(folder: Path, inside: Nnfs) -> None:
    done = inside("train", "c.yaml", report=True)
    assert done.stdout == "runs/c-1\n"
    assert "report      runs/c-1/report.html\n" in done.stderr
    html = (folder / "runs/c-1/report.html").read_text()
    assert "ROC curve" in html
    assert RunDirectory.open(folder / "runs/c-1").status_file.changed() == []
    assert inside("report", "runs/c-1", "--quiet").stdout == "runs/c-1/report.html\n"
    assert (folder / "runs/c-1/report.html").read_text() == html


def test_training_can_leave_the_page_out(folder: Path, inside: Nnfs) -> None:
    assert "report.html" not in inside("train", "c.yaml", "--no-report", report=True).stderr
    assert not (folder / "runs/c-1/report.html").exists()
    assert inside("resume", "runs/c-1", "--epochs", 5, "-q", report=True).returncode == 0
    assert (folder / "runs/c-1/report.html").exists()


def test_a_page_that_cannot_be_made_is_a_warning(folder: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(facts: RunFacts) -> str:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(write, "run_report", fail)
    done = inside("train", "c.yaml", "-q", report=True)
    assert (done.returncode, done.stdout) == (0, "runs/c-1\n")
    wanted = "the report was not written: division by zero; `nnfs report runs/c-1` writes it"
    assert f"warning: {wanted}" in done.stderr
    assert RunDirectory.open(folder / "runs/c-1").status()["state"] == "finished"


def test_ctrl_c_while_the_page_is_made_leaves_a_finished_run(
    folder: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(facts: RunFacts) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "run_report", stop)
    done = inside("train", "c.yaml", "-q", report=True)
    assert done.returncode == 130
    assert "runs/c-1 has finished, but its report was not written; `nnfs report runs/c-1` writes it" in done.stderr
    run = RunDirectory.open(folder / "runs/c-1")
    assert run.status()["state"] == "finished"
    assert run.status_file.changed() == []


def test_a_run_that_was_interrupted_and_resumed_has_the_page_of_one_that_was_not(
    folder: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = []
    for interrupted in (False, True):
        with monkeypatch.context() as patch:
            if interrupted:
                patch.setattr("nnfs_cli.display.progress.progress_for", lambda *_: [Leaving(7)])
            done = inside("train", "c.yaml", "-q", "--runs", f"runs-{interrupted}", report=True)
        if interrupted:
            assert done.returncode == 130
            assert not (folder / "runs-True/c-1/report.html").exists()
            assert inside("resume", "runs-True/c-1", "-q", report=True).returncode == 0
        pages.append(lasting((folder / f"runs-{interrupted}/c-1/report.html").read_text(), "c-1"))
    assert pages[0] == pages[1]
    assert "Loss by epoch" in pages[0]


def test_the_page_can_be_written_elsewhere_but_not_over_a_file_of_somebody_else(
    finished: Path, folder: Path, inside: Nnfs
) -> None:
    done = inside("report", finished, "--output", "page.html", "--json")
    assert json.loads(done.stdout) == {"report": "page.html", "runs": [finished.as_posix()]}
    assert not (finished / "report.html").exists()
    assert inside("report", finished, "--output", "page.html", "-q").returncode == 0
    (folder / "mine.html").write_text("<p>mine</p>")
    message = one_message(inside("report", finished, "--output", "mine.html", "-q"), 2)
    assert message == "error: 'mine.html' exists and is no page of nnfs; choose another file\n"
    assert (folder / "mine.html").read_text() == "<p>mine</p>"
    assert "is a folder" in one_message(inside("report", finished, "--output", "runs", "-q"), 2)
    for name in ("", ".", "-"):
        assert "give a name such as page.html" in one_message(inside("report", finished, "--output", name, "-q"), 2)


def test_a_run_that_is_being_trained_keeps_its_files(finished: Path, inside: Nnfs) -> None:
    lock = Lock(finished / "lock", str(finished))
    message = one_message(inside("report", finished, "-q"), 4)
    assert "is being written by" in message
    assert "--output FILE writes the report elsewhere" in message
    assert inside("report", finished, "-q", "--output", "page.html").returncode == 0
    lock.release()


def test_several_runs_are_compared_beside_the_first(finished: Path, folder: Path, inside: Nnfs) -> None:
    for seed in (1, 2):
        assert inside("train", "c.yaml", "-q", "--set", f"seed={seed}").returncode == 0
    done = inside("report", finished, "runs/c-1", "runs/c-2", "-q")
    path = folder / "runs" / "comparison.html"
    assert done.stdout == f"{path.as_posix()}\n"
    html = path.read_text()
    assert "Comparison of 3 runs" in html
    assert "Settings that differ" in html
    assert ">seed</th>" in html
    assert "* marks the best" in html
    assert re.search(r"<td>[0-9.]+\*</td>", html)
    assert html.count("c-2</text>") >= 3
    assert "single run" in one_message(inside("report", "runs/c-1", "runs/c-2", "--no-rows", "-q"), 2)


def test_the_page_is_opened_in_the_browser(finished: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert inside("report", finished, "--open", "-q").returncode == 0
    assert opened == [(finished / "report.html").as_uri()]


def test_from_python_a_run_writes_its_page(finished: Path, folder: Path) -> None:
    run = Run(finished)
    assert run.report() == finished / "report.html"
    assert run.report(folder / "page.html", rows=False) == folder / "page.html"
    assert "Worst rows" in (finished / "report.html").read_text()
    assert "Worst rows" not in (folder / "page.html").read_text()
    (folder / "rows.csv").rename(folder / "moved.csv")
    assert "Worst rows" in run.report(data=folder / "moved.csv").read_text()
    with pytest.raises(UserError, match="is no page of nnfs"):
        run.report(folder / "moved.csv")
