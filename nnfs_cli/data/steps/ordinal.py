"""Words that have an order, as one number."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty, Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import EMPTY, Different, Fit, LevelStep, in_order
from nnfs_cli.data.table import NUMBER
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.wording import counted, listing


class Ordinal(LevelStep, name="ordinal", main="order"):
    """The place of a word in an order, standardised: x -> (place(x) - mean) / std, both of the training rows.

    Without an `order` words are sorted, as numbers if all of them are. A word that has no place becomes 0, the mean;
    so does an empty cell, and where training rows had one, a second column is 1 there and 0 elsewhere.
    Source: Stevens, "On the Theory of Scales of Measurement" (1946).
    """

    examples = ("ordinal", "ordinal: [low, medium, high]")

    order: Annotated[tuple[Text, ...], NotEmpty, Different] | None = None
    """All words, from the lowest to the highest; others are refused in training rows."""

    @model_validator(mode="after")
    def _order_names_all_words(self) -> Self:
        if self.order and (self.min_frequency > 1 or self.max_categories):
            raise invalid(
                "order gives every word its place; min_frequency and max_categories are for words without one"
            )
        return self

    def fit(self, texts: Texts, y: Array, seed: int) -> Fit:
        """The words in their order, a gap last, and mean and standard deviation of their places."""
        fit = self._ordered(texts) if self.order else self.levels(texts)
        if not self.order:
            fit["levels"] = _sorted(fit["levels"])
        places = self.places(texts, fit)
        known = places[places < _words(fit)]
        mean, std = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
        return {**fit, "mean": mean, "scale": std or 1.0}

    def _ordered(self, texts: Texts) -> Fit:
        order, counts = list(self.order or ()), texts.counts()
        outside = [word for word in counts if word is not None and word not in order]
        if outside:
            words = listing([f"'{word[:40]}'" for word in outside[:3]])
            rows = counted(sum(counts[word] for word in outside), "row")
            raise ValueError(f"holds words that its order does not name, such as {words}, in {rows}; name all of them")
        return {"levels": [*order, *([None] if None in counts else [])], "other": False}

    def names(self, fit: Fit) -> tuple[str, ...]:
        """The column itself, and where it was empty."""
        return ("", EMPTY) if None in fit["levels"] else ("",)

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """(rows,) -> (rows, 1), or 2 columns with the one that says where cells are empty."""
        places = self.places(texts, fit)
        values = np.where(places < _words(fit), (places - fit["mean"]) / fit["scale"], 0.0)
        return np.stack([values, texts.gaps] if None in fit["levels"] else [values], axis=1)


def _words(fit: Fit) -> int:
    """How many places there are for words: that of a gap is behind them."""
    return len(fit["levels"]) - (None in fit["levels"])


def _sorted(levels: list[str | None]) -> list[str | None]:
    words = [word for word in levels if word is not None]
    if not all(NUMBER.fullmatch(word.strip()) for word in words):
        return in_order(levels)
    return [*sorted(words, key=lambda word: (float(word), word)), *levels[len(words) :]]
