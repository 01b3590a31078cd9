"""Rows in folds for the tests of blended models."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.folded_rows import FoldedRows, Sets
from nnfs_cli.data.folds import Folds

KINDS = {  # classes (0 for numbers) and outputs
    "a number": (0, 1),
    "two numbers": (0, 2),
    "two classes": (2, 1),
    "two classes, two outputs": (2, 2),
    "four classes": (4, 4),
}


def at_random(n: int, members: int, seed: int = 0) -> Folds:
    """Return folds of equal size, one for each member."""
    return Folds.of(np.random.default_rng(seed).permutation(np.arange(n) % members), members)


def forward(n: int, members: int, n_folds: int) -> Folds:
    """Return folds of the latest half of rows in order of time; the other members train on all rows."""
    fold = np.maximum(np.arange(n) - n // 2, -1) * n_folds // (n - n // 2)
    trains = (fold[:, None] < np.arange(members)) | (np.arange(members) >= n_folds)
    return Folds(fold, trains, forward=True)


def folded_rows(
    kind: str, n: int = 90, folds: Folds | None = None, weighted: bool = False, seed: int = 0, **changes: Any
) -> FoldedRows:
    """Return rows of a kind of target, which depends on the first two of five inputs; the last repeats the first."""
    n_classes, n_outputs = KINDS[kind]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)).astype(np.float32)
    X[:, 3], X[:, 4] = rng.integers(0, 4, n), X[:, 0]
    y = np.stack([X[:, 0] - np.abs(X[:, 1]), X[:, 1]], axis=1) + 0.3 * rng.normal(size=(n, 2))
    target: Array = y[:, :n_outputs].astype(np.float32)
    if n_classes:
        target = np.digitize(y[:, 0], np.quantile(y[:, 0], np.arange(1, n_classes) / n_classes))
    weight = rng.exponential(size=n).astype(np.float32) if weighted else None
    folds = folds or at_random(n, 3)
    settings: dict[str, Any] = {
        "plain": np.arange(4), "codes": np.array([3]), "seed": 5, "n_outputs": n_outputs,
    }  # fmt: skip
    return FoldedRows(X, target, weight, folds, Sets.of(folds), **settings | changes)


def probabilities_by_class(p: Array) -> Array:
    """Return probabilities (rows, classes) of outputs, which may be those of the second class alone."""
    return np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
