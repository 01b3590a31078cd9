"""Runs that reports are made of, each trained once."""

from __future__ import annotations

import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.runs.directory import RunDirectory

CONFIG = """\
dataset: iris
split: {validation: 0.2, test: 0.1}
layers: [linear: 8, tanh, linear: 3, softmax]
loss: cross_entropy
lr: 0.1
epochs: 4
"""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("report")
    (folder / "flowers.yaml").write_text(CONFIG)
    experiment = workflows.prepare(Config.load(folder / "flowers.yaml"))
    run = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, run)
    return run
