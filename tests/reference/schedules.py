"""PyTorch's schedules, one step an epoch: the factors of lr, and those on a plateau of some figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

EPOCHS = 21
FIGURES = [0.9, 0.7, 0.7, 0.65, 0.66, 0.71, 0.69, 0.7, 0.6, 0.61, 0.62, 0.6, 0.6, 0.64, 0.6, 0.6, 0.6, 0.3]


def one_cycle(optimizer: Optimizer, warm: float, start: float, end: float) -> LRScheduler:
    """Theirs ends with the last step, ours, like all else, after it: so a step more, and the peak where ours is."""
    peak = (warm * EPOCHS + 1) / (EPOCHS + 1)
    return OneCycleLR(optimizer, 1.0, EPOCHS + 1, None, None, peak, "cos", False, 0.85, 0.95, 1 / start, start / end)


def warmed_up(optimizer: Optimizer, epochs: int, then: Callable[[Optimizer], LRScheduler]) -> LRScheduler:
    """A climb from 1 / epochs to 1."""
    return SequentialLR(optimizer, [LinearLR(optimizer, 1 / epochs, 1.0, epochs - 1), then(optimizer)], [epochs])


SCHEDULES: dict[str, Callable[[Optimizer], LRScheduler]] = {
    "constant": lambda o: ConstantLR(o, 1.0),
    "constant: {warmup: 5}": lambda o: warmed_up(o, 5, lambda o: ConstantLR(o, 1.0)),
    "step: 10": lambda o: StepLR(o, 10),
    "step: {every: 5, factor: 0.5}": lambda o: StepLR(o, 5, 0.5),
    "exponential": lambda o: ExponentialLR(o, 0.95),
    "exponential: 0.9": lambda o: ExponentialLR(o, 0.9),
    "linear": lambda o: LinearLR(o, 1.0, 0.0, EPOCHS),
    "linear: 0.1": lambda o: LinearLR(o, 1.0, 0.1, EPOCHS),
    "cosine": lambda o: CosineAnnealingLR(o, EPOCHS),
    "cosine: {warmup: 5}": lambda o: warmed_up(o, 5, lambda o: CosineAnnealingLR(o, EPOCHS - 5)),
    "cosine: 2": lambda o: CosineAnnealingWarmRestarts(o, 7),
    "cosine: {restarts: 2, growth: 2.0, end: 0.01}": lambda o: CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "one_cycle": lambda o: one_cycle(o, 0.3, 0.04, 4e-6),
    "one_cycle: {peak: 0.5, start: 0.1, end: 0.001}": lambda o: one_cycle(o, 0.5, 0.1, 0.001),
}
PLATEAUS: dict[str, dict[str, Any]] = {
    "reduce_on_plateau": {},
    "reduce_on_plateau: 3": {"patience": 3},
    "reduce_on_plateau: {factor: 0.5, min_factor: 0.01}": {"factor": 0.5, "min_lr": 0.01},
    "reduce_on_plateau: {patience: 0, factor: 0.3, min_factor: 0.001}": {"patience": 0, "factor": 0.3, "min_lr": 0.001},
    "reduce_on_plateau: {patience: 1, min_delta: 0.06}": {"patience": 1, "threshold": 0.06},
}


def sgd() -> Optimizer:
    """An optimizer with lr 1, so that its lr is the factor."""
    return torch.optim.SGD([torch.zeros(1)], lr=1.0)


def factors(make: Callable[[Optimizer], LRScheduler]) -> list[float]:
    """The factor in each epoch."""
    optimizer = sgd()
    scheduler, passed = make(optimizer), []
    for _ in range(EPOCHS):
        passed.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return passed


def plateau(mode: Any, options: dict[str, Any]) -> list[float]:
    """The factor after each figure."""
    scheduler, passed = ReduceLROnPlateau(sgd(), mode, **{"threshold": 0.0, **options}, threshold_mode="abs", eps=0), []
    for figure in FIGURES:
        scheduler.step(figure)
        passed.append(scheduler.get_last_lr()[0])
    return passed


def answers() -> dict[str, Any]:
    """All of it, by how we write it."""
    return {
        "epochs": EPOCHS,
        "figures": FIGURES,
        "factors": {text: factors(make) for text, make in SCHEDULES.items()},
        "plateaus": {text: {m: plateau(m, options) for m in ("min", "max")} for text, options in PLATEAUS.items()},
    }
