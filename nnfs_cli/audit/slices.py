"""Slices: groups of rows, named by one or two columns, in which a net is worse than chance would have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.exchange import Exchange, Strata, cut_outliers
from nnfs_cli.audit.search import LEVEL, Group, search
from nnfs_cli.data.division import Division
from nnfs_cli.display.html import table_html, titled_html
from nnfs_cli.display.text import fold, number
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.system.wording import counted, percent, rounded
from nnfs_cli.workflows.figures import finite
from nnfs_cli.workflows.verdicts.interval import Difference, Mean, interval, mean_of

FEWEST_ROWS = 100  # that are looked at
LEAST = 0.1  # an excess below this share of the loss of rows with like predictions does not matter


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


@dataclass(frozen=True)
class Slice:
    """A group of rows in which a net is worse than elsewhere, by more than chance.

    `condition` names the rows in words. `loss` is the mean loss of these rows, and `loss_elsewhere` that of all others.
    `loss_alike` is that of others with like predictions, `excess` how much larger the group's is beside them, with its
    95 % interval, and `p_value` how often some group would differ as clearly by chance; None where it is not clear.
    `bias` is by how much the truth exceeds the predictions on average, with its 95 % interval, and `bias_p_value`
    likewise. `metrics` are those of the config, there and elsewhere.
    """

    condition: str
    columns: tuple[str, ...]
    rows: int
    share: float
    loss: float
    loss_elsewhere: float
    loss_alike: float
    excess: Difference | None
    p_value: float | None
    bias: Difference | None
    bias_p_value: float | None
    metrics: Mapping[str, tuple[float, float]]
    expected: float | None = None
    """The mean prediction: of two classes, the mean probability of the second; None if there are more."""
    second_class: str = ""
    places: Array = field(default_factory=lambda: np.empty(0, np.intp), repr=False, compare=False)
    """The rows among those that were looked at, by index."""

    def sentences(self) -> list[str]:
        """Return what was found there, in words."""
        found = []
        if self.p_value is not None and self.excess is not None:
            there = self.loss_alike + self.excess.mean
            times = f"{rounded(there / self.loss_alike)} times that" if self.loss_alike > 0 else "larger than that"
            figures = f"{rounded(there)} instead of {rounded(self.loss_alike)}"
            found.append(f"the loss is {times} of rows with like predictions ({figures})")
        if self.bias_p_value is not None and self.bias is not None:
            found.append(self._bias_in_words(self.bias))
        return found

    def _bias_in_words(self, bias: Difference) -> str:
        if self.second_class and self.expected is not None:
            share, low, high = (percent(self.expected + each, 1) for each in bias)
            expected = f"'{self.second_class}' is expected in {percent(self.expected, 1)} of these rows"
            return f"{expected}, and found in {share} ({low} to {high})"
        how, found = ("low", bias) if bias.mean > 0 else ("high", bias.reversed())
        figures = f"{rounded(found.mean)} ({rounded(found.low)} to {rounded(found.high)})"
        return f"predictions are too {how} there, by {figures} on average"

    @property
    def title(self) -> str:
        """The condition with the number of rows, as in "age > 60 (120 rows, 12 %)"."""
        return f"{self.condition} ({counted(self.rows, 'row')}, {percent(self.share)})"

    def figures(self) -> str:
        """Return the metrics there and elsewhere, in words."""
        both = {"loss": (self.loss, self.loss_elsewhere), **self.metrics}
        return "; ".join(f"{name} {number(a)}, elsewhere {number(b)}" for name, (a, b) in both.items())

    def __str__(self) -> str:
        """Return the condition, the number of rows and what was found."""
        return f"{self.title}: {'; '.join(self.sentences())}"

    def plain(self) -> dict[str, Any]:
        """Return the slice as a dict for JSON, without its rows."""
        found = {name: value for name, value in asdict(self).items() if name not in ("places", "second_class")}
        for name in ("excess", "bias"):
            difference = found[name]
            found[name] = None if difference is None else dict(zip(("mean", "low", "high"), difference, strict=True))
        metrics = {
            name: finite(dict(zip(("there", "elsewhere"), of_both, strict=True)))
            for name, of_both in self.metrics.items()
        }
        return found | {"columns": [*self.columns], "metrics": metrics, "sentences": self.sentences()}


@dataclass(frozen=True, repr=False)
class Slices:
    """The slices that were found, the clearest first, among `looked_at` groups of `rows` rows of a split.

    `of_rows` is the number of all rows of the split. It is a series of `Slice`; `str` gives it as sentences.
    """

    found: tuple[Slice, ...]
    looked_at: int
    rows: int
    of_rows: int
    split: str

    def __iter__(self) -> Iterator[Slice]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def summary(self) -> str:
        """Return a sentence on what was looked at, and what was found there."""
        if not self.looked_at:
            return f"fewer than {FEWEST_ROWS} held-out rows, in which no groups can be told apart"
        some = f"{self.rows:,} of the {self.of_rows:,}" if self.rows < self.of_rows else f"the {self.rows:,}"
        among = f"among {counted(self.looked_at, 'group')} of {some} {self.split} rows"
        if not self.found:
            return f"no group of rows in which the net is worse than chance would have it, {among}"
        return f"{counted(len(self), 'group')} in which the net is worse than chance would have it, {among}"

    def text(self, width: int = 80) -> str:
        """Return what was found in lines of at most `width` columns."""
        lines = fold(self.summary(), width)
        for one in self:
            lines += ["", *fold(one.title, width, "  ")]
            for sentence in (*one.sentences(), one.figures()):
                lines += fold(f"  {sentence}", width, "  ")
        return "\n".join(lines)

    __repr__ = __str__ = text  # an interactive session shows the sentences

    def _repr_html_(self) -> str:
        rows = [[one.condition, "; ".join(one.sentences()), f"{one.rows:,}", one.figures()] for one in self]
        table = table_html(["group", "what was found", "rows", "figures"], rows, labels=2)
        return titled_html(self.summary(), *([table] if rows else []))

    def plain(self) -> dict[str, Any]:
        """Return all that was found as a dict for JSON."""
        about = {"split": self.split, "rows": self.rows, "of_rows": self.of_rows, "looked_at": self.looked_at}
        return about | {"slices": [one.plain() for one in self.found]}


def find_slices(
    rows: JudgedRows,
    divisions: Sequence[Division],
    paired: Sequence[Division],
    rng: np.random.Generator,
    score: Any = None,
) -> tuple[list[Slice], int]:
    """Return at most five slices of held-out rows, and the number of groups that were looked at.

    Groups are given by a condition of the `divisions`, or by two of the `paired` ones. A group is a slice if its loss
    is clearly larger than that of rows with like predictions, or if its predictions are clearly too high or too low,
    beside theirs. Where noise alone differs, because an outcome is harder to predict, rows with like predictions have
    it, too: probabilities near 1/2 have a larger loss than others, and are not at fault for it. Chance finds a slice in
    2 % of the tables without any; see `search`. An excess of less than a tenth is left out.
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
    """The rows of a group, `here` (rows,), and other rows with like predictions.

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
