"""The steps of the layers, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.differences import Compared, derivative
from nnfs_cli.nn.embedding import Embedding
from nnfs_cli.nn.entry_formulas import apply, first_entry
from nnfs_cli.nn.formulas import formulas
from nnfs_cli.nn.layers.base import copied_parameters
from nnfs_cli.trace.jacobian import jacobian
from nnfs_cli.trace.record import LayerRecord
from nnfs_cli.trace.values import GradientCheck, Step, TracedArray

LOOK_UPS = 12  # sentences about the look-ups of an embedding, at most


def forward_step(record: LayerRecord) -> Step:
    """Return the step of a layer in the forward pass."""
    layer = record.layer
    arrays = [TracedArray("x", "input", record.x)]
    arrays += [TracedArray(name, "parameter", array) for name, array in record.parameters.items()]
    arrays.append(TracedArray("y", "output", record.y))
    applied = apply(layer, record.numbers(), ("y", "z"))
    notes = _look_ups(layer, record) if isinstance(layer, Embedding) else ()
    return Step(
        "forward",
        record.path,
        record.layer.label(),
        record.depth,
        formulas(layer).forward,
        tuple(arrays),
        applied,
        (),
        notes,
    )


def backward_step(record: LayerRecord, twin: LayerRecord, through_net: Mapping[str, list[Compared]]) -> Step:
    """Return the step of a layer in the backward pass.

    `twin` is the record of the layer in a float64 copy of the net; `through_net` holds the checks of its parameters.
    """
    layer = record.layer
    if record.dy is None:
        note = "No gradient is computed here: neither this layer nor one before it has parameters."
        return Step("backward", record.path, record.layer.label(), record.depth, notes=(note,))
    arrays = [TracedArray("dy", "gradient of the loss by the output", record.dy)]
    J = jacobian(record)
    arrays += [TracedArray("J", "Jacobian of each row, dy_i/dx_j", J)] if J is not None else []
    arrays += [
        TracedArray(f"d{name}", f"gradient of the loss by {name}", array) for name, array in record.gradients.items()
    ]
    notes = () if record.dx is not None else ("Nobody needs the gradient by the data, so dx is not computed.",)
    arrays += [TracedArray("dx", "gradient of the loss by the input", record.dx)] if record.dx is not None else []
    applied = apply(layer, record.numbers(), {"dx", *(f"d{name}" for name in record.gradients)})
    checks = [
        GradientCheck(one.index, float(record.gradients[name][one.index]), one.numerical, one.kink, name=f"d{name}")
        for name, several in through_net.items()
        for one in several
    ]
    return Step(
        "backward",
        record.path,
        record.layer.label(),
        record.depth,
        formulas(layer).backward,
        tuple(arrays),
        applied,
        (*_input_checks(record, twin), *checks),
        notes,
    )


def _input_checks(record: LayerRecord, twin: LayerRecord) -> tuple[GradientCheck, ...]:
    """Compare an entry of each row of dx with Σ dy · (y(x + h) - y(x - h)) / 2h, where that can be repeated."""
    if record.dx is None or twin.dy is None or isinstance(record.layer, Embedding):
        return ()
    x, layer = twin.x.copy(), twin.layer
    parameters = copied_parameters(layer, x.shape[1:], twin.p, np.float64)
    context = Context(np.float64, training=True)

    def output() -> Array:  # in training, it does not depend on running statistics
        context.begin(len(x))
        return layer.forward(parameters.views, x, context)[0]

    try:
        here = output().copy()
        if not np.array_equal(here, twin.y):
            return ()
    except ValueError:  # it draws random numbers
        return ()
    found = []
    for row in range(len(x)):
        index = first_entry(record.dx, row)
        numerical = derivative(output, twin.dy, x, index, here)
        found.append(GradientCheck(index, float(record.dx[index]), *numerical, name="dx"))
    return tuple(found)


def _look_ups(layer: Embedding, record: LayerRecord) -> tuple[str, ...]:
    """Say which row of its table each code looks up."""
    found = []
    for row, codes in enumerate(record.x):
        for table in layer.tables:
            code = int(codes[table.place])
            what = f"takes row {code} of {table.name}.weight" if code >= 0 else "is unknown and gives zeros"
            found.append(f"Row {row}: the code {code} of {table.name} {what}.")
    more = len(found) - LOOK_UPS
    return (*found[:LOOK_UPS], *([f"And {more} more."] if more > 0 else []))
