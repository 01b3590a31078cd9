"""Measure how far the columns of a table have moved from the training rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days
from nnfs_cli.data.profile import BINS, count_in_bins, numbers_or_days, to_shares
from nnfs_cli.data.table import Kind, Table

RARE = 0.01  # share of rows below which categories share one bin: one by one they would be noise
FLOOR = 1e-4  # smaller shares count as this one, since the index has no value for a share of 0
MODERATE, LARGE = 0.1, 0.25  # of the index; a column below the first is stable

Verdict = Literal["stable", "moderate", "large", "unknown"]


class DriftRow(NamedTuple):
    """How far one column has moved. Shares are of all rows; None does not apply or is not known."""

    column: str
    psi: float | None  # population stability index
    unseen: float | None  # share of rows with a category that no training row has
    outside: float | None  # share of rows outside the range of the training rows
    missing: float | None  # share of empty cells
    missing_then: float | None  # share of empty cells in the training rows
    verdict: Verdict


def population_stability_index(expected: Array, found: Array) -> float:
    """Return Σ_i (q_i - p_i) ln(q_i / p_i) for shares p = `expected` and q = `found`, (bins,); 0 if they are equal.

    Shares below 1e-4 count as 1e-4. Without drift the index of n rows against m rows is about
    (bins - 1) (1/n + 1/m), so it says little about a few rows.
    Source: Siddiqi, "Credit Risk Scorecards" (2006), which calls 0.1 and 0.25 the limits of a small and a large shift.
    """
    p, q = np.maximum(expected, FLOOR), np.maximum(found, FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


def psi_by_chance(n_rows: int) -> float:
    """Return the index to expect of `n_rows` rows without drift, for a column with `BINS` bins of equal shares.

    It is the mean over the binomial distribution of the rows in a bin.
    """
    share, bins = 1 / BINS, np.array([1 / BINS])
    return BINS * sum(
        math.comb(n_rows, k)
        * share**k
        * (1 - share) ** (n_rows - k)
        * population_stability_index(bins, np.array([k / n_rows]))
        for k in range(n_rows + 1)
    )


class Drift:
    """A comparison of rows with the training rows. `inputs` are the `profile` of each input column.

    Rows are added table by table and only counted. Numbers and dates have the bins of their profile. Each category with
    at least 1 % of the training rows has its own bin, all rarer ones share a bin, and all unseen ones share another.
    Empty cells are a bin of their own. A profile of an older run has a range but no distribution, and gets no index.
    """

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        self._columns = [
            _CategoryDrift(profile) if profile["kind"] == "category" else _NumberDrift(profile) for profile in inputs
        ]

    def add(self, table: Table) -> None:
        """Count the rows of a table that has all the columns.

        Raises `DataError` for a cell that does not fit the kind of its column; an empty cell fits any kind.
        """
        for column in self._columns:
            column.add(table)

    def report(self) -> list[DriftRow]:
        """Return a row for each column, in the order of the inputs."""
        return [column.report() for column in self._columns]


class _ColumnDrift:
    """The counts of a column so far: `counts` (bins,) and `n_missing` empty cells."""

    def __init__(self, profile: Mapping[str, Any], expected: Array | None, n_bins: int) -> None:
        self.name, self.profile = profile["name"], profile
        self.expected = expected  # shares of the training rows by bin, and last of empty cells
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
            psi = population_stability_index(self.expected, _with_missing(to_shares(self.counts), missing))
        return DriftRow(self.name, psi, unseen, outside, missing, self.profile.get("missing"), _verdict(psi))


class _NumberDrift(_ColumnDrift):
    """The drift of a column of numbers or dates."""

    def __init__(self, profile: Mapping[str, Any]) -> None:
        self.kind: Kind = profile["kind"]
        self.edges = profile.get("edges", [])
        expected = _with_missing(np.array(profile["shares"]), profile["missing"]) if "shares" in profile else None
        super().__init__(profile, expected, len(self.edges) + 1)
        ends = [profile.get("min"), profile.get("max")]
        if self.kind == "date":
            ends = [end and float(days(np.array(end, "datetime64[us]"))) for end in ends]
        self.range = None if None in ends else ends
        self.n_outside = 0

    def add(self, table: Table) -> None:
        values = numbers_or_days(table, self.name, self.kind)
        known = values[~np.isnan(values)]
        self.n_missing += len(values) - len(known)
        self.counts += count_in_bins(known, self.edges)
        if self.range is not None:
            low, high = self.range
            self.n_outside += int(np.count_nonzero((known < low) | (known > high)))

    def report(self) -> DriftRow:
        return self.row(None, None if self.range is None else self.share(self.n_outside))


class _CategoryDrift(_ColumnDrift):
    """The drift of a categorical column: a bin for each frequent category, one for rare and one for unseen ones."""

    def __init__(self, profile: Mapping[str, Any]) -> None:
        counts, others = profile.get("counts", {}), profile.get("others", 0)
        total = sum(counts.values()) + others
        frequent = [category for category, n in counts.items() if n >= RARE * total]
        rare, unseen = len(frequent), len(frequent) + 1
        self.bins: dict[str | None, int] = dict.fromkeys(counts, rare)
        self.bins |= {category: i for i, category in enumerate(frequent)}
        self.bins[None] = unseen + 1
        self.unknown = rare if others else unseen  # with `others` it may have been one of them
        n_rare = total - sum(counts[category] for category in frequent)
        by_bin = np.array([*(counts[category] for category in frequent), n_rare, 0])
        expected = _with_missing(to_shares(by_bin), profile["missing"]) if "counts" in profile else None
        super().__init__(profile, expected, len(by_bin))

    def add(self, table: Table) -> None:
        bins = table.texts(self.name).look_up(self.bins, self.unknown)
        counts = np.bincount(bins, minlength=len(self.counts) + 1)
        self.counts += counts[:-1]
        self.n_missing += int(counts[-1])

    def report(self) -> DriftRow:
        known = "counts" in self.profile and not self.profile.get("others")
        return self.row(self.share(int(self.counts[-1])) if known else None, None)


def _verdict(psi: float | None) -> Verdict:
    if psi is None:
        return "unknown"
    return "stable" if psi < MODERATE else "moderate" if psi < LARGE else "large"


def _with_missing(shares: Array, missing: float) -> Array:
    """Return shares of all rows (bins + 1,) from shares of the rows that are not empty and the share of empty ones."""
    return np.append(shares * (1 - missing), missing)
