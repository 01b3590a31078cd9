"""Computes with PyTorch, in float64, what our parts are held against: `python -m tests.reference.make`.

Needs PyTorch (any 2.x, on the CPU). The numbers are committed beside this file, so that the tests run without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 - as everyone writes it

FILE = Path(__file__).parent / "activations.json"
X = [[-8.0, -2.5, -1.0, -0.3, -1e-3], [1e-3, 0.3, 1.0, 2.5, 8.0], [-40.0, 40.0, 0.7, -0.7, 5.0]]
DY = [[1.0, -2.0, 0.5, 3.0, -1.5], [0.25, -1.0, 2.0, 1.5, -0.75], [2.0, -3.0, 1.0, 0.1, -0.2]]

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: F.softmax(x, dim=-1),
    "identity": lambda x: x * 1,
    "leaky_relu": F.leaky_relu,
    "leaky_relu: 0.2": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "elu: 0.5": lambda x: F.elu(x, 0.5),
    "selu": F.selu,
    "softplus": lambda x: F.softplus(x, threshold=1000.0),  # theirs turns linear above 20
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu: tanh": lambda x: F.gelu(x, approximate="tanh"),
    "prelu": lambda x: F.prelu(x, torch.full((x.shape[-1],), 0.25, dtype=x.dtype)),
}


def activation(function: Callable[[Any], Any]) -> dict[str, Any]:
    """The output for X, and the gradient by X when that by the output is DY."""
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    y = function(x)
    y.backward(torch.tensor(DY, dtype=torch.float64))
    return {"y": y.tolist(), "dx": x.grad.tolist()}


if __name__ == "__main__":
    answers = {name: activation(function) for name, function in ACTIVATIONS.items()}
    FILE.write_text(json.dumps({"x": X, "dy": DY, "activations": answers}, indent=1) + "\n", encoding="utf-8")
