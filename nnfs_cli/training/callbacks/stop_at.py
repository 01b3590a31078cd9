"""Stop training once a figure is good enough."""

from __future__ import annotations

from pydantic import Field

from nnfs_cli.components.field_types import FiniteFloat, Text
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.training.callbacks.base import NamedCallback, Training
from nnfs_cli.training.progress import LogRow


class StopAt(NamedCallback, name="stop_at", main="value"):
    """Stop training at the first logged epoch whose figure is `value` or better: figure <= value, or >= with mode max.

    If the weights are averaged, it waits for the first average.
    """

    examples = ("stop_at: 0.1", "stop_at: {value: 0.95, monitor: val_accuracy}")

    value: FiniteFloat = Field(kw_only=False)
    """The figure that is good enough."""
    monitor: Text | None = None
    """Figure of the log to watch. By default it is the figure that checkpoint watches."""
    mode: Mode | None = None
    """Whether lower (min) or higher (max) figures are better. By default, the loss or the metric decides."""

    def on_log(self, training: Training, row: LogRow) -> None:
        """Stop if the figure is good enough."""
        monitor = self.monitor or "val_loss"
        figure = row[monitor]
        reached = figure >= self.value if self.mode == "max" else figure <= self.value
        if reached and not training.average.pending:
            training.stop(f"{monitor} has reached {self.value:g}")
