"""The steps of the loss and of the final activation: each by itself, and both together where training fuses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.differences import Compared, derivative
from nnfs_cli.nn.entry_formulas import Numbers, apply, constants, first_entry, four_digits
from nnfs_cli.nn.formulas import formulas
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views
from nnfs_cli.trace.jacobian import jacobian
from nnfs_cli.trace.record import LayerRecord
from nnfs_cli.trace.values import GradientCheck, Step, TracedArray

NO_PARAMETERS = Views({})


@dataclass(frozen=True)
class LossRecord:
    """What the loss computes of the outputs of the layers, by the functions that `Model.differentiate` uses.

    L (n,) is the loss of each row and `w` the factor of each row in the loss of the batch, a number or (n, 1). If the
    loss is fused with the final activation, z (n, k) are the logits and dz the gradient by them; y_hat and dy_hat are
    then computed apart, as nobody needs them in training, and `activation` is the record of the activation alone.
    """

    model: Model
    y: Array
    y_hat: Array
    L: Array
    w: float | Array
    dy_hat: Array
    z: Array | None = None
    dz: Array | None = None
    activation: LayerRecord | None = None

    @property
    def gradient(self) -> Array:
        """The gradient by the outputs of the layers, which the backward pass begins with."""
        return self.dy_hat if self.dz is None else self.dz

    def numbers(self) -> Numbers:
        """Return what the formulas of the loss may name."""
        loss = self.model.loss
        batch = {"y": self.y, "y_hat": self.y_hat, "L": self.L, "dy_hat": self.dy_hat}
        batch |= {"z": self.z, "dz": self.dz} if self.z is not None and self.dz is not None else {}
        fixed: dict[str, Array | float] = {**constants(loss), "n": self.y.shape[-1]}
        for name, value in {"w": self.w, **loss.named_numbers(self.y_hat, self.y)}.items():
            if isinstance(value, np.ndarray) and value.ndim == self.y.ndim:
                batch[name] = value
            else:
                fixed[name] = value
        return Numbers(batch, fixed)


def record_loss(model: Model, outputs: Array, y: Array, weight: Array | None, mean_total: float) -> LossRecord:
    """Return what the loss computes of the outputs of the layers (n, k), which are logits if it is fused."""
    loss, context = model.loss, Context(model.dtype, training=True)
    context.begin(len(y))
    w: float | Array = loss.row_weight(len(y))
    if weight is not None:
        w = weight[:, None] * model.dtype.type(loss.row_weight(mean_total))
    y_hat, z, dz, activation = outputs, None, None, None
    if model.fused and loss.activation is not None:
        z = outputs
        final = model.layers.final
        layer = final if isinstance(final, loss.activation) else loss.activation()
        y_hat, activation_backward = layer.forward(NO_PARAMETERS, z, context)
        y_hat = y_hat.copy()
        losses, backward = loss.forward_logits(z, y, context)
        L, dz = losses.copy(), backward(w).copy()
        _, apart = loss.forward(y_hat, y, context)
        dy_hat = apart(w).copy()
        pulled_back = activation_backward(dy_hat, NO_PARAMETERS, True).copy()
        activation = LayerRecord("loss.activation", layer, NO_PARAMETERS, z, y_hat, dy_hat, pulled_back)
    else:
        losses, backward = loss.forward(y_hat, y, context)
        L = losses.copy()
        dy_hat = backward(w).copy()
    return LossRecord(model, y, y_hat, L, w, dy_hat, z, dz, activation)


def loss_steps(record: LossRecord) -> list[Step]:
    """Return the steps forward: the final activation, if it is fused with the loss, and the loss."""
    loss, steps = record.model.loss, []
    if (final := record.activation) is not None and record.z is not None:
        name = final.layer.name
        note = f"Training computes {name} and {loss.name} together from z, so that nothing overflows."
        steps.append(
            Step(
                "loss",
                "loss.activation",
                final.layer.label(),
                formula=formulas(final.layer).forward,
                arrays=(
                    TracedArray("x", "logits, z in the loss", record.z),
                    TracedArray("y", "output, y_hat in the loss", record.y_hat),
                ),
                applied=apply(final.layer, final.numbers(), ("y",)),
                notes=(note, "Here they are apart."),
            )
        )
    arrays = (
        TracedArray("y_hat", "output of the net", record.y_hat),
        TracedArray("y", "target, no output of a layer", record.y),
        TracedArray("L", "loss of each row", record.L),
    )
    applied = apply(loss, record.numbers(), ("L",))
    steps.append(Step("loss", "loss", loss.label(), 0, formulas(loss).forward, arrays, applied))
    return steps


def loss_gradient_steps(record: LossRecord, twin: LossRecord) -> list[Step]:
    """Return the steps backward: the loss, the activation, and both together. `twin` is the same in float64."""
    loss, fused = record.model.loss, record.activation
    apart, _, together = formulas(loss).backward.partition("; with ")
    arrays = [TracedArray("dy_hat", "gradient with respect to the output", record.dy_hat)]
    if isinstance(record.w, np.ndarray):
        arrays.append(TracedArray("w", "factor of each row", record.w))
    first = Step(
        "backward",
        "loss",
        loss.label(),
        formula=apart,
        arrays=tuple(arrays),
        applied=apply(loss, record.numbers(), ("dy_hat",)),
        checks=() if fused else _checks(record, twin),
        notes=(_meaning_of_w(record),),
    )
    if fused is None or fused.dx is None or record.dz is None:
        return [first]
    layer, J = fused.layer, jacobian(fused)
    arrays = [TracedArray("dx", "gradient with respect to the logits", fused.dx)]
    arrays += [TracedArray("J", "Jacobian of each row, dy_i/dx_j", J)] if J is not None else []
    second = Step(
        "backward",
        "loss.activation",
        layer.label(),
        formula=formulas(layer).backward,
        arrays=tuple(arrays),
        applied=apply(layer, fused.numbers(), ("dx",)),
    )
    third = Step(
        "backward",
        "loss.together",
        f"{layer.label()} and {loss.label()} together",
        formula=together.partition(", ")[2] or apart,
        arrays=(TracedArray("dz", "gradient with respect to the logits", record.dz),),
        applied=apply(loss, record.numbers(), ("dz",)),
        checks=_checks(record, twin),
        notes=("The product of the two derivatives collapses to this. It is what training computes.",),
    )
    return [first, second, third]


def _meaning_of_w(record: LossRecord) -> str:
    if isinstance(record.w, np.ndarray):
        return "w is the weight of each row, divided by the weight of a batch of this size."
    if record.model.loss.reduction == "sum":
        return "w = 1: the loss of the batch is the sum over its rows."
    return f"w = {four_digits(record.w)}: the loss of the batch is the mean over its {len(record.y)} rows."


def _checks(record: LossRecord, twin: LossRecord) -> tuple[GradientCheck, ...]:
    """Compare an entry of each row's gradient with central differences of the loss in float64."""
    loss, context = twin.model.loss, Context(np.float64, training=True)
    forward = loss.forward if twin.z is None else loss.forward_logits
    outputs = (twin.y_hat if twin.z is None else twin.z).copy()
    weight = np.broadcast_to(np.asarray(twin.w, np.float64), (len(outputs), 1))[:, 0]

    def losses() -> Array:
        context.begin(len(outputs))
        return forward(outputs, twin.y, context)[0]

    name, gradient = ("dy_hat", record.dy_hat) if record.dz is None else ("dz", record.dz)
    found, size = [], float(np.abs(weight * twin.L).sum())
    for row in range(len(outputs)):
        index = first_entry(gradient, row)
        exact = Compared(index, float(twin.gradient[index]), *derivative(losses, weight, outputs, index))
        found.append(GradientCheck.of(name, float(gradient[index]), exact, twin.gradient, size))
    return tuple(found)
