"""A linear layer: every output is a weighted sum of all inputs, plus a bias of its own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nnfs_cli.initializers import Initializer, UniformFanIn, Zeros
from nnfs_cli.layers.base import Backward, Context, Layer, ShapeError
from nnfs_cli.parameters import Array, ParameterSpec, ParameterTree, Shape, Views
from nnfs_cli.settings import PositiveInt, Switch


class Linear(Layer, name="linear", main="units"):
    """Affine map of each row: y = x W + b.

    Shapes: x (batch, n_inputs), W (n_inputs, units), b (units,), y (batch, units).
    Gradients, with dy = dL/dy: dW = xᵀ dy, db = Σ_batch dy, dx = dy Wᵀ.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 6.5.
    """

    examples: ClassVar[tuple[str, ...]] = ("linear: 20", "linear: {units: 3, bias: false, init: he_normal}")

    units: PositiveInt
    bias: Switch = True
    init: Initializer = UniformFanIn()
    bias_init: Initializer = Zeros()

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """The number of inputs is inferred. Raises `ShapeError` unless a row is a plain list of numbers."""
        if len(input_shape) != 1:
            raise ShapeError(f"linear takes rows of numbers, and gets rows of shape {input_shape}")
        (n_inputs,) = input_shape
        tree = {"weight": ParameterSpec((n_inputs, self.units), self.init, n_inputs, self.units)}
        if self.bias:
            tree["bias"] = ParameterSpec((self.units,), self.bias_init, n_inputs, self.units)
        return (self.units,), tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, n_inputs) -> (batch, units)."""
        y = np.matmul(x, p.weight, out=context.empty((*x.shape[:-1], self.units)))
        if self.bias:
            np.add(y, p.bias[..., None, :], out=y)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            np.matmul(x.swapaxes(-1, -2), dy, out=g.weight)
            if self.bias:
                np.matmul(context.ones(dy.shape[-2]), dy, out=g.bias)
            if not need_dx:
                return dy
            return np.matmul(dy, p.weight.swapaxes(-1, -2), out=context.empty(x.shape))

        return y, backward
