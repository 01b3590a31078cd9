"""The contract of a loss: a number for the error of each row, and its gradient by the outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.pipeline.value import Value

Task = Literal["classification", "regression"]

# backward(weight) returns the gradient of Σ_rows weight · loss by the outputs. The weight is a number or (batch, 1).
LossBackward = Callable[[float | Array], Array]


class Loss(Component, family="loss"):
    """The error of the outputs of a batch, row by row.

    A loss may name the final activation that it belongs with. The two are then computed together from the input of the
    activation, the logits: the product of the two derivatives collapses to ``y_hat - y``, and nothing overflows. If a
    net ends without this activation, its outputs are logits, and predictions apply the activation. A net that ends with
    another activation is computed as written.

    A step descends the mean or the sum over the rows of a batch, set by `reduction`. The log has the mean in both
    cases, so that runs can be compared.
    """

    needs = ("task", "forward")
    operations_of: ClassVar[Mapping[str, str]] = {
        "answer_operations": "answer",
        "to_pool_operations": "to_pool",
        "from_pool_operations": "from_pool",
        "quantile_operations": "quantiles",
    }
    synonyms: ClassVar[Mapping[str, str]] = {
        "absolute_error": "mae",
        "bce": "binary_cross_entropy",
        "bce_with_logits": "binary_cross_entropy",
        "binary_crossentropy": "binary_cross_entropy",
        "categorical_crossentropy": "cross_entropy",
        "huber_loss": "huber",
        "l1": "mae",
        "l1_loss": "mae",
        "log_loss": "cross_entropy",
        "logcosh": "log_cosh",
        "mean_absolute_error": "mae",
        "mean_squared_error": "mse",
        "mse_loss": "mse",
        "nll": "cross_entropy",
        "nll_loss": "cross_entropy",
        "cumulative_link": "ordinal",
        "ordered_logit": "ordinal",
        "pinball": "quantile",
        "proportional_odds": "ordinal",
        "smooth_l1": "huber",
        "sparse_categorical_crossentropy": "cross_entropy",
        "squared_error": "mse",
    }
    task: ClassVar[Task]
    activation: ClassVar[type[Layer] | None] = None
    last_layers: ClassVar[tuple[type[Layer], ...]] = ()  # one of which the net must end in, before the activation
    counts: ClassVar[bool] = False  # whether the target is counts, which may have an exposure
    several_labels: ClassVar[bool] = False  # whether several targets of two classes each are learned together
    ordered: ClassVar[bool] = False  # whether the order of the classes means something
    target_range: ClassVar[tuple[float, float] | None] = None  # range that targets must lie in; None for any
    probabilistic: ClassVar[bool] = True  # whether the outputs for classes are probabilities, not scores
    by_entry: ClassVar[tuple[str, ...]] = ()  # formulas of single entries, see nn/entry_formulas.py

    reduction: Literal["mean", "sum"] = "mean"
    """Descend the `mean` over the rows of a batch, or their `sum`."""

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return the number of outputs the net must have: one for each target, unless a loss overrides this.

        `n_classes` is None for a regression. Raises `ValueError` if the loss cannot be used for such a target.
        """
        return n_targets

    def n_classes(self, n_outputs: int) -> int:
        """Return the number of classes that a net with so many outputs can tell apart."""
        return max(n_outputs, 2)

    def row_weight(self, total: float) -> float:
        """Return the factor of a row of weight 1 in a batch of weight `total` (its number of rows if unweighted)."""
        return 1.0 if self.reduction == "sum" else 1.0 / total

    def encode(self, y: Array, n_outputs: int) -> Array:
        """Return the target for `forward`, (rows, n_outputs), from class indices (rows,) or values (rows, targets)."""
        return y

    def answer(self, y_hat: Array) -> Array:
        """Return the prediction from the outputs: one column for each class or, in a regression, for each target."""
        return y_hat

    def answer_operations(self, y_hat: Value) -> Value:
        """Return `answer` as operations of a pipeline."""
        return y_hat

    def to_pool(self, y_hat: Array) -> Array:
        """Return outputs (rows, n) as models beside the net give them, so that a blend can pool them."""
        return y_hat

    def to_pool_operations(self, y_hat: Value) -> Value:
        """Return `to_pool` as operations of a pipeline."""
        return y_hat

    def from_pool(self, pooled: Array) -> Array:
        """Return what `to_pool` gave, after pooling, as outputs (rows, n)."""
        return pooled

    def from_pool_operations(self, pooled: Value) -> Value:
        """Return `from_pool` as operations of a pipeline."""
        return pooled

    def quantiles(self, y_hat: Array) -> dict[float, Array]:
        """Return the predicted quantiles (rows, targets) by level; none unless the loss is for quantiles."""
        return {}

    def quantile_operations(self, y_hat: Value) -> dict[float, Value]:
        """Return `quantiles` as operations of a pipeline, (targets,) by level."""
        return {}

    def constant_levels(self) -> tuple[float, ...]:
        """Return the levels of the quantiles that are the best constants for numbers; none if the mean is the best."""
        return ()

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return the numbers of a batch that `by_entry` names, other than y_hat, y, z, settings and n, the outputs.

        Arrays are (batch, n), (batch, 1) or (n,).
        """
        return {}

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """Return the loss of each row (batch,), and the function that returns the gradient by `y_hat`."""
        raise NotImplementedError

    def of_rows(self, y_hat: Array, y: Array) -> Array:
        """Return the loss of each row (rows,) in float64, from outputs and targets of the net (rows, outputs)."""
        context = Context(np.float64)
        context.begin(len(y))
        return np.array(self.forward(y_hat.astype(np.float64), y.astype(np.float64), context)[0])

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """Return the loss of each row for ``y_hat = activation(z)``, and the function that gives the gradient by z."""
        raise NotImplementedError


def row_means(x: Array, context: Context, factor: float = 1.0) -> Array:
    """Return a factor times the mean of each row in a buffer, (batch, n) -> (batch,).

    For short rows a product with ones is several times as fast as a reduction over the last axis.
    """
    n = x.shape[-1]
    means: Array = np.dot(x, context.ones(n), out=context.empty(x.shape[:-1]))
    np.multiply(means, factor / n, out=means)
    return means


def scaled(weight: float | Array, factor: float, context: Context) -> float | Array:
    """Return weight · factor, in a buffer if it is an array."""
    if isinstance(weight, np.ndarray):
        return np.multiply(weight, factor, out=context.empty(weight.shape))
    return weight * factor
