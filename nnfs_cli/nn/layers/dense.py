"""A dense layer: a linear layer and its activation under one name."""

from __future__ import annotations

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.pipeline.value import Value


class Dense(Linear, name="dense", main="units"):
    """A linear layer and its activation: y = activation(x W + b).

    Gradients, with dz the gradient that the activation returns for dy: dW = Σ_batch xᵀ dz, db = Σ_batch dz, dx = dz Wᵀ.
    Shapes: x (batch, n_inputs), W (n_inputs, units), b (units,), y (batch, units).
    Source: Chollet, Keras' `Dense` (2015). Keras uses no activation by default; here the default is sigmoid.
    """

    examples = ("dense: 20", "dense: {units: 3, activation: tanh, bias: false}")
    by_entry = (
        "z_j = Σ_i x_i weight_ij + bias_j",
        "z_j = Σ_i x_i weight_ij",
        "dx_i = Σ_j dz_j weight_ij",
        "dweight_ij = Σ_b x_bi dz_bj",
        "dbias_j = Σ_b dz_bj",
    )

    activation: Layer = Sigmoid()
    """Layer applied to the result of the linear map."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return W and b and, one level down, the parameters of the activation."""
        shape, linear = super().build(input_shape)
        shape, activation = self.activation.build(shape)
        return shape, {**linear, "activation": activation}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """(batch, n_inputs) -> (batch, units)."""
        z, linear_backward = super().forward(p, x, context)
        y, activation_backward = self.activation.forward(p.activation, z, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            return linear_backward(activation_backward(dy, g.activation, True), g, need_dx)

        return y, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return activation(x W + b)."""
        return self.activation.operations(p.activation, super().operations(p, x))

    @property
    def final(self) -> Layer:
        """The activation."""
        return self.activation.final

    @property
    def bounding_layer(self) -> Layer:
        """The activation, or this layer if the activation preserves the range."""
        bounding = self.activation.bounding_layer
        return self if bounding.preserves_range else bounding

    def with_final(self, layer: Layer) -> Layer:
        """Return a copy with another activation."""
        return self.model_copy(update={"activation": self.activation.with_final(layer)})

    def describe(self) -> str:
        """Return the width and the activation."""
        return f"{self.label()} {self.activation.describe()}"
