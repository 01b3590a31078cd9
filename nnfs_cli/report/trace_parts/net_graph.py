"""The net as a graph: columns of units, and what links one column to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.system.wording import in_a_line
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.record import LayerRecord
from nnfs_cli.trace.trace import observe

MOST_UNITS = (24, 16, 12, 6, 3)  # a column with more is drawn as its first and its last units; the first that fits
MOST_LINES = 5_000  # in the whole graph
INPUTS = "inputs"  # the place of the first column


@dataclass
class Column:
    """Units that are drawn one below the other: the output of a layer, and of the activations behind it.

    `places` are the paths of these layers, in the order of the forward pass, and `kinds` their names. `bias` is the
    name of a parameter of the first of them that has a number for each unit.
    """

    title: str
    size: int
    places: list[str]
    kinds: list[str]
    names: Sequence[str] = ()  # of all units, if they have any
    bias: str = ""
    most: int = MOST_UNITS[0]

    @property
    def units(self) -> list[int]:
        """The indices of the units that are drawn: all, or a third of `most` at each end."""
        if self.size <= self.most:
            return list(range(self.size))
        return [*range(self.most // 3), *range(self.size - self.most // 3, self.size)]

    def to_json(self) -> dict[str, Any]:
        """Return what the page draws."""
        units = self.units
        return {
            "title": in_a_line(self.title),
            "rings": self.kinds[1:],
            "places": self.places,
            "kinds": self.kinds,
            "units": units,
            "hidden": {"after": self.most // 3, "count": self.size - len(units)} if len(units) < self.size else None,
            "names": [in_a_line(self.names[i]) for i in units] if self.names else None,
        }


@dataclass
class Link:
    """A connection between two columns: `weights`, one line each; a `band`; or a `shortcut` past other columns.

    `weight` is the name of the parameter (units of the start, units of the end) of the layer at `place`, `parameters`
    are the full names of all that the layer has.
    """

    kind: str
    start: int
    end: int
    place: str
    weight: str = ""
    parameters: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what the page draws."""
        named = {"kind": self.kind, "place": self.place, "parameters": self.parameters}
        return {**named, "from": self.start, "to": self.end}


@dataclass
class NetGraph:
    """The columns of a net and their links, from left to right."""

    columns: list[Column] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @classmethod
    def of(cls, batch: TracedBatch) -> NetGraph:
        """Return the graph of the net of a batch.

        A layer with a matrix that fits its input and its output has lines. Another layer whose output is as wide as its
        input adds a ring to the units before it; one that changes the width is a column behind a band.
        """
        recorder, loss = observe(batch)
        width = math.prod(batch.x.shape[1:])
        graph = cls([Column(INPUTS, width, [INPUTS], [INPUTS], batch.inputs if len(batch.inputs) == width else ())])
        for record in recorder.top:
            graph._enter(record)
        last = graph.columns[-1]
        if loss.activation is not None:
            last.places.append(loss.activation.path)
            last.kinds.append(name_of(loss.activation))
        if len(batch.outputs) == last.size and len(graph.columns) > 1:
            last.names = batch.outputs
        graph._thin()
        return graph

    def _thin(self) -> None:
        """Draw fewer units of each column if there are too many lines."""
        for most in MOST_UNITS:
            for column in self.columns:
                column.most = most
            drawn_units = [len(column.units) for column in self.columns]
            lines = [drawn_units[link.start] * drawn_units[link.end] for link in self.links if link.weight]
            if sum(lines) <= MOST_LINES:
                break

    def _enter(self, record: LayerRecord) -> None:
        """Add a layer and those inside it."""
        matrix, start = _matrix(record), len(self.columns) - 1
        if matrix or not record.inner:
            self._add(record, matrix)
        for inner in record.inner:
            self._enter(inner)
        if record.inner and not matrix and not isinstance(record.layer, Sequential):
            self._add(record, "")
            if len(self.columns) - 1 > start:
                self.links.append(Link("shortcut", start, len(self.columns) - 1, record.path))

    def _add(self, record: LayerRecord, matrix: str) -> None:
        """Add a layer as a ring around the units that are already there, or as a column of its own."""
        size, last, name = math.prod(record.y.shape[1:]), self.columns[-1], name_of(record)
        if not matrix and size == last.size:
            last.places.append(record.path)
            last.kinds.append(name)
            return
        vectors = [one for one, array in record.parameters.items() if array.shape == (size,)]
        title = record.layer.label() if record.layer.name else name
        self.columns.append(Column(title, size, [record.path], [name], bias=vectors[0] if matrix and vectors else ""))
        kind, end = "weights" if matrix else "band", len(self.columns) - 1
        prefix = ".".join(part for part in record.path.split(".") if part != "layers")
        parameters = tuple(f"{prefix}.{one}" for one in record.parameters)
        self.links.append(Link(kind, end - 1, end, record.path, matrix, parameters))


def name_of(record: LayerRecord) -> str:
    """Return the name of a layer in a config; the embedding is not written there."""
    return record.layer.name or type(record.layer).__name__.lower()


def values_of(record: LayerRecord) -> Array:
    """Return the output of a layer, (rows, ...); of a matrix with an activation inside, what comes before that."""
    return record.inner[0].x if record.inner and _matrix(record) else record.y


def slopes_of(record: LayerRecord) -> Array | None:
    """Return the gradient of the loss by what `values_of` returns."""
    return record.inner[0].dx if record.inner and _matrix(record) else record.dy


def drawn(array: Array, units: Sequence[int]) -> Array:
    """Return the numbers of the units that are drawn, (rows, ...) -> (rows, units)."""
    chosen: Array = array.reshape(len(array), -1)[:, units]
    return chosen


def _matrix(record: LayerRecord) -> str:
    """Return the name of a parameter with one number for each pair of an input and an output; "" if there is none."""
    pairs = (*record.x.shape[1:], *record.y.shape[1:])
    fits = [name for name, array in record.parameters.items() if array.shape == pairs and len(pairs) == 2]
    return fits[0] if fits else ""
