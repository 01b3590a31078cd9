"""The nodes that read cells: inputs, categories and lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnfs_cli.data.dates import DAY
from nnfs_cli.errors import ExportError
from nnfs_cli.export.onnx.entries import has_entries
from nnfs_cli.export.onnx.graph import ML
from nnfs_cli.export.onnx.nodes import Nodes
from nnfs_cli.pipeline.cells import EMPTY_DATE
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import named

MOST_DAYS = 2.0**63 / DAY - 1


def read_column(nodes: Nodes, column: Value, name: str) -> str:
    """Return the cells of a column, (rows, 1), from the input of a name, (rows,)."""
    cells = nodes.add("Unsqueeze", name, [1])
    return _microseconds(nodes, cells) if column.settings["kind"] == "date" else cells


def _microseconds(nodes: Nodes, days: str) -> str:
    """Return days as microseconds; whole days and parts apart, so that neither is rounded more than it must be."""
    given = nodes.add("Less", nodes.add("Abs", days), np.array(MOST_DAYS))  # not NaN
    days = nodes.add("Where", given, days, np.array(0.0))
    whole = nodes.add("Floor", days)
    part = nodes.add("Round", nodes.add("Mul", nodes.add("Sub", days, whole), np.array(float(DAY))))
    of_days = nodes.add("Mul", nodes.cast(whole, "float64", "int64"), np.array(DAY))
    found = nodes.add("Add", of_days, nodes.cast(part, "float64", "int64"))
    return nodes.add("Where", given, found, np.array(EMPTY_DATE))


def _is_gap(nodes: Nodes, value: Value) -> str:
    return nodes.add("Equal", nodes.of(value.inputs[0]), np.array([[nodes.empty_text]], object))


def _look_up(nodes: Nodes, value: Value) -> str:
    keys, settings = value.settings["keys"], value.settings
    return nodes.add(
        "LabelEncoder",
        nodes.of(value.inputs[0]),
        domain=ML,
        keys_strings=[*keys, nodes.empty_text],
        values_int64s=[*range(len(keys)), settings["gap"]],
        default_int64=settings["default"],
    )


def _hash_bucket(nodes: Nodes, value: Value) -> str:
    raise ExportError(
        f"ONNX cannot compute the hash of the column {_column(value)}; "
        "give it another preprocessing step, such as one_hot, or export to another format, such as python"
    )


def _has_entries(nodes: Nodes, value: Value) -> str:
    keys, delimiter = value.settings["keys"], value.settings["delimiter"]
    if len(delimiter) != 1:
        raise ExportError(
            f"ONNX cannot divide the lists of the column {_column(value)} at {named(delimiter)}, only at one character "
            "such as ','; blanks around entries do not count. Train anew, or export to another format, such as python"
        )
    text = nodes.of(value.inputs[0])
    nothing = np.array([[""]], object)
    text = nodes.add("Where", nodes.add("Equal", text, np.array([[nodes.empty_text]], object)), nothing, text)
    return has_entries(nodes, text, delimiter, keys)


def _column(value: Value) -> str:
    return named(value.inputs[0].settings["name"])


CELLS: dict[str, Callable[[Nodes, Value], str]] = {
    "is_gap": _is_gap,
    "look_up": _look_up,
    "hash_bucket": _hash_bucket,
    "has_entries": _has_entries,
}
