"""Predictions limited to the range of the training rows."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics
from nnfs_cli.pipeline.elementwise import clip
from nnfs_cli.pipeline.value import Value


class Clamp(NumberStep, name="clamp"):
    """Leave numbers as they are, and limit predictions to the range of the training rows.

    Forward y = x; inverse x = min(max(y, lowest), highest). Use it on a target, before other steps, as in
    `[clamp, standardize]`: an error is then never larger than the width of the range. Inputs stay as they are; use
    `clip` to limit them.

    Fitted: the lowest and the highest number of the training rows.
    Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on
    Tabular Data" (2024), section 3.
    """

    examples = ("clamp",)
    invertible = limits = True

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the lowest and the highest number."""
        return {"lowest": float(column.min()), "highest": float(column.max())}

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Return the values, limited to the range of the training rows."""
        clamped: Array = np.clip(values, statistics["lowest"], statistics["highest"])
        return clamped

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return min(max(y, lowest), highest)."""
        return clip(values, statistics["lowest"], statistics["highest"])
