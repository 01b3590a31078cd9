"""AdamW: Adam whose weights shrink a little with every step."""

from __future__ import annotations

from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.training.optimizers.adam import Adam


class AdamW(Adam, name="adamw", main="weight_decay"):
    """Adam with decoupled weight decay: w <- w - lr · weight_decay · w, and then adam's step.

    The decay is no part of the gradient, so it is not divided by √v̂ as an l2 penalty is.
    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2, in PyTorch's form.
    """

    examples = ("adamw", "adamw: 0.1")

    weight_decay: NonNegativeFloat = 0.01
    """Weights (not biases, nor normalisation) shrink by this times lr before each step."""
