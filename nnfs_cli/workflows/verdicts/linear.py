"""Linear models of encoded rows, fitted in milliseconds and without importing scikit-learn.

They show whether the hidden layers of a net are worth it: they see the same inputs, and minimize the same loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.copies import equal_rows

CATEGORIES = 100  # the most frequent codes of a column that get an indicator each
RIDGE_PENALTIES = np.logspace(-2, 4, 13)  # factors of half the sum of squared coefficients
LOGISTIC_PENALTIES = (100.0, 10.0, 1.0, 0.1)  # each fit begins with the coefficients of the one before
ITERATIONS = 100  # of logistic regression
ENOUGH = 1e-5  # gain of an iteration, as a mean over the rows, with which logistic regression ends
ROUGHLY = 1e-4  # the same, to choose a penalty
BLOCK = 50_000  # numbers that are converted to float64 at a time

OfRows = Callable[[slice, Array], Array]


class LinearInputs:
    """The inputs of a linear model: ones, then standardized encoded inputs, (rows, 1 + inputs).

    `X` (rows, n_features) are the encoded training rows that means and spreads are taken from: those with the indices
    in `chosen`, or all. `weight` (chosen rows,) says how many rows each stands for. In the columns with the indices
    `codes`, numbers stand for categories, and each frequent one becomes an input.
    """

    def __init__(
        self, X: Array, codes: Sequence[int] = (), chosen: Array | None = None, weight: Array | None = None
    ) -> None:
        self._plain = np.setdiff1d(np.arange(X.shape[1]), codes)
        self._frequent: dict[int, Array] = {}
        rows = np.arange(len(X)) if chosen is None else chosen
        weight = np.ones(len(rows)) if weight is None else weight
        for place in codes:
            found, where = np.unique(X[rows, place], return_inverse=True)
            counts = np.bincount(where, weight)
            self._frequent[place] = found[np.argsort(-counts, kind="stable")[:CATEGORIES]]
        blocks = _blocks(len(rows), self.width)
        self._mean = sum(weight[some] @ self._raw(X[rows[some]]) for some in blocks) / weight.sum()
        squares = sum(weight[some] @ np.square(self._raw(X[rows[some]]) - self._mean) for some in blocks)
        spread = np.sqrt(squares / weight.sum())
        self._spread = np.where(spread > 1e-6 * (1 + np.abs(self._mean)), spread, np.inf)  # a constant becomes 0

    @property
    def width(self) -> int:
        """The number of inputs, with the one that is always 1."""
        return 1 + len(self._plain) + sum(map(len, self._frequent.values()))

    def matrix(self, X: Array, chosen: Array | None = None) -> Array:
        """Return the inputs of the linear model for encoded rows, or those with the indices `chosen`, of X's dtype."""
        rows = np.arange(len(X)) if chosen is None else chosen
        A = np.ones((len(rows), self.width), X.dtype)
        for some in _blocks(len(rows), self.width):
            A[some, 1:] = (self._raw(X[rows[some]]) - self._mean) / self._spread
        return A

    def _raw(self, X: Array) -> Array:
        indicators = [X[:, place, None] == codes for place, codes in self._frequent.items()]
        return np.concatenate([X[:, self._plain], *indicators], axis=1, dtype=np.float64)


def _blocks(n: int, width: int) -> list[slice]:
    """Return slices of n rows of this width, each of few numbers."""
    size = max(BLOCK // width, width // 4, 1)
    return [slice(start, start + size) for start in range(0, n, size)]


class LinearModel(Protocol):
    """A model whose outputs depend on a weighted sum of the inputs; it keeps the rows that it was fitted to.

    It computes in float64, and converts a block of rows at a time.
    """

    coefficients: Array
    """One column for each output, (1 + inputs, outputs)."""

    def fitted_to(self, seen: Array) -> Array:
        """Return the coefficients of a model of some of the rows: `seen` (rows,) is true for them."""

    def outputs(self, A: Array, coefficients: Array) -> Array:
        """Return the outputs (rows, outputs) for inputs (rows, 1 + inputs)."""


class Ridge:
    """Ridge regression: least squares, with the penalty that has the least generalized cross-validation error.

    A (rows, 1 + inputs), y (rows, targets), weight (rows,): a row of weight 2 is two rows. The constant term is not
    penalized.
    Source: Golub, Heath and Wahba, "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter"
    (1979).
    """

    def __init__(self, A: Array, y: Array, weight: Array) -> None:
        self._total = float(weight.sum())
        self._center = np.average(y, axis=0, weights=weight)
        self._rows = A, y - self._center, weight
        self._gram, self._moment = self._moments(weight)
        self._penalty = np.full(len(self._gram), self._best_penalty())
        self._penalty[0] = 0
        self.coefficients = self._solve(self._gram.copy(), self._moment)

    def fitted_to(self, seen: Array) -> Array:
        """Return the coefficients of a model of some of the rows: `seen` (rows,) is true for them."""
        gram, moment = self._moments(np.where(seen, 0, self._rows[2]))
        return self._solve(np.subtract(self._gram, gram, out=gram), self._moment - moment)

    def outputs(self, A: Array, coefficients: Array) -> Array:
        """Return the outputs (rows, targets) for inputs (rows, 1 + inputs)."""
        return np.asarray(A @ coefficients + self._center)

    def _moments(self, weight: Array) -> tuple[Array, Array]:
        A, y, _ = self._rows
        return _gram(A, weight), _product(A, lambda some, _: y[some] * weight[some, None], y.shape[1])

    def _best_penalty(self) -> float:
        """Return the penalty with the least error, from the eigenvalues of the centred moments."""
        _, y, weight = self._rows
        sums, total = self._gram[0, 1:], self._gram[0, 0]
        centred = self._gram[1:, 1:] - np.outer(sums, sums) / total
        values, vectors = np.linalg.eigh(centred)
        values = np.maximum(values, 0)[:, None]
        along = np.square(vectors.T @ (self._moment[1:] - np.outer(sums, self._moment[0]) / total)).sum(axis=1)
        spread = (weight @ np.square(y)).sum() - np.square(self._moment[0]).sum() / total
        explained = along @ ((values + 2 * RIDGE_PENALTIES) / np.square(values + RIDGE_PENALTIES))
        free = np.maximum(total - 1 - (values / (values + RIDGE_PENALTIES)).sum(axis=0), 1e-9)
        return float(RIDGE_PENALTIES[np.argmin((spread - explained) / np.square(free))])

    def _solve(self, gram: Array, moment: Array) -> Array:
        """Solve the normal equations; `gram` is overwritten."""
        gram[np.diag_indices_from(gram)] += self._penalty + 1e-9 * self._total
        return np.linalg.solve(gram, moment)


class Logistic:
    """Logistic regression of one probability (outputs 1) or of several classes.

    A (rows, 1 + inputs), y (rows, outputs) between 0 and 1, weight (rows,): a row of weight 2 is two rows. The constant
    term is not penalized. The penalty is the one that predicts a quarter of the rows best after a fit to the others,
    where rows with equal inputs are in the same part.
    The method descends the quadratic bound of the loss, with momentum that restarts where it would go uphill.
    Sources: Böhning, "Multinomial Logistic Regression Algorithm" (1992); O'Donoghue and Candès, "Adaptive Restart for
    Accelerated Gradient Schemes" (2015).
    """

    def __init__(self, A: Array, y: Array, weight: Array) -> None:
        self._rows = A, y, weight
        self._curvature = _gram(A, weight * (0.25 if y.shape[1] == 1 else 0.5))
        self._none = np.zeros((A.shape[1], y.shape[1]))
        unit = equal_rows(A)
        seen = (np.random.default_rng(0).permutation(int(unit.max()) + 1) % 4 > 0)[unit]
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
        self._step = np.empty(0)  # frees the one before
        diagonal = np.einsum("ii->i", self._curvature)
        before = diagonal.copy()
        diagonal += self._penalty[:, 0]
        self._step = np.linalg.inv(self._curvature)
        diagonal[:] = before

    def _loss(self, coefficients: Array, weight: Array) -> float:
        A, y, _ = self._rows
        total = 0.0
        for some in _blocks(*A.shape):
            p, truth = np.clip(self.outputs(A[some].astype(np.float64), coefficients), 1e-12, 1), y[some]
            losses = -(truth * np.log(p)).sum(axis=1)
            if y.shape[1] == 1:
                losses -= ((1 - truth) * np.log(np.clip(1 - p, 1e-12, 1)))[:, 0]
            total += float(weight[some] @ losses)
        return total

    def _descend(self, weight: Array, start: Array, gain: float = ENOUGH) -> Array:
        A, y, _ = self._rows
        enough = gain * weight.sum()
        reached: Array = start
        ahead, momentum = start, 1.0
        for _ in range(ITERATIONS):
            slope = self._penalty * ahead + _product(A, self._slopes(ahead, weight), y.shape[1])
            following = ahead - self._step @ slope
            step = following - reached
            momentum = 1.0 if (slope * step).sum() > 0 else momentum
            if (slope * (ahead - following)).sum() < enough:
                return np.asarray(following)
            grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            reached, ahead, momentum = following, following + (momentum - 1) / grown * step, grown
        return reached

    def _slopes(self, coefficients: Array, weight: Array) -> OfRows:
        """Return the derivatives of the losses of some rows by their outputs before the activation."""
        y = self._rows[1]
        return lambda some, A: (self.outputs(A, coefficients) - y[some]) * weight[some, None]


def _gram(A: Array, weight: Array) -> Array:
    """Return A' diag(weight) A, (inputs, inputs) float64, for A (rows, inputs) and weight (rows,)."""
    gram, part = (np.zeros((A.shape[1], A.shape[1])) for _ in range(2))
    for some in _blocks(*A.shape):
        block = A[some].astype(np.float64)
        gram += np.matmul(block.T * weight[some], block, out=part)
    return gram


def _product(A: Array, of_rows: OfRows, width: int) -> Array:
    """Return A' V, (inputs, width) float64, where `of_rows` returns the rows of V for a slice and its rows of A."""
    product = np.zeros((A.shape[1], width))
    for some in _blocks(*A.shape):
        block = A[some].astype(np.float64)
        product += block.T @ of_rows(some, block)
    return product
