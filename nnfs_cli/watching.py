"""Watching a figure of the log: what better means, which epoch is the best, and when enough is enough."""

from __future__ import annotations

import math
from typing import Literal

from nnfs_cli.settings import NonNegativeFloat, PositiveInt, Section, Text

Mode = Literal["min", "max"]  # whether a low figure is good, or a high one


def improves(value: float, best: float | None, mode: Mode, min_delta: float = 0.0) -> bool:
    """Whether `value` is better than `best` by more than `min_delta`; NaN never is, and all else beats NaN and None."""
    if best is None or math.isnan(best):
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta


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
