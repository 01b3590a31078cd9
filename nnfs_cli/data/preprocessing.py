"""What is done to numbers before the net sees them: fitted on training rows only, and kept as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.component import Component
from nnfs_cli.errors import DataError
from nnfs_cli.parameters import Array
from nnfs_cli.settings import Section

Statistics = Mapping[str, Array]  # each (columns,)


class Preprocessor(Component, family="preprocessing step"):
    """A transformation of numeric columns that can be taken back."""

    def fit(self, column: Array) -> dict[str, float]:
        """What has to be known of one column of training rows (rows,)."""
        return {}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """(rows, columns) -> the same."""
        return values

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Take `transform` back: (rows, columns) -> the same."""
        return values


class Unchanged(Preprocessor, name="none"):
    """Leave the numbers as they are."""

    examples = ("none",)


class Standardize(Preprocessor, name="standardize"):
    """Subtract the mean and divide by the standard deviation: x -> (x - mean) / std, both of the training rows.

    A column that is constant, up to the rounding of its own size, is only centred.
    """

    examples = ("standardize",)

    def fit(self, column: Array) -> dict[str, float]:
        """Mean and population standard deviation."""
        mean, std = float(column.mean()), float(column.std())
        rounding = 100 * np.finfo(np.float64).eps * np.abs(column).max()
        return {"mean": mean, "scale": std if std > rounding else 1.0}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Mean 0 and standard deviation 1 on the training rows."""
        return (values - statistics["mean"]) / statistics["scale"]

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Back to the column's own units."""
        return values * statistics["scale"] + statistics["mean"]


class Preprocessing(Section):
    """What is done to the inputs, and to the target where it is numbers."""

    main = "numbers"

    numbers: Preprocessor = Standardize()
    """Of the inputs."""
    target: Preprocessor | None = None
    """Of the target; standardize where that is numbers and none for classes, unless set."""


@dataclass(frozen=True)
class Fitted:
    """A step and what it has learned of its columns, each statistic (columns,)."""

    step: Preprocessor
    statistics: Statistics

    @classmethod
    def to(cls, columns: Mapping[Any, Array], step: Preprocessor) -> Self:
        """Fit a step to columns by name, each (rows,). Raises `DataError` when one is beyond floating point."""
        learned: list[dict[str, float]] = []
        for name, column in columns.items():
            with np.errstate(over="ignore", invalid="ignore"):
                learned.append(step.fit(column))
            if not np.isfinite(list(learned[-1].values())).all():
                largest = f"{np.abs(column).max():g}"
                raise DataError(f"column '{name}' holds numbers too large to {step.name}, up to {largest}")
        keys = learned[0] if learned else ()
        return cls(step, {key: np.array([one[key] for one in learned]) for key in keys})

    def transform(self, values: Array) -> Array:
        """(rows, columns) -> the same."""
        return self.step.transform(values, self.statistics)

    def inverse(self, values: Array) -> Array:
        """Take `transform` back: (rows, columns) -> the same."""
        return self.step.inverse(values, self.statistics)

    def to_json(self) -> dict[str, list[float]]:
        """The statistics as plain JSON, exactly; the step itself stands in the spec."""
        return {key: array.tolist() for key, array in self.statistics.items()}

    @classmethod
    def from_json(cls, statistics: Mapping[str, list[float]], step: Preprocessor) -> Self:
        """Take `to_json` back."""
        return cls(step, {key: np.array(values, np.float64) for key, values in statistics.items()})
