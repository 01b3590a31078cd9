"""A target that is never predicted beyond what was seen."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics


class Clamp(NumberStep, name="clamp"):
    """Leave a number as it is, and bring predictions into the range of the training rows.

    x -> x; back, x = min(max(y, lowest), highest). For a target, before other steps, as in `[clamp, standardize]`:
    a net that has lost its way then errs by the width of the range at most. An input is left as it is; `clip` is for
    those. Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on
    Tabular Data" (2024), section 3.
    """

    examples = ("clamp",)
    invertible = True

    def fit(self, column: Array) -> Fit:
        """The range."""
        return {"lowest": float(column.min()), "highest": float(column.max())}

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Within the range."""
        clamped: Array = np.clip(values, statistics["lowest"], statistics["highest"])
        return clamped
