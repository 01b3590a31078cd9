"""Columns of Arrow, which reads files, as columns of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import instant
from nnfs_cli.data.table import NUMBER, Column, text_of
from nnfs_cli.data.texts import Texts

TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")


class NotTakenError(Exception):
    """A column of a type that is none of a table's."""


def to_column(column: Any, as_words: bool = False) -> Column:
    """A column (rows,) by its own type, or its values in the words of a file.

    Raises `NotTakenError` with the type where it is none of a table's.
    """
    import pyarrow as pa

    try:
        if pa.types.is_dictionary(column.type) and not pa.types.is_string(column.type.value_type):
            column = column.cast(column.type.value_type)
        return _words(column) if as_words else _natural(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise NotTakenError(str(column.type)) from None


def _natural(column: Any) -> Column:
    import pyarrow as pa

    types, kind = pa.types, column.type
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if types.is_dictionary(kind) or types.is_string(kind) or types.is_large_string(kind):
        return to_texts(column)
    if types.is_boolean(kind):
        return np.asarray((column.cast(pa.int8()).cast(pa.float64()) if column.null_count else column).to_numpy())
    if types.is_integer(kind):
        return _integers(column)
    if types.is_floating(kind) or types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    if types.is_date(kind) or types.is_timestamp(kind):
        return to_instants(column)
    if types.is_duration(kind):
        return _seconds(column)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        raise pa.ArrowInvalid("bytes are no text")
    return to_texts(column.cast(pa.string()))


def _integers(column: Any) -> Array:
    import pyarrow as pa

    try:
        return np.asarray(column.cast(pa.float64() if column.null_count else pa.int64()).to_numpy())
    except pa.ArrowInvalid:  # larger than a float holds exactly, or than an int64
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _seconds(column: Any) -> Array:
    """Durations as seconds."""
    import pyarrow as pa

    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[column.type.unit]
    return np.asarray(column.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy()) / per_second


def to_instants(column: Any) -> Array:
    """Dates or timestamps as instants in UTC, datetime64[us]. Raises `pa.ArrowInvalid` for years beyond 290,000."""
    import pyarrow as pa

    safe = getattr(column.type, "unit", "") != "ns"  # of which less than a microsecond is lost
    column = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=safe)
    return np.asarray(column.to_numpy()).astype("datetime64[us]", copy=False)


def to_texts(column: Any) -> Texts:
    """Strings, or a dictionary of them, as texts."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    codes, words = _codes(column)
    if len(set(words)) < len(words) or None in words:
        known = Texts.of([*words, None])
        return Texts(known.codes[codes], known.distinct)
    objects = np.empty(len(words), object)
    objects[:] = words
    return Texts(codes, objects)


def _codes(column: Any) -> tuple[Array, list[Any]]:
    """For each row of a column that is encoded by a dictionary its place there, -1 for a gap; and the dictionary."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    return column.indices.cast(pa.int32()).fill_null(-1).to_numpy(), column.dictionary.to_pylist()


def _words(column: Any) -> Texts:
    """Values of any type in the words of a file."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return Texts.of([None] * len(column))
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return to_texts(column)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_floating(kind):
        codes, different = _codes(column.dictionary_encode())
        values = [text_of(value) or None for value in different]
    else:
        found = _natural(column)
        if isinstance(found, Texts):
            return found
        instants, codes = np.unique(found, return_inverse=True)
        codes, values = codes.reshape(-1), [text_of(value) or None for value in instants.tolist()]
    known = Texts.of([*values, None])
    return Texts(known.codes[codes], known.distinct)


def parsed_numbers(column: Any, decimal: str = ".") -> tuple[Array, Array | None]:
    """Strings (rows,) as float64, a gap as NaN; and which are no finite numbers, if any. Truth values are 1 and 0."""
    import pyarrow as pa
    from pyarrow import compute

    trimmed = compute.utf8_trim(column, " \t")
    if decimal != "." and not compute.any(compute.match_substring(trimmed, ".")).as_py():
        trimmed = compute.replace_substring(trimmed, decimal, ".")
    elif decimal != ".":
        trimmed = None
    if trimmed is not None:
        try:
            numbers = np.asarray(trimmed.cast(pa.float64()).to_numpy())
            if finite(numbers, column.null_count):
                return numbers, None
        except pa.ArrowInvalid:
            pass
    texts = to_texts(column)
    known = [number_of(text, decimal) for text in texts.distinct.tolist()]
    numbers = np.array([np.nan if number is None else number for number in known] + [np.nan])[texts.codes]
    wrong = np.array([number is None for number in known] + [False])[texts.codes]
    return numbers, wrong if wrong.any() else None


def number_of(text: str, decimal: str = ".") -> float | None:
    """The finite number that a cell holds: digits, maybe with a sign, a decimal mark, an exponent; or a truth value."""
    if text in TRUE:
        return 1.0
    if text in FALSE:
        return 0.0
    text = text.strip(" \t")
    if decimal != ".":
        text = "?" if "." in text else text.replace(decimal, ".")
    number = float(text) if NUMBER.fullmatch(text) else np.inf
    return number if np.isfinite(number) else None


def parsed_dates(column: Any) -> tuple[Array, Array | None]:
    """Strings (rows,) as datetime64[us], a gap as NaT; and which are no dates, if any."""
    import pyarrow as pa

    for zone in (None, "UTC"):
        try:
            return to_instants(column.cast(pa.timestamp("us", zone))), None
        except pa.ArrowInvalid:
            pass
    return dates_of(to_texts(column))


def dates_of(texts: Texts) -> tuple[Array, Array | None]:
    """The same for texts, word by word."""
    known = np.array([*map(instant, texts.distinct.tolist()), np.datetime64("NaT")], "datetime64[us]")
    dates = known[texts.codes]
    wrong = np.isnat(dates) & ~texts.gaps
    return dates, wrong if wrong.any() else None


def finite(numbers: Array, gaps: int) -> bool:
    """Whether all numbers are finite but so many gaps."""
    with np.errstate(over="ignore", invalid="ignore"):
        if not gaps and np.isfinite(numbers.sum()):
            return True
    return int(np.isfinite(numbers).sum()) == len(numbers) - gaps
