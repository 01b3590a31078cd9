"""The benchmarks work: every contestant trains, and every ratio is a number. How long anything takes is not tested."""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from tests.benchmarks import full_batch, growth, steps
from tests.benchmarks.__main__ import main
from tests.benchmarks.contestants import matrix_products, nnfs, scikit_learn
from tests.benchmarks.jobs import timed
from tests.benchmarks.part import ROOT, file_of
from tests.benchmarks.race import race
from tests.benchmarks.report import PARTS, markdown, part_of, summary
from tests.benchmarks.workloads import WORKLOADS, Workload

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
SMALL = Workload("short", 200, 5, (8,), 3, 64, "adam", 0.01, 5)
MEASURED = [part for part in PARTS if file_of(part).exists()]


class EnoughError(Exception):
    pass


class FourEpochs:
    """Ends a training after its fourth epoch."""

    def __init__(self) -> None:
        self.epochs = 0

    def ready(self) -> None:
        assert self.epochs == 0

    def __call__(self) -> None:
        self.epochs += 1
        if self.epochs == 4:
            raise EnoughError


@pytest.mark.parametrize("workload", [SMALL, WORKLOADS[0].shortened(5)], ids=lambda workload: workload.name)
@pytest.mark.parametrize("contestant", [nnfs, scikit_learn, matrix_products])
def test_a_contestant_calls_after_every_epoch(contestant: object, workload: Workload) -> None:
    with pytest.raises(EnoughError):
        contestant(workload, FourEpochs())  # type: ignore[operator]


@pytest.mark.parametrize(
    "workload",
    [*WORKLOADS[:2], *(pytest.param(each, marks=pytest.mark.slow) for each in WORKLOADS[2:])],
    ids=lambda workload: workload.name,
)
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
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "no number")
    found = race(replace(SMALL, epochs=10**5), {"ours": matrix_products, "products": matrix_products}, 2, 0.01)
    for of in found.values():
        assert len(of["wall"]) == len(of["cpu"]) == 2
        assert all(0 < seconds < math.inf for seconds in [*of["wall"], *of["cpu"]])
    assert 0 < steps.ratio(found, "products", "ours") < math.inf
    assert os.environ["OPENBLAS_NUM_THREADS"] == "no number"


@pytest.mark.parametrize("part", MEASURED)
def test_the_guide_shows_the_last_measurements(part: str) -> None:
    guide = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "nnfs_cli" / "guide").glob("*.md"))
    assert f"<!-- speed {part} -->\n{markdown(part)}<!-- /speed {part} -->" in guide


def test_the_readme_shows_the_last_measurements() -> None:
    assert summary() in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("p", [0.5, 1.0, 1.4])
def test_the_exponent_of_a_curve_is_found_beside_a_constant(p: float) -> None:
    n = [10.0, 100.0, 1_000.0, 10_000.0, 100_000.0]
    assert growth.exponent(n, [0.7 + 1e-4 * each**p for each in n]) == pytest.approx(p, abs=0.01)
    assert growth.exponent(n, [0.7] * 5) < 0.2


def test_a_command_is_measured_with_all_that_it_starts(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(3 * 10**8); sum(range(10**6))'])"
    )
    seconds, cpu, megabytes = timed([sys.executable, "-c", program], tmp_path, {})
    assert 0 < cpu <= 2 * seconds
    assert megabytes > 250
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        timed([sys.executable, "-c", "1 / 0"], tmp_path, {})


def test_the_help_is_a_table_of_contents(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for part in PARTS:
        assert f"{part} {str(part_of(part).__doc__).splitlines()[0].rstrip('.')}" in shown


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_every_part_measures_and_reports(part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "found.json"
    main([part, "--quick", "--output", str(output)])
    assert capsys.readouterr().out == part_of(part).markdown(json.loads(output.read_text()))
    assert "nan" not in output.read_text().lower()
