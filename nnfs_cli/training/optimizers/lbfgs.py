"""L-BFGS: steps that use the curvature of the loss, for small nets and tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Count, NonNegativeFloat
from nnfs_cli.training.optimizers.base import Minimizer, Objective


class LBFGS(Minimizer, name="lbfgs", main="memory"):
    """Limited-memory quasi-Newton: w <- w - a · H · dL/dw, with H from the last steps and a from a line search.

    H approximates the inverse of the second derivatives by the changes of the gradient along the last steps. Training
    ends before `epochs` when little is left to gain: no entry of the gradient is larger than `tolerance`, or a step
    lowers the loss by less than 64 units of rounding, as in scikit-learn's LogisticRegression. This is SciPy's L-BFGS-B
    in float64; the loss is computed in the net's dtype, and with float64 it can become lower.
    Source: Liu and Nocedal, "On the Limited Memory BFGS Method for Large Scale Optimization" (1989).
    """

    examples = ("lbfgs", "lbfgs: {memory: 20, tolerance: 1.0e-6}")

    memory: Count = Field(default=10, kw_only=False)
    """Number of last steps that H is computed from."""
    tolerance: NonNegativeFloat = 1e-4
    """Stop when no entry of the gradient is larger than this."""

    def minimize(self, objective: Objective, start: Array, iterations: int, watch: Callable[[Array], bool]) -> bool:
        """Minimize from `start` (n,). Both functions get float64 arrays, and `watch` must copy what it keeps."""
        from scipy.optimize import minimize  # imported here, since SciPy takes long to import

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

        def callback(*, intermediate_result: Any) -> None:  # SciPy requires this name
            nonlocal reached
            reached = tried
            if watch(intermediate_result.x):
                raise StopIteration

        options = {
            "maxcor": self.memory,
            "gtol": self.tolerance,
            "ftol": 64 * np.finfo(np.float64).eps,
            "maxiter": iterations,
            "maxfun": math.inf,  # a long line search must not end the minimization
        }
        w = start.astype(np.float64)
        found = minimize(value_and_gradient, w, method="L-BFGS-B", jac=True, callback=callback, options=options)
        return bool(found.success)


def _half_way_back(w: Array, reached: Array, value: float, gradient: Array) -> tuple[float, Array]:
    """Return a value and a gradient for a point w where the loss overflows; SciPy's line search would fail there.

    They belong to a parabola that has the value and the slope of the loss at the point `reached`, and its minimum
    half-way to w.
    """
    way = w - reached
    return value, way * -(gradient @ way) / (way @ way)
