"""Convert between columns of Arrow and columns of a `Table`.

`to_column` converts a column by its own type. `parse_numbers` and `parse_dates` read strings as another type.
`to_arrow` goes the other way, for the writers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data import dates
from nnfs_cli.data.dates import in_zone, utc, zoned
from nnfs_cli.data.numbers import all_finite, parse_number
from nnfs_cli.data.table import Column, text_of
from nnfs_cli.data.texts import StoredTexts, Texts
from nnfs_cli.system.wording import shown

SAMPLE = 10_000  # strings that show whether most of a column differ
FEW = 100  # strings that Python numbers faster than Arrow, which takes as long for one as for a hundred


class UnsupportedTypeError(Exception):
    """A column has a type that a table cannot hold; the message names the type."""


class NotUtf8Error(Exception):
    """A string of a column is not valid UTF-8: `found`, in row `row` (from 0), is the first."""

    def __init__(self, row: int, found: bytes) -> None:
        super().__init__(f"the string in row {row} is not UTF-8")
        self.row, self.found = row, found


def to_column(column: Any, as_texts: bool = False) -> Column:
    """Convert a column (rows,) by its own type, or to texts as a file would hold them.

    Raises `UnsupportedTypeError` for a type that a table cannot hold, and `NotUtf8Error` for an invalid string.
    """
    import pyarrow as pa

    try:
        if pa.types.is_dictionary(column.type) and not pa.types.is_string(column.type.value_type):
            column = column.cast(column.type.value_type)
        return _as_texts(column) if as_texts else _by_type(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UnsupportedTypeError(shown(str(column.type), 80)[1:-1]) from None  # it may name fields of a struct


def is_categorical(kind: Any) -> bool:
    """Return whether a type of Arrow is a dictionary of texts, numbers or booleans."""
    import pyarrow as pa

    return pa.types.is_dictionary(kind) and not (
        pa.types.is_temporal(kind.value_type) or pa.types.is_null(kind.value_type)
    )


def _by_type(column: Any) -> Column:
    import pyarrow as pa

    types, kind = pa.types, column.type
    if kind == pa.float64():
        return np.asarray(column.to_numpy())
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if isinstance(kind, pa.BaseExtensionType):
        raise pa.ArrowInvalid("its storage may mean anything")
    if types.is_dictionary(kind) or types.is_string(kind) or types.is_large_string(kind):
        return to_texts(column)
    if types.is_boolean(kind):
        return np.asarray((column.cast(pa.int8()).cast(pa.float64()) if column.null_count else column).to_numpy())
    if types.is_integer(kind):
        return _integers(column)
    if types.is_decimal(kind):  # by way of texts, since pyarrow would not round to the nearest float
        column = column.cast(pa.string())
    if types.is_floating(kind) or types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    if types.is_date(kind) or types.is_timestamp(kind):
        return to_dates(column)
    if kind == zoned_type():
        return zoned(*map(to_dates, column.flatten()))
    if types.is_duration(kind):
        return _seconds(column)
    if types.is_time(kind):
        return _times(column)
    if any(
        of(kind) for of in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    ):
        raise pa.ArrowInvalid("bytes are not text")
    return to_texts(column.cast(pa.string()))


def _integers(column: Any) -> Array:
    import pyarrow as pa

    if column.type == pa.int64() and not column.null_count:
        return np.asarray(column.to_numpy())
    try:
        return np.asarray(column.cast(pa.float64() if column.null_count else pa.int64()).to_numpy())
    except pa.ArrowInvalid:  # larger than a float holds exactly, or than an int64
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _seconds(column: Any) -> Array:
    """Convert durations to seconds."""
    import pyarrow as pa

    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[column.type.unit]
    return np.asarray(column.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy()) / per_second


def _times(column: Any) -> Texts:
    """Convert times of day to texts of the same form whatever their unit, as in 12:30:00 or 12:30:00.250000."""
    import pyarrow as pa
    from pyarrow import compute

    texts = column.cast(pa.time64("us"), safe=False).cast(pa.string())
    return to_texts(compute.replace_substring_regex(texts, r"\.000000$", ""))


def to_dates(column: Any) -> Array:
    """Convert dates or timestamps to dates; the zone of a column of timestamps gives their local times.

    Raises `pa.ArrowInvalid` for years beyond 290,000, and `UnsupportedTypeError` for a zone that is not known here.
    """
    zone, instants = getattr(column.type, "tz", None), _instants(column)
    if zone is None:
        return instants
    try:
        return in_zone(instants, zone)  # Arrow knows no rules for summer time after 2037
    except KeyError:
        unknown = "which this machine does not know (the package tzdata has all of them)"
        raise UnsupportedTypeError(f"in the time zone {zone}, {unknown}") from None


def zoned_type() -> Any:
    """Return the type of a column whose timestamps have offsets of their own, which Arrow lacks."""
    import pyarrow as pa

    return pa.struct([("utc", pa.timestamp("us")), ("local", pa.timestamp("us"))])


def _instants(column: Any) -> Array:
    """Convert dates or timestamps to instants in UTC, datetime64[us]."""
    import pyarrow as pa

    if getattr(column.type, "unit", "") != "ns":  # NumPy rounds nanoseconds down, also before 1970, as a file is read
        column = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)))
    return np.asarray(column.to_numpy()).astype("datetime64[us]", copy=False)


def to_texts(column: Any) -> Texts:
    """Convert strings, or a dictionary of strings, to texts. Raises `NotUtf8Error` for the first invalid string."""
    import pyarrow as pa

    try:
        if not pa.types.is_dictionary(column.type):
            if len(column) <= FEW:
                return Texts.of(column.to_pylist())
            column = column.dictionary_encode()
        codes, distinct = _codes(column)
    except UnicodeDecodeError:
        refuse_invalid_utf8(column)
        codes, distinct = _codes(column.cast(column.type.value_type).dictionary_encode())
    if len(set(distinct)) < len(distinct) or None in distinct:
        known = Texts.of([*distinct, None])
        return Texts(known.codes[codes], known.distinct)
    objects = np.empty(len(distinct), object)
    objects[:] = distinct
    return Texts(codes, objects)


def to_stored_texts(column: Any) -> Texts:
    """Convert strings to texts, which stay as Arrow stores them if most of them differ."""
    import pyarrow as pa

    if len(column) > FEW and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        first = column.slice(0, SAMPLE)
        refuse_invalid_utf8(column)
        if 2 * len(first.unique()) > len(first):
            strings = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            return StoredTexts(strings.cast(pa.large_string()))
    return to_texts(column)


def refuse_invalid_utf8(column: Any) -> None:
    """Raise `NotUtf8Error` for the first string of a column that is not valid UTF-8, if there is one."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        as_bytes = pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()
        for row, cell in enumerate(column.cast(as_bytes)):
            if cell.is_valid and not _is_utf8(cell.as_py()):
                raise NotUtf8Error(row, cell.as_py()) from None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _codes(column: Any) -> tuple[Array, list[Any]]:
    """Return the index of each row of a dictionary column, -1 for a gap, and the values of the dictionary."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    return column.indices.cast(pa.int32()).fill_null(-1).to_numpy(), column.dictionary.to_pylist()


def _as_texts(column: Any) -> Texts:
    """Convert values of any type to texts as a file would hold them."""
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
        found = _by_type(column)
        if isinstance(found, Texts):
            return found
        instants, codes = np.unique(utc(found), return_inverse=True)
        codes, values = codes.reshape(-1), [text_of(value) or None for value in instants.tolist()]
    known = Texts.of([*values, None])
    return Texts(known.codes[codes], known.distinct)


def parse_numbers(column: Any, decimal: str = ".") -> tuple[Array, Array | None]:
    """Parse strings (rows,) as float64, with NaN for a gap and 1 or 0 for a boolean.

    The second result is a mask of the cells that are not finite numbers, or None if there are none.
    """
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
            if all_finite(numbers, column.null_count):
                return numbers, None
        except pa.ArrowInvalid:
            pass
    texts = to_texts(column)
    known = [parse_number(text, decimal) for text in texts.distinct.tolist()]
    numbers = np.array([np.nan if number is None else number for number in known] + [np.nan])[texts.codes]
    wrong = np.array([number is None for number in known] + [False])[texts.codes]
    return numbers, wrong if wrong.any() else None


def parse_dates(column: Any) -> tuple[Array, Array | None]:
    """Parse strings (rows,) as dates, with NaT for a gap.

    The second result is a mask of the cells that are not dates, or None if there are none.
    """
    import pyarrow as pa
    from pyarrow import compute

    first = column.slice(0, FEW).drop_null().slice(0, 1).to_pylist()
    if not (first and dates.offset_at_end(first[0][10:]) is not None):  # to fail takes Arrow long
        with contextlib.suppress(pa.ArrowInvalid):
            return _instants(column.cast(pa.timestamp("us"))), None
    with contextlib.suppress(pa.ArrowInvalid):
        instants = _instants(column.cast(pa.timestamp("us", "UTC")))
        if compute.all(compute.ends_with(column, "Z")).as_py():
            return instants, None
        endings = to_texts(compute.utf8_slice_codeunits(column, -6))  # as long as +02:00
        offsets = [*map(dates.offset_at_end, endings.distinct.tolist())]
        if None not in offsets:
            return zoned(instants, instants + np.array([*offsets, 0], "timedelta64[m]")[endings.codes]), None
    return dates_from_texts(to_texts(column))


def dates_from_texts(texts: Texts) -> tuple[Array, Array | None]:
    """Parse texts as dates, each distinct text once; the results are those of `parse_dates`."""
    found = dates.parse_dates(texts.distinct.tolist())[texts.codes]
    wrong = np.isnat(utc(found)) & ~texts.gaps
    return found, wrong if wrong.any() else None


def to_arrow(columns: Mapping[str, Any]) -> Any:
    """Return named columns as a table of Arrow, with texts as strings."""
    import pyarrow as pa

    arrays = {name: to_arrow_array(column) for name, column in columns.items()}
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


def to_arrow_array(column: Any) -> Any:
    """Return a column, of a table or of Arrow, as an array of Arrow; NaN and NaT become gaps."""
    import pyarrow as pa

    if isinstance(column, Texts):
        distinct = pa.array(column.distinct.tolist(), pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(column.codes, mask=column.gaps), distinct).cast(pa.string())
    if isinstance(column, np.ndarray):
        if column.dtype == object:
            return pa.array(column.tolist())
        return pa.array(column, from_pandas=True)
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column
