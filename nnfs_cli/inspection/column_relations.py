"""Find relations between columns: which repeat others, which leak the target, which name the owner of each row.

A relation counts only if chance cannot explain it. A column that is constant within the groups of another column is
evidence only if the groups have several rows each and the column varies between them.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.copies import fingerprints
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.inspection.column_kinds import words_of
from nnfs_cli.system.wording import listing, named, percent

SURE = 20.0  # nats: the chance of a coincidence is below 1 in 10^8
COPY = 1e-6  # 1 - correlation, at most, of a copy in other units
CLOSE = 1e-3  # 1 - correlation, at most, of a near copy
ALIKE_BLOCK = 1_000  # columns that are compared with all others at a time
GROUP_ROWS = 1_000_000  # first rows in which groups are searched; rows of a group may be adjacent
GROUPS = 20  # different values, at least, of a column that groups rows
OWNERS = frozenset(
    words_of(
        "account animal client customer device driver employee family household machine member participant patient"
        " person player pupil respondent session student subject user volunteer"
    )
)  # owners of rows, which a net could recognize instead of learning
KEYS = frozenset(("id", "ids", "uid", "uuid", "guid", "key"))
HANDLES = frozenset(("nr", "no", "number", "name"))  # after the name of an owner
NO_OWNERS = frozenset(
    words_of(
        "city town village district county region state province country continent area place location zip zipcode"
        " postcode postal plz airport station store shop product item article sku brand model category type kind class"
        " code job occupation language colour color date year quarter month week weekday day hour minute time"
    )
)  # places, goods and times, which new rows have in common with the training rows


class Coded(NamedTuple):
    """A column as integer codes (rows,) from 0 to n - 1, one per different value. A missing value has a code too."""

    codes: Array
    n: int


@dataclass(frozen=True)
class Relation:
    """A column that is determined by `others`; `how` is a clause for a message."""

    column: str
    others: tuple[str, ...]
    how: str
    exact: bool = True  # true if the values correspond one to one


def coded(column: Column) -> Coded:
    """Encode a column by the sorted order of its values."""
    values = column.codes if isinstance(column, Texts) else column
    different, codes = np.unique(values, return_inverse=True)
    return Coded(codes.reshape(-1), len(different))


def find_repeats(table: Table, names: Sequence[str]) -> dict[str, Relation]:
    """Return, by name, the columns that repeat a column further left: the same values, or values one to one."""
    found: dict[str, Relation] = {}
    first: dict[tuple[int, bytes], str] = {}
    for name in names:
        column = coded(table.column(name))
        n_rows = len(column.codes)
        if column.n < 2 or n_rows - column.n < 10:
            continue
        key = column.n, hashlib.blake2b(_by_appearance(column).tobytes()).digest()
        if key in first:
            same = _equal(table.column(first[key]), table.column(name))
            how = "holds the same values" if same else f"has exactly one value for each of its {column.n:,} values"
            found[name] = Relation(name, (first[key],), how)
        else:
            first[key] = name
    return found | _copies(table, [name for name in names if name not in found])


def _by_appearance(column: Coded) -> Array:
    """Renumber the codes by first appearance, which is equal for columns that correspond one to one."""
    _, first = np.unique(column.codes, return_index=True)
    place = np.empty(column.n, np.int64)
    place[np.argsort(first)] = np.arange(column.n)
    return place[column.codes]


def _equal(a: Column, b: Column) -> bool:
    if isinstance(a, Texts) or isinstance(b, Texts):
        return isinstance(a, Texts) and isinstance(b, Texts) and a.tolist() == b.tolist()
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fM" and b.dtype.kind in "fM"))


def _copies(table: Table, names: Sequence[str]) -> dict[str, Relation]:
    """Return the columns of numbers that are another column in other units: x' = a x + b."""
    numbers = [name for name in names if _is_number(table.column(name))]
    if len(numbers) < 2 or table.n_rows < 10:
        return {}
    Z, gaps = standardized(np.stack([np.asarray(table.column(name), np.float64) for name in numbers], axis=1))
    found: dict[str, Relation] = {}
    for j, i in _alike(Z):
        name, other = numbers[i], numbers[j]
        r = abs(float(Z[:, i] @ Z[:, j])) / len(Z)
        if r > 1 - CLOSE and name not in found and other not in found and np.array_equal(gaps[:, i], gaps[:, j]):
            exact = r > 1 - COPY
            how = "is the same in other units" if exact else f"has a correlation of {r:.5f} with that column"
            found[name] = Relation(name, (other,), how, bool(exact))
    return found


def _alike(Z: Array) -> Iterator[tuple[int, int]]:
    """Yield the pairs j < i of standardized columns (rows, n) with a correlation near 1 or -1, and perhaps a bit less.

    A block of columns at a time meets all columns to its right, so that the memory is proportional to n.
    """
    Z = Z.astype(np.float32)  # as exact as this search needs, and twice as fast
    for start in range(0, Z.shape[1], ALIKE_BLOCK):
        correlation = np.abs(Z[:, start : start + ALIKE_BLOCK].T @ Z[:, start:]) / len(Z)
        for j, i in np.argwhere(np.triu(correlation > 1 - 2 * CLOSE, 1)).tolist():
            yield start + j, start + i


def _is_number(column: Column) -> bool:
    return not isinstance(column, Texts) and column.dtype.kind in "iuf"


def standardized(values: Array) -> tuple[Array, Array]:
    """Standardize columns (rows, n), with 0 for missing values and constants; also return where values are missing."""
    gaps = ~np.isfinite(values)
    filled = np.where(gaps, 0.0, values)
    counts = np.maximum((~gaps).sum(axis=0), 1)
    largest = np.abs(filled).max(axis=0, initial=0.0)
    filled /= np.where(largest > 0, largest, 1.0)  # so that no square overflows
    mean = filled.sum(axis=0) / counts
    centred = np.where(gaps, 0.0, filled - mean)
    std = np.sqrt((centred**2).mean(axis=0))
    return centred / np.where(std > 1e-12, std, np.inf), gaps


@dataclass(frozen=True)
class RowGroups:
    """A column that names the owner of each row, such as a patient, and the columns that it determines."""

    column: str
    determines: tuple[str, ...]

    def __str__(self) -> str:
        """Say in a clause what the column does, and what proves it."""
        proof = f" (it determines {list_columns(self.determines)})" if self.determines else ""
        return f"names the owner of each row{proof}"


def find_row_groups(table: Table, names: Sequence[str], target: str) -> list[RowGroups]:
    """Return the columns that name the owner of each row, those that determine the most columns first.

    Such a column has many values, each in several rows, and no missing one. Either it determines two or more other
    columns, which do not determine each other (as a region determines its country), or its name says what it is.
    """
    table = table.take(slice(GROUP_ROWS)) if table.n_rows > GROUP_ROWS else table
    wanted = [name for name in names if name != target and _may_be_owner(table.column(name), name)]
    owners = {name: column for name in wanted if (column := _owner(table.column(name))) is not None}
    columns = {name: coded(table.column(name)) for name in (*names, target)} if owners else {}
    columns = {name: column for name, column in columns.items() if column.n > 1}
    found = []
    for name, owner in owners.items():
        others = {other: column for other, column in columns.items() if other != name and column.n < owner.n}
        determined = list(_constant_within(owner, others))
        if not isinstance(table.column(name), Texts):
            determined = [other for other in determined if not _is_binned(owner, others[other])]
        if _has_owner_name(name) or (len(determined) > 1 and _independent([others[other] for other in determined])):
            found.append(RowGroups(name, tuple(determined)))
    found.sort(key=lambda group: -len(group.determines))
    dependent = {other for group in found for other in group.determines}
    return [group for group in found if group.column not in dependent]


def _may_be_owner(column: Column, name: str) -> bool:
    """Return whether a column holds texts or whole numbers and is not named after a place, a time or the like."""
    if not isinstance(column, Texts) and column.dtype.kind not in "iu":
        return False
    return NO_OWNERS.isdisjoint(words_of(name))


def _has_owner_name(name: str) -> bool:
    """Return whether a column is named like an owner of rows: ``patient``, ``patient number``, ``case_id``."""
    *before, last = ["", *words_of(name)]
    return last in OWNERS | KEYS or (last in HANDLES and before[-1:] != [] and before[-1] in OWNERS)


def _owner(column: Column) -> Coded | None:
    """Return the column as groups of rows, or None if it has too few groups or fewer than two rows a group."""
    if isinstance(column, Texts) and column.gaps.any():
        return None
    owner = coded(column)
    return owner if owner.n >= GROUPS and len(owner.codes) >= 2 * owner.n else None


def _is_binned(owner: Coded, other: Coded) -> bool:
    """Return whether `other` is a quantity cut into ranges, so that neighbouring owners share its values."""
    values = np.zeros(owner.n, np.int64)
    values[owner.codes] = other.codes
    return int((np.diff(values) != 0).sum()) < other.n


def _independent(columns: Sequence[Coded]) -> bool:
    """Return whether two of the columns do not determine each other."""

    def finer(a: Coded, b: Coded) -> bool:
        return _together([a, b]).n == a.n

    return any(not finer(a, b) and not finer(b, a) for a, b in itertools.combinations(columns, 2))


def _together(columns: Sequence[Coded]) -> Coded:
    """Group the rows that agree in all of these columns."""
    codes = columns[0].codes.astype(np.int64)
    for column in columns[1:]:
        codes = codes * column.n + column.codes
    return coded(codes) if len(columns) > 1 else columns[0]


def _constant_within(groups: Coded, columns: Mapping[str, Coded]) -> Iterable[str]:
    """Yield the columns that are constant within each group, unless chance explains it."""
    order = np.argsort(groups.codes, kind="stable")
    sorted_groups = groups.codes[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=-1))
    first = np.repeat(order[starts], np.diff(starts, append=len(order)))  # for every row the first of its group
    extra = len(order) - groups.n
    for name, column in columns.items():
        if extra * -math.log(_largest_fraction(column)) > SURE and np.array_equal(
            column.codes[order], column.codes[first]
        ):
            yield name


def _largest_fraction(column: Coded) -> float:
    """Return the fraction of the most frequent value."""
    return float(np.bincount(column.codes).max() / len(column.codes))


def find_leak(column: Column, target: Column, classes: bool) -> Relation | None:
    """Return how a column leaks the target, or None. The names in the relation stay empty.

    The target is classes, or numbers without missing values. A column of few values is examined value by value. Any
    other column is sorted: if the target is nearly a function of it, neighbouring rows have nearly the same target.
    """
    values = coded(column)
    n_rows = len(values.codes)
    few = values.n <= n_rows / 5
    if values.n < 2:
        return None
    if classes:
        return _leaks_classes(values, coded(target), few)
    y = np.asarray(target, np.float64)
    y = standardized(y[:, None])[0][:, 0]
    if _is_number(column):
        z, gaps = standardized(np.asarray(column, np.float64)[:, None])
        r = abs(float(z[:, 0] @ y)) / n_rows
        if r > 1 - CLOSE and n_rows >= 10 and not gaps.any():
            exact = r > 1 - COPY
            return Relation(
                "",
                (),
                "is the target in other units" if exact else f"has a correlation of {r:.5f} with the target",
                bool(exact),
            )
    if few and n_rows >= 20:
        sums, counts = np.bincount(values.codes, y), np.bincount(values.codes)
        left = (y @ y - (sums**2 / counts).sum()) / (n_rows - values.n)
        if left < CLOSE:
            return Relation(
                "", (), f"leaves only {100 * max(left, 0):.2g} % of the target's variance unexplained", False
            )
    elif not isinstance(column, Texts) and n_rows >= 50:
        left = float((np.diff(y[_shuffled_sort(values)]) ** 2).mean() / 2)
        if left < CLOSE:
            return Relation("", (), f"leaves only {100 * left:.2g} % of the target's variance unexplained", False)
    return None


def _leaks_classes(values: Coded, y: Coded, few: bool) -> Relation | None:
    n_rows = len(y.codes)
    largest = _largest_fraction(y)
    if few:
        counts = np.bincount(values.codes * y.n + y.codes, minlength=values.n * y.n).reshape(values.n, y.n)
        right = int(counts.max(axis=1).sum())
        wrong = 1 - right / n_rows
        if (n_rows - values.n) * -math.log(largest) > SURE and wrong < 0.005 and wrong < 0.05 * (1 - largest):
            one_to_one = right == n_rows and values.n == y.n
            how = (
                "has exactly one value for each class"
                if one_to_one
                else f"determines the class in {_share(right / n_rows)} of all rows"
            )
            return Relation("", (), how, one_to_one)
        return None
    sorted_y = y.codes[_shuffled_sort(values)]
    agree = float((sorted_y[1:] == sorted_y[:-1]).mean())
    shares = np.bincount(y.codes) / n_rows
    chance = float((shares**2).sum())
    if n_rows >= 50 and 1 - agree < 0.02 * (1 - chance):
        return Relation("", (), f"sorts the classes: {_share(agree)} of neighbouring rows have the same class", False)
    return None


def _shuffled_sort(values: Coded) -> Array:
    """Return the order of the rows by these values, with ties in random order."""
    shuffled = np.random.default_rng(0).permutation(len(values.codes))
    return shuffled[np.argsort(values.codes[shuffled], kind="stable")]


def _share(share: float) -> str:
    return "all" if share == 1 else percent(share, 1)


def cell_hashes(column: Column) -> Array:
    """Return a hash for every cell, (rows,) uint64, which is equal for equal cells of any table."""
    if isinstance(column, Texts):
        digests = [
            hashlib.blake2b(str(text).encode("utf-8", "surrogatepass"), digest_size=8) for text in column.distinct
        ]
        prints: Array = np.array([*(int.from_bytes(digest.digest(), "little") for digest in digests), 1], np.uint64)
        known: Array = prints[column.codes]
        return known
    if column.dtype.kind == "M":
        return column.astype("datetime64[us]").astype(np.int64).view(np.uint64)
    return fingerprints(column)


def list_columns(names: Sequence[str], most: int = 5) -> str:
    """Join the quoted names of columns for a sentence; if there are many, name only the first ones."""
    quoted = list(map(named, names))
    return listing(quoted) if len(names) <= most else listing([*quoted[: most - 1], f"{len(names) - most + 1:,} more"])
