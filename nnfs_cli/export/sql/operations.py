"""The operations of a pipeline as terms of SQL: an array of terms for each value, (members?, *features)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.sql import arithmetic as sql
from nnfs_cli.export.sql.dates import date_part, microseconds
from nnfs_cli.export.sql.special import erf, normal_cdf, normal_quantile
from nnfs_cli.export.sql.terms import ATOM, Term, case, cell, expression, number, text
from nnfs_cli.pipeline import evaluate
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import named

MOST_NUMBERS = 20_000  # weights and thresholds of a model
UNARY: dict[str, Callable[[Term], Term]] = {
    "negative": sql.negative,
    "absolute": sql.absolute,
    "exp": sql.exp,
    "expm1": sql.expm1,
    "log": sql.log,
    "log1p": sql.log1p,
    "sqrt": sql.sqrt,
    "sin": lambda x: sql.call("SIN", x),
    "cos": lambda x: sql.call("COS", x),
    "tanh": lambda x: sql.call("TANH", x),
    "sigmoid": sql.sigmoid,
    "is_nan": lambda x: sql.negated(sql.is_number(x)),
    "logical_not": sql.negated,
}
BINARY: dict[str, Callable[[Term, Term], Term]] = {
    "add": sql.add,
    "subtract": sql.subtract,
    "multiply": sql.multiply,
    "divide": sql.divide,
    "power": sql.power,
    "minimum": sql.minimum,
    "maximum": sql.maximum,
    "sign_of": sql.sign_of,
    "floor_divide": sql.floor_divide,
    "remainder": sql.remainder,
    "less": lambda a, b: sql.compare(a, "<", b),
    "less_equal": lambda a, b: sql.compare(a, "<=", b),
    "equal": lambda a, b: sql.compare(a, "=", b),
    "logical_and": lambda a, b: sql.every([a, b]),
    "logical_or": lambda a, b: sql.some([a, b]),
}
REDUCED: dict[str, Callable[[Sequence[Term]], Term]] = {
    "sum_last": sql.total,
    "max_last": lambda terms: reduce(sql.maximum, terms),
    "min_last": lambda terms: reduce(sql.minimum, terms),
    "all_last": sql.every,
    "any_last": sql.some,
}


def terms_of(pipeline: Pipeline) -> dict[int, Array]:
    """Return the terms of each value by its id, (members?, *features). Raises `ExportError` for what SQL cannot do."""
    values = pipeline.operations
    _require_small(values)
    rounded = any(value.operation == "tree_sums" for value in values)  # whose inputs are compared in float32
    found: dict[int, Array] = {}
    for value in values:
        with part(value.part):
            inputs = [_aligned(one, found[id(one)], value) for one in value.inputs]
            found[id(value)] = _terms(value, inputs, rounded)
    return found


def _require_small(values: Sequence[Value]) -> None:
    tables = [one.array.size for one in values if one.is_constant]
    trees = [one.settings["value"].size for one in values if one.operation == "tree_sums"]
    n = sum(tables) + sum(trees)
    if n > MOST_NUMBERS:
        raise ExportError(
            f"SQL holds models of at most {MOST_NUMBERS:,} numbers, and this one has {n:,}; export it to onnx, python"
            " or c, or train a smaller net, as with members: 1 and without blend"
        )


def _aligned(value: Value, terms: Array, user: Value) -> Array:
    """Return the terms of an input with an axis of members of length 1 if only others have members."""
    return terms if value.members or not user.members else terms[None]


def _terms(value: Value, inputs: list[Array], rounded: bool) -> Array:
    name = value.operation
    if name in UNARY:
        return _each(UNARY[name], *inputs)
    if name in BINARY:
        return _each(BINARY[name], *inputs)
    if name in REDUCED:
        return _along_last(lambda row: [REDUCED[name](row)], inputs[0])
    if name == "cast":
        return _cast(value, inputs[0], rounded)
    return OTHERS[name](value, *inputs)


def _each(function: Callable[..., Term], *arrays: Array) -> Array:
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), object)


def _along_last(function: Callable[[list[Term]], Sequence[Term]], x: Array) -> Array:
    """Return what a function makes of each row of the last axis."""
    rows = [function(row) for row in x.reshape(-1, x.shape[-1]).tolist()]
    return _array([term for row in rows for term in row], (*x.shape[:-1], len(rows[0])))


def _array(terms: Sequence[Term], shape: Sequence[int]) -> Array:
    found = np.empty(len(terms), object)
    found[:] = terms
    return found.reshape(shape)


def _cast(value: Value, x: Array, rounded: bool) -> Array:
    given, dtype = value.inputs[0].dtype, value.dtype
    if given == "bool":
        return _each(sql.to_number, x)
    if dtype == "bool":
        return _each(lambda one: sql.negated(sql.compare(one, "=", number(0))), x)
    if dtype == "int64":
        return _each(lambda one: sql.call("TRUNC", one), x) if given.startswith("float") else x
    return _each(sql.as_single, x) if dtype == "float32" and given == "float64" and rounded else x


def _constant(value: Value) -> Array:
    if value.dtype == "bool":
        return _each(lambda one: expression("TRUE" if one else "FALSE", kind="condition"), value.array)
    return _each(number, value.array.astype(np.float64))


def _column(value: Value) -> Array:
    name, kind = value.settings["name"], value.settings["kind"]
    found = cell(name, "DOUBLE PRECISION" if kind == "number" else "TEXT")
    return _array([microseconds(found) if kind == "date" else found], (1,))


def _matmul(value: Value, x: Array, weight: Array) -> Array:
    constant, n = value.inputs[1], value.members
    if not n:
        return _product(x, constant.array)
    x = np.broadcast_to(x, (n, *x.shape[1:]))
    return np.stack([_product(x[k], constant.array[k] if constant.members else constant.array) for k in range(n)])


def _product(x: Array, weight: Array) -> Array:
    """Return x (..., n) times a weight (n, m)."""
    columns = weight.T.tolist()
    return _along_last(lambda row: [sql.weighted(row, column) for column in columns], x)


def _argmax(row: list[Term]) -> list[Term]:
    largest = reduce(sql.maximum, row)
    return [
        case(
            *((sql.compare(one, "=", largest), number(i)) for i, one in enumerate(row[:-1])),
            default=number(len(row) - 1),
        )
    ]


def _cumulated(function: Callable[[Term, Term], Term], row: list[Term]) -> list[Term]:
    found = row[:1]
    for term in row[1:]:
        found.append(function(found[-1], term))
    return found


def _sorted(row: list[Term]) -> list[Term]:
    """Return terms in ascending order, by odd-even transposition."""
    row = [*row]
    for i in range(len(row)):
        for j in range(i % 2, len(row) - 1, 2):
            row[j], row[j + 1] = sql.minimum(row[j], row[j + 1]), sql.maximum(row[j], row[j + 1])
    return row


def _sum_members(value: Value, x: Array) -> Array:
    shares = value.settings["shares"]
    shares = [1 / len(x)] * len(x) if shares is None else shares.tolist()
    return _along_last(lambda row: [sql.weighted(row, shares)], np.moveaxis(x, 0, -1))[..., 0]


def _rows_of(value: Value, table: Array, codes: Array) -> Array:
    lead = value.members or 1
    table = np.broadcast_to(table.reshape(-1, *table.shape[-2:]), (lead, *table.shape[-2:]))
    codes = np.broadcast_to(codes.reshape(-1), (lead,))
    rows = [[_chosen(codes[k], column) for column in table[k].T.tolist()] for k in range(lead)]
    return _array([term for row in rows for term in row], (*[lead] * bool(value.members), table.shape[-1]))


def _chosen(code: Term, results: Sequence[Term], kind: Any = "number") -> Term:
    choices = [(sql.compare(code, "=", number(i)), result) for i, result in enumerate(results)]
    return case(*choices, kind=kind)


def _count_below(value: Value, x: Array, knots: Array) -> Array:
    sign = "<" if value.settings["or_equal"] else "<="

    def count(one: Term) -> Term:
        choices = [(sql.compare(one, sign, knot), number(i)) for i, knot in enumerate(knots.reshape(-1).tolist())]
        return case(*choices, default=number(len(choices)))

    return _each(count, x)


def _tree_sums(value: Value, x: Array) -> Array:
    s, inputs = value.settings, x.reshape(-1).tolist()
    sets, _, trees = s["roots"].shape
    n_values = s["value"].shape[1]

    def below(node: int, depth: int, k: int) -> Term:
        if depth == 0 or s["left"][node] == node:
            return number(s["value"][node, k])
        left = int(s["left"][node])
        condition = sql.compare(inputs[s["feature"][node]], ">", number(float(s["threshold"][node])))
        return case((condition, below(left + 1, depth - 1, k)), default=below(left, depth - 1, k))

    found = np.empty((sets, trees, n_values), object)
    for i, j, k in np.ndindex(found.shape):
        roots = zip(s["roots"][i, :, j].tolist(), s["depth"][i, :, j].tolist(), strict=True)
        found[i, j, k] = sql.total([below(root, depth, k) for root, depth in roots])
    found = found.reshape(sets, trees * n_values)
    return found if value.members else found[0]


def _label_of(value: Value, codes: Array) -> Array:
    labels = value.settings["labels"]
    if value.dtype == "text":
        return _each(lambda code: _chosen(code, [text(label) for label in labels], "text"), codes)
    terms = [expression(str(label).upper()) for label in labels]  # 3, or TRUE
    return _each(lambda code: _chosen(code, terms, "text"), codes)


def _joined_labels(value: Value, inside: Array) -> Array:
    pieces: list[Any] = ["SUBSTR("]
    for i, (label, here) in enumerate(zip(value.settings["labels"], inside.tolist(), strict=True)):
        chosen = case((here, text(f"|{label}")), default=text(""), kind="text")
        pieces += [" || "] * bool(i) + [(chosen, ATOM)]
    return _array([Term("text", (*pieces, ", 2)"))], (1,))


def _look_up(value: Value, words: Array) -> Array:
    s, word = value.settings, words[0]
    choices = [(sql.is_null(word), number(s["gap"]))]
    choices += [(sql.compare(word, "=", text(key)), number(i)) for i, key in enumerate(s["keys"])]
    return _array([case(*choices, default=number(s["default"]))], (1,))


def _refused(what: str) -> Callable[..., Array]:
    def refuse(value: Value, *inputs: Array) -> Array:
        name = value.inputs[0].settings.get("name", "")
        raise ExportError(f"SQL cannot compute {what} {named(name)}; export the model to python, c or page")

    return refuse


OTHERS: dict[str, Callable[..., Array]] = {
    "constant": _constant,
    "column": _column,
    "where": lambda value, condition, a, b: _each(
        lambda c, one, other: case((c, one), default=other, kind=one.kind), condition, a, b
    ),
    "is_finite": lambda value, x: _each(lambda one: sql.finite(one, value.inputs[0].dtype == "float32"), x),
    "erf": lambda value, x: _each(erf, x),
    "normal_cdf": lambda value, x: _each(normal_cdf, x),
    "normal_quantile": lambda value, x: _each(normal_quantile, x),
    "matmul": _matmul,
    **{name: evaluate.OTHERS[name] for name in ("take", "concatenate", "reshape", "transpose")},  # as they are
    "argmax_last": lambda value, x: _along_last(_argmax, x),
    "cumulative_sum": lambda value, x: _along_last(lambda row: _cumulated(sql.add, row), x),
    "cumulative_max": lambda value, x: _along_last(lambda row: _cumulated(sql.maximum, row), x),
    "sort_last": lambda value, x: _along_last(_sorted, x),
    "softmax": lambda value, x: _along_last(lambda row: sql.softmax(row, value.dtype == "float32"), x),
    "sum_members": _sum_members,
    "rows_of": _rows_of,
    "count_below": _count_below,
    "tree_sums": _tree_sums,
    "label_of": _label_of,
    "joined_labels": _joined_labels,
    "is_gap": lambda value, words: _each(sql.is_null, words),
    "look_up": _look_up,
    "hash_bucket": _refused("the hash of the column"),
    "has_entries": _refused("the entries of the lists in the column"),
    "date_part": lambda value, x: _each(lambda date: date_part(date, value.settings["part"]), x),
}
