"""Clipping: a bound on the gradient, so that one strange batch cannot throw the net away."""

from __future__ import annotations

import math

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveFloat
from nnfs_cli.components.section import Section


class Clip(Section):
    """How large a gradient may be: g <- clip(g, -value, value), then g <- g · min(1, norm / ||g||), over all layers.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013). PyTorch
    adds 1e-6 to the norm before it divides; here the clipped gradient has exactly the norm that is asked for.
    """

    main = "norm"

    norm: PositiveFloat | None = None
    """The largest Euclidean norm of the gradient of all parameters together."""
    value: PositiveFloat | None = None
    """The largest absolute value of each of its entries."""

    def apply(self, gradient: Array) -> None:
        """Clip a gradient (n,) in place; of several, (members, n), each by itself."""
        if gradient.ndim > 1:
            for one in gradient:
                self.apply(one)
            return
        if self.value is not None:
            np.clip(gradient, -self.value, self.value, out=gradient)
        if self.norm is not None:
            length = math.sqrt(float(np.vdot(gradient, gradient)))
            if length == math.inf:  # perhaps only the squares were too large
                largest = float(max(gradient.max(), -gradient.min()))
                if largest < math.inf:
                    np.divide(gradient, largest, out=gradient)
                    length = math.sqrt(float(np.vdot(gradient, gradient)))
                    np.multiply(gradient, min(self.norm / length, largest), out=gradient)  # or as it was
            elif length > self.norm:
                np.multiply(gradient, self.norm / length, out=gradient)
