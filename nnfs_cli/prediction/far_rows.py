"""Count and name the rows that are far from all rows that a net was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table, text_of
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, named, shown


class FarRows:
    """Count rows that hold a category of no training row, or a number or date far outside the range of these.

    `inputs` describes the input columns of the training rows, as a run records them.
    """

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        self._inputs, self._rows, self._example = inputs, 0, ""
        self.found = 0  # rows that are far

    def count(self, table: Table) -> None:
        """Count the rows of a table that are far from all training rows."""
        far: Array | None = None
        with np.errstate(over="ignore"):  # what overflows is farther than any value
            for column in self._inputs if table.n_rows else ():
                outside = self._unseen(table, column) if column["kind"] == "category" else self._outside(table, column)
                if outside is not None:
                    far = outside if far is None else far | outside
        self._rows += table.n_rows
        self.found += int(far.sum()) if far is not None else 0

    def _outside(self, table: Table, column: Mapping[str, Any]) -> Array | None:
        """Return which rows, (rows,), are farther outside the range of the training rows than that range is wide."""
        name = column["name"]
        values: Any = table.column(name)  # numbers or instants, since the rows were read as the kinds of the net
        usual = usual_range(column, values.dtype.type)
        if usual is None:
            return None
        lowest, highest = usual
        if np.fmin.reduce(values) >= lowest and np.fmax.reduce(values) <= highest:
            return None
        outside: Array = (values < lowest) | (values > highest)
        if outside.any() and not self._example:
            low, high = (_brief(values.dtype.type(column[end])) for end in ("min", "max"))
            self._example = f"{named(name)} is {_brief(values[outside][0])}; training rows have {low} to {high}"
        return outside

    def _unseen(self, table: Table, column: Mapping[str, Any]) -> Array | None:
        """Return which rows, (rows,), hold a category that no training row held; None if it is not known which did."""
        if "counts" not in column or column.get("others"):
            return None
        texts, counts = table.texts(column["name"]), column["counts"]
        new = [text not in counts for text in texts.distinct.tolist()]
        if True not in new:
            return None
        unseen: Array = np.array([*new, False])[texts.codes]
        if not unseen.any():
            return None
        if not self._example:
            self._example = (
                f"{named(column['name'])} is {shown(texts.at(int(np.argmax(unseen))))}; no training row has it"
            )
        return unseen

    def warn(self) -> None:
        """Warn about the rows that were counted, with an example, if there are any."""
        if self.found:
            verb = "lies" if self.found == 1 else "lie"
            rows = counted(self._rows, "row")
            warn(f"{self.found:,} of {rows} {verb} far outside the training rows ({self._example})")


def usual_range(column: Mapping[str, Any], kind: Any) -> tuple[Any, Any] | None:
    """Return the least and the largest value of the type `kind` that is not far; None if no training row has a value.

    A value is far if it is farther outside the range of the training rows than that range is wide.
    """
    if column.get("min") is None or column.get("max") is None:
        return None
    low, high = kind(column["min"]), kind(column["max"])
    return low - (high - low), high + (high - low)


def _brief(value: Any) -> str:
    return text_of(value) if isinstance(value, np.datetime64) else f"{value:g}"
