"""The bar of a training, drawn on a terminal below the table of epochs."""

from __future__ import annotations

import math
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nnfs_cli.display.lines import Lines
from nnfs_cli.display.some_epochs import round_up
from nnfs_cli.display.text import number
from nnfs_cli.system.wording import visible
from nnfs_cli.training.callbacks import Training
from nnfs_cli.training.progress import LogRow

LINES = 20  # epochs of a long training that a terminal shows, approximately; the log has all of them


class Bar(Lines):
    """A callback that draws a bar below the table, and of many epochs shows only some."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("  epoch {task.fields[epoch]:,} of {task.fields[epochs]:,}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True, highlight=False),
            transient=True,
            expand=True,
        )
        self._drawn = 0.0
        self.width = self._progress.console.width

    def on_begin(self, training: Training) -> None:
        """Draw the empty bar."""
        self._every = round_up(training.progress.epochs / LINES)
        steps = training.progress.steps * training.progress.epochs
        self._task = self._progress.add_task("", total=steps, epoch=1, epochs=training.progress.epochs, losses="")
        self._progress.start()

    def on_step(self, training: Training) -> None:
        """Move the bar, at most five times a second."""
        now = time.monotonic()
        if now - self._drawn > 0.2:
            self._drawn = now
            self._progress.update(self._task, completed=training.progress.step, epoch=training.progress.epoch)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write a line for the first epoch, the last one and some between; show the losses of all beside the bar."""
        epoch = int(row["epoch"])
        last = epoch == training.progress.epochs or training.stopped
        if epoch <= training.plan.log_every or epoch % self._every == 0 or last:
            super().on_log(training, row)
        losses = "  ".join(f"{name} {number(row[name])}" for name in ("train_loss", "val_loss") if name in row)
        self._progress.update(self._task, losses=losses)

    def explain(self, training: Training) -> None:
        """Write above the table that it shows only some of the logged epochs, if so."""
        shown = math.lcm(self._every, training.plan.log_every)
        if shown > training.plan.log_every:
            self.write(f"  1 in {shown:,} epochs is shown; the log of the run has more")

    def on_end(self, training: Training) -> None:
        """Remove the bar."""
        self._progress.stop()

    def write(self, line: str, style: str = "") -> None:
        """Write a line above the bar."""
        console = self._progress.console
        bold = "bold" if style and not console.no_color else None
        console.print(visible(line), markup=False, soft_wrap=True, style=bold)
