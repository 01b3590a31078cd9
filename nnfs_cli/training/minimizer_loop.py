"""Training by a minimizer: each iteration computes the loss of all rows, once or a few times."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import isfinite

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.nn.model import Model
from nnfs_cli.training.divergence import diverged
from nnfs_cli.training.optimizers import Minimizer
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import Progress


class MinimizerLoop:
    """The iterations of a minimizer, each of which counts as an epoch and as a step.

    `after_iteration` is called with the mean loss of all rows, and returns whether to stop.
    """

    def __init__(
        self,
        model: Model,
        plan: Plan,
        rows: TrainingRows,
        progress: Progress,
        after_iteration: Callable[[float], bool],
    ) -> None:
        self.model, self.plan, self.progress, self.after_iteration = model, plan, progress, after_iteration
        self.loss = math.nan  # mean loss where the last iteration ended
        self._rows = x, _, weight = rows.take(slice(None))
        self._total = float(len(x)) if weight is None else float(np.add.reduce(weight)) or 1.0
        self._penalties = plan.penalty.begin(model.parameters)
        self._reached = model.parameters.vector.copy()
        self._tried = model.parameters.learned.astype(np.float64), math.nan  # the last point, and the loss there

    def run(self, optimizer: Minimizer) -> bool:
        """Minimize the loss, and return whether the optimizer has converged."""
        start, vector = self._tried[0], self.model.parameters.vector
        try:
            converged = optimizer.minimize(self._objective, start, self.progress.epochs, self._end_iteration)
        finally:
            np.copyto(vector, self._reached)  # the optimizer may have tried another point since
        if self.progress.epoch == 0:  # no step lowered the loss
            self._end_iteration(start)
        return converged

    def _objective(self, w: Array, g: Array) -> float:
        """Write the gradient at the parameters w (n,) into g (n,), and return the loss with its penalty there."""
        model, learned = self.model, self.model.parameters.learned
        np.copyto(model.parameters.vector, self._reached)  # running statistics are as the last iteration left them
        np.copyto(learned, w, casting="same_kind")
        loss = model.differentiate(*self._rows) / self._total
        self._tried = w.copy(), loss
        value = loss * self._total * model.loss.row_weight(self._total)
        if self._penalties:
            self.plan.penalty.add_gradient(learned, model.gradients.vector, self._penalties)
            value += self.plan.penalty.value(learned, self._penalties)
        np.copyto(g, model.gradients.vector)
        return value

    def _end_iteration(self, w: Array) -> bool:
        """Take w (n,) as the parameters that the iteration reached, and return whether to stop."""
        if math.isnan(self._tried[1]) or not np.array_equal(w, self._tried[0]):
            self._objective(w, np.empty(w.size))
        loss = self._tried[1]
        if not isfinite(loss):
            where = f"iteration {self.progress.epoch + 1}"
            raise diverged(where, loss, self.model.first_not_finite(*self._rows), self.plan, self.progress)
        np.copyto(self._reached, self.model.parameters.vector)
        self.loss = loss
        self.progress.epoch += 1
        self.progress.step += 1
        return self.after_iteration(loss)
