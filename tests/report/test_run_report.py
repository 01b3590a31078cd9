"""The report of a run says what its files hold, also where some of them are missing or damaged."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from nnfs_cli.runs.directory import RunDirectory
from tests.report.test_page import Tags

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


def words(html: str) -> str:
    return " ".join(" ".join(Tags(html).texts).split())


def test_the_report_of_a_finished_run_shows_its_figures_and_curves(run: RunDirectory) -> None:
    html = run_report(RunFacts(run))
    metrics: dict[str, Any] = run.metrics()
    assert f"{metrics['test']['accuracy']:.4f} accuracy, test rows" in words(html)
    assert f"best, epoch {metrics['best_epoch']}" in words(html)
    assert {"Loss by epoch", "Accuracy by epoch"} <= set(re.findall("<title>(.*?)</title>", html))
    assert "The learning rate is 0.1 in all epochs." in words(html)
    assert "missing" not in words(html)


def test_every_section_can_be_reached_and_its_name_is_unique(run: RunDirectory) -> None:
    html = run_report(RunFacts(run))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', html)
    assert set(links) <= set(ids)
    assert links


def test_a_report_has_the_same_bytes_when_it_is_made_again(run: RunDirectory) -> None:
    assert run_report(RunFacts(run)) == run_report(RunFacts(RunDirectory.open(run.path)))


@pytest.mark.parametrize("name", ["data.json", "epochs.csv", "metrics.json", "verdict.json"])
def test_a_damaged_file_is_told_and_the_rest_is_shown(run: RunDirectory, name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    (copy / name).write_bytes(b"{nonsense")
    html = run_report(RunFacts(RunDirectory.open(copy)))
    assert re.search(rf"{re.escape(name)} (is damaged|was changed)", words(html))
    assert "Learning curves" in words(html)
