"""The shapes of texts: what is left of a text when each digit is a 0, as in `$0,000.00` for `$2,493.94`.

A column has millions of texts, but few shapes. So a parser decides once what a shape means, and computes the values of
all texts of that shape at once, from a matrix of their digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array

IN_CACHE = 32_768  # texts whose digits stay in the processor's cache
FEW = 64  # texts that Python reads faster than NumPy
_DIGIT = re.compile("[0-9]")
_RUN = re.compile("0+")


class Chosen(Sequence[str]):
    """Some of the texts of a column, which are fetched when somebody asks for them."""

    def __init__(self, texts: Any, rows: Array) -> None:
        self.texts, self.rows = texts, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice | np.ndarray):
            return Chosen(self.texts, self.rows[place])
        text = self.texts[int(self.rows[place])]
        return text if isinstance(text, str) else text.as_py()


class SameShape(NamedTuple):
    """Texts of one shape: which ones they are among all texts, (n,), and their digits, (n, number of digits)."""

    shape: str
    rows: Array
    digits: Array  # of whole numbers from 0 to 9
    texts: Chosen


class Run(NamedTuple):
    """Digits that stand side by side: the first and the last + 1, among the characters and among the digits."""

    start: int
    end: int
    first: int
    last: int


def by_shape(texts: Any) -> Iterator[SameShape]:
    """Yield texts by shape: a sequence of them, or an array of large strings of Arrow, whose empty cells are left out.

    Every text has a shape. Of many texts, those of one shape may come in several parts.
    """
    if len(texts) <= FEW and isinstance(texts, Sequence):
        yield from _few(texts)
        return
    import pyarrow as pa

    array = pa.array(texts, pa.large_string()) if isinstance(texts, Sequence) else texts
    for start in range(0, len(array), IN_CACHE):
        yield from _many(array.slice(start, IN_CACHE), start)


def _few(texts: Sequence[str]) -> Iterator[SameShape]:
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows.setdefault(shape_of(text), []).append(row)
    for shape, of_shape in rows.items():
        digits = [[int(digit) for digit in _DIGIT.findall(texts[row])] for row in of_shape]
        found = np.array(of_shape)
        yield SameShape(shape, found, np.array(digits, np.int64).reshape(len(found), -1), Chosen(texts, found))


def _many(texts: Any, start: int) -> Iterator[SameShape]:
    """Yield texts of Arrow, the first of which is in row `start`, by shape."""
    import pyarrow as pa

    texts = pa.concat_arrays([texts])  # so that its buffers begin with its first text
    validity, ends, content = texts.buffers()
    offsets = np.frombuffer(ends, np.int64)[: len(texts) + 1]
    data = np.frombuffer(content, np.uint8)[: offsets[-1]] if content else np.empty(0, np.uint8)
    digit = data - np.uint8(ord("0"))  # a smaller character wraps around to a large number
    is_digit = digit < 10
    shaped = pa.py_buffer(np.where(is_digit, np.uint8(ord("0")), data))
    found = pa.LargeStringArray.from_buffers(len(texts), ends, shaped, validity, texts.null_count).dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy()
    before = np.zeros(len(data) + 1, np.int32)
    np.cumsum(is_digit, out=before[1:])
    digits, first = digit[is_digit], before[offsets[:-1]]
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes, np.arange(len(found.dictionary) + 1), sorter=order)
    for code, shape in enumerate(found.dictionary.to_pylist()):
        rows = order[bounds[code] : bounds[code + 1]]
        places = first[rows][:, None] + np.arange(shape.count("0"))
        yield SameShape(shape, start + rows, digits[places].astype(np.int64), Chosen(texts, rows))


def shape_of(text: str) -> str:
    """Return the shape of a text.

    >>> shape_of("$2,493.94"), shape_of("Dec 01, 2023")
    ('$0,000.00', 'Dec 00, 0000')
    """
    return _DIGIT.sub("0", text)


def runs(shape: str) -> list[Run]:
    """Return the runs of digits in a shape, from left to right."""
    found, before = [], 0
    for match in _RUN.finditer(shape):
        n = match.end() - match.start()
        found.append(Run(match.start(), match.end(), before, before + n))
        before += n
    return found


def whole(digits: Array) -> Array:
    """Return the whole number that each row of digits (rows, n) writes, (rows,); n is at most 18."""
    number: Array = digits @ 10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64)
    return number
