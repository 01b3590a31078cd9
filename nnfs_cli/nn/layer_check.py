"""Check the backward pass of one layer, or of the loss, by itself: against central differences of its own forward pass.

A wrong gradient of one layer makes those of all layers before it wrong, too. Checked by itself, only the layer at fault
is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context, Draws
from nnfs_cli.nn.differences import Compared, derivative, sample, suspect
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.base import copied_parameters
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.parameters import Parameters, Views

ENTRIES = 30  # entries of each array that are compared, at most
TOLERANCE = 1e-4  # largest error of a right gradient, relative to the largest entry
LEAST = 1e-4  # below this size of all entries errors are absolute, in the units of y


@dataclass(frozen=True)
class ArrayCheck:
    """Entries of the gradient by one array: the input ``x``, or a parameter by its name."""

    name: str
    entries: tuple[Compared, ...]
    least: float = LEAST

    @property
    def smooth(self) -> tuple[Compared, ...]:
        """The entries that are not at a kink."""
        return tuple(entry for entry in self.entries if not entry.kink)

    @property
    def error(self) -> float:
        """The largest error, relative to the largest entry; infinite for one that is NaN, as none was written."""
        largest = max((abs(entry.numerical) for entry in self.smooth), default=0.0)
        return max((entry.error for entry in self.smooth), default=0.0) / max(largest, self.least)

    @property
    def wrong(self) -> bool:
        """Whether the error is larger than rounding and the method explain."""
        return self.error > TOLERANCE


@dataclass(frozen=True)
class LayerCheck:
    """The check of a layer: of each array, and `faults`, sentences about what breaks the contract."""

    path: str
    title: str
    arrays: tuple[ArrayCheck, ...]
    faults: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.faults) or any(array.wrong for array in self.arrays)


def check_layer(
    path: str,
    layer: Layer,
    p: Views,
    x: Array,
    rng: np.random.Generator,
    draws: Draws | None = None,
    dy: Array | None = None,
    by_input: bool = True,
    most: int = ENTRIES,
) -> LayerCheck:
    """Return the check of a layer with the parameters `p`, for the float64 batch x (batch, ...).

    dy, the gradient by the output, is random unless given: then no part of the layer is hidden by a zero. `draws` makes
    the random numbers of a layer such as dropout, the same at every call. Without `by_input` only the parameters are
    checked; of each array, `most` entries are compared. Nothing that is given is changed.
    """
    parameters = copied_parameters(layer, x.shape[1:], p, np.float64)
    gradients = Parameters(parameters.layout.tree, np.float64, gradients=True)
    start, x = parameters.vector.copy(), x.copy()
    context = Context(np.float64, training=True)

    def forward() -> Array:
        context.begin(len(x), draws)
        y = layer.forward(parameters.views, x, context)[0]
        parameters.vector[len(gradients.vector) :] = start[len(gradients.vector) :]  # running statistics
        return y

    given, first = x.copy(), forward().copy()
    faults = [] if _same(x, given) else ["forward writes to x"]
    x[...] = given
    context.begin(len(x), draws)
    y, backward = layer.forward(parameters.views, x, context)
    if not _same(y, first):
        faults.append("forward returns other numbers when it is called again with the same ones")
    dy = rng.standard_normal(y.shape) if dy is None else dy
    gradients.vector[...] = np.nan
    x[...], mine = given, dy.copy()
    dx = backward(mine, gradients.views, by_input).copy()
    faults += [f"backward writes to {name}" for name, a, b in (("dy", mine, dy), ("x", x, given)) if not _same(a, b)]
    x[...], parameters.vector[...] = given, start
    unwritten = [name for name, array in gradients.arrays.items() if np.isnan(array).any()]
    faults += [f"backward does not write all of the gradient of {name}" for name in unwritten]
    pairs = {"x": (x, dx)} if by_input else {}
    pairs |= {name: (parameters.arrays[name], array) for name, array in gradients.arrays.items()}
    return _checked(path, layer.label(), pairs, forward, dy, rng, most, faults)


def check_loss(
    loss: Loss, fused: bool, y_hat: Array, y: Array, rng: np.random.Generator, most: int = ENTRIES
) -> LayerCheck:
    """Return the check of a loss at the float64 outputs `y_hat` (batch, n), logits if `fused` with an activation."""
    context, y_hat = Context(np.float64, training=True), y_hat.copy()
    loss_forward = loss.forward_logits if fused else loss.forward

    def forward() -> Array:
        context.begin(len(y_hat))
        return loss_forward(y_hat, y, context)[0]

    context.begin(len(y_hat))
    _, backward = loss_forward(y_hat, y, context)
    weight = rng.uniform(0.5, 1.5, (len(y_hat), 1))
    pairs = {"z" if fused else "y_hat": (y_hat, backward(weight).copy())}
    return _checked("loss", loss.label(), pairs, forward, weight[:, 0], rng, most, [])


def _checked(
    path: str,
    title: str,
    pairs: Mapping[str, tuple[Array, Array]],
    forward: Callable[[], Array],
    dy: Array,
    rng: np.random.Generator,
    most: int,
    faults: list[str],
) -> LayerCheck:
    """Compare entries of each array's gradient with differences of the forward pass: random ones, and a suspect."""
    here = forward().copy()
    least = LEAST * max(1.0, float(np.abs(dy * here).max(initial=0)))
    arrays = []
    for name, (array, gradient) in pairs.items():
        found = []
        for index in sample(array.shape, most, rng):
            numerical = derivative(forward, dy, array, index, here)
            found.append(Compared(index, float(gradient[index]), *numerical))
        if array.size > most:
            tolerance = TOLERANCE * max(float(np.abs(gradient).max()), least) / 4
            worst = suspect(forward, dy, array, gradient, tolerance, rng)
            found += [worst] if worst else []
        arrays.append(ArrayCheck(name, tuple(found), least))
    return LayerCheck(path, title, tuple(arrays), tuple(faults))


def _same(a: Array, b: Array) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))
