"""What the file of a model says about its inputs and outputs, for people and for programs."""

from __future__ import annotations

import json

from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.onnx.names import Names, unicode
from nnfs_cli.pipeline.value import Value

CELLS = {
    "number": "a number",
    "category": "a category, as a string",
    "date": "a date, in days and parts of days since the beginning of 1970",
}
REFUSED = {
    "float64": "NaN",
    "float32": "NaN",
    "text": "an empty string",
    "int64": "without a meaning",
    "bool": "without a meaning",
}


def of_input(column: Value, note: str, names: Names) -> str:
    """Describe an input in a sentence. `note` is what else to know about it, or ""."""
    kind = column.settings["kind"]
    empty = f"the string {names.empty_text}" if kind == "category" else "NaN"
    more = f"; {note}" if note else ""
    return unicode(f"The column {column.settings['name']!r}: {CELLS[kind]}; {empty} for an empty cell{more}.")


def of_output(name: str, value: Value, names: Names) -> str:
    """Describe an output in a sentence."""
    return unicode(f"The column of predictions {name!r}: {REFUSED[value.dtype]} where {names.usable} is false.")


def of_model(model: ExportedModel, names: Names) -> str:
    """Describe a model in a few sentences."""
    return unicode(
        f"{model.name}: a model trained by nnfs. Each input is a column, and each output a column of predictions, with "
        f"one entry for each row. An empty cell is NaN, or {names.empty_text} in a column of categories. The output "
        f"{names.usable} is false for a row that nnfs would refuse, such as one with an unknown category."
    )


def metadata(model: ExportedModel, names: Names) -> dict[str, str]:
    """Return the metadata of a model: what it is about, and what each input and output is, in JSON."""
    columns, outputs = model.pipeline.columns.items(), model.pipeline.outputs.items()
    inputs = {names.inputs[name]: {"column": name, "kind": one.settings["kind"]} for name, one in columns}
    answers = {names.outputs[name]: {"name": name, "type": value.dtype} for name, value in outputs}
    return {
        **{unicode(key): unicode(text) for key, text in model.about.items()},
        "inputs": json.dumps(inputs),
        "outputs": json.dumps(answers),
        "usable": names.usable,
        "empty_cell": names.empty_text,
    }
