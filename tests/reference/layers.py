"""PyTorch's layers: what batches in a row give, with all gradients, and what one gives once they are learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everyone writes it

Function = Callable[[Tensor, dict[str, Tensor], bool], Tensor]  # of a batch, the parameters, and whether it is to learn


def numbers(*shape: int, start: int = 0) -> Tensor:
    """Some, which look as if they had been drawn."""
    at = torch.arange(start, start + torch.Size(shape).numel(), dtype=torch.float64)
    return (torch.sin(at * at + at) * 1.5 + torch.cos(at * 3)).reshape(shape)


def affine(n_inputs: int, units: int, prefix: str = "") -> dict[str, Tensor]:
    """A weight and a bias as ours are: (n_inputs, units) where PyTorch has (units, n_inputs)."""
    return {f"{prefix}weight": numbers(n_inputs, units, start=7), f"{prefix}bias": numbers(units, start=40)}


def linear(x: Tensor, p: dict[str, Tensor], prefix: str = "") -> Tensor:
    return F.linear(x, p[f"{prefix}weight"].T, p.get(f"{prefix}bias"))


def batch_norm(momentum: float = 0.1, eps: float = 1e-5) -> Function:
    return lambda x, p, training: F.batch_norm(
        x, p["running_mean"], p["running_var"], p["weight"], p["bias"], training, momentum, eps
    )


def layer_norm(eps: float = 1e-5) -> Function:
    return lambda x, p, training: F.layer_norm(x, (4,), p["weight"], p["bias"], eps)


def cumulative(x: Tensor, p: dict[str, Tensor], training: bool) -> Tensor:
    """McCullagh (1980): cut points in order, less one score; PyTorch has none."""
    distances = torch.cat([p["spacing"][:1], p["spacing"][1:].exp()])
    return distances.cumsum(0) - x @ p["weight"]


def ascending(x: Tensor, p: dict[str, Tensor], training: bool) -> Tensor:
    """The first number, and steps above 0 from each to the next; PyTorch has none."""
    z = x + p["spacing"]
    return torch.cat([z[:, :1], F.softplus(z[:, 1:])], dim=1).cumsum(1)


SCALE = {"weight": numbers(4, start=50), "bias": numbers(4, start=60)}
RUNNING = {**SCALE, "running_mean": numbers(4, start=70), "running_var": numbers(4, start=80) ** 2}
LAYERS: dict[str, tuple[dict[str, Tensor], Function]] = {
    "linear: 20": (affine(4, 20), lambda x, p, _: linear(x, p)),
    "linear: {units: 3, bias: false, init: he_normal}": ({"weight": numbers(4, 3)}, lambda x, p, _: linear(x, p)),
    "dense: 20": (affine(4, 20), lambda x, p, _: linear(x, p).sigmoid()),
    "dense: {units: 3, activation: tanh, bias: false}": (
        {"weight": numbers(4, 3)},
        lambda x, p, _: linear(x, p).tanh(),
    ),
    "sequential: [linear: 5, tanh]": (affine(4, 5, "0."), lambda x, p, _: linear(x, p, "0.").tanh()),
    "residual: [linear: 4, tanh, linear: 4]": (
        affine(4, 4, "0.") | affine(4, 4, "2."),
        lambda x, p, _: linear(linear(x, p, "0.").tanh(), p, "2.") + x,
    ),
    "residual: [linear: 3, tanh]": (
        affine(4, 3, "0.") | {"projection": numbers(4, 3, start=90)},
        lambda x, p, _: linear(x, p, "0.").tanh() + x @ p["projection"],
    ),
    "cumulative_logits: 6": ({"weight": numbers(4, 1), "spacing": numbers(6, start=20)}, cumulative),
    "cumulative_logits: {units: 2, init: he_normal}": (
        {"weight": numbers(4, 1), "spacing": numbers(2, start=20)},
        cumulative,
    ),
    "ascending": ({"spacing": numbers(4, start=20)}, ascending),
    "batch_norm": (RUNNING, batch_norm()),
    "batch_norm: {momentum: 0.01, eps: 0.001}": (RUNNING, batch_norm(0.01, 0.001)),
    "layer_norm": (SCALE, layer_norm()),
    "layer_norm: {eps: 0.001}": (SCALE, layer_norm(0.001)),
}


def plain(tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {name: tensor.tolist() for name, tensor in tensors.items()}


def answer(parameters: dict[str, Tensor], function: Function) -> dict[str, Any]:
    """All that goes in and comes out; where something is `kept` of the batches, there are three of them, else one."""
    p = {name: tensor.clone().requires_grad_("running" not in name) for name, tensor in parameters.items()}
    learned = {name: tensor for name, tensor in p.items() if tensor.requires_grad}
    kept = {name: tensor for name, tensor in p.items() if not tensor.requires_grad}
    passes = []
    for start in (100, 200, 300) if kept else (100,):
        x = numbers(5, 4, start=start).requires_grad_()
        y = function(x, p, True)
        dy = numbers(*y.shape, start=start + 50)
        dx, *gradients = torch.autograd.grad(y, [x, *learned.values()], dy)
        found = {"x": x, "y": y, "dy": dy, "dx": dx}
        passes.append({**plain(found), "gradients": plain(dict(zip(learned, gradients, strict=True)))})
    return {
        "parameters": plain(parameters),
        "passes": passes,
        "kept": plain(kept),
        "learned": function(numbers(5, 4, start=400), p, False).tolist(),
    }


def answers() -> dict[str, Any]:
    """All of it, by how we write it."""
    return {
        "x": numbers(5, 4, start=400).tolist(),
        "answers": {text: answer(parameters, function) for text, (parameters, function) in LAYERS.items()},
    }
