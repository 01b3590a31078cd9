"""The formulas of a pipeline as statements of Python: each part of the model has a comment, and few lines."""

from __future__ import annotations

import builtins
import keyword
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from nnfs_cli.export.names import name_from, unused
from nnfs_cli.export.python.expressions import ATOM, ENTRYWISE, Expression, expression, literal
from nnfs_cli.export.python.functions import FUNCTIONS
from nnfs_cli.export.python.stored import WIDTH, Stored, quoted
from nnfs_cli.pipeline.order import ordered
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import cut, in_a_line

FEW_COLUMNS = 4  # that are named one by one where all columns of numbers are meant
OWN_LINES = {"concatenate", "look_up", "has_entries", "tree_sums"}  # operations that begin a formula
NAMES = {"np", "W", "WORDS", "COLUMNS", "NUMBERS", "cells", "outputs", "checks", *dir(builtins), *keyword.kwlist}


class Statements:
    """The body of the function `model` of a written file, as `lines`, with the arrays that it needs as `stored`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.stored, self.lines = pipeline, Stored(), list[str]()
        self._taken = {*NAMES, *FUNCTIONS}
        self._code: dict[int, Expression] = {}  # of each value
        self._waiting: set[int] = set()  # values whose code is not assigned to a name
        self._part = ""  # of the line before
        self._numbers = [name for name, value in pipeline.columns.items() if value.settings["kind"] == "number"]
        checks = [*_checks(pipeline.usable)]
        picks = {name: _picked(value) for name, value in pipeline.outputs.items()}
        values = ordered([*checks, *(value for value, _ in picks.values())], lambda value: value.inputs)
        self._uses = Counter(id(one) for value in values for one in value.inputs)
        self._uses.update(id(value) for value in [*checks, *(value for value, _ in picks.values())])
        users = {id(one): value for value in values for one in value.inputs}
        for value in values:
            self._write(value, users.get(id(value)))
        outputs = [f"{quoted(name)}: {self._column(value, k)}" for name, (value, k) in picks.items()]
        self.lines += ["outputs = {", *(f"    {output}," for output in outputs), "}"]
        looks = [f"({self._names(_columns_of(check))}, {self._code[id(check)].text})" for check in checks]
        self.lines += ["checks = [", *(f"    {look}," for look in looks), "]"]

    def _write(self, value: Value, user: Value | None) -> None:
        """Find the code of a value, and assign it to a name unless it becomes part of the formula of its only user."""
        if value.is_constant:
            return
        if value.operation == "column":
            self._code[id(value)] = Expression(f"cells[{quoted(value.settings['name'])}]")
            return
        code = self._formula(value)
        while len(code.text) > WIDTH - 20 and (longest := self._longest_input(value)):
            self._assign(longest)
            code = self._formula(value)
        self._code[id(value)] = code
        named = self._uses[id(value)] > 1 or value.operation in OWN_LINES or "\n" in code.text
        if named or value.part != (user.part if user else ""):
            self._assign(value)
        else:
            self._waiting.add(id(value))

    def _formula(self, value: Value) -> Expression:
        if value.operation == "concatenate" and self._are_all_numbers(value.inputs):
            return Expression("np.concatenate([cells[name] for name in NUMBERS], axis=-1)")
        return expression(value, [self._operand(value, one) for one in value.inputs], self.stored)

    def _are_all_numbers(self, values: Sequence[Value]) -> bool:
        names = [value.settings["name"] for value in values if value.operation == "column"]
        return len(values) > FEW_COLUMNS and len(names) == len(values) and names == self._numbers

    def _operand(self, user: Value, value: Value) -> Expression:
        """Return the code of an input of an operation."""
        if not value.is_constant:
            return self._code[id(value)]
        if user.operation == "count_below":
            return Expression("")  # which stores its knots itself
        array, name = value.array, value.settings["name"]
        if user.operation in ENTRYWISE:
            other = next((one for one in user.inputs if not one.is_constant and one.dtype == value.dtype), None)
            if (found := literal(value, other)) is not None:
                return found
            if array.dtype == np.int64 and array.ndim == 1 and array.tolist() == [*range(len(array))]:
                return Expression(f"np.arange({len(array)})")
        shape = array.shape
        if value.members:  # an axis of rows, or in products of the axes between rows and the last
            ones = len(user.features) - 1 if user.operation == "matmul" else int(user.operation != "rows_of")
            shape = (shape[0], *[1] * ones, *shape[1:])
        code = Expression(self.stored.array(value.part or user.part, name, array, shape))
        plain = value.members or user.operation in ENTRYWISE | {"matmul", "rows_of", "concatenate"}
        return code if plain else Expression(f"{code.text}[None]")

    def _longest_input(self, value: Value) -> Value | None:
        waiting = [one for one in value.inputs if id(one) in self._waiting]
        return max(waiting, key=lambda one: len(self._code[id(one)].text), default=None)

    def _assign(self, value: Value) -> None:
        """Assign the code of a value to a name, under a comment that says which part of the model it belongs to."""
        if value.part != self._part:
            self._part = value.part
            if self._part:
                self.lines.append(f"# {cut(in_a_line(self._part), WIDTH)}")
        first = name_from(value.part) or name_from(value.operation)
        name = unused(first if first.isidentifier() else f"x_{first}", self._taken)
        self._taken.add(name)
        self.lines.append(f"{name} = {self._code[id(value)].text}")
        self._code[id(value)] = Expression(name)
        self._waiting.discard(id(value))

    def _column(self, value: Value, k: int) -> str:
        """Return the code of a column of a value, as an output (rows,)."""
        if value.is_constant:
            return f"{self.stored.array(value.part, value.settings['name'], value.array)}[[{k}]]"
        return f"{self._code[id(value)].within(ATOM)}[:, {k}]"

    def _names(self, columns: Sequence[str]) -> str:
        """Return the code of a list of columns."""
        if [*columns] == [*self.pipeline.columns]:
            return "COLUMNS"
        return "NUMBERS" if [*columns] == self._numbers else f"[{', '.join(map(quoted, columns))}]"


def _picked(value: Value) -> tuple[Value, int]:
    """Return the value (n,) that an output is an entry of, and which one."""
    if value.operation == "take" and not value.inputs[0].members and len(value.inputs[0].features) == 1:
        return value.inputs[0], value.settings["indices"][0]
    return value, 0


def _checks(usable: Value) -> Iterator[Value]:
    """Yield the conditions that must all hold in a usable row."""
    if usable.operation == "logical_and":
        for one in usable.inputs:
            yield from _checks(one)
    elif not (usable.is_constant and usable.array.all()):
        yield usable


def _columns_of(value: Value) -> list[str]:
    """Return the columns that a value is computed from."""
    values = ordered([value], lambda one: one.inputs)
    return [one.settings["name"] for one in values if one.operation == "column"]
