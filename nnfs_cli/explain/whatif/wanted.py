"""The answer that a what-if asks for: a class, or a range of numbers."""

from __future__ import annotations

import contextlib
import math
import re
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import text_of
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import closest, did_you_mean, listing, named, shown

SMALL = 1e-6  # of the log-odds or of the bound: how far an answer is on the wanted side, since outputs are rounded
LEAST = 1e-12  # the least probability whose logarithm is taken
_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})")
_BOUND = re.compile(rf"(>=|<=|>|<)\s*({_NUMBER})")
HOW = "give a bound or a range, such as '>= 300000', '<= 5' or 10..20"


@dataclass(frozen=True)
class Wanted:
    """An answer that is asked for, of the target `target`, counted from 0.

    For classes it is the class `label`, counted from 0; for numbers, what lies from `low` to `high`. `text` says it in
    words.
    """

    predictor: Predictor
    target: int
    label: int | None
    low: float
    high: float
    text: str

    @classmethod
    def of(cls, predictor: Predictor, given: Any) -> Self:
        """Read what is asked for: a label; or a bound or a range of numbers, as in '>= 300000', '<= 5' or 10..20.

        With several targets, the name of one stands before it, as in hail=yes or 'price >= 300000'. In Python, a pair
        of numbers is a range, too. Raises `UserError` for anything else.
        """
        encoder, targets = predictor.encoder, predictor.encoder.targets
        target, rest = _name_in(given, targets)
        if target is None and len(targets) > 1:
            raise UserError(
                f"the run has {len(targets)} targets, {listing(map(named, targets))}; name one, as in"
                f" '{targets[0]}{'=' if encoder.pairs else ' >= '}...'"
            )
        target = target or 0
        if encoder.classes or encoder.pairs:
            labels = [text_of(label) for label in (encoder.classes or encoder.pairs[target])]
            index = _index_of(given, rest, labels, targets[target])
            what = f"{targets[target]} = " if encoder.pairs else ""
            return cls(predictor, target, index, -math.inf, math.inf, f"{what}{labels[index]}")
        low, high = _range_of(rest)
        if math.isnan(low) or math.isnan(high) or low == math.inf or high == -math.inf:
            raise UserError(f"the target is a number, and {shown(text_of(rest))} has no finite bound; {HOW}")
        if low > high:
            raise UserError(f"the target has no number from {low:g} to {high:g}; the lower end comes first")
        what = targets[target] if len(targets) > 1 else "prediction"
        return cls(predictor, target, None, low, high, f"{what} {_in_words(low, high)}")

    def shortfall(self, answer: Array) -> Array:
        """Return how far rows are from what is asked for, (rows,), and 0 where it is reached.

        `answer` (rows, n) are the predictions, as `Predictor.answer` returns them. For probabilities it is a difference
        of log-odds, or of logarithms of several classes; else it is in the units of the answer.
        """
        margin, scale = self._class_margin(answer) if self.label is not None else self._number_margin(answer)
        short = SMALL * scale - margin
        return np.where(short > 0, short, np.where(np.isnan(short), np.inf, 0.0))

    def probability(self, answer: Array) -> Array | None:
        """Return the probability of the class that is asked for, (rows,); None for numbers and scores."""
        if self.label is None or not self.predictor.config.loss.probabilistic:
            return None
        if self.predictor.encoder.pairs:
            second = answer[:, self.target].astype(np.float64)
            return second if self.label else 1 - second
        return answer[:, self.label].astype(np.float64)

    def number(self, answer: Array) -> Array:
        """Return the predicted number of the target, (rows,)."""
        return answer[:, self.target].astype(np.float64)

    def column(self, of: str = "prediction") -> str:
        """Return what `Predictor.predict` calls a column of this target."""
        targets = self.predictor.encoder.targets
        return of if len(targets) == 1 else f"{of}_{targets[self.target]}"

    @property
    def label_text(self) -> str:
        """The label of the class that is asked for; empty for numbers."""
        encoder = self.predictor.encoder
        return "" if self.label is None else text_of((encoder.classes or encoder.pairs[self.target])[self.label])

    def is_reached(self, prediction: Any) -> bool:
        """Return whether a prediction, as `Predictor.predict` returns it, is what is asked for."""
        if self.label is None:
            return bool(self.low <= float(prediction) <= self.high)
        return text_of(prediction) == self.label_text

    def _class_margin(self, answer: Array) -> tuple[Array, float]:
        predictor, label = self.predictor, self.label
        threshold: Any = predictor.decision.threshold
        if predictor.encoder.pairs:
            thresholds, answer = predictor.label_thresholds, answer[:, self.target]
            threshold = 0.5 if thresholds is None else np.broadcast_to(thresholds, len(predictor.encoder.targets))
            threshold = float(np.atleast_1d(threshold)[self.target if np.ndim(threshold) else 0])
            margin = _log_odds(answer, 1 - answer) - _log_odds(np.array(threshold), np.array(1 - threshold))
        elif threshold is not None:
            at = np.array(float(threshold))
            margin = _log_odds(answer[:, 1], answer[:, 0]) - _log_odds(at, 1 - at)
        else:
            scores = answer.astype(np.float64)
            if predictor.config.loss.probabilistic:
                scores = np.log(np.maximum(scores, LEAST))
            others = np.delete(scores, label or 0, axis=1).max(axis=1)
            return scores[:, label or 0] - others, 1.0
        return (margin if label else -margin), 1.0

    def _number_margin(self, answer: Array) -> tuple[Array, float]:
        found = self.number(answer)
        bounds = [abs(bound) for bound in (self.low, self.high) if math.isfinite(bound)]
        margin = np.minimum(found - self.low, self.high - found)
        width = self.high - self.low
        return margin, min(max(bounds, default=0.0), width / 4 / SMALL)


def _log_odds(p: Array, q: Array) -> Array:
    p, q = (np.maximum(each.astype(np.float64), LEAST) for each in (p, q))
    return np.asarray(np.log(p) - np.log(q))


def _name_in(given: Any, targets: tuple[str, ...]) -> tuple[int | None, Any]:
    """Return the target that a text names first, if it does, and what follows the name."""
    text = given.strip() if isinstance(given, str) else ""
    for name in sorted(targets, key=len, reverse=True):
        rest = text.removeprefix(name).lstrip()
        if text.startswith(name) and rest[:1] in ("=", ">", "<") and len(rest) > 1:
            return targets.index(name), rest[1:].strip() if rest[0] == "=" else rest
    return None, text or given


def _index_of(given: Any, rest: Any, labels: list[str], target: str) -> int:
    """Return the index of the label that is asked for."""
    for text in (given, rest):
        if (found := text_of(text)) in labels:
            return labels.index(found)
    few = f"its classes are {listing(map(named, labels[:12]))}{', ...' if len(labels) > 12 else ''}"
    hint = did_you_mean(text_of(rest), labels) if closest(text_of(rest), labels) else ""
    raise UserError(f"the target {named(target)} has no class {shown(rest)}{hint}; {few}")


def _range_of(given: Any) -> tuple[float, float]:
    if isinstance(given, tuple | list) and len(given) == 2:
        with contextlib.suppress(TypeError, ValueError):
            return float(given[0]), float(given[1])
    text = text_of(given).strip()
    if found := _RANGE.fullmatch(text):
        return float(found[1]), float(found[2])
    if found := _BOUND.fullmatch(text):
        bound = float(found[2])
        strict = {">": math.nextafter(bound, math.inf), "<": math.nextafter(bound, -math.inf)}
        edge = strict.get(found[1], bound)
        return (edge, math.inf) if found[1][0] == ">" else (-math.inf, edge)
    raise UserError(f"the target is a number, and {shown(text)} is no answer to look for; {HOW}")


def _in_words(low: float, high: float) -> str:
    if high == math.inf:
        return f"of {low:,.10g} or more"
    return f"of {high:,.10g} or less" if low == -math.inf else f"from {low:,.10g} to {high:,.10g}"
