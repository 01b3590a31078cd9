"""Compute the values of a pipeline in NumPy: the reference of every format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.cells import EMPTY_DATE
from nnfs_cli.pipeline.elementwise import BINARY, SPECIAL, UNARY
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value

BRACKETS, QUOTES = ("[]", "{}", "()"), "\"'"
EMPTY_BYTES = b"\xff"


def evaluate(
    pipeline: Pipeline, cells: Mapping[str, Array], change: Callable[[Value, Array], Array] = lambda value, found: found
) -> tuple[dict[str, Array], Array]:
    """Return the outputs by name, each (rows,), and which rows are usable, (rows,).

    `cells` are the columns by name, each (rows,): float64 with NaN for gaps, objects with None for gaps, or int64
    microseconds with `EMPTY_DATE` for gaps. `change` may replace what was found for any value.
    """
    found: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        for value in pipeline.operations:
            if value.operation == "column":
                found[id(value)] = cells[value.settings["name"]][:, None]
            else:
                found[id(value)] = change(value, compute(value, [found[id(one)] for one in value.inputs]))
    n_rows = len(next(iter(cells.values())))
    outputs = {name: _rows(found[id(value)], n_rows) for name, value in pipeline.outputs.items()}
    return outputs, _rows(found[id(pipeline.usable)], n_rows)


def _rows(array: Array, n_rows: int) -> Array:
    return np.broadcast_to(array, (n_rows, 1))[:, 0]


def compute(value: Value, inputs: list[Array]) -> Array:
    """Return what an operation other than `column` returns for arrays (members?, rows, *features).

    A constant has one row, but as a matrix or a table none.
    """
    name, settings = value.operation, value.settings
    if name == "constant":
        return _constant(value)
    if name in UNARY or name in BINARY:
        return np.asarray((UNARY.get(name) or BINARY[name])(*inputs), value.dtype)
    if name in SPECIAL:
        return _special(name, inputs[0]).astype(value.dtype)
    if name in CELLS:
        return CELLS[name](inputs[0], settings)
    return np.asarray(OTHERS[name](value, *inputs))


def _constant(value: Value) -> Array:
    array = value.array
    at = 1 if value.members else 0
    return array.reshape(*array.shape[:at], 1, *array.shape[at:])


def _special(name: str, x: Array) -> Array:
    from scipy import special  # imported here: SciPy is slow to import

    functions = {"erf": special.erf, "normal_cdf": special.ndtr, "normal_quantile": special.ndtri}
    return np.asarray(functions[name](x))


def _cells(of: Callable[[str | None, Mapping[str, Any]], Any]) -> Callable[[Array, Mapping[str, Any]], Array]:
    """Return a function of texts (rows, 1) from a function of one text, which it calls once for each distinct text."""

    def of_column(texts: Array, settings: Mapping[str, Any]) -> Array:
        known: dict[str | None, Any] = {}
        column = texts[:, 0].tolist()
        for text in column:
            if text not in known:
                known[text] = of(text, settings)
        return np.array([known[text] for text in column]).reshape(len(column), -1)

    return of_column


def _look_up(text: str | None, settings: Mapping[str, Any]) -> int:
    keys = settings["keys"]
    if text is None:
        return int(settings["gap"])
    return keys.index(text) if text in keys else int(settings["default"])


def _hash_bucket(text: str | None, settings: Mapping[str, Any]) -> int:
    content = EMPTY_BYTES if text is None else text.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest, "little") % int(settings["buckets"])


def entries_of(cell: str, delimiter: str) -> list[str]:
    """Return the different entries of a list in a cell; see `cells.has_entries`."""
    cell = cell.strip()
    if len(cell) > 1 and cell[0] + cell[-1] in BRACKETS:
        cell = cell[1:-1]
    found = []
    for entry in map(str.strip, cell.split(delimiter)):
        quoted = len(entry) > 1 and entry[0] == entry[-1] and entry[0] in QUOTES
        found.append(entry[1:-1].strip() if quoted else entry)
    return [*dict.fromkeys(filter(None, found))]


def _has_entries(text: str | None, settings: Mapping[str, Any]) -> list[bool]:
    entries, keys = set(entries_of(text or "", settings["delimiter"])), settings["keys"]
    return [*(key in entries for key in keys), not entries.issubset(keys)]


def _date_part(dates: Array, settings: Mapping[str, Any]) -> Array:
    days = dates.astype("datetime64[us]").astype("datetime64[D]")
    now = days.astype("datetime64[Y]" if settings["part"].endswith("year") else "datetime64[M]")
    first, after = now.astype("datetime64[D]"), (now + 1).astype("datetime64[D]")
    found: Array = (after - first if settings["part"].startswith("days_in") else days - first).astype(np.int64)
    return np.where(dates == EMPTY_DATE, 0, found)


CELLS: dict[str, Callable[[Array, Mapping[str, Any]], Array]] = {
    "is_gap": _cells(lambda text, settings: text is None),
    "look_up": _cells(_look_up),
    "hash_bucket": _cells(_hash_bucket),
    "has_entries": _cells(_has_entries),
    "date_part": _date_part,
}


def _matmul(value: Value, x: Array, weight: Array) -> Array:
    weight = weight[:, 0] if value.inputs[1].members else weight[0]  # without the axis of rows
    middle = len(value.inputs[0].features) - 1  # axes between rows and the last
    if value.inputs[1].members:
        weight = weight.reshape(len(weight), *[1] * middle, *weight.shape[1:])
    return np.asarray(np.matmul(x, weight))


def _rows_of(value: Value, table: Array, codes: Array) -> Array:
    table, codes = (table[:, 0] if value.inputs[0].members else table[0]), codes[..., 0]
    if value.inputs[0].members and value.inputs[1].members:
        return table[np.arange(len(table))[:, None], codes]
    return table[:, codes] if value.inputs[0].members else table[codes]


def _concatenate(value: Value, *parts: Array) -> Array:
    lead = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
    return np.concatenate([np.broadcast_to(part, (*lead, part.shape[-1])) for part in parts], axis=-1)


def _softmax(value: Value, x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _sigmoid(value: Value, x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, e) / (1 + e))


def _sum_members(value: Value, x: Array) -> Array:
    shares = value.settings["shares"]
    return x.sum(axis=0) / len(x) if shares is None else np.tensordot(shares, x, axes=1)


def _tree_sums(value: Value, x: Array) -> Array:
    s = value.settings
    sets, rounds, trees = s["roots"].shape
    n_values = s["value"].shape[1]
    found = np.zeros((sets, len(x), trees, n_values))
    rows = np.arange(len(x))
    for k, i, j in np.ndindex(sets, rounds, trees):
        node = np.full(len(x), s["roots"][k, i, j], np.intp)
        for _ in range(s["depth"][k, i, j]):
            node = s["left"][node] + (x[rows, s["feature"][node]] > s["threshold"][node])
        found[k, :, j] += s["value"][node].astype(np.float64)
    return found.reshape(sets, len(x), trees * n_values)


def _transpose(value: Value, x: Array) -> Array:
    before = x.ndim - len(value.features)
    return x.transpose(*range(before), *(before + axis for axis in value.settings["axes"]))


def _label_of(value: Value, codes: Array) -> Array:
    labels = np.array(value.settings["labels"], object if value.dtype == "text" else None)
    return np.asarray(labels[codes])


def _joined_labels(value: Value, inside: Array) -> Array:
    labels = value.settings["labels"]
    sets = ["|".join(label for label, here in zip(labels, row, strict=True) if here) for row in inside.tolist()]
    return np.array(sets, object)[:, None]


OTHERS: dict[str, Callable[..., Any]] = {
    "where": lambda value, condition, a, b: np.where(condition, a, b),
    "cast": lambda value, x: x.astype(value.dtype),
    "sigmoid": _sigmoid,
    "matmul": _matmul,
    "take": lambda value, x: x[..., list(value.settings["indices"])],
    "concatenate": _concatenate,
    "reshape": lambda value, x: x.reshape(*x.shape[: x.ndim - len(value.inputs[0].features)], *value.features),
    "transpose": _transpose,
    "sum_last": lambda value, x: x.sum(axis=-1, keepdims=True),
    "max_last": lambda value, x: x.max(axis=-1, keepdims=True),
    "min_last": lambda value, x: x.min(axis=-1, keepdims=True),
    "all_last": lambda value, x: x.all(axis=-1, keepdims=True),
    "any_last": lambda value, x: x.any(axis=-1, keepdims=True),
    "argmax_last": lambda value, x: x.argmax(axis=-1)[..., None],
    "cumulative_sum": lambda value, x: np.cumsum(x, axis=-1),
    "cumulative_max": lambda value, x: np.maximum.accumulate(x, axis=-1),
    "sort_last": lambda value, x: np.sort(x, axis=-1),
    "softmax": _softmax,
    "sum_members": _sum_members,
    "rows_of": _rows_of,
    "count_below": lambda value, x, knots: np.searchsorted(
        knots.reshape(-1), x, "right" if value.settings["or_equal"] else "left"
    ),
    "tree_sums": _tree_sums,
    "label_of": _label_of,
    "joined_labels": _joined_labels,
}
