"""Which epoch is the best one, and whose weights are kept."""

from __future__ import annotations

from nnfs_cli.components.field_types import PositiveInt, Text
from nnfs_cli.components.section import Section
from nnfs_cli.metrics.direction import Mode


class Checkpoints(Section):
    """Which epoch is the best one, whose weights are kept, and which others are kept as well."""

    main = "every"

    @classmethod
    def title(cls) -> str:
        """As the key."""
        return "checkpoint"

    every: PositiveInt | None = None
    """Also keep the weights of every so many epochs, as weights/epoch-<n>.npz."""
    monitor: Text | None = None
    """The figure of the log that decides; the one of early_stopping unless given, or val_loss."""
    mode: Mode | None = None
    """Whether that figure is to be small (min) or large (max); known for losses and metrics."""
