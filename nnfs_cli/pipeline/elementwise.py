"""Operations entry by entry: arithmetic, functions, comparisons and choices.

Every function takes values of a pipeline, or plain numbers and arrays, which become constants, and returns a value.
Shapes broadcast as in NumPy, member by member and row by row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnfs_cli.pipeline.value import DType, Operand, Value, aligned, common, number_type

# The operations with the NumPy function that each stands for. Comparisons and logic return "bool", `floor_divide` and
# `remainder` are for whole numbers and round down, and `sign_of(a, b)` is |a| with the sign of b.
UNARY: dict[str, Callable[..., object]] = {
    "negative": np.negative,
    "absolute": np.absolute,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "is_nan": np.isnan,
    "is_finite": np.isfinite,
    "logical_not": np.logical_not,
}
# Φ, the distribution function of the standard normal distribution, its inverse, and erf, which SciPy computes.
SPECIAL = ("erf", "normal_cdf", "normal_quantile")
BINARY: dict[str, Callable[..., object]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "sign_of": np.copysign,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "less": np.less,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
}
TRUTHS = frozenset({"is_nan", "is_finite", "logical_not", "less", "less_equal", "equal", "logical_and", "logical_or"})


def _entrywise(operation: str, *operands: Operand) -> Value:
    dtype = number_type(operands)
    values = aligned(operands, dtype)
    features, members = common(values)
    return Value(operation, values, "bool" if operation in TRUTHS else dtype, features, members)


def negative(x: Operand) -> Value:
    """Return -x."""
    return _entrywise("negative", x)


def absolute(x: Operand) -> Value:
    """Return |x|."""
    return _entrywise("absolute", x)


def exp(x: Operand) -> Value:
    """Return e to the power x."""
    return _entrywise("exp", x)


def expm1(x: Operand) -> Value:
    """Return exp(x) - 1, exact for small x."""
    return _entrywise("expm1", x)


def log(x: Operand) -> Value:
    """Return the natural logarithm of x."""
    return _entrywise("log", x)


def log1p(x: Operand) -> Value:
    """Return ln(1 + x), exact for small x."""
    return _entrywise("log1p", x)


def sqrt(x: Operand) -> Value:
    """Return the square root of x."""
    return _entrywise("sqrt", x)


def sin(x: Operand) -> Value:
    """Return the sine of x in radians."""
    return _entrywise("sin", x)


def cos(x: Operand) -> Value:
    """Return the cosine of x in radians."""
    return _entrywise("cos", x)


def tanh(x: Operand) -> Value:
    """Return the hyperbolic tangent of x."""
    return _entrywise("tanh", x)


def erf(x: Operand) -> Value:
    """Return the error function of x."""
    return _entrywise("erf", x)


def normal_cdf(x: Operand) -> Value:
    """Return Φ(x), the probability that a standard normal number is at most x."""
    return _entrywise("normal_cdf", x)


def normal_quantile(p: Operand) -> Value:
    """Return Φ⁻¹(p) for probabilities p within (0, 1)."""
    return _entrywise("normal_quantile", p)


def is_nan(x: Operand) -> Value:
    """Return whether x is NaN, as an empty cell of a column of numbers is."""
    return _entrywise("is_nan", x)


def is_finite(x: Operand) -> Value:
    """Return whether x is neither NaN nor infinite."""
    return _entrywise("is_finite", x)


def logical_not(x: Operand) -> Value:
    """Return whether x is false."""
    return _entrywise("logical_not", x)


def add(a: Operand, b: Operand) -> Value:
    """Return a + b."""
    return _entrywise("add", a, b)


def subtract(a: Operand, b: Operand) -> Value:
    """Return a - b."""
    return _entrywise("subtract", a, b)


def multiply(a: Operand, b: Operand) -> Value:
    """Return a · b."""
    return _entrywise("multiply", a, b)


def divide(a: Operand, b: Operand) -> Value:
    """Return a / b."""
    return _entrywise("divide", a, b)


def power(a: Operand, b: Operand) -> Value:
    """Return a to the power b, for a of 0 or more."""
    return _entrywise("power", a, b)


def minimum(a: Operand, b: Operand) -> Value:
    """Return the smaller number, or NaN if one is NaN."""
    return _entrywise("minimum", a, b)


def maximum(a: Operand, b: Operand) -> Value:
    """Return the larger number, or NaN if one is NaN."""
    return _entrywise("maximum", a, b)


def clip(x: Operand, low: Operand, high: Operand) -> Value:
    """Return min(max(x, low), high)."""
    return minimum(maximum(x, low), high)


def sign_of(a: Operand, b: Operand) -> Value:
    """Return |a| with the sign of b."""
    return _entrywise("sign_of", a, b)


def floor_divide(a: Operand, b: Operand) -> Value:
    """Return the largest whole number that is at most a / b, for whole numbers a and b > 0."""
    return _entrywise("floor_divide", a, b)


def remainder(a: Operand, b: Operand) -> Value:
    """Return a - b · floor_divide(a, b), for whole numbers a and b > 0."""
    return _entrywise("remainder", a, b)


def less(a: Operand, b: Operand) -> Value:
    """Return whether a < b."""
    return _entrywise("less", a, b)


def less_equal(a: Operand, b: Operand) -> Value:
    """Return whether a <= b."""
    return _entrywise("less_equal", a, b)


def equal(a: Operand, b: Operand) -> Value:
    """Return whether a = b, for numbers."""
    return _entrywise("equal", a, b)


def logical_and(a: Operand, b: Operand) -> Value:
    """Return whether both are true."""
    return _entrywise("logical_and", a, b)


def logical_or(a: Operand, b: Operand) -> Value:
    """Return whether one or both are true."""
    return _entrywise("logical_or", a, b)


def where(condition: Value, a: Operand, b: Operand) -> Value:
    """Return a where the condition, of the type "bool", is true, and b elsewhere."""
    a, b = aligned((a, b))
    condition, a, b = aligned((condition, a, b))
    dtype = number_type((a, b))
    features, members = common((condition, a, b))
    return Value("where", (condition, cast(a, dtype), cast(b, dtype)), dtype, features, members)


def cast(x: Value, dtype: DType) -> Value:
    """Return x in another type; as whole numbers, the part after the point is cut off."""
    return x if x.dtype == dtype else Value("cast", (x,), dtype, x.features, x.members)


def sigmoid(x: Value) -> Value:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return Value("sigmoid", (x,), x.dtype, x.features, x.members)
