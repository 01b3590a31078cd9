"""Trees as plain arrays.

All nodes of all trees stand in one list. A row is at one node of every tree, and goes to `left` of it, or to the node
behind that if the row's input `feature` is larger than `threshold`. At a leaf the threshold is infinite, and `left` is
the leaf itself. So as many steps as a tree is deep lead every row to its leaf, without asking where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import Fitted, require

DTYPES = {
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "value": np.float32,
    "roots": np.int32,
    "depth": np.int32,
}


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
        levels = [np.zeros(1, np.intp)]
        while len(inner := levels[-1][~leaf[levels[-1]]]):
            levels.append(np.stack([left[inner], right[inner]], axis=1).reshape(-1))
        order = np.concatenate(levels)
        place = np.zeros(len(leaf), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        rounded = threshold.astype(np.float32)
        rounded = np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
        return cls(
            np.where(leaf, 0, feature)[order].astype(np.int32),
            np.where(leaf, np.float32(np.inf), rounded)[order],
            place[np.where(leaf, np.arange(len(leaf)), left)][order],
            np.where(leaf[:, None], value, 0)[order].astype(np.float32),
            len(levels) - 1,
        )


def as_arrays(trees: Sequence[Sequence[Sequence[Tree | None]]], inputs: Array, n_values: int = 1) -> dict[str, Array]:
    """Return the nodes of all trees, and their roots and depths, each (sets, rounds, trees of a round).

    The features of the trees number the `inputs`, which are indices of inputs of the net. The first node is a leaf with
    the value 0, where a tree is None.
    """
    flat = [tree for of_set in trees for of_round in of_set for tree in of_round]
    some = [tree for tree in flat if tree is not None]
    starts = np.cumsum([1, *(len(tree.left) for tree in some)], dtype=np.int32)
    ways = np.zeros((2, len(flat)), np.int32)
    ways[:, [tree is not None for tree in flat]] = starts[:-1], [tree.depth for tree in some]
    roots, depth = ways.reshape(2, len(trees), len(trees[0]), -1)
    feature, threshold = np.zeros(1, np.int32), np.full(1, np.inf, np.float32)
    left, value = np.zeros(1, np.int32), np.zeros((1, n_values), np.float32)
    return {
        "feature": np.concatenate([feature, *(inputs[tree.feature].astype(np.int32) for tree in some)]),
        "threshold": np.concatenate([threshold, *(tree.threshold for tree in some)]),
        "left": np.concatenate([left, *(tree.left + at for tree, at in zip(some, starts, strict=False))]),
        "value": np.concatenate([value, *(tree.value for tree in some)]),
        "roots": roots,
        "depth": depth,
    }


def check_trees(fitted: Fitted, n_sets: int, n_inputs: int, n_trees: int, n_values: int) -> None:
    """Raise `ValueError` unless every row finds its way through the trees, to `n_values` values at each leaf.

    Compiled code looks for nothing outside of the arrays because of this.
    """
    (n,) = require(fitted, "left", (None,), "i").shape
    feature, left = require(fitted, "feature", (n,), "i"), fitted["left"]
    threshold = require(fitted, "threshold", (n,), finite=False)
    require(fitted, "value", (n, n_values))
    roots = require(fitted, "roots", (n_sets, None, n_trees), "i")
    depth = require(fitted, "depth", roots.shape, "i")
    places = np.arange(n)
    leaf = left == places
    if (
        any(fitted[name].dtype != dtype for name, dtype in DTYPES.items())
        or (feature < 0).any()
        or (feature >= n_inputs).any()
        or (left < places).any()  # children stand behind their parents
        or (left >= n - ~leaf).any()  # and side by side
        or np.isnan(threshold).any()
        or (threshold[leaf] != np.inf).any()
        or (roots < 0).any()
        or (roots >= n).any()
        or (depth < 0).any()
        or (depth > n).any()
    ):
        raise ValueError("its trees do not fit the net")
