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

FOLDER = Path(__file__).parent
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


STEPS = 50
START = [1.0, -2.0, 0.5, 3.0, -0.001, 0.0, 10.0]
OPTIMIZERS: dict[str, Callable[[list[Any]], torch.optim.Optimizer]] = {
    "sgd": lambda w: torch.optim.SGD(w, lr=0.1),
    "sgd: 0.9": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),
    "sgd: {momentum: 0.9, nesterov: true}": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda w: torch.optim.Adam(w, lr=0.1),
    "adam: {beta1: 0.95, beta2: 0.99}": lambda w: torch.optim.Adam(w, lr=0.1, betas=(0.95, 0.99)),
    "rmsprop": lambda w: torch.optim.RMSprop(w, lr=0.1),
    "rmsprop: {alpha: 0.9}": lambda w: torch.optim.RMSprop(w, lr=0.1, alpha=0.9),
    "adagrad": lambda w: torch.optim.Adagrad(w, lr=0.1),
    "adagrad: {initial: 0.1}": lambda w: torch.optim.Adagrad(w, lr=0.1, initial_accumulator_value=0.1),
}


def optimizer(make: Callable[[list[Any]], torch.optim.Optimizer]) -> list[float]:
    """Where 50 steps lead from START, when the gradient is w / (1, 2, ..., 7) + cos(step + (1, 2, ..., 7)) / 10."""
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    moving = make([w])
    places = torch.arange(1, len(START) + 1, dtype=torch.float64)
    for step in range(STEPS):
        w.grad = (w / places + torch.cos(step + places) / 10).detach()
        moving.step()
    return w.detach().tolist()


def write(name: str, content: dict[str, Any]) -> None:
    """A small file of numbers."""
    (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    answers = {name: activation(function) for name, function in ACTIVATIONS.items()}
    write("activations", {"x": X, "dy": DY, "answers": answers})
    answers = {name: optimizer(make) for name, make in OPTIMIZERS.items()}
    write("optimizers", {"start": START, "steps": STEPS, "lr": 0.1, "answers": answers})
