"""Which rows train, which validate, and which are kept for the final test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import FilePath, Fraction, Switch, Text, absolute_path, relative_path
from nnfs_cli.components.section import Section, invalid
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, listing, named, shown

SPLITS = ("train", "validation", "test")
WAYS = ("column", "group", "time", "hash")  # the settings that name a column to divide the rows by
FEW, DRAWS = 1000, 20  # so few groups are drawn so often, since their sizes do not even out


def _share(value: object, info: ValidationInfo) -> float | Path:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return float(value)
    if isinstance(value, str | Path):
        return absolute_path(value, info)
    raise invalid(f"expected a fraction of the rows, such as 0.2, or the path of a file, found {shown(value)}")


def _plain(value: float | Path, info: SerializationInfo) -> float | str:
    return relative_path(value, info) if isinstance(value, Path) else value


Share = Annotated[
    float | Path, PlainValidator(_share, json_schema_input_type=Fraction | FilePath), PlainSerializer(_plain)
]


class Split(Section):
    """How rows are held back: a fraction of them, a file of their own, or by a column, in one of four ways.

    Without a column the rows of each split are drawn at random, classes in equal proportion unless `stratify` is false.
    With `group`, `time` or `hash` the column alone decides, and nothing is promised about classes. A split with a file
    of its own takes no rows of the table, and no such promise reaches into that file.
    """

    main = "validation"

    validation: Share = 0.2
    """A fraction of the rows, to choose the best epoch by, or the path of a file of such rows."""
    test: Share = 0.0
    """The same, for the final test."""
    stratify: Switch = True
    """Whether every split holds the classes in equal proportion, where rows are drawn at random."""
    column: Text | None = None
    """Holds train, validation or test in every row; then the fractions say nothing."""
    group: Text | None = None
    """Rows with the same value of this column, a patient say, stay together; the splits are as large as whole groups
    allow."""
    time: Text | None = None
    """A column of dates or numbers: the latest rows are the test, those before them validation, the earliest train.
    Rows of one instant stay together, in the later split."""
    hash: Text | None = None
    """A column of ids: the split of a row follows from its id and the seed alone, and stays when rows are added; the
    fractions are met roughly."""

    @model_validator(mode="after")
    def _leaves_rows(self) -> Self:
        fractions = [share for share in (self.validation, self.test) if isinstance(share, float)]
        if sum(fractions) >= 1:
            raise invalid(f"validation and test take {sum(fractions):g} of the rows and leave none to train")
        return self

    @model_validator(mode="after")
    def _goes_one_way(self) -> Self:
        if len(self.named) > 1:
            raise invalid(f"rows are divided in one way; give one of {listing(self.named, 'or')}")
        return self

    def without_validation(self) -> Self:
        """The same, with nothing held back to validate unless that was asked for."""
        return self if "validation" in self.model_fields_set else self.model_copy(update={"validation": 0.0})

    @property
    def named(self) -> dict[str, str]:
        """The column that the rows are divided by, under the setting that names it; empty where there is none."""
        return {way: name for way in WAYS if (name := getattr(self, way)) is not None}

    @property
    def columns(self) -> dict[str, Kind | None]:
        """The columns that `divide` needs, and what to read them as: words, or (None) what they seem to be.

        None is for dates or numbers. These columns are no inputs, unless the preprocessing names them; but that of
        the time is one where there is a step for it.
        """
        return {name: None if way == "time" else "category" for way, name in self.named.items()}

    @property
    def files(self) -> dict[str, Path]:
        """The splits that have a file of their own."""
        return {split: share for split in SPLITS[1:] if isinstance(share := getattr(self, split), Path)}

    @property
    def fractions(self) -> dict[str, float]:
        """The splits that are a fraction of the rows, 0 among them."""
        return {split: share for split in SPLITS[1:] if isinstance(share := getattr(self, split), float)}

    def divide(self, table: Table, classes: Array | None, seed: int) -> dict[str, Array]:
        """The indices of the rows of each split, sorted. `classes` (rows,) are the class indices, if there are any.

        The table has the `columns` at least. Raises `DataError` when a split that was asked for would be empty, and
        where a cell of the column does not say what split its row belongs to.
        """
        match self.named:
            case {"column": name}:
                splits = _by_column(table, name)
            case {"group": name}:
                splits = _by_group(table, name, self.fractions, random_stream(seed, "split"))
            case {"time": name}:
                splits = _by_time(table, name, self.fractions)
            case {"hash": name}:
                splits = _by_hash(table, name, self.fractions, seed)
            case _:
                groups = classes if self.stratify else None
                splits = _by_fraction(table.n_rows, groups, self.fractions, random_stream(seed, "split"))
                for split in self.fractions:
                    if not len(splits[split]):
                        _refuse_too_few(table, split, self.fractions[split])
        if not len(splits["train"]):
            raise DataError(f"{table.name}: the split leaves no row to train")
        return splits


def _refuse_too_few(table: Table, split: str, fraction: float) -> None:
    """Raise `DataError` for a split that came out empty, unless nothing was asked for."""
    if fraction:
        few = f"{counted(table.n_rows, 'row')} {'is' if table.n_rows == 1 else 'are'} too few"
        raise DataError(f"{table.name}: {few} to hold back {fraction:g} of them for {split}")


def _rows_by_split(places: Array) -> dict[str, Array]:
    """The rows of each split, where `places` (rows,) are indices of splits."""
    return {split: np.flatnonzero(places == i) for i, split in enumerate(SPLITS)}


def _by_fraction(n_rows: int, groups: Array | None, fractions: dict[str, float], rng: Any) -> dict[str, Array]:
    """Shuffle the rows and give each split its share of every group, within a row; every group keeps one to train."""
    order = rng.permutation(np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64))  # they may be many
    members = [order] if groups is None else [order[groups[order] == group] for group in np.unique(groups)]
    sizes = np.array([len(rows) for rows in members])
    start = np.zeros_like(sizes)
    splits = {}
    for split, fraction in fractions.items():
        take = _apportion(fraction * sizes, sizes - 1 - start)
        splits[split] = [rows[i : i + n] for rows, i, n in zip(members, start, take, strict=True)]
        start = start + take
    splits["train"] = [rows[i:] for rows, i in zip(members, start, strict=True)]
    whole = {split: np.concatenate(splits.get(split) or [order[:0]]) for split in SPLITS}
    for rows in whole.values():
        rows.sort()
    return whole


def _apportion(shares: Array, most: Array) -> Array:
    """Whole numbers next to the shares that add up to what the shares do, where `most` allows: largest remainders."""
    take = np.minimum(np.floor(shares), most).astype(np.intp)
    missing = round(shares.sum()) - take.sum()
    for i in np.argsort(take - shares, kind="stable"):
        if missing > 0 and take[i] < min(shares[i], most[i]):
            take[i] += 1
            missing -= 1
    return take


def _by_column(table: Table, name: str) -> dict[str, Array]:
    places = table.texts(name).look_up({split: i for i, split in enumerate(SPLITS)}, len(SPLITS))
    if (places == len(SPLITS)).any():
        raise table.error(int(np.argmax(places)), name, "train, validation or test")
    return _rows_by_split(places)


def _values(table: Table, name: str) -> Texts:
    """A column of texts without an empty cell: what is not known to be the same cannot be kept together."""
    texts = table.texts(name)
    if texts.gaps.any():
        raise table.error(int(np.argmax(texts.gaps)), name, "a value in every row, since rows are divided by it")
    return texts


def _by_group(table: Table, name: str, fractions: Mapping[str, float], rng: Any) -> dict[str, Array]:
    """Draw whole groups at random, for each split as many as fit into its fraction of the rows."""
    texts = _values(table, name)
    counts = np.bincount(texts.codes, minlength=len(texts.distinct))
    first = np.full(len(counts), table.n_rows)
    first[texts.codes[::-1]] = np.arange(table.n_rows)[::-1]  # of several values for one place the last one stays
    groups = np.argsort(first)[: np.count_nonzero(counts)]  # as they appear in the rows, however the words are kept
    quotas = {split: fraction * table.n_rows for split, fraction in fractions.items() if fraction}
    if quotas and len(groups) <= len(quotas):
        found = f"has {counted(len(groups), 'group')}, and {listing(['train', *quotas])} need at least one each"
        raise DataError(f"{table.name}: column {named(name)} {found}")
    draws = [_draw(counts[groups], quotas, rng) for _ in range(DRAWS if len(groups) <= FEW else 1)]
    places = np.zeros(len(counts), np.int8)
    places[groups] = min(draws, key=lambda draw: draw[1])[0]
    return _rows_by_split(places[texts.codes])


def _draw(sizes: Array, quotas: Mapping[str, float], rng: Any) -> tuple[Array, float]:
    """A split for each of the groups, (groups,), by its index, and by how many rows the splits miss their quotas."""
    places = np.zeros(len(sizes), np.int8)
    left = rng.permutation(len(sizes))
    missed = 0.0
    for later, (split, quota) in zip(range(len(quotas), 0, -1), quotas.items(), strict=True):
        taken = _fitting(sizes[left], quota, len(left) - later)  # the splits that follow need one each
        places[left[taken]] = SPLITS.index(split)
        missed += abs(sizes[left[taken]].sum() - quota)
        left = left[~taken]
    return places, missed


def _fitting(sizes: Array, room: float, most: int) -> Array:
    """Which groups, (groups,), fill the room best: in their order all that still fit, from 1 to `most` of them.

    A last one may be too large, if the sum is nearer to the room with it than without.
    """
    taken = np.zeros(len(sizes), bool)
    left = np.flatnonzero(sizes <= room)
    while most and len(left):
        sums = np.cumsum(sizes[left[:most]])
        n = int(np.searchsorted(sums, room, "right"))  # the group behind them is too large for what is left
        taken[left[:n]] = True
        most, room = most - n, room - sums[n - 1]
        left = left[n:][sizes[left[n:]] <= room]
    smallest = np.argmin(np.where(taken, np.iinfo(sizes.dtype).max, sizes))
    if most and (sizes[smallest] < 2 * room or not taken.any()):
        taken[smallest] = True
    return taken


def _by_time(table: Table, name: str, fractions: Mapping[str, float]) -> dict[str, Array]:
    """Cut the latest rows off, and then the latest of the rest; equal instants go with the latest of them."""
    times, left = _instants(table, name), np.arange(table.n_rows)
    places = np.zeros(table.n_rows, np.int8)
    for split in reversed(list(fractions)):
        n = round(fractions[split] * table.n_rows)
        if not n:
            _refuse_too_few(table, split, fractions[split])
            continue
        start = max(len(times) - n, 0)
        late = times >= np.partition(times, start)[start]
        places[left[late]] = SPLITS.index(split)
        times, left = times[~late], left[~late]
        if not len(left):
            shared = f"too many rows share one instant of {named(name)}"
            raise DataError(f"{table.name}: {shared}; with {fractions[split]:g} of them for {split}, none are earlier")
    return _rows_by_split(places)


def _instants(table: Table, name: str) -> Array:
    """A column of dates or numbers as whole or floating numbers, later ones larger."""
    if table.kind(name) == "number":
        column = table.numbers(name)
        own = np.asarray(table.column(name))
        return own if own.dtype.kind in "iu" else column  # float64 would make large whole numbers equal
    dates = table.dates(name)
    if np.isnat(dates).any():
        raise table.error(int(np.argmax(np.isnat(dates))), name, "a date in every row, since rows are divided by it")
    return dates.view(np.int64)


def _by_hash(table: Table, name: str, fractions: Mapping[str, float], seed: int) -> dict[str, Array]:
    """A value goes where its hash, a number in [0, 1), lies: the test from 0 on, validation up to 1, train between."""
    texts = _values(table, name)
    values = _hashes(texts.distinct, seed)
    held_back = {"validation": values >= 1 - fractions.get("validation", 0), "test": values < fractions.get("test", 0)}
    places = np.zeros(len(values), np.int8)
    for split, mask in held_back.items():
        places[mask] = SPLITS.index(split)
    splits = _rows_by_split(places[texts.codes])
    for split in SPLITS:
        if not len(splits[split]) and fractions.get(split, split == "train"):
            n = int(np.count_nonzero(np.bincount(texts.codes)))
            found = f"none of the {counted(n, 'different value')} of {named(name)} falls to {split}"
            raise DataError(f"{table.name}: {found}; with another seed one may, or with more rows")
    return splits


def _hashes(words: Array, seed: int) -> Array:
    """A number in [0, 1) for each word (n,), evenly spread: the first 53 bits of its BLAKE2b hash, salted by the seed.

    Source: Aumasson, Neves, Wilcox-O'Hearn and Winnerlein, "BLAKE2: simpler, smaller, fast as MD5" (2013).
    """
    salted = hashlib.blake2b(digest_size=8, salt=seed.to_bytes(8, "little"))

    def digest(word: str) -> int:
        own = salted.copy()  # twice as fast as a new one
        own.update(word.encode("utf-8", "surrogatepass"))
        return int.from_bytes(own.digest(), "big")

    hashes = np.fromiter(map(digest, words.tolist()), np.uint64, len(words))
    return np.asarray((hashes >> np.uint64(11)) * 2.0**-53)
