"""The parameters of a net: one flat vector holds them all, and layers see named views into it.

So an optimizer, a copy of the best weights or a checkpoint is a few operations on one array, however many layers there
are. A second vector holds the gradients. A vector begins with the parameters that weight decay pulls to zero; the other
learned parameters follow, then those that are not learned, such as running statistics.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Union

import numpy as np

from nnfs_cli.arrays import Array, Shape, member_axes
from nnfs_cli.pipeline.value import constant

MOST_PARAMETERS = 1 << 56  # NumPy cannot count the bytes of more


class Draw(Protocol):
    """An initializer, as far as a parameter needs it: something that draws the first values of an array."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return values of this shape."""


class ParameterSpec(NamedTuple):
    """A parameter that a layer needs: an array of this shape, filled by this initializer.

    Initializers scale by `fan_in` and `fan_out`, the numbers of connections into and out of a unit. Penalties and
    weight decay act on parameters with `decays`, such as weights but not biases; `l1` and `l2` replace the run's
    penalties on this one. A parameter that is not `learned` has no gradient.

    >>> from nnfs_cli import ParameterSpec
    >>> from nnfs_cli.nn.initializers import Constant
    >>> ParameterSpec((3,), Constant(1.0), fan_in=3, fan_out=3).decays
    False
    """

    shape: Shape
    init: Draw
    fan_in: int
    fan_out: int
    decays: bool = False
    learned: bool = True
    l1: float | None = None
    l2: float | None = None


# The parameters that a layer needs, by name, and a nested tree for each layer inside it; see `Layer.build`.
ParameterTree = Mapping[str, Union[ParameterSpec, "ParameterTree"]]


class Views:
    """The arrays of one layer as attributes; iterating gives the views of the layers inside it.

    Write into an array: ``g.weight[...] = dw``. Assigning to a name raises `AttributeError`, because the vector would
    not see it.
    """

    def __init__(self, items: Mapping[str, Array | Views]) -> None:
        self.__dict__.update(items)
        inner = tuple(item for item in items.values() if isinstance(item, Views))
        self.__dict__["_inner"] = inner
        self.__dict__["_any"] = len(items) > len(inner) or any(inner)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"'{name}' is a view into the flat vector; write into it: views.{name}[...] = value")

    def __iter__(self) -> Iterator[Views]:
        return iter(self._inner)

    def __bool__(self) -> bool:
        """Return whether this layer or any layer inside it has an array."""
        return bool(self._any)


def flat(views: Views, prefix: str = "") -> dict[str, Array]:
    """Return the arrays of a layer and of those inside it, by names such as ``weight`` and ``activation.slope``."""
    arrays: dict[str, Array] = {}
    for name, item in vars(views).items():
        if isinstance(item, Views):
            arrays |= flat(item, f"{prefix}{name}.")
        elif isinstance(item, np.ndarray):
            arrays[prefix + name] = item
    return arrays


def constants(views: Views, members: bool) -> Views:
    """Return the arrays of a layer, and of those inside it, as constants of a pipeline; see `Layer.operations`."""
    items: dict[str, Any] = {}
    for name, item in vars(views).items():
        if isinstance(item, Views):
            items[name] = constants(item, members)
        elif isinstance(item, np.ndarray):
            items[name] = constant(item, members=members, name=name)
    return Views(items)


class ParameterLayout:
    """The slice of each parameter of a tree in a flat vector (size,).

    The first `decayed` entries are pulled to zero by weight decay, and the first `learned` ones have a gradient, so
    that a vector of gradients or moments is (learned,). Axes before the last one, as in (members, size), are axes of
    every array, too.
    """

    def __init__(self, tree: ParameterTree) -> None:
        self.tree = tree
        self.specs: dict[str, ParameterSpec] = dict(_leaves(tree))  # in the order of the layers
        self.slices: dict[str, slice] = {}
        self.size = self.decayed = self.learned = 0
        for name, spec in sorted(self.specs.items(), key=lambda item: (not item[1].learned, not item[1].decays)):
            end = self.size + math.prod(spec.shape)
            self.slices[name] = slice(self.size, end)
            self.size = end
            self.learned = end if spec.learned else self.learned
            self.decayed = end if spec.learned and spec.decays else self.decayed

    def arrays(self, vector: Array) -> dict[str, Array]:
        """Return views into the vector by full name, such as ``0.weight``.

        For a vector of the learned part, these are the learned parameters only.
        """
        return {
            name: vector[..., self.slices[name]].reshape((*vector.shape[:-1], *spec.shape))
            for name, spec in self.specs.items()
            if self.slices[name].stop <= vector.shape[-1]
        }

    def views(self, vector: Array) -> Views:
        """Return views into the vector as the layers see them, nested like the tree."""
        return _nest(self.tree, self.arrays(vector), "")


class Parameters:
    """A flat vector and its layout: `vector` (size,), `views` for the layers, `arrays` by full name.

    `learned` and `decayed` are views of the first part of the vector. With `gradients` there is only the learned part.
    With more than one of `members`, `vector` is (members, size). Raises `MemoryError` if it does not fit in memory.
    """

    def __init__(
        self, tree: ParameterTree, dtype: np.dtype[Any] | type | str, *, gradients: bool = False, members: int = 1
    ) -> None:
        self.layout = ParameterLayout(tree)
        size = self.layout.learned if gradients else self.layout.size
        if size * members > MOST_PARAMETERS:
            raise MemoryError(f"a net of {size * members:,} parameters does not fit in memory")
        self._look_into(np.zeros((*member_axes(members), size), dtype))

    def _look_into(self, vector: Array) -> None:
        self.vector = vector
        self.learned = vector[..., : self.layout.learned]
        self.decayed = vector[..., : self.layout.decayed]
        self.arrays = self.layout.arrays(vector)
        self.views = self.layout.views(vector)

    def __getstate__(self) -> tuple[ParameterLayout, Array]:
        """Copy and pickle the vector only: views would become arrays of their own."""
        return self.layout, self.vector

    def __setstate__(self, state: tuple[ParameterLayout, Array]) -> None:
        """Look into the vector that was copied or pickled."""
        self.layout, vector = state
        self._look_into(vector)

    def over(self, vector: Array) -> Parameters:
        """Return the parameters that another vector (members?, size) holds in the same layout."""
        other: Parameters = object.__new__(type(self))
        other.__setstate__((self.layout, vector))
        return other

    def initialize(self, *rngs: Any) -> None:
        """Fill every array by its initializer, in the order of the layers; `rngs` has one generator for each member."""
        for name, spec in self.layout.specs.items():
            arrays = self.arrays[name] if self.vector.ndim > 1 else [self.arrays[name]]
            for array, rng in zip(arrays, rngs, strict=True):
                array[...] = spec.init.draw(rng, spec.shape, spec.fan_in, spec.fan_out)


def n_numbers(tree: ParameterTree, learned: bool = False) -> int:
    """Return the number of entries of all arrays in a tree, or only of those that are learned."""
    return sum(math.prod(spec.shape) for _, spec in _leaves(tree) if spec.learned or not learned)


def _leaves(tree: ParameterTree, prefix: str = "") -> Iterator[tuple[str, ParameterSpec]]:
    for name, item in tree.items():
        if isinstance(item, ParameterSpec):
            yield prefix + name, item
        else:
            yield from _leaves(item, f"{prefix}{name}.")


def _nest(tree: ParameterTree, arrays: Mapping[str, Array], prefix: str) -> Views:
    items: dict[str, Array | Views] = {}
    for name, item in tree.items():
        full = prefix + name
        if not isinstance(item, ParameterSpec):
            items[name] = _nest(item, arrays, f"{full}.")
        elif full in arrays:
            items[name] = arrays[full]
    return Views(items)
