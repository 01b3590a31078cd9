"""Schedules: how the learning rate changes during training. A schedule gives the factor of lr in each step.

A schedule is a formula of the time t, in epochs, and keeps no state of its own. A schedule that depends on a figure of
the log has a state, a few numbers by name, which the trainer keeps and a checkpoint saves.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import Fraction, NonNegativeFloat, PositiveInt, Rate, Text
from nnfs_cli.metrics.direction import Mode, improves

ScheduleState = dict[str, float]


class Schedule(Component, family="schedule"):
    """A rule for the factor of lr in each step. During the warm-up, lr rises to its full value instead."""

    needs = ("curve",)

    warmup: NonNegativeFloat = 0.0
    """Number of epochs at the start in which lr rises evenly to its full value. The schedule takes the rest."""

    def begin(self) -> ScheduleState:
        """Return the state before the first step, a few numbers by name; by default there is none."""
        return {}

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return the factor at t of `epochs` epochs, 0 <= t <= epochs, both counted from the end of the warm-up."""
        raise NotImplementedError

    def at(self, step: int, steps_per_epoch: int, epochs: int, state: ScheduleState) -> float:
        """Return the factor in a step, counted from 0 over the whole training.

        Source of the warm-up: Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2.
        """
        warming = round(min(self.warmup * steps_per_epoch, sys.float_info.max))  # the product may overflow
        if step < warming:
            return (step + 1) / warming
        left = max(epochs * steps_per_epoch - warming, 1)
        return self.curve(min(step - warming, left) / steps_per_epoch, left / steps_per_epoch, state)

    def observe(self, row: Mapping[str, float], state: ScheduleState) -> None:
        """Update `state` with a row of the epoch log; by default do nothing."""


class Constant(Schedule, name="constant"):
    """A learning rate that never changes: lr(t) = lr.

    Source: Bottou, Curtis and Nocedal, "Optimization Methods for Large-Scale Machine Learning" (2018), theorem 4.6.
    """

    examples = ("constant", "constant: {warmup: 5}")

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return 1."""
        return 1.0


class Step(Schedule, name="step", main="every"):
    """Multiply lr by a factor every few epochs: lr(t) = lr · factor^floor(t / every).

    Source: PyTorch's StepLR.
    """

    examples = ("step: 10", "step: {every: 5, factor: 0.5}")

    every: PositiveInt = Field(kw_only=False)
    """Number of epochs between two drops."""
    factor: Rate = 0.1
    """Factor of lr at each drop."""

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return factor^floor(t / every)."""
        return self.factor ** (math.floor(t) // self.every)


class Exponential(Schedule, name="exponential", main="factor"):
    """Exponential decay: lr(t) = lr · factor^t, which falls a little with every step.

    Source: Senior et al., "An empirical study of learning rates in deep neural networks for speech recognition"
    (2013); PyTorch's ExponentialLR, which falls once per epoch.
    """

    examples = ("exponential", "exponential: 0.9")

    factor: Rate = Field(default=0.95, kw_only=False)
    """Factor of lr after one epoch."""

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return factor^t."""
        return math.pow(self.factor, t)


class InverseTime(Schedule, name="inverse_time", main="rate"):
    """Decay that becomes slower and slower: lr(t) = lr / (1 + rate · t).

    Source: Robbins and Monro, "A Stochastic Approximation Method" (1951); Bottou, "Stochastic Gradient Descent Tricks"
    (2012).
    """

    examples = ("inverse_time", "inverse_time: 0.5")

    rate: NonNegativeFloat = Field(default=0.1, kw_only=False)
    """Speed of the decay: lr has half its value after 1 / rate epochs, a third after 2 / rate."""

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return 1 / (1 + rate · t)."""
        return 1 / (1 + self.rate * t)


class Linear(Schedule, name="linear", main="end"):
    """Linear decay: lr(t) = lr · (1 + (end - 1) t / epochs).

    Source: Defazio et al., "Optimal Linear Decay Learning Rate Schedules and Further Refinements" (2023).
    """

    examples = ("linear", "linear: 0.1")

    end: NonNegativeFloat = Field(default=0.0, kw_only=False)
    """Factor of lr at the end."""

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return the point of the straight line from 1 to `end`."""
        return _between(1, self.end, t / epochs)


class Cosine(Schedule, name="cosine", main="restarts"):
    """Cosine decay, once or in cycles of T epochs: lr(t) = lr · (end + (1 - end) (1 + cos(π t / T)) / 2).

    A warm restart begins the next cycle at the full lr. The cycles fill the training exactly. With `hold`, lr stays at
    its full value for that share of a cycle, and the cosine takes the rest.
    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), eq. 5; Hu et al.,
    "MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies" (2024), for the hold.
    """

    examples = ("cosine", "cosine: 2", "cosine: {hold: 0.4}", "cosine: {restarts: 2, growth: 2.0, end: 0.01}")

    end: NonNegativeFloat = 0.0
    """Factor of lr at the end of each cycle."""
    hold: Fraction = 0.0
    """Share of each cycle before lr begins to fall."""
    restarts: Annotated[int, Field(strict=True, ge=0, le=300)] = Field(default=0, kw_only=False)
    """Number of restarts, which is one less than the number of cycles."""
    growth: Annotated[float, Field(strict=True, ge=1, le=10)] = 1.0
    """Length of a cycle relative to the cycle before it."""

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return the point of the cosine from 1 to `end` in the current cycle."""
        cycles = [self.growth**n for n in range(self.restarts + 1)]  # lengths relative to the first
        t = t / epochs * sum(cycles)
        while len(cycles) > 1 and t > cycles[0] * (1 - 1e-9):  # a rounding error must not delay a restart
            t -= cycles.pop(0)
        return _between(1, self.end, _wave(max(t / cycles[0] - self.hold, 0) / (1 - self.hold)))


class OneCycle(Schedule, name="one_cycle"):
    """One rise and one long fall, both cosines: lr(t) goes start · lr -> lr at t = peak · epochs -> end · lr.

    A warm-up would come before the rise and not replace it. Momentum is not cycled.
    Source: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (2018), in the form of PyTorch's OneCycleLR, whose last step has `end` itself; here lr reaches `end` after it.
    """

    examples = ("one_cycle", "one_cycle: {peak: 0.5, start: 0.1, end: 0.001}")

    peak: Fraction = 0.3
    """Share of the training after which lr is highest."""
    start: NonNegativeFloat = 0.04
    """Factor of lr at the start. The peak has the factor 1."""
    end: NonNegativeFloat = 4e-6
    """Factor of lr at the end."""

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return the point of the rise from `start` to 1, or of the fall from 1 to `end`."""
        done = t / epochs
        if done < self.peak:
            return _between(self.start, 1, _wave(done / self.peak))
        return _between(1, self.end, _wave((done - self.peak) / (1 - self.peak)))


class Coslog4(Schedule, name="coslog4"):
    """Four waves, each twice as long as the one before: lr(t) = lr · (1 - cos(2π log2(1 + 15 t / epochs))) / 2.

    Each wave begins and ends at 0. A warm-up would come before the first rise and not replace it.
    Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data" (2024), the schedule of RealMLP.
    """

    examples = ("coslog4",)

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return the point of the waves, which are 0 at 0, 1/15, 3/15, 7/15 and 15/15 of the training."""
        return _wave(2 * math.log2(1 + 15 * t / epochs))


class ReduceOnPlateau(Schedule, name="reduce_on_plateau", main="patience"):
    """Multiply lr by a factor on a plateau: lr <- factor · lr after more than `patience` epochs without improvement.

    Only logged epochs count, and NaN is never an improvement.
    Source: PyTorch's ReduceLROnPlateau, with its threshold_mode "abs".
    """

    examples = ("reduce_on_plateau", "reduce_on_plateau: 3", "reduce_on_plateau: {factor: 0.5, min_factor: 0.01}")

    patience: Annotated[int, Field(strict=True, ge=0)] = Field(default=10, kw_only=False)
    """Logged epochs in a row that may pass without improvement."""
    factor: Rate = 0.1
    """Factor of lr at each drop."""
    min_delta: NonNegativeFloat = 0.0
    """A figure is an improvement if it is better by more than this."""
    min_factor: Fraction = 0.0
    """Smallest factor that lr can reach."""
    monitor: Text | None = None
    """Figure of the log to watch. By default it is the figure that checkpoint watches."""
    mode: Mode | None = None
    """Whether lower (min) or higher (max) figures are better. By default, the loss or the metric decides."""

    def begin(self) -> ScheduleState:
        """Return the factor, the best figure, and the number of logged epochs since the best one."""
        return {"factor": 1.0, "best": math.nan, "waited": 0.0}

    def curve(self, t: float, epochs: float, state: ScheduleState) -> float:
        """Return the current factor."""
        return state["factor"]

    def observe(self, row: Mapping[str, float], state: ScheduleState) -> None:
        """Count the epochs without improvement, and lower the factor after too many of them."""
        if row["epoch"] <= self.warmup:
            return
        figure = row[self.monitor or "val_loss"]
        if improves(figure, state["best"], self.mode or "min", self.min_delta):
            state.update(best=figure, waited=0.0)
        elif state["waited"] < self.patience:
            state["waited"] += 1
        else:
            state.update(factor=max(self.factor * state["factor"], self.min_factor), waited=0.0)


def _between(a: float, b: float, share: float) -> float:
    """Return the point between a (at share 0) and b (at share 1): exact at both, and not negative unless one is."""
    return (1 - share) * a + share * b


def _wave(t: float) -> float:
    """Return the point of a cosine that is 0 at t = 0 and 1 at t = 1."""
    return (1 - math.cos(math.pi * t)) / 2
