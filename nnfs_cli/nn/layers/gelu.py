"""The Gaussian error linear unit: it weighs each number by the probability that a normal draw lies below it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import Views
from nnfs_cli.pipeline.elementwise import add, multiply, normal_cdf, tanh
from nnfs_cli.pipeline.value import Value


class GELU(Layer, name="gelu", main="form"):
    """Gaussian error linear unit: y = x Φ(x), with Φ the distribution function of N(0, 1), element by element.

    The form `exact` uses Φ(x) = (1 + erf(x / √2)) / 2. The form `tanh` uses the approximation
    Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    Gradient: dx = (Φ(x) + x Φ'(x)) dy, with Φ of the same form.
    Shapes: any; y as x.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016).
    """

    examples = ("gelu", "gelu: tanh")

    form: Literal["exact", "tanh"] = Field(default="exact", kw_only=False)
    """Form of Φ: `exact`, or its approximation by `tanh`, which needs no SciPy."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ...) -> (batch, ...)."""
        share = context.empty(x.shape)  # Φ(x)
        if self.form == "exact":
            from scipy.special import ndtr  # a slow import that only this layer needs

            ndtr(x, out=share)
        else:
            np.multiply(x, x, out=share)
            np.multiply(np.add(np.multiply(share, 0.044715, out=share), 1, out=share), x, out=share)
            np.tanh(np.multiply(share, math.sqrt(2 / math.pi), out=share), out=share)
            np.multiply(np.add(share, 1, out=share), 0.5, out=share)
        y = np.multiply(x, share, out=context.empty(x.shape))

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            density, square = context.empty(x.shape), np.multiply(x, x, out=context.empty(x.shape))
            if self.form == "exact":  # exp(-x²/2) / √(2π)
                np.exp(np.multiply(square, -0.5, out=square), out=square)
                np.multiply(square, 1 / math.sqrt(2 * math.pi), out=density)
            else:  # 2 Φ (1 - Φ) √(2/π) (1 + 3 · 0.044715 x²), since tanh' = 1 - tanh² = 4 Φ (1 - Φ)
                np.multiply(np.subtract(1, share, out=density), share, out=density)
                np.add(np.multiply(square, 3 * 0.044715, out=square), 1, out=square)
                np.multiply(np.multiply(density, square, out=density), math.sqrt(8 / math.pi), out=density)
            slope = np.add(np.multiply(x, density, out=density), share, out=density)
            return np.multiply(slope, dy, out=slope)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return x Φ(x)."""
        if self.form == "exact":
            return multiply(x, normal_cdf(x))
        cubic = multiply(add(multiply(multiply(x, x), 0.044715), 1), x)
        return multiply(x, multiply(add(tanh(multiply(cubic, math.sqrt(2 / math.pi))), 1), 0.5))
