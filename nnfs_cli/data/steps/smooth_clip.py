"""Outliers brought near, without an edge."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.data.steps.base import NumberStep, Statistics


class SmoothClip(NumberStep, name="smooth_clip", main="bound"):
    """Bring numbers between -bound and bound: small ones stay almost as they are, and larger ones stay larger.

    x -> x / sqrt(1 + (x / bound)²). Nothing is learned of the training rows, so it stands behind a step that brings
    columns to a common scale, as in `[robust, smooth_clip]`.
    Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data" (2024), section 3.
    """

    examples = ("smooth_clip", "smooth_clip: 5.0")

    bound: PositiveFloat = 3.0
    """What no number comes to, however large it was."""

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Within the bounds."""
        ratio = values / self.bound
        bent: Array = values / np.hypot(1, ratio)  # which does not overflow where a square would
        return bent
