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

RARE, RARE_ROWS = 0.01, 10  # share and number of rows below which categories share one bin: each would be noise
FLOOR = 1e-4  # smaller shares count as this one, since the index has no value for a share of 0
MODERATE, LARGE = 0.1, 0.25  # of the index beyond what chance makes of it; a column below the first is stable
LEVEL = 0.05  # share of the tables without drift in which some column may be called moderate or large
EXACT = 1000  # rows, up to which a mean is a sum over all counts that a bin may have

Verdict = Literal["stable", "moderate", "large", "unknown"]


class DriftRow(NamedTuple):
    """How far one column has moved. Shares are of all rows; None does not apply or is not known."""

    column: str
    psi: float | None  # population stability index
    chance: float | None  # mean index of as many rows without drift
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


def psi_by_chance(expected: Array, typical: Array, n_rows: int, n_then: int) -> float:
    """Return the mean index of `n_rows` rows without drift against `n_then` training rows (0 if not known).

    `expected` (bins,) are the shares of the training rows. `typical` (bins,) are those of any rows without drift, which
    differ from them where there are categories that no training row has. Up to 1,000 rows it is the mean over the
    binomial distribution of the rows in a bin, and an approximation beyond them.
    """
    by_training = (np.count_nonzero(typical) - 1) / n_then if n_then else 0.0
    if n_rows > EXACT:
        by_rows = float(np.sum(1 - typical[typical > 0])) / n_rows
        return population_stability_index(expected, typical) + by_rows + by_training
    k = np.arange(n_rows + 1)
    ways = np.cumprod([1, *(n_rows + 1 - k[1:]) / k[1:]])
    share = typical[:, None]
    p, q = np.maximum(expected, FLOOR)[:, None], np.maximum(k / n_rows, FLOOR)
    return float(np.sum(ways * share**k * (1 - share) ** (n_rows - k) * (q - p) * np.log(q / p))) + by_training


def p_value(typical: Array, found: Array, n_rows: int, n_then: int, by_quantiles: Array | None = None) -> float:
    """Return how often rows without drift differ as much from the shares `typical` as `found` does, both (bins,).

    It is the p-value of Pearson's test of homogeneity for `n_rows` rows against `n_then` training rows (0 if not known,
    then as if there were very many). Over many rows its statistic equals index / (1 / n_rows + 1 / n_then); over few
    rows, where the index has far heavier tails, it still follows the distribution.

    Bins `by_quantiles` (bins,) lie between quantiles of the training rows, so `typical` is fixed there and only `found`
    varies. Divided by the mean of both, as other bins are, too small a share would count too much; these bins are
    divided by the geometric mean of that and the fixed share. In simulations with 60 or more training rows, 0.2 to
    0.6 % of columns without drift then had a p-value below 0.005, instead of up to 3.8 %.
    Source: Yurdakul and Naranjo, "Statistical properties of the population stability index" (2020); Wilson and
    Hilferty, "The distribution of chi-square" (1931).
    """
    ratio = n_rows / n_then if n_then else 0.0
    pooled = (typical + ratio * found) / (1 + ratio)
    df = np.count_nonzero(pooled) - 1
    if df < 1:
        return 1.0
    expected = pooled if by_quantiles is None else np.where(by_quantiles, np.sqrt(pooled * typical), pooled)
    statistic = n_rows / (1 + ratio) * np.sum((found - typical) ** 2 / np.maximum(expected, FLOOR))
    spread = 2 / (9 * df)
    return math.erfc(((statistic / df) ** (1 / 3) - 1 + spread) / math.sqrt(2 * spread)) / 2


class Drift:
    """A comparison of rows with the training rows. `inputs` are the `profile` of each input column.

    Rows are added table by table and only counted. Numbers and dates have the bins of their profile. Each category with
    at least 1 % of the training rows, and at least 10 of them, has its own bin; all rarer ones share a bin, and all
    unseen ones share another. Empty cells are a bin of their own. The profile of a run of the first release has a range
    but no distribution, and gets no index.
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
        """Return a row for each column, in the order of the inputs.

        A column is stable unless its index exceeds what chance makes of it by 0.1 or more, and rows without drift would
        differ as much in less than 5 % of the tables with as many columns (Bonferroni's correction).
        """
        return [column.report(LEVEL / len(self._columns)) for column in self._columns]


class _ColumnDrift:
    """The counts of a column so far: `counts` (bins,) and `n_missing` empty cells."""

    def __init__(self, profile: Mapping[str, Any], expected: Array | None, n_bins: int) -> None:
        self.name, self.profile = profile["name"], profile
        self.expected = expected  # shares of the training rows by bin, and last of empty cells
        self.typical = expected  # shares of any rows without drift
        self.by_quantiles: Array | None = None  # whether a bin lies between two quantiles, (bins + 1,)
        self.counts = np.zeros(n_bins, np.int64)
        self.n_missing = 0

    def add(self, table: Table) -> None:
        raise NotImplementedError

    def report(self, level: float) -> DriftRow:
        raise NotImplementedError

    @property
    def n_rows(self) -> int:
        return int(self.counts.sum()) + self.n_missing

    def share(self, n: int) -> float | None:
        return n / self.n_rows if self.n_rows else None

    def row(self, unseen: float | None, outside: float | None, level: float) -> DriftRow:
        missing, psi, chance = self.share(self.n_missing), None, None
        verdict: Verdict = "unknown"
        if missing is not None and self.expected is not None and self.typical is not None:
            found, n_then = _with_missing(to_shares(self.counts), missing), self.profile.get("rows", 0)
            psi = population_stability_index(self.expected, found)
            chance = psi_by_chance(self.expected, self.typical, self.n_rows, n_then)
            verdict = "large" if psi - chance >= LARGE else "moderate" if psi - chance >= MODERATE else "stable"
            if verdict != "stable" and p_value(self.typical, found, self.n_rows, n_then, self.by_quantiles) >= level:
                verdict = "stable"
        return DriftRow(self.name, psi, chance, unseen, outside, missing, self.profile.get("missing"), verdict)


class _NumberDrift(_ColumnDrift):
    """The drift of a column of numbers or dates."""

    def __init__(self, profile: Mapping[str, Any]) -> None:
        self.kind: Kind = profile["kind"]
        self.edges = profile.get("edges", [])
        expected = _with_missing(np.array(profile["shares"]), profile["missing"]) if "shares" in profile else None
        super().__init__(profile, expected, len(self.edges) + 1)
        if expected is not None and (known := profile.get("rows", 0) * (1 - profile["missing"])):
            # Where values are equal, a bin holds more or less than a tenth.
            self.by_quantiles = np.append(np.abs(np.array(profile["shares"]) - 1 / BINS) <= 1 / known, False)
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

    def report(self, level: float) -> DriftRow:
        return self.row(None, None if self.range is None else self.share(self.n_outside), level)


class _CategoryDrift(_ColumnDrift):
    """The drift of a categorical column: a bin for each frequent category, one for rare and one for unseen ones."""

    def __init__(self, profile: Mapping[str, Any]) -> None:
        counts, others = profile.get("counts", {}), profile.get("others", 0)
        total = sum(counts.values()) + others
        frequent = [category for category, n in counts.items() if n >= max(RARE * total, RARE_ROWS)]
        rare, unseen = len(frequent), len(frequent) + 1
        self.bins: dict[str | None, int] = dict.fromkeys(counts, rare)
        self.bins |= {category: i for i, category in enumerate(frequent)}
        self.bins[None] = unseen + 1
        self.unknown = rare if others else unseen  # with `others` it may have been one of them
        n_rare = total - sum(counts[category] for category in frequent)
        by_bin = np.array([*(counts[category] for category in frequent), n_rare, 0])
        expected = _with_missing(to_shares(by_bin), profile["missing"]) if "counts" in profile else None
        super().__init__(profile, expected, len(by_bin))
        if expected is not None and not others:
            # Good (1953): a row has an unseen category as often as a training row has one that no other row has.
            share = sum(n == 1 for n in counts.values()) / max(total, 1)
            typical = to_shares(by_bin) * (1 - share)
            typical[unseen] = share
            self.typical = _with_missing(typical, profile["missing"])

    def add(self, table: Table) -> None:
        bins = table.texts(self.name).look_up(self.bins, self.unknown)
        counts = np.bincount(bins, minlength=len(self.counts) + 1)
        self.counts += counts[:-1]
        self.n_missing += int(counts[-1])

    def report(self, level: float) -> DriftRow:
        known = "counts" in self.profile and not self.profile.get("others")
        return self.row(self.share(int(self.counts[-1])) if known else None, None, level)


def _with_missing(shares: Array, missing: float) -> Array:
    """Return shares of all rows (bins + 1,) from shares of the rows that are not empty and the share of empty ones."""
    return np.append(shares * (1 - missing), missing)
