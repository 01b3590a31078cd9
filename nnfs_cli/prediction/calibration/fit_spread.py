"""Learn the spread of errors: train small nets on the sizes of errors that are known.

The errors are those of rows that the main net was not trained on. Each small net leaves one fold of these rows out, so
the spread is known out of fold, too: its own errors do not make it look better than it is. A net starts as a log-linear
model, which a hundred rows are enough for, and training keeps only what is better out of fold.
"""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.folds import deal
from nnfs_cli.data.training_rows import RowsInMemory
from nnfs_cli.errors import DivergedError
from nnfs_cli.prediction.calibration.log_linear import fit_log_linear
from nnfs_cli.prediction.calibration.spread import EXPONENT, LearnedSpread
from nnfs_cli.system.random import member_streams, random_stream
from nnfs_cli.training.averaging import EMA
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.optimizers.adamw import AdamW
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.schedules import Cosine
from nnfs_cli.training.trainer import Trainer

FOLDS = 4  # the most small nets
LEAST_ROWS = 60  # with fewer rows, nothing is learned
BATCH, STEPS, LOGGED = 256, 150, 15
RIDGE = 20.0  # of the log-linear model
POWERS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def learn_spread(
    features: Array,
    left_out: list[int],
    centre: Array,
    size: Array,
    weight: Array,
    unit: Array,
    seed: int,
    threads: int | None = None,
) -> tuple[LearnedSpread, Array] | None:
    """Return a spread learned from sizes of errors, and the spread of each row out of fold, (rows, targets).

    `features` (rows, features) are inputs of the main net, of which those with the indices in `left_out` are left out,
    and `centre` (rows, targets) its predictions. `size` (rows, targets) is 0 or more, `weight` (rows,) above 0, and
    `unit` (rows,) has the same number for rows that depend on each other: no net learns from one of them and is judged
    by another. The result is None if no spread is clearly better than none.
    """
    unit = np.unique(unit, return_inverse=True)[1]
    fold = deal(int(unit.max()) + 1, FOLDS, seed)[unit]
    members = int(fold.max()) + 1
    if len(size) < LEAST_ROWS or members < 2 or not (size.max(axis=0) > 0).all():
        return None
    spread = LearnedSpread.blank(
        features.shape[1], left_out, size.shape[1], members, member_streams(members, 2, seed, "spread")
    )
    inputs = spread.inputs(features, centre)
    spread.mean[...] = weight @ inputs / weight.sum()
    centred = inputs - spread.mean
    deviation = np.sqrt(weight @ np.square(centred, out=centred) / weight.sum())
    del centred
    spread.factor[...] = 1 / np.where(deviation > 1e-9 * (1 + np.abs(spread.mean)), deviation, np.inf)
    X, y = spread.standardize(inputs), (size / np.average(size, axis=0, weights=weight)) ** EXPONENT
    del inputs
    try:
        _train(spread, X, y, weight, fold, seed, threads)
    except DivergedError:
        return None
    out_of_fold = spread.model.predict(X, member=fold)
    powers = [best_power(*of_target, weight, unit) for of_target in zip(y.T, np.log(out_of_fold).T, strict=True)]
    spread.shrink[...] = powers
    return (spread, spread.sizes(out_of_fold)) if any(powers) else None


def best_power(size: Array, log_spread: Array, weight: Array, unit: Array) -> float:
    """Return the power p, from 0 to 1, for which exp(p · log_spread) describes sizes of errors best, (rows,) each.

    Best is the largest likelihood under a gamma distribution. It is 0 unless another power is better by more than the
    standard error of the difference, for which only units (rows,) of rows are independent.
    """
    losses = []
    for power in POWERS:
        ratio = size * np.exp(-power * log_spread)
        scale = np.average(ratio, weights=weight)
        losses.append(power * log_spread + np.log(scale) + ratio / scale)
    best = int(np.argmin([np.average(loss, weights=weight) for loss in losses]))
    gain = losses[0] - losses[best]
    mean = np.average(gain, weights=weight)
    error = np.sqrt((np.bincount(unit, weight * (gain - mean)) ** 2).sum()) / weight.sum()
    return float(POWERS[best]) if mean > error else 0.0


def _train(
    spread: LearnedSpread, X: Array, y: Array, weight: Array, fold: Array, seed: int, threads: int | None
) -> None:
    """Train the nets of a spread, each without its fold, until the epoch that is best out of fold."""
    model = spread.model
    counts = (fold[:, None] != np.arange(model.members)) * (model.members / (model.members - 1)) * weight[:, None]

    def evaluate() -> LogRow:
        return {"val_loss": model.evaluate(X, y, weight, member=fold)[0]}

    for member, (coefficients, intercepts) in enumerate(spread.log_linear):
        others = fold != member
        coefficients[...], intercepts[...] = fit_log_linear(X[others], y[others], weight[others], RIDGE)
    first, first_loss = model.parameters.vector.copy(), evaluate()["val_loss"]
    order = int(random_stream(seed, "spread", 1).integers(2**32))  # the main net draws batches with the seed itself
    batches = Batches(len(X), min(BATCH, len(X)), seed=order)
    epochs = max(1, round(STEPS / batches.steps))
    plan = Plan(
        AdamW(eps=1e-3, weight_decay=0.05),  # gradients start near 0, and their rounding errors must not become steps
        0.005,
        Cosine(hold=0.3),
        averaging=EMA(decay=0.95),
        log_every=max(1, epochs // LOGGED),
        threads=threads,
    )
    best = Checkpoint()
    Trainer(model, batches, plan, [best], evaluate).train(RowsInMemory(X, y, counts), epochs)
    best.restore_best(model)
    if not evaluate()["val_loss"] < first_loss:
        model.parameters.vector[...] = first
    model.end_training()
