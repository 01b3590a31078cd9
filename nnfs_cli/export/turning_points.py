"""The numbers at which a model begins to decide otherwise: at thresholds of trees, edges of bins, and bounds.

A wrong threshold shows only in rows between it and the right one, and < instead of <= only in rows that lie on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.evaluate import compute
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value

COLUMNS, POINTS = 20, 200  # at most: columns, and turning points of a column
STEPS = 70  # of a bisection, after which two neighbours in float64 are left
EXACT = {  # operations that return the same bits everywhere
    *("add", "subtract", "multiply", "divide", "negative", "absolute", "minimum", "maximum", "where", "cast", "take"),
    *("less", "less_equal", "equal", "logical_and", "logical_or", "logical_not", "is_nan", "is_finite", "concatenate"),
    *("reshape", "transpose", "count_below", "rows_of", "column"),
}


class Decision(NamedTuple):
    """A value (features,) that is compared with thresholds: entries of it, and what each is compared with."""

    value: Value
    entries: Array
    thresholds: Array


def turning_points(
    pipeline: Pipeline, cells: Mapping[str, Array], ranges: Mapping[str, tuple[float, float]], rng: Any
) -> dict[str, Array]:
    """Return by column the numbers on both sides of some turning points, each (2 * points,), sorted.

    `cells` are those of one row. `ranges` says for columns of numbers between which numbers to look. A column is left
    out if it has no turning points, or if what is compared is rounded differently by different programs.
    """
    decisions = [*_decisions(pipeline)]
    names = [*ranges] if len(ranges) <= COLUMNS else rng.choice([*ranges], COLUMNS, replace=False).tolist()
    found = {name: _of_column(pipeline, name, decisions, cells, ranges[name], rng) for name in names}
    return {name: points for name, points in found.items() if len(points)}


def _decisions(pipeline: Pipeline) -> Iterator[Decision]:
    for value in pipeline.operations:
        if value.operation == "tree_sums":
            inner = np.flatnonzero(value.settings["left"] != np.arange(len(value.settings["left"])))
            yield Decision(value.inputs[0], value.settings["feature"][inner], value.settings["threshold"][inner])
        elif value.operation in ("less", "less_equal", "minimum", "maximum", "count_below"):
            first, second = value.inputs
            one, other = (second, first) if first.is_constant else (first, second)
            if other.is_constant and not other.members and not one.members and len(one.features) == 1:
                knots = other.array.reshape(-1)
                if value.operation == "count_below" or len(knots) != one.width:
                    entries, knots = np.repeat(np.arange(one.width), len(knots)), np.tile(knots, one.width)
                else:
                    entries = np.arange(one.width)
                yield Decision(one, entries, knots)


def _of_column(
    pipeline: Pipeline,
    name: str,
    decisions: Sequence[Decision],
    cells: Mapping[str, Array],
    between: tuple[float, float],
    rng: Any,
) -> Array:
    column = pipeline.columns[name]
    moving = _that_need(pipeline, column)
    ends = np.array(between)
    points = []
    for value, entries, thresholds in decisions:
        order = Pipeline(pipeline.columns, {"": value}, value).operations
        mine = [one for one in order if id(one) in moving]
        if id(value) not in moving or not all(one.operation in EXACT for one in mine):
            continue
        still = _computed([one for one in order if id(one) not in moving], cells, {})
        at = _computed(mine, {**cells, name: ends}, still)[id(value)]
        crossed = ((at[0, entries] > thresholds) != (at[-1, entries] > thresholds)) & np.isfinite(thresholds)
        chosen = np.unique(np.stack([entries[crossed], thresholds[crossed]]), axis=1)
        chosen = chosen[:, rng.permutation(chosen.shape[1])[:POINTS]]
        which, limits = chosen[0].astype(int), chosen[1]
        low, high = np.full(len(limits), ends[0]), np.full(len(limits), ends[1])
        first = at[0, which] > limits
        for _ in range(STEPS):
            middle = low + (high - low) / 2
            there = _computed(mine, {**cells, name: middle}, still)[id(value)][np.arange(len(limits)), which]
            same = (there > limits) == first
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        points += [low, high]
    return np.unique(np.concatenate(points)) if points else np.array([])


def _that_need(pipeline: Pipeline, column: Value) -> set[int]:
    """Return the ids of the values that are computed from a column."""
    found = {id(column)}
    for value in pipeline.operations:
        if any(id(one) in found for one in value.inputs):
            found.add(id(value))
    return found


def _computed(order: Sequence[Value], cells: Mapping[str, Array], known: Mapping[int, Array]) -> dict[int, Array]:
    """Return the known arrays, and those of more values, by id."""
    found = dict(known)
    with np.errstate(all="ignore"):
        for value in order:
            if value.operation == "column":
                found[id(value)] = cells[value.settings["name"]][:, None]
            else:
                found[id(value)] = compute(value, [found[id(one)] for one in value.inputs])
    return found
