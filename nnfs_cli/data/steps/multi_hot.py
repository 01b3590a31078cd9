"""A column of 0 and 1 for each entry of a list in a cell."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import Text
from nnfs_cli.data.steps.base import OTHER, Fit
from nnfs_cli.data.steps.one_hot import OneHot
from nnfs_cli.data.texts import Texts
from nnfs_cli.pipeline.cells import has_entries
from nnfs_cli.pipeline.elementwise import cast
from nnfs_cli.pipeline.shapes import take
from nnfs_cli.pipeline.value import Value

BRACKETS = ("[]", "{}", "()")
QUOTES = "\"'"
_has_entries = lru_cache(1)(has_entries)  # what the step computes and what it refuses share one operation


class MultiHot(OneHot, name="multi_hot", main="delimiter"):
    """Make an indicator column for each entry of lists such as ``a;b``: y_k = 1 if entry k is in the list, else 0.

    Blanks, quotes and brackets around entries and lists are left out, and an entry counts once in a list. An empty cell
    is a list without entries: all columns are 0.

    Fitted: the entries of the training rows, at most 1,000. Rare entries share one more column, "other", which is 1 if
    any of them is in the list; if there are none, an unknown entry (with `unseen: other`) is left out.
    Source: Tsoumakas and Katakis, "Multi-Label Classification: An Overview" (2007).
    """

    examples = ("multi_hot", "multi_hot: '|'", "multi_hot: {delimiter: ',', min_frequency: 10, unseen: other}")

    delimiter: Text = Field(default=";", kw_only=False)
    """Text between two entries."""

    def fit(self, texts: Texts, y: Array, seed: int, weights: Array | None = None) -> Fit:
        """Return the frequent entries, sorted, and whether there are others; the target plays no role."""
        counts: dict[str | None, float] = {}
        for cell, n in texts.counts(weights).items():
            for entry in self.entries(cell):
                counts[entry] = counts.get(entry, 0) + n
        return self.select(counts, len(texts), "entry")

    def unknown(self, texts: Texts, fit: Fit) -> Array:
        """Return which rows (rows,) hold an entry that no training row held, unless it counts as "other"."""
        if self.unseen == OTHER or fit["other"]:
            return np.zeros(len(texts), bool)
        known = set(fit["levels"])
        by_code = [not known.issuperset(self.entries(cell)) for cell in [*texts.distinct.tolist(), None]]
        return np.array(by_code, bool)[texts.codes]

    def refused(self, text: Value, fit: Fit) -> Value | None:
        """Return whether the list holds an entry that no training row held, unless it counts as "other"."""
        if self.unseen == OTHER or fit["other"]:
            return None
        return take(self._found(text, fit), [len(fit["levels"])])

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Transform lists (rows,) into indicators (rows, n), int8."""
        place = {entry: k for k, entry in enumerate(fit["levels"])}
        other = len(place) if fit["other"] else -1
        codes, rows = np.unique(texts.codes, return_inverse=True)
        found = np.zeros((len(codes), len(place) + fit["other"]), np.int8)
        for i, cell in enumerate(Texts(codes, texts.distinct)):
            columns = {place.get(entry, other) for entry in self.entries(cell)} - {-1}
            found[i, list(columns)] = 1
        return found[rows.reshape(-1)]

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return the indicators of the entries."""
        return cast(take(self._found(text, fit), range(len(fit["levels"]) + fit["other"])), "float64")

    def _found(self, text: Value, fit: Fit) -> Value:
        """Return whether the list holds each known entry, and last whether it holds another one."""
        return _has_entries(text, self.delimiter, tuple(fit["levels"]))

    def entries(self, cell: str | None) -> dict[str, None]:
        """Return the different entries of the list in a cell, in their order; None is an empty cell."""
        cell = (cell or "").strip()
        if len(cell) > 1 and cell[0] + cell[-1] in BRACKETS:
            cell = cell[1:-1]
        entries = (_bare(entry) for entry in cell.split(self.delimiter))
        return dict.fromkeys(filter(None, entries))


def _bare(entry: str) -> str:
    """Return an entry without blanks and quotes around it."""
    entry = entry.strip()
    return entry[1:-1].strip() if len(entry) > 1 and entry[0] == entry[-1] and entry[0] in QUOTES else entry
