"""What a preprocessing step is: fitted on training rows only, kept as plain numbers and texts, and applied ever after.

There is a kind of step for each kind of column. What `fit` learns is a dict that JSON can hold; it is handed back to
every other method, so a step itself never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.components.field_types import PositiveInt
from nnfs_cli.components.section import invalid
from nnfs_cli.data.table import Kind
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.wording import counted

Statistics = Mapping[str, Array]  # of several columns: each (columns,) or (columns, n)
Fit = dict[str, Any]  # what is known of one column, as JSON can hold it

OTHER = "other"  # what messages and names call all words that have no place of their own
EMPTY = "(empty)"  # what names call an empty cell


class _Different(AfterValidator):
    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "uniqueItems": True}


def _different(entries: tuple[str, ...]) -> tuple[str, ...]:
    for i, entry in enumerate(entries):
        if entry in entries[:i]:
            raise invalid(f"'{entry}' stands here twice")
    return entries


Different = _Different(_different)  # for a tuple of texts


class PreprocessingStep(Component, family="preprocessing step"):
    """A transformation of columns."""

    kind: ClassVar[Kind]  # of the columns it takes


class NumberStep(PreprocessingStep):
    """A transformation of numbers, column by column. Several follow one another: `[log1p, standardize]`."""

    kind = "number"
    invertible: ClassVar[bool] = False  # whether it can be taken back, as a target's must
    centred: ClassVar[bool] = False  # whether what comes out lies around 0
    widens: ClassVar[bool] = False  # whether a column may become several, or none

    def fit(self, column: Array) -> Fit:
        """What has to be known of one column of training rows (rows,), float64. Only `impute` meets gaps, as NaN."""
        return {}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """(rows, columns) -> the same, or as many columns as `outputs` says; `values` must not be written into."""
        return values

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Take `transform` back: (rows, columns) -> the same."""
        raise NotImplementedError

    def outputs(self, columns: Sequence[str], statistics: Statistics) -> list[tuple[str, str]]:
        """Each column that comes out: the name of the one it is made of, and what it is called behind that, or ""."""
        return [(name, "") for name in columns]


class CategoryStep(PreprocessingStep):
    """A transformation of one column of words into numbers. An empty cell is a word like any other, if trained on."""

    kind = "category"
    needs = ("fit", "transform")
    learns_target: ClassVar[bool] = False  # whether what comes out tells of the training rows' target

    def fit(self, texts: Texts, y: Array, seed: int) -> Fit:
        """What has to be known of the training rows: their words, and their target y (rows, n) where that matters.

        y holds the values of a target of numbers, an indicator of the second of two classes, or one for each of more.
        Raises `ValueError` with half a sentence about the column when it cannot be done.
        """
        raise NotImplementedError

    def fit_drawn(self, texts: Texts, y: Array, seed: int, folds: Array) -> Fit:
        """The same from some of the training rows, of which `folds` (rows,) is what `fold_of` says of all."""
        return self.fit(texts, y, seed)

    def names(self, fit: Fit) -> tuple[str, ...]:
        """What the columns that come out are called, behind the name of the one that goes in; "" for the same."""
        return ("",)

    def unknown(self, texts: Texts, fit: Fit) -> Array:
        """Which rows (rows,) hold a word that is refused."""
        return np.zeros(len(texts), bool)

    def fold_of(self, n_rows: int, seed: int) -> Array | None:
        """Which fold of the fit each of the training rows belongs to, (rows,); None where there are no folds."""
        return None

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """(rows,) -> (rows, n). For training rows `folds` (rows,) says which fold of the fit each belongs to."""
        raise NotImplementedError


class LevelStep(CategoryStep):
    """A step with a place for every word: the most frequent ones have one each, and the others share one."""

    min_frequency: PositiveInt = 1
    """Words in fewer training rows than this are put together as "other"."""
    max_categories: PositiveInt | None = None
    """No more words than the most frequent so many have a place of their own."""
    unseen: Literal["error", "other"] = "error"
    """What becomes of a word that was in no training row: an error, unless rare ones are "other"; or always "other"."""

    most: ClassVar[int | None] = None  # places that are sensible

    def fit(self, texts: Texts, y: Array, seed: int) -> Fit:
        """The words that have a place of their own, and whether training rows had others; y does not matter."""
        return self.levels(texts)

    def levels(self, texts: Texts) -> Fit:
        """The words with a place of their own, sorted, with a gap last; and whether training rows had others."""
        counts = texts.counts()
        frequent = [word for word, n in counts.items() if n >= self.min_frequency]
        kept = in_order(sorted(frequent, key=lambda word: (-counts[word], word or ""))[: self.max_categories])
        if self.most and len(kept) > self.most:
            raise ValueError(
                f"holds {counted(len(counts), 'different word')} in {counted(len(texts), 'row')};"
                f" with more than {self.most:,}, use embedding or hashing, set max_categories, or drop it"
            )
        return {"levels": kept, "other": len(kept) < len(counts)}

    def unknown(self, texts: Texts, fit: Fit) -> Array:
        """Words that no training row held, unless they count as "other"."""
        if self.unseen == OTHER or fit["other"]:
            return np.zeros(len(texts), bool)
        unknown: Array = self.places(texts, fit) == len(fit["levels"])
        return unknown

    def places(self, texts: Texts, fit: Fit) -> Array:
        """The place of each row's word among the levels, (rows,); their number where it has none."""
        levels = fit["levels"]
        return texts.look_up({word: i for i, word in enumerate(levels)}, len(levels))


class DateStep(PreprocessingStep):
    """A transformation of one column of dates into numbers."""

    kind = "date"
    needs = ("fit", "names", "transform")

    def fit(self, dates: Array) -> Fit:
        """What has to be known of the training rows (rows,), datetime64[us]; NaT where a cell is empty."""
        raise NotImplementedError

    def names(self, fit: Fit) -> tuple[str, ...]:
        """What the columns that come out are called, behind the name of the one that goes in."""
        raise NotImplementedError

    def unknown(self, dates: Array, fit: Fit) -> Array:
        """Which rows (rows,) are refused, as an empty cell is where no training row had one."""
        return np.zeros(len(dates), bool)

    def transform(self, dates: Array, fit: Fit) -> Array:
        """(rows,) -> (rows, n)."""
        raise NotImplementedError


def in_order(words: Sequence[str | None]) -> list[str | None]:
    """Sorted, with the one that stands for empty cells last."""
    return sorted(words, key=lambda word: (word is None, word or ""))


def rounding(*sizes: float) -> float:
    """By how much numbers of these sizes differ through rounding alone: what varies by no more is constant."""
    return 100 * float(np.finfo(np.float64).eps) * max(map(abs, sizes))


def distance(low: float, high: float) -> float:
    """Return high - low. Raises `ValueError` where that is beyond floating point."""
    if high - low == float("inf"):
        raise ValueError(f"holds numbers too far apart, from {low:g} to {high:g}")
    return high - low


def quantiles(column: Array, levels: Sequence[float] | Array) -> list[float]:
    """Of the numbers (rows,), at levels from 0 to 1, interpolated between rows; whatever their size."""
    shrink = 0.25 if np.abs(column).max() > 1e307 else 1.0  # their distances are to be finite
    found: list[float] = (np.quantile(column * shrink, levels) / shrink).tolist()
    return found


def fit_chain(steps: Sequence[NumberStep], column: Array) -> list[Fit]:
    """Fit steps that follow one another to a column of training rows (rows,), each to what the one before it makes.

    Raises `ValueError` with half a sentence about the column.
    """
    fits = []
    for step in steps:
        fits.append(step.fit(column))
        refuse_overflow(step, column, fits[-1])
        if step is not steps[-1]:
            column = step.transform(column[:, None], stacked(fits[-1:]))[:, 0]
    return fits


def stacked(fits: Sequence[Fit]) -> Statistics:
    """What is known of several columns by the same step."""
    return {key: np.array([fit[key] for fit in fits], np.float64) for key in (fits[0] if fits else ())}


def refuse_overflow(step: PreprocessingStep, column: Array, fit: Fit) -> None:
    """Raise `ValueError`, half a sentence about the column, when what was learned of it is beyond floating point."""
    for value in fit.values():
        if not np.isfinite(np.asarray(value, np.float64)).all():
            largest = f"{np.nanmax(np.abs(column)):g}"
            raise ValueError(f"holds numbers too large to {step.name}, up to {largest}")
