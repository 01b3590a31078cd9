"""Where the values of a row lie: in constants, in single variables, and in arrays that take turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nnfs_cli.export.c.text import SHORT
from nnfs_cli.pipeline.value import DType, Value

SIZES: dict[DType, int] = {"float64": 8, "float32": 4, "int64": 8, "bool": 1}


def shape_of(value: Value) -> tuple[int, ...]:
    """Return the shape (members, *features) of a value, with 1 for no axis of members."""
    return (max(value.members, 1), *value.features)


def size_of(value: Value) -> int:
    """Return how many numbers a value has in a row."""
    return math.prod(shape_of(value))


@dataclass(frozen=True)
class Place:
    """Where a value lies: the array `name` in row-major order, or the expression `name` of one number."""

    name: str
    dtype: DType
    single: bool = False

    def at(self, index: str) -> str:
        """Return the expression of the number with an index, which is an expression itself."""
        return self.name if self.single else f"{self.name}[{index}]"

    def address(self, index: str = "0") -> str:
        """Return the expression of the address of the number with an index."""
        return f"&{self.name}" if self.single else self.name if index == "0" else f"&{self.name}[{index}]"


@dataclass
class Buffers:
    """Arrays on the stack, each of which holds one value after another."""

    sizes: dict[str, int] = field(default_factory=dict)
    types: dict[str, DType] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)

    def take(self, dtype: DType, size: int) -> str:
        """Return the name of a free array that has, or will have, room for so many numbers."""
        fitting = [name for name in self.free if self.types[name] == dtype]
        if fitting:
            name = min(fitting, key=lambda one: (self.sizes[one] < size, abs(self.sizes[one] - size)))
            self.free.remove(name)
        else:
            name = f"{SHORT[dtype]}_{sum(one == dtype for one in self.types.values())}"
            self.types[name] = dtype
        self.sizes[name] = max(self.sizes.get(name, 0), size)
        return name

    def give_back(self, name: str) -> None:
        """Free an array."""
        self.free.append(name)

    @property
    def n_bytes(self) -> int:
        """The bytes of all arrays together."""
        return sum(size * SIZES[self.types[name]] for name, size in self.sizes.items())


def last_uses(operations: Sequence[Value]) -> dict[int, int]:
    """Return the index of the last operation that reads each value, by the id of the value."""
    return {id(one): at for at, value in enumerate(operations) for one in value.inputs}


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Return how far apart neighbours on each axis of a shape lie; 0 on an axis of length 1, which broadcasts."""
    steps, step = [], 1
    for length in reversed(shape):
        steps.append(step if length > 1 else 0)
        step *= length
    return tuple(reversed(steps))


@dataclass(frozen=True)
class Walk:
    """A walk through an array: how far it goes on each axis, from which number on."""

    place: Place
    steps: tuple[int, ...]
    start: int = 0


def loops(shape: Sequence[int], walks: Sequence[Walk]) -> tuple[list[tuple[str, int]], list[str]]:
    """Return the variables of nested loops with their ends, and the expression of each walk inside of them.

    Axes through which all walks go evenly become one.
    """
    lengths, steps = _merged(shape, [walk.steps for walk in walks])
    variables = list(zip("ijklmnpq", lengths, strict=False))
    expressions = []
    for walk, own in zip(walks, steps, strict=True):
        terms = [
            variable if step == 1 else f"{variable} * {step}"
            for (variable, _), step in zip(variables, own, strict=True)
            if step
        ]
        if walk.start or not terms:
            terms.append(str(walk.start))
        index = " + ".join(f"({term})" if "*" in term and len(terms) > 1 else term for term in terms)
        expressions.append(walk.place.at(index))
    return variables, expressions


def _merged(shape: Sequence[int], steps: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    lengths: list[int] = []
    found: list[list[int]] = [[] for _ in steps]
    for axis, length in enumerate(shape):
        if length == 1:
            continue
        if lengths and all(own[-1] == length * one[axis] for own, one in zip(found, steps, strict=True)):
            lengths[-1] *= length
            for own, one in zip(found, steps, strict=True):
                own[-1] = one[axis]
            continue
        lengths.append(length)
        for own, one in zip(found, steps, strict=True):
            own.append(one[axis])
    return lengths, found


def nested(variables: Sequence[tuple[str, int]], body: Sequence[str]) -> Iterator[str]:
    """Yield the lines of nested loops around others."""
    for depth, (variable, end) in enumerate(variables):
        yield f"{'    ' * depth}for (size_t {variable} = 0; {variable} < {end}; {variable}++) {{"
    for line in body:
        yield "    " * len(variables) + line
    for depth in reversed(range(len(variables))):
        yield "    " * depth + "}"
