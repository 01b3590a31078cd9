"""What a linear model on the same inputs relies on, beside the net: where both agree, a column acts along a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.explain.importance import ColumnImportance, Importance, judged
from nnfs_cli.explain.shuffled_rows import ShuffledRows
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.verdicts.losses import SimpleModels

ROWS = 4_000
REPEATS = 3
LITTLE = 0.2  # of the growth for one model, below which a column hardly matters to the other one
FEWEST = 4  # columns whose ranks are compared


@dataclass(frozen=True)
class AgainstLinear:
    """The importance of the columns for a linear model that was fitted to the same inputs.

    `loss` is that of the linear model, and `growths` are shares of it, by column in the order of the net's importance.
    `agreement` is the rank correlation of the columns' importance in both models, None for fewer than four columns.
    The columns in `nonlinear` matter to the net, and hardly to the linear model; in `unused` it is the other way round.
    """

    loss: float
    growths: tuple[float, ...]
    agreement: float | None
    nonlinear: tuple[str, ...]
    unused: tuple[str, ...]


def against_linear(
    predictor: Predictor, train: EncodedRows, rows: EncodedRows, inputs: Mapping[str, Array], found: Importance
) -> AgainstLinear | None:
    """Return the importance in a linear model of the training rows, measured on held-out rows.

    `found` is the importance for the net. It is None where no linear model fits the loss, or the inputs are too many.
    """
    rows = rows.take(np.arange(min(len(rows), ROWS)))
    with thread_limit(1), np.errstate(all="ignore"):
        simple = SimpleModels(predictor, train)
        if simple.outputs(rows.take(np.arange(1)))[1] is None:
            return None

        def outputs(some: EncodedRows) -> Array:
            linear = simple.outputs(some)[1]
            return np.zeros((len(some), 1)) if linear is None else linear

        rng = random_stream(predictor.config.seed, "shuffles of the linear model")
        shuffled = ShuffledRows(rows, outputs, predictor.config.loss.of_rows, REPEATS, rng)
        means = [((name,), (shuffled.growth(places).mean, None)) for name, places in inputs.items()]
        by_name = {one.name: one for one in judged(means)}
    net, linear = found.columns, [by_name[one.name] for one in found.columns]
    grown = np.array([[one.growth for one in model] for model in (net, linear)])
    if not (shuffled.loss > 0 and np.isfinite(grown).all()):
        return None
    return AgainstLinear(
        shuffled.loss,
        tuple((grown[1] / shuffled.loss).tolist()),
        _rank_correlation(*grown) if len(net) >= FEWEST else None,
        _much_more(net, linear),
        _much_more(linear, net),
    )


def _much_more(one: Sequence[ColumnImportance], other: Sequence[ColumnImportance]) -> tuple[str, ...]:
    """Return the columns that matter to one model and hardly to the other one."""
    both = zip(one, other, strict=True)
    return tuple(a.name for a, b in both if a.effect == "matters" and b.growth < LITTLE * a.growth)


def _rank_correlation(one: Array, other: Array) -> float | None:
    """Return the rank correlation of two series without equal values; None if either is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    first, second = (values.argsort().argsort() - (len(values) - 1) / 2 for values in (one, other))
    return float(first @ second / (first @ first))
