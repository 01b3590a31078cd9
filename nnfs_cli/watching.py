"""What a config says about watching: which figure decides, when enough is enough, and what is kept."""

from __future__ import annotations

from collections.abc import Iterable

from nnfs_cli.metrics import Metric
from nnfs_cli.monitor import Mode
from nnfs_cli.settings import NonNegativeFloat, PositiveInt, Section, Text


class Checkpoints(Section):
    """Which epoch is the best one, whose weights are kept, and which others are kept as well."""

    main = "every"

    every: PositiveInt | None = None
    """Also keep the weights of every so many epochs, as weights/epoch-<n>.npz."""
    monitor: Text | None = None
    """The figure of the log that decides; the one of early_stopping unless given, or val_loss."""
    mode: Mode | None = None
    """Whether that figure is to be small (min) or large (max); known for losses and metrics."""


class EarlyStopping(Section):
    """When to stop before the last epoch: after `patience` logged epochs without a better figure."""

    main = "patience"

    patience: PositiveInt = 10
    """How many logged epochs in a row may bring nothing better."""
    min_delta: NonNegativeFloat = 0.0
    """By how much a figure must be better to count."""
    monitor: Text | None = None
    """The figure of the log that is watched; the one of checkpoint unless given, or val_loss."""
    mode: Mode | None = None
    """Whether that figure is to be small (min) or large (max); known for losses and metrics."""


def mode_of(figure: str, metrics: Iterable[Metric]) -> Mode | None:
    """Whether a figure of the log is to be small or large; None when the log has no such figure.

    A metric that gives a figure for each class has columns that begin with its own.
    """
    name = figure.partition("_")[2] if figure.startswith(("train_", "val_")) else ""
    if name == "loss":
        return "min"
    for metric in metrics:
        if name == metric.column or name.startswith(f"{metric.column}_"):
            return "max" if metric.greater_is_better else "min"
    return None
