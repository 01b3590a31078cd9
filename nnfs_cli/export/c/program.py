"""The statements that compute a pipeline for one row, with the constants and functions that they use."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TypeAlias

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.c.functions import Functions
from nnfs_cli.export.c.places import SIZES, Buffers, Place, last_uses, size_of
from nnfs_cli.export.c.text import TYPES, characters, comment, identifier, is_long, literals, string, wrapped
from nnfs_cli.pipeline.value import DType, Value

MOST_STEPS = 2**16 - 1  # from a node to the next, and inputs of trees: they take two bytes
Writer: TypeAlias = "Callable[[Program, Value], Place]"

NOWHERE = Place("NULL", "float64")  # where a value without entries lies: C has no such arrays


class Program:
    """The body of the function that predicts, and all that stands before it."""

    def __init__(self, columns: dict[str, str]) -> None:
        self.columns = columns
        """The field of the inputs with each column."""
        self.functions = Functions()
        self.constants: list[str] = []
        self.lines: list[str] = []
        self.n_bytes = 0
        """The bytes of all constants."""
        self.n_text_bytes = 0
        """The bytes of the texts on the stack."""
        self.buffers = Buffers()
        self._places: dict[int, Place] = {}
        self._held: dict[str, set[int]] = {}
        self.part = ""
        """The part of the model that is being written."""
        self._n_names = 0

    def write(
        self,
        operations: Sequence[Value],
        writers: dict[str, Writer],
        in_place: Container[str],
        found: Callable[[Value], None],
    ) -> None:
        """Write the statements of all operations, and call `found` for each value once its place is known.

        An operation that is `in_place` may write its result over an input of the same size that nothing else needs.
        """
        uses = last_uses(operations)
        for at, value in enumerate(operations):
            if value.is_constant:  # which is written once it is used
                found(value)
                continue
            self._begin(value)
            done = {id(one): one for one in (*value.inputs, value) if uses.get(id(one), at) <= at}
            if value.operation in in_place:
                for one in [one for one in done.values() if one is not value and size_of(one) == size_of(value)]:
                    self._let_go(done.pop(id(one)))
            place = writers[value.operation](self, value) if size_of(value) else NOWHERE
            self._places[id(value)] = place
            if place.name in self.buffers.types:
                self._held.setdefault(place.name, set()).add(id(value))
            found(value)
            for one in done.values():
                self._let_go(one)

    def _begin(self, value: Value) -> None:
        if value.part != self.part and value.operation != "column":
            self.part = value.part
            self.lines += ["", f"/* {comment(value.part)} */"] if value.part else [""]

    def _let_go(self, value: Value) -> None:
        name = self._places[id(value)].name if id(value) in self._places else ""
        holders = self._held.get(name)
        if holders is not None:
            holders.discard(id(value))
            if not holders:
                del self._held[name]
                self.buffers.give_back(name)

    def place(self, value: Value) -> Place:
        """Return where a value lies, and write it if it is a constant that was not used before."""
        if id(value) not in self._places:
            self._places[id(value)] = constant(self, value)
        return self._places[id(value)]

    def array(self, value: Value) -> Place:
        """Return where a value lies, so that it has an address."""
        place = self.place(value)
        if value.is_constant and place.single:
            return self.declare(value.array, value.dtype, name=value.settings["name"])
        return place

    def name(self, kind: str) -> str:
        """Return a new name for a variable or a constant."""
        self._n_names += 1
        return f"{kind}{self._n_names}"

    def single(self, value: Value, expression: str, dtype: DType | None = None) -> Place:
        """Write a variable for a value of one number."""
        place = Place(self.name("v"), dtype or value.dtype, single=True)
        self.lines.append(f"const {TYPES[place.dtype]} {place.name} = {expression};")
        return place

    def buffer(self, value: Value, dtype: DType | None = None) -> Place:
        """Return an array for a value."""
        dtype = dtype or value.dtype
        return Place(self.buffers.take(dtype, size_of(value)), dtype)

    def declare(self, array: Array, dtype: DType, about: str = "", name: str = "", c_type: str = "") -> Place:
        """Declare a constant array of numbers."""
        place = Place(self.name(f"{identifier(name or 'c', set(), 'c')}_"), dtype)
        shown = f"/* {comment(about)} */\n" if about else ""
        head = f"static const {c_type or TYPES[dtype]} {place.name}[{array.size}] = {{"
        self.constants.append(f"{shown}{head}\n{wrapped(literals(array, dtype))}\n}};\n")
        self.n_bytes += array.size * SIZES[dtype]
        return place

    def declare_nodes(self, threshold: Array, feature: Array, left: Array) -> str:
        """Declare the nodes of trees, and return their name."""
        name = self.name("nodes_")
        steps = left - np.arange(left.size)
        if feature.max() > MOST_STEPS or steps.max() > MOST_STEPS:
            raise ExportError(f"a tree of more than {MOST_STEPS:,} nodes is too large for C; export it to onnx")
        columns = literals(threshold, "float32"), literals(feature, "int64"), literals(steps, "int64")
        nodes = (f"{{{', '.join(node)}}}" for node in zip(*columns, strict=True))
        self.constants.append(f"static const tree_node {name}[{left.size}] = {{\n{wrapped(nodes)}\n}};\n")
        self.n_bytes += 8 * left.size
        return name

    def declare_texts(self, texts: Sequence[str]) -> str:
        """Declare a constant array of texts, and return its name."""
        name, items = self.name("c"), []
        for text in texts:
            if is_long(text):
                items.append(self.name("t"))
                self.constants.append(f"static const char {items[-1]}[] = {characters(text)};\n")
            else:
                items.append(string(text))
        self.constants.append(f"static const char *const {name}[{len(items)}] = {{\n{wrapped(items)}\n}};\n")
        self.n_bytes += sum(len(item) for item in items)
        return name


def constant(program: Program, value: Value) -> Place:
    """Return the place of a constant."""
    if size_of(value) == 0:
        return NOWHERE
    if size_of(value) == 1:
        (text,) = literals(value.array, value.dtype)
        return Place(f"({text})" if text.startswith("-") else text, value.dtype, single=True)
    about = f"{value.part or program.part} ({' x '.join(map(str, np.shape(value.array)))})".strip()
    return program.declare(value.array, value.dtype, about, value.settings["name"])


def column(program: Program, value: Value) -> Place:
    """Return the place of a cell of the row."""
    return Place(f"input->{program.columns[value.settings['name']]}", value.dtype, single=True)


def alias(program: Program, value: Value) -> Place:
    """Return the place of the only input, whose numbers are the same."""
    return program.place(value.inputs[0])
