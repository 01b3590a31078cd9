"""Write a pipeline as JSON: a list of operations, each with the places of its inputs, and arrays as base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import text_of
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value

EXACT = 2**53  # whole numbers up to here are exact in float64


def serialized(pipeline: Pipeline) -> dict[str, Any]:
    """Return a pipeline as JSON can hold it. Places are the indices of values among the operations."""
    place = {id(value): i for i, value in enumerate(pipeline.operations)}
    encoded = pipeline.encoded
    return {
        "operations": [_operation(value, [place[id(one)] for one in value.inputs]) for value in pipeline.operations],
        "columns": [
            {"name": name, "kind": value.settings["kind"], "place": place[id(value)]}
            for name, value in pipeline.columns.items()
        ],
        "outputs": [{"name": name, "place": place[id(value)]} for name, value in pipeline.outputs.items()],
        "usable": place[id(pipeline.usable)],
        "encoded": None if encoded is None else place.get(id(encoded)),
    }


def _operation(value: Value, inputs: list[int]) -> dict[str, Any]:
    about: dict[str, Any] = {"op": value.operation, "type": value.dtype, "inputs": inputs}
    if value.operation == "constant":
        return {**about, "features": value.features, "members": value.members, "array": _constant(value.array)}
    if value.operation == "reshape":
        about["features"] = value.features
    if value.operation == "tree_sums":
        about["shape"] = value.settings["roots"].shape
    if value.operation == "column":
        return about
    return {**about, **{name: _setting(name, setting) for name, setting in value.settings.items()}}


def _setting(name: str, setting: Any) -> Any:
    if isinstance(setting, np.ndarray):
        return packed(setting)
    return [text_of(label) for label in setting] if name == "labels" else setting


def _constant(array: Array) -> dict[str, str]:
    if array.dtype == np.int64 and (np.abs(array) <= EXACT).all():
        array = array.astype(np.float64)
    return packed(array)


def packed(array: Array) -> dict[str, str]:
    """Return an array as the bytes of its numbers in row-major order, little-endian, in base64."""
    if array.dtype == bool or (array.dtype.kind in "iu" and array.size and 0 <= array.min() <= array.max() < 256):
        array = array.astype(np.uint8)
    elif array.dtype.kind in "iu" and array.dtype != np.int64:
        array = array.astype(np.int32)
    found = array.astype(array.dtype.newbyteorder("<"))
    return {
        "type": f"{found.dtype.kind}{found.dtype.itemsize}",
        "base64": base64.b64encode(found.tobytes("C")).decode(),
    }


def packed_cells(cells: Mapping[str, Array]) -> list[Any]:
    """Return the columns of `pipeline.evaluate` as the scripts take them: texts, or packed numbers and dates."""
    return [column.tolist() if column.dtype == object else packed(column) for column in cells.values()]
