"""Initializers: rules for the first values of parameters.

Their scale keeps signals from growing or fading on their way through the layers. `fan_in` is the number of inputs of a
unit, and `fan_out` the number of units that read its output.
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
    """A rule for drawing the first values of a parameter."""

    needs = ("draw",)

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return float64 values of this shape, drawn from `rng`, a `numpy.random.Generator` or `RandomState`."""
        raise NotImplementedError


class UniformFanIn(Initializer, name="uniform_fan_in"):
    """Uniform distribution U(-k, k) with k = 1 / sqrt(fan_in).

    Source: Glorot and Bengio (2010), eq. 1, "the commonly used heuristic"; PyTorch's default for linear layers.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from U(-k, k)."""
        k = 1 / math.sqrt(fan_in)
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class LecunNormal(Initializer, name="lecun_normal"):
    """Normal distribution N(0, 1 / fan_in), for tanh and selu.

    Source: LeCun et al., "Efficient BackProp" (1998).
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from N(0, 1 / fan_in), so that a linear layer keeps the variance of its inputs."""
        return math.sqrt(1 / fan_in) * rng.standard_normal(shape)  # type: ignore[no-any-return]


class LecunUniform(Initializer, name="lecun_uniform"):
    """Uniform distribution U(-k, k) with k = sqrt(3 / fan_in), which has the variance of lecun_normal."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from U(-k, k)."""
        k = math.sqrt(3 / fan_in)
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class HeNormal(Initializer, name="he_normal"):
    """Normal distribution N(0, 2 / fan_in), for relu.

    Source: He et al., "Delving Deep into Rectifiers" (2015), eq. 10.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from N(0, 2 / fan_in): twice the variance of lecun_normal, because relu sets half of it to zero."""
        return math.sqrt(2 / fan_in) * rng.standard_normal(shape)  # type: ignore[no-any-return]


class HeUniform(Initializer, name="he_uniform"):
    """Uniform distribution U(-k, k) with k = sqrt(6 / fan_in), which has the variance of he_normal.

    Source: He et al. (2015).
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from U(-k, k)."""
        k = math.sqrt(6 / fan_in)
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class XavierNormal(Initializer, name="xavier_normal"):
    """Normal distribution N(0, 2 / (fan_in + fan_out)), for tanh and sigmoid.

    Source: Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
    Networks" (2010), eq. 12.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from N(0, 2 / (fan_in + fan_out)), a compromise between the forward and the backward pass."""
        return math.sqrt(2 / (fan_in + fan_out)) * rng.standard_normal(shape)  # type: ignore[no-any-return]


class XavierUniform(Initializer, name="xavier_uniform"):
    """Uniform distribution U(-k, k) with k = sqrt(6 / (fan_in + fan_out)), which has the variance of xavier_normal.

    Source: Glorot and Bengio (2010), eq. 16; Keras' default.
    """

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from U(-k, k)."""
        k = math.sqrt(6 / (fan_in + fan_out))
        return rng.uniform(-k, k, shape)  # type: ignore[no-any-return]


class Normal(Initializer, name="normal", main="std"):
    """Normal distribution N(0, std²), whatever the number of connections."""

    examples = ("normal: 0.01",)
    std: PositiveFloat = Field(default=0.01, kw_only=False)
    """Standard deviation of the values."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from N(0, std²)."""
        return self.std * rng.standard_normal(shape)  # type: ignore[no-any-return]


class Uniform(Initializer, name="uniform", main="limit"):
    """Uniform distribution U(-limit, limit), whatever the number of connections."""

    examples = ("uniform: 0.05",)
    limit: Annotated[PositiveFloat, Field(le=1e300)] = Field(default=0.05, kw_only=False)
    """Largest absolute value that can be drawn."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Draw from U(-limit, limit)."""
        return rng.uniform(-self.limit, self.limit, shape)  # type: ignore[no-any-return]


class Constant(Initializer, name="constant", main="value"):
    """A constant: every entry has the same value."""

    examples = ("constant: 0.1",)
    value: FiniteFloat = Field(kw_only=False)
    """Value of every entry."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return the value in every entry."""
        return np.full(shape, self.value)


class Zeros(Initializer, name="zeros"):
    """Zeros: right for biases, but not for weights, whose units would all learn the same."""

    def draw(self, rng: Any, shape: Shape, fan_in: int, fan_out: int) -> Array:
        """Return zeros."""
        return np.zeros(shape)
