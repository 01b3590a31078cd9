"""When to stop training before the last epoch."""

from __future__ import annotations

from nnfs_cli.components.field_types import NonNegativeFloat, PositiveInt, Text
from nnfs_cli.components.section import Section
from nnfs_cli.metrics.direction import Mode


class EarlyStopping(Section):
    """When to stop before the last epoch: after `patience` logged epochs without a better figure."""

    main = "patience"

    @classmethod
    def title(cls) -> str:
        """As the key."""
        return "early_stopping"

    patience: PositiveInt = 10
    """How many logged epochs in a row may bring nothing better."""
    min_delta: NonNegativeFloat = 0.0
    """By how much a figure must be better to count."""
    monitor: Text | None = None
    """The figure of the log that is watched; the one of checkpoint unless given, or val_loss."""
    mode: Mode | None = None
    """Whether that figure is to be small (min) or large (max); known for losses and metrics."""
