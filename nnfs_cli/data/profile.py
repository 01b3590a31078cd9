"""What is remembered of the training rows' inputs, column by column, and how far another table has moved from them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days
from nnfs_cli.data.table import Kind, Table, gaps_of
from nnfs_cli.data.texts import Texts

MOST_WORDS = 1000  # that are remembered of a column
RARE = 0.01  # the share of rows below which words are compared together: one by one they would be noise
FLOOR = 1e-4  # what a share counts at least, since the index knows no share of 0
BINS = 10
MODERATE, LARGE = 0.1, 0.25  # of the index; below the first a column counts as stable

Verdict = Literal["stable", "moderate", "large", "unknown"]


class DriftRow(NamedTuple):
    """How far one column has moved. Shares are of all rows; None is what does not apply or cannot be known."""

    column: str
    psi: float | None  # population stability index
    unseen: float | None  # share of the rows with a word that no training row held
    outside: float | None  # share of the rows below the least or above the greatest value of the training rows
    missing: float | None  # share of empty cells
    missing_then: float | None  # the same of the training rows
    verdict: Verdict


def profile(table: Table, name: str, kind: Kind) -> dict[str, Any]:
    """What is remembered of a column, as JSON can hold it: its range, its missing share and its distribution.

    Numbers have `edges`, their inner deciles without repetition, and `shares` of the bins between those, among the rows
    that are not empty: a bin holds its upper edge, and the last is for what is above all. A least value that fills the
    first bin has it to itself. Dates are days since 1970, and their range is text. Categories have the `counts` of
    words, of the most frequent 1000, and say how many rows hold `others`. A column that is empty throughout has the
    range None. Raises `DataError` when the column is not of that kind.
    """
    about: dict[str, Any] = {"name": name, "kind": kind}
    if kind == "category":
        texts = table.texts(name)
        return about | {"missing": _share(texts.gaps)} | _counts(texts)
    values = _numbers(table, name, kind)
    gaps = np.isnan(values)
    known = values[~gaps]
    edges = _edges(known)
    ends = known if kind == "number" or not len(known) else table.dates(name)[~gaps]
    return {
        **about,
        "min": _plain(ends.min()) if len(ends) else None,
        "max": _plain(ends.max()) if len(ends) else None,
        "missing": _share(gaps),
        "edges": edges,
        "shares": _shares(_in_bins(known, edges)).tolist(),
    }


def population_stability_index(expected: Array, found: Array) -> float:
    """Σ_i (q_i - p_i) ln(q_i / p_i) of the shares p and q (bins,) of all rows; 0 where they are the same, else more.

    Shares below 1e-4 count as that. Without drift, n rows against m are about (bins - 1) (1/n + 1/m) apart, so a few
    rows tell little.
    Source: Siddiqi, "Credit Risk Scorecards" (2006), which calls 0.1 and 0.25 the limits of a small and a large shift.
    """
    p, q = np.maximum(expected, FLOOR), np.maximum(found, FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


class Drift:
    """Compares rows with the training rows, which `inputs` describe: what `profile` gave for each column.

    Rows come in tables, one after another, and are only counted. The bins of the index are those of `profile` for
    numbers and dates; for categories each word in 1 % of the training rows or more has a bin, the rarer ones share one,
    and words that were never seen share another. Empty cells are a bin of their own. Of older runs, whose inputs have
    no distribution, it tells what their range tells.
    """

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        self._columns = [_Words(then) if then["kind"] == "category" else _Numbers(then) for then in inputs]

    def add(self, table: Table) -> None:
        """Count the rows of a table that has all the columns.

        Raises `DataError` for a cell that is not of its column's kind; empty cells are of any.
        """
        for column in self._columns:
            column.add(table)

    def report(self) -> list[DriftRow]:
        """A row for each column, in the order of the inputs."""
        return [column.report() for column in self._columns]


class _Counted:
    """The rows of a column so far: (bins,) by value, and how many have none."""

    def __init__(self, then: Mapping[str, Any], expected: Array | None, n_bins: int) -> None:
        self.name, self.then = then["name"], then
        self.expected = expected  # shares of the training rows by bin, with that of empty cells last
        self.counts = np.zeros(n_bins, np.int64)
        self.n_missing = 0

    def add(self, table: Table) -> None:
        raise NotImplementedError

    def report(self) -> DriftRow:
        raise NotImplementedError

    @property
    def n_rows(self) -> int:
        return int(self.counts.sum()) + self.n_missing

    def share(self, n: int) -> float | None:
        return n / self.n_rows if self.n_rows else None

    def row(self, unseen: float | None, outside: float | None) -> DriftRow:
        missing, psi = self.share(self.n_missing), None
        if missing is not None and self.expected is not None:
            psi = population_stability_index(self.expected, _of_all(_shares(self.counts), missing))
        return DriftRow(self.name, psi, unseen, outside, missing, self.then.get("missing"), _verdict(psi))


class _Numbers(_Counted):
    def __init__(self, then: Mapping[str, Any]) -> None:
        self.kind: Kind = then["kind"]
        self.edges = then.get("edges", [])
        expected = _of_all(np.array(then["shares"]), then["missing"]) if "shares" in then else None
        super().__init__(then, expected, len(self.edges) + 1)
        ends = [then.get("min"), then.get("max")]
        if self.kind == "date":
            ends = [end and float(days(np.array(end, "datetime64[us]"))) for end in ends]
        self.range = None if None in ends else ends
        self.n_outside = 0

    def add(self, table: Table) -> None:
        values = _numbers(table, self.name, self.kind)
        known = values[~np.isnan(values)]
        self.n_missing += len(values) - len(known)
        self.counts += _in_bins(known, self.edges)
        if self.range is not None:
            low, high = self.range
            self.n_outside += int(np.count_nonzero((known < low) | (known > high)))

    def report(self) -> DriftRow:
        return self.row(None, None if self.range is None else self.share(self.n_outside))


class _Words(_Counted):
    """Frequent words have a bin each; the next is for rare ones, and the last for those that were never seen."""

    def __init__(self, then: Mapping[str, Any]) -> None:
        counts, others = then.get("counts", {}), then.get("others", 0)
        total = sum(counts.values()) + others
        frequent = [word for word, n in counts.items() if n >= RARE * total]
        rare, unseen = len(frequent), len(frequent) + 1
        self.bins: dict[str | None, int] = dict.fromkeys(counts, rare) | {word: i for i, word in enumerate(frequent)}
        self.bins[None] = unseen + 1
        self.unknown = rare if others else unseen  # who knows whether it was among the others
        by_bin = np.array([*(counts[word] for word in frequent), total - sum(counts[w] for w in frequent), 0])
        expected = _of_all(_shares(by_bin), then["missing"]) if "counts" in then else None
        super().__init__(then, expected, len(by_bin))

    def add(self, table: Table) -> None:
        bins = table.texts(self.name).look_up(self.bins, self.unknown)
        counts = np.bincount(bins, minlength=len(self.counts) + 1)
        self.counts += counts[:-1]
        self.n_missing += int(counts[-1])

    def report(self) -> DriftRow:
        known = "counts" in self.then and not self.then.get("others")
        return self.row(self.share(int(self.counts[-1])) if known else None, None)


def _verdict(psi: float | None) -> Verdict:
    if psi is None:
        return "unknown"
    return "stable" if psi < MODERATE else "moderate" if psi < LARGE else "large"


def _shares(counts: Array) -> Array:
    return np.asarray(counts / max(counts.sum(), 1))


def _of_all(shares: Array, missing: float) -> Array:
    """Shares of all rows, (bins + 1,): from those among rows that are not empty, (bins,), and that of empty ones."""
    return np.append(shares * (1 - missing), missing)


def _share(mask: Array) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _numbers(table: Table, name: str, kind: Kind) -> Array:
    """A column of numbers, or of dates as days since 1970; NaN where a cell is empty."""
    column = table.column(name)
    if gaps_of(column).all():  # such a column has no kind of its own
        return np.full(len(column), np.nan)
    return table.numbers(name, gaps=True) if kind == "number" else days(table.dates(name))


def _plain(value: Any) -> float | str:
    return str(np.datetime_as_string(value, unit="auto")) if isinstance(value, np.datetime64) else float(value)


def _edges(values: Array) -> list[float]:
    if not len(values):
        return []
    ranks = np.array([-(-i * len(values) // BINS) - 1 for i in range(1, BINS)])  # of values that are there: no means
    edges: list[float] = np.unique(np.partition(values, ranks)[ranks]).tolist()
    below = math.nextafter(values.min(), -math.inf)
    return [below, *edges] if edges[0] == values.min() and math.isfinite(below) else edges


def _in_bins(values: Array, edges: Sequence[float]) -> Array:
    return np.bincount(np.searchsorted(np.asarray(edges, np.float64), values), minlength=len(edges) + 1)


def _counts(texts: Texts) -> dict[str, Any]:
    n = np.bincount(texts.codes + 1, minlength=len(texts.distinct) + 1)[1:]
    found = np.flatnonzero(n)
    if len(found) > MOST_WORDS:
        found = found[n[found] >= -np.partition(-n[found], MOST_WORDS - 1)[MOST_WORDS - 1]]
    pairs = zip((-n[found]).tolist(), texts.distinct[found].tolist(), strict=True)
    counts = {word: -n for n, word in heapq.nsmallest(MOST_WORDS, pairs)}
    return {"counts": counts, "others": int(n.sum()) - sum(counts.values())}
