"""Where weights begin. The scale keeps signals from growing or fading as they pass through the layers.

`fan_in` is the number of inputs of a unit, `fan_out` the number of units it is one input of.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import FiniteFloat, PositiveFloat


class Initializer(Component, family="initializer"):
    """A rule for the first values of a parameter."""

    needs = ("draw",)

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return float64 values of this shape. `rng` is a `numpy.random.Generator` or `RandomState`."""
        raise NotImplementedError


class UniformFanIn(Initializer, name="uniform_fan_in"):
    """U(-k, k) with k = 1 / sqrt(fan_in).

    Source: Glorot and Bengio (2010), eq. 1, "the commonly used heuristic"; PyTorch's default for linear layers.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Spread evenly within one over the square root of the inputs."""
        k = 1 / math.sqrt(fan_in)
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class LecunNormal(Initializer, name="lecun_normal"):
    """N(0, 1 / fan_in), for tanh and selu.

    Source: LeCun et al., "Efficient BackProp" (1998).
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Keep the variance of a linear layer's outputs that of its inputs."""
        return math.sqrt(1 / fan_in) * rng.standard_normal(shape)  # type: ignore[no-any-return]


class LecunUniform(Initializer, name="lecun_uniform"):
    """U(-k, k) with k = sqrt(3 / fan_in), whose variance is that of lecun_normal."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """As lecun_normal, without tails."""
        k = math.sqrt(3 / fan_in)
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class HeNormal(Initializer, name="he_normal"):
    """N(0, 2 / fan_in), for relu.

    Source: He et al., "Delving Deep into Rectifiers" (2015), eq. 10.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Twice the variance, for relu silences half of it."""
        return math.sqrt(2 / fan_in) * rng.standard_normal(shape)  # type: ignore[no-any-return]


class HeUniform(Initializer, name="he_uniform"):
    """U(-k, k) with k = sqrt(6 / fan_in), whose variance is that of he_normal.

    Source: He et al. (2015).
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """As he_normal, without tails."""
        k = math.sqrt(6 / fan_in)
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class XavierNormal(Initializer, name="xavier_normal"):
    """N(0, 2 / (fan_in + fan_out)).

    Source: Glorot and Bengio, "Understanding the difficulty ..." (2010), eq. 12.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Between what the forward and what the backward pass would like."""
        return math.sqrt(2 / (fan_in + fan_out)) * rng.standard_normal(shape)  # type: ignore[no-any-return]


class XavierUniform(Initializer, name="xavier_uniform"):
    """U(-k, k) with k = sqrt(6 / (fan_in + fan_out)).

    Source: Glorot and Bengio (2010), eq. 16; Keras' default.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """As xavier_normal, without tails."""
        k = math.sqrt(6 / (fan_in + fan_out))
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class Normal(Initializer, name="normal", main="std"):
    """N(0, std²), whatever the fan."""

    examples = ("normal: 0.01",)
    std: PositiveFloat = 0.01
    """The standard deviation."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw with the standard deviation that was set."""
        return self.std * rng.standard_normal(shape)  # type: ignore[no-any-return]


class Uniform(Initializer, name="uniform", main="limit"):
    """U(-limit, limit), whatever the fan."""

    examples = ("uniform: 0.05",)
    limit: Annotated[PositiveFloat, Field(le=1e300)] = 0.05
    """The largest value, and its opposite the smallest."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw within the limit that was set."""
        return rng.uniform(-self.limit, self.limit, shape)  # type: ignore[no-any-return]


class Constant(Initializer, name="constant", main="value"):
    """The same value everywhere."""

    examples = ("constant: 0.1",)
    value: FiniteFloat

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw nothing."""
        return np.full(shape, self.value)


class Zeros(Initializer, name="zeros"):
    """0 everywhere: right for a bias, and useless for a weight, since all units would learn the same."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw nothing."""
        return np.zeros(shape)
