"""Define preprocessing steps: fit one to training rows only, store what it learned as JSON, apply it to any rows.

There is one kind of step for each kind of column: numbers, categories and dates. `fit` returns what it learned as a
dictionary, and every other method receives that dictionary again, so a step itself never changes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
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
from nnfs_cli.errors import ExportError
from nnfs_cli.pipeline.cells import look_up
from nnfs_cli.pipeline.elementwise import equal
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import counted

Fit = dict[str, Any]  # what a step learned from one column, in values that JSON can hold
Statistics = Mapping[str, Array]  # the fits of several columns, stacked: each array is (columns,) or (columns, n)

OTHER = "other"  # the name that rare and unknown categories share
EMPTY = "(empty)"  # the name of the category that stands for empty cells


class _Distinct(AfterValidator):
    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "uniqueItems": True}


def _refuse_repeats(entries: tuple[str, ...]) -> tuple[str, ...]:
    for i, entry in enumerate(entries):
        if entry in entries[:i]:
            raise invalid(f"'{entry}' is listed twice")
    return entries


Distinct = _Distinct(_refuse_repeats)  # annotates a tuple of texts in which no text may occur twice


class PreprocessingStep(Component, family="preprocessing step"):
    """A transformation of columns before they reach the net."""

    kind: ClassVar[Kind]
    """The kind of column that the step takes."""


class NumberStep(PreprocessingStep):
    """A transformation of columns of numbers. Several can follow one another: `[log1p, standardize]`.

    Only `impute` meets empty cells, as NaN; every other step receives finite numbers.
    """

    kind = "number"
    operations_of: ClassVar[Mapping[str, str]] = {"operations": "transform", "inverse_operations": "inverse"}
    invertible: ClassVar[bool] = False
    """Whether `inverse` undoes `transform`; a step for the target must be invertible."""
    limits: ClassVar[bool] = False
    """Whether the step does nothing but limit the numbers that `inverse` returns."""
    centred: ClassVar[bool] = False
    """Whether the transformed numbers lie around 0."""
    widens: ClassVar[bool] = False
    """Whether one column may become several columns, or none."""

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return what the step needs to know about one column of training rows (rows,), float64.

        A row counts as often as its weight in `weights` (rows,) says; the functions in `weighted` compute statistics of
        such rows.
        Raises `ValueError` when the step cannot take the column; its message continues a sentence about the column.
        """
        return {}

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Transform values (rows, columns) into (rows, outputs), one output for each entry of `outputs`.

        Must not write into `values`.
        """
        return values

    def ready(self, statistics: Statistics) -> Callable[[Array], Array]:
        """Return `transform` with these statistics. What does not depend on the values may be computed once."""
        return lambda values: self.transform(values, statistics)

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return `transform` as operations of a pipeline: (columns,) -> (outputs,).

        See `require_operations` for steps without it.
        """
        return values

    def inverse(self, values: Array, statistics: Statistics) -> Array:
        """Undo `transform`: (rows, columns) -> (rows, columns)."""
        raise NotImplementedError

    def inverse_operations(self, values: Value, statistics: Statistics) -> Value:
        """Return `inverse` as operations of a pipeline: (columns,) -> (columns,)."""
        raise NotImplementedError

    def outputs(self, columns: Sequence[str], statistics: Statistics) -> list[tuple[str, str]]:
        """Return a pair for each output: the column it comes from and a suffix for its name, or ""."""
        return [(name, "") for name in columns]

    def n_plain(self, columns: Sequence[str], statistics: Statistics) -> int:
        """Return how many outputs, from the first on, hold all there is to know; the others, as of bins, repeat it."""
        return len(self.outputs(columns, statistics))


class CategoryStep(PreprocessingStep):
    """A transformation of one column of categories into numbers. Empty cells are a category if training rows had any.

    The target y that `fit` receives is (rows, n): the values of a numeric target, one indicator (1 for the second
    class) for two classes, or one indicator per class for more.
    """

    kind = "category"
    needs = ("fit", "transform")
    operations_of: ClassVar[Mapping[str, str]] = {"operations": "transform", "refused": "unknown"}
    learns_target: ClassVar[bool] = False
    """Whether the outputs for training rows depend on their target."""

    def fit(self, texts: Texts, y: Array, seed: int, weights: Array | None = None) -> Fit:
        """Return what the step learns from the categories (rows,) and the target y (rows, n) of the training rows.

        A row counts as often as its weight in `weights` (rows,) says.
        Raises `ValueError` when the step cannot take the column; its message continues a sentence about the column.
        """
        raise NotImplementedError

    def fit_sample(self, texts: Texts, y: Array, seed: int, folds: Array, weights: Array | None = None) -> Fit:
        """Fit to a sample of the training rows, where `folds` (rows,) are the sample's entries of `assign_folds`."""
        return fit_weighted(self.fit, texts, y, seed, weights=weights)

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return a name for each output, which follows the column's name; "" for the column's name alone."""
        return ("",)

    def unknown(self, texts: Texts, fit: Fit) -> Array:
        """Return which rows (rows,) hold a category that the step refuses, as booleans."""
        return np.zeros(len(texts), bool)

    def assign_folds(self, n_rows: int, seed: int) -> Array | None:
        """Return the fold of each training row, (rows,), or None if the step does not fit by folds."""
        return None

    def transform(self, texts: Texts, fit: Fit, folds: Array | None = None) -> Array:
        """Transform categories (rows,) into (rows, n). For training rows, `folds` (rows,) gives the fold of each."""
        raise NotImplementedError

    def operations(self, text: Value, fit: Fit) -> Value:
        """Return `transform` of new rows as operations of a pipeline, "float64": a text (1,) -> (n,).

        See `require_operations` for steps without it.
        """
        raise NotImplementedError

    def refused(self, text: Value, fit: Fit) -> Value | None:
        """Return `unknown` as operations of a pipeline, (1,) "bool", or None if the step refuses nothing."""
        return None


class KnownCategoriesStep(CategoryStep):
    """A step that gives each known category a code: frequent ones a code each, rare ones a shared code for "other".

    Codes count from 0 in sorted order; the empty cell comes last, then "other". `fit` stores the categories under
    "levels", and under "other" whether training rows held further ones.
    """

    min_frequency: PositiveInt = 1
    """Least number of training rows for a category of its own; rarer categories share "other". Weights are summed."""
    max_categories: PositiveInt | None = None
    """Largest number of categories of their own, the most frequent ones; the rest share "other"."""
    unseen: Literal["error", "other"] = "error"
    """Treatment of a category that no training row held. With `error` it is refused, unless rare categories share
    "other", which then takes it too; with `other` it always counts as "other"."""

    max_columns: ClassVar[int | None] = None
    """Largest number of known categories that the step accepts."""

    def fit(self, texts: Texts, y: Array, seed: int, weights: Array | None = None) -> Fit:
        """Return the known categories, and whether training rows held others; the target plays no role."""
        return self.known_categories(texts, weights)

    def known_categories(self, texts: Texts, weights: Array | None = None) -> Fit:
        """Return the frequent categories, sorted, with the empty cell last, and whether there are others."""
        return self.select(texts.counts(weights), len(texts), "category")

    def select(self, counts: Mapping[str | None, float], n_rows: int, noun: str) -> Fit:
        """Return the known ones of categories by their counts in so many rows. The `noun` is for messages."""
        least = self.min_frequency if self.min_frequency > 1 else 0
        frequent = [category for category, n in counts.items() if n >= least]
        by_frequency = sorted(frequent, key=lambda category: (-counts[category], category or ""))
        known = sort_categories(by_frequency[: self.max_categories])
        if self.max_columns and len(known) > self.max_columns:
            raise ValueError(
                f"holds {counted(len(counts), f'different {noun}')} in {counted(n_rows, 'row')}, and {self.name}"
                f" takes at most {self.max_columns:,}; use embedding or hashing, set max_categories, or drop the column"
            )
        return {"levels": known, "other": len(known) < len(counts)}

    def unknown(self, texts: Texts, fit: Fit) -> Array:
        """Return which rows (rows,) hold a category that no training row held, unless it counts as "other"."""
        if self.unseen == OTHER or fit["other"]:
            return np.zeros(len(texts), bool)
        unknown: Array = self.codes(texts, fit) == len(fit["levels"])
        return unknown

    def refused(self, text: Value, fit: Fit) -> Value | None:
        """Return whether no training row held the category, unless it counts as "other"."""
        if self.unseen == OTHER or fit["other"]:
            return None
        return equal(code_of(text, fit), len(fit["levels"]))

    def codes(self, texts: Texts, fit: Fit) -> Array:
        """Return the code of each row's category, (rows,); the number of known categories for any other."""
        known = fit["levels"]
        return texts.look_up({category: code for code, category in enumerate(known)}, len(known))


class DateStep(PreprocessingStep):
    """A transformation of one column of dates into numbers."""

    kind = "date"
    needs = ("fit", "names", "transform")
    operations_of: ClassVar[Mapping[str, str]] = {"operations": "transform", "refused": "unknown"}
    takes_zones: ClassVar[bool] = False
    """Whether the step takes columns of the type `dates.ZONED`; otherwise it gets their local times."""

    def fit(self, dates: Array, weights: Array | None = None) -> Fit:
        """Return what the step learns from dates (rows,), datetime64[us], of training rows; empty cells are NaT.

        A row counts as often as its weight in `weights` (rows,) says.
        Raises `ValueError` when the step cannot take the column; its message continues a sentence about the column.
        """
        raise NotImplementedError

    def names(self, fit: Fit) -> tuple[str, ...]:
        """Return a name for each output, which follows the column's name."""
        raise NotImplementedError

    def unknown(self, dates: Array, fit: Fit) -> Array:
        """Return which rows (rows,) the step refuses, such as empty cells where training rows had none."""
        return np.zeros(len(dates), bool)

    def transform(self, dates: Array, fit: Fit) -> Array:
        """Transform dates (rows,) into (rows, n)."""
        raise NotImplementedError

    def operations(self, date: Value, fit: Fit) -> Value:
        """Return `transform` as operations of a pipeline, "float64": a date (1,) -> (n,).

        A date is its own local time. See `require_operations` for steps without it.
        """
        raise NotImplementedError

    def refused(self, date: Value, fit: Fit) -> Value | None:
        """Return `unknown` as operations of a pipeline, (1,) "bool", or None if the step refuses nothing."""
        return None


_look_up = lru_cache(1)(look_up)  # what a step computes and what it refuses share one look-up


def code_of(text: Value, fit: Fit) -> Value:
    """Return the place of a category among the "levels" of a fit, (1,) "int64"; their number for any other."""
    known: list[str | None] = fit["levels"]
    keys = [category for category in known if category is not None]
    gap = known.index(None) if None in known else len(known)
    if gap < len(keys):
        raise ExportError("the empty cell is not the last category of a column, as it is in new runs; train it anew")
    return _look_up(text, tuple(keys), gap, len(known))


def sort_categories(categories: Sequence[str | None]) -> list[str | None]:
    """Sort categories; None, the empty cell, comes last."""
    return sorted(categories, key=lambda category: (category is None, category or ""))


def rounding_error(*sizes: float) -> float:
    """Return how far numbers of these sizes may differ through rounding; a column that varies less is constant."""
    return 100 * float(np.finfo(np.float64).eps) * max(map(abs, sizes))


def finite_range(low: float, high: float) -> float:
    """Return high - low. Raises `ValueError`, the rest of a sentence about a column, when that overflows."""
    if high - low == float("inf"):
        raise ValueError(f"holds numbers too far apart, from {low:g} to {high:g}")
    return high - low


def fit_weighted(fit: Callable[..., Fit], *data: Any, weights: Array | None) -> Fit:
    """Return what the method `fit` of a step learns from training rows, and from their weights if there are any.

    Raises `ValueError`, the rest of a sentence about the column, when the step cannot take it, or takes no weights.
    """
    if weights is None:
        return fit(*data)
    if "weights" not in inspect.signature(fit).parameters:
        step = type(getattr(fit, "__self__", None)).__name__
        remedy = f"give {step}.{fit.__name__} a parameter `weights`, or leave out the weights"
        raise ValueError(f"has rows with weights, which its preprocessing step does not take; {remedy}")
    return fit(*data, weights=weights)


def fit_chain(steps: Sequence[NumberStep], column: Array, weights: Array | None = None) -> list[Fit]:
    """Fit steps that follow one another to a column of training rows (rows,), each to the output of the one before.

    Raises `ValueError`, the rest of a sentence about the column, when a step cannot take it.
    """
    fits = []
    for step in steps:
        fits.append(fit_weighted(step.fit, column, weights=weights))
        refuse_overflow(step, column, fits[-1])
        if step is not steps[-1]:
            column = step.transform(column[:, None], stack_fits(fits[-1:]))[:, 0]
    return fits


def ready(step: NumberStep, statistics: Statistics) -> Callable[[Array], Array]:
    """Return `transform` of a step with these statistics: its `ready`, unless a subclass has its own `transform`."""
    owner = next(kind for kind in type(step).__mro__ if "transform" in vars(kind) or "ready" in vars(kind))
    return step.ready(statistics) if "ready" in vars(owner) else lambda values: step.transform(values, statistics)


def stack_fits(fits: Sequence[Fit]) -> Statistics:
    """Stack the fits of one step to several columns into arrays, (columns,) or (columns, n), by key."""
    return {key: np.array([fit[key] for fit in fits], np.float64) for key in (fits[0] if fits else ())}


def refuse_overflow(step: PreprocessingStep, column: Array, fit: Fit) -> None:
    """Raise `ValueError`, the rest of a sentence about the column, when the fit holds a number that is not finite."""
    for value in fit.values():
        if not np.isfinite(np.asarray(value, np.float64)).all():
            largest = f"{np.nanmax(np.abs(column)):g}"
            raise ValueError(f"holds numbers too large for {step.name}, up to {largest}")
