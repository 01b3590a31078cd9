"""A linear layer: every output is a weighted sum of all inputs, plus a bias of its own."""

from __future__ import annotations

from typing import ClassVar

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import NonNegativeFloat, PositiveInt, Switch
from nnfs_cli.nn.initializers import Initializer, UniformFanIn, Zeros
from nnfs_cli.nn.layers.base import Backward, Context, Layer, add_row, fold, product
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views


class Linear(Layer, name="linear", main="units"):
    """Affine map over the last axis: y = x W + b.

    Shapes: x (batch, ..., n_inputs), W (n_inputs, units), b (units,), y (batch, ..., units).
    Gradients, with dy = dL/dy: dW = xᵀ dy, db = Σ_batch dy, dx = dy Wᵀ.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 6.5.
    """

    examples: ClassVar[tuple[str, ...]] = ("linear: 20", "linear: {units: 3, bias: false, init: he_normal}")

    units: PositiveInt
    """How many outputs."""
    bias: Switch = True
    """Whether to add b."""
    init: Initializer = UniformFanIn()
    """Of the weights W."""
    bias_init: Initializer = Zeros()
    """Of the bias b."""
    l1: NonNegativeFloat | None = None
    """Penalty l1 Σ |W|, in place of the run's."""
    l2: NonNegativeFloat | None = None
    """Penalty l2/2 Σ W², in place of the run's."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """The number of inputs is inferred."""
        *axes, n_inputs = input_shape
        fans = n_inputs, self.units
        tree = {"weight": ParameterSpec(fans, self.init, *fans, decays=True, l1=self.l1, l2=self.l2)}
        if self.bias:
            tree["bias"] = ParameterSpec((self.units,), self.bias_init, *fans)
        return (*axes, self.units), tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n_inputs) -> (batch, ..., units)."""
        rows = fold(x, p.weight.ndim - 2)
        y = product(rows, p.weight, out=context.empty((*rows.shape[:-1], self.units)))
        if self.bias:
            add_row(y, p.bias, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dy = fold(dy, p.weight.ndim - 2)
            product(rows.swapaxes(-1, -2), dy, out=g.weight)
            if self.bias:
                product(context.ones(dy.shape[-2]), dy, out=g.bias)
            if not need_dx:
                return dy
            dx = product(dy, p.weight.swapaxes(-1, -2), out=context.empty(rows.shape))
            return dx if rows is x else dx.reshape(x.shape)

        return y if rows is x else y.reshape(*x.shape[:-1], self.units), backward
