"""Make the ONNX model of a pipeline, with its inputs, outputs, words and metadata."""

from __future__ import annotations

from onnx import ModelProto, ValueInfoProto, checker, helper

import nnfs_cli
from nnfs_cli.errors import ExportError
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.onnx import document
from nnfs_cli.export.onnx.graph import ML, TENSOR_TYPES, Graph
from nnfs_cli.export.onnx.names import Names, names_of
from nnfs_cli.export.onnx.translate import translate
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import named

OPSET, ML_OPSET, IR_VERSION = 26, 5, 13  # the newest that onnxruntime, onnxruntime-web and onnxruntime-node all run
ROWS = ["rows"]


def onnx_model(model: ExportedModel) -> ModelProto:
    """Return the ONNX model of a trained one. Raises `ExportError` for a part that ONNX cannot hold."""
    try:
        found = _model(model)
    except UnicodeEncodeError as error:
        raise ExportError(f"ONNX holds texts in UTF-8, which {named(error.object)} is not") from None
    checker.check_model(found, full_check=True)
    return found


def _model(model: ExportedModel) -> ModelProto:
    pipeline, names = model.pipeline, names_of(model.pipeline)
    graph = Graph(names.all)
    translate(pipeline, graph, names)
    outputs = [
        _declared(names.outputs[name], value, document.of_output(name, value, names))
        for name, value in pipeline.outputs.items()
    ]
    usable = _declared(names.usable, pipeline.usable, "False for a row that nnfs would refuse.")
    found = helper.make_graph(graph.nodes, "nnfs", _inputs(model, names), [*outputs, usable], graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
    proto = helper.make_model(found, opset_imports=opsets, ir_version=IR_VERSION)
    proto.producer_name, proto.producer_version = "nnfs", nnfs_cli.__version__
    proto.doc_string = document.of_model(model, names)
    helper.set_model_props(proto, document.metadata(model, names))
    return proto


def _inputs(model: ExportedModel, names: Names) -> list[ValueInfoProto]:
    return [
        _declared(names.inputs[name], column, document.of_input(column, model.note_on(name), names))
        for name, column in model.pipeline.columns.items()
    ]


def _declared(name: str, value: Value, text: str) -> ValueInfoProto:
    """Return an input or output of a type, (rows,). Dates are numbers of days."""
    is_date = value.settings.get("kind") == "date"
    return helper.make_tensor_value_info(name, TENSOR_TYPES["float64" if is_date else value.dtype], ROWS, text)
