"""The learning curves of a training, drawn on a terminal below the table of epochs while the net learns."""

from __future__ import annotations

import math
import os
import sys
import time
from collections import deque
from collections.abc import Sequence

from nnfs_cli.display.lines import TERMINAL_LINES, Lines
from nnfs_cli.display.region import Region
from nnfs_cli.display.some_epochs import SomeEpochs, round_up
from nnfs_cli.display.text import duration, number
from nnfs_cli.display.text_curves import Point, Thinned, shows_braille, text_curves
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.training.callbacks import Training
from nnfs_cli.training.progress import LogRow

SECONDS = 0.25  # from one drawing to the next, at least
SHARE = 400  # a drawing takes at most one part in so many of the time
WINDOW = 40  # drawings over which the speed is averaged
HEIGHT, LEAST_HEIGHT = 9, 4  # lines of the curves with their axis
WIDEST = 80  # columns of the curves; folded in two by a narrower terminal, they still fit on 24 lines
POINTS = 2 * WIDEST  # of a curve, one for each dot; more would only take time
ROWS = 8  # of the terminal, that the curves leave to the table
CURVES = {"train_loss": "train", "val_loss": "validation"}
COLOURS = ("\x1b[36m", "\x1b[33m")  # of the curves
BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Live(Lines):
    """A callback that writes a table of some epochs, and draws the learning curves and a line of progress below it.

    `monitor` and `mode` say which epoch is the best; with None, none is. `earlier` are the rows of the log of a
    run that is resumed. At the end the curves stay, if there are any.
    """

    def __init__(self, monitor: str | None = "val_loss", mode: Mode = "min", earlier: Sequence[LogRow] = ()) -> None:
        super().__init__(TERMINAL_LINES)
        self._region, self._epochs = Region(), SomeEpochs(monitor, mode)
        self._monitor, self._earlier = monitor, earlier
        self._curves = {name: Thinned(POINTS) for name in CURVES}
        self._seen: deque[tuple[float, int]] = deque(maxlen=WINDOW)  # times, and the steps made until then
        self._due = math.inf
        self._unaveraged = False
        self._braille = shows_braille(sys.stderr)
        self._colours = not os.environ.get("NO_COLOR")
        self.width = self._region.size[0]

    def on_begin(self, training: Training) -> None:
        """Open the region; the first drawing comes a moment later, so that a short training shows none."""
        super().on_begin(training)
        for row in self._earlier:
            if row["epoch"] <= training.progress.finished:  # later ones are made again
                self._add(training, row)
        if self._region.begin():
            now = time.monotonic()
            self._due = now + SECONDS
            self._seen.append((now, training.progress.step))

    def next_stop(self, training: Training) -> float:
        """Draw by the clock."""
        return math.inf

    def on_step(self, training: Training) -> None:
        """Draw, a few times a second."""
        if time.monotonic() >= self._due:
            self._draw(training)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write a line for some of the epochs, and take the losses of all into the curves."""
        super().on_log(training, row)
        self._add(training, row)

    def _add(self, training: Training, row: LogRow) -> None:
        if self._unaveraged and not training.average.pending:
            self._epochs.forget_best()  # from now on epochs are compared by their average
        self._unaveraged = training.average.pending
        self._epochs.add(row)
        for name, curve in self._curves.items():
            curve.add(row["epoch"], row.get(name, math.nan))

    def on_end(self, training: Training) -> None:
        """Close the region; leave the curves, if they are more than a line."""
        opened = math.isfinite(self._due)
        self._due = math.inf
        self._region.end()
        if opened and self._epochs.count > 2 and (lines := self._drawing(training, last=True)):
            self.write("\n".join(["", *lines]), "drawing")

    def write(self, line: str, style: str = "") -> None:
        """Write a line above the region."""
        if style == "drawing":  # it has been made here, and may have colours
            sys.stderr.write(f"{line}\n")
        elif style == "heading" and self._colours:
            sys.stderr.write(f"{BOLD}{line}{RESET}\n")
        else:
            super().write(line, style)

    def _draw(self, training: Training) -> None:
        now, begun = time.monotonic(), time.thread_time()
        self._seen.append((now, training.progress.step))
        lines, columns = self._drawing(training), self._region.size[0]
        self._region.draw(["", *lines, *([""] if lines else []), self._status(training, columns - 1)])
        self._due = now + max(SECONDS, SHARE * (time.thread_time() - begun))

    def _drawing(self, training: Training, last: bool = False) -> list[str]:
        """Return the lines of the curves, as many as the terminal has room for; none if there is too little."""
        columns, rows = self._region.size
        height = min(HEIGHT, rows - ROWS)
        curves = {CURVES[name]: points for name, thinned in self._curves.items() if (points := thinned.points())}
        if height < LEAST_HEIGHT or self._epochs.count < 2 or not curves:
            return []
        first = self._first_epoch()
        end = training.progress.finished if last else _far_end(training.progress.finished, training.progress.epochs)
        width = min(columns - 1, WIDEST) - 4
        drawn = text_curves(
            curves,
            width,
            height,
            x_label="epoch",
            x_range=(first, max(end, first + 1)),
            mark=self._best(),
            braille=self._braille,
            style=self._style,
        )
        return [f"  {line}" for line in drawn]

    def _first_epoch(self) -> float:
        return min(points[0][0] for thinned in self._curves.values() if (points := thinned.points()))

    def _best(self) -> Point | None:
        """Return where the best epoch is on the curve of the validation loss, or else of the training loss."""
        if (best := self._epochs.best) is None:
            return None
        return best["epoch"], best.get("val_loss", best["train_loss"])

    def _style(self, text: str, curve: int) -> str:
        return f"{COLOURS[curve % 2]}{text}{RESET}" if self._colours else text

    def _status(self, training: Training, width: int) -> str:
        """Return the line of progress: as many of its parts as there is room for, the most important ones first."""
        progress, parts = training.progress, []
        parts.append(f"epoch {max(progress.epoch, 1):,} of {progress.epochs:,}")
        (begun, before), (now, step) = self._seen[0], self._seen[-1]
        if step > before:
            speed = (step - before) / (now - begun)
            parts.append(f"{duration(math.ceil((progress.steps * progress.epochs - progress.step) / speed))} left")
        if best := self._epochs.best:
            parts.append(f"best {best['epoch']:,.0f}, {self._monitor} {number(best[str(self._monitor)])}")
        if step > before and progress.rows:
            parts.append(f"{float(f'{speed * progress.rows / progress.steps:.3g}'):,.0f} rows/s")
        if progress.lr is not None:
            parts.append(f"lr {progress.lr:.3g}")
        line = f"  {parts[0]}"
        for part in parts[1:]:
            if len(line) + 3 + len(part) > width:
                break
            line += f"   {part}"
        return line[:width]


def _far_end(epoch: int, epochs: int) -> int:
    """Return the last epoch on the axis: it stays the same for a while, so that the curves move calmly."""
    return min(epochs, max(round_up(epoch), 10))
