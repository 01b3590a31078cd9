"""The sums of the values of the leaves that a row reaches in many trees."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.value import Value


def tree_sums(
    x: Value, feature: Array, threshold: Array, left: Array, value: Array, roots: Array, depth: Array
) -> Value:
    """Return the sums over the rounds of trees, "float64": (n,) "float32" -> (trees of a round · values,), by set.

    The nodes of all trees stand in one list. A row at a node goes to `left` (nodes,), or to the node after that if its
    input `feature` (nodes,) is larger than `threshold` (nodes,) float32. At a leaf the threshold is infinite and `left`
    the leaf itself, and `value` (nodes, values) is what it adds. `roots` and `depth` (sets, rounds, trees of a round)
    say where each tree begins and how many steps lead to its leaves. The sets are the members of the result.
    Values are added round by round, in float64.
    """
    if x.dtype != "float32" or x.members or len(x.features) != 1:
        raise ValueError(f"trees take float32 rows (n,), found {x.dtype} {x.features}")
    sets, _, trees = roots.shape
    arrays = {"feature": feature, "threshold": threshold, "left": left, "value": value, "roots": roots, "depth": depth}
    return Value("tree_sums", (x,), "float64", (trees * value.shape[1],), sets, arrays)
