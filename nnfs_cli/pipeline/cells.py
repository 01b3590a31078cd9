"""Operations on the cells of a table: columns, categories, lists and dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from nnfs_cli.pipeline.value import DType, Value

ColumnKind: TypeAlias = Literal["number", "category", "date"]
TYPES: dict[ColumnKind, DType] = {"number": "float64", "category": "text", "date": "int64"}
EMPTY_DATE = -(2**63)  # as NumPy stores NaT
DatePart: TypeAlias = Literal["day_of_year", "days_in_year", "day_of_month", "days_in_month"]


def column(name: str, kind: ColumnKind) -> Value:
    """Return the cells of a column, (1,).

    Numbers are float64, and NaN where a cell is empty. Categories are texts, or empty. Dates are microseconds since the
    beginning of 1970, "int64", and `EMPTY_DATE` where a cell is empty.
    """
    return Value("column", (), TYPES[kind], (1,), settings={"name": name, "kind": kind})


def is_gap(text: Value) -> Value:
    """Return whether a cell of a column of categories is empty, (1,) "bool". The text "" is not empty."""
    return Value("is_gap", (text,), "bool", (1,))


def look_up(text: Value, keys: Sequence[str], gap: int, default: int) -> Value:
    """Return the place of a text among different keys, (1,) "int64": `gap` for an empty cell, `default` for others."""
    return Value("look_up", (text,), "int64", (1,), settings={"keys": tuple(keys), "gap": gap, "default": default})


def hash_bucket(text: Value, buckets: int) -> Value:
    """Return a hash of a text modulo the number of buckets, (1,) "int64".

    The hash is the first 8 bytes of BLAKE2b with a digest of 8 bytes, as a little-endian number, of the text in UTF-8;
    an empty cell is the single byte 255.
    """
    return Value("hash_bucket", (text,), "int64", (1,), settings={"buckets": buckets})


def has_entries(text: Value, delimiter: str, keys: Sequence[str]) -> Value:
    """Return whether a list in a cell holds each key, and last whether it holds anything else, (keys + 1,) "bool".

    Blanks around the list are left out, then one pair of the brackets [], {} or (), and blanks, one pair of the same
    quotes " or ', and blanks again around each entry. Entries without a character are no entries, and an empty cell has
    none.
    """
    settings = {"delimiter": delimiter, "keys": tuple(keys)}
    return Value("has_entries", (text,), "bool", (len(keys) + 1,), settings=settings)


def date_part(date: Value, part: DatePart) -> Value:
    """Return a part of dates, "int64": the day of the year or month from 0 on, or how many days it has."""
    return Value("date_part", (date,), "int64", date.features, settings={"part": part})
