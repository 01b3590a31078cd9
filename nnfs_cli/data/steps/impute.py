"""Empty cells filled with a number."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import FiniteFloat, Switch
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics
from nnfs_cli.data.weighted import mean, median
from nnfs_cli.pipeline.elementwise import is_nan, where
from nnfs_cli.pipeline.value import Value


class Impute(NumberStep, name="impute", main="by"):
    """Fill empty cells with the median or mean of the training rows, or a constant, and mark the cells in a column.

    y = x, or the fill value where x is empty. If training rows have empty cells, a second column is 1 in rows with an
    empty cell and 0 elsewhere. The step comes before all other steps.

    Fitted: the fill value, and whether training rows have empty cells.
    Source: Rubin, "Inference and Missing Data" (1976).
    """

    examples = ("impute", "impute: mean", "impute: {by: constant, value: 0, indicator: false}")

    by: Literal["median", "mean", "constant"] = Field(default="median", kw_only=False)
    """Value that fills empty cells: the median or the mean of the training rows, or a constant."""
    value: FiniteFloat | None = None
    """Constant that fills empty cells with `by: constant`."""
    indicator: Switch = True
    """Add a column that marks empty cells if true, and if training rows have some."""

    @model_validator(mode="after")
    def _constant_has_a_value(self) -> Self:
        if self.by == "constant" and self.value is None:
            raise invalid("by: constant needs a value, as in {by: constant, value: 0}")
        if self.by != "constant" and self.value is not None:
            raise invalid(f"by: {self.by} takes no value; set by: constant, or leave the value out")
        return self

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the fill value, and 1 if the column gets a second one that marks empty cells, else 0."""
        known = ~np.isnan(column)
        there, weights = column[known], None if weights is None else weights[known]
        if self.value is not None:
            fill = self.value
        elif not len(there):
            raise ValueError(f"is empty in every training row, so it has no {self.by} to fill in; drop the column")
        else:
            fill = (median if self.by == "median" else mean)(there, weights)
        return {"fill": fill, "gaps": float(self.indicator and len(there) < len(column))}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Return the values with empty cells filled; the column that marks them is added by `inputs.NumberInputs`."""
        return np.where(np.isnan(values), statistics["fill"], values)

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return x, or the fill value where x is empty."""
        return where(is_nan(values), statistics["fill"], values)
