"""Runs that do not have everything get what can be said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.doctor.examine_run import examine_run
from nnfs_cli.errors import RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, Training

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

ROWS = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(80))
SETTINGS = {
    "dataset": {"csv": {"path": "rows.csv", "target": "y"}},
    "layers": [{"linear": 4}, "tanh", {"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "epochs": 8,
}


class PowerCut(Callback):
    """Interrupts training after two epochs."""

    def on_epoch(self, training: Training) -> None:
        if training.progress.epoch == 2:
            raise KeyboardInterrupt


def trained(folder: Path, *callbacks: Callback, **settings: object) -> RunDirectory:
    (folder / "rows.csv").write_text(ROWS)
    config = Config.model_validate({**SETTINGS, **settings}, context={"folder": folder})
    experiment = workflows.prepare(config)
    run = workflows.begin(experiment, folder / "runs")
    if callbacks:
        with pytest.raises(KeyboardInterrupt):
            workflows.train(experiment, run, callbacks)
    else:
        workflows.train(experiment, run)
    return RunDirectory.open(run.path)


def test_a_run_that_was_interrupted_is_examined_as_far_as_it_goes(tmp_path: Path) -> None:
    examination = examine_run(trained(tmp_path, PowerCut()))
    assert "the training has not finished, so how good the net is has not been judged" in examination.unexamined
    assert "too_short" not in {one.code for one in examination.diagnoses}


def test_a_run_without_probes_says_what_is_not_known(tmp_path: Path) -> None:
    (sentence,) = examine_run(trained(tmp_path, probes=False)).unexamined
    assert sentence.startswith("the run has no probes")


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text(ROWS + "1,1,yes\n")])
def test_rows_that_are_gone_or_have_changed_are_not_examined(change: object, tmp_path: Path) -> None:
    run = trained(tmp_path)
    assert not examine_run(run).unexamined
    change(tmp_path / "rows.csv")  # type: ignore[operator]
    (sentence,) = examine_run(run).unexamined
    assert sentence.startswith("the rows of the run cannot be examined: ")
    assert not examine_run(run, data=False).unexamined


def test_a_damaged_file_of_the_run_is_named(tmp_path: Path) -> None:
    run = trained(tmp_path)
    (run.path / "probes.npz").write_bytes(b"no archive")
    with pytest.raises(RunError, match=r"probes\.npz"):
        examine_run(run)
