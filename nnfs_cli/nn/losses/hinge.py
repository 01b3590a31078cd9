"""The hinge loss: the score of the true class must exceed the others by 1."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Switch
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward
from nnfs_cli.pipeline.elementwise import negative
from nnfs_cli.pipeline.shapes import concatenate
from nnfs_cli.pipeline.value import Value


class Hinge(Loss, name="hinge"):
    """Hinge of the true class c: L = max(0, 1 - y z) of two classes, else max(0, 1 + max_{j≠c} z_j - z_c).

    Both are max(0, 1 + d · z). With two classes d = -y, which is -1 or +1. With more, d is +1 at the highest wrong
    class, -1 at the true class c, and 0 elsewhere. The scores z are not probabilities.
    Gradient: dL/dz = d where L > 0, else 0; if squared, 2 (1 + d · z) d.
    Shapes: z and y (batch, 1) of two classes, or (batch, n) with y 1 at the class and 0 elsewhere; L (batch,).
    Source: Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines" (2001).
    """

    examples = ("hinge", "hinge: {squared: true}")
    by_entry = (
        "if squared: L = max(0, 1 + Σ_i d_i y_hat_i)²",
        "L = max(0, 1 + Σ_i d_i y_hat_i)",
        "if squared: dy_hat_i = 2 · max(0, 1 + Σ_j d_j y_hat_j) d_i w",
        "dy_hat_i = d_i w for L > 0, else 0",
    )
    task = "classification"
    probabilistic = False

    squared: Switch = False
    """Square L if true, which makes small shortfalls cheaper and large ones more expensive."""

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return 1 for two classes, a score that is high for the second one; otherwise the number of classes."""
        return n_classes if n_classes and n_classes > 2 else 1

    def encode(self, y: Array, n_outputs: int) -> Array:
        """(rows,) class indices -> (rows, 1), -1 or 1; or (rows, n), 1 at the class and 0 elsewhere."""
        return 2 * y[:, None] - 1 if n_outputs == 1 else np.equal(y[:, None], np.arange(n_outputs))

    def answer(self, y_hat: Array) -> Array:
        """(rows, 1) -> (rows, 2); (rows, n) stays as it is."""
        return np.concatenate([-y_hat, y_hat], axis=-1) if y_hat.shape[-1] == 1 else y_hat

    def answer_operations(self, y_hat: Value) -> Value:
        """Return -z and z of one score z; several stay as they are."""
        return concatenate([negative(y_hat), y_hat]) if y_hat.width == 1 else y_hat

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return d (batch, n)."""
        d = -y
        if y.shape[-1] > 1:
            d[np.arange(len(y)), np.where(y > 0, -np.inf, y_hat).argmax(axis=-1)] = 1
        return {"d": d}

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        shape, n = y_hat.shape[:-1], y_hat.shape[-1]
        direction, work = np.negative(y, out=context.empty(y_hat.shape)), context.empty(y_hat.shape)
        if n > 1:
            np.multiply(y, float(np.finfo(y.dtype).min) / 2, out=work)
            np.add(work, y_hat, out=work)  # the true class is now so low that the highest one is a wrong one
            highest = np.argmax(work, axis=-1, out=context.empty(shape, np.intp))
            before = np.multiply(context.indices(highest.size).reshape(shape), n, out=context.empty(shape, np.intp))
            direction.put(np.add(before, highest, out=highest), 1)
        np.multiply(direction, y_hat, out=work)
        lack = np.dot(work, context.ones(n), out=context.empty(shape))
        np.maximum(np.add(lack, 1, out=lack), context.zeros(shape), out=lack)
        slope = np.sign(lack, out=context.empty(lack.shape))  # 1 where L > 0, else 0
        if self.squared:
            np.multiply(lack, 2, out=slope)
            np.square(lack, out=lack)

        def backward(weight: float | Array) -> Array:
            dy_hat: Array = np.multiply(direction, slope[..., None], out=direction)
            return np.multiply(dy_hat, weight, out=dy_hat)

        return lack, backward
