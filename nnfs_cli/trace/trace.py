"""Trace one training step of a net: forward, loss, backward and update."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.differences import Compared, sample
from nnfs_cli.nn.entry_formulas import first_entry
from nnfs_cli.nn.gradient_check import compare_entries
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.one_net import one_net
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.layers import backward_step, forward_step
from nnfs_cli.trace.losses import LossRecord, loss_gradient_steps, loss_steps, record_loss
from nnfs_cli.trace.record import LayerRecord, Recorder, own_arrays
from nnfs_cli.trace.update import update_steps
from nnfs_cli.trace.values import GradientCheck, Step, Trace, TracedArray

CHECKED = 2  # random entries of each parameter's gradient that are checked, besides the one with its formula
LARGE = 100_000  # parameters of a net whose passes take so long that no more than that one is checked


@np.errstate(all="ignore")  # the numbers show an overflow
def trace(batch: TracedBatch) -> Trace:
    """Return the trace of one step on these rows. The numbers are those of `Model.differentiate`.

    The batch and its model stay as they are.
    """
    batch = replace(batch, model=one_net(batch.model))
    model = batch.model
    recorder, loss = observe(batch)
    records = recorder.walk()
    twin = batch.in_float64()
    twin_recorder, twin_loss = observe(twin)
    twins = {record.path: record for record in twin_recorder.walk()}
    checks = _parameter_checks(model, twin)
    steps = [_data_step(batch), *map(forward_step, records), *loss_steps(loss), *loss_gradient_steps(loss, twin_loss)]
    size = float(np.abs(twin_loss.L).max(initial=0))
    for one in reversed(records):
        steps.append(backward_step(one, twins[one.path], _own_checks(one, twins[one.path], model, checks, size)))
    steps += update_steps(batch)
    return Trace(
        batch.name,
        batch.weights,
        model.describe(),
        str(model.dtype),
        batch.member,
        batch.rows,
        batch.inputs,
        batch.outputs,
        batch.targets,
        float(np.average(loss.L.astype(np.float64), weights=batch.weight)),
        batch.lr,
        tuple(steps),
    )


def observe(batch: TracedBatch) -> tuple[Recorder, LossRecord]:
    """Return what one pass of `Model.differentiate` computes in the layers, and what the loss computes of that.

    The gradients of the pass stay in the model; its running statistics stay as they were.
    """
    model, recorder = batch.model, Recorder()
    before = model.parameters.vector.copy()
    with model.observed(recorder):
        model.differentiate(batch.x, batch.y, batch.weight, batch.draws, batch.mean_total)
    model.parameters.vector[...] = before
    outputs = recorder.top[-1].y if recorder.top else batch.x
    return recorder, record_loss(model, outputs, batch.y, batch.weight, batch.mean_total)


def _data_step(batch: TracedBatch) -> Step:
    arrays = [TracedArray("x", "inputs of the net", batch.x), TracedArray("y", "target", batch.y)]
    if batch.weight is not None:
        arrays.append(TracedArray("weight", "weight of each row", batch.weight))
    return Step("data", "data", "rows", arrays=tuple(arrays))


def _parameter_checks(model: Model, twin: TracedBatch) -> dict[str, list[Compared]]:
    """Compare entries of the gradient by each parameter with differences of the loss in float64."""
    rng, more, where = np.random.default_rng(0), CHECKED if model.n_parameters < LARGE else 0, {}
    for name, gradient in model.gradients.arrays.items():
        where[name] = list(dict.fromkeys([first_entry(gradient), *sample(gradient.shape, more, rng)]))
    return compare_entries(twin.model, twin.x, twin.y, twin.weight, twin.draws, twin.mean_total, where)


def _own_checks(
    record: LayerRecord, twin: LayerRecord, model: Model, checks: dict[str, list[Compared]], size: float
) -> list[GradientCheck]:
    """Return the checks of a layer's own parameters, under the names that the layer gives them.

    `twin` is its record in float64, and `size` that of the losses.
    """
    full = {_address(array): name for name, array in model.parameters.arrays.items()}
    own = own_arrays(record.layer, record.p)
    return [
        GradientCheck.of(f"d{name}", float(gradient[exact.index]), exact, twin.gradients[name], size)
        for name, gradient in record.gradients.items()
        for exact in checks[full[_address(own[name])]]
    ]


def _address(array: Array) -> int:
    """Return where an array begins in memory: views into one vector are the same where this is the same."""
    return int(array.__array_interface__["data"][0])
