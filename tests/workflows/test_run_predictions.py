"""What a run predicts for its own rows, and the cells of these rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.api.config_from import config_from
from nnfs_cli.errors import DataError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.run_predictions import FreshPredictions, RunPredictions

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "a class of weight 0": {"class_weights": {"rare": 0, "a": 1, "b": 2}},
    "rows of weight 0": {"dataset": {"csv": {"path": "rows.csv", "target": "y", "weight": "w", "drop": ["when"]}}},
    "out of fold": {"members": 3, "holdout": "fold", "split": {"test": 0.2, "validation": 0}},
    "forward folds": {
        "dataset": {"csv": {"path": "rows.csv", "target": "y", "drop": ["w"]}},
        "members": 8,
        "holdout": "fold",
        "split": {"time": "when", "test": 0.2, "validation": 0},
    },
}


def trained(folder: Path, **changes: Any) -> tuple[Experiment, RunDirectory, FreshPredictions]:
    rng = np.random.default_rng(0)
    lines = ["x,k,w,when,y"]
    for i, x in enumerate(rng.normal(size=90).tolist()):
        y = "rare" if i % 9 == 4 else "ab"[int(x > 0)]
        lines.append(f"{x:.4f},{'pqr'[i % 3]},{i % 4},2026-01-01T00:{i // 60:02}:{i % 60:02},{y}")
    (folder / "rows.csv").write_text("\n".join(lines))
    settings: dict[str, Any] = {
        "dataset": {"csv": {"path": "rows.csv", "target": "y", "drop": ["w", "when"]}},
        "split": {"validation": 0.3, "test": 0.2},
        "preprocessing": {"categories": "one_hot"},
        "layers": [{"linear": 3}],
        "loss": "cross_entropy",
        "epochs": 2,
    }
    experiment = workflows.prepare(config_from(settings | changes))
    run = workflows.begin(experiment, folder / "runs")
    return experiment, run, workflows.train(experiment, run)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")
def test_the_cells_of_a_row_are_those_that_its_prediction_comes_from(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    experiment, run, fresh = trained(tmp_path, **CASES[case])
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    at_the_end, later = RunPredictions.of_experiment(run, experiment, fresh), RunPredictions.of_run(run)
    assert at_the_end.held_out == later.held_out
    assert at_the_end.evaluation == later.evaluation
    assert at_the_end.losses.keys() == later.losses.keys()
    for split, losses in later.losses.items():
        np.testing.assert_array_equal(at_the_end.losses[split].net, losses.net)
    for split in later.rows:
        np.testing.assert_array_equal(at_the_end.predicted(split).y_hat, later.predicted(split).y_hat)
        places = np.arange(0, len(later.rows[split]), 3)
        for found in (at_the_end, later):
            cells = found.table(split, places)
            assert cells is not None
            table, numbers = cells
            assert [f"{x:.4f}" for x in table.numbers("x").tolist()] == [lines[1 + i].split(",")[0] for i in numbers]
            encoder = found.predictor.encoder
            np.testing.assert_array_equal(encoder.encode(table, np.float32), found.rows[split].X[places])
            np.testing.assert_array_equal(encoder.truth(table), found.rows[split].truth[places])


def test_data_that_has_changed_is_not_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, run, _ = trained(tmp_path)
    rows = tmp_path / "rows.csv"
    rows.write_text(rows.read_text() + "\n1,p,1,2026-01-02,a")
    with pytest.raises(DataError, match=r"rows\.csv has changed since"):
        RunPredictions.of_run(run)
