"""The binary focal loss: binary cross-entropy that cares little about rows which are right already."""

from __future__ import annotations

from nnfs_cli.layers import Context
from nnfs_cli.losses.base import LossBackward
from nnfs_cli.losses.binary_cross_entropy import Binary
from nnfs_cli.losses.focal import focused
from nnfs_cli.parameters import Array
from nnfs_cli.settings import NonNegativeFloat


class BinaryFocal(Binary, name="binary_focal", main="gamma"):
    """Focal loss of two classes: L = -(1 - p)^gamma ln(p) with p = y_hat where y = 1, else 1 - y_hat.

    Gradient: that of binary_cross_entropy, row by row, times (1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p).
    Shapes: y_hat or z (batch, 1), the probability of the second class; y (batch, 1), 0 or 1; L (batch,).
    Source: Lin et al., "Focal Loss for Dense Object Detection" (2017), eq. 4.
    """

    examples = ("binary_focal", "binary_focal: 0.5")

    gamma: NonNegativeFloat = 2.0
    """How much less a row counts that is right already; 0 makes it binary_cross_entropy."""

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, 1) -> (batch,)."""
        return focused(*super().forward(y_hat, y, context), self.gamma, context)

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, 1) -> (batch,)."""
        return focused(*super().forward_logits(z, y, context), self.gamma, context)
