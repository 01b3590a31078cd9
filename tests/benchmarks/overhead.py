"""What the log, the checkpoints, the figures and the progress cost beside the steps."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.display.lines import Lines
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.trainer import Trainer
from tests.benchmarks.workloads import Workload


class _Watch(Callback):
    """Seconds from the end of an epoch to the end of the next."""

    def __init__(self) -> None:
        self.whole: list[float] = []
        self._ended = time.perf_counter()

    def on_log(self, training: Training, row: LogRow) -> None:
        now = time.perf_counter()
        self.whole.append(now - self._ended)
        self._ended = now


def overhead(workload: Workload) -> dict[str, float]:
    """Seconds of an epoch: in all, of its steps, and of the net's own pass over the validation rows."""
    ends: list[float] = []
    end_epoch: Callable[..., None] = Trainer._end_epoch

    def timed(self: Trainer, *args: Any) -> None:
        begun = time.perf_counter()
        end_epoch(self, *args)
        ends.append(time.perf_counter() - begun)

    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        experiment = workflows.prepare(Config.load(workload.config(Path(name))))
        watch = _Watch()
        Trainer._end_epoch = timed  # type: ignore[method-assign]
        try:
            workflows.train(  # the last to be called
                experiment, workflows.begin(experiment, Path(name) / "runs"), [Lines(), watch]
            )
        finally:
            Trainer._end_epoch = end_epoch  # type: ignore[method-assign]
    rows, model = experiment.splits["validation"], experiment.predictor.model
    passes = []
    for _ in range(99):
        begun = time.perf_counter()
        model.evaluate(rows.X, rows.y)
        passes.append(time.perf_counter() - begun)
    whole, end = (
        median(seconds[len(seconds) // 2 :]) for seconds in (watch.whole, ends)
    )  # early ones often are the best
    return {"whole": whole, "steps": whole - end, "forward": median(passes)}
