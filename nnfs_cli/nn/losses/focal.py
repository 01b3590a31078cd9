"""The focal loss: cross-entropy with less weight on rows that are already predicted well."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses.base import Loss, LossBackward
from nnfs_cli.nn.losses.cross_entropy import Categorical


class Focused(Loss):
    """A mixin that makes the next base class, a cross-entropy, focal."""

    gamma: NonNegativeFloat = Field(default=2.0, kw_only=False)
    """Exponent that reduces the weight of well-predicted rows; 0 gives the plain cross-entropy."""

    def forward(self, y_hat: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        return focused(*super().forward(y_hat, y, context), self.gamma, context)

    def forward_logits(self, z: Array, y: Array, context: Context) -> tuple[Array, LossBackward]:
        """(batch, n) -> (batch,)."""
        return focused(*super().forward_logits(z, y, context), self.gamma, context)


class Focal(Focused, Categorical, name="focal", main="gamma"):
    """Focal loss of n classes: L = -(1 - p)^gamma ln(p) with p = y_hat_c, the probability of the true class c.

    p and 1 - p are computed from the cross-entropy -ln(p) of the row, which is exact for extreme logits, too.
    Gradient: for each row, the gradient of cross_entropy times (1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p).
    Shapes: y_hat or z (batch, n); y (batch, n), 1 at the class and 0 elsewhere; L (batch,).
    Source: Lin et al., "Focal Loss for Dense Object Detection" (2017), eq. 4.
    """

    examples = ("focal", "focal: 0.5")
    by_entry = (
        "L = -(1 - p)^gamma ln(p)",
        "dy_hat_i = -y_i / y_hat_i ((1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p)) w",
        "dz_i = (y_hat_i - y_i) ((1 - p)^gamma - gamma p (1 - p)^(gamma - 1) ln(p)) w",
    )

    def named_numbers(self, y_hat: Array, y: Array) -> dict[str, Array | float]:
        """Return p (batch, 1), the probability of the true class."""
        return {"p": np.vecdot(y, y_hat)[..., None]}


def focused(entropy: Array, backward: LossBackward, gamma: float, context: Context) -> tuple[Array, LossBackward]:
    """Return the focal loss L of each row and its backward pass, given the cross-entropy u and the backward pass of u.

    L = q^gamma u and dL/du = q^gamma (1 + gamma u p / q), with p = exp(-u) and q = 1 - p.
    """
    minus_u = np.negative(entropy, out=context.empty(entropy.shape))
    p = np.exp(minus_u, out=context.empty(entropy.shape))
    q = np.negative(np.expm1(minus_u, out=minus_u), out=minus_u)
    np.maximum(q, np.finfo(q.dtype).tiny, out=q)  # where u = q = 0, every product with u / q is 0
    focus = np.power(q, gamma, out=context.empty(entropy.shape))
    losses = np.multiply(focus, entropy, out=context.empty(entropy.shape))
    slope = np.multiply(np.divide(losses, q, out=q), p, out=q)
    np.add(np.multiply(slope, gamma, out=slope), focus, out=slope)
    return losses, lambda weight: backward(np.multiply(slope[..., None], weight, out=slope[..., None]))
