"""The focal loss: cross-entropy that cares little about rows which are right already."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward
from nnfs_cli.nn.losses.cross_entropy import Categorical


class Focused(Loss):
    """A cross-entropy, which stands beside this among the bases, turned down where the true class is probable."""

    gamma: NonNegativeFloat = 2.0
    """How much less a row counts that is right already; 0 makes it the plain cross-entropy."""

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        return focused(*super().forward(y_hat, y, context), self.gamma, context)

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        return focused(*super().forward_logits(z, y, context), self.gamma, context)


class Focal(Focused, Categorical, name="focal", main="gamma"):
    """Cross-entropy turned down where the true class c is probable: L = -(1 - p)^gamma ln(p) with p = y_hat_c.

    Gradient: that of cross_entropy, row by row, times (1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p). Since
    -ln(p) is the cross-entropy of a row, p and 1 - p follow from it, also for extreme logits.
    Shapes: y_hat or z (batch, n); y (batch, n), 1 at the class and 0 elsewhere; L (batch,).
    Source: Lin et al., "Focal Loss for Dense Object Detection" (2017), eq. 4.
    """

    examples = ("focal", "focal: 0.5")


def focused(entropy: Array, backward: LossBackward, gamma: float, context: Context) -> tuple[Array, LossBackward]:
    """From the cross-entropy u of each row: L = q^gamma u, dL/du = q^gamma (1 + gamma u p / q), p = exp(-u), q = 1 - p.

    `backward` takes the gradient of u further, and the result that of L.
    """
    minus_u = np.negative(entropy, out=context.empty(entropy.shape))
    p = np.exp(minus_u, out=context.empty(entropy.shape))
    q = np.negative(np.expm1(minus_u, out=minus_u), out=minus_u)
    np.maximum(q, np.finfo(q.dtype).tiny, out=q)  # u / q is 0 where both are, as is all that it is multiplied with
    focus = np.power(q, gamma, out=context.empty(entropy.shape))
    losses = np.multiply(focus, entropy, out=context.empty(entropy.shape))
    slope = np.multiply(np.divide(losses, q, out=q), p, out=q)
    np.add(np.multiply(slope, gamma, out=slope), focus, out=slope)
    return losses, lambda weight: backward(np.multiply(slope[..., None], weight, out=slope[..., None]))
