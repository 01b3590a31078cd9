"""Cross-entropy: the loss for several classes and their probabilities."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.layers.softmax import Softmax, largest
from nnfs_cli.nn.losses.base import Loss, LossBackward


class Categorical(Loss):
    """The mathematics of cross-entropy, shared by the losses built on it."""

    task = "classification"
    activation = Softmax
    by_entry: ClassVar[tuple[str, ...]] = (
        "L = -Σ_i y_i ln(y_hat_i)",
        "dy_hat_i = -y_i / y_hat_i · w",
        "dz_i = (y_hat_i - y_i) w",
    )

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return the number of classes."""
        return n_classes or 2

    def encode(self, y: Array, n_outputs: int) -> Array:
        """(rows,) class indices -> (rows, n), 1 at the class and 0 elsewhere."""
        return np.equal(y[:, None], np.arange(n_outputs))

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        p = np.maximum(y_hat, margin(y_hat), out=context.empty(y_hat.shape))
        each = np.log(p, out=context.empty(y_hat.shape))
        np.multiply(y, each, out=each)
        losses = np.dot(each, context.ones(y.shape[-1]), out=context.empty(y_hat.shape[:-1]))

        def backward(weight: float | Array) -> Array:
            ratio = np.negative(np.divide(y, p, out=p), out=p)
            return np.multiply(ratio, weight, out=ratio)

        return np.negative(losses, out=losses), backward

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        shape, ones = z.shape[:-1], context.ones(z.shape[-1])
        shifted = np.subtract(z, largest(z, context), out=context.empty(z.shape))
        p = np.exp(shifted, out=context.empty(z.shape))
        total = np.dot(p, ones, out=context.empty(shape))
        losses = np.log(total, out=context.empty(shape))
        np.multiply(y, shifted, out=shifted)
        np.subtract(losses, np.dot(shifted, ones, out=context.empty(shape)), out=losses)

        def backward(weight: float | Array) -> Array:
            y_hat = np.divide(p, total[..., None], out=p)
            dz: Array = np.subtract(y_hat, y, out=y_hat)
            return np.multiply(dz, weight, out=dz)

        return losses, backward


class CrossEntropy(Categorical, name="cross_entropy"):
    """Negative log-likelihood of n classes: L = -Σ_i y_i ln(y_hat_i).

    With softmax, it is computed from the logits z: L = ln Σ_j exp(z_j) - Σ_i y_i z_i. As written, y_hat is kept at
    least 1e-8 (or the machine epsilon) away from 0, so that L stays finite.
    Gradient: dL/dy_hat = -y / y_hat; with softmax, dL/dz = y_hat - y.
    Shapes: y_hat or z (batch, n); y (batch, n), each row adding up to 1; L (batch,).
    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108; Szegedy et al., "Rethinking the
    Inception Architecture for Computer Vision" (2016), section 7, for label smoothing.
    """

    examples = ("cross_entropy", "cross_entropy: {label_smoothing: 0.1}")

    label_smoothing: Fraction = 0.0
    """Share e of each label that is spread over all n classes: y (1 - e) + e / n. The logged loss includes it."""

    def encode(self, y: Array, n_outputs: int) -> Array:
        """(rows,) class indices -> (rows, n), each row adding up to 1."""
        return super().encode(y, n_outputs) * (1 - self.label_smoothing) + self.label_smoothing / n_outputs


def margin(y_hat: Array) -> float:
    """Return the smallest probability that a loss takes the logarithm of: 1e-8, or the machine epsilon if larger."""
    return max(1e-8, float(np.finfo(y_hat.dtype).eps))
