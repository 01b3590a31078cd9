"""Clipping: a bound on the gradient, so that a single unusual batch cannot ruin the net."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.components.section import Section


class Clip(Section):
    """Limit the gradient: g <- clip(g, -value, value), then g <- g · min(1, norm / ||g||), over all layers together.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013). PyTorch
    adds 1e-6 to the norm before it divides; here the clipped gradient has exactly the given norm.
    """

    main = "norm"

    norm: PositiveFloat | None = Field(default=None, kw_only=False)
    """Largest Euclidean norm of the gradient of all parameters together."""
    value: PositiveFloat | None = None
    """Largest absolute value of each entry of the gradient."""

    def apply(self, gradient: Array) -> None:
        """Clip a gradient (n,) in place, or each gradient of an ensemble (members, n) separately."""
        if gradient.ndim > 1:
            for one in gradient:
                self.apply(one)
            return
        if self.value is not None:
            np.clip(gradient, -self.value, self.value, out=gradient)
        if self.norm is not None:
            length = math.sqrt(float(np.vdot(gradient, gradient)))
            if length == math.inf:  # perhaps only the sum of squares overflows
                largest = float(max(gradient.max(), -gradient.min()))
                if largest < math.inf:
                    np.divide(gradient, largest, out=gradient)
                    length = math.sqrt(float(np.vdot(gradient, gradient)))
                    np.multiply(gradient, min(self.norm / length, largest), out=gradient)  # at most as it was
            elif length > self.norm:
                np.multiply(gradient, self.norm / length, out=gradient)
