"""One flat vector holds every parameter of a net; layers see named views into it.

So an optimizer, a copy of the best weights or a checkpoint is a few operations on one array, however many layers there
are. A second vector holds the gradients. Within a vector come first the parameters that weight decay pulls to zero,
then the others that are learned, then what is only kept, such as running statistics: each a slice from the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Union

import numpy as np

from nnfs_cli.arrays import Array, Shape

MOST = 1 << 56  # parameters that NumPy could count the bytes of


class Draw(Protocol):
    """What fills an array when a net is new: an initializer."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return values of this shape."""


class ParameterSpec(NamedTuple):
    """What a layer asks for: an array of this shape, filled by this initializer.

    `fan_in` and `fan_out` are the numbers of connections into and out of a unit, which initializers scale by. Weights
    decay, and `l1` and `l2` are penalties of their own, in place of the run's; biases and the like do not decay, and
    what is not learned has no gradient.
    """

    shape: Shape
    init: Draw
    fan_in: int
    fan_out: int
    decays: bool = False
    learned: bool = True
    l1: float | None = None
    l2: float | None = None


# What a layer builds: its parameters by name, and those of the layers inside it one level down.
ParameterTree = Mapping[str, Union[ParameterSpec, "ParameterTree"]]


class Views:
    """The arrays of one layer by name, as attributes; iterating gives the views of the layers inside it.

    An assignment to a name raises, for it would not reach the vector. Write into the array: ``g.weight[...] = dw``.
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
        """Whether there is any array in here or further inside."""
        return bool(self._any)


class Layout:
    """Where each parameter of a tree lies in a flat vector (size,): the weights, a copy, or, up to `learned`, a moment.

    The first `decayed` numbers are those that weight decay pulls to zero, the first `learned` those that have a
    gradient. A vector may have axes before its last one, such as (members, size); its arrays then have them too.
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
        """The vector's parts by full name, such as ``0.weight``. They are views: writing into one writes the vector.

        A vector of the learned part only gives only those.
        """
        return {
            name: vector[..., self.slices[name]].reshape((*vector.shape[:-1], *spec.shape))
            for name, spec in self.specs.items()
            if self.slices[name].stop <= vector.shape[-1]
        }

    def views(self, vector: Array) -> Views:
        """The same as the layers see it, nested like the tree."""
        return _nest(self.tree, self.arrays(vector), "")


class Parameters:
    """A flat vector with its layout: `vector` (size,), `views` as a layer sees them, `arrays` by full name.

    `learned` and `decayed` are the parts of it that are so. With `gradients` there is nothing but the learned part.
    With `members` all of them have such an axis before the others: `vector` (members, size).
    """

    def __init__(
        self, tree: ParameterTree, dtype: np.dtype[Any] | type | str, *, gradients: bool = False, members: int = 0
    ) -> None:
        self.layout = Layout(tree)
        size = self.layout.learned if gradients else self.layout.size
        if size * max(members, 1) > MOST:
            raise MemoryError
        self.vector: Array = np.zeros((members, size) if members else size, dtype)
        self.learned = self.vector[..., : self.layout.learned]
        self.decayed = self.vector[..., : self.layout.decayed]
        self.arrays = self.layout.arrays(self.vector)
        self.views = self.layout.views(self.vector)

    def initialize(self, *rngs: Any) -> None:
        """Fill every array by its initializer, in the order of the layers, from a random stream for each member."""
        for name, spec in self.layout.specs.items():
            arrays = self.arrays[name] if self.vector.ndim > 1 else [self.arrays[name]]
            for array, rng in zip(arrays, rngs, strict=True):
                array[...] = spec.init.draw(rng, spec.shape, spec.fan_in, spec.fan_out)


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
