"""Find slices: describe the groups of rows that a search has found, beside rows with similar predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.exchange import Exchange, cut_outliers
from nnfs_cli.audit.search import LEVEL, Group, search
from nnfs_cli.audit.slices import Slice
from nnfs_cli.audit.strata import Strata
from nnfs_cli.data.division import Division
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.workflows.verdicts.interval import Mean, interval, mean_of

LEAST = 0.1  # an excess below this share of the loss of rows with similar predictions does not matter


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Held-out rows with their predictions in the target's units, and the loss of each, (rows,).

    `weight` (rows,) is that of the rows without class weights.
    """

    predicted: PredictedRows
    loss: Array
    weight: Array | None = None

    @property
    def of_classes(self) -> bool:
        """Whether the target is a class, or several targets of two classes."""
        return bool(self.predicted.classes)

    @property
    def residual(self) -> Array | None:
        """The truth minus the prediction, (rows,); None if there are more than two classes, or several targets.

        Of two classes, it is 1 or 0 for the second class, minus its probability.
        """
        y, y_hat = self.predicted.y, self.predicted.y_hat
        if self.of_classes:
            two = y.ndim == 1 and y_hat.shape[1] == 2
            return (y == 1) - y_hat[:, 1].astype(np.float64) if two else None
        return (y - y_hat.astype(np.float64))[:, 0] if y_hat.shape[1] == 1 else None


def find_slices(
    rows: JudgedRows,
    divisions: Sequence[Division],
    paired: Sequence[Division],
    rng: np.random.Generator,
    score: Any = None,
) -> tuple[list[Slice], int]:
    """Return at most five slices of held-out rows, and the number of groups that were looked at.

    Groups are given by a condition of the `divisions`, or by two of the `paired` ones. A group is a slice if its loss
    is clearly larger than that of rows with similar predictions, or if its predictions are clearly too high or too low,
    beside theirs. Where an outcome is only harder to predict, rows with similar predictions have a larger loss, too:
    probabilities near 1/2 have a larger one than others, which is no fault. Chance finds a slice in 2 % of the tables
    without any; see `search`. An excess of less than a tenth is left out.
    `score` returns the figures by name of some of the rows, given their `PredictedRows`.
    Sources: Chung et al., "Slice Finder" (2019), for slices and their words; Hébert-Johnson et al., "Multicalibration"
    (2018), for what a fault is.
    """
    predicted, residual = rows.predicted, rows.residual
    strata = Strata.of(predicted.y_hat, rows.of_classes, rng)
    exchange = Exchange.of(strata, predicted.group, rng)
    errors = [cut_outliers(rows.loss), *([residual] if residual is not None else [])]
    weight = np.ones(len(rows.loss)) if rows.weight is None else rows.weight / rows.weight.mean(dtype=np.float64)
    centred = [strata.centred(error) for error in errors]
    found = search(centred, [False, True][: len(centred)], weight.astype(np.float64), exchange, divisions, paired)
    slices = []
    for group in found.groups:
        p_values = [p if (p := found.p_value(float(height))) <= LEVEL else None for height in group.scores]
        slices.append(_described(rows, group, strata.stratum, weight, p_values, score))
    return [one for one in slices if one.sentences()], found.looked_at


def _described(
    rows: JudgedRows, group: Group, strata: Array, weight: Array, p_values: list[float | None], score: Any
) -> Slice:
    """Return the slice of a group, with its figures."""
    here, residual, predicted = group.rows, rows.residual, rows.predicted
    alike = _Alike(here, strata, weight)
    unit = None if predicted.group is None else predicted.group[here]
    there, elsewhere = (float(np.average(rows.loss[some], weights=weight[some])) for some in (here, ~here))
    excess = alike.excess(rows.loss, unit)
    loss_alike, bias = alike.of_others(rows.loss), None
    if excess.value < LEAST * abs(loss_alike):
        p_values[0] = None
    if residual is not None:
        bias = interval(mean_of(residual[here], weight[here], unit, None))
        more = alike.excess(residual, unit).value > 0
        if bias is None or not (bias.positive if more else bias.negative):  # a fault of all rows
            p_values[1] = None
    metrics = {}
    if score is not None:
        of_both = [score(predicted.take(np.flatnonzero(some))) for some in (here, ~here)]
        metrics = {name: (float(figure), float(of_both[1][name])) for name, figure in of_both[0].items()}
    return Slice(
        condition=" and ".join(division.words[i] for division, i in group.parts),
        columns=tuple(division.column for division, _ in group.parts),
        rows=int(here.sum()),
        share=float(here.mean()),
        loss=there,
        loss_elsewhere=elsewhere,
        loss_alike=loss_alike,
        excess=interval(excess),
        p_value=p_values[0],
        bias=bias,
        bias_p_value=p_values[1] if len(p_values) > 1 else None,
        metrics=metrics,
        expected=None if residual is None else float(np.average(predicted.y_hat[here, -1], weights=weight[here])),
        second_class=predicted.classes[1] if rows.of_classes and residual is not None else "",
        places=np.flatnonzero(here),
    )


class _Alike:
    """The rows of a group, `here` (rows,), and other rows with similar predictions.

    A row of the group counts as much as others are like it: not at all where all rows of its stratum are in the group.
    """

    def __init__(self, here: Array, strata: Array, weight: Array) -> None:
        self._here, self._strata, self._others = here, strata, weight * ~here
        self._n = int(strata.max()) + 1
        self._weights = np.bincount(strata, self._others, self._n)
        share = self._weights / np.bincount(strata, weight, self._n)
        self._weight = weight[here] * share[strata[here]]

    def excess(self, values: Array, unit: Array | None) -> Mean:
        """Return by how much the mean of values (rows,) in the group is larger than that of the others."""
        return mean_of(values[self._here] - self._means(values), self._weight, unit, None)

    def of_others(self, values: Array) -> float:
        """Return the mean of values (rows,) of the others."""
        return float(np.average(self._means(values), weights=self._weight))

    def _means(self, values: Array) -> Array:
        """Return the mean of values (rows,) of others for each row of the group."""
        sums = np.bincount(self._strata, self._others * values, self._n)
        means = np.divide(sums, self._weights, out=np.zeros(self._n), where=self._weights > 0)
        return np.asarray(means[self._strata[self._here]])
