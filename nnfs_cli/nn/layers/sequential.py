"""A sequence of layers that is itself a layer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import Backward, Layer, Layers, ShapeError, built
from nnfs_cli.nn.layers.identity import Identity
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.value import Value


class Sequential(Layer, name="sequential", main="layers"):
    """Composition of layers: y = f_n(... f_2(f_1(x))).

    Gradient: by the chain rule, dx = f_1'(... f_n'(dy)).
    Shapes: x as the first layer takes it, y as the last layer gives it.
    The names of parameters begin with the layer's index: `0.weight`, `0.bias`, `2.weight`, ...
    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986).
    """

    examples: ClassVar[tuple[str, ...]] = ("sequential: [linear: 5, tanh]",)

    layers: Layers = Field(kw_only=False)
    """The layers in the order in which they are applied."""

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Build each layer once, for the output shape of the layer before it."""
        tree: dict[str, ParameterTree] = {}
        shape = input_shape
        for i, layer in enumerate(self.layers):
            try:
                shape, tree[str(i)] = built(layer, shape)
            except ShapeError as error:
                raise error.within(i) from None
        return shape, tree

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Apply the layers in order."""
        backwards = []
        for layer, views in zip(self.layers, p, strict=True):
            x, layer_backward = layer.forward(views, x, context)
            backwards.append(layer_backward)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            inner = tuple(g)
            # Without dx, the pass ends at the first layer that has parameters.
            lowest = 0 if need_dx else next((i for i, views in enumerate(inner) if views), len(inner))
            for i in range(len(inner) - 1, lowest - 1, -1):
                dy = backwards[i](dy, inner[i], need_dx or i > lowest)
            return dy

        return x, backward

    def operations(self, p: Views, x: Value) -> Value:
        """Return the layers applied in order."""
        for i, (layer, views) in enumerate(zip(self.layers, p, strict=True), 1):
            with part(f"layer {i}: {layer.describe()}"):
                x = layer.operations(views, x)
        return x

    @property
    def final(self) -> Layer:
        """The final layer of the last layer that is not an identity."""
        return self.layers[self._last].final

    def with_final(self, layer: Layer) -> Layer:
        """Return a copy with that final layer replaced."""
        layers = list(self.layers)
        layers[self._last] = layers[self._last].with_final(layer)
        return self.model_copy(update={"layers": tuple(layers)})

    @property
    def _last(self) -> int:
        return max((i for i, layer in enumerate(self.layers) if not isinstance(layer, Identity)), default=-1)

    def describe(self) -> str:
        """Return the layers joined by arrows."""
        return " -> ".join(layer.describe() for layer in self.layers)
