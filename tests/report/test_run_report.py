"""The report of a run says what its files hold, also where some of them are missing or damaged."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.errors import DivergedError
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import ROOT
from tests.report.conftest import CONFIG
from tests.report.test_page import Tags

FIXTURES = ROOT / "tests" / "runs" / "fixtures"

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


def words(html: str) -> str:
    return " ".join(" ".join(Tags(html).texts).split())


def test_the_report_of_a_finished_run_shows_its_figures_and_curves(run: RunDirectory) -> None:
    html = run_report(RunFacts(run))
    metrics: dict[str, Any] = run.metrics()
    assert f"{metrics['test']['accuracy']:.4f} accuracy, test rows" in words(html)
    assert f"best, epoch {metrics['best_epoch']}" in words(html)
    assert {"Loss by epoch", "accuracy by epoch"} <= set(re.findall("<title>(.*?)</title>", html))
    assert "The learning rate is 0.1 in all epochs." in words(html)
    assert 'class="notice bad"' not in html


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
    assert 'class="notice bad"' in html
    assert "Learning curves" in words(html)


@pytest.mark.parametrize("name", ["flowers-1", "xor-1"])
def test_a_run_of_an_earlier_release_has_a_report(name: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    shutil.copytree(FIXTURES / name, copy)
    html = run_report(RunFacts(RunDirectory.open(copy)))
    assert "Loss by epoch" in words(html)
    assert "Inside the net" not in words(html)  # it has no probes


def test_a_training_that_diverged_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        f"{CONFIG}optimizer: sgd\n".replace("tanh", "relu").replace("lr: 0.1", "lr: 1e30")
    )
    experiment = workflows.prepare(Config.load(tmp_path / "net.yaml"))
    run = workflows.begin(experiment, tmp_path / "runs")
    with pytest.raises(DivergedError):
        workflows.train(experiment, run)
    assert "The training diverged" in words(run_report(RunFacts(run)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "net",
    [
        {"layers": [*[{"linear": 4}, "tanh"] * 100, {"linear": 3}, "softmax"], "epochs": 60},
        {"layers": [{"linear": 4}, "tanh", {"linear": 3}], "epochs": 3, "members": 60, "holdout": "fold", "split": {}},
        {"layers": [{"linear": 3}], "epochs": 20_000, "batch_size": "full"},
    ],
    ids=["200 layers", "60 members", "20,000 epochs"],
)
def test_the_report_of_a_large_run_is_small(net: dict[str, Any], tmp_path: Path) -> None:
    settings = {"dataset": "iris", "loss": "cross_entropy", "lr": 0.1, "split": {"validation": 0.2}, **net}
    experiment = workflows.prepare(Config.read(Document("net.yaml", tmp_path, data=settings)))
    run = workflows.begin(experiment, tmp_path)
    workflows.train(experiment, run)
    facts = RunFacts(run)
    assert len(run_report(facts).encode()) < 500_000
    assert facts.faults == []
