"""The net and the rows of a trace: the first rows of the batch that the next training step would use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.nn.context import Draws
from nnfs_cli.nn.entry_formulas import four_digits
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.one_net import one_net, same_draws
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import member_streams
from nnfs_cli.system.wording import counted
from nnfs_cli.training.plan import Plan

ROWS = 4


@dataclass(frozen=True)
class TracedBatch:
    """One net, a few training rows, and all that a step on them needs.

    `model` has no members. x (n, n_inputs), y (n, n_outputs), `weight` (n,), `mean_total` and `draws` are those of
    `Model.differentiate`. `rows` are the indices of the training rows, and `epoch` counts the finished epochs.
    """

    name: str  # of the config or the run
    weights: str  # where the weights are from
    experiment: Experiment
    model: Model
    member: int | None  # None for a single net
    epoch: int
    lr: float | None
    rows: tuple[int, ...]
    x: Array
    y: Array
    weight: Array | None
    mean_total: float
    draws: Draws

    def with_weights(self, arrays: Mapping[str, Array], epoch: int, lr: float | None = None) -> TracedBatch:
        """Return the same rows for parameters by name, such as those of a snapshot; an ensemble's have all members."""
        model = one_net(self.model)
        model.load(arrays if self.member is None else {name: array[self.member] for name, array in arrays.items()})
        lr = self.lr if lr is None else lr
        return replace(self, model=model, epoch=epoch, lr=lr, weights=f"the weights after epoch {epoch:,}")

    def in_float64(self) -> TracedBatch:
        """Return a copy in float64, with the same random numbers."""
        weight = None if self.weight is None else self.weight.astype(np.float64)
        x, y = self.x.astype(np.float64), self.y.astype(np.float64)
        return replace(self, model=one_net(self.model, dtype=np.float64), x=x, y=y, weight=weight)

    @property
    def plan(self) -> Plan:
        """How the config says to train the net."""
        return self.experiment.plan

    @property
    def predictor(self) -> Predictor:
        """The net as the config declares it, with its encoder."""
        return self.experiment.predictor

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the net's inputs."""
        return self.predictor.encoder.names

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the net's outputs: classes, or targets and their quantiles."""
        labels, n = self.predictor.labels, self.y.shape[-1]
        if labels:
            return labels if n == len(labels) else labels[-1:]
        targets = self.predictor.encoder.targets
        levels = self.model.loss.constant_levels() if n > len(targets) else ()
        return tuple(f"{target} {level:g}" for target in targets for level in levels) if levels else targets

    @property
    def targets(self) -> tuple[str, ...]:
        """The target of each row, as text: the class, or the numbers in their own units."""
        labels = self.predictor.labels
        if labels:
            truth = self.y.argmax(axis=-1) if self.y.shape[-1] > 1 else (self.y[:, 0] > 0.5).astype(int)
            return tuple(labels[int(i)] for i in truth)
        return tuple(", ".join(map(four_digits, row)) for row in self.predictor.answer(self.y))


def traced_batch(
    experiment: Experiment,
    name: str,
    rows: int | Sequence[int] = ROWS,
    member: int | None = None,
    epoch: int = 0,
    lr: float | None = None,
    weights: str = "the initial weights",
) -> TracedBatch:
    """Return the first `rows` of the batch that begins the epoch after `epoch`, or the training rows at these indices.

    `lr` is by default that of the config's schedule. Of an ensemble it is one member, by default the first; rows that
    this member does not train on are left out. Raises `UserError` if there is no such row or no such member.
    """
    config, predictor = experiment.config, experiment.predictor
    members = config.members
    if member is not None and not 0 <= member < members:
        has = f"members 0 to {members - 1}" if members > 1 else "no members"
        raise UserError(f"there is no member {member}; the net has {has}")
    one = member or 0
    indices = _chosen(experiment, rows, epoch)
    x, y, weight = (None if array is None else array.copy() for array in experiment.training_rows.take(indices))
    weight = weight[:, one] if weight is not None and weight.ndim > 1 else weight
    keep = np.arange(len(indices)) if weight is None else np.flatnonzero(weight)
    if isinstance(rows, int):
        keep = keep[: max(rows, predictor.model.layers.min_batch_layer.min_batch)]
    if x is None or y is None or not len(keep):
        raise UserError("none of these rows counts in the training of the net; choose others")
    if lr is None and config.lr is not None:
        steps = experiment.trainer([]).steps
        lr = config.lr * config.schedule.at(epoch * steps, steps, config.epochs, config.schedule.begin())

    def draws() -> list[np.random.Generator]:
        return member_streams(members, config.edition, config.seed, "dropout", epoch + 1, 0)

    return TracedBatch(
        name,
        weights,
        experiment,
        one_net(predictor.model, one),
        one if members > 1 else None,
        epoch,
        lr,
        tuple(int(i) for i in indices[keep]),
        x[keep],
        y[keep],
        None if weight is None else weight[keep],
        len(keep) * experiment.training_rows.mean_weight,
        same_draws(draws, one, predictor.model.dtype),
    )


def _chosen(experiment: Experiment, rows: int | Sequence[int], epoch: int) -> Array:
    """Return the indices of the rows to choose from."""
    n, least = len(experiment.training_rows), experiment.predictor.model.layers.min_batch_layer
    if isinstance(rows, int):
        batch = next(iter(experiment.batches.epoch(epoch + 1)))
        return np.arange(*batch.indices(n)) if isinstance(batch, slice) else np.array(batch)
    if missing := [row for row in rows if not 0 <= row < n]:
        raise UserError(f"there is no training row {missing[0]}; the {counted(n, 'training row')} are 0 to {n - 1}")
    if len(rows) < least.min_batch:
        raise UserError(f"{least.name} needs {least.min_batch} rows or more; found {counted(len(rows), 'row')}")
    return np.array(rows, np.intp)
