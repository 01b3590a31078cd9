"""The nodes and constants of an ONNX graph under construction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nnfs_cli.arrays import Array
from nnfs_cli.export.onnx.names import numbered, unicode

ML = "ai.onnx.ml"  # the domain of trees and look-ups
TENSOR_TYPES = {
    "float64": TensorProto.DOUBLE,
    "float32": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "text": TensorProto.STRING,
}


class Graph:
    """Nodes and constants, each with a name. Equal ones are made once.

    `nodes` and `constants` are those of the ONNX graph. Names in `taken` are not given away. `part` is the part of the
    model that the next nodes belong to, for people who look at the graph.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.part = ""
        self._taken = set(taken)
        self._known: dict[bytes, str] = {}
        self._made = 0

    def constant(self, array: Array | float | list[int], name: str = "") -> str:
        """Return the name of a constant, the given one if it is not taken; texts are an array of objects."""
        found = np.asarray(array)
        tensor = _text_tensor(found) if found.dtype == object else numpy_helper.from_array(found)
        key = tensor.SerializeToString(deterministic=True)
        if key not in self._known:
            self._known[key] = tensor.name = self._new_name(numbered(name, self._taken) if name else "")
            self.constants.append(tensor)
        return self._known[key]

    def node(self, operator: str, *inputs: str, domain: str = "", unused: int = 0, **attributes: Any) -> str:
        """Return the name of the first output of a node, which is followed by some `unused` ones."""
        node = helper.make_node(operator, inputs, [], domain=domain, **attributes)
        key = node.SerializeToString(deterministic=True)
        if key not in self._known:
            self._known[key] = self._new_name()
            node.output.extend([self._known[key], *(self._new_name() for _ in range(unused))])
            node.doc_string = unicode(self.part)
            self.nodes.append(node)
        return self._known[key]

    def rename(self, name: str, new: str) -> None:
        """Make a value an output of the graph, under its own name."""
        self.nodes.append(helper.make_node("Identity", [name], [new]))

    def _new_name(self, name: str = "") -> str:
        while not name or name in self._taken:
            self._made += 1
            name = f"v{self._made}"
        self._taken.add(name)
        return name


def _text_tensor(texts: Array) -> TensorProto:
    found = TensorProto(data_type=TensorProto.STRING, dims=texts.shape)
    found.string_data.extend(str(text).encode() for text in texts.ravel())
    return found
