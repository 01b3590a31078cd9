"""Some rows of the log that stand for all of them, however many epochs a training has."""

from __future__ import annotations

from nnfs_cli.metrics.direction import Mode, improves
from nnfs_cli.training.progress import LogRow

MOST = 12  # rows between the first and the last
KEPT = 40 * MOST  # rows in memory


class SomeEpochs:
    """The first, the best and the last row of the log, and about a dozen between them at even distances.

    The best row is the one with the best figure `monitor`; there is none if the log lacks the figure, or
    if `monitor` is None.
    """

    def __init__(self, monitor: str | None = "val_loss", mode: Mode = "min") -> None:
        self._monitor, self._mode = monitor, mode
        self._rows: dict[int, LogRow] = {}  # by their number, counted from 1; only multiples of `_every`
        self._every = 1  # a power of ten
        self._ends: list[tuple[int, LogRow]] = []  # the first and the last row
        self._best: tuple[int, LogRow] | None = None
        self.count = 0  # of all rows

    def add(self, row: LogRow) -> None:
        """Add the next row of the log."""
        self.count += 1
        self._ends = [*self._ends[:1], (self.count, row)]
        if self.count % self._every == 0:
            self._rows[self.count] = row
        if len(self._rows) > KEPT:
            self._every *= 10
            self._rows = {n: kept for n, kept in self._rows.items() if n % self._every == 0}
        if self._monitor is None:
            return
        best = self._best[1][self._monitor] if self._best else None
        if self._monitor in row and improves(row[self._monitor], best, self._mode):
            self._best = (self.count, row)

    def forget_best(self) -> None:
        """Forget which row is the best so far."""
        self._best = None

    @property
    def best(self) -> LogRow | None:
        """The best row, if there is one."""
        return self._best[1] if self._best else None

    def rows(self) -> list[LogRow]:
        """Return the rows in the order of the log."""
        every = round_up(self.count / MOST)
        chosen = {n: row for n, row in self._rows.items() if n % every == 0}
        chosen.update([*self._ends, *([self._best] if self._best else [])])
        return [chosen[n] for n in sorted(chosen)]


def round_up(every: float) -> int:
    """Return the next number of the series 1, 2, 5, 10, 20, 50, ..."""
    magnitude = 1
    while True:
        for step in (1, 2, 5):
            if step * magnitude >= every:
                return step * magnitude
        magnitude *= 10
