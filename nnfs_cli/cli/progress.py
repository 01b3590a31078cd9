"""Training as it happens: a line an epoch, and on a terminal a bar with the time that is left."""

from __future__ import annotations

import itertools
import math
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nnfs_cli.cli.terminal import fact, note, number, visible
from nnfs_cli.system.wording import counted
from nnfs_cli.training.trainer import Callback, LogRow, Trainer

HIDDEN = ("step", "seconds", "lr")  # of the columns of the log
LINES = 20  # about as many are shown of a long training on a terminal; the log has them all


def watcher() -> Callback:
    """What suits where stderr goes."""
    return Bar() if sys.stderr.isatty() else Lines()


class Resumed(Callback):
    """A line on where training goes on."""

    def on_begin(self, trainer: Trainer) -> None:
        """Before it does."""
        if not trainer.step:
            fact("resumed", f"from the beginning, to epoch {trainer.epochs:,}; there is no later state to go on from")
            return
        done = f"after {counted(trainer.epoch, 'epoch')} and {counted(trainer.step, 'step')}"
        fact("resumed", f"{done}, to epoch {trainer.epochs:,}")


class Lines(Callback):
    """A plain line for every logged epoch, under a header."""

    width = math.inf  # of a line

    def __init__(self) -> None:
        self._widths: dict[str, int] = {}  # of the columns that are shown

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """One line, as wide as the header, of the columns for which there is room; the log has them all."""
        if not self._widths:
            widths = {name: max(len(name), 10) for name in row if name not in HIDDEN}
            widths["epoch"] = max(5, len(f"{trainer.epochs:,}"))
            ends = itertools.accumulate(width + 2 for width in widths.values())
            self._widths = {name: widths[name] for name, end in zip(widths, ends, strict=True) if end <= self.width - 5}
            self.say("")
            more = "  ..." if len(self._widths) < len(widths) else ""
            self.say("  " + "  ".join(name.rjust(width) for name, width in self._widths.items()) + more)
        self.say("  " + "  ".join(number(row[name]).rjust(width) for name, width in self._widths.items()))

    def say(self, line: str) -> None:
        """Put a line on stderr."""
        note(line)


class Bar(Lines):
    """A bar below the lines, gone when training ends; of many epochs only some get a line."""

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

    def on_begin(self, trainer: Trainer) -> None:
        """Draw the empty bar."""
        self._every = _round(trainer.epochs / LINES)
        steps = trainer.steps * trainer.epochs
        self._task = self._progress.add_task("", total=steps, epoch=1, epochs=trainer.epochs, losses="")
        self._progress.start()

    def on_step(self, trainer: Trainer) -> None:
        """Move the bar, a few times a second."""
        now = time.monotonic()
        if now - self._drawn > 0.2:
            self._drawn = now
            self._progress.update(self._task, completed=trainer.step, epoch=trainer.epoch)

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        """A line for the first, the last and some epochs between, and the losses beside the bar for all."""
        epoch = int(row["epoch"])
        if epoch <= trainer.log_every or epoch % self._every == 0 or epoch == trainer.epochs or trainer.stopped:
            super().on_log(trainer, row)
        losses = "  ".join(f"{name} {number(row[name])}" for name in ("train_loss", "val_loss") if name in row)
        self._progress.update(self._task, losses=losses)

    def on_end(self, trainer: Trainer) -> None:
        """Take the bar away."""
        self._progress.stop()

    def say(self, line: str) -> None:
        """Put a line above the bar."""
        self._progress.console.print(visible(line), markup=False, soft_wrap=True)


def _round(every: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ..."""
    magnitude = 1
    while True:
        for step in (1, 2, 5):
            if step * magnitude >= every:
                return step * magnitude
        magnitude *= 10
