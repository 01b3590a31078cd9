"""Recognise columns whose cells are lists, such as garage;garden."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.data.steps.multi_hot import MultiHot
from nnfs_cli.data.texts import Texts

DELIMITERS = (";", "|", ",", "/", "+")  # the first one that fits is taken
SAMPLE = 5_000  # different cells that are examined
LEAST_SHARE = 0.1  # of the cells that have several entries
LEAST_COUNT = 4  # cells that hold an entry, on average
LONGEST = 3  # words of an entry, on average
MOST = 100  # entries with an input of their own


class Lists(NamedTuple):
    """Lists in the cells of a column: the delimiter, the number of different entries, and a cell with several."""

    delimiter: str
    n_entries: int
    example: str

    @property
    def step(self) -> dict[str, Any]:
        """The preprocessing step for the column, as in a config."""
        most = {"max_categories": MOST} if self.n_entries > MOST else {}
        return {"multi_hot": {"delimiter": self.delimiter, **most, "unseen": "other"}}


def lists_in(texts: Texts) -> Lists | None:
    """Return the lists in the cells of a column, or None.

    Cells are lists if they have different numbers of entries, and there are fewer different entries than cells, which
    recur in other cells and no cell has twice.
    """
    counts = np.bincount(texts.codes[~texts.gaps], minlength=len(texts.distinct))
    present = np.flatnonzero(counts)[:SAMPLE]
    cells = [(str(texts.distinct[code]), int(counts[code])) for code in present]
    return next((found for mark in DELIMITERS if (found := _split_at(mark, cells))), None)


def _split_at(mark: str, cells: list[tuple[str, int]]) -> Lists | None:
    """Return the lists in different cells, each with its number of rows, if this mark separates entries."""
    n_rows = sum(n for _, n in cells)
    if sum(n for text, n in cells if mark in text) < LEAST_SHARE * n_rows:
        return None
    step, entries, lengths = MultiHot(delimiter=mark), Counter[str](), Counter[int]()
    for text, n in cells:
        found = step.entries(text)
        if len(found) < sum(bool(entry.strip()) for entry in text.split(mark)):  # an entry twice
            return None
        entries.update(dict.fromkeys(found, n))
        lengths[len(found)] += n
    n_words = sum(len(entry.split()) for entry in entries) / max(len(entries), 1)
    if len(lengths) < 2 or max(lengths) < 2 or n_words > LONGEST or len(entries) > len(cells):
        return None
    if sum(entries.values()) < LEAST_COUNT * len(entries):
        return None
    example = max((text for text, _ in cells), key=lambda text: text.count(mark) == 1)
    return Lists(mark, len(entries), example)
