"""Where a trace comes from: a config that is not trained yet, or a run and its kept weights."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import RunError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.wording import listing
from nnfs_cli.trace.batch import ROWS, TracedBatch, traced_batch
from nnfs_cli.workflows.load_run import config_of, data_of, net_of

EPOCH = re.compile(r"epoch-[0-9]{1,9}")


def batch_of_config(
    config: Config, name: str, rows: int | Sequence[int] = ROWS, member: int | None = None
) -> TracedBatch:
    """Return the rows of the first training step of a config, with the initial weights. See `traced_batch`."""
    return traced_batch(prepare(config), name, rows, member)


def batch_of_run(
    run: RunDirectory,
    rows: int | Sequence[int] = ROWS,
    member: int | None = None,
    weights: str = "best",
    data: Any = None,
) -> TracedBatch:
    """Return the rows of the step that would follow the kept weights of a run: best, last or epoch-<n>.

    The weights of an epoch may be those of a snapshot, of which a small net has up to 60.
    `data` holds the rows, if they are not where the config says, or were given in Python; see `rows_for`. Raises
    `RunError` if the run lacks these weights, and the errors of `traced_batch`.
    """
    experiment = _reopened(run, data)
    _load_weights(run, weights, experiment.predictor.model)
    epoch, lr = _epoch_and_lr(run, weights)
    where = "the weights" if EPOCH.fullmatch(weights) else f"the {weights} weights"
    where += f" after epoch {epoch:,} of {run.path.as_posix()}"
    if experiment.config.blend:
        where += ", without its blend"
    return traced_batch(experiment, run.path.name, rows, member, epoch, lr, where)


def snapshots_of(run: RunDirectory, batch: TracedBatch) -> list[TracedBatch]:
    """Return the same rows at the weights of every epoch of which a run kept a snapshot, in their order.

    Raises `RunError` if the snapshots are damaged, or are those of another net.
    """
    rates = _rates(run)
    kept = _snapshots(run, batch.predictor.model)
    return [batch.with_weights(arrays, epoch, _rate(rates, epoch)) for epoch, arrays in kept.items()]


def _snapshots(run: RunDirectory, model: Model) -> dict[int, dict[str, Array]]:
    """Return the parameters by name at each epoch of which a run kept a snapshot.

    Raises `RunError` if the snapshots are damaged, or are those of another net.
    """
    kept = run.arrays.snapshots()
    if kept is None:
        return {}
    names = [name for name in kept if name != "epoch"]
    if {name: kept[name].shape[1:] for name in names} != {n: a.shape for n, a in model.parameters.arrays.items()}:
        raise RunError(f"{run.path} is damaged: the weights of its epochs are those of another net")
    return {int(epoch): {name: kept[name][i] for name in names} for i, epoch in enumerate(kept["epoch"])}


def _load_weights(run: RunDirectory, weights: str, model: Model) -> None:
    """Load kept weights, or the snapshot of an epoch. Raises `RunError` if there are none, or if they are damaged."""
    kept = _snapshots(run, model) if EPOCH.fullmatch(weights) and not run.arrays.has_weights(weights) else {}
    epoch = int(weights.removeprefix("epoch-")) if kept else -1
    if epoch in kept:
        model.load(kept[epoch])
    elif kept:
        others = [*run.arrays.kept_weights(), *(f"epoch-{epoch}" for epoch in kept)]
        others = [*others[:5], "...", *others[-3:]] if len(others) > 9 else others
        raise RunError(f"{run.path} has no {weights} weights; it has {listing(others)}")
    else:
        run.arrays.read_weights(weights, model.parameters.arrays)


def _reopened(run: RunDirectory, data: Any) -> Experiment:
    config = config_of(run)
    loaded = data_of(run, config, "put the data of the run back", data)
    return prepare(config, loaded, net_of(run, config).encoder)


def _epoch_and_lr(run: RunDirectory, weights: str) -> tuple[int, float | None]:
    """Return how many epochs had ended when these weights were kept, and the learning rate of the last one."""
    rates = _rates(run)
    if weights.startswith("epoch-"):
        epoch = int(weights.removeprefix("epoch-"))
    elif weights == "best":
        epoch = int(run.metrics().get("best_epoch") or 0)
    else:
        epoch = rates[-1][0] if rates else 0
    return epoch, _rate(rates, epoch)


def _rates(run: RunDirectory) -> list[tuple[int, float]]:
    """Return the epochs of the log of a run, each with its learning rate."""
    rows = [row for row in run.epochs() if math.isfinite(row["epoch"])]
    return [(int(row["epoch"]), row.get("lr", math.nan)) for row in rows]


def _rate(rates: list[tuple[int, float]], epoch: int) -> float | None:
    """Return the last learning rate up to this epoch; that of the first epoch for the initial weights."""
    until = [lr for logged, lr in rates if logged <= max(epoch, 1) and math.isfinite(lr)]
    return until[-1] if until else None
