"""PyTorch's activations: what they give for a few numbers, and how they take a gradient back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everyone writes it

X = [[-8.0, -2.5, -1.0, -0.3, -1e-3], [1e-3, 0.3, 1.0, 2.5, 8.0], [-40.0, 40.0, 0.7, -0.7, 5.0]]
DY = [[1.0, -2.0, 0.5, 3.0, -1.5], [0.25, -1.0, 2.0, 1.5, -0.75], [2.0, -3.0, 1.0, 0.1, -0.2]]


def prelu(slope: float) -> Callable[[Tensor], Tensor]:
    """With a slope for each unit, as ours has."""
    return lambda x: F.prelu(x, torch.full((x.shape[-1],), slope, dtype=x.dtype))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x * 1,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "leaky_relu: 0.2": lambda x: F.leaky_relu(x, 0.2),
    "prelu": prelu(0.25),
    "prelu: {init: {constant: 0.1}}": prelu(0.1),
    "elu": F.elu,
    "elu: 0.5": lambda x: F.elu(x, 0.5),
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu: tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "softplus": lambda x: F.softplus(x, threshold=1000.0),  # unless told so, theirs turns linear above 20
    "exp": torch.exp,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: F.softmax(x, dim=-1),
}


def answer(function: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    """The output for X, and the gradient by X when that by the output is DY."""
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    y = function(x)
    (dx,) = torch.autograd.grad(y, x, torch.tensor(DY, dtype=torch.float64))
    return {"y": y.tolist(), "dx": dx.tolist()}


def answers() -> dict[str, Any]:
    """All of it, by how we write it."""
    return {"x": X, "dy": DY, "answers": {text: answer(function) for text, function in ACTIVATIONS.items()}}
