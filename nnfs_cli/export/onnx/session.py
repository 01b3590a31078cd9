"""Run an exported model in onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, which begins to collect events for Microsoft
import onnxruntime

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import DAY
from nnfs_cli.export.format import Predictions
from nnfs_cli.export.onnx.names import names_of, unicode
from nnfs_cli.pipeline.cells import EMPTY_DATE
from nnfs_cli.pipeline.pipeline import Pipeline

ERRORS = 3  # the level of messages that leaves out warnings


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Return a session for the content of a file, which computes with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, pipeline: Pipeline, cells: Mapping[str, Array]) -> Predictions:
    """Return what a session predicts for cells, which are as for `pipeline.evaluate`."""
    names = names_of(pipeline)
    given = {
        names.inputs[name]: _fed(cells[name], column.settings["kind"], names.empty_text)
        for name, column in pipeline.columns.items()
    }
    *found, usable = session.run([*names.outputs.values(), names.usable], given)
    return Predictions(dict(zip(pipeline.outputs, found, strict=True)), usable)


def _fed(cells: Array, kind: str, empty_text: str) -> Array:
    """Return the cells of a column as its input takes them."""
    if kind == "number":
        return np.ascontiguousarray(cells, np.float64)
    if kind == "date":
        whole, part = np.divmod(cells, DAY)
        return np.where(cells == EMPTY_DATE, np.nan, whole + part / DAY)
    texts = np.empty(len(cells), object)
    texts[:] = [empty_text if text is None else unicode(text) for text in cells]
    return texts
