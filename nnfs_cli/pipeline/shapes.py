"""Operations on whole axes: products, choices of columns, sums, and other shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.value import DType, Value, constant, number_type


def matmul(x: Value, weight: Value) -> Value:
    """Return x @ weight over the last axis: (..., n), a constant (members?, n, m) -> (..., m)."""
    if not weight.is_constant or len(weight.features) != 2 or weight.features[0] != x.width:
        raise ValueError(f"a product of features {x.features} and {weight.features} is not defined")
    members = x.members or weight.members
    return Value("matmul", (x, weight), number_type((x, weight)), (*x.features[:-1], weight.features[1]), members)


def take(x: Value, indices: Sequence[int] | Array) -> Value:
    """Return some entries of the last axis, by index from 0: (..., n) -> (..., len(indices))."""
    indices = [int(i) for i in indices]
    if indices == [*range(x.width)]:
        return x
    return Value("take", (x,), x.dtype, (*x.features[:-1], len(indices)), x.members, {"indices": tuple(indices)})


def concatenate(values: Sequence[Value]) -> Value:
    """Return values of one type side by side on the last axis. Those without members are repeated for each."""
    values = tuple(value for value in values if value.width) or tuple(values[:1])
    if len(values) == 1:
        return values[0]
    features = (*values[0].features[:-1], sum(value.width for value in values))
    return Value("concatenate", values, number_type(values), features, max(value.members for value in values))


def reshape(x: Value, features: Sequence[int]) -> Value:
    """Return x with other features of the same size, in row-major order."""
    features = tuple(features)
    if math.prod(features) != math.prod(x.features):
        raise ValueError(f"features {x.features} cannot become {features}")
    return x if features == x.features else Value("reshape", (x,), x.dtype, features, x.members)


def transpose(x: Value, axes: Sequence[int]) -> Value:
    """Return x with its feature axes in another order."""
    axes = tuple(axes)
    return Value("transpose", (x,), x.dtype, tuple(x.features[i] for i in axes), x.members, {"axes": axes})


def sum_last(x: Value) -> Value:
    """Return the sum over the last axis, which keeps the length 1: (..., n) -> (..., 1)."""
    return _reduced("sum_last", x)


def max_last(x: Value) -> Value:
    """Return the largest number of the last axis: (..., n) -> (..., 1)."""
    return _reduced("max_last", x)


def min_last(x: Value) -> Value:
    """Return the smallest number of the last axis: (..., n) -> (..., 1)."""
    return _reduced("min_last", x)


def all_last(x: Value) -> Value:
    """Return whether all entries of the last axis are true: (..., n) -> (..., 1)."""
    return _reduced("all_last", x)


def any_last(x: Value) -> Value:
    """Return whether any entry of the last axis is true: (..., n) -> (..., 1)."""
    return _reduced("any_last", x)


def argmax_last(x: Value) -> Value:
    """Return the index of the largest number of the last axis, the first of equals: (..., n) -> (..., 1), "int64"."""
    return _reduced("argmax_last", x, "int64")


def _reduced(operation: str, x: Value, dtype: DType | None = None) -> Value:
    return Value(operation, (x,), dtype or x.dtype, (*x.features[:-1], 1), x.members)


def cumulative_sum(x: Value) -> Value:
    """Return the sums of the entries of the last axis up to each: (..., n) -> (..., n)."""
    return Value("cumulative_sum", (x,), x.dtype, x.features, x.members)


def cumulative_max(x: Value) -> Value:
    """Return the largest of the entries of the last axis up to each: (..., n) -> (..., n)."""
    return Value("cumulative_max", (x,), x.dtype, x.features, x.members)


def sort_last(x: Value) -> Value:
    """Return the entries of the last axis in ascending order: (..., n) -> (..., n)."""
    return Value("sort_last", (x,), x.dtype, x.features, x.members)


def softmax(x: Value) -> Value:
    """Return exp(x) divided by its sum over the last axis, without overflow."""
    return Value("softmax", (x,), x.dtype, x.features, x.members)


def sum_members(x: Value, shares: Array | None = None) -> Value:
    """Return the sum over the members, each times its share (members,), or their mean if there are no shares."""
    if not x.members:
        return x
    shares = None if shares is None else np.asarray(shares, x.dtype)
    return Value("sum_members", (x,), x.dtype, x.features, 0, {"shares": shares})


def rows_of(table: Value, codes: Value) -> Value:
    """Return the row of a constant table (members?, n, width) that each code names: (1,) "int64" -> (width,).

    Codes are from 0 to n - 1.
    """
    if not table.is_constant or codes.features != (1,):
        raise ValueError(f"rows of features {table.features} cannot be looked up by {codes.features}")
    return Value("rows_of", (table, codes), table.dtype, (table.width,), table.members or codes.members)


def count_below(x: Value, knots: Array, or_equal: bool = False) -> Value:
    """Return how many ascending knots (n,) lie below x, or are equal to it: (1,) -> (1,), "int64"; n for NaN."""
    found = constant(np.asarray(knots), x.dtype)
    return Value("count_below", (x, found), "int64", (1,), x.members, {"or_equal": or_equal})
