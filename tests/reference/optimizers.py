"""PyTorch's optimizers: where they are after 50 steps. Lion, which PyTorch does not have, is as its paper says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop

LR, STEPS = 0.1, 50
START = [1.0, -2.0, 0.5, 3.0, -0.001, 0.0, 10.0]


class Lion(Optimizer):
    """Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2, line by line."""

    def __init__(self, w: list[Tensor], lr: float, betas: tuple[float, float], weight_decay: float) -> None:
        super().__init__(w, {})
        self.lr, self.betas, self.weight_decay = lr, betas, weight_decay
        self.m = torch.zeros_like(w[0])

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        (w,), (b1, b2) = self.param_groups[0]["params"], self.betas
        update = torch.sign(b1 * self.m + (1 - b1) * w.grad)
        self.m = b2 * self.m + (1 - b2) * w.grad
        w -= self.lr * (update + self.weight_decay * w)


OPTIMIZERS: dict[str, Callable[[list[Tensor]], Optimizer]] = {
    "sgd": lambda w: SGD(w, LR),
    "sgd: 0.9": lambda w: SGD(w, LR, momentum=0.9),
    "sgd: {momentum: 0.9, nesterov: true}": lambda w: SGD(w, LR, momentum=0.9, nesterov=True),
    "sgd: {weight_decay: 0.1}": lambda w: SGD(w, LR, weight_decay=0.1),  # without momentum both kinds are one
    "adam": lambda w: Adam(w, LR),
    "adam: {beta1: 0.95, beta2: 0.99}": lambda w: Adam(w, LR, betas=(0.95, 0.99)),
    "adam: {weight_decay: 0.1}": lambda w: AdamW(w, LR, weight_decay=0.1),  # theirs has it in the gradient
    "adamw": lambda w: AdamW(w, LR),
    "adamw: 0.1": lambda w: AdamW(w, LR, weight_decay=0.1),
    "nadam": lambda w: NAdam(w, LR),
    "nadam: {momentum_decay: 0.01}": lambda w: NAdam(w, LR, momentum_decay=0.01),
    "nadam: {weight_decay: 0.1}": lambda w: NAdam(w, LR, weight_decay=0.1, decoupled_weight_decay=True),
    "lion": lambda w: Lion(w, LR, (0.9, 0.99), 0.0),
    "lion: {beta1: 0.95, beta2: 0.98}": lambda w: Lion(w, LR, (0.95, 0.98), 0.0),
    "lion: {weight_decay: 0.1}": lambda w: Lion(w, LR, (0.9, 0.99), 0.1),
    "rmsprop": lambda w: RMSprop(w, LR),
    "rmsprop: {alpha: 0.9}": lambda w: RMSprop(w, LR, alpha=0.9),
    "adagrad": lambda w: Adagrad(w, LR),
    "adagrad: {initial: 0.1}": lambda w: Adagrad(w, LR, initial_accumulator_value=0.1),
}


def answer(make: Callable[[list[Tensor]], Optimizer]) -> Any:
    """Where the steps lead from START, when the gradient is w / (1, 2, ..., 7) + cos(step + (1, 2, ..., 7)) / 10."""
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = make([w])
    places = torch.arange(1, len(START) + 1, dtype=torch.float64)
    for step in range(STEPS):
        w.grad = (w / places + torch.cos(step + places) / 10).detach()
        optimizer.step()
    return w.tolist()


def answers() -> dict[str, Any]:
    """All of it, by how we write it."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps its product of momenta in it
    try:
        found = {text: answer(make) for text, make in OPTIMIZERS.items()}
    finally:
        torch.set_default_dtype(usual)
    return {"start": START, "steps": STEPS, "lr": LR, "answers": found}
