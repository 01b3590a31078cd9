"""The spread of errors: how large the error of each row is likely to be, compared with that of other rows.

With a spread, intervals are as wide as the row is hard. A spread has a method `sides(X, y_hat, centre)`, which returns
the size of errors below and above the prediction of each row, (rows, targets) each. `X` (rows, features) and `y_hat`
(rows, outputs) are inputs and outputs of the net, and `centre` (rows, targets) is its prediction in the units of its
target, which are those of the spread, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.initializers import Zeros
from nnfs_cli.nn.layers.exp import Exp
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.losses.gamma import Gamma
from nnfs_cli.nn.model import Model
from nnfs_cli.pipeline.elementwise import cast, clip, maximum, multiply, power, subtract
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import concatenate, max_last, min_last, reshape, take
from nnfs_cli.pipeline.value import Value

UNITS = 16  # of the hidden layer
EXPONENT = 1.5  # nets learn sizes to this power: large errors, which decide how wide an interval must be, count more
FARTHEST = 4.0  # standardized inputs are limited to this distance from 0
MOST_PARAMETERS = 1 << 24  # in the first layer of the net in a file
LEAST_SIDE = 0.1  # of the mean distance between outer quantiles and median, so that no row counts as certain


@dataclass(frozen=True)
class QuantileSpread:
    """The spread that a net for quantiles predicts itself: the distance of its outermost quantiles from its median.

    A distance below `least` (targets,) counts as this distance.
    Source: Kivaranovic, Johnson and Leeb, "Adaptive, Distribution-Free Prediction Intervals for Deep Networks" (2020).
    """

    least: Array

    @property
    def n_targets(self) -> int:
        """The number of targets."""
        return len(self.least)

    @classmethod
    def fit(cls, y_hat: Array, n_targets: int, weight: Array) -> Self:
        """Return the rule for a net with these outputs, (rows, targets · levels), for rows of weight (rows,)."""
        low, high = _outermost(y_hat, n_targets)
        return cls(LEAST_SIDE / 2 * np.average(high - low, axis=0, weights=weight) + np.finfo(float).tiny)

    def sides(self, X: Array, y_hat: Array, centre: Array) -> tuple[Array, Array]:
        """Return the distances of the lowest and of the highest quantile, (rows, targets) each."""
        low, high = _outermost(y_hat, len(self.least))
        return np.maximum(centre - low, self.least), np.maximum(high - centre, self.least)

    def side_operations(self, X: Value, y_hat: Value, centre: Value) -> tuple[Value, Value]:
        """Return `sides` as operations of a pipeline, (targets,) each."""
        n = len(self.least)
        quantiles = reshape(cast(y_hat, "float64"), [n, y_hat.width // n])
        low, high = (reshape(end(quantiles), [n]) for end in (min_last, max_last))
        return maximum(subtract(centre, low), self.least), maximum(subtract(high, centre), self.least)

    def to_json(self) -> dict[str, Any]:
        """Return the least distances."""
        return {"least": self.least.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the spread that `to_json` described. Raises `ValueError` if it is not valid."""
        least = np.array(plain["least"], np.float64)
        if least.ndim != 1 or not len(least) or not (np.isfinite(least) & (least > 0)).all():
            raise ValueError("its spread has no least distance above 0 for each target")
        return cls(least)


def _outermost(y_hat: Array, n_targets: int) -> tuple[Array, Array]:
    """Return the lowest and the highest quantile of each target, (rows, targets) each."""
    quantiles = y_hat.astype(np.float64).reshape(len(y_hat), n_targets, -1)
    return quantiles.min(axis=-1), quantiles.max(axis=-1)


@dataclass(frozen=True)
class LearnedSpread:
    """A spread that small nets have learned from the sizes of errors.

    The nets of `model` predict the size of an error to the power `EXPONENT`, from standardized inputs; `mean` and
    `factor` (inputs,) standardize them. The inputs are all `features` but those with the indices in `left_out`, and the
    predictions of the main net. A net is a log-linear model, to which a hidden layer adds.
    `shrink` (targets,) is the power of the predicted sizes that is used: 1 believes them, 0 makes all rows alike.
    """

    model: Model
    mean: Array
    factor: Array
    shrink: Array
    features: int
    left_out: tuple[int, ...]

    @property
    def n_targets(self) -> int:
        """The number of targets."""
        return len(self.shrink)

    @classmethod
    def blank(
        cls, features: int, left_out: Sequence[int], n_targets: int, members: int, rngs: Sequence[Any] | None = None
    ) -> Self:
        """Return a spread that has learned nothing yet, of nets that `rngs` draw, or else with all parameters 0."""
        n = max(features - len(left_out), 1) + n_targets  # as wide as its outputs, a residual would have no projection
        hidden = Linear(units=UNITS), ReLU(), Linear(units=n_targets, init=Zeros())
        model = Model((Residual(layers=hidden, init=Zeros()), Exp()), Gamma(), (n,), "float64", rngs, members=members)
        return cls(model, np.zeros(n), np.ones(n), np.zeros(n_targets), features, tuple(left_out))

    @property
    def log_linear(self) -> list[tuple[Array, Array]]:
        """The coefficients (inputs, targets) and the intercepts (targets,) of each net, which can be overwritten."""
        arrays = self.model.parameters.arrays
        return [*zip(arrays["0.projection"], arrays["0.2.bias"], strict=True)]

    def inputs(self, X: Array, centre: Array) -> Array:
        """Return the inputs of the nets before they are standardized, (rows, inputs)."""
        known = np.delete(X, self.left_out, axis=1) if self.left_out else X
        known = known if known.shape[1] else np.zeros((len(X), 1))
        return np.ascontiguousarray(np.concatenate([known, centre], axis=1, dtype=np.float64))

    def standardize(self, inputs: Array) -> Array:
        """Return the standardized inputs, limited to a distance from 0."""
        standardized: Array = inputs - self.mean
        standardized *= self.factor
        return np.clip(standardized, -FARTHEST, FARTHEST, out=standardized)

    def sides(self, X: Array, y_hat: Array, centre: Array) -> tuple[Array, Array]:
        """Return the same spread twice, (rows, targets)."""
        spread = self.sizes(self.model.predict(self.standardize(self.inputs(X, centre))))
        return spread, spread

    def side_operations(self, X: Value, y_hat: Value, centre: Value) -> tuple[Value, Value]:
        """Return `sides` as operations of a pipeline, (targets,) each."""
        known = [i for i in range(X.width) if i not in self.left_out]
        first = take(X, known) if known else multiply(take(X, [0]), 0)
        with part("size of errors", self.arrays):
            inputs = concatenate([cast(first, "float64"), centre])
            standardized = clip(multiply(subtract(inputs, self.mean), self.factor), -FARTHEST, FARTHEST)
            predicted = self.model.operations(standardized)
            spread = power(predicted, self.shrink / EXPONENT)
        return spread, spread

    def sizes(self, predicted: Array) -> Array:
        """Return the sizes of errors that belong to outputs of nets, (rows, targets) each."""
        sizes: Array = predicted ** (self.shrink / EXPONENT)
        return sizes

    @property
    def arrays(self) -> dict[str, Array]:
        """What was learned, by name: arrays to write to a file, or to fill from one."""
        return {"inputs.mean": self.mean, "inputs.factor": self.factor, **self.model.parameters.arrays}

    def to_json(self) -> dict[str, Any]:
        """Return everything but the arrays."""
        about = {"members": self.model.members, "features": self.features, "left_out": list(self.left_out)}
        return {**about, "shrink": self.shrink.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the spread that `to_json` described, with blank arrays. Raises `ValueError` if it is not valid."""
        members, features, left_out = plain["members"], plain["features"], plain["left_out"]
        shrink = np.array(plain["shrink"], np.float64)
        whole = all(isinstance(number, int) for number in (members, features, *left_out))
        if not whole or not all(0 <= place < features for place in left_out) or len({*left_out}) < len(left_out):
            raise ValueError("its spread does not name the features that it leaves out")
        if shrink.ndim != 1 or not len(shrink) or not ((shrink >= 0) & (shrink <= 1)).all():
            raise ValueError("its spread has no power from 0 to 1 for each target")
        if members < 2 or (features + len(shrink)) * members * UNITS > MOST_PARAMETERS:
            raise ValueError("its spread has too few nets or too many parameters")
        blank = cls.blank(features, left_out, len(shrink), members)
        blank.shrink[...] = shrink
        return blank


Spread: TypeAlias = QuantileSpread | LearnedSpread


def spread_from_json(plain: Mapping[str, Any]) -> Spread:
    """Return the spread that its `to_json` described. Raises `ValueError` if it is not valid."""
    return (QuantileSpread if "least" in plain else LearnedSpread).from_json(plain)
