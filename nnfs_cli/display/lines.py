"""The table of epochs, written line by line while a net is trained."""

from __future__ import annotations

import itertools
import math

from nnfs_cli.display.some_epochs import round_up
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import number
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow

TERMINAL_LINES = 20  # epochs that a terminal shows, approximately; the log has all of them
HIDDEN = ("step", "seconds", "lr")  # columns of the log that the table leaves out


class Lines(Callback):
    """A callback that writes a table of logged epochs: of all, or of about `most` of them."""

    width = math.inf  # columns of the terminal

    def __init__(self, most: int | None = None) -> None:
        self._most, self._every = most, 1
        self._widths: dict[str, int] = {}  # of the columns that are shown

    def on_begin(self, training: Training) -> None:
        """Choose the epochs to show."""
        self._every = round_up(training.progress.epochs / self._most) if self._most else 1

    def on_compile(self, training: Training, kernels: int) -> None:
        """Say why nothing happens for some seconds."""
        self.write("  compiling this net, which takes some seconds and is done once on this machine")

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write a line for the first epoch, the last one and some between, or for all."""
        epoch = int(row["epoch"])
        last = epoch == training.progress.epochs or training.stopped
        if epoch <= training.plan.log_every or epoch % self._every == 0 or last:
            self._write_row(training, row)

    def _write_row(self, training: Training, row: LogRow) -> None:
        """Write one line. Columns that do not fit are left out; the log has them."""
        if not self._widths:
            widths = {name: max(len(name), 10) for name in row if name not in HIDDEN}
            widths["epoch"] = max(5, len(f"{training.progress.epochs:,}"))
            ends = itertools.accumulate(width + 2 for width in widths.values())
            self._widths = {name: widths[name] for name, end in zip(widths, ends, strict=True) if end <= self.width - 5}
            more = "  ..." if len(self._widths) < len(widths) else ""
            self.write("")
            shown = math.lcm(self._every, training.plan.log_every)
            if shown > training.plan.log_every:
                self.write(f"  1 in {shown:,} epochs is shown; the log of the run has more")
            self.write("  " + "  ".join(name.rjust(width) for name, width in self._widths.items()) + more, "heading")
        self.write("  " + "  ".join(number(row[name]).rjust(width) for name, width in self._widths.items()))

    def write(self, line: str, style: str = "") -> None:
        """Write a line to stderr."""
        note(line)
