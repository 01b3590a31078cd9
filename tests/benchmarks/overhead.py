"""What the log, the checkpoints, the figures and the progress cost beside the steps."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from pathlib import Path

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.display.lines import Lines
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from tests.benchmarks.workloads import Workload


class _Watch(Callback):
    """Seconds between the ends of epochs, and those between an epoch's last step and its end."""

    def __init__(self) -> None:
        self.whole = self.after_steps = 0.0
        self._begun = self._stepped = self._ended = 0.0

    def on_step(self, training: Training) -> None:
        self._stepped = time.perf_counter()

    def on_log(self, training: Training, row: LogRow) -> None:
        now = time.perf_counter()
        if row["epoch"] > 1:
            self.whole += now - self._ended
            self.after_steps += now - self._stepped
        self._ended = now


def overhead(workload: Workload) -> tuple[float, float]:
    """The share of training that is not steps: all of it, and all but the net's own pass over the validation rows."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        experiment = workflows.prepare(Config.load(workload.config(Path(name))))
        watch = _Watch()
        workflows.train(
            experiment, workflows.begin(experiment, Path(name) / "runs"), [Lines(), watch]
        )  # the last to be called
    rows, model = experiment.splits["validation"], experiment.predictor.model
    passes = []
    for _ in range(9):
        begun = time.perf_counter()
        model.evaluate(rows.X, rows.y)
        passes.append(time.perf_counter() - begun)
    forward = sorted(passes)[4] * (workload.epochs - 1)
    return watch.after_steps / watch.whole, (watch.after_steps - forward) / watch.whole
