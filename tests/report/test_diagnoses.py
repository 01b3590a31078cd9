"""The report tells what the doctor finds in a run, and a verdict only once."""

from __future__ import annotations

import re
from pathlib import Path

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from nnfs_cli.report.sections.diagnoses import NOTHING
from nnfs_cli.runs.directory import RunDirectory
from tests.report.test_run_report import words

DEAD = """\
dataset: moons
layers: [linear: {units: 8, bias_init: {constant: -30}}, relu, linear: 1, sigmoid]
loss: binary_cross_entropy
lr: 0.1
epochs: 6
"""


def test_dead_units_are_told_with_their_remedy(tmp_path: Path) -> None:
    (tmp_path / "dead.yaml").write_text(DEAD)
    experiment = workflows.prepare(Config.load(tmp_path / "dead.yaml"))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    html = run_report(RunFacts(run))
    assert "100 % of the units of layers.1 are 0 on all sampled rows" in words(html)
    assert len(re.findall("not clearly better than a constant prediction", html)) == 1


def test_of_a_sound_run_nothing_is_told(run: RunDirectory) -> None:
    assert NOTHING in words(run_report(RunFacts(run)))
