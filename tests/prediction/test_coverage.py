"""Coverage and size of intervals by level, against the intervals themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.prediction.coverage import coverage_by_level
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.workflows.run_predictions import RunPredictions
from tests.conftest import CONFIGS


@pytest.mark.parametrize("config", ["iris", "diabetes"])
def test_coverage_by_level_is_that_of_the_intervals_of_each_level(config: str, tmp_path: Path) -> None:
    experiment = workflows.prepare(Config.load(CONFIGS / f"{config}.yaml", ["epochs=5"]))
    run = workflows.begin(experiment, tmp_path)
    workflows.train(experiment, run)
    found = RunPredictions.of_run(run)
    assert found.calibration is not None
    test, levels = found.rows["test"], (0.5, 0.8, 0.999)  # there are too few rows for the last
    by_level = coverage_by_level(found.predictor, found.calibration, test, levels)
    assert by_level.levels.tolist() == [0.5, 0.8]
    for level, held, size in zip(*by_level, strict=True):
        predictor = found.predictor.with_interval(Interval(found.calibration, float(level)))
        assert held == pytest.approx(predictor.covers(test).mean(axis=0))
        table = found.table("test", np.arange(len(test)))
        assert table is not None
        if found.predictor.labels:
            assert size == pytest.approx(predictor.class_sets(table[0]).sum(axis=1).mean())
        else:
            assert size == pytest.approx(np.diff(predictor.bounds(table[0])[:, 0]).mean())
