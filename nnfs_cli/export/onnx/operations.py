"""The nodes of each operation on numbers, and of those that make the words of a prediction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnfs_cli.export.onnx.nodes import Nodes
from nnfs_cli.pipeline.value import DType, Value

DIRECT = {  # operations that are an operator each, entry by entry
    "negative": "Neg",
    "absolute": "Abs",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
    "erf": "Erf",
    "is_nan": "IsNaN",
    "logical_not": "Not",
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "minimum": "Min",
    "maximum": "Max",
    "remainder": "Mod",
    "Round": "Round",  # and operators that compositions ask for by their names
    "Sin": "Sin",
    "Cos": "Cos",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "equal": "Equal",
    "logical_and": "And",
    "logical_or": "Or",
}


def _direct(nodes: Nodes, value: Value) -> str:
    """Write an operation of one value, or of two: in the type that NumPy computes in if theirs differ."""
    operator, types = DIRECT[value.operation], {one.dtype for one in value.inputs}
    if len(types) == 1:
        return nodes.add(operator, *nodes.inputs(value))
    wide: DType = "float64" if types & {"float32", "float64"} else "int64"
    found = nodes.add(operator, *(nodes.cast(nodes.of(one), one.dtype, wide) for one in value.inputs))
    return found if value.dtype == "bool" else nodes.cast(found, wide, value.dtype)


def _where(nodes: Nodes, value: Value) -> str:
    return nodes.add("Where", *nodes.inputs(value))


def _cast(nodes: Nodes, value: Value) -> str:
    return nodes.cast(nodes.of(value.inputs[0]), value.inputs[0].dtype, value.dtype)


def _matmul(nodes: Nodes, value: Value) -> str:
    x, weight = value.inputs
    matrix = nodes.cast(_as_matrix(nodes, x), x.dtype, value.dtype)
    product = nodes.add("MatMul", matrix, nodes.cast(nodes.table(weight), weight.dtype, value.dtype))
    return product if len(x.features) == 1 else nodes.reshaped(product, value.features, value.members)


def _as_matrix(nodes: Nodes, x: Value) -> str:
    """Return x with the axes between the rows and the last one as rows."""
    return nodes.of(x) if len(x.features) == 1 else nodes.reshaped(nodes.of(x), (x.width,), x.members)


def _take(nodes: Nodes, value: Value) -> str:
    indices, x = value.settings["indices"], nodes.of(value.inputs[0])
    first, after = indices[0], indices[0] + len(indices)
    if indices == tuple(range(first, after)):
        return nodes.add("Slice", x, [first], [after], [-1])
    return nodes.add("Gather", x, np.array(indices), axis=-1)


def _concatenate(nodes: Nodes, value: Value) -> str:
    some_rows = any(nodes.has_rows(one) for one in value.inputs)
    parts = []
    for one in value.inputs:
        part = nodes.cast(nodes.with_rows(one) if some_rows else nodes.of(one), one.dtype, value.dtype)
        if value.members and not one.members:
            part = nodes.add("Expand", part, [value.members, *[1] * (1 + len(one.features))])
        parts.append(part)
    return nodes.add("Concat", *parts, axis=-1)


def _reshape(nodes: Nodes, value: Value) -> str:
    return nodes.reshaped(nodes.of(value.inputs[0]), value.features, value.members)


def _transpose(nodes: Nodes, value: Value) -> str:
    before = 1 + bool(value.members)
    axes = [*range(before), *(before + axis for axis in value.settings["axes"])]
    return nodes.add("Transpose", nodes.of(value.inputs[0]), perm=axes)


def _reduction(operator: str) -> Callable[[Nodes, Value], str]:
    def write(nodes: Nodes, value: Value) -> str:
        return nodes.add(operator, nodes.of(value.inputs[0]), [-1], keepdims=1)

    return write


def _extreme(operator: str) -> Callable[[Nodes, Value], str]:
    """Return the writer of a largest or smallest number, which is NaN if any is: onnxruntime leaves NaN out."""

    def write(nodes: Nodes, value: Value) -> str:
        x = nodes.of(value.inputs[0])
        found = nodes.add(operator, x, [-1], keepdims=1)
        if not value.dtype.startswith("float"):
            return found
        any_nan = nodes.add("ReduceMax", nodes.add("IsNaN", x), [-1], keepdims=1)
        return nodes.add("Where", any_nan, np.array(np.nan, value.dtype), found)

    return write


def _argmax(nodes: Nodes, value: Value) -> str:
    return nodes.add("ArgMax", nodes.of(value.inputs[0]), axis=-1, keepdims=1)


def _cumulative_sum(nodes: Nodes, value: Value) -> str:
    return nodes.add("CumSum", nodes.of(value.inputs[0]), np.array(-1))


def _sort(nodes: Nodes, value: Value) -> str:
    return nodes.add("TopK", nodes.of(value.inputs[0]), [value.width], axis=-1, largest=0, sorted=1, unused=1)


def _softmax(nodes: Nodes, value: Value) -> str:
    return nodes.add("Softmax", nodes.of(value.inputs[0]), axis=-1)


def _sum_members(nodes: Nodes, value: Value) -> str:
    x, shares = nodes.of(value.inputs[0]), value.settings["shares"]
    if shares is None:
        total = nodes.add("ReduceSum", x, [0], keepdims=0)
        return nodes.add("Div", total, np.array(value.inputs[0].members, value.dtype))
    weighted = nodes.add("Mul", x, shares.reshape(-1, *[1] * (1 + len(value.features))))
    return nodes.add("ReduceSum", weighted, [0], keepdims=0)


def _rows_of(nodes: Nodes, value: Value) -> str:
    table, codes = value.inputs
    name = nodes.of(codes)
    if table.members and codes.members:
        return nodes.add("GatherND", nodes.table(table), name, batch_dims=1)
    return nodes.add("Gather", nodes.table(table), nodes.add("Squeeze", name, [-1]), axis=1 if table.members else 0)


def _label_of(nodes: Nodes, value: Value) -> str:
    labels = np.array(value.settings["labels"], object if value.dtype == "text" else value.dtype)
    return nodes.add("Gather", labels, nodes.of(value.inputs[0]), axis=0)


def _joined_labels(nodes: Nodes, value: Value) -> str:
    """Append each label that is inside, after a | if another one is."""
    inside, nothing = nodes.of(value.inputs[0]), np.array([[""]], object)
    found, begun = nodes.graph.constant(nothing), ""
    for i, label in enumerate(value.settings["labels"]):
        here = nodes.add("Slice", inside, [i], [i + 1], [-1])
        mark = nodes.add("Where", nodes.add("And", begun, here), np.array([["|"]], object), nothing) if begun else None
        found = nodes.add("StringConcat", found, mark) if mark else found
        found = nodes.add("StringConcat", found, nodes.add("Where", here, np.array([[label]], object), nothing))
        begun = nodes.add("Or", begun, here) if begun else here
    return found


OPERATIONS: dict[str, Callable[[Nodes, Value], str]] = {
    **dict.fromkeys(DIRECT, _direct),
    "where": _where,
    "cast": _cast,
    "matmul": _matmul,
    "take": _take,
    "concatenate": _concatenate,
    "reshape": _reshape,
    "transpose": _transpose,
    "sum_last": _reduction("ReduceSum"),
    "max_last": _extreme("ReduceMax"),
    "min_last": _extreme("ReduceMin"),
    "all_last": _reduction("ReduceMin"),
    "any_last": _reduction("ReduceMax"),
    "argmax_last": _argmax,
    "cumulative_sum": _cumulative_sum,
    "sort_last": _sort,
    "softmax": _softmax,
    "sum_members": _sum_members,
    "rows_of": _rows_of,
    "label_of": _label_of,
    "joined_labels": _joined_labels,
}
