"""What a model looks like to a program that calls it: the fields of its inputs and outputs, and its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nnfs_cli.export.c.cells import joined_size
from nnfs_cli.export.c.text import TYPES, identifier
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.names import unused
from nnfs_cli.pipeline.value import Value

INPUT_TYPES = {"number": "double ", "category": "const char *", "date": "int64_t "}


@dataclass(frozen=True)
class InputField:
    """A field of the inputs, with the name and the kind of its column."""

    field: str
    column: str
    kind: str

    @property
    def declaration(self) -> str:
        """The type and the name."""
        return f"{INPUT_TYPES[self.kind]}{self.field}"


@dataclass(frozen=True)
class OutputField:
    """A field of the outputs.

    One of `labels` that are texts is an enumerator, and `size` is that of a text of several labels.
    """

    field: str
    name: str
    value: Value
    labels: Sequence[tuple[str, str]] = ()
    label_type: str = ""
    size: int = 0

    @property
    def declaration(self) -> str:
        """The type and the name."""
        if self.size:
            return f"char {self.field}[{self.size}]"
        return f"{self.label_type or TYPES[self.value.dtype]} {self.field}"

    @property
    def nothing(self) -> str:
        """What the field holds for a row that is refused."""
        if self.size:
            return '""'
        if self.labels:
            return self.labels[0][0]
        return {"float64": "(double)NAN", "float32": "NAN", "int64": "0", "bool": "false"}[self.value.dtype]

    @property
    def table(self) -> str:
        """The name of the array of labels."""
        return f"{self.label_type}s"


class Interface:
    """The names by which a program calls a model. They begin with `prefix`."""

    def __init__(self, model: ExportedModel, stem: str) -> None:
        self.model = model
        self.stem = stem
        self.prefix = identifier(stem, set(), "model")
        self._upper: set[str] = {self.constant(name).lower() for name in ("H", "OK", "REFUSED", "NULL")}
        self._upper |= {self.constant(name).lower() for name in ("DAYS", "NO_DATE")}

    def constant(self, name: str) -> str:
        """Return the name of a constant or a macro."""
        return f"{self.prefix}_{name}".upper()

    @cached_property
    def inputs(self) -> list[InputField]:
        """The fields of the inputs, in the order of the columns."""
        taken: set[str] = set()
        return [
            InputField(identifier(name, taken), name, column.settings["kind"])
            for name, column in self.model.pipeline.columns.items()
        ]

    @cached_property
    def outputs(self) -> list[OutputField]:
        """The fields of the outputs."""
        taken: set[str] = set()
        return [
            self._output(name, identifier(name, taken, "output"), value)
            for name, value in self.model.pipeline.outputs.items()
        ]

    def _output(self, name: str, field: str, value: Value) -> OutputField:
        while value.operation == "reshape":
            (value,) = value.inputs
        if value.operation == "joined_labels":
            return OutputField(field, name, value, size=joined_size(value))
        if value.dtype != "text":
            return OutputField(field, name, value)
        labels = [(self._enumerator(field, label), label) for label in value.settings["labels"]]
        return OutputField(field, name, value, labels, f"{self.prefix}_{field}_label")

    def _enumerator(self, field: str, label: str) -> str:
        own = identifier(label, set(), "label").rstrip("_")
        name = unused(f"{self.prefix}_{field}_{own}", self._upper)
        self._upper.add(name)
        return name.upper()
