"""Check the arrays that a `Sequential` learns from: inputs, targets and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.api.nets.tables import ESTIMATORS
from nnfs_cli.arrays import Array
from nnfs_cli.errors import DataError
from nnfs_cli.nn.losses import Loss
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.wording import counted


def net_rows(X: Array, y: Any, sample_weight: Any, loss: Loss, n_outputs: int, where: str = "") -> EncodedRows:
    """Return rows for a net with this loss, without those of weight 0.

    X (rows, n_features) comes from `net_inputs`; y is (rows,) of class indices, or (rows,) or (rows, targets) of
    numbers; `sample_weight` is (rows,) or None. `where` is put before the names in messages. Raises `DataError`.
    """
    targets = class_indices if loss.task == "classification" else target_numbers
    truth, n_rows = targets(y, loss, n_outputs, f"{where}y"), len(X)
    if len(truth) != n_rows:
        raise DataError(f"{where}X has {counted(n_rows, 'row')}, and {where}y has {len(truth):,}")
    if not n_rows:
        raise DataError(f"{where}X has no rows")
    weight = None if sample_weight is None else row_weights(sample_weight, n_rows, X.dtype, f"{where}sample_weight")
    encoded = _within(loss.encode(truth, n_outputs), X.dtype, f"{where}y")
    return EncodedRows(X, encoded, truth, weight).with_weight()


def net_inputs(X: Any, dtype: np.dtype[Any], name: str = "X", n_features: int | None = None) -> Array:
    """Return inputs (rows, n_features) in the net's dtype. Raises `DataError` unless they are finite numbers.

    `n_features` is the number that the net takes, if it is known.
    """
    array = _numbers(X, name, f"; {ESTIMATORS}")
    if array.ndim != 2 or array.shape[1] == 0:
        is_row = array.shape == (n_features,) and n_features != 1
        shape = "reshape(1, -1) makes one row" if is_row else "reshape(-1, 1) makes one column"
        hint = f"; {name}.{shape} of it" if array.ndim == 1 else ""
        raise DataError(f"{name} should have the shape (rows, n_features), found {array.shape}{hint}")
    return _within(array, dtype, name)


def class_indices(y: Any, loss: Loss, n_outputs: int, name: str = "y") -> Array:
    """Return class indices (rows,), whole numbers from 0 to the number of classes minus 1. Raises `DataError`."""
    n_classes = loss.n_classes(n_outputs)
    net = f"a net with {counted(n_outputs, 'output')}"
    expected = f"for {net}, {loss.name} needs the index of each row's class, from 0 to {n_classes - 1}"
    array = _numbers(y, name, f"; {expected}. NetClassifier takes labels of any kind")
    if array.ndim != 1:
        hints = {n_classes: f"; {name}.argmax(axis=1) gives the index", 1: f"; {name}.ravel() makes one axis of it"}
        indices = hints.get(array.shape[1], "") if array.ndim == 2 else ""
        raise DataError(f"{name} should have the shape (rows,), found {array.shape}; {expected}{indices}")
    wrong = ~np.isin(array, np.arange(n_classes))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(f"{name}[{at}] is {array[at]:g}; {expected}")
    return array.astype(np.intp)


def target_numbers(y: Any, loss: Loss, n_outputs: int, name: str = "y") -> Array:
    """Return targets (rows, targets) in float64 for a net with this many outputs. Raises `DataError`."""
    given = _numbers(y, name, f"; {loss.name} needs numbers")
    array = (given[:, None] if given.ndim == 1 else given).astype(np.float64)
    n_targets = n_outputs // loss.n_outputs(None, 1)
    if array.ndim != 2 or array.shape[1] != n_targets:
        shape = "(rows,) or (rows, 1)" if n_targets == 1 else f"(rows, {n_targets})"
        raise DataError(
            f"{name} should have the shape {shape}, found {given.shape}; the net has {counted(n_outputs, 'output')}"
        )
    low, high = loss.target_range or (-np.inf, np.inf)
    above = f"numbers of {low:g} or more" if high == np.inf else f"numbers from {low:g} to {high:g}"
    expected = "finite numbers" if low == -np.inf else above
    wrong = ~((array >= low) & (array <= high) & np.isfinite(array))
    _refuse(wrong.reshape(given.shape), given, name, f"{loss.name} needs {expected}")
    return np.ascontiguousarray(array)


def row_weights(weight: Any, n_rows: int, dtype: np.dtype[Any], name: str = "sample_weight") -> Array:
    """Return weights (rows,), 0 or more and not all 0, in the net's dtype. Raises `DataError`."""
    array = _numbers(weight, name, "")
    if array.shape != (n_rows,):
        raise DataError(f"{name} should have the shape ({n_rows},), found {array.shape}")
    _refuse(array < 0, array, name, "a weight is 0 or more")
    if not array.any():
        raise DataError(f"{name} is 0 for every row, so no row is left")
    return _within(array, dtype, name)


def _numbers(values: Any, name: str, hint: str) -> Array:
    """Return values as an array of numbers, or raise `DataError`."""
    if np.ma.is_masked(values):
        raise DataError(f"{name} has masked entries, which are gaps; fill them, as {name}.filled(0) does")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} cannot be an array: {error}") from None
    if array.dtype.kind not in "buif" or array.ndim == 0:
        found = "texts" if array.dtype.kind in "SUT" else f"{type(values).__name__} of {array.dtype}"
        raise DataError(f"{name} should be an array of numbers, found {found}{hint}")
    return array


def _within(array: Array, dtype: np.dtype[Any], name: str) -> Array:
    """Return an array in another dtype, contiguous, or raise `DataError` for an entry that is not finite in it."""
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype)
    _refuse(~np.isfinite(converted), array, name, f"expected finite numbers within the range of {np.dtype(dtype)}")
    return converted


def _refuse(wrong: Array, array: Array, name: str, expected: str) -> None:
    """Raise `DataError` for the first wrong entry, if there is one."""
    if wrong.any():
        place = tuple(map(int, np.argwhere(wrong)[0]))
        at = ", ".join(map(str, place))
        raise DataError(f"{name}[{at}] is {array[place]:g}; {expected}")
