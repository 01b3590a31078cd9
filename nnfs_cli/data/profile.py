"""The profile of an input column: what a run records of its training rows, so that drift can be measured later."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days
from nnfs_cli.data.table import Kind, Table, gaps_of
from nnfs_cli.data.texts import Texts

MOST_CATEGORIES = 1000  # the most categories that a profile counts one by one
BINS = 10


def profile(table: Table, name: str, kind: Kind) -> dict[str, Any]:
    """Return the profile of a column as JSON can hold it: its range, its share of gaps and its distribution.

    A number has `edges`, its inner deciles without repetition, and `shares`, the shares of the bins between the edges
    among the rows that are not empty. A bin includes its upper edge, and the last bin holds what is above all edges. A
    minimum that fills the first bin has a bin of its own. A date is counted in days since 1970, and its range is text.
    A category has `counts` of its 1000 most frequent texts, and `others` is the number of rows with any other text.
    The range of an empty column is None. Each row counts once, whatever its weight.
    Raises `DataError` if the column is not of this kind.
    """
    about: dict[str, Any] = {"name": name, "kind": kind, "rows": table.n_rows}
    if kind == "category":
        texts = table.texts(name)
        return about | {"missing": _mean(texts.gaps)} | _counts(texts)
    values = numbers_or_days(table, name, kind)
    gaps = np.isnan(values)
    known = values[~gaps]
    edges = _edges(known)
    ends = known if kind == "number" or not len(known) else table.dates(name)[~gaps]
    return {
        **about,
        "min": _plain(ends.min()) if len(ends) else None,
        "max": _plain(ends.max()) if len(ends) else None,
        "missing": _mean(gaps),
        "edges": edges,
        "shares": to_shares(count_in_bins(known, edges)).tolist(),
    }


def numbers_or_days(table: Table, name: str, kind: Kind) -> Array:
    """Return a column of numbers, or of dates as days since 1970, with NaN for gaps."""
    column = table.column(name)
    if gaps_of(column).all():  # an empty column may have any type
        return np.full(len(column), np.nan)
    return table.numbers(name, gaps=True) if kind == "number" else days(table.dates(name))


def count_in_bins(values: Array, edges: Sequence[float]) -> Array:
    """Return the number of values in each bin, (len(edges) + 1,)."""
    return np.bincount(np.searchsorted(np.asarray(edges, np.float64), values), minlength=len(edges) + 1)


def to_shares(counts: Array) -> Array:
    """Return counts as shares of their sum, or zeros if there are none."""
    return np.asarray(counts / max(counts.sum(), 1))


def _mean(mask: Array) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _plain(value: Any) -> float | str:
    return str(np.datetime_as_string(value, unit="auto")) if isinstance(value, np.datetime64) else float(value)


def _edges(values: Array) -> list[float]:
    if not len(values):
        return []
    ranks = np.array([-(-i * len(values) // BINS) - 1 for i in range(1, BINS)])  # edges are values, not means of two
    edges: list[float] = np.unique(np.partition(values, ranks)[ranks]).tolist()
    below = math.nextafter(values.min(), -math.inf)
    return [below, *edges] if edges[0] == values.min() and math.isfinite(below) else edges


def _counts(texts: Texts) -> dict[str, Any]:
    n = np.bincount(texts.codes + 1, minlength=len(texts.distinct) + 1)[1:]
    found = np.flatnonzero(n)
    if len(found) > MOST_CATEGORIES:
        found = found[n[found] >= -np.partition(-n[found], MOST_CATEGORIES - 1)[MOST_CATEGORIES - 1]]
    pairs = zip((-n[found]).tolist(), texts.distinct[found].tolist(), strict=True)
    counts = {text: -n for n, text in heapq.nsmallest(MOST_CATEGORIES, pairs)}
    return {"counts": counts, "others": int(n.sum()) - sum(counts.values())}
