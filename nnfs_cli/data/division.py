"""Ways to divide rows by the cells of one column, with words for every part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days, weekday
from nnfs_cli.data.parsing.month_names import MONTHS, WEEKDAYS
from nnfs_cli.data.table import Kind, Table, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.system.wording import cut, in_a_line

BINS = 8  # quantile bins of numbers and dates
MOST_LEVELS = 12  # categories with a bin of their own
MOST_YEARS = 12
DIGITS = 15  # characters of a number that is written in full
LONGEST = 40  # characters of a category
ROUND = 20  # steps between the 10 % and the 90 % quantile, at least, to which cuts are rounded


@dataclass(frozen=True, eq=False)
class Division:
    """Rows dealt into bins by the cells of a column, and conditions on the cells, each a union of bins.

    `bins` (rows,) is the bin of each row, `holds` (conditions, bins) whether a condition holds for the rows of a bin,
    and `words` say the conditions, as in "age > 60". The first conditions are those on single bins, in their order, and
    `parts` name these bins for readers who know the column: a category by itself.
    """

    column: str
    bins: Array
    holds: Array
    words: tuple[str, ...]
    parts: tuple[str, ...]

    def rows(self, condition: int) -> Array:
        """Return a mask (rows,) of the rows for which a condition holds."""
        return np.asarray(self.holds[condition][self.bins])

    @cached_property
    def one_hot(self) -> Array:
        """Whether each row is in each bin, (rows, bins) float32."""
        found: Array = (self.bins[:, None] == np.arange(self.holds.shape[1])).astype(np.float32)
        return found


def everything(n_rows: int) -> Division:
    """Return all rows in one bin, for which no condition is needed."""
    return Division("", np.zeros(n_rows, np.intp), np.ones((1, 1), bool), ("",), ("",))


def divisions_of(table: Table, name: str, kind: Kind, words: tuple[str, str] | None = None) -> Iterator[Division]:
    """Yield the divisions of the rows of a table by a column: one, or for dates one by year, month and weekday.

    There is none if all cells are alike. `words` are what people call 0 and 1, if the column holds nothing else.
    """
    called = in_a_line(name)
    if kind == "category":
        yield from _by_level(name, called, table.texts(name))
    elif kind == "date":
        yield from _by_date(name, called, table.dates(name))
    else:
        column, values = table.column(name), table.numbers(name, gaps=True)
        truths = not isinstance(column, Texts) and column.dtype == bool
        yield from _by_number(name, called, values, words or (("false", "true") if truths else ()))


def divisions_of_input(name: str, values: Array) -> Iterator[Division]:
    """Yield the division of rows by an input of the net, (rows,), which is not in the units of the table."""
    yield from _by_number(name, f"input {in_a_line(name)}", values.astype(np.float64))


def _by_level(name: str, called: str, texts: Texts) -> Iterator[Division]:
    """Yield a bin for each of the most frequent categories, one for all others, and one for gaps."""
    counts = np.bincount(texts.codes + 1, minlength=len(texts.distinct) + 1)[1:]
    frequent = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    frequent = frequent[counts[frequent] > 0]
    of_code = np.full(len(counts) + 1, len(frequent))
    of_code[frequent] = np.arange(len(frequent))
    of_code[-1] = len(frequent) + 1  # the code of a gap is -1
    parts = [_cut(str(texts.distinct[code])) for code in frequent.tolist()]
    words = [f"{called} = {part}" for part in parts]
    words += [f"{called} is none of the {len(frequent)} most frequent", f"{called} is empty"]
    yield from _levels(name, of_code[texts.codes], words, [*parts, "(other)", "(empty)"])


def _levels(name: str, bins: Array, words: list[str], parts: list[str]) -> Iterator[Division]:
    """Yield the division with a condition for each bin that has rows."""
    found, bins = np.unique(bins, return_inverse=True)
    if len(found) > 1:
        of_found = (tuple(each[i] for i in found.tolist()) for each in (words, parts))
        yield Division(name, bins.reshape(-1), np.eye(len(found), dtype=bool), *of_found)


def _by_number(name: str, called: str, values: Array, values_called: tuple[str, ...] = ()) -> Iterator[Division]:
    """Yield quantile bins, or a bin for each of a few values; gaps are a bin of their own."""
    known = values[~np.isnan(values)]
    few = np.unique(known)
    if len(few) <= BINS:
        shown = [values_called[int(one)] if values_called else _number(one) for one in few.tolist()]
        cells = [f"{called} = {one}" for one in shown]
        below = [f"{called} <= {one}" for one in shown[:-1]]
        above = [f"{called} > {one}" for one in shown[:-1]]
        places = np.searchsorted(few, values)
    else:
        cuts = rounded_cuts(known)
        shown = [_number(cut) for cut in cuts.tolist()]
        cells = [f"{low} < {called} <= {high}" for low, high in pairwise(shown)]
        below, above = ([f"{called} {sign} {cut}" for cut in shown] for sign in ("<=", ">"))
        cells = [below[0], *cells, above[-1]] if shown else []
        places = np.searchsorted(cuts, values)
    yield from _ordered(name, np.where(np.isnan(values), -1, places), cells, below, above, f"{called} is empty")


def rounded_cuts(known: Array) -> Array:
    """Return cuts near the quantiles of values (n,), rounded as people would; a bin includes its upper cut.

    They ascend, and there are values above and below each.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = np.quantile(known, [0.1, 0.9])
        cuts = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
        step = 10.0 ** math.floor(math.log10((high - low) / ROUND)) if 0 < high - low < math.inf else 0.0
        nearest = np.rint(cuts / step) * step if step else cuts
    cuts = np.unique([float(f"{cut:.12g}") + 0.0 for cut in np.where(np.isfinite(nearest), nearest, cuts).tolist()])
    cuts = cuts[(cuts >= known.min()) & (cuts < known.max())]
    return cuts if len(cuts) else np.array([known[known < known.max()].max()])  # most values are the largest


def _ordered(
    name: str, bins: Array, cells: list[str], below: list[str], above: list[str], empty: str
) -> Iterator[Division]:
    """Yield bins (rows,) in order, where -1 is a gap, with conditions on single bins and on all below or above a cut.

    The condition on the first bin is the first of those below, and that on the last bin the last of those above.
    """
    n, gaps = len(cells), bool((bins == -1).any())
    order = np.arange(n + gaps)
    holds = [order == i for i in range(n + gaps)]
    words = [*cells, *([empty] if gaps else [])]
    for i in range(1, n - 1):  # below[0] and above[-1] are single bins
        holds += [order <= i, (order >= i) & (order < n)]
        words += [below[i], above[i - 1]]
    if len(order) > 1:
        parts = (*cells, *(["(empty)"] if gaps else []))
        yield Division(name, np.where(bins == -1, n, bins), np.array(holds), tuple(words), parts)


def _by_date(name: str, called: str, dates: Array) -> Iterator[Division]:
    """Yield the divisions by year, or by day if there are few years, by month and by weekday."""
    gaps = np.isnat(dates)
    if gaps.all():
        return
    empty = f"{called} is empty"
    years = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    found = np.unique(years[~gaps])
    if 3 <= len(found) <= MOST_YEARS:
        shown = found.tolist()
        below, above = [f"{called} before {year + 1}" for year in shown], [f"{called} after {year}" for year in shown]
        places = np.where(gaps, -1, np.searchsorted(found, years))
        yield from _ordered(name, places, [f"{called} in {year}" for year in shown], below[:-1], above[:-1], empty)
    else:
        yield from _by_day(name, called, dates, gaps, empty)
    months = dates.astype("datetime64[M]").astype(np.int64) % 12
    names = [f"{called} in {month}" for month in MONTHS["English"][0].title().split()]
    yield from _levels(name, np.where(gaps, 12, months), [*names, empty], [*names, "(empty)"])
    names = [f"{called} on a {day}" for day in WEEKDAYS]
    yield from _levels(name, np.where(gaps, 7, weekday(dates)), [*names, empty], [*names, "(empty)"])


def _by_day(name: str, called: str, dates: Array, gaps: Array, empty: str) -> Iterator[Division]:
    """Yield quantile bins of days."""
    day = np.floor(days(dates))
    cuts = np.unique(np.quantile(day[~gaps], np.arange(1, BINS) / BINS, method="inverted_cdf"))
    cuts = cuts[cuts < day[~gaps].max()]
    if not len(cuts):
        return
    last = [str(np.datetime64(int(cut), "D")) for cut in cuts.tolist()]
    below, above = ([f"{called} {side} {day}" for day in last] for side in ("up to", "after"))
    between = [f"{called} after {low}, up to {high}" for low, high in pairwise(last)]
    places = np.where(gaps, -1, np.searchsorted(cuts, day))
    yield from _ordered(name, places, [below[0], *between, above[-1]], below, above, empty)


def _number(value: float) -> str:
    """Return a number in full, or with seven digits if that is long, as for numbers that were stored with so many."""
    text = text_of(value)
    return text if len(text) <= DIGITS else f"{value:.7g}"


def _cut(text: str) -> str:
    """Return the text of a category on one line, cut at a sensible length."""
    return cut(in_a_line(text) or "''", LONGEST)
