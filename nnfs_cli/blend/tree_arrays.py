"""Trees as plain arrays, and the way of rows through them.

All nodes of all trees stand in one list. A row is at one node of every tree, and goes to `left` of it, or to the node
behind that if the row's input `feature` is larger than `threshold`. At a leaf the threshold is infinite, and `left` is
the leaf itself. So as many steps as the deepest tree has lead every row to its leaves, without asking where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import Fitted, require

AT_ONCE = 50_000  # nodes that rows are at, so that they stay in the processor's cache


class Tree(NamedTuple):
    """The nodes of a tree, the root first and both children of a node side by side."""

    feature: Array  # (nodes,) index of an input; 0 at leaves
    threshold: Array  # (nodes,) float32
    left: Array  # (nodes,) index of a node
    value: Array  # (nodes, outputs) float32; 0 but at leaves
    depth: int

    @classmethod
    def of(cls, feature: Array, threshold: Array, left: Array, right: Array, value: Array, leaf: Array) -> Tree:
        """Return a tree from nodes in any order, the root first; a row goes left if its input is <= `threshold`.

        Inputs are float32 numbers, so rounding a threshold down to the next such number changes the way of no row.
        """
        order, depth, level = [0], 0, [0]
        lefts, rights, leaves = left.tolist(), right.tolist(), leaf.tolist()
        while level := [child for node in level if not leaves[node] for child in (lefts[node], rights[node])]:
            order += level
            depth += 1
        place = np.zeros(len(leaf), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        rounded = threshold.astype(np.float32)
        rounded = np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
        return cls(
            np.where(leaf, 0, feature)[order].astype(np.int32),
            np.where(leaf, np.float32(np.inf), rounded)[order],
            place[np.where(leaf, np.arange(len(leaf)), left)][order],
            np.where(leaf[:, None], value, 0)[order].astype(np.float32),
            depth,
        )


def as_arrays(trees: Sequence[Sequence[Sequence[Tree | None]]], inputs: Array, n_values: int = 1) -> dict[str, Array]:
    """Return the nodes of all trees, and their roots (sets, rounds, trees of a round).

    The features of the trees number the `inputs`, which are indices of inputs of the net. The first node is a leaf with
    the value 0, where a tree is None.
    """
    flat = [tree for of_set in trees for of_round in of_set for tree in of_round]
    some = [tree for tree in flat if tree is not None]
    starts = np.cumsum([1, *(len(tree.left) for tree in some)])
    roots = np.zeros(len(flat), np.int32)
    roots[[tree is not None for tree in flat]] = starts[:-1]
    feature, threshold = np.zeros(1, np.int32), np.full(1, np.inf, np.float32)
    left, value = np.zeros(1, np.int32), np.zeros((1, n_values), np.float32)
    return {
        "feature": np.concatenate([feature, *(inputs[tree.feature].astype(np.int32) for tree in some)]),
        "threshold": np.concatenate([threshold, *(tree.threshold for tree in some)]),
        "left": np.concatenate([left, *(tree.left + np.int32(at) for tree, at in zip(some, starts, strict=False))]),
        "value": np.concatenate([value, *(tree.value for tree in some)]),
        "roots": roots.reshape(len(trees), len(trees[0]), -1),
        "depth": np.array([max((tree.depth for tree in some), default=0)]),
    }


def leaves(fitted: Fitted, X: Array, sets: Array) -> Array:
    """Return the leaf of each row in each tree of some sets, (rows, sets, rounds, trees of a round)."""
    roots = fitted["roots"][sets]
    feature, threshold, left = fitted["feature"], fitted["threshold"], fitted["left"]
    found = np.empty((len(X), roots.size), np.int32)
    step = max(AT_ONCE // max(roots.size, 1), 1)
    for start in range(0, len(X), step):
        rows = np.ascontiguousarray(X[start : start + step], np.float32)
        node = np.broadcast_to(roots.reshape(-1), (len(rows), roots.size))
        first = np.arange(len(rows))[:, None] * rows.shape[1]  # where each row begins in the flat list of inputs
        flat = rows.reshape(-1)
        for _ in range(int(fitted["depth"][0])):
            larger = flat.take(feature.take(node) + first) > threshold.take(node)
            node = left.take(node) + larger
        found[start : start + step] = node
    return found.reshape(len(X), *roots.shape)


def check_trees(fitted: Fitted, n_sets: int, n_inputs: int, n_values: int) -> None:
    """Raise `ValueError` unless every row finds its way through the trees, to `n_values` values at each leaf."""
    (n,) = require(fitted, "feature", (None,), "i").shape
    require(fitted, "threshold", (n,), finite=False)
    require(fitted, "left", (n,), "i")
    require(fitted, "value", (n, n_values))
    require(fitted, "roots", (n_sets, None, None), "i")
    require(fitted, "depth", (1,), "i")
    feature, left, roots, depth = (fitted[name] for name in ("feature", "left", "roots", "depth"))
    leaf = left == np.arange(n)
    if (
        not n
        or (feature < 0).any()
        or (feature >= n_inputs).any()
        or (left < 0).any()
        or (left >= n - ~leaf).any()
        or (fitted["threshold"][leaf] != np.inf).any()
        or (roots < 0).any()
        or (roots >= n).any()
        or not 0 <= depth[0] <= n
    ):
        raise ValueError("its trees do not fit the net")
