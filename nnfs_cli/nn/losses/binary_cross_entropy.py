"""Binary cross-entropy: the loss for two classes and one probability."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Fraction
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softplus import softplus
from nnfs_cli.nn.losses.base import Loss, LossBackward, row_means, scaled
from nnfs_cli.nn.losses.cross_entropy import margin
from nnfs_cli.pipeline.elementwise import subtract
from nnfs_cli.pipeline.shapes import concatenate
from nnfs_cli.pipeline.value import Value


class Binary(Loss):
    """The mathematics of binary cross-entropy, shared by the losses built on it."""

    task = "classification"
    activation = Sigmoid
    by_entry = (
        "L = -(y_0 ln(y_hat_0) + (1 - y_0) ln(1 - y_hat_0))",
        "dy_hat_i = (y_hat_i - y_i) / (y_hat_i (1 - y_hat_i)) · w",
        "dz_i = (y_hat_i - y_i) w",
    )

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return 1, for the probability of the second class. Raises `ValueError` unless there are two classes."""
        if n_classes is not None and n_classes != 2:
            raise ValueError(f"{self.name} is for 2 classes; use {self.name.removeprefix('binary_')} after softmax")
        return 1

    def encode(self, y: Array, n_outputs: int) -> Array:
        """(rows,) class indices -> (rows, 1); those of several labels, (rows, n), stay as they are."""
        return y if y.ndim > 1 else y[:, None]

    def answer(self, y_hat: Array) -> Array:
        """(rows, 1) -> (rows, 2); the probabilities of several labels, (rows, n), stay as they are."""
        return y_hat if y_hat.shape[-1] > 1 else np.concatenate([1 - y_hat, y_hat], axis=-1)

    def answer_operations(self, y_hat: Value) -> Value:
        """Return the probabilities of both classes, or of several labels as they are."""
        return y_hat if y_hat.width > 1 else concatenate([subtract(1, y_hat), y_hat])

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        p = np.clip(y_hat, margin(y_hat), 1 - margin(y_hat), out=context.empty(y_hat.shape))
        losses, second, first = (context.empty(y_hat.shape) for _ in range(3))
        np.multiply(y, np.log(p, out=second), out=second)
        np.log1p(np.negative(p, out=first), out=first)
        np.multiply(np.subtract(1, y, out=losses), first, out=first)
        np.negative(np.add(second, first, out=losses), out=losses)

        def backward(weight: float | Array) -> Array:
            spread = np.multiply(np.subtract(1, p, out=second), p, out=second)
            dy_hat = np.divide(np.subtract(p, y, out=p), spread, out=p)
            return np.multiply(dy_hat, _shared(weight, y, context), out=dy_hat)

        return _mean(losses, context), backward

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        s, losses = softplus(z, context)
        np.subtract(s, np.multiply(y, z, out=losses), out=losses)

        def backward(weight: float | Array) -> Array:
            y_hat: Array = np.subtract(z, s, out=s)  # ln(sigmoid(z))
            np.exp(y_hat, out=y_hat)
            return np.multiply(np.subtract(y_hat, y, out=y_hat), _shared(weight, y, context), out=y_hat)

        return _mean(losses, context), backward


def _mean(losses: Array, context: Context) -> Array:
    """Return the mean over the labels of each row, (batch, n) -> (batch,)."""
    return losses[..., 0] if losses.shape[-1] == 1 else row_means(losses, context)


def _shared(weight: float | Array, y: Array, context: Context) -> float | Array:
    """Return the weight of one of the labels of a row."""
    return weight if y.shape[-1] == 1 else scaled(weight, 1 / y.shape[-1], context)


class BinaryCrossEntropy(Binary, name="binary_cross_entropy"):
    """Negative log-likelihood of two classes: L = -[y ln(y_hat) + (1 - y) ln(1 - y_hat)].

    Several targets of two classes each are labels that may be true together: the net has one output for each, and L is
    the mean over them, 1/n Σ_i L_i.
    With sigmoid, it is computed from the logits z: L = s - y z with s = ln(1 + exp(z)) = max(z, 0) + ln(1 + exp(-|z|)),
    and y_hat = sigmoid(z) = exp(z - s).
    As written, y_hat is kept at least 1e-8 (or the machine epsilon) away from 0 and 1, so that L and its gradient stay
    finite. PyTorch bounds the logarithms at -100 instead.
    Gradient: dL/dy_hat = (y_hat - y) / (y_hat (1 - y_hat)); with sigmoid, dL/dz = y_hat - y. Both are divided by n if
    there are n labels.
    Shapes: y_hat or z (batch, n), the probability of the second class of each label; y (batch, n), from 0 to 1;
    L (batch,).
    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.90; Szegedy et al., "Rethinking the
    Inception Architecture for Computer Vision" (2016), section 7, for label smoothing, in Keras' form.
    """

    examples = ("binary_cross_entropy", "binary_cross_entropy: {label_smoothing: 0.1}")

    several_labels = True
    by_entry = (
        "L = -1 / n Σ_i (y_i ln(y_hat_i) + (1 - y_i) ln(1 - y_hat_i))",
        "dy_hat_i = (y_hat_i - y_i) / (y_hat_i (1 - y_hat_i)) / n · w",
        "dz_i = (y_hat_i - y_i) / n · w",
    )

    label_smoothing: Fraction = 0.0
    """Share e of each label that is spread over both classes: y (1 - e) + e / 2. The logged loss includes it."""

    def n_outputs(self, n_classes: int | None, n_targets: int) -> int:
        """Return the number of targets. Raises `ValueError` unless they have two classes."""
        return super().n_outputs(n_classes, n_targets) * n_targets

    def encode(self, y: Array, n_outputs: int) -> Array:
        """Class indices (rows,) or (rows, n) -> (rows, n), the smoothed probability of the second class."""
        return super().encode(y, n_outputs) * (1 - self.label_smoothing) + self.label_smoothing / 2
