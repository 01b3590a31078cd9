"""The binary focal loss: binary cross-entropy with less weight on rows that are already predicted well."""

from __future__ import annotations

from nnfs_cli.arrays import Array
from nnfs_cli.nn.losses.binary_cross_entropy import Binary
from nnfs_cli.nn.losses.focal import Focused


class BinaryFocal(Focused, Binary, name="binary_focal", main="gamma"):
    """Focal loss of two classes: L = -(1 - p)^gamma ln(p) with p = y_hat where y = 1, else 1 - y_hat.

    Gradient: for each row, the gradient of binary_cross_entropy times
    (1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p).
    Shapes: y_hat or z (batch, 1), the probability of the second class; y (batch, 1), 0 or 1; L (batch,).
    Source: Lin et al., "Focal Loss for Dense Object Detection" (2017), eq. 4.
    """

    examples = ("binary_focal", "binary_focal: 0.5")
    by_entry = (
        "L = -(1 - p)^gamma ln(p)",
        "dy_hat_i = (y_hat_i - y_i) / (y_hat_i (1 - y_hat_i)) ((1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p)) w",
        "dz_i = (y_hat_i - y_i) ((1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p)) w",
    )

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return p (batch, 1), the probability of the true class."""
        return {"p": y * y_hat + (1 - y) * (1 - y_hat)}
