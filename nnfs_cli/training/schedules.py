"""How the learning rate changes while training: what lr is multiplied with in each step.

A schedule is a formula of the time t, in epochs, and keeps nothing. The one that goes by a figure of the log has a
state, a few numbers by name, which the trainer holds for it and a checkpoint can save.
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

State = dict[str, float]


class Schedule(Component, family="schedule"):
    """A rule for the factor of lr in each step, from the warm-up on."""

    needs = ("curve",)

    warmup: NonNegativeFloat = 0.0
    """Epochs in which lr first climbs to its full value, by the same amount each step. The schedule has the rest."""

    def begin(self) -> State:
        """What is remembered before the first step."""
        return {}

    def curve(self, t: float, epochs: float, state: State) -> float:
        """The factor when t of these epochs are done, 0 <= t <= epochs, warm-up aside."""
        raise NotImplementedError

    def at(self, step: int, steps_per_epoch: int, epochs: int, state: State) -> float:
        """The factor in a step, counted from 0.

        Source of the warm-up: Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2.
        """
        warming = round(min(self.warmup * steps_per_epoch, sys.float_info.max))  # the product may overflow
        if step < warming:
            return (step + 1) / warming
        left = max(epochs * steps_per_epoch - warming, 1)
        return self.curve(min(step - warming, left) / steps_per_epoch, left / steps_per_epoch, state)

    def observe(self, row: Mapping[str, float], state: State) -> None:
        """Take note, in `state`, of an epoch that was logged."""


class Constant(Schedule, name="constant"):
    """The same rate throughout: lr(t) = lr.

    Source: Bottou, Curtis and Nocedal, "Optimization Methods for Large-Scale Machine Learning" (2018), theorem 4.6.
    """

    examples = ("constant", "constant: {warmup: 5}")

    def curve(self, t: float, epochs: float, state: State) -> float:
        """Flat."""
        return 1.0


class Step(Schedule, name="step", main="every"):
    """A drop every few epochs: lr(t) = lr · factor^floor(t / every).

    Source: PyTorch's StepLR.
    """

    examples = ("step: 10", "step: {every: 5, factor: 0.5}")

    every: PositiveInt
    """Epochs from one drop to the next."""
    factor: Rate = 0.1
    """What is left of lr after each."""

    def curve(self, t: float, epochs: float, state: State) -> float:
        """Stairs down."""
        return self.factor ** (math.floor(t) // self.every)


class Exponential(Schedule, name="exponential", main="factor"):
    """The same share lost in every epoch, little by little: lr(t) = lr · factor^t.

    Source: Senior et al., "An empirical study of learning rates in deep neural networks for speech recognition"
    (2013); PyTorch's ExponentialLR, which falls once an epoch.
    """

    examples = ("exponential", "exponential: 0.9")

    factor: Rate = 0.95
    """What is left of lr after an epoch."""

    def curve(self, t: float, epochs: float, state: State) -> float:
        """Smooth, and never 0."""
        return math.pow(self.factor, t)


class InverseTime(Schedule, name="inverse_time", main="rate"):
    """Ever more slowly down: lr(t) = lr / (1 + rate · t).

    Source: Robbins and Monro, "A Stochastic Approximation Method" (1951); Bottou, "Stochastic Gradient Descent Tricks"
    (2012).
    """

    examples = ("inverse_time", "inverse_time: 0.5")

    rate: NonNegativeFloat = 0.1
    """lr is half its value after 1 / rate epochs, a third after 2 / rate."""

    def curve(self, t: float, epochs: float, state: State) -> float:
        """Slow enough to reach any distance, fast enough for the noise to die out."""
        return 1 / (1 + self.rate * t)


class Linear(Schedule, name="linear", main="end"):
    """A straight line: lr(t) = lr · (1 + (end - 1) t / epochs).

    Source: Defazio et al., "Optimal Linear Decay Learning Rate Schedules and Further Refinements" (2023).
    """

    examples = ("linear", "linear: 0.1")

    end: NonNegativeFloat = 0.0
    """The share of lr that it ends with."""

    def curve(self, t: float, epochs: float, state: State) -> float:
        """From 1 to `end`."""
        return _between(1, self.end, t / epochs)


class Cosine(Schedule, name="cosine", main="restarts"):
    """Half a cosine down, once or in cycles: lr(t) = lr · (end + (1 - end) (1 + cos(π t / T)) / 2), T epochs a cycle.

    A warm restart begins the next cycle at the full lr again. The cycles fill the training exactly. With `hold`, lr
    stays full for that share of a cycle, and the cosine has the rest.
    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), eq. 5; Hu et al.,
    "MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies" (2024), for the hold.
    """

    examples = ("cosine", "cosine: 2", "cosine: {hold: 0.4}", "cosine: {restarts: 2, growth: 2.0, end: 0.01}")

    end: NonNegativeFloat = 0.0
    """The share of lr that each cycle ends with."""
    hold: Fraction = 0.0
    """The share of each cycle before lr begins to fall."""
    restarts: Annotated[int, Field(strict=True, ge=0, le=300)] = 0
    """How often it starts anew: one less than there are cycles."""
    growth: Annotated[float, Field(strict=True, ge=1, le=10)] = 1.0
    """Each cycle is this many times as long as the one before."""

    def curve(self, t: float, epochs: float, state: State) -> float:
        """From 1 to `end` in each cycle."""
        cycles = [self.growth**n for n in range(self.restarts + 1)]  # their lengths, that of the first being 1
        t = t / epochs * sum(cycles)
        while len(cycles) > 1 and t > cycles[0] * (1 - 1e-9):  # no restart is late for an error of rounding
            t -= cycles.pop(0)
        return _between(1, self.end, _wave(max(t / cycles[0] - self.hold, 0) / (1 - self.hold)))


class OneCycle(Schedule, name="one_cycle"):
    """Up and far down, along cosines: lr(t) goes start · lr -> lr at t = peak · epochs -> end · lr.

    A warm-up would come before the rise, not in its place. Momentum is not cycled.
    Source: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (2018), in the form of PyTorch's OneCycleLR, whose last step has `end` itself; here it is what the training ends at.
    """

    examples = ("one_cycle", "one_cycle: {peak: 0.5, start: 0.1, end: 0.001}")

    peak: Fraction = 0.3
    """The share of the training after which lr is highest."""
    start: NonNegativeFloat = 0.04
    """The share of lr, which is the peak, that it starts with."""
    end: NonNegativeFloat = 4e-6
    """The share of lr that it ends with."""

    def curve(self, t: float, epochs: float, state: State) -> float:
        """From `start` to 1 to `end`."""
        done = t / epochs
        if done < self.peak:
            return _between(self.start, 1, _wave(done / self.peak))
        return _between(1, self.end, _wave((done - self.peak) / (1 - self.peak)))


class Coslog4(Schedule, name="coslog4"):
    """Four waves, each twice as long as the last: lr(t) = lr · (1 - cos(2π log2(1 + 15 t / epochs))) / 2.

    Each begins and ends at 0. A warm-up would come before the first rise, not in its place.
    Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data" (2024), the schedule of RealMLP.
    """

    examples = ("coslog4",)

    def curve(self, t: float, epochs: float, state: State) -> float:
        """0 at 0, 1/15, 3/15, 7/15 and all of the training."""
        return _wave(2 * math.log2(1 + 15 * t / epochs))


class ReduceOnPlateau(Schedule, name="reduce_on_plateau", main="patience"):
    """A drop when the log gets no better: lr <- factor · lr after more than `patience` epochs without a new best.

    Epochs that are not logged do not count; NaN is no new best.
    Source: PyTorch's ReduceLROnPlateau, with its threshold_mode "abs".
    """

    examples = ("reduce_on_plateau", "reduce_on_plateau: 3", "reduce_on_plateau: {factor: 0.5, min_factor: 0.01}")

    patience: Annotated[int, Field(strict=True, ge=0)] = 10
    """Logged epochs in a row that may go without a new best."""
    factor: Rate = 0.1
    """What is left of lr after a drop."""
    min_delta: NonNegativeFloat = 0.0
    """By how much more than this the figure must change to be a new best."""
    min_factor: Fraction = 0.0
    """The share of lr that it never falls below."""
    monitor: Text | None = None
    """The figure of the log that it watches; that of the checkpoint unless given."""
    mode: Mode | None = None
    """Whether that figure is to be small (min) or large (max); known for losses and metrics."""

    def begin(self) -> State:
        """The factor, the best figure, and for how many logged epochs there was no better one."""
        return {"factor": 1.0, "best": math.nan, "waited": 0.0}

    def curve(self, t: float, epochs: float, state: State) -> float:
        """As far down as the figures have led."""
        return state["factor"]

    def observe(self, row: Mapping[str, float], state: State) -> None:
        """Wait, or drop."""
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
    """From a, at share 0, straight to b, at share 1; exact at both, and never negative where neither is."""
    return (1 - share) * a + share * b


def _wave(t: float) -> float:
    """From 0, at t = 0, to 1, at t = 1, and back: along a cosine."""
    return (1 - math.cos(math.pi * t)) / 2
