"""The numbers that the graph shows at one kept epoch, as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from nnfs_cli.arrays import Array
from nnfs_cli.report.trace_parts.net_graph import INPUTS, Column, Link, NetGraph, drawn, slopes_of, values_of
from nnfs_cli.report.trace_parts.numbers import numbers
from nnfs_cli.trace.record import LayerRecord


def frame(graph: NetGraph, records: Mapping[str, LayerRecord], inputs: Array) -> dict[str, Any]:
    """Return the numbers of units and lines that are drawn: values, gradients, weights and biases.

    `records` are those of a pass, by their places, and `inputs` (rows, ...) what went into it.
    """
    values: dict[str, Any] = {INPUTS: numbers(drawn(inputs, graph.columns[0].units))}
    slopes: dict[str, Any] = {}
    for column in graph.columns:
        for place in column.places:
            if place in records:
                values[place] = numbers(drawn(values_of(records[place]), column.units))
                slope = slopes_of(records[place])
                slopes[place] = None if slope is None else numbers(drawn(slope, column.units))
    return {
        "values": values,
        "slopes": slopes,
        "weights": [_lines(graph, link, records, "parameters") for link in graph.links],
        "gradients": [_lines(graph, link, records, "gradients") for link in graph.links],
        "biases": [_bias(column, records) for column in graph.columns],
    }


def _lines(
    graph: NetGraph, link: Link, records: Mapping[str, LayerRecord], kind: Literal["parameters", "gradients"]
) -> list[float | None] | None:
    """Return the numbers of the lines of a link, those into the first unit of the end in places 0, n, 2n, ..."""
    array = getattr(records[link.place], kind).get(link.weight)
    if array is None:
        return None
    start, end = graph.columns[link.start].units, graph.columns[link.end].units
    return numbers(array[start][:, end].ravel())


def _bias(column: Column, records: Mapping[str, LayerRecord]) -> list[float | None] | None:
    return numbers(records[column.places[0]].parameters[column.bias][column.units]) if column.bias else None
