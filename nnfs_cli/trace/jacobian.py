"""The Jacobian of a layer, from its backward pass: works for every layer."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers.base import copied_parameters
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.trace.record import LayerRecord

SMALL = 64  # entries of the Jacobian of a row, at most


def jacobian(record: LayerRecord) -> Array | None:
    """Return J[row, i, j] = dy_i/dx_j at each row, (batch, outputs, inputs), or None where it says nothing new.

    Row i of J is what `backward` returns for the unit vector dy = e_i. There is none for layers of layers, where it is
    large, where the layer draws other random numbers each time, where it is diagonal, and where it is a parameter.
    """
    x, y = record.x, record.y
    if record.inner or x.ndim > 2 or y.ndim > 2 or x.shape[-1] * y.shape[-1] > SMALL:
        return None
    parameters = copied_parameters(record.layer, x.shape[1:], record.p, x.dtype)
    start, gradients = parameters.vector.copy(), Parameters(parameters.layout.tree, x.dtype, gradients=True)
    context = Context(x.dtype, training=True)
    J = np.empty((len(x), y.shape[-1], x.shape[-1]), x.dtype)
    for row in range(len(x)):
        for i in range(y.shape[-1]):
            parameters.vector[...] = start  # running statistics
            context.begin(len(x))
            try:
                again, backward = record.layer.forward(parameters.views, x.copy(), context)
            except ValueError:  # it draws random numbers
                return None
            if not np.array_equal(again, y):
                return None
            unit = np.zeros_like(y)
            unit[row, i] = 1
            J[row, i] = backward(unit, gradients.views, True)[row]
    square = J.shape[1] == J.shape[2]
    diagonal = square and not (J * (1 - np.eye(J.shape[1], dtype=J.dtype))).any()
    known = any(array.T.shape == J.shape[1:] and (J == array.T).all() for array in record.parameters.values())
    return None if diagonal or known else J
