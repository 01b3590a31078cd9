"""Kernels: loops over numbers, written as Python functions that Numba can compile.

The first two parameters of a kernel, `lo` and `hi`, are the range of the axis along which it works: entries, rows or
columns. Different ranges write to different numbers, so the axis can be cut into any pieces with the same result.
The other parameters are annotated by what they are: `Floats`, `Doubles`, `Ints` and `Ints32` are flat arrays, and
`int` and `float` are numbers. Indices are from 0, and no array overlaps another one that the kernel writes: compiled
loops test neither, which makes them several times as fast.

A kernel allocates nothing, raises nothing and calls nothing but `device` functions. Called from Python it runs as it
is written, slowly, in double precision.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from nnfs_cli.arrays import Array

Floats = Array  # a flat array of the net's dtype
Ints = Array  # a flat array of int64
Ints32 = Array  # a flat array of int32
Doubles = Array  # a flat array of float64, whatever the net's dtype

# Stand for what is known when a kernel is compiled: the net's dtype, and whether it is float32.
real = np.float64
SINGLE = False

P = ParamSpec("P")
R = TypeVar("R")

KINDS = {"Floats": "f*", "Ints": "i*", "Ints32": "j*", "Doubles": "d*", "int": "i", "float": "f"}


class Device(Generic[P, R]):
    """A function that kernels call. If it adds in `any_order`, sums are made of parts that lie side by side."""

    def __init__(self, function: Callable[P, R], any_order: bool = False) -> None:
        self.function: Any = function
        self.any_order = any_order
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        """Run as written."""
        result: R = self.function(*arguments, **named)
        return result

    def read(self) -> dict[str, Any]:
        """Return the global values that the function names, by their names."""
        known = self.function.__globals__
        return {name: known[name] for name in self.function.__code__.co_names if name in known}

    def called(self) -> dict[Device[..., Any], None]:
        """Return this function and all device functions that it calls, in the order of their first calls."""
        found: dict[Device[..., Any], None] = {}
        waiting: list[Any] = [self]
        while waiting:
            device = waiting.pop()
            if device not in found:
                found[device] = None
                waiting += [value for value in device.read().values() if isinstance(value, Device)][::-1]
        return found


class Kernel(Device[..., None]):
    """A loop that can be compiled. `kinds` has a letter for each parameter after lo and hi, see `KINDS`."""

    def __init__(self, function: Callable[..., None]) -> None:
        super().__init__(function)
        lo, hi, *operands = [name for name in function.__annotations__ if name != "return"]
        if (lo, hi) != ("lo", "hi"):
            raise TypeError(f"the first two parameters of the kernel {self.function.__name__} should be lo and hi")
        self.kinds: tuple[str, ...] = tuple(KINDS[function.__annotations__[name]] for name in operands)


device = Device
kernel = Kernel


def summing(function: Callable[P, R]) -> Device[P, R]:
    """Declare a device function whose sums are several times as fast in an order that the processor prefers.

    On one machine it is always the same order.
    """
    return Device(function, any_order=True)
