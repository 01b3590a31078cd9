"""The `split` block of a config: which rows train, which validate, and which are held out for the final test.

`Split` is the setting; the functions below it divide rows at random, by a column, by groups, by time, or by a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo, model_validator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import FilePath, Fraction, Switch, Text, absolute_path, relative_path
from nnfs_cli.components.section import Section, invalid
from nnfs_cli.data.gap import Gap, gap_between, instants, long_before
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.wording import counted, listing, named, shown

SPLITS = ("train", "validation", "test")
COLUMN_KEYS = ("column", "group", "time", "hash")  # settings that name the column which divides the rows
FEW_GROUPS = 1000  # the sizes of fewer groups do not average out, so the best of several draws is used
DRAWS = 20


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
    """The division of rows into train, validation and test: at random, by a column, or from files.

    By default, rows are drawn at random, and classes are spread evenly over the splits unless `stratify` is false. With
    `column`, `group`, `time` or `hash`, that column alone decides, whatever the classes. A split that is a file takes
    no rows of the table, and neither `stratify` nor the column applies to that file.
    """

    main = "validation"

    validation: Share = Field(default=0.2, kw_only=False)
    """Fraction of the rows used to choose the best epoch, or the path of a file with such rows."""
    test: Share = 0.0
    """Fraction of the rows for the final test, or the path of a file with such rows."""
    stratify: Switch = True
    """Give each split the same proportions of the classes if true. This applies when rows are drawn at random."""
    column: Text | None = None
    """Column that holds train, validation or test in every row; the fractions then have no effect."""
    group: Text | None = None
    """Column of groups, such as patients: all rows of a group go to one split. Fractions are met as closely as whole
    groups allow."""
    time: Text | None = None
    """Column of dates or numbers: the earliest rows train, later ones validate, and the latest are for the test. Rows
    with equal values go to one split, the later one."""
    gap: Gap | None = None
    """With `time`, how long training rows are before the first row of validation, test or a fold, at least: such as
    `7 days`, `12 hours` or `90 min` for dates, a number for numbers. Rows in between do not train."""
    hash: Text | None = None
    """Column of ids: the split of a row depends on its id and the seed alone, so it stays the same when rows are added.
    Fractions are met approximately."""

    @model_validator(mode="after")
    def _leaves_rows(self) -> Self:
        fractions = [share for share in (self.validation, self.test) if isinstance(share, float)]
        if sum(fractions) >= 1:
            raise invalid(f"validation and test take {sum(fractions):g} of the rows, which leaves none to train")
        return self

    @model_validator(mode="after")
    def _names_one_column(self) -> Self:
        if len(self.column_by_key) > 1:
            raise invalid(f"only one column can divide the rows; set one of {listing(self.column_by_key, 'or')}")
        return self

    @model_validator(mode="after")
    def _gap_is_in_time(self) -> Self:
        if self.gap and self.time is None:
            raise invalid("a gap lies between rows in the order of time; name the column of dates with time")
        return self

    def without_default_validation(self) -> Self:
        """Return this split with validation: 0, unless the config sets validation."""
        return self if "validation" in self.model_fields_set else self.model_copy(update={"validation": 0.0})

    @property
    def column_by_key(self) -> dict[str, str]:
        """The column that divides the rows, by the key that names it; empty if there is none."""
        return {way: name for way in COLUMN_KEYS if (name := getattr(self, way)) is not None}

    @property
    def columns(self) -> dict[str, Kind | None]:
        """The columns that `divide` needs, and the kind to read them as; None for dates or numbers, as they appear.

        The columns of groups, ids and splits are not inputs, unless the preprocessing names them. The time column is
        an input if the preprocessing has a step for it.
        """
        return {name: None if way == "time" else "category" for way, name in self.column_by_key.items()}

    @property
    def files(self) -> dict[str, Path]:
        """The splits that are files."""
        return {split: share for split in SPLITS[1:] if isinstance(share := getattr(self, split), Path)}

    @property
    def fractions(self) -> dict[str, float]:
        """The splits that are a fraction of the rows, which may be 0."""
        return {split: share for split in SPLITS[1:] if isinstance(share := getattr(self, split), float)}

    def divide(self, table: Table, classes: Array | None, seed: int) -> dict[str, Array]:
        """Return the row indices of each split, sorted.

        The table must hold `columns`; `classes` (rows,) are class indices, if the target is classes. Raises `DataError`
        when a split that should have rows would be empty, and when a cell of the column does not decide a split.
        """
        match self.column_by_key:
            case {"column": name}:
                splits = _split_by_column(table, name)
            case {"group": name}:
                splits = _split_by_group(table, name, self.fractions, random_stream(seed, "split"))
            case {"time": name}:
                splits = _split_by_time(table, name, self.fractions, gap_between(table, name, self.gap))
            case {"hash": name}:
                splits = _split_by_hash(table, name, self.fractions, seed)
            case _:
                strata = classes if self.stratify else None
                splits = _split_at_random(table.n_rows, strata, self.fractions, random_stream(seed, "split"))
                for split in self.fractions:
                    if not len(splits[split]):
                        _refuse_too_few(table, split, self.fractions[split])
        if not len(splits["train"]):
            raise DataError(f"{table.name}: the split leaves no row to train")
        return splits


def _refuse_too_few(table: Table, split: str, fraction: float) -> None:
    """Raise `DataError` for an empty split, unless its fraction is 0."""
    if fraction:
        few = f"{counted(table.n_rows, 'row')} {'is' if table.n_rows == 1 else 'are'} too few"
        raise DataError(f"{table.name}: {few} to hold out {fraction:g} of them for {split}")


def _rows_by_split(indices: Array) -> dict[str, Array]:
    """Return the rows of each split, from the index of the split of each row, (rows,)."""
    return {split: np.flatnonzero(indices == i) for i, split in enumerate(SPLITS)}


def _split_at_random(n_rows: int, strata: Array | None, fractions: dict[str, float], rng: Any) -> dict[str, Array]:
    """Shuffle the rows and give each split its share of every class, up to one row; each class keeps a row to train."""
    order = rng.permutation(np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64))  # int32 saves memory
    by_stratum = [order] if strata is None else [order[strata[order] == stratum] for stratum in np.unique(strata)]
    sizes = np.array([len(rows) for rows in by_stratum])
    start = np.zeros_like(sizes)
    splits = {}
    for split, fraction in fractions.items():
        take = _apportion(fraction * sizes, sizes - 1 - start)
        splits[split] = [rows[i : i + n] for rows, i, n in zip(by_stratum, start, take, strict=True)]
        start = start + take
    splits["train"] = [rows[i:] for rows, i in zip(by_stratum, start, strict=True)]
    whole = {split: np.concatenate(splits.get(split) or [order[:0]]) for split in SPLITS}
    for rows in whole.values():
        rows.sort()
    return whole


def _apportion(shares: Array, most: Array) -> Array:
    """Round the shares so that their sum is kept, where `most` allows it, by the method of largest remainders."""
    take = np.minimum(np.floor(shares), most).astype(np.intp)
    missing = round(shares.sum()) - take.sum()
    for i in np.argsort(take - shares, kind="stable"):
        if missing > 0 and take[i] < min(shares[i], most[i]):
            take[i] += 1
            missing -= 1
    return take


def _split_by_column(table: Table, name: str) -> dict[str, Array]:
    indices = table.texts(name).look_up({split: i for i, split in enumerate(SPLITS)}, len(SPLITS))
    if (indices == len(SPLITS)).any():
        raise table.error(int(np.argmax(indices)), name, "train, validation or test")
    return _rows_by_split(indices)


def _values(table: Table, name: str) -> Texts:
    """Return a column of texts. Raises `DataError` for an empty cell, which belongs to no group."""
    texts = table.texts(name)
    if texts.gaps.any():
        raise table.error(int(np.argmax(texts.gaps)), name, "a value in every row, since it decides the split")
    return texts


def _split_by_group(table: Table, name: str, fractions: Mapping[str, float], rng: Any) -> dict[str, Array]:
    """Draw whole groups at random, as many for each split as fit into its fraction of the rows."""
    texts = _values(table, name)
    counts = np.bincount(texts.codes, minlength=len(texts.distinct))
    first = np.full(len(counts), table.n_rows)
    first[texts.codes[::-1]] = np.arange(table.n_rows)[::-1]  # the last assignment to a place stays
    groups = np.argsort(first)[: np.count_nonzero(counts)]  # in the order of their first rows
    quotas = {split: fraction * table.n_rows for split, fraction in fractions.items() if fraction}
    if quotas and len(groups) <= len(quotas):
        found = f"has {counted(len(groups), 'group')}, but {listing(['train', *quotas])} need at least one each"
        raise DataError(f"{table.name}: column {named(name)} {found}")
    draws = [_draw(counts[groups], quotas, rng) for _ in range(DRAWS if len(groups) <= FEW_GROUPS else 1)]
    indices = np.zeros(len(counts), np.int8)
    indices[groups] = min(draws, key=lambda draw: draw[1])[0]
    return _rows_by_split(indices[texts.codes])


def _draw(sizes: Array, quotas: Mapping[str, float], rng: Any) -> tuple[Array, float]:
    """Return the index of the split of each group, (groups,), and by how many rows the splits miss their quotas."""
    indices = np.zeros(len(sizes), np.int8)
    left = rng.permutation(len(sizes))
    missed = 0.0
    for later, (split, quota) in zip(range(len(quotas), 0, -1), quotas.items(), strict=True):
        taken = _fitting(sizes[left], quota, len(left) - later)  # later splits and train need one each
        indices[left[taken]] = SPLITS.index(split)
        missed += abs(sizes[left[taken]].sum() - quota)
        left = left[~taken]
    return indices, missed


def _fitting(sizes: Array, room: float, most: int) -> Array:
    """Choose groups, (groups,) of booleans, that fill the room: in order, every group that still fits, 1 to `most`.

    One more group may exceed the room, if that brings the sum closer to it.
    """
    taken = np.zeros(len(sizes), bool)
    left = np.flatnonzero(sizes <= room)
    while most and len(left):
        sums = np.cumsum(sizes[left[:most]])
        n = int(np.searchsorted(sums, room, "right"))  # the next group is too large for the rest
        taken[left[:n]] = True
        most, room = most - n, room - sums[n - 1]
        left = left[n:][sizes[left[n:]] <= room]
    smallest = np.argmin(np.where(taken, np.iinfo(sizes.dtype).max, sizes))
    if most and (sizes[smallest] < 2 * room or not taken.any()):
        taken[smallest] = True
    return taken


def _split_by_time(table: Table, name: str, fractions: Mapping[str, float], gap: float) -> dict[str, Array]:
    """Give the latest rows to the test and the next ones to validation; rows of one instant stay together.

    Rows less than the gap before them are in no split.
    """
    times, left = instants(table, name), np.arange(table.n_rows)
    indices = np.zeros(table.n_rows, np.int8)
    for split in reversed(list(fractions)):
        n = round(fractions[split] * table.n_rows)
        if not n:
            _refuse_too_few(table, split, fractions[split])
            continue
        start = max(len(times) - n, 0)
        first = np.partition(times, start)[start]
        late = times >= first
        indices[left[late]] = SPLITS.index(split)
        times, left = times[~late], left[~late]
        if not len(left):
            shared = f"too many rows share one value of {named(name)}"
            raise DataError(
                f"{table.name}: {shared}; with {fractions[split]:g} of them for {split}, no earlier rows are left"
            )
    if gap and len(left) < table.n_rows:
        indices[left[~long_before(times, first, gap)]] = len(SPLITS)
        if not (indices == 0).any():
            raise DataError(
                f"{table.name}: all earlier rows lie within the gap of the split, so no row is left to train"
            )
    return _rows_by_split(indices)


def _split_by_hash(table: Table, name: str, fractions: Mapping[str, float], seed: int) -> dict[str, Array]:
    """Assign values by their hash in [0, 1): the test from 0 upwards, validation from 1 downwards, train between."""
    texts = _values(table, name)
    values = _hashes(texts.distinct, seed)
    held_out = {"validation": values >= 1 - fractions.get("validation", 0), "test": values < fractions.get("test", 0)}
    indices = np.zeros(len(values), np.int8)
    for split, mask in held_out.items():
        indices[mask] = SPLITS.index(split)
    splits = _rows_by_split(indices[texts.codes])
    for split in SPLITS:
        if not len(splits[split]) and fractions.get(split, split == "train"):
            n = int(np.count_nonzero(np.bincount(texts.codes)))
            found = f"none of the {counted(n, 'different value')} of {named(name)} falls into {split}"
            raise DataError(f"{table.name}: {found}; try another seed, or use more rows")
    return splits


def _hashes(texts: Array, seed: int) -> Array:
    """Return a number in [0, 1) for each text (n,): the first 53 bits of its BLAKE2b hash, salted with the seed.

    Source: Aumasson, Neves, Wilcox-O'Hearn and Winnerlein, "BLAKE2: simpler, smaller, fast as MD5" (2013).
    """
    salted = hashlib.blake2b(digest_size=8, salt=seed.to_bytes(8, "little"))

    def digest(text: str) -> int:
        own = salted.copy()  # twice as fast as a new one
        own.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(own.digest(), "big")

    hashes = np.fromiter(map(digest, texts.tolist()), np.uint64, len(texts))
    return np.asarray((hashes >> np.uint64(11)) * 2.0**-53)
