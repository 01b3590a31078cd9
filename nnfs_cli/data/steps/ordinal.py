"""Ordered categories as one number."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty, Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.numbers import NUMBER
from nnfs_cli.data.steps.base import EMPTY, Distinct, Fit, KnownCategoriesStep, code_of, sort_categories
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.weighted import deviation, mean
from nnfs_cli.pipeline.cells import is_gap
from nnfs_cli.pipeline.elementwise import cast, divide, less, subtract, where
from nnfs_cli.pipeline.shapes import concatenate
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import counted, listing


class Ordinal(KnownCategoriesStep, name="ordinal", main="order"):
    """Replace a category by its standardized position in an order: y = (position(x) - mean) / std.

    Without an `order`, categories are sorted: by value if all of them are numbers, else alphabetically.

    Fitted: the categories in their order, and the mean and standard deviation of the positions in the training rows. A
    category without a position becomes 0, the mean. So does an empty cell; if training rows had one, a second column is
    1 in such rows and 0 elsewhere.
    Source: Stevens, "On the Theory of Scales of Measurement" (1946).
    """

    examples = ("ordinal", "ordinal: [low, medium, high]")

    order: Annotated[tuple[Text, ...], NotEmpty, Distinct] | None = Field(default=None, kw_only=False)
    """All categories, from the lowest to the highest; training rows may hold no others."""

    @model_validator(mode="after")
    def _order_lists_all_categories(self) -> Self:
        if self.order and (self.min_frequency > 1 or self.max_categories):
            raise invalid(
                "order lists all categories, so min_frequency and max_categories do not apply; leave them out"
            )
        return self

    def fit(self, texts: Texts, y: Array, seed: int, weights: Array | None = None) -> Fit:
        """Return the categories in order, the empty cell last, and the mean and standard deviation of the positions."""
        fit = self._ordered(texts) if self.order else self.known_categories(texts, weights)
        if not self.order:
            fit["levels"] = _sort(fit["levels"])
        positions = self.codes(texts, fit)
        known = positions < _n_positions(fit)
        there, weights = positions[known], None if weights is None else weights[known]
        average, std = (mean(there, weights), deviation(there, weights)) if len(there) else (0.0, 0.0)
        return {**fit, "mean": average, "scale": std or 1.0}

    def _ordered(self, texts: Texts) -> Fit:
        order, counts = list(self.order or ()), texts.counts()
        unlisted = [category for category in counts if category is not None and category not in order]
        if unlisted:
            found = listing([f"'{category[:40]}'" for category in unlisted[:3]])
            rows = counted(int(sum(counts[category] for category in unlisted)), "row")
            raise ValueError(f"holds categories missing from its order, such as {found}, in {rows}; list all of them")
        return {"levels": [*order, *([None] if None in counts else [])], "other": False}

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return the name of the column itself, and of the column that marks empty cells."""
        return ("", EMPTY) if None in fit["levels"] else ("",)

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Transform categories (rows,) into (rows, 1), or (rows, 2) with the column that marks empty cells."""
        positions = self.codes(texts, fit)
        values = np.where(positions < _n_positions(fit), (positions - fit["mean"]) / fit["scale"], 0.0)
        return np.stack([values, texts.gaps] if None in fit["levels"] else [values], axis=1)

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return (position - mean) / scale, or 0 without a position, and whether the cell is empty."""
        position = code_of(text, fit)
        scaled = divide(subtract(cast(position, "float64"), fit["mean"]), fit["scale"])
        values = where(less(position, _n_positions(fit)), scaled, 0.0)
        return concatenate([values, cast(is_gap(text), "float64")]) if None in fit["levels"] else values


def _n_positions(fit: Fit) -> int:
    """Return the number of positions; the empty cell, which is last, has none."""
    return len(fit["levels"]) - (None in fit["levels"])


def _sort(categories: list[str | None]) -> list[str | None]:
    named = [category for category in categories if category is not None]
    if not all(NUMBER.fullmatch(category.strip()) for category in named):
        return sort_categories(categories)
    return [*sorted(named, key=lambda category: (float(category), category)), *categories[len(named) :]]
