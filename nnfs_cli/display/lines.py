"""The table of epochs, written line by line while a net is trained."""

from __future__ import annotations

import itertools
import math

from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import number
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow

HIDDEN = ("step", "seconds", "lr")  # columns of the log that the table leaves out


class Lines(Callback):
    """A callback that writes a table with a line for every logged epoch."""

    width = math.inf  # columns of the terminal

    def __init__(self) -> None:
        self._widths: dict[str, int] = {}  # of the columns that are shown

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write one line. Columns that do not fit are left out; the log has them."""
        if not self._widths:
            widths = {name: max(len(name), 10) for name in row if name not in HIDDEN}
            widths["epoch"] = max(5, len(f"{training.progress.epochs:,}"))
            ends = itertools.accumulate(width + 2 for width in widths.values())
            self._widths = {name: widths[name] for name, end in zip(widths, ends, strict=True) if end <= self.width - 5}
            more = "  ..." if len(self._widths) < len(widths) else ""
            self.write("")
            self.explain(training)
            self.write("  " + "  ".join(name.rjust(width) for name, width in self._widths.items()) + more, "heading")
        self.write("  " + "  ".join(number(row[name]).rjust(width) for name, width in self._widths.items()))

    def explain(self, training: Training) -> None:
        """Write above the table which epochs it leaves out, if it does."""

    def write(self, line: str, style: str = "") -> None:
        """Write a line to stderr."""
        note(line)
