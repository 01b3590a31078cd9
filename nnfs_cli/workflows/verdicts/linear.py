"""Linear models of encoded rows, fitted in milliseconds and without importing scikit-learn.

They show whether the hidden layers of a net are worth it: they see the same inputs, and minimize the same loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from nnfs_cli.arrays import Array

CATEGORIES = 100  # the most frequent codes of a column that get an indicator each
RIDGE_PENALTIES = np.logspace(-2, 4, 13)  # factors of half the sum of squared weights
LOGISTIC_PENALTIES = (100.0, 10.0, 1.0, 0.1)  # each fit begins with the coefficients of the one before
ITERATIONS = 100  # of logistic regression
ENOUGH = 1e-5  # gain of an iteration, as a mean over the rows, with which logistic regression ends
ROUGHLY = 1e-4  # the same, to choose a penalty


class LinearInputs:
    """The inputs of a linear model: ones, then standardized encoded inputs, (rows, 1 + inputs) float64.

    `X` (rows, n_features) are the encoded training rows that means and spreads are taken from. In the columns with the
    indices `codes`, numbers stand for categories, and each frequent one becomes an input.
    """

    def __init__(self, X: Array, codes: Sequence[int] = ()) -> None:
        self._plain = np.setdiff1d(np.arange(X.shape[1]), codes)
        self._frequent: dict[int, Array] = {}
        for place in codes:
            found, counts = np.unique(X[:, place], return_counts=True)
            self._frequent[place] = found[np.argsort(-counts, kind="stable")[:CATEGORIES]]
        raw = self._raw(X)
        self._mean, spread = raw.mean(axis=0), raw.std(axis=0)
        self._spread = np.where(spread > 1e-6 * (1 + np.abs(self._mean)), spread, np.inf)  # a constant becomes 0

    def matrix(self, X: Array) -> Array:
        """Return the inputs of the linear model for encoded rows."""
        raw = self._raw(X)
        raw -= self._mean
        raw /= self._spread
        return np.concatenate([np.ones((len(raw), 1)), raw], axis=1)

    def _raw(self, X: Array) -> Array:
        indicators = [X[:, place, None] == codes for place, codes in self._frequent.items()]
        return np.concatenate([X[:, self._plain], *indicators], axis=1, dtype=np.float64)


class LinearModel(Protocol):
    """A model whose outputs depend on a weighted sum of the inputs; it keeps the rows that it was fitted to."""

    coefficients: Array
    """One column for each output, (1 + inputs, outputs)."""

    def fitted_to(self, seen: Array) -> Array:
        """Return the coefficients of a model of some of the rows: `seen` (rows,) is true for them."""

    def outputs(self, A: Array, coefficients: Array) -> Array:
        """Return the outputs (rows, outputs) for inputs (rows, 1 + inputs)."""


class Ridge:
    """Ridge regression: least squares, with the penalty that has the least generalized cross-validation error.

    A (rows, 1 + inputs), y (rows, targets), weight (rows,). The constant term is not penalized.
    Source: Golub, Heath and Wahba, "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter"
    (1979).
    """

    def __init__(self, A: Array, y: Array, weight: Array) -> None:
        self._center = y.mean(axis=0, dtype=np.float64)
        self._rows = A, y - self._center, weight
        self._gram, self._moment = self._moments(np.ones(len(A), bool))
        self._penalty = np.full(len(self._gram), self._best_penalty())
        self._penalty[0] = 0
        self.coefficients = self._solve(self._gram, self._moment)

    def fitted_to(self, seen: Array) -> Array:
        """Return the coefficients of a model of some of the rows: `seen` (rows,) is true for them."""
        gram, moment = self._moments(~seen)
        return self._solve(self._gram - gram, self._moment - moment)

    def outputs(self, A: Array, coefficients: Array) -> Array:
        """Return the outputs (rows, targets) for inputs (rows, 1 + inputs)."""
        return np.asarray(A @ coefficients + self._center)

    def _moments(self, chosen: Array) -> tuple[Array, Array]:
        A, y, weight = (array[chosen] for array in self._rows)
        weighted = A.T * weight
        return weighted @ A, weighted @ y

    def _best_penalty(self) -> float:
        """Return the penalty with the least error, from the eigenvalues of the centred moments."""
        A, y, weight = self._rows
        sums, total = self._gram[0, 1:], self._gram[0, 0]
        values, vectors = np.linalg.eigh(self._gram[1:, 1:] - np.outer(sums, sums) / total)
        values = np.maximum(values, 0)[:, None]
        along = np.square(vectors.T @ (self._moment[1:] - np.outer(sums, self._moment[0]) / total)).sum(axis=1)
        spread = (weight @ np.square(y)).sum() - np.square(self._moment[0]).sum() / total
        explained = along @ ((values + 2 * RIDGE_PENALTIES) / np.square(values + RIDGE_PENALTIES))
        free = np.maximum(len(A) - 1 - (values / (values + RIDGE_PENALTIES)).sum(axis=0), 1e-9)
        return float(RIDGE_PENALTIES[np.argmin((spread - explained) / np.square(free))])

    def _solve(self, gram: Array, moment: Array) -> Array:
        return np.linalg.solve(gram + np.diag(self._penalty + 1e-9 * len(self._rows[0])), moment)


class Logistic:
    """Logistic regression of one probability (outputs 1) or of several classes.

    A (rows, 1 + inputs), y (rows, outputs) between 0 and 1, weight (rows,). The constant term is not penalized. The
    penalty is the one that predicts a quarter of the rows best after a fit to the others.
    The method descends the quadratic bound of the loss, with momentum that restarts where it would go uphill.
    Sources: Böhning, "Multinomial Logistic Regression Algorithm" (1992); O'Donoghue and Candès, "Adaptive Restart for
    Accelerated Gradient Schemes" (2015).
    """

    def __init__(self, A: Array, y: Array, weight: Array) -> None:
        self._rows = A, y, weight
        self._curvature = (A.T * weight) @ A * (0.25 if y.shape[1] == 1 else 0.5)
        self._none = np.zeros((A.shape[1], y.shape[1]))
        seen = np.random.default_rng(0).permutation(len(A)) % 4 > 0
        fits = [self._none]
        for penalty in LOGISTIC_PENALTIES:
            self._penalize(penalty)
            fits.append(self._descend(np.where(seen, weight, 0), fits[-1], ROUGHLY))
        losses = [self._loss(found, np.where(seen, 0, weight)) for found in fits[1:]]
        best = int(np.argmin(losses))
        self._penalize(LOGISTIC_PENALTIES[best])
        self.coefficients = self._descend(weight, fits[best + 1])

    def fitted_to(self, seen: Array) -> Array:
        """Return the coefficients of a model of some of the rows: `seen` (rows,) is true for them."""
        return self._descend(np.where(seen, self._rows[2], 0), self._none)

    def outputs(self, A: Array, coefficients: Array) -> Array:
        """Return the probabilities (rows, outputs) for inputs (rows, 1 + inputs)."""
        z: Array = A @ coefficients
        if z.shape[1] == 1:
            return np.asarray(1 / (1 + np.exp(-np.clip(z, -500, 500))))
        np.exp(z - z.max(axis=1, keepdims=True), out=z)
        return np.asarray(z / z.sum(axis=1, keepdims=True))

    def _penalize(self, penalty: float) -> None:
        self._penalty = np.full((len(self._none), 1), penalty)
        self._penalty[0] = 1e-6
        self._step = np.linalg.inv(self._curvature + np.diag(self._penalty[:, 0]))

    def _loss(self, coefficients: Array, weight: Array) -> float:
        A, y, _ = self._rows
        p = np.clip(self.outputs(A, coefficients), 1e-12, 1)
        losses = -(y * np.log(p)).sum(axis=1)
        if y.shape[1] == 1:
            losses -= ((1 - y) * np.log(np.clip(1 - p, 1e-12, 1)))[:, 0]
        return float(weight @ losses)

    def _descend(self, weight: Array, start: Array, gain: float = ENOUGH) -> Array:
        A, y, _ = self._rows
        enough = gain * weight.sum()
        reached: Array = start
        ahead, momentum = start, 1.0
        for _ in range(ITERATIONS):
            slope = A.T @ ((self.outputs(A, ahead) - y) * weight[:, None]) + self._penalty * ahead
            following = ahead - self._step @ slope
            step = following - reached
            momentum = 1.0 if (slope * step).sum() > 0 else momentum
            if (slope * (ahead - following)).sum() < enough:
                return np.asarray(following)
            grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            reached, ahead, momentum = following, following + (momentum - 1) / grown * step, grown
        return reached
