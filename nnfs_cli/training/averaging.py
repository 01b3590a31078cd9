"""Averages of the weights over training, which are often better than the last weights.

Evaluation, checkpoints and the final net use the average, while training itself continues with the weights.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import Fraction


class Averaging(Component, family="averaging"):
    """A rule for the rate at which the average follows the weights w: average <- (1 - rate) · average + rate · w.

    Only the average is remembered. The first rate above 0 must be 1, so that the average starts from the weights.
    """

    def after_step(self, step: int) -> float:
        """Return the rate after an optimizer step, counted from 1; 0 leaves the average as it is."""
        return 0.0

    def after_epoch(self, epoch: int, epochs: int) -> float:
        """Return the rate after an epoch, counted from 1, of `epochs`; 0 leaves the average as it is."""
        return 0.0


class EMA(Averaging, name="ema", main="decay"):
    """Exponential moving average: a <- decay · a + (1 - decay) · w after every step, and average = a / (1 - decay^t).

    The division corrects for a, which starts at zero; t is the number of steps. Running statistics, such as those of
    batch_norm, are averaged like the weights.
    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), section 7.2, after Polyak and Juditsky,
    "Acceleration of Stochastic Approximation by Averaging" (1992).
    """

    examples = ("ema", "ema: 0.99")

    decay: Fraction = Field(default=0.999, kw_only=False)
    """Share of the average that a step keeps. The average is over about the last 1 / (1 - decay) steps."""

    def after_step(self, step: int) -> float:
        """Return (1 - decay) / (1 - decay^step), which combines both formulas above."""
        return (1 - self.decay) / (1 - self.decay**step) if step else 0.0


class SWA(Averaging, name="swa", main="start"):
    """Stochastic weight averaging: average = 1/n Σ w at the ends of the n epochs after start · epochs.

    Only epochs with an average can be the best one, and early stopping waits for the first of them. Running statistics,
    such as those of batch_norm, are averaged like the weights, and not computed again by another pass over the rows.
    Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization" (2018), algorithm 1.
    """

    examples = ("swa", "swa: 0.5")

    start: Fraction = Field(default=0.75, kw_only=False)
    """Share of the epochs after which the average begins."""

    def after_epoch(self, epoch: int, epochs: int) -> float:
        """Return 1 / n after the n-th epoch of the average."""
        n = epoch - math.floor(self.start * epochs + 1e-9)  # 0.29 of 100 epochs are 29, not 28.999...
        return 1 / n if n > 0 else 0.0


class Average:
    """The average of a vector of weights (n,) that training changes.

    Without a rule, or before the first rate above 0, the weights themselves serve as the average.
    """

    def __init__(self, rule: Averaging | None, weights: Array) -> None:
        self.rule, self.weights = rule, weights
        self.vector: Array | None = None  # the average, once there is one
        self._epoch = 0  # the last epoch that was averaged
        self._shown = False
        if rule is not None:
            self._average, self._spare = np.zeros_like(weights), np.empty_like(weights)

    @property
    def pending(self) -> bool:
        """Whether there will be an average but there is none yet."""
        return self.rule is not None and self.vector is None

    @property
    def raw(self) -> Array:
        """The weights that training continues with, even while `in_place` shows their average."""
        return self._spare if self._shown else self.weights

    def begin(self) -> None:
        """Forget the average."""
        self.vector, self._epoch, self._shown = None, 0, False

    def over(self, weights: Array, vector: Array | None) -> Average:
        """Return a new average of other weights by the same rule, kept in `vector` if there is a rule."""
        other = Average(self.rule, weights)
        if vector is not None:
            other._average = vector
        return other

    def state(self) -> dict[str, Array]:
        """Return what `restore` needs, by name; empty without a rule."""
        if self.rule is None:
            return {}
        return {"vector": self._average, "begun": np.array(not self.pending), "epoch": np.array(self._epoch)}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Restore what `state` returned."""
        if self.rule is not None:
            np.copyto(self._average, state["vector"])
            self.vector = self._average if state["begun"] else None
            self._epoch = int(state["epoch"])

    def after_step(self, step: int) -> None:
        """Average the weights after this step, if the rule says so."""
        if self.rule is not None:
            self._follow(self.rule.after_step(step))

    def rates(self, first: int, steps: int) -> list[float]:
        """Return the rates after so many steps, for code that averages into `buffer` by itself and then says so."""
        return [self.rule.after_step(step) if self.rule else 0.0 for step in range(first, first + steps)]

    @property
    def buffer(self) -> Array:
        """The array of the average, whose content counts once there is one."""
        return self._average

    def followed(self, rates: Iterable[float]) -> None:
        """Note that `buffer` was moved towards the weights by these rates."""
        if any(rates):
            self.vector = self._average

    def after_epoch(self, epoch: int, epochs: int) -> None:
        """Average the weights after this epoch, if the rule says so and this epoch has not been averaged."""
        if self.rule is not None and epoch > self._epoch:
            self._epoch = epoch
            self._follow(self.rule.after_epoch(epoch, epochs))

    def in_place(self) -> contextlib.AbstractContextManager[None]:
        """Make the vector of weights hold the average within a `with` block."""
        return contextlib.nullcontext() if self.rule is None else self._in_place()

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        self.settle()
        try:
            yield
        finally:
            if self._shown:
                np.copyto(self.weights, self._spare)
                self._shown = False

    def settle(self) -> None:
        """Put the average into the vector of weights."""
        if self.vector is not None and not self._shown:
            np.copyto(self._spare, self.weights)
            np.copyto(self.weights, self.vector)
            self._shown = True

    def _follow(self, rate: float) -> None:
        """Compute average <- (1 - rate) · average + rate · weights; rate 1 copies exactly."""
        if rate == 1:
            self.vector = self._average
            np.copyto(self.vector, self.weights)
        elif rate:
            np.multiply(np.subtract(self.weights, self._average, out=self._spare), rate, out=self._spare)
            np.add(self._average, self._spare, out=self._average)  # a single operation, which no signal can interrupt
