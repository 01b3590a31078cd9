"""Where a trace comes from: a config that is not trained yet, or a run and its kept weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.trace.batch import ROWS, TracedBatch, traced_batch
from nnfs_cli.workflows.load_run import config_of, data_of, net_of


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

    `data` holds the rows, if they are not where the config says, or were given in Python; see `rows_for`. Raises
    `RunError` if the run lacks these weights, and the errors of `traced_batch`.
    """
    experiment = _reopened(run, data)
    run.arrays.read_weights(weights, experiment.predictor.model.parameters.arrays)
    epoch, lr = _epoch_and_lr(run, weights)
    where = f"the {weights} weights" if not weights.startswith("epoch-") else "the weights"
    where += f" after epoch {epoch:,}" if epoch else ""
    return traced_batch(experiment, run.path.name, rows, member, epoch, lr, f"{where} of {run.path.as_posix()}")


def _reopened(run: RunDirectory, data: Any) -> Experiment:
    config = config_of(run)
    loaded = data_of(run, config, "put the data of the run back", data)
    return prepare(config, loaded, net_of(run, config).encoder)


def _epoch_and_lr(run: RunDirectory, weights: str) -> tuple[int, float | None]:
    """Return how many epochs had ended when these weights were kept, and the learning rate of the last one."""
    rows = [row for row in run.epochs() if math.isfinite(row["epoch"])]
    if weights.startswith("epoch-"):
        epoch = int(weights.removeprefix("epoch-"))
    elif weights == "best":
        epoch = int(run.metrics().get("best_epoch") or 0)
    else:
        epoch = int(rows[-1]["epoch"]) if rows else 0
    rates = [row["lr"] for row in rows if row["epoch"] <= max(epoch, 1) and math.isfinite(row.get("lr", math.nan))]
    return epoch, rates[-1] if rates else None
