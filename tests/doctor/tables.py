"""Made tables: columns by name, with the target `y`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Table = Mapping[str, Any]


def write_csv(path: Path, table: Table) -> None:
    """Write a table to a CSV file, numbers with all their digits."""
    pd.DataFrame(dict(table)).to_csv(path, index=False)


def columns(X: np.ndarray[Any, Any], y: Any, name: str = "x") -> Table:
    """Return a table of the columns of X and a target."""
    return {**{f"{name}{i + 1}": X[:, i] for i in range(X.shape[1])}, "y": y}


def numbers(n: int = 400, noise: float = 0.1, seed: int = 0, shift: float = 0.0, scale: float = 1.0) -> Table:
    """Return rows with a smooth target of four inputs; every input is then scaled and shifted."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] - 0.3 * X[:, 3] + noise * rng.standard_normal(n)
    return columns(scale * X + shift, y)


def groups(
    n: int = 400, n_classes: int = 2, spread: float = 1.0, seed: int = 0, shares: tuple[float, ...] = (), dims: int = 6
) -> Table:
    """Return rows of classes a, b, c ... around one centre each, at a distance of about 3 from the others.

    `spread` is the standard deviation around a centre; `shares` are those of the classes.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((n_classes, dims))
    centres *= 2 / np.linalg.norm(centres, axis=1, keepdims=True)
    truth = rng.choice(n_classes, n, p=shares or None)
    X = centres[truth] + spread * rng.standard_normal((n, dims))
    return columns(X, np.array(list("abcdefgh"))[truth])


def breast_cancer(change: Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any]], Table] | None = None) -> Table:
    """Return scikit-learn's table of tumours, or what `change` makes of its inputs and classes."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    X, y = data.data, data.target_names[data.target]
    return change(X, y) if change else columns(X, y)


def shuffled(X: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Table:
    """Return the inputs with the targets of other rows."""
    return columns(X, np.random.default_rng(1).permutation(y))


def leaked(X: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Table:
    """Return the inputs with one more column, which is known only when the target is."""
    rng = np.random.default_rng(2)
    outcome = np.where(y == "benign", rng.uniform(0, 1, len(y)), rng.uniform(2, 9, len(y)))
    return {"outcome": outcome, **columns(X, y)}


def with_constants(X: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Table:
    """Return the inputs with two more columns, which hold the same number in every row."""
    return {"version": np.full(len(y), 3.0), "unit": np.full(len(y), 7.0), **columns(X, y)}


def as_numbers(X: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Table:
    """Return the inputs with the classes as the numbers 0 and 1."""
    return columns(X, (y == "benign").astype(int))
