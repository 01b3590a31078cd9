"""Slices: groups of rows, named by one or two columns, in which a net is clearly worse, not by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.display.html import table_html, titled_html
from nnfs_cli.display.text import fold, number
from nnfs_cli.system.wording import counted, percent, rounded
from nnfs_cli.workflows.figures import finite
from nnfs_cli.workflows.verdicts.interval import Difference

FEWEST_ROWS = 100  # that are looked at


@dataclass(frozen=True)
class Slice:
    """A group of rows in which a net is worse than elsewhere, by more than chance.

    `condition` names the rows in words. `loss` is the mean loss of these rows, and `loss_elsewhere` that of all others.
    `loss_alike` is that of others with similar predictions, and `excess` says how much larger the group's is than
    theirs, with its 95 % interval. `p_value` is how often some group would differ as clearly by chance; None where it
    is not clear. `bias` is by how much the truth exceeds the predictions on average, with its 95 % interval, and
    `bias_p_value` likewise. `metrics` are those of the config, there and elsewhere.
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
            found.append(f"the loss is {times} of rows with similar predictions ({figures})")
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
            return f"the net is clearly worse in no group of rows, {among}"
        return f"the net is clearly worse in {counted(len(self), 'group')} of rows, {among}"

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
