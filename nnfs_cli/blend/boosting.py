"""Fit boosted trees with scikit-learn, and take them out of its objects.

scikit-learn keeps the trees of its histogram gradient boosting in attributes that are not documented. Only this module
knows them; a test compares its trees with scikit-learn's own predictions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import ABSENT
from nnfs_cli.blend.tree_arrays import Tree
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.threads import openmp_limit

MOST_BINS = 255  # of an input: more are no use to scikit-learn
BINS_OF_ALL = 500_000  # the most bins of all inputs together
_lock = threading.Lock()
Rounds = list[list[Tree | None]]  # for each round of boosting, a tree for each output; None for an absent class


def boost(
    X: Array,
    y: Array,
    weight: Array | None,
    size: tuple[int, int],
    settings: Mapping[str, Any],
    held_out: Mapping[str, Any],
) -> tuple[Rounds, Array]:
    """Return trees fitted to X (rows, inputs) and y (rows,), and the biases (outputs,) that their values add up to.

    y are indices of classes, or numbers if there are no classes. `size` has the number of classes, and that of outputs:
    a logit for each class, or for the second of two alone. Without early stopping, `held_out` is empty; else it holds
    the rows that decide about it.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    n_classes, n_outputs = size
    classes = np.unique(y) if n_classes else np.arange(2)
    if len(classes) < 2:  # boosting needs two classes, and this one is certain
        return [], np.array([ABSENT if not classes[0] else -ABSENT]) if n_outputs == 1 else _biases(n_classes, classes)
    if held_out and n_classes:
        known = np.isin(held_out["y_val"], classes)
        held_out = {key: None if of is None else of[known] for key, of in held_out.items()}
        held_out = held_out if known.any() else {}
    model = (HistGradientBoostingClassifier if n_classes else HistGradientBoostingRegressor)(
        **settings, early_stopping=bool(held_out), max_bins=_most_bins(X)
    )
    model._bin_data = _one_at_a_time(model._bin_data)
    with ignored_warnings(), openmp_limit(1):  # with several threads, sums are rounded in another order
        model.fit(X, y, weight, **held_out)
    baseline = np.asarray(model._baseline_prediction, np.float64).reshape(-1)
    rounds: Rounds = [[_tree(predictor.nodes) for predictor in of_round] for of_round in model._predictors]
    if n_outputs == len(baseline):
        return rounds, baseline
    # Some of several classes do not occur, or all but two, for which scikit-learn has the logit of the second.
    biases = _biases(n_classes, classes)
    if len(classes) == 2:
        classes = classes[1:]
    biases[classes] = baseline
    by_class = [dict(zip(classes.tolist(), of_round, strict=True)) for of_round in rounds]
    return [[of_round.get(k) for k in range(n_classes)] for of_round in by_class], biases


def _most_bins(X: Array) -> int:
    """Return how many bins an input needs. If it has fewer values, the trees are those of `MOST_BINS`, in less time.

    Many inputs have fewer bins, so that those of all fit into a processor's cache.
    """
    limit: int = min(max(BINS_OF_ALL // X.shape[1], 16), MOST_BINS)
    most = 2
    for column in X.T:
        most = max(most, len(np.unique(column)))
        if most >= limit:
            return limit
    return most


def _one_at_a_time(work: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function that one thread at a time calls.

    To find bins, scikit-learn changes the filters of warnings for a while, which threads share.
    """

    def locked(*args: Any, **options: Any) -> Array:
        with _lock:
            return work(*args, **options)

    return locked


def _biases(n_classes: int, classes: Array) -> Array:
    """Return 0 for the classes that occur, and the logit of an absent class for the others."""
    return np.where(np.isin(np.arange(n_classes), classes), 0.0, ABSENT)


def _tree(nodes: Array) -> Tree:
    feature, threshold = nodes["feature_idx"], nodes["num_threshold"]
    value, leaf = nodes["value"][:, None], nodes["is_leaf"].astype(bool)
    return Tree.of(feature, threshold, nodes["left"], nodes["right"], value, leaf)
