"""Permutation importance: how much the loss grows when the cells of a column are shuffled among held-out rows.

All inputs that come from a column are shuffled together, so columns are those of the table. Rows that are predicted out
of fold show what the members do with rows that they have not seen.

**Whether a column matters is a test.** A column that tells nothing that the net can use is as good as a shuffled copy
of itself: if its cells depend on nothing, the cells in their own order are just one more shuffle, so the growth has the
mean 0 however much the net relies on the column, and its mean over the rows is a t statistic. That is what a shuffled
copy beside the columns is for in Boruta, without another training. A net that has learned from noise predicts held-out
rows as well with other noise, so its growth is 0 or less, and not more. The p-values of all columns are adjusted by
Holm's method: with 95 % probability, no column that depends on nothing gets a clear effect, however many there are.

A column that is closely related to others gives odd rows when it is shuffled alone, such as a large house with one
room. Then the growth tells what the net relies on, which may be more than what the column alone knows; see
`columns_alike`.

Sources: Breiman, "Random Forests" (2001); Fisher, Rudin and Dominici, "All Models are Wrong, but Many are Useful"
(2019); Kursa and Rudnicki, "Feature Selection with the Boruta Package" (2010); Holm, "A Simple Sequentially Rejective
Multiple Test Procedure" (1979); Hooker, Mentch and Zhou, "Unrestricted Permutation Forces Extrapolation" (2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.explain.shuffled_rows import Growth, ShuffledRows
from nnfs_cli.metrics.student_t import t_tail
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.verdicts.interval import Mean, interval

Effect = Literal["matters", "hurts", "unclear"]

FEWEST, MOST, SHUFFLED = 5, 20, 20_000  # repeats, and rows in all of them together that are wanted
LEVEL = 0.05  # probability that any column without an effect gets a clear one, in either direction


@dataclass(frozen=True)
class ColumnImportance:
    """How much worse rows are predicted when the cells of a column, or of several together, are shuffled.

    `growth` is the mean growth of the loss, and `low` to `high` its 95 % interval: None for fewer than ten rows or
    groups of rows. For rows predicted out of fold, the interval allows for other rows and for other trainings; for
    rows that all members predict together, it is for this net and other rows. It includes the chance of the shuffles.
    `p_value` is adjusted for all columns that were tested. `effect` is "matters", "hurts" (shuffled, the column does
    less harm) or "unclear". `metric` is the first metric of the config for the shuffled rows.
    """

    columns: tuple[str, ...]
    growth: float
    low: float | None
    high: float | None
    p_value: float | None
    effect: Effect
    metric: float | None

    @property
    def name(self) -> str:
        """The names of the columns, joined by +."""
        return " + ".join(self.columns)


@dataclass(frozen=True)
class Importance:
    """The importance of each column, the largest growth first, and of columns that are `together`.

    `loss` and `metric` are the figures of the rows as they are; `metric_name` is the first metric of the config.
    """

    rows: int
    repeats: int
    loss: float
    metric_name: str | None
    metric: float | None
    columns: tuple[ColumnImportance, ...]
    together: tuple[ColumnImportance, ...] = ()

    def relative(self, growth: float) -> float | None:
        """Return a growth as a share of the loss; None if the loss is not above 0."""
        return growth / self.loss if self.loss > 0 else None

    def of(self, column: str) -> ColumnImportance:
        """Return the importance of a column. Raises `KeyError` for an unknown one."""
        return {one.name: one for one in self.columns}[column]

    @property
    def main(self) -> tuple[str, ...]:
        """The names of the columns that matter, the largest growth first."""
        return tuple(one.name for one in self.columns if one.effect == "matters")


def importance(
    predictor: Predictor,
    rows: EncodedRows,
    inputs: Mapping[str, Array],
    together: Iterable[Sequence[str]] = (),
    repeats: int | None = None,
    told: Callable[[str], object] = lambda doing: None,
) -> Importance:
    """Return the importance of the columns, and of some columns that are shuffled together.

    `inputs` are those of each column, see `inputs_by_column`. The rows are held-out ones, each with a weight above 0;
    their `member` predicts them, if they have one. By default there are 5 `repeats`, and up to 20 for few rows. The
    draws depend on the seed of the config alone. `told` is called with what is being done.
    """
    loss, repeats = predictor.config.loss, repeats or usual_repeats(len(rows))
    sets = [*((column,) for column in inputs), *map(tuple, together)]
    with thread_limit(predictor.config.threads), np.errstate(over="ignore", invalid="ignore"):
        shuffled = ShuffledRows(
            rows,
            lambda some: predictor.outputs_for(some.X, some.member),
            loss.of_rows,
            repeats,
            random_stream(predictor.config.seed, "shuffles"),
        )
        name, figure = _metric(predictor, rows, shuffled.outputs)
        means = []
        for i, names in enumerate(sets, 1):
            told(f"shuffling {' + '.join(names)}, {i:,} of {len(sets):,}")
            means.append((names, _shuffle(predictor, shuffled, names, inputs)))
    found, several = judged(means[: len(inputs)]), judged(means[len(inputs) :])
    return Importance(len(rows), repeats, shuffled.loss, name, figure, found, several)


def _shuffle(
    predictor: Predictor, shuffled: ShuffledRows, names: Sequence[str], inputs: Mapping[str, Array]
) -> tuple[Mean, float | None]:
    """Return the mean growth of the loss for some columns, and the mean metric."""
    places = np.concatenate([inputs[name] for name in names])
    grown: Growth = shuffled.growth(places)
    figures = [_metric(predictor, shuffled.rows, y_hat)[1] for y_hat in grown.outputs]
    known = [figure for figure in figures if figure is not None]
    return grown.mean, sum(known) / len(known) if known else None


def _metric(predictor: Predictor, rows: EncodedRows, y_hat: Array) -> tuple[str | None, float | None]:
    """Return the name and the figure of the first metric of the config, None if there is none or it is undefined."""
    if not predictor.config.metrics:
        return None, None
    predicted = predictor.predicted(rows.truth, y_hat, rows.weight, rows.units)
    name, figure = next(iter(predictor.config.metrics[0].figures(predicted).items()))
    return name, float(figure) if math.isfinite(figure) else None


def usual_repeats(n_rows: int) -> int:
    """Return how often the cells of so many rows are shuffled."""
    return max(FEWEST, min(MOST, SHUFFLED // max(n_rows, 1)))


def judged(found: Sequence[tuple[tuple[str, ...], tuple[Mean, float | None]]]) -> tuple[ColumnImportance, ...]:
    """Return the importances, the largest growth first, with what is clear for all of them together."""
    p_values = holm([_p_value(mean) for _, (mean, _) in found])
    columns = []
    for (names, (mean, figure)), p_value in zip(found, p_values, strict=True):
        bounds = interval(mean)
        clear = p_value is not None and p_value < LEVEL
        effect: Effect = "unclear" if not clear else "matters" if mean.value > 0 else "hurts"
        low, high = (None, None) if bounds is None else (bounds.low, bounds.high)
        columns.append(ColumnImportance(names, mean.value, low, high, p_value, effect, figure))
    return tuple(sorted(columns, key=lambda one: -one.growth if math.isfinite(one.growth) else -math.inf))


def _p_value(mean: Mean) -> float | None:
    """Return how often the growth would be as far from 0, in either direction, if its mean were 0."""
    if interval(mean) is None:
        return None
    if mean.variance <= 0:
        return 1.0 if mean.value == 0 else 0.0
    return min(2 * t_tail(abs(mean.value) / math.sqrt(mean.variance), mean.units - 1), 1.0)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted by Holm's method; None stays None, and counts as no test.

    >>> holm([0.04, 0.01, None, 0.5])
    [0.08, 0.03, None, 0.5]
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, i) in enumerate(order):
        least = max(least, min(p * (len(order) - rank), 1.0))
        adjusted[i] = least
    return adjusted
