"""Sums of trees as one operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto, helper

from nnfs_cli.arrays import Array
from nnfs_cli.export.onnx.graph import ML
from nnfs_cli.export.onnx.nodes import Nodes
from nnfs_cli.pipeline.value import Value

LESS_EQUAL, SUM, NO_TRANSFORM = 0, 1, 0  # the operator's numbers for them


@dataclass
class _Forest:
    """The nodes and leaves of trees, as the operator lists them."""

    features: list[int] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    branches: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))  # where x <= threshold, and else
    lead_to_leaves: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    def add_node(self, feature: int, threshold: float) -> int:
        """Return the index of a new node, whose branches are set later."""
        self.features.append(feature)
        self.thresholds.append(threshold)
        for side in (0, 1):
            self.branches[side].append(0)
            self.lead_to_leaves[side].append(0)
        return len(self.features) - 1

    def add_leaf(self, node: int, side: int, target: int, weight: float) -> None:
        """Let a branch of a node end in a new leaf."""
        self.branches[side][node], self.lead_to_leaves[side][node] = len(self.targets), 1
        self.targets.append(target)
        self.weights.append(weight)


def tree_sums(nodes: Nodes, value: Value) -> str:
    """Return the sums of trees, in float64.

    A leaf of the operator has one number, so that a tree of several becomes several trees.
    """
    arrays = value.settings
    sets, rounds, trees = arrays["roots"].shape
    n_values = arrays["value"].shape[1]
    forest = _Forest()
    for k, i, j, v in np.ndindex(sets, rounds, trees, n_values):
        target = (k * trees + j) * n_values + v
        _add_tree(forest, arrays["roots"][k, i, j], arrays, arrays["value"][:, v], target)
    n = len(forest.features)
    found = nodes.add(
        "TreeEnsemble",
        nodes.cast(nodes.of(value.inputs[0]), "float32", "float64"),
        domain=ML,
        n_targets=sets * trees * n_values,
        aggregate_function=SUM,
        post_transform=NO_TRANSFORM,
        tree_roots=forest.roots,
        nodes_featureids=forest.features,
        nodes_modes=helper.make_tensor("modes", TensorProto.UINT8, [n], [LESS_EQUAL] * n),
        nodes_splits=_doubles("splits", forest.thresholds),
        nodes_truenodeids=forest.branches[0],
        nodes_trueleafs=forest.lead_to_leaves[0],
        nodes_falsenodeids=forest.branches[1],
        nodes_falseleafs=forest.lead_to_leaves[1],
        nodes_missing_value_tracks_true=[1] * n,
        leaf_targetids=forest.targets,
        leaf_weights=_doubles("weights", forest.weights),
    )
    by_set = nodes.reshaped(found, (sets, trees * n_values))
    return nodes.add("Transpose", by_set, perm=[1, 0, 2])


def _add_tree(forest: _Forest, root: int, arrays: Mapping[str, Array], weights: Array, target: int) -> None:
    """Add the nodes that a root leads to, each after the one that leads to it."""
    feature, threshold, left = arrays["feature"], arrays["threshold"], arrays["left"]
    first = forest.add_node(int(feature[root]), float(threshold[root]))
    forest.roots.append(first)
    waiting = [(root, first)]
    while waiting:
        here, node = waiting.pop()
        is_leaf = left[here] == here
        for side in (0, 1):
            child = here if is_leaf else left[here] + side
            if left[child] == child:
                forest.add_leaf(node, side, target, float(weights[child]))
            else:
                forest.branches[side][node] = forest.add_node(int(feature[child]), float(threshold[child]))
                waiting.append((child, forest.branches[side][node]))


def _doubles(name: str, numbers: list[float]) -> TensorProto:
    return helper.make_tensor(name, TensorProto.DOUBLE, [len(numbers)], numbers)
