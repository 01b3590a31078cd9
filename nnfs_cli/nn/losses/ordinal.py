"""The ordinal loss: the negative log-likelihood of classes that have an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np
from pydantic import AfterValidator, Field, WithJsonSchema

from nnfs_cli.arrays import Array
from nnfs_cli.components.section import invalid
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.layers.ascending import Ascending
from nnfs_cli.nn.layers.cumulative_logits import CumulativeLogits
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softplus import softplus
from nnfs_cli.nn.losses.base import Loss, LossBackward
from nnfs_cli.nn.losses.cross_entropy import margin
from nnfs_cli.pipeline.elementwise import minimum, subtract
from nnfs_cli.pipeline.shapes import concatenate, cumulative_max, cumulative_sum, take
from nnfs_cli.pipeline.value import Value


def _in_order(labels: tuple[str | int, ...]) -> tuple[str | int, ...]:
    if len(labels) == 1 or len(set(labels)) < len(labels):
        raise invalid(f"expected the classes from lowest to highest, each once, found {list(labels)}")
    return labels


if TYPE_CHECKING:
    Order: TypeAlias = Sequence[str | int]  # type checkers accept a list as well
else:
    Order = Annotated[
        tuple[str | Annotated[int, Field(strict=True)], ...],
        AfterValidator(_in_order),
        WithJsonSchema(
            {
                "type": "array",
                "items": {"type": ["string", "integer"]},
                "uniqueItems": True,
                "not": {"type": "array", "minItems": 1, "maxItems": 1},
            }
        ),
    ]


class Ordinal(Loss, name="ordinal", main="order"):
    """Negative log-likelihood of ordered classes: L = -ln(p) with p = y_hat_j - y_hat_j-1 for a row of class j.

    y_hat_k is the probability that the class is k or one before it: 0 before the first and 1 after the last. The net
    ends in a layer that keeps them in order: `cumulative_logits`, which makes all of them of one score (proportional
    odds), or `ascending` after a linear layer, which lets each row have cut points of its own.
    With sigmoid, it is computed from the logits z, which never takes the difference of two probabilities that are
    nearly equal: p = sigmoid(z_j) sigmoid(-z_j-1) (1 - exp(z_j-1 - z_j)). As written, p is kept at least 1e-8 (or the
    machine epsilon) away from 0, and z_j - z_j-1 likewise.
    Gradient: dL/dy_hat_k = -d_k / p, where d_k is 1 for k = j, -1 for k = j - 1 and 0 elsewhere; with sigmoid, dL/dz =
    -d y_hat (1 - y_hat) / p.
    Shapes: y_hat or z (batch, classes - 1); y (batch, classes - 1), 1 where the class is k or before it, else 0;
    L (batch,).
    Source: McCullagh, "Regression Models for Ordinal Data" (1980).
    """

    examples = ("ordinal", "ordinal: [low, medium, high]")
    by_entry = (
        "L = -ln(p)",
        "dy_hat_i = -d_i / p · w",
        "dz_i = -d_i y_hat_i (1 - y_hat_i) / p · w",
    )
    task = "classification"
    activation = Sigmoid
    last_layers = (CumulativeLogits, Ascending)
    ordered = True

    order: Order = Field(default=(), kw_only=False)
    """Classes from lowest to highest. By default, the order of whole numbers, or that of the categories of a table."""

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return one less than the number of classes."""
        return max((n_classes or 2) - 1, 1)

    def n_classes(self, n_outputs: int) -> int:
        """Return one more than the number of outputs."""
        return n_outputs + 1

    def encode(self, y: Array, n_outputs: int) -> Array:
        """(rows,) class indices -> (rows, n), 1 where the class is k or one before it."""
        return np.less_equal(y[:, None], np.arange(n_outputs))

    def answer(self, y_hat: Array) -> Array:
        """(rows, n) -> (rows, n + 1): the probability of each class."""
        ascending = np.maximum.accumulate(y_hat, axis=-1)
        ends = np.zeros_like(y_hat[..., :1])
        return np.diff(ascending, axis=-1, prepend=ends, append=ends + 1)

    def answer_operations(self, y_hat: Value) -> Value:
        """Return the differences of neighbours, and of the ends from 0 and 1."""
        ascending, n = cumulative_max(y_hat), y_hat.width
        first, last = take(ascending, [0]), take(ascending, [n - 1])
        between = [subtract(take(ascending, range(1, n)), take(ascending, range(n - 1)))] if n > 1 else []
        return concatenate([first, *between, subtract(1, last)])

    def to_pool(self, y_hat: Array) -> Array:
        """(rows, n) -> (rows, n + 1): the probability of each class."""
        return self.answer(y_hat)

    def from_pool(self, pooled: Array) -> Array:
        """(rows, n + 1) -> (rows, n): the cumulative probabilities."""
        return np.asarray(np.minimum(np.cumsum(pooled, axis=-1)[..., :-1], 1))

    def to_pool_operations(self, y_hat: Value) -> Value:
        """Return the probability of each class."""
        return self.answer_operations(y_hat)

    def from_pool_operations(self, pooled: Value) -> Value:
        """Return the cumulative probabilities."""
        return minimum(take(cumulative_sum(pooled), range(pooled.width - 1)), 1)

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return p (batch, 1), the probability of the true class, and d (batch, n), which outputs it depends on."""
        upper, lower = _neighbours(y)
        d = upper - lower
        return {"p": (d * y_hat).sum(axis=-1, keepdims=True) + 1 - y[..., -1:], "d": d}

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        d, lower = _neighbours(y, context)
        np.subtract(d, lower, out=d)
        ones, p = context.ones(y.shape[-1]), context.empty(y.shape[:-1])
        np.dot(np.multiply(d, y_hat, out=lower), ones, out=p)
        np.subtract(p, y[..., -1], out=p)
        np.add(p, 1, out=p)
        least = margin(y_hat)
        counts = np.greater(p, least, out=context.empty(p.shape))
        np.maximum(p, least, out=p)
        losses = np.log(p, out=context.empty(p.shape))

        def backward(weight: float | Array) -> Array:
            slope = np.negative(np.divide(counts, p, out=p), out=p)
            dy_hat: Array = np.multiply(d, slope[..., None], out=d)
            return np.multiply(dy_hat, weight, out=dy_hat)

        return np.negative(losses, out=losses), backward

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,).

        -ln(p) = ln(1 + exp(-z_j)) + ln(1 + exp(z_j-1)) - ln(1 - exp(z_j-1 - z_j)), without the terms of z_j for the
        last class and those of z_j-1 for the first.
        """
        upper, lower = _neighbours(y, context)
        s, work = softplus(z, context)  # ln(1 + exp(z)); ln(1 + exp(-z)) is s - z
        d = np.subtract(upper, lower, out=context.empty(z.shape))
        ones, shape = context.ones(z.shape[-1]), z.shape[:-1]
        distance = np.dot(np.multiply(d, z, out=work), ones, out=context.empty(shape))  # z_j - z_j-1
        losses = np.dot(np.multiply(np.add(upper, lower, out=work), s, out=work), ones, out=context.empty(shape))
        np.subtract(losses, np.dot(np.multiply(upper, z, out=work), ones, out=context.empty(shape)), out=losses)
        # Between two cut points; the first and the last class have one.
        inside = np.subtract(y[..., -1], y[..., 0], out=context.empty(shape))
        least = margin(z)
        apart = np.greater(distance, least, out=context.empty(shape))
        np.multiply(apart, inside, out=apart)
        np.maximum(distance, least, out=distance)
        share = np.negative(distance, out=context.empty(shape))
        np.negative(np.expm1(share, out=share), out=share)  # 1 - exp(z_j-1 - z_j)
        term = np.log(share, out=context.empty(shape))
        np.subtract(losses, np.multiply(term, inside, out=term), out=losses)

        def backward(weight: float | Array) -> Array:
            # dL/dz_j = -sigmoid(-z_j) - e and dL/dz_j-1 = sigmoid(z_j-1) + e, with e = exp(-distance) / share.
            e = np.exp(np.negative(distance, out=distance), out=distance)
            np.multiply(np.divide(e, share, out=e), apart, out=e)
            y_hat = np.exp(np.subtract(z, s, out=s), out=s)
            dz = np.multiply(np.add(upper, lower, out=work), y_hat, out=work)
            np.subtract(dz, upper, out=dz)
            np.subtract(dz, np.multiply(d, e[..., None], out=d), out=dz)
            return np.multiply(dz, weight, out=dz)

        return losses, backward


def _neighbours(y: Array, context: Context | None = None) -> tuple[Array, Array]:
    """Return where y_hat_j and y_hat_j-1 are, each (batch, n): 1 there and 0 elsewhere."""
    upper, lower = (np.empty(y.shape) if context is None else context.empty(y.shape) for _ in range(2))
    upper[..., 0] = y[..., 0]
    np.subtract(1, y[..., -1], out=lower[..., -1])
    np.subtract(y[..., 1:], y[..., :-1], out=upper[..., 1:])
    lower[..., :-1] = upper[..., 1:]
    return upper, lower
