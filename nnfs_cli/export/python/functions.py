"""The functions of operations that NumPy has no function for; a written file has those that it uses.

The source of these functions is copied into the files, so they must run in Python 3.9 with NumPy 1.22, and use nothing
but NumPy, the standard library, each other, and `EMPTY_DATE`, which a file defines anew.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.cells import EMPTY_DATE


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    y: Array = np.where(x >= 0, 1, e) / (1 + e)
    return y


def softmax(x: Array) -> Array:
    """Return exp(x) divided by its sum over the last axis, without overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    y: Array = e / e.sum(axis=-1, keepdims=True)
    return y


def erf(x: Array) -> Array:
    """Return the error function of each entry."""
    return each(math.erf, x)


def normal_cdf(x: Array) -> Array:
    """Return the probability that a standard normal number is at most x."""
    return each(lambda value: math.erfc(-value / math.sqrt(2)) / 2, x)


def normal_quantile(p: Array) -> Array:
    """Return the number that a standard normal number is below with probability p."""
    inverse, ends = statistics.NormalDist().inv_cdf, {0.0: -math.inf, 1.0: math.inf}
    return each(lambda value: inverse(value) if 0 < value < 1 else ends.get(value, math.nan), p)


def each(function: Callable[[float], float], x: Array) -> Array:
    """Return a function of each entry, in the type of x."""
    return np.array([function(value) for value in x.ravel().tolist()], x.dtype).reshape(x.shape)


def beside(*parts: Array) -> Array:
    """Return arrays side by side on the last axis, where those without an axis of nets are repeated for each net."""
    lead = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
    return np.concatenate([np.broadcast_to(part, (*lead, part.shape[-1])) for part in parts], axis=-1)


def is_gap(texts: Array) -> Array:
    """Return which texts (rows, 1) are empty cells."""
    return np.array([text is None for text in texts[:, 0]], bool)[:, None]


def look_up(texts: Array, keys: Sequence[str], gap: int, default: int) -> Array:
    """Return the place of each text (rows, 1) among the keys, `gap` for an empty cell, and `default` for others."""
    places: dict[str | None, int] = {key: place for place, key in enumerate(keys)}
    places[None] = gap
    return np.array([places.get(text, default) for text in texts[:, 0]], np.int64)[:, None]


def hash_bucket(texts: Array, buckets: int) -> Array:
    """Return the BLAKE2b hash of each text (rows, 1) modulo the number of buckets; an empty cell is the byte 255."""
    contents = (b"\xff" if text is None else text.encode("utf-8", "surrogatepass") for text in texts[:, 0])
    hashes = (int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") for content in contents)
    return np.array([code % buckets for code in hashes], np.int64)[:, None]


def has_entries(texts: Array, delimiter: str, keys: Sequence[str]) -> Array:
    """Return whether the list in each cell (rows, 1) holds each key, and last whether it holds anything else."""
    found = np.zeros((len(texts), len(keys) + 1), bool)
    for row, text in enumerate(texts[:, 0]):
        cell = (text or "").strip()
        if len(cell) > 1 and cell[0] + cell[-1] in ("[]", "{}", "()"):
            cell = cell[1:-1]
        entries = set()
        for entry in map(str.strip, cell.split(delimiter)):
            quoted = len(entry) > 1 and entry[0] == entry[-1] and entry[0] in "\"'"
            entries.add(entry[1:-1].strip() if quoted else entry)
        entries.discard("")
        found[row] = [*(key in entries for key in keys), not entries.issubset(keys)]
    return found


def date_part(dates: Array, part: str) -> Array:
    """Return the day of the year or month from 0 on, or how many days it has, of dates in microseconds since 1970."""
    days = dates.astype("datetime64[us]").astype("datetime64[D]")
    now = days.astype("datetime64[Y]" if part.endswith("year") else "datetime64[M]")
    first, after = now.astype("datetime64[D]"), (now + 1).astype("datetime64[D]")
    found = (after - first if part.startswith("days_in") else days - first).astype(np.int64)
    return np.where(dates == EMPTY_DATE, 0, found)


def tree_sums(
    x: Array, feature: Array, threshold: Array, left: Array, value: Array, roots: Array, depth: Array
) -> Array:
    """Return the sums of the values of the leaves that rows x reach, (sets, rows, trees of a round * values).

    The nodes of all trees stand in one list. A row at a node goes to `left`, or to the node after that if its input
    `feature` is larger than `threshold`; at a leaf it stays. `roots` and `depth` (sets, rounds, trees of a round) say
    where each tree begins and how many steps lead to its leaves.
    """
    sets, rounds, trees = roots.shape
    found, row_starts = np.zeros((sets, trees, len(x), value.shape[1])), np.arange(len(x)) * x.shape[1]
    at_once = max(1, 100_000 // max(sets * trees * len(x), 1))  # rounds whose trees all rows go down side by side
    for start in range(0, rounds, at_once):
        node = roots[:, start : start + at_once, :, None].repeat(len(x), axis=3)
        for _ in range(depth[:, start : start + at_once].max(initial=0)):
            inputs = x.reshape(-1).take(feature.take(node) + row_starts)
            node = left.take(node) + (inputs > threshold.take(node))
        found += value.take(node, axis=0).astype(np.float64).sum(axis=1)
    found = found.swapaxes(1, 2)
    return found.reshape(sets, len(x), trees * value.shape[1])


def joined_labels(inside: Array, labels: Sequence[str]) -> Array:
    """Return the labels of the true entries (rows, labels) joined by |, in one text (rows, 1)."""
    found = np.empty((len(inside), 1), object)
    found[:, 0] = ["|".join(labels[i] for i in np.flatnonzero(row).tolist()) for row in inside]
    return found


FUNCTIONS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        sigmoid,
        softmax,
        erf,
        normal_cdf,
        normal_quantile,
        each,
        beside,
        is_gap,
        look_up,
        hash_bucket,
        has_entries,
        date_part,
        tree_sums,
        joined_labels,
    )
}
