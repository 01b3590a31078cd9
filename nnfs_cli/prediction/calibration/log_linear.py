"""Log-linear models of positive numbers: where the nets that learn a spread of errors start."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array

ITERATIONS, HALVINGS = 50, 20
TOLERANCE = 1e-10  # of the objective, relative to its size
FARTHEST = 50.0  # logarithms are limited to this distance from 0, so that no number overflows


def fit_log_linear(X: Array, y: Array, weight: Array, ridge: float) -> tuple[Array, Array]:
    """Return coefficients B (inputs, targets) and intercepts b (targets,) of a model exp(X B + b) of the means of y.

    For each target they minimize Σ_i weight_i (η_i + y_i exp(-η_i)) + ridge/2 |B|², where η = X B + b: the negative
    log-likelihood of a gamma distribution, with a penalty. `X` is (rows, inputs), `y` (rows, targets) is 0 or more,
    `weight` (rows,) is above 0, and so is `ridge`. The method is Newton's, with steps halved until they are better.
    Source: McCullagh and Nelder, "Generalized Linear Models" (1989), sections 2.5 and 8.3.
    """
    design = np.column_stack([np.ones(len(X)), X])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0
    found = np.stack([_minimum(design, of_target, weight, penalty) for of_target in y.T], axis=1)
    return found[1:], found[0]


def _minimum(design: Array, y: Array, weight: Array, penalty: Array) -> Array:
    """Return the best coefficients of one target."""

    def ratio_and_loss(beta: Array) -> tuple[Array, float]:
        eta = np.clip(design @ beta, -FARTHEST, FARTHEST)
        ratio = y * np.exp(-eta)
        return ratio, float(weight @ (eta + ratio) + penalty @ beta**2 / 2)

    beta = np.zeros(len(penalty))
    beta[0] = np.log(max(np.average(y, weights=weight), np.exp(-FARTHEST)))
    ratio, loss = ratio_and_loss(beta)
    for _ in range(ITERATIONS):
        gradient = design.T @ (weight * (ratio - 1)) - penalty * beta
        curvature = design.T @ ((weight * ratio)[:, None] * design) + np.diag(penalty + 1e-9 * weight.sum())
        step = np.linalg.solve(curvature, gradient)
        if gradient @ step <= TOLERANCE * abs(loss):  # rounding errors would decide if such a step is better
            return beta + step
        for _ in range(HALVINGS):
            next_ratio, next_loss = ratio_and_loss(beta + step)
            if next_loss < loss:
                break
            step = step / 2
        beta, ratio, loss = beta + step, next_ratio, next_loss
    return beta
