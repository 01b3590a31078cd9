"""How far rounding alone may move the predictions of a net that computes in float32.

Every number that the net computes is moved at random by as much as rounding may move it, several times over. Where
predictions scatter much, as for cells far outside, two correct implementations differ by as much.
Source: Parker, "Monte Carlo Arithmetic: Exploiting Randomness in Floating-Point Arithmetic" (1997).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value

DRAWS = 5
UNIT = float(np.finfo(np.float32).eps)
EXACT = ("constant", "cast", "take", "concatenate", "reshape", "transpose")  # operations that round nothing, or alike


def rounding_errors(pipeline: Pipeline, cells: Mapping[str, Array], seed: int = 0) -> dict[str, Array]:
    """Return by how much rounding in float32 may move each output that is a number, (rows,), by name."""
    rng = np.random.default_rng(seed)

    def moved(value: Value, found: Array) -> Array:
        if value.dtype != "float32" or value.operation in EXACT:
            return found
        return (found * (1 + UNIT * rng.uniform(-1, 1, found.shape))).astype(np.float32)

    exact, _ = evaluate(pipeline, cells)
    numbers = {name: column for name, column in exact.items() if column.dtype.kind == "f"}
    errors = {name: np.zeros(len(column)) for name, column in numbers.items()}
    for _ in range(DRAWS):
        drawn, _ = evaluate(pipeline, cells, moved)
        with np.errstate(invalid="ignore", over="ignore"):
            for name, column in numbers.items():
                difference = np.abs(drawn[name].astype(np.float64) - column.astype(np.float64))
                errors[name] = np.fmax(errors[name], difference)
    return errors


def overflowing(pipeline: Pipeline, cells: Mapping[str, Array]) -> Array:
    """Return for which rows, (rows,), a number inside the net is too large for float32."""
    rows = np.zeros(len(next(iter(cells.values()))), bool)

    def noted(value: Value, found: Array) -> Array:
        if value.dtype == "float32" and not value.is_constant:
            at = 1 if value.members else 0
            infinite = np.isinf(np.moveaxis(found, at, 0)).reshape(found.shape[at], -1).any(axis=1)
            rows[...] |= infinite
        return found

    evaluate(pipeline, cells, noted)
    return rows
