"""The training plan of a net, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Optimizer, Stepper
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.schedules import Constant, Schedule


@dataclass(frozen=True)
class Plan:
    """How a net is trained: the optimizer and everything that shapes its steps.

    For each step the gradients of `accumulate` batches are combined as if they were one batch, the penalty is added,
    the gradient is clipped, and the weights decay. The learning rate of a step is `lr` times the factor of the
    schedule. Raises `ValueError` if the optimizer makes steps and there is no `lr`.
    """

    optimizer: Optimizer
    lr: float | None = None  # None for a minimizer, which has no learning rate
    schedule: Schedule = field(default_factory=Constant)
    penalty: Penalty = field(default_factory=Penalty)
    clip: Clip | None = None
    accumulate: int = 1  # batches per step
    averaging: Averaging | None = None
    log_every: int = 1  # epochs from one row of the log to the next
    seed: int = 0  # for the random numbers of layers such as dropout
    edition: int = 2  # of the rules that derive random streams from the seed
    engine: Literal["auto", "numpy", "compiled"] = "auto"  # what makes the steps; auto is the fastest one that can
    threads: int | None = None  # the most threads or processes to train with; None stands for one per core

    def __post_init__(self) -> None:
        if isinstance(self.optimizer, Stepper) and self.lr is None:
            raise ValueError(f"{self.optimizer.name} needs a learning rate, such as lr={self.optimizer.default_lr:g}")
