"""PyTorch's embeddings: columns of codes beside columns of numbers, and a layer that sees both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tests.reference.layers import affine, linear, numbers, plain

PLACES = {"city": 1, "zip": 3}  # of the codes among the inputs
SIZES = {"city": (4, 3), "zip": (6, 2)}  # codes and numbers in each vector
CODES = {"city": [0, 3, -1, 3, 1, 0, 3], "zip": [5, -1, -1, 0, 2, 2, 2]}  # -1 is for none


def embedded(codes: Tensor, weight: Tensor) -> Tensor:
    """One more row is PyTorch's padding, which is zero and stays so."""
    padding = len(weight)
    rows = torch.cat([weight, torch.zeros(1, weight.shape[1], dtype=weight.dtype)])
    return torch.nn.functional.embedding(torch.where(codes < 0, padding, codes), rows, padding_idx=padding)


def answers() -> dict[str, Any]:
    """All that goes in and comes out."""
    x = numbers(7, 5, start=100)
    for name, place in PLACES.items():
        x[:, place] = torch.tensor(CODES[name])
    tables = {f"lookup.{name}.weight": numbers(*size, start=20) for name, size in SIZES.items()}
    p = tables | affine(3 + sum(width for _, width in SIZES.values()), 3, "0.")
    p = {name: tensor.requires_grad_() for name, tensor in p.items()}
    others = [x[:, [i for i in range(5) if i not in PLACES.values()]]]
    vectors = [embedded(x[:, PLACES[name]].long(), p[f"lookup.{name}.weight"]) for name in SIZES]
    y = linear(torch.cat(others + vectors, dim=1), p, "0.").tanh()
    dy = numbers(*y.shape, start=150)
    gradients = torch.autograd.grad(y, list(p.values()), dy)
    return {
        **plain({"x": x, "y": y, "dy": dy}),
        "tables": {name: [PLACES[name], *SIZES[name]] for name in SIZES},
        "parameters": plain(p),
        "gradients": plain(dict(zip(p, gradients, strict=True))),
    }
