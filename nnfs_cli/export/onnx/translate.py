"""Write the operations of a pipeline as the nodes of an ONNX graph."""

from __future__ import annotations

import numpy as np

from nnfs_cli.export.onnx.cells import CELLS, read_column
from nnfs_cli.export.onnx.compositions import composed
from nnfs_cli.export.onnx.graph import Graph
from nnfs_cli.export.onnx.names import Names
from nnfs_cli.export.onnx.nodes import Nodes
from nnfs_cli.export.onnx.operations import OPERATIONS
from nnfs_cli.export.onnx.trees import tree_sums
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value

WRITERS = {**OPERATIONS, **CELLS, "tree_sums": tree_sums}
REFUSED = {"float64": np.nan, "float32": np.nan, "text": "", "int64": -(2**63), "bool": False}  # for unusable rows
DTYPES = {"float64": np.float64, "float32": np.float32, "text": object, "int64": np.int64, "bool": np.bool_}


def translate(pipeline: Pipeline, graph: Graph, names: Names) -> None:
    """Add the nodes of a pipeline to a graph.

    Raises `ExportError` for an operation that ONNX cannot hold.
    """
    nodes = Nodes(graph, names)
    for name, column in pipeline.columns.items():
        nodes.know(column, read_column(nodes, column, names.inputs[name]))
    for value in pipeline.operations:
        _write(nodes, value)
    usable = nodes.with_rows(pipeline.usable)
    for name, value in pipeline.outputs.items():
        refused = graph.constant(np.full((1, 1), REFUSED[value.dtype], DTYPES[value.dtype]))
        if value.dtype == "bool":
            found = graph.node("And", usable, nodes.with_rows(value))
        else:
            found = graph.node("Where", usable, nodes.with_rows(value), refused)
        _output(graph, found, names.outputs[name])
    _output(graph, usable, names.usable)


def _output(graph: Graph, column: str, name: str) -> None:
    graph.rename(graph.node("Reshape", column, graph.constant([-1])), name)


def _write(nodes: Nodes, value: Value) -> None:
    """Write a value whose inputs are written; those of a composition are written here."""
    if value.is_constant or nodes.knows(value):
        return
    with part(value.part):
        composition = composed(value)
    if composition is None:
        for one in value.inputs:
            _write(nodes, one)
        nodes.graph.part = value.part
        nodes.know(value, WRITERS[value.operation](nodes, value))
    else:
        _write(nodes, composition)
        nodes.know(value, nodes.of(composition))
