"""What the log, the checkpoints, the figures and the progress cost beside the steps."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.display.lines import Lines
from nnfs_cli.nn.model import Model
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


@contextlib.contextmanager
def clocked(owner: type, method: str) -> Iterator[list[float]]:
    """Note the seconds of every call of a method."""
    seconds: list[float] = []
    original = getattr(owner, method)

    def timed(*args: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        try:
            return original(*args, **options)
        finally:
            seconds.append(time.perf_counter() - begun)

    setattr(owner, method, timed)
    try:
        yield seconds
    finally:
        setattr(owner, method, original)


def overhead(workload: Workload) -> dict[str, float]:
    """Seconds of an epoch: in all, of its steps, and of the net's own pass over the validation rows."""
    watch = _Watch()
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.redirect_stderr(io.StringIO()),
        clocked(Trainer, "_end_epoch") as ends,
        clocked(Model, "evaluate") as passes,
    ):
        experiment = workflows.prepare(Config.load(workload.config(Path(name))))
        run = workflows.begin(experiment, Path(name) / "runs")
        workflows.train(experiment, run, [Lines(), watch])  # the last to be called
    half, epochs = workload.epochs // 2, workload.epochs  # in early epochs, nearly all weights are the best so far
    whole, end, forward = (median(seconds[half:epochs]) for seconds in (watch.whole, ends, passes))
    return {"whole": whole, "steps": whole - end, "forward": forward}
