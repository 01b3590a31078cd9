"""The steps of the layers, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.differences import Compared, derivative
from nnfs_cli.nn.embedding import Embedding
from nnfs_cli.nn.entry_formulas import apply, first_entry
from nnfs_cli.nn.formulas import NOT_DECLARED, formulas
from nnfs_cli.nn.layers.base import copied_parameters
from nnfs_cli.trace.jacobian import jacobian
from nnfs_cli.trace.record import LayerRecord
from nnfs_cli.trace.values import GradientCheck, Step, TracedArray

LOOK_UPS = 12  # sentences about the look-ups of an embedding, at most


def declared(formula: str) -> str:
    """Return a formula, or the empty string if there is none."""
    return "" if formula == NOT_DECLARED else formula


def forward_step(record: LayerRecord) -> Step:
    """Return the step of a layer in the forward pass."""
    layer = record.layer
    arrays = [TracedArray("x", "input", record.x)]
    arrays += [TracedArray(name, "parameter", array) for name, array in record.parameters.items()]
    arrays.append(TracedArray("y", "output", record.y))
    applied = apply(layer, record.numbers(), ("y", "z"))
    notes = _look_ups(layer, record) if isinstance(layer, Embedding) else ()
    if not declared(formulas(layer).forward):
        notes += (f"The docstring of {type(layer).__name__} has no formula after a colon, as in 'Sine: y = sin(x).'",)
    return Step(
        "forward",
        record.path,
        record.layer.label(),
        record.depth,
        declared(formulas(layer).forward),
        tuple(arrays),
        applied,
        (),
        notes,
    )


def backward_step(record: LayerRecord, twin: LayerRecord, through_net: Sequence[GradientCheck]) -> Step:
    """Return the step of a layer in the backward pass.

    `twin` is the record of the layer in a float64 copy of the net; `through_net` holds the checks of its parameters.
    """
    layer = record.layer
    if record.dy is None:
        note = "No gradient is computed here: neither this layer nor one before it has parameters."
        return Step("backward", record.path, record.layer.label(), record.depth, notes=(note,))
    arrays = [TracedArray("dy", "gradient with respect to the output", record.dy)]
    J = jacobian(record)
    arrays += [TracedArray("J", "Jacobian of each row, dy_i/dx_j", J)] if J is not None else []
    arrays += [
        TracedArray(f"d{name}", f"gradient with respect to {name}", array) for name, array in record.gradients.items()
    ]
    notes: tuple[str, ...] = ()
    if record.dx is None:
        notes += ("Nothing before this layer has parameters, so dx is not computed.",)
    if not declared(formulas(layer).backward):
        notes += (f"The docstring of {type(layer).__name__} has no line such as 'Gradient: dx = cos(x) dy.'",)
    arrays += [TracedArray("dx", "gradient with respect to the input", record.dx)] if record.dx is not None else []
    applied = apply(layer, record.numbers(), {"dx", *(f"d{name}" for name in record.gradients)})
    return Step(
        "backward",
        record.path,
        record.layer.label(),
        record.depth,
        declared(formulas(layer).backward),
        tuple(arrays),
        applied,
        (*_input_checks(record, twin), *through_net),
        notes,
    )


def _input_checks(record: LayerRecord, twin: LayerRecord) -> tuple[GradientCheck, ...]:
    """Compare an entry of each row of dx with Σ dy · (y(x + h) - y(x - h)) / 2h, where that can be repeated."""
    if record.dx is None or twin.dx is None or twin.dy is None or isinstance(record.layer, Embedding):
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
    found, size = [], float(np.abs(twin.dy * here).sum())
    for row in range(len(x)):
        index = first_entry(record.dx, row)
        exact = Compared(index, float(twin.dx[index]), *derivative(output, twin.dy, x, index, here))
        found.append(GradientCheck.of("dx", float(record.dx[index]), exact, twin.dx, size))
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
