"""L-BFGS: a step that knows the curvature, for nets and tables small enough to be seen as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat, PositiveInt
from nnfs_cli.training.optimizers.base import Minimizer, Objective


class LBFGS(Minimizer, name="lbfgs", main="memory"):
    """Limited-memory quasi-Newton: w <- w - a · H · dL/dw, with H from the last steps and a from a line search.

    H stands for the inverse of the second derivatives; it is built of how the gradient changed along the last steps.
    It ends before `epochs` when nothing is left to gain: no gradient is larger than `tolerance`, or a step gains less
    than 64 rounding steps of the loss, as in scikit-learn's LogisticRegression. This is SciPy's L-BFGS-B in float64;
    the loss is computed in the net's dtype, and with float64 it can go further down.
    Source: Liu and Nocedal, "On the Limited Memory BFGS Method for Large Scale Optimization" (1989).
    """

    examples = ("lbfgs", "lbfgs: {memory: 20, tolerance: 1.0e-6}")

    memory: PositiveInt = 10
    """How many of the last steps H is built of."""
    tolerance: NonNegativeFloat = 1e-4
    """It is done when no entry of the gradient is larger than this."""

    def minimize(self, objective: Objective, start: Array, iterations: int, watch: Callable[[Array], bool]) -> bool:
        """Go down from `start` (n,). Both functions are given float64, and `watch` copies what it wants to keep."""
        from scipy.optimize import minimize  # only who uses it waits for SciPy

        tried = reached = None

        def value_and_gradient(w: Array) -> tuple[float, Array]:
            nonlocal tried, reached
            gradient = np.empty_like(w)
            value = objective(w, gradient)
            if math.isfinite(value) and np.isfinite(gradient).all():
                tried = w, value, gradient
                reached = reached or tried
            elif reached:
                return _half_way_back(w, *reached)
            return value, gradient

        def callback(*, intermediate_result: Any) -> None:  # SciPy goes by this name
            nonlocal reached
            reached = tried
            if watch(intermediate_result.x):
                raise StopIteration

        options = {
            "maxcor": self.memory,
            "gtol": self.tolerance,
            "ftol": 64 * np.finfo(np.float64).eps,
            "maxiter": iterations,
            "maxfun": math.inf,  # a long line search is no reason to end
        }
        w = start.astype(np.float64)
        found = minimize(value_and_gradient, w, method="L-BFGS-B", jac=True, callback=callback, options=options)
        return bool(found.success)


def _half_way_back(w: Array, reached: Array, value: float, gradient: Array) -> tuple[float, Array]:
    """What to say at a w where the loss overflows, from which SciPy's line search would not recover.

    A parabola goes through the point that was reached, as the loss does; its lowest point is half the way to w.
    """
    way = w - reached
    return value, way * -(gradient @ way) / (way @ way)
