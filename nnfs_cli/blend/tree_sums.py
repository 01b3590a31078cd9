"""The sums of the values of all leaves that a row reaches.

Rows go down level by level, many rows and trees at once. A small piece of work is done by NumPy. A large one is done by
machine code, if it can be compiled, in about a fifth of the time, and so are smaller ones once there were many. Both
add tree by tree, so the bytes are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import Fitted
from nnfs_cli.errors import UserError
from nnfs_cli.pipeline.elementwise import cast
from nnfs_cli.pipeline.trees import tree_sums
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.helpers import do_together
from nnfs_cli.system.machine_code.entry import Entry, entry
from nnfs_cli.system.machine_code.kernel import Doubles, Floats, Ints, Ints32, kernel
from nnfs_cli.system.machine_code.loader import load, why_not_compile
from nnfs_cli.system.threads import allowed_threads

ROWS = 1_000  # that go through the trees together
AT_ONCE = 50_000  # nodes that rows are at in NumPy, so that they stay in the processor's cache
COMPILED = 100_000_000  # steps from node to node, for which NumPy takes half a second; loading machine code, a tenth
LITTLE = 0.01  # of these steps; with fewer, NumPy is as fast

_done = 0  # steps in this process: much work may come a little at a time


@np.errstate(over="ignore")  # a number that float32 cannot hold is larger than all thresholds
def sums(fitted: Fitted, X: Array, roots: Array, depth: Array) -> Array:
    """Return the sums (sets, rows, outputs), float64, over the rounds of some trees, given by their roots and depths.

    `roots` and `depth` are (sets, rounds, trees of a round). The outputs are the values of the first tree of a round,
    then those of the second, and so on. Several threads share the rows.
    """
    X = np.ascontiguousarray(X, np.float32)
    found = np.zeros((len(roots), len(X), roots.shape[2], fitted["value"].shape[1]))
    add: Callable[[int, int], object] | None = None
    if _is_much(len(X) * int(depth.sum())):
        add = _compiled(fitted, X, roots, depth, found)
    work = add or partial(_add, fitted, X, roots, depth, found)
    starts = range(0, len(X), ROWS)
    lanes = min(max(len(starts), 1), allowed_threads())

    def run(lane: int) -> None:
        for lo in starts[lane::lanes]:
            work(lo, min(lo + ROWS, len(X)))

    if lanes > 1:
        do_together([partial(run, lane) for lane in range(lanes)])
    else:
        run(0)
    return found.reshape(*found.shape[:2], found.shape[2] * found.shape[3])


def sum_operations(fitted: Fitted, X: Value) -> Value:
    """Return the `sums` of all sets, its members, as operations of a pipeline."""
    nodes = (fitted[name] for name in ("feature", "threshold", "left", "value", "roots", "depth"))
    return tree_sums(cast(X, "float32"), *nodes)


def _is_much(steps: int) -> bool:
    """Return whether so many steps, with all before them, are worth machine code."""
    global _done
    _done += steps
    return _done >= COMPILED and steps >= LITTLE * COMPILED


def _add(fitted: Fitted, X: Array, roots: Array, depth: Array, found: Array, lo: int, hi: int) -> None:
    """Write the sums of the rows lo to hi into `found` (sets, rows, trees of a round, values)."""
    total = found[:, lo:hi].swapaxes(1, 2)
    n = max(AT_ONCE // (total.shape[2] * max(total.shape[0] * total.shape[1], 1)), 1)
    for start in range(0, roots.shape[1], n):
        some = slice(start, start + n)
        values = fitted["value"].take(_leaves(fitted, X[lo:hi], roots[:, some], depth[:, some]), axis=0)
        values = values.astype(np.float64)  # (sets, rounds, trees of a round, rows, values)
        values[:, 0] += total
        total[...] = values.cumsum(axis=1)[:, -1]  # unlike `sum`, it always adds one after the other


def _leaves(fitted: Fitted, X: Array, roots: Array, depth: Array) -> Array:
    """Return the leaves (sets, rounds, trees of a round, rows), by index."""
    feature, threshold, left = fitted["feature"], fitted["threshold"], fitted["left"]
    order = depth.argsort(axis=None, kind="stable")[::-1]  # so that those that go on stand in front
    node = roots.reshape(-1).astype(np.intp)[order, None].repeat(len(X), axis=1)
    inputs, first = X.reshape(-1), np.arange(len(X)) * X.shape[1]
    for n in (depth.size - np.bincount(depth.reshape(-1)).cumsum())[:-1].tolist():
        at = node[:n]
        place = feature.take(at, mode="clip")  # all are inside, but with another mode NumPy looks at each
        place = place if len(X) == 1 else place + first
        larger = inputs.take(place, mode="clip") > threshold.take(at, mode="clip")
        np.add(left.take(at, mode="clip"), larger, out=at)
    found = np.empty_like(node)
    found[order] = node
    return found.reshape(*roots.shape, len(X))


def _compiled(fitted: Fitted, X: Array, roots: Array, depth: Array, found: Array) -> Entry | None:
    """Return compiled code that does the work of `_add`; None if nothing can be compiled here."""
    if why_not_compile():
        return None
    try:
        at = load([add_leaves], X.dtype)[add_leaves]
    except UserError:  # as for a NumPy that is newer than this Numba
        return None
    _, n_rows, n_trees, n_values = found.shape
    sets, _, trees = np.indices(roots.shape)
    places = sets * (n_rows * n_trees * n_values) + trees * n_values
    names = "threshold", "value", "feature", "left"
    arrays = [np.ascontiguousarray(array) for array in (*(fitted[name] for name in names), roots, depth, places)]
    sizes = roots.size, n_trees * n_values, n_values, X.shape[1]
    return entry(at, add_leaves, (found, X, *arrays, np.empty(n_rows, np.int32), *sizes), X.dtype)


@kernel
def add_leaves(
    lo: int, hi: int, found: Doubles, x: Floats, threshold: Floats, value: Floats, feature: Ints32, left: Ints32,
    roots: Ints32, depth: Ints32, places: Ints, node: Ints32, trees: int, width: int, n_values: int, n_inputs: int,
) -> None:  # fmt: skip
    """Add the values of the leaves of each tree to `found`, where the first row has its place in `places` (trees,).

    The axis is rows. `width` is the number of outputs, `node` (rows,) is where the rows are.
    """
    for tree in range(trees):
        for i in range(lo, hi):
            node[i] = roots[tree]
        for _ in range(depth[tree]):
            for i in range(lo, hi):
                at = node[i]
                node[i] = left[at] + (x[i * n_inputs + feature[at]] > threshold[at])
        for i in range(lo, hi):
            for j in range(n_values):
                found[places[tree] + i * width + j] += value[node[i] * n_values + j]
