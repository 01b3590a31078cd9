"""What a loss is: how wrong each row's output is, and in which direction it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.nn.layers import Context, Layer

Task = Literal["classification", "regression"]

# backward(weight) returns the gradient of Σ_rows weight · loss by the outputs; weight is a number or (batch, 1).
LossBackward = Callable[[float | Array], Array]


class Loss(Component, family="loss"):
    """How wrong the outputs of a batch are, row by row.

    A loss that belongs with a final activation names it, and is then computed together with it from what goes into
    it, the logits: the two derivatives collapse to ``y_hat - y`` and nothing overflows. A net that ends without it is
    taken to give logits, and the activation is added for predictions. Another activation that gives probabilities
    runs as written.

    `reduction` says what the step descends: the mean over the rows of a batch, or their sum, which makes the step as
    many times longer. What is logged is the mean in both cases, so that runs compare.
    """

    needs = ("task", "forward")
    task: ClassVar[Task]
    activation: ClassVar[type[Layer] | None] = None
    target_range: ClassVar[tuple[float, float] | None] = None  # of numbers that can be learned; None for any
    probabilistic: ClassVar[bool] = True  # what it says of classes are probabilities, not mere scores

    reduction: Literal["mean", "sum"] = "mean"
    """What a step descends: the mean over the rows of its batch, or their sum."""

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """How many outputs the net must give: one for each target, where the loss does not say otherwise.

        Raises `ValueError` when the loss cannot serve such a target.
        """
        return n_targets

    def row_weight(self, total: float) -> float:
        """What a row of weight 1 counts in a batch whose weights add up to `total`, the number of rows without any."""
        return 1.0 if self.reduction == "sum" else 1.0 / total

    def encode(self, y: Array, n_outputs: int) -> Array:
        """The target as `forward` wants it, (rows, n_outputs): from class indices (rows,) or values (rows, targets)."""
        return y

    def answer(self, y_hat: Array) -> Array:
        """What the net says, as one column a class (classification) or a target (regression)."""
        return y_hat

    def quantiles(self, y_hat: Array) -> dict[float, Array]:
        """What the net says about each quantile, by its level, (rows, targets), where it was trained for quantiles."""
        return {}

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """Return the loss of each row (batch,) and the function that gives the gradient by `y_hat`."""
        raise NotImplementedError

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """The same for ``y_hat = activation(z)``, with the gradient by the logits z."""
        raise NotImplementedError


def row_means(x: Array, context: Context, factor: float = 1.0) -> Array:
    """A factor times the mean of each row, (batch, n) -> (batch,), in a buffer.

    BLAS adds up short rows several times as fast as a reduction over the last axis does.
    """
    n = x.shape[-1]
    means: Array = np.dot(x, context.ones(n), out=context.empty(x.shape[:-1]))
    np.multiply(means, factor / n, out=means)
    return means


def scaled(weight: float | Array, factor: float, context: Context) -> float | Array:
    """The product weight · factor, in a buffer where each row has a weight of its own."""
    if isinstance(weight, np.ndarray):
        return np.multiply(weight, factor, out=context.empty(weight.shape))
    return weight * factor
