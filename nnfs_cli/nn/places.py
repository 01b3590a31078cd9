"""The places of layers in a net: all of them, a copy in which each layer knows its own, and the shapes at each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from nnfs_cli.arrays import Shape
from nnfs_cli.nn.layers.base import Layer
from nnfs_cli.nn.parameters import ParameterTree

SomeLayer = TypeVar("SomeLayer", bound=Layer)


class BuiltLayer(NamedTuple):
    """A layer at its place in a net, with the shapes of an input row and an output row, and its parameters."""

    path: str
    layer: Layer
    input_shape: Shape
    output_shape: Shape
    tree: ParameterTree


def copied(layer: SomeLayer, prepare: Callable[[str, Layer, Layer], None], path: str = "") -> SomeLayer:
    """Return a copy of a layer in which `prepare(path, layer, copy)` was called for all layers, inner ones first.

    `path` is the place in the config: ``layers.0``, ``layers.2.layers.1``, ``layers.1.activation``, ``embedding``. The
    outermost layer is prepared only if it has a path.
    """
    update: dict[str, Any] = {}
    for name in type(layer).model_fields:
        place = f"{path}.{name}" if path else name
        match getattr(layer, name):
            case Layer() as inner:
                update[name] = copied(inner, prepare, place)
            case tuple() as several if any(isinstance(one, Layer) for one in several):
                update[name] = tuple(
                    copied(one, prepare, f"{place}.{i}") if isinstance(one, Layer) else one
                    for i, one in enumerate(several)
                )
    copy = layer.model_copy(update=update)
    if path:
        prepare(path, layer, copy)
    return copy


def layers_within(path: str, setting: object) -> Iterator[tuple[str, Layer]]:
    """Yield the layers that a setting holds at any depth, each with its place and before those inside it.

    `path` is the place of the setting itself, as in ``layers_within("layers", config.layers)``.
    """
    if isinstance(setting, Layer):
        yield path, setting
        for name in type(setting).model_fields:
            yield from layers_within(f"{path}.{name}", getattr(setting, name))
    elif isinstance(setting, tuple):
        for i, one in enumerate(setting):
            yield from layers_within(f"{path}.{i}", one)


def built_layers(net: Layer, input_shape: Shape) -> list[BuiltLayer]:
    """Return the layers inside a net at any depth, each before those inside it, as they are built for such rows.

    Raises `ShapeError` if the layers do not fit together.
    """
    found: dict[str, BuiltLayer] = {}

    def record(path: str, layer: Layer, copy: Layer) -> None:
        build = copy.build

        def recorded(shape: Shape) -> tuple[Shape, ParameterTree]:
            found[path] = BuiltLayer(path, layer, shape, (), {})  # keeps its place before the layers inside it
            output_shape, tree = build(shape)
            found[path] = BuiltLayer(path, layer, shape, output_shape, tree)
            return output_shape, tree

        vars(copy)["build"] = recorded

    copied(net, record).build(input_shape)
    return [*found.values()]
