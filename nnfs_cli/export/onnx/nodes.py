"""The nodes that stand for the values of a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.export.onnx.graph import TENSOR_TYPES, Graph
from nnfs_cli.export.onnx.names import Names
from nnfs_cli.pipeline.value import DType, Value


class Nodes:
    """The names of the nodes of values, which are arrays (members?, rows, *features) as in NumPy.

    What only constants lead to has one row. Empty cells of columns of texts hold `empty_text`.
    """

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph = graph
        self.empty_text = names.empty_text
        self._first_input = next(iter(names.inputs.values()))
        self._names: dict[Value, str] = {}
        self._with_rows: set[Value] = set()

    def knows(self, value: Value) -> bool:
        """Return whether the node of a value is written."""
        return value in self._names

    def know(self, value: Value, name: str) -> None:
        """Remember the node of a value."""
        self._names[value] = name
        if value.operation == "column" or any(one in self._with_rows for one in value.inputs):
            self._with_rows.add(value)

    def has_rows(self, value: Value) -> bool:
        """Return whether a value depends on a column."""
        return value in self._with_rows

    def of(self, value: Value) -> str:
        """Return the name of the node of a value, or of a constant with one row."""
        if not value.is_constant:
            return self._names[value]
        axes = [value.members] if value.members else []
        return self.graph.constant(value.array.reshape(*axes, 1, *value.features), value.settings["name"])

    def table(self, value: Value) -> str:
        """Return the name of a constant without an axis of rows, as matrices and tables are."""
        return self.graph.constant(value.array, value.settings["name"])

    def inputs(self, value: Value) -> list[str]:
        """Return the names of the nodes of the inputs of a value."""
        return [self.of(one) for one in value.inputs]

    def add(self, operator: str, *inputs: str | Array | list[int], **attributes: Any) -> str:
        """Return the name of a node; arrays among its inputs become constants."""
        names = [one if isinstance(one, str) else self.graph.constant(one) for one in inputs]
        return self.graph.node(operator, *names, **attributes)

    def cast(self, name: str, dtype: DType, to: DType) -> str:
        """Return a node with numbers of one type in another."""
        return name if dtype == to else self.add("Cast", name, to=TENSOR_TYPES[to])

    def with_rows(self, value: Value) -> str:
        """Return the node of a value; a constant is repeated for each row."""
        if value in self._with_rows:
            return self.of(value)
        rows = self.add("Concat", self.add("Shape", self._first_input), [1] * len(value.features), axis=0)
        return self.add("Expand", self.of(value), rows)

    def reshaped(self, name: str, features: tuple[int, ...], members: int = 0) -> str:
        """Return a node with other axes after that of the rows."""
        axes = [members] if members else []
        return self.add("Reshape", name, np.array([*axes, -1, *features]))
