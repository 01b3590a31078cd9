"""Empty cells filled in."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import FiniteFloat, Switch
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics


class Impute(NumberStep, name="impute", main="by"):
    """Fill empty cells with the median of the training rows, their mean or a constant, and say where they were.

    A column that has gaps in training rows gets a second one beside it, 1 where the cell was empty and 0 elsewhere.
    Comes before all other steps. Source: Rubin, "Inference and Missing Data" (1976).
    """

    examples = ("impute", "impute: mean", "impute: {by: constant, value: 0, indicator: false}")

    by: Literal["median", "mean", "constant"] = "median"
    """What a gap is filled with."""
    value: FiniteFloat | None = None
    """The constant."""
    indicator: Switch = True
    """Whether a column says where the gaps were."""

    @model_validator(mode="after")
    def _constant_has_a_value(self) -> Self:
        if self.by == "constant" and self.value is None:
            raise invalid("constant needs a value, as in {by: constant, value: 0}")
        if self.by != "constant" and self.value is not None:
            raise invalid(f"{self.by} takes no value; by: constant does")
        return self

    def fit(self, column: Array) -> Fit:
        """What gaps are filled with, and whether there were any: 1 or 0."""
        there = column[~np.isnan(column)]
        if self.value is not None:
            fill = self.value
        elif not len(there):
            raise ValueError("is empty in every training row, so nothing can be filled in; drop it")
        else:
            fill = float(np.median(there) if self.by == "median" else there.mean())
        return {"fill": fill, "gaps": float(self.indicator and len(there) < len(column))}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Without gaps."""
        return np.where(np.isnan(values), statistics["fill"], values)
