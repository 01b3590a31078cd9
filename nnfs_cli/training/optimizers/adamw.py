"""AdamW: Adam with weight decay that is separate from the gradient."""

from __future__ import annotations

from pydantic import Field

from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.training.optimizers.adam import Adam


class AdamW(Adam, name="adamw", main="weight_decay"):
    """Adam with decoupled weight decay: w <- w - lr · weight_decay · w, then the step of adam.

    The decay is not part of the gradient, so unlike an l2 penalty it is not divided by √v̂.
    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2, in PyTorch's form.
    """

    examples = ("adamw", "adamw: 0.1")

    weight_decay: NonNegativeFloat = Field(default=0.01, kw_only=False)
    """Shrink the weights (not biases or normalization) by this share times lr before each step."""
