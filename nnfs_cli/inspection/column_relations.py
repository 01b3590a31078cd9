"""How the columns of a table hang together: which repeat others, which follow from others, which give the target away.

Chance is ruled out by counting: that a column is constant within groups of rows that another one makes is evidence only
as far as the groups have more rows than one, and as the column varies at all.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.inspection.column_kinds import words_of
from nnfs_cli.system.wording import listing, named, percent

SURE = 20.0  # nats: less than one chance in 10^8 that it is chance
COPY = 1e-6  # how far from 1 the correlation of a copy in other units may be
CLOSE = 1e-3  # how far from 1 that of what all but repeats another column may be
FEW_VALUES = 50  # of a column that may follow from two others
FEW_COLUMNS = 40  # of which all pairs are looked at
PAIR_ROWS = 5_000  # rows for pairs of columns
GROUP_ROWS = 1_000_000  # rows for groups, the first ones: those of a group may stand together
GROUPS = 20  # different values that make groups
OWNERS = frozenset(
    words_of(
        "account animal client customer device driver employee family household machine member participant patient"
        " person player pupil respondent session student subject user volunteer"
    )
)  # whose rows may be told from others by heart
KEYS = frozenset(("id", "ids", "uid", "uuid", "guid", "key"))
HANDLES = frozenset(("nr", "no", "number", "name"))  # of an owner
NO_OWNERS = frozenset(
    words_of(
        "city town village district county region state province country continent area place location zip zipcode"
        " postcode postal plz airport station store shop product item article sku brand model category type kind class"
        " code job occupation language colour color date year quarter month week weekday day hour minute time"
    )
)  # what new rows will have in common with old ones: places, goods and times


class Coded(NamedTuple):
    """A column as the places of its values: codes (rows,) from 0 to n - 1. A gap is a value like any other."""

    codes: Array
    n: int


@dataclass(frozen=True)
class Relation:
    """That `column` can be told from `others`, and half a sentence on how."""

    column: str
    others: tuple[str, ...]
    how: str
    exact: bool = True  # one value of it for each value of the other, and the other way around


def coded(column: Column) -> Coded:
    """The places of a column's values, sorted."""
    values = column.codes if isinstance(column, Texts) else column
    different, codes = np.unique(values, return_inverse=True)
    return Coded(codes.reshape(-1), len(different))


def repeats(table: Table, names: Sequence[str]) -> dict[str, Relation]:
    """The columns that say the same as one further left, by name: the same values, or others one to one."""
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
            how = "holds the same" if same else f"has one word or number for each of the {column.n:,} in it"
            found[name] = Relation(name, (first[key],), how)
        else:
            first[key] = name
    return found | _copies(table, [name for name in names if name not in found])


def _by_appearance(column: Coded) -> Array:
    """The codes in the order in which they first appear: the same for columns that are one to one."""
    _, first = np.unique(column.codes, return_index=True)
    place = np.empty(column.n, np.int64)
    place[np.argsort(first)] = np.arange(column.n)
    return place[column.codes]


def _equal(a: Column, b: Column) -> bool:
    if isinstance(a, Texts) or isinstance(b, Texts):
        return isinstance(a, Texts) and isinstance(b, Texts) and a.tolist() == b.tolist()
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fM" and b.dtype.kind in "fM"))


def _copies(table: Table, names: Sequence[str]) -> dict[str, Relation]:
    """Numbers that are those of another column in other units: x' = a x + b."""
    numbers = [name for name in names if _is_number(table.column(name))]
    if len(numbers) < 2 or table.n_rows < 10:
        return {}
    Z, gaps = standard(np.stack([np.asarray(table.column(name), np.float64) for name in numbers], axis=1))
    correlation = np.abs(Z.T @ Z / len(Z))
    found: dict[str, Relation] = {}
    for j, i in itertools.combinations(range(len(numbers)), 2):
        name, other = numbers[i], numbers[j]
        r = correlation[i, j]
        if r > 1 - CLOSE and name not in found and other not in found and np.array_equal(gaps[:, i], gaps[:, j]):
            exact = r > 1 - COPY
            how = "is the same in other units" if exact else f"all but repeats it (correlation {r:.5f})"
            found[name] = Relation(name, (other,), how, bool(exact))
    return found


def _is_number(column: Column) -> bool:
    return not isinstance(column, Texts) and column.dtype.kind in "iuf"


def standard(values: Array) -> tuple[Array, Array]:
    """Columns (rows, n) with mean 0 and standard deviation 1, gaps and constants being 0; and which are gaps."""
    gaps = ~np.isfinite(values)
    filled = np.where(gaps, 0.0, values)
    counts = np.maximum((~gaps).sum(axis=0), 1)
    largest = np.abs(filled).max(axis=0, initial=0.0)
    filled /= np.where(largest > 0, largest, 1.0)  # so that no square overflows
    mean = filled.sum(axis=0) / counts
    centred = np.where(gaps, 0.0, filled - mean)
    std = np.sqrt((centred**2).mean(axis=0))
    return centred / np.where(std > 1e-12, std, np.inf), gaps


def followers(table: Table, names: Sequence[str]) -> list[Relation]:
    """The columns of few values that follow from another one, or else from two, without being one to one with it."""
    rows = spread(table.n_rows, PAIR_ROWS)
    columns = {name: coded(table.column(name)[rows]) for name in names[:FEW_COLUMNS]}
    columns = {name: column for name, column in columns.items() if 1 < column.n <= len(rows) / 2}
    found: dict[str, Relation] = {}
    for size in (1, 2):
        open_ = {name: column for name, column in columns.items() if column.n <= FEW_VALUES and name not in found}
        fewest: dict[str, int] = {}  # groups from which a column follows
        for others in itertools.combinations([name for name in columns if size == 1 or name not in found], size):
            groups = _together([columns[other] for other in others])
            waiting = {name: column for name, column in open_.items() if column.n < groups.n and name not in others}
            for name in _constant_within(groups, waiting) if groups.n <= len(rows) / 2 else ():
                if groups.n < fewest.get(name, len(rows)):
                    fewest[name] = groups.n
                    found[name] = Relation(name, others, "follows from", exact=False)
    return [found[name] for name in names if name in found]


@dataclass(frozen=True)
class Group:
    """That `column` names whose rows they are, since `followers` are the same in all rows of one, or by its name.

    `sure` says that the followers are proof enough.
    """

    column: str
    followers: tuple[str, ...]
    sure: bool


def groups(table: Table, names: Sequence[str], target: str) -> list[Group]:
    """The columns that name whose rows they are, a patient say, those with the most followers first.

    They have many values, each in several rows, and no gap; and two or more other columns follow from them that do not
    follow from each other as a region and its country do, or their name says it.
    """
    table = table.take(slice(GROUP_ROWS)) if table.n_rows > GROUP_ROWS else table
    wanted = [name for name in names if name != target and _may_be_owner(table.column(name), name)]
    owners = {name: column for name in wanted if (column := _owner(table.column(name))) is not None}
    columns = {name: coded(table.column(name)) for name in (*names, target)} if owners else {}
    columns = {name: column for name, column in columns.items() if column.n > 1}
    found = []
    for name, owner in owners.items():
        others = {other: column for other, column in columns.items() if other != name and column.n < owner.n}
        followers = list(_constant_within(owner, others))
        if not isinstance(table.column(name), Texts):
            followers = [other for other in followers if not _in_steps(owner, others[other])]
        said = _says_owner(name)
        sure = len(followers) > 1 and (said or _independent([others[other] for other in followers]))
        if said or sure:
            found.append(Group(name, tuple(followers), sure))
    found.sort(key=lambda group: -len(group.followers))
    following = {other for group in found for other in group.followers}
    return [group for group in found if group.column not in following]


def _may_be_owner(column: Column, name: str) -> bool:
    """Whether these are names or whole numbers, and not called a place, a time or the like."""
    if not isinstance(column, Texts) and column.dtype.kind not in "iu":
        return False
    return NO_OWNERS.isdisjoint(words_of(name))


def _says_owner(name: str) -> bool:
    """As ``patient``, ``patient number`` and ``case_id`` do."""
    *before, last = ["", *words_of(name)]
    return last in OWNERS | KEYS or (last in HANDLES and before[-1:] != [] and before[-1] in OWNERS)


def _owner(column: Column) -> Coded | None:
    """The column as groups, if it has enough of them, with two rows and more on average."""
    if isinstance(column, Texts) and column.gaps.any():
        return None
    owner = coded(column)
    return owner if owner.n >= GROUPS and len(owner.codes) >= 2 * owner.n else None


def _in_steps(owner: Coded, follower: Coded) -> bool:
    """Whether the follower is a quantity cut into ranges: each of its values belongs to neighbours."""
    values = np.zeros(owner.n, np.int64)
    values[owner.codes] = follower.codes
    return int((np.diff(values) != 0).sum()) < follower.n


def _independent(columns: Sequence[Coded]) -> bool:
    """Whether there are two of which neither follows from the other."""

    def finer(a: Coded, b: Coded) -> bool:
        return _together([a, b]).n == a.n

    return any(not finer(a, b) and not finer(b, a) for a, b in itertools.combinations(columns, 2))


def _together(columns: Sequence[Coded]) -> Coded:
    """The groups of rows that agree in all of these columns."""
    codes = columns[0].codes.astype(np.int64)
    for column in columns[1:]:
        codes = codes * column.n + column.codes
    return coded(codes) if len(columns) > 1 else columns[0]


def _constant_within(groups: Coded, columns: Mapping[str, Coded]) -> Iterable[str]:
    """Those that have one value only in each group, and not by chance."""
    order = np.argsort(groups.codes, kind="stable")
    sorted_groups = groups.codes[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=-1))
    first = np.repeat(order[starts], np.diff(starts, append=len(order)))  # for every row the first of its group
    extra = len(order) - groups.n
    for name, column in columns.items():
        if extra * -math.log(_most(column)) > SURE and np.array_equal(column.codes[order], column.codes[first]):
            yield name


def _most(column: Coded) -> float:
    """The share of the most frequent value."""
    return float(np.bincount(column.codes).max() / len(column.codes))


def spread(n_rows: int, most: int) -> Array:
    """Places of at most so many rows, evenly spread."""
    return np.arange(n_rows) if n_rows <= most else np.linspace(0, n_rows - 1, most).astype(np.int64)


def gives_away(column: Column, target: Column, classes: bool) -> Relation | None:
    """Whether a column all but gives the target away; the names in what comes back are left empty.

    The target is classes, or numbers without gaps. Columns of few values are looked at value by value. Others are
    sorted: the target of neighbours is then nearly the same, where it is anything like a function of the column.
    """
    values = coded(column)
    n_rows = len(values.codes)
    few = values.n <= n_rows / 5
    if values.n < 2:
        return None
    if classes:
        return _gives_classes(values, coded(target), few)
    y = np.asarray(target, np.float64)
    y = standard(y[:, None])[0][:, 0]
    if _is_number(column):
        z, gaps = standard(np.asarray(column, np.float64)[:, None])
        r = abs(float(z[:, 0] @ y)) / n_rows
        if r > 1 - CLOSE and n_rows >= 10 and not gaps.any():
            exact = r > 1 - COPY
            return Relation("", (), "is it in other units" if exact else f"correlates with it by {r:.5f}", bool(exact))
    if few and n_rows >= 20:
        sums, counts = np.bincount(values.codes, y), np.bincount(values.codes)
        left = (y @ y - (sums**2 / counts).sum()) / (n_rows - values.n)
        if left < CLOSE:
            return Relation("", (), f"leaves {100 * max(left, 0):.2g} % of its variance open", False)
    elif not isinstance(column, Texts) and n_rows >= 50:
        left = float((np.diff(y[_shuffled_sort(values)]) ** 2).mean() / 2)
        if left < CLOSE:
            return Relation("", (), f"leaves {100 * left:.2g} % of its variance open", False)
    return None


def _gives_classes(values: Coded, y: Coded, few: bool) -> Relation | None:
    n_rows = len(y.codes)
    most = _most(y)
    if few:
        counts = np.bincount(values.codes * y.n + y.codes, minlength=values.n * y.n).reshape(values.n, y.n)
        right = int(counts.max(axis=1).sum())
        wrong = 1 - right / n_rows
        if (n_rows - values.n) * -math.log(most) > SURE and wrong < 0.005 and wrong < 0.05 * (1 - most):
            one_to_one = right == n_rows and values.n == y.n
            how = "names it in other words" if one_to_one else f"tells it in {_share(right / n_rows)} of all rows"
            return Relation("", (), how, one_to_one)
        return None
    sorted_y = y.codes[_shuffled_sort(values)]
    agree = float((sorted_y[1:] == sorted_y[:-1]).mean())
    shares = np.bincount(y.codes) / n_rows
    chance = float((shares**2).sum())
    if n_rows >= 50 and 1 - agree < 0.02 * (1 - chance):
        return Relation("", (), f"sorts the classes: neighbours by it agree in {_share(agree)} of all rows", False)
    return None


def _shuffled_sort(values: Coded) -> Array:
    """The order of the rows by these values, equal ones in an order that has nothing to do with the table's."""
    shuffled = np.random.default_rng(0).permutation(len(values.codes))
    return shuffled[np.argsort(values.codes[shuffled], kind="stable")]


def _share(share: float) -> str:
    return "all" if share == 1 else percent(share, 1)


def row_hashes(table: Table, names: Sequence[str]) -> Array:
    """A number for every row, (rows,) uint64: the same for rows that hold the same, whatever table they are of."""
    total = np.zeros(table.n_rows, np.uint64)
    for i, name in enumerate(names):
        mixed = _mixed(_fingerprints(table.column(name)) + np.uint64(0x9E3779B97F4A7C15 * (i + 1) % 2**64))
        total = _mixed(total ^ mixed)
    return total


def _fingerprints(column: Column) -> Array:
    if isinstance(column, Texts):
        digests = [
            hashlib.blake2b(str(word).encode("utf-8", "surrogatepass"), digest_size=8) for word in column.distinct
        ]
        prints: Array = np.array([*(int.from_bytes(digest.digest(), "little") for digest in digests), 1], np.uint64)
        known: Array = prints[column.codes]
        return known
    if column.dtype.kind == "M":
        return column.astype("datetime64[us]").astype(np.int64).view(np.uint64)
    numbers = column.astype(np.float64) + 0.0  # no negative zero
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def _mixed(numbers: Array) -> Array:
    """A bijection that spreads every bit over all others (the end of splitmix64; Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Array = numbers ^ (numbers >> np.uint64(31))
    return mixed


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names of columns as a sentence has them; of many only the first."""
    quoted = list(map(named, names))
    return listing(quoted) if len(names) <= most else listing([*quoted[: most - 1], f"{len(names) - most + 1:,} more"])
