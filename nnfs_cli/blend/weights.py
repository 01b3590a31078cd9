"""How much the net and each blended model count, by their outputs for rows that they have not seen.

Probabilities are pooled by their logarithms, z = Σ_j w_j ln p_j and p = softmax(z), with weights w_j of 0 or more. The
sum of the weights is free, so models that are too sure of themselves together are tempered. Numbers are averaged, with
weights that add up to 1. The loss out of fold is minimized, plus a penalty on the distance from the weights that are
expected beforehand, so that few rows do not move the weights much.

What remains is shrunk towards the constant model by a positive-part factor as that of James and Stein: 1 - 2 / t²,
where t is the mean gain over the constant divided by its standard error. What the outputs themselves expect of the
gain of a row is no error. With 1 in place of 2, the factor would be best for a model chosen beforehand; the weights,
the best epoch and the number of trees are chosen by the same rows, so gains look larger than they are. Where the inputs
tell nothing, t is about 1 and the constant wins.

Sources: Genest and Zidek, "Combining Probability Distributions" (1986), for pooling logarithms; Breiman, "Stacked
Regressions" (1996), for weights of 0 or more chosen out of fold; James and Stein, "Estimation with Quadratic Loss"
(1961).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import probabilities, probability_operations
from nnfs_cli.pipeline.elementwise import add, clip, log, log1p, maximum, multiply, negative, subtract
from nnfs_cli.pipeline.value import Value

PENALTY = 6.0  # on the squared distance of weights, in the unit of the negative log-likelihood of a row
DOUBT = 2.0  # squared standard errors of the gain over the constant that are taken for chance
LEAST = 1e-7  # probability that is told from 0
NEGLIGIBLE = 0.02  # weight of a model that is left out


def pooled(outputs: Array, weights: Array, probable: bool) -> Array:
    """Return the pool (rows, outputs) of the outputs (models, rows, outputs) of some models."""
    if not probable:
        return np.asarray(np.tensordot(weights, outputs, axes=1))
    return probabilities(np.tensordot(weights, log_odds(outputs), axes=1))


def pool_operations(outputs: Sequence[Value], weights: Sequence[float], probable: bool) -> Value:
    """Return `pooled` as operations of a pipeline, for outputs (n,) of some models."""
    parts = [_log_odds_operations(p) for p in outputs] if probable else outputs
    total = reduce(add, [multiply(part, weight) for part, weight in zip(parts, weights, strict=True)])
    return probability_operations(total) if probable else total


def log_odds(p: Array) -> Array:
    """Return ln p - ln (1 - p) of single probabilities (..., 1), or ln p of several that add up to 1."""
    if p.shape[-1] == 1:
        p = np.clip(p, LEAST, 1 - LEAST)
        return np.asarray(np.log(p) - np.log1p(-p))
    return np.asarray(np.log(np.maximum(p, LEAST)))


def _log_odds_operations(p: Value) -> Value:
    """Return `log_odds` as operations of a pipeline."""
    if p.width > 1:
        return log(maximum(p, LEAST))
    p = clip(p, LEAST, 1 - LEAST)
    return subtract(log(p), log1p(negative(p)))


@dataclass(frozen=True)
class Choice:
    """The outputs (models, rows, outputs) out of fold that weights are chosen by.

    `target` is the index of the class (rows,), or numbers (rows, outputs). `weight` (rows,) is None if all rows count
    alike. `prior` (models,) are the weights that are expected beforehand. `constant` is the index of the constant
    model, or None without one.
    """

    outputs: Array
    target: Array
    weight: Array | None
    prior: Array
    probable: bool
    constant: int | None = None

    def weights(self, rows: Array | None = None) -> Array:
        """Return the weights (models,) chosen by some rows, given as booleans, or by all; without rows, the prior."""
        if rows is not None:
            weight = None if self.weight is None else self.weight[rows]
            some = replace(self, outputs=self.outputs[:, rows], target=self.target[rows], weight=weight)
            return some.weights()
        if not len(self.target):
            return self.prior
        found = _log_likelihood(self) if self.probable else _least_squares(self)
        found = np.where(found < NEGLIGIBLE, 0.0, found)  # nobody has to compute a model that hardly counts
        if not self.probable or not found.any():
            found = found / found.sum() if found.any() else self.prior
        return found if self.constant is None else self._shrunk(found)

    @property
    def counts(self) -> Array:
        """How much each row counts, (rows,)."""
        return np.ones(len(self.target)) if self.weight is None else self.weight

    def _shrunk(self, weights: Array) -> Array:
        """Return the weights shrunk towards the constant model."""
        constant = (np.arange(len(weights)) == self.constant).astype(np.float64)
        counts = self.counts
        before, after = (pooled(self.outputs, w, self.probable) for w in (constant, weights))
        gain = row_losses(before, self.target) - row_losses(after, self.target)
        mean, chance = np.average(gain, weights=counts), gain - expected_gain(before, after, self.probable)
        variance = (counts**2 * chance**2).sum() / counts.sum() ** 2
        factor = max(0.0, 1 - DOUBT * variance / mean**2) if mean > 0 else 0.0
        return np.asarray(factor * weights + (1 - factor) * constant)


def expected_gain(before: Array, after: Array, probable: bool) -> Array:
    """Return how much lower the loss of each row (rows,) is with the outputs `after` than `before`, if they are right.

    It is the Kullback-Leibler divergence of probabilities, or the mean squared difference of numbers.
    """
    if not probable:
        return np.asarray(((after - before) ** 2).mean(axis=1))
    p, q = (np.maximum(_by_class(outputs), LEAST) for outputs in (after, before))
    return np.asarray((p * np.log(p / q)).sum(axis=1))


def _by_class(outputs: Array) -> Array:
    """Return probabilities (rows, classes) of outputs, which may be those of the second class alone."""
    return outputs if outputs.shape[1] > 1 else np.concatenate([1 - outputs, outputs], axis=1)


def row_losses(outputs: Array, target: Array) -> Array:
    """Return the negative log-likelihood (rows,) of classes, or the mean squared error of numbers (rows, outputs)."""
    if target.ndim > 1:
        return np.asarray(((outputs - target) ** 2).mean(axis=1))
    p = _by_class(outputs)
    return np.asarray(-np.log(np.maximum(p[np.arange(len(target)), target], LEAST)))


def _log_likelihood(choice: Choice) -> Array:
    """Return the weights of 0 or more with the least negative log-likelihood and penalty."""
    from scipy.optimize import minimize

    prior, target, counts = choice.prior, choice.target, choice.counts[:, None]
    logits = log_odds(choice.outputs)
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    rows = np.arange(len(target))

    def objective(w: Array) -> tuple[float, Array]:
        p = probabilities(np.tensordot(w, logits, axes=1))
        loss = -(counts[:, 0] * np.log(np.maximum(p[rows, target], np.finfo(np.float64).tiny))).sum()
        p[rows, target] -= 1
        p *= counts
        slope = np.array([np.vdot(p, of_model) for of_model in logits])
        return loss + PENALTY * ((w - prior) ** 2).sum(), slope + 2 * PENALTY * (w - prior)

    return np.asarray(minimize(objective, prior, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(prior)).x)


def _least_squares(choice: Choice) -> Array:
    """Return the weights of 0 or more that add up to 1, with the least squared error and penalty.

    Errors are divided by those of the best model, so that its squared errors are as large as log-likelihoods.
    """
    from scipy.optimize import minimize

    prior, errors = choice.prior, choice.outputs - choice.target
    products = np.einsum("irk,jrk,r->ij", errors, errors, choice.counts, optimize=True)
    variance = products.diagonal().min() / (choice.counts.sum() * errors.shape[-1]) or 1.0
    quadratic = products / (2 * variance)
    scale = max(quadratic.trace(), 1.0)

    def objective(w: Array) -> tuple[float, Array]:
        value = w @ quadratic @ w + PENALTY * ((w - prior) ** 2).sum()
        return value / scale, 2 * (quadratic @ w + PENALTY * (w - prior)) / scale

    found = minimize(
        objective,
        prior,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * len(prior),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    return np.asarray(found.x)
