"""Boosted trees: what thresholds, jumps and interactions of a few inputs can say."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import BlendedModel, Fitted, probabilities, probability_operations, require
from nnfs_cli.blend.boosting import Rounds, boost
from nnfs_cli.blend.folded_rows import FoldedRows
from nnfs_cli.blend.tree_arrays import as_arrays, check_trees
from nnfs_cli.blend.tree_sums import sum_operations, sums
from nnfs_cli.components.field_types import Count, NonNegativeFloat, PositiveInt, Rate
from nnfs_cli.pipeline.elementwise import add
from nnfs_cli.pipeline.value import Value, constant

PATIENCE = 20  # trees without a smaller loss on the first fold before the first fit ends
NUMBERS = 2_000_000  # outputs after each round, in memory at once


class Trees(BlendedModel, name="trees", main="most"):
    """Gradient boosting of trees, by scikit-learn's histogram gradient boosting.

    z = b + Σ_t f_t(x), where each tree f_t is fitted to the gradient of the loss at the trees before it, and its values
    are multiplied by `lr`. A fold is predicted with the number of trees that has the least loss on the other folds.
    Sources: Friedman, "Greedy Function Approximation: A Gradient Boosting Machine" (2001); Ke et al., "LightGBM: A
    Highly Efficient Gradient Boosting Decision Tree" (2017).
    """

    strength = 1.0
    examples = ("trees", "trees: {lr: 0.05, min_rows: 5}")

    most: Count = Field(default=400, kw_only=False)
    """The largest number of trees for each fold; for several classes, of trees for each class."""
    lr: Rate = 0.1
    """Factor of the values of each tree."""
    leaves: Count = 31
    """The most leaves of a tree."""
    min_rows: PositiveInt = 20
    """The fewest rows of a leaf."""
    inputs: Rate = 0.5
    """Share of the inputs that each split chooses from, at random."""
    l2: NonNegativeFloat = 0.0
    """Factor of the penalty on large values of leaves."""

    def fit(self, rows: FoldedRows) -> Fitted:
        """Return the nodes of all trees, their roots (sets, rounds, outputs) and the biases (sets, outputs)."""
        first = self._fit(rows, 0, None)
        n = max(len(first[0]), 1)
        fits = [first, *rows.for_each(lambda k: self._fit(rows, k, n), 1)]
        bias = np.stack([of_set for _, of_set in fits])
        n = min((len(rounds) for rounds, _ in fits if rounds), default=1)
        every = [rounds[:n] or [[None] * bias.shape[1]] * n for rounds, _ in fits]
        best = best_numbers({**as_arrays(every, rows.plain), "bias": bias}, rows).tolist()
        none: Rounds = [[None] * bias.shape[1]]
        kept = [rounds[:of_set] + none * (max(best) - of_set) for rounds, of_set in zip(every, best, strict=True)]
        return {**as_arrays(kept, rows.plain), "bias": bias}

    def _fit(self, rows: FoldedRows, k: int, n: int | None) -> tuple[Rounds, Array]:
        """Return the rounds of trees of a set, and its biases.

        There are `n` rounds; with None, as many as lessen the loss on the rows that the set leaves out.
        """
        some, held = rows.fitted_by(k), np.flatnonzero(rows.held_out_by == k) if n is None else np.zeros(0, np.intp)
        X, X_held = (rows.X[np.ix_(each, rows.plain)] for each in (some, held))
        settings: dict[str, Any] = {
            "max_iter": n or self.most,
            "learning_rate": self.lr,
            "max_leaf_nodes": max(self.leaves, 2),
            "min_samples_leaf": self.min_rows,
            "max_features": self.inputs,
            "l2_regularization": self.l2,
            "random_state": rows.seed_of("trees", k),
            **({} if n else {"n_iter_no_change": PATIENCE, "tol": 0.0}),
        }
        size = rows.n_classes, rows.n_outputs if rows.n_classes else 1
        fits = []
        for target in rows.targets:
            judge = {"X_val": X_held, "y_val": target[held], "sample_weight_val": rows.weight_of(held)}
            fits.append(boost(X, target[some], rows.weight_of(some), size, settings, judge if len(held) else {}))
        n_rounds = min(len(rounds) for rounds, _ in fits)
        rounds = [[tree for of_target, _ in fits for tree in of_target[i]] for i in range(n_rounds)]
        return rounds, np.concatenate([bias for _, bias in fits])

    def outputs(self, fitted: Fitted, X: Array, sets: Array, probable: bool) -> Array:
        """Return b + Σ_t f_t(x), or its probabilities."""
        z = sums(fitted, X, fitted["roots"][sets], fitted["depth"][sets]) + fitted["bias"][sets][:, None]
        return probabilities(z) if probable else z

    def operations(self, fitted: Fitted, X: Value, probable: bool) -> Value:
        """Return b + Σ_t f_t(x), or its probabilities."""
        z = add(sum_operations(fitted, X), constant(fitted["bias"], "float64", members=True))
        return probability_operations(z) if probable else z

    def check(self, fitted: Fitted, n_sets: int, n_inputs: int, n_outputs: int) -> None:
        """Raise `ValueError` unless the trees fit the net."""
        require(fitted, "bias", (n_sets, n_outputs))
        check_trees(fitted, n_sets, n_inputs, n_outputs, 1)


def losses_of(z: Array, target: Array, n_classes: int) -> Array:
    """Return the negative log-likelihoods, or the squared errors, (rows, ...), of outputs (rows, ..., outputs)."""
    target = target.reshape(len(target), *[1] * (z.ndim - 2), *target.shape[1:])
    if not n_classes:
        return np.asarray(((z - target) ** 2).sum(axis=-1))
    if z.shape[-1] == 1:
        return np.asarray(np.logaddexp(0, np.where(target == 1, -z[..., 0], z[..., 0])))
    chosen = np.take_along_axis(z, np.broadcast_to(target[..., None], (*z.shape[:-1], 1)), axis=-1)[..., 0]
    largest = z.max(axis=-1)
    return np.asarray(np.log(np.exp(z - largest[..., None]).sum(axis=-1)) + largest - chosen)


def best_numbers(fitted: Fitted, rows: FoldedRows) -> Array:
    """Return the number of rounds of each set (sets,), at least 1, with the least loss out of fold of all other sets.

    So the rows that a set leaves out do not choose its number, unless no other set leaves out any.
    """
    n_rounds = fitted["roots"].shape[1]
    losses = np.zeros((rows.sets.n, n_rounds))
    step = max(NUMBERS // max(n_rounds * rows.n_outputs, 1), 1)
    for k in range(rows.sets.n):
        roots, depth = fitted["roots"][k][:, None], fitted["depth"][k][:, None]  # each round as a set of its own
        held = np.flatnonzero(rows.held_out_by == k)
        for start in range(0, len(held), step):
            some = held[start : start + step]
            z = sums(fitted, rows.X[some], roots, depth).cumsum(axis=0) + fitted["bias"][k]
            each = losses_of(z.swapaxes(0, 1), rows.target[some], rows.n_classes)  # (rows, rounds)
            weight = rows.weight_of(some)
            losses[k] += each.sum(axis=0) if weight is None else weight @ each
    total = losses.sum(axis=0)
    of_others = total - losses
    return np.asarray(np.where(of_others.any(axis=1, keepdims=True), of_others, total).argmin(axis=1) + 1)
