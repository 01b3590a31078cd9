"""A linear layer: each output is a weighted sum of all inputs plus a bias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.field_types import NonNegativeFloat, PositiveInt, Switch
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.initializers import Initializer, UniformFanIn, Zeros
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.parameters import ParameterSpec, ParameterTree, Views
from nnfs_cli.pipeline.elementwise import add
from nnfs_cli.pipeline.shapes import matmul
from nnfs_cli.pipeline.value import Value


class Linear(Layer, name="linear", main="units"):
    """Affine map over the last axis: y = x W + b.

    Shapes: x (batch, ..., n_inputs), W (n_inputs, units), b (units,), y (batch, ..., units).
    Gradients, with dy = dL/dy: dW = Σ_batch xᵀ dy, db = Σ_batch dy, dx = dy Wᵀ.
    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 6.5.
    """

    examples: ClassVar[tuple[str, ...]] = ("linear: 20", "linear: {units: 3, bias: false, init: he_normal}")
    by_entry: ClassVar[tuple[str, ...]] = (
        "y_j = Σ_i x_i weight_ij + bias_j",
        "y_j = Σ_i x_i weight_ij",
        "dx_i = Σ_j dy_j weight_ij",
        "dweight_ij = Σ_b x_bi dy_bj",
        "dbias_j = Σ_b dy_bj",
    )

    elsewhere: ClassVar[Mapping[str, str]] = {
        "activation": "dense has one, and an activation is a layer of its own, such as relu"
    }

    units: PositiveInt = Field(kw_only=False)
    """Number of outputs."""
    bias: Switch = True
    """Add a bias b if true."""
    init: Initializer = UniformFanIn()
    """Initializer of the weights W."""
    bias_init: Initializer = Zeros()
    """Initializer of the bias b."""
    l1: NonNegativeFloat | None = None
    """Strength of the penalty l1 Σ |W| on this layer. It replaces the `l1` of `penalty`."""
    l2: NonNegativeFloat | None = None
    """Strength of the penalty l2/2 Σ W² on this layer. It replaces the `l2` of `penalty`."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return a weight matrix that fits the inputs, and a bias unless `bias` is false."""
        *axes, n_inputs = input_shape
        fans = n_inputs, self.units
        tree = {"weight": ParameterSpec(fans, self.init, *fans, decays=True, l1=self.l1, l2=self.l2)}
        if self.bias:
            tree["bias"] = ParameterSpec((self.units,), self.bias_init, *fans)
        return (*axes, self.units), tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, ..., n_inputs) -> (batch, ..., units)."""
        y = context.matmul(x, p.weight)
        if self.bias:
            context.add_bias(y, p.bias)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            context.sum_outer(x, dy, out=g.weight)
            if self.bias:
                context.sum_rows(dy, out=g.bias)
            return context.matmul(dy, p.weight.mT) if need_dx else dy

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return x W + b."""
        y = matmul(x, p.weight)
        return add(y, p.bias) if self.bias else y
