"""Show progress in a Jupyter notebook: one display for each training, which is updated in place."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from typing import Any

from nnfs_cli.display.html import bar_html, facts_html, table_html
from nnfs_cli.display.lines import HIDDEN
from nnfs_cli.display.some_epochs import SomeEpochs
from nnfs_cli.display.text import number, table
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.system.wording import counted
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow

SECONDS = 0.2  # from one update to the next, at least


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")  # where nobody has imported it, there is no notebook
    return hasattr(getattr(ipython, "get_ipython", lambda: None)(), "kernel")


class Place:
    """A place in the output of a notebook. What is shown there replaces what was shown before."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, html: str, text: str) -> None:
        """Show HTML; front ends without HTML show the text."""
        bundle = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class Notebook(Callback):
    """A callback that shows a bar and a table of epochs in a notebook; the table stays.

    The table has the first, the last, the best and some other epochs. `monitor` and `mode` say which one is the best;
    with None, none is.
    """

    def __init__(self, monitor: str | None = "val_loss", mode: Mode = "min") -> None:
        self._epochs = SomeEpochs(monitor, mode)
        self._place = Place()
        self._shown = 0.0
        self._unaveraged = False  # whether the rows so far lie before the first average of the weights

    def on_begin(self, training: Training) -> None:
        """Show the empty bar."""
        self._show_bar(training)

    def next_stop(self, training: Training) -> float:
        """Draw by the clock."""
        return math.inf

    def on_step(self, training: Training) -> None:
        """Move the bar, at most five times a second."""
        if time.monotonic() - self._shown > SECONDS:
            self._show_bar(training)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Take the figures of an epoch into the table."""
        if self._unaveraged and not training.average.pending:
            self._epochs.forget_best()  # from now on epochs are compared by their average
        self._unaveraged = training.average.pending
        self._epochs.add(row)

    def on_end(self, training: Training) -> None:
        """Replace the bar with a line about how training ended."""
        progress = training.progress
        took = f"{counted(progress.finished, 'epoch')} in {progress.seconds:.1f} s"
        if training.stopped:
            took += f", then stopped: {training.stopped}"
        elif not progress.complete:
            took += f", then ended before epoch {progress.epochs:,}"
        self._show(facts_html([("trained", took)]), f"trained  {took}")

    def _show_bar(self, training: Training) -> None:
        progress = training.progress
        label = f"epoch {max(progress.epoch, 1):,} of {progress.epochs:,}"
        self._show(bar_html(progress.step / (progress.steps * progress.epochs), label), label)
        self._shown = time.monotonic()

    def _show(self, html: str, text: str) -> None:
        """Show the table of epochs, if there are any, above something else."""
        rows, best = self._epochs.rows(), self._epochs.best
        if rows:
            names = [name for name in rows[0] if name not in HIDDEN]
            cells = [[number(row[name]) for name in names] + ["best" if row is best else ""] for row in rows]
            bold = next((i for i, row in enumerate(rows) if row is best), None)
            html = table_html([*names, ""], cells, labels=0, bold=bold) + html
            text = f"{table([*names, ''], cells)}\n{text}"
        self._place.show(html, text)


class FoldTable:
    """A report of a cross-validation in a notebook: a table with a row for each fold that is done."""

    def __init__(self, configs: int, folds: int, repeats: int) -> None:
        self._several, self._folds, self._total = configs > 1, folds, configs * folds * repeats
        self._rows: list[list[str]] = []
        self._place = Place()

    def __call__(self, name: str, repeat: int, fold: int, figures: Mapping[str, float]) -> None:
        """Add the figures of a fold."""
        owner = [name] if self._several else []
        self._rows.append(
            [str(repeat * self._folds + fold + 1), *owner, *(number(value) for value in figures.values())]
        )
        header = ["fold", *(["config"] if self._several else []), *figures]
        done, text = len(self._rows), table(header, self._rows)
        html = table_html(header, self._rows, labels=1 + self._several)
        if done < self._total:
            label = f"{done:,} of {counted(self._total, 'training')}"
            html, text = html + bar_html(done / self._total, label), f"{text}\n{label}"
        self._place.show(html, text)
