"""The contract of a layer: settings, the parameters it needs, and a forward pass that returns its own backward pass.

A layer is its declaration and nothing else. Its arrays live in the flat vectors of `parameters.py`, and what a backward
pass needs stays in the closure that `forward` returns, so a layer keeps no state between batches.

Axes are ``(members?, batch, features...)``: mathematics is written for the last axes, and leading axes broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias

import numpy as np
from pydantic import BeforeValidator

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.parameters import Parameters, ParameterSpec, ParameterTree, Views, flat
from nnfs_cli.pipeline.value import Value

# backward(dy, g, need_dx) overwrites the views g with the gradients of the layer's parameters and returns the gradient
# dx of its input. If need_dx is false, nobody uses dx and any array will do: the data need no gradient. It must not
# write to dy, which others may still read.
Backward = Callable[[Array, Views, bool], Array]


class Layer(Component, family="layer"):
    """A differentiable function of a batch, with parameters."""

    needs = ("forward",)
    operations_of: ClassVar[Mapping[str, str]] = {"operations": "forward"}
    __iter__ = None  # type: ignore[assignment]  # else a single layer would count as a list of its settings
    # The range of the outputs if they cannot be all real numbers: (0, 1) marks probabilities.
    output_range: ClassVar[tuple[float, float] | None] = None
    min_batch: ClassVar[int] = 1  # rows that a training step needs at least
    differs_in_training: ClassVar[bool] = False  # whether training and prediction compute different outputs
    preserves_range: ClassVar[bool] = False  # whether predictions are the input numbers, perhaps in another shape
    by_entry: ClassVar[tuple[str, ...]] = ()  # formulas of single entries, see nn/entry_formulas.py

    @property
    def inner(self) -> tuple[Layer, ...]:
        """The layers that are settings of this one, under whatever names."""
        settings = [getattr(self, name) for name in type(self).model_fields]
        values = [value if isinstance(value, tuple) else (value,) for value in settings]
        return tuple(item for value in values for item in value if isinstance(item, Layer))

    def walk(self) -> Iterator[Layer]:
        """Yield the layer itself and all layers inside it, at any depth."""
        yield self
        for layer in self.inner:
            yield from layer.walk()

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        """Return the shape of an output row and the parameters needed, given the shape of an input row.

        This is the only place where sizes are derived. Raises `ShapeError` if the layer cannot take such rows.
        """
        return input_shape, {}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        """Return the output y for the batch x, and the function that returns dx given dy.

        `p` holds the layer's parameters by name. Buffers, random numbers and products come from the context.
        """
        raise NotImplementedError

    def operations(self, p: Views, x: Value) -> Value:
        """Return what the layer computes in prediction as operations of a pipeline, for a value x (*features).

        `p` holds the layer's parameters by name, as constants. See `require_operations` for layers without it.
        """
        raise NotImplementedError

    def named_numbers(self, x: Array, y: Array) -> dict[str, Array | float]:
        """Return the numbers of a batch that `by_entry` names, other than arrays of the pass, parameters and settings.

        x and y are the input and the output of the batch, (batch, ...). Arrays are (batch, ...), or (n,) without rows.
        """
        return {}

    def multiply_adds(self, input_shape: Shape) -> int:
        """Return the number of multiplications that matrix products need for one row, without those of inner layers.

        By default, each entry of a matrix that the layer itself declares counts once for each place on the axes before
        the last one, as in `linear`. Arithmetic entry by entry, as in an activation, is not counted.
        """
        _, tree = self.build(input_shape)
        own = [spec for spec in tree.values() if isinstance(spec, ParameterSpec)]
        entries = sum(math.prod(spec.shape) for spec in own if len(spec.shape) > 1)
        return math.prod(input_shape[:-1]) * entries

    @property
    def final(self) -> Layer:
        """The layer that computes the output: this one, or the last of those inside it."""
        return self

    def with_final(self, layer: Layer) -> Layer:
        """Return a copy with another final layer in the same place; parameters keep their names."""
        return layer

    @property
    def bounding_layer(self) -> Layer:
        """The layer that bounds the outputs: the final one, or the one before layers that preserve its range."""
        if not self.inner or self.final is self:
            return self
        inside = [layer.bounding_layer for layer in self.inner]
        return next((layer for layer in reversed(inside) if not layer.preserves_range), inside[-1])

    @property
    def min_batch_layer(self) -> Layer:
        """The layer with the largest `min_batch`, among this one and all inside it."""
        return max(self.walk(), key=lambda layer: layer.min_batch)

    def __copy__(self) -> Self:
        """Return a copy without what was computed from the settings and cached, as they may differ in the copy."""
        copy = super().__copy__()
        for name in vars(copy).keys() - type(self).model_fields.keys():
            del vars(copy)[name]
        return copy

    def describe(self) -> str:
        """Return the text that stands for the layer in a one-line summary of the net."""
        return self.label()


def built(layer: Layer, input_shape: Shape) -> tuple[Shape, ParameterTree]:
    """Return what `build` of a layer returns. Raises `ShapeError` if a layer of the user's own breaks the contract."""
    result = layer.build(input_shape)
    if layer.is_own():
        match result:
            case tuple() as shape, dict() as tree if all(isinstance(n, int | np.integer) for n in shape):
                wrong = [name for name, spec in tree.items() if not isinstance(spec, ParameterSpec | dict)]
            case _:
                raise ShapeError(f"build of {layer.describe()} should return the shape of an output row and a dict")
        if wrong:
            example = f"{wrong[0]!r}: ParameterSpec(shape, init, fan_in, fan_out)"
            raise ShapeError(f"build of {layer.describe()} should declare each parameter, as in {{{example}}}")
    return result


def copied_parameters(layer: Layer, input_shape: Shape, p: Views, dtype: np.dtype[Any] | type) -> Parameters:
    """Return a copy of the parameters `p` of a layer, in a vector of their own, for rows of this shape."""
    parameters = Parameters(built(layer, input_shape)[1], dtype)
    for name, array in flat(p).items():
        parameters.arrays[name][...] = array
    return parameters


if TYPE_CHECKING:
    Layers: TypeAlias = Sequence[Layer]  # type checkers accept a list as well
else:
    _ALONE = BeforeValidator(lambda value: (value,) if isinstance(value, Layer) else value)  # it needs no list
    Layers = Annotated[tuple[Layer, ...], _ALONE, NotEmpty]


class ShapeError(ValueError):
    """A layer cannot take rows of this shape. `index` gives its place in the layers around it, outermost first."""

    def __init__(self, message: str, index: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.index = message, index

    def within(self, *index: int) -> Self:
        """Put the place of the enclosing layer before this one's, and return the error."""
        self.index = (*index, *self.index)
        return self
