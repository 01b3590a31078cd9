"""The benchmarks work: every contestant trains, and every ratio is a number. How long anything takes is not tested."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from tests.benchmarks import full_batch
from tests.benchmarks.contestants import CONTESTANTS, matrix_products, nnfs, nnfs_in_numpy, scikit_learn
from tests.benchmarks.race import as_installed, race
from tests.benchmarks.report import RESULTS, markdown, ratio, summary
from tests.benchmarks.workloads import WORKLOADS, Workload
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
SMALL = Workload("short", 200, 5, (8,), 3, 64, "adam", 0.01, 5)
INSTALLED = {name: who for name, who in CONTESTANTS.items() if name not in ("PyTorch", "JAX")}
PEERS = [module for module in ("torch", "jax", "matplotlib") if importlib.util.find_spec(module)]


@pytest.mark.parametrize("workload", [SMALL, WORKLOADS[0].shortened(5)], ids=lambda workload: workload.name)
@pytest.mark.parametrize("contestant", [nnfs, nnfs_in_numpy, scikit_learn, matrix_products])
def test_a_contestant_calls_after_every_epoch(
    contestant: object, workload: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    class EnoughError(Exception):
        pass

    epochs = []

    def after_epoch() -> None:
        epochs.append(0)
        if len(epochs) == 4:
            raise EnoughError

    monkeypatch.setenv("NUMBA_DISABLE_JIT", "")
    with pytest.raises(EnoughError):
        contestant(workload, after_epoch)  # type: ignore[operator]
    assert len(epochs) == 4


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_the_config_is_the_workload(workload: Workload, tmp_path: Path) -> None:
    experiment = workflows.prepare(Config.load(workload.config(tmp_path)))
    assert len(experiment.training_rows) == workload.rows
    assert experiment.batches.steps == workload.steps
    weights = [array.shape for array in experiment.predictor.model.parameters.arrays.values() if array.ndim == 2]
    assert weights == list(zip(workload.widths, workload.widths[1:], strict=False))
    assert experiment.predictor.model.dtype == np.float32


def test_the_plain_loop_has_the_losses_of_the_tool() -> None:
    class Losses(Callback):
        def on_log(self, training: Training, row: LogRow) -> None:
            losses.append(row["train_loss"])

    losses: list[float] = []
    X, y, layers = full_batch.start()
    plain = [full_batch.plain_epoch(X, y, layers, 0.01) for _ in range(300)]
    experiment = workflows.prepare(Config.load(full_batch.CONFIG))
    experiment.trainer([Losses()], log_every=1).train(experiment.training_rows, 300)
    np.testing.assert_allclose(losses, plain, rtol=1e-12)
    assert losses[-1] < 0.05 * losses[0]


def test_turns_are_taken_as_the_machine_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with as_installed() as without:
        assert "OPENBLAS_NUM_THREADS" in without
        seconds = race(SMALL, {"nnfs": nnfs, "matrix products": matrix_products}, 2)
    assert [len(of_turns) for of_turns in seconds.values()] == [2, 2]
    assert math.isfinite(ratio(seconds, "matrix products"))


def test_the_guide_and_the_readme_show_the_last_measurements() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert markdown(results) in (ROOT / "nnfs_cli" / "guide" / "speed.md").read_text(encoding="utf-8")
    assert summary(results) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(results["races"]) == {*(workload.name for workload in WORKLOADS), "full batch"}
    for name in results["races"]:
        seconds = results["races"][name]["seconds"]
        assert all(len(of_turns) == results["turns"] for of_turns in seconds.values())


@pytest.mark.slow
def test_every_ratio_is_a_number(tmp_path: Path) -> None:
    from tests.benchmarks.__main__ import measured
    from tests.benchmarks.scaling import draw
    from tests.benchmarks.scaling import measured as scaled

    assert PEERS == ["torch", "jax", "matplotlib"], "pip install '.[bench]'"
    results = measured(2, [workload.name for workload in WORKLOADS], quick=True)
    for name, of_race in results["races"].items():
        for other in of_race["seconds"]:
            assert 0 < ratio(of_race["seconds"], other) < math.inf, (name, other)
    assert all(0 < share < 1 for share in results["overhead"])
    assert "| wide: " in markdown(results)
    figures = scaled({"width": (8, 16)}, turns=1)
    draw(figures, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").stat().st_size > 5_000
