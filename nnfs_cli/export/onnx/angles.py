"""Sine and cosine in float64, which onnxruntime rounds too much near multiples of π/2.

There the trees of a blend would take an angle for another one: sin(π) is 1.2e-16 in NumPy, but 0 in onnxruntime.
"""

from __future__ import annotations

import math

from nnfs_cli.export.onnx.normal import polynomial
from nnfs_cli.pipeline import elementwise as e
from nnfs_cli.pipeline.value import Value

# π/2 as a sum: products of the first two with whole numbers up to a million are exact. Source of all numbers here:
# fdlibm, "Freely Distributable Math Library" (1993), e_rem_pio2.c, k_sin.c and k_cos.c.
QUARTER = (1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624879595063154e-21)
SINE = (
    *(-1.66666666666666324348e-1, 8.33333333332248946124e-3, -1.98412698298579493134e-4),
    *(2.75573137070700676789e-6, -2.50507602534068634195e-8, 1.58969099521155010221e-10),
)
COSINE = (
    *(4.16666666666666019037e-2, -1.38888888888741095749e-3, 2.48015872894767294178e-5),
    *(-2.75573143513906633035e-7, 2.08757232129817482790e-9, -1.13596475577881948265e-11),
)
FAR = 100_000.0  # radians, from which on onnxruntime's functions do


def sin(value: Value, x: Value) -> Value:
    """Compose the sine of an angle."""
    return _near_or_far("Sin", x, 0)


def cos(value: Value, x: Value) -> Value:
    """Compose the cosine of an angle, which is the sine of the angle and a quarter of a turn."""
    return _near_or_far("Cos", x, 1)


def _near_or_far(operator: str, x: Value, quarters: int) -> Value:
    """Return the sine of x and some quarters of a turn, or the value of an ONNX operator for a far angle."""
    near = e.less(e.absolute(x), FAR)
    return e.where(near, _sine(e.where(near, x, 0), quarters), operator_of(operator, x))


def _sine(x: Value, quarters: int) -> Value:
    n = operator_of("Round", e.multiply(x, 2 / math.pi))
    rest = x
    for part in QUARTER:
        rest = e.subtract(rest, e.multiply(n, part))
    square = e.multiply(rest, rest)
    sine = e.add(rest, e.multiply(e.multiply(rest, square), polynomial(SINE, square)))
    fourth = e.multiply(e.multiply(square, square), polynomial(COSINE, square))
    cosine = e.add(e.subtract(1, e.multiply(square, 0.5)), fourth)
    quadrant = e.remainder(e.add(e.cast(n, "int64"), quarters), 4)
    size = e.where(e.equal(e.remainder(quadrant, 2), 0), sine, cosine)
    return e.where(e.less(quadrant, 2), size, e.negative(size))


def operator_of(name: str, x: Value) -> Value:
    """Return what an ONNX operator of a name computes entry by entry."""
    return Value(name, (x,), x.dtype, x.features, x.members)
