"""The calibration of a net that predicts classes: a temperature for probabilities, and sets of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.texts import Texts
from nnfs_cli.pipeline.elementwise import cast, divide, equal, less_equal, logical_or, subtract
from nnfs_cli.pipeline.shapes import argmax_last, sum_last
from nnfs_cli.pipeline.value import Value, constant
from nnfs_cli.prediction.calibration.class_scores import LEVELS, ClassScores
from nnfs_cli.prediction.calibration.scores import rows_needed, too_few_rows
from nnfs_cli.prediction.calibration.temperature import COLDEST, HOTTEST, scale, scale_operations


@dataclass(frozen=True)
class ClassCalibration:
    """The calibration of a net that predicts classes, fitted to rows that the net was not trained on.

    `how` names these rows: "validation" or "out of fold". `scores` are those of each class, or one for all classes in
    runs of edition 1; `test` are those of the test rows, if there are any. `temperature` scales the probabilities,
    after they are divided by `class_weights` (classes,), the weights of the classes in training. `errors` are the
    calibration errors before and after that, on the test rows, or else on the rows that the temperature was fitted to.
    `sizes` are the mean numbers of classes in a set of the same rows, at each of `LEVELS`.
    """

    how: str
    scores: tuple[ClassScores, ...]
    test: tuple[ClassScores, ...] | None = None
    temperature: float = 1.0
    errors: tuple[float, float] | None = None
    class_weights: tuple[float, ...] | None = None
    sizes: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` unless everything is of the same classes."""
        if not self.scores or (self.test and len(self.test) != len(self.scores)):
            raise ValueError("its scores and its test scores are of different classes")

    @property
    def rows(self) -> int:
        """The number of rows that the scores are of."""
        return sum(scores.rows for scores in self.scores)

    def scale(self, p: Array) -> Array:
        """Return calibrated probabilities from those of the net, (rows, classes)."""
        return scale(without_class_weights(p, self.class_weights), self.temperature)

    def scale_operations(self, p: Value) -> Value:
        """Return `scale` as operations of a pipeline, (classes,) -> (classes,)."""
        if self.class_weights:
            p = divide(cast(p, "float64"), _divisors(self.class_weights))
            p = divide(p, sum_last(p))
        return scale_operations(p, self.temperature)

    def bound(self, level: float) -> Array:
        """Return the largest score of each class with which it is in a set, (classes,).

        The set of a new row of each class holds that class with probability `level`, as long as the row is
        exchangeable with the rows of its class that the scores are of, apart from the interpolation between scores.
        Out of fold, each score is of one member and the new row is predicted by all, so this holds only about.
        Raises `UserError` if there are too few rows for the level in all classes together.
        Sources: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005), section 4.5; Sadinle, Lei
        and Wasserman, "Least Ambiguous Set-Valued Classifiers With Bounded Error Levels" (2019).
        """
        if level not in self._bounds:
            weight = sum(scores.weight for scores in self.scores)
            if weight < level * (weight + 1) - 1e-9:
                raise too_few_rows(level, self.rows, of="a set of classes at")
            self._bounds[level] = np.array([scores.threshold(level) for scores in self.scores])
        return self._bounds[level]

    @cached_property
    def _bounds(self) -> dict[float, Array]:
        """The bounds of the levels that were asked for."""
        return {}

    def scarce(self, level: float, labels: Sequence[str]) -> Iterator[tuple[str, int, int]]:
        """Yield the label and the rows of each class with too few for a level, and how many rows the level needs."""
        for label, scores in zip(labels, self.scores, strict=False):
            if scores.weight < level * (scores.weight + 1) - 1e-9:
                yield label, scores.rows, rows_needed(level)

    def members(self, p: Array, level: float, decided: Array | None = None) -> Array:
        """Return for each class whether it is in the set, (rows, classes).

        `p` (rows, classes) are calibrated probabilities. The most probable class is always in the set, and so is the
        predicted one in `decided` (rows,), which is another one if a threshold or class weights decide.
        Raises `UserError` if there are too few rows for the level.
        """
        within: Array = 1 - p <= self.bound(level) + 1e-12
        for always in (p.argmax(axis=1), *([] if decided is None else [decided])):
            within[np.arange(len(p)), always] = True
        return within

    def member_operations(self, p: Value, level: float, decided: Value) -> Value:
        """Return `members` as operations of a pipeline, (classes,) and (1,) -> (classes,) "bool"."""
        within = less_equal(subtract(1, p), constant(self.bound(level) + 1e-12, name="bound"))
        for always in (argmax_last(p), decided):
            within = logical_or(within, equal(always, np.arange(p.width)))
        return within

    def sets(self, p: Array, labels: Sequence[str], level: float, decided: Array | None = None) -> Texts:
        """Return the labels of the classes in the set, joined by |, (rows,). Arguments are as for `members`."""
        patterns, places = self.members(p, level, decided), np.zeros(len(p), np.intp)
        if len(p) != 1:
            patterns, places = np.unique(patterns, axis=0, return_inverse=True)
        sets = ["|".join(label for label, inside in zip(labels, each, strict=True) if inside) for each in patterns]
        return Texts(places.reshape(-1), np.array(sets, object))

    def coverage(self, level: float) -> tuple[float, Array]:
        """Return the shares of the test rows whose set holds their class: of all rows, and of each class, (classes,).

        The share of a class without test rows is NaN. Raises `UserError` if there are too few rows for the level.
        """
        bounds, test = self.bound(level), self.test or ()
        within = np.array([scores.within(bound) for scores, bound in zip(test, bounds, strict=True)])
        weight = np.array([scores.weight for scores in test])
        of_class = np.divide(within, weight, out=np.full(len(weight), np.nan), where=weight > 0)
        return float(within.sum() / weight.sum()), of_class

    def mean_size(self, level: float) -> float | None:
        """Return how many classes a set holds on average on these rows; None if it is not known.

        Between two of `LEVELS` it is interpolated.
        """
        return None if self.sizes is None else float(np.interp(level, LEVELS, self.sizes))

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain JSON."""
        return {
            "how": self.how,
            "scores": [scores.to_json() for scores in self.scores],
            "test": self.test and [scores.to_json() for scores in self.test],
            "temperature": self.temperature,
            "errors": self.errors and list(self.errors),
            "class_weights": self.class_weights and list(self.class_weights),
            "sizes": self.sizes and list(self.sizes),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_json` described. Raises `ValueError` if it is not valid."""
        temperature, errors, weights = float(plain["temperature"]), plain["errors"], plain.get("class_weights")
        if not COLDEST <= temperature <= HOTTEST:
            raise ValueError("its temperature is out of range")
        if errors is not None and not (len(errors) == 2 and all(0 <= float(error) <= 1 for error in errors)):
            raise ValueError("its calibration errors are not two numbers from 0 to 1")
        scores, test = _scores(plain["scores"]), _scores(plain["test"]) if plain["test"] else None
        if weights is not None and not (len(weights) == len(scores) and all(0 <= float(w) < np.inf for w in weights)):
            raise ValueError("its class weights are not numbers of 0 or more")
        sizes = plain.get("sizes")
        if sizes is not None and not (len(sizes) == len(LEVELS) and all(0 <= float(n) <= len(scores) for n in sizes)):
            raise ValueError("its sizes of sets are not numbers of classes, one for each level")
        pair = (float(errors[0]), float(errors[1])) if errors else None
        weights, sizes = (each and tuple(map(float, each)) for each in (weights, sizes))
        return cls(str(plain["how"])[:100], scores, test, temperature, pair, weights, sizes)


def without_class_weights(p: Array, class_weights: Sequence[float] | None) -> Array:
    """Return the probabilities that a net would give without class weights, (rows, classes).

    Weights multiply the odds that a net learns, so probabilities are divided by them and add up to 1 again. A class of
    weight 0 was not learned, and its probability is only scaled.
    Source: Elkan, "The Foundations of Cost-Sensitive Learning" (2001), theorem 2.
    """
    if not class_weights:
        return p
    q: Array = p / _divisors(class_weights)
    return np.asarray(q / q.sum(axis=-1, keepdims=True))


def _divisors(class_weights: Sequence[float]) -> Array:
    return np.where(np.equal(class_weights, 0), 1, class_weights)


def _scores(plain: Any) -> tuple[ClassScores, ...]:
    if isinstance(plain, Mapping):  # of edition 1
        return (ClassScores.from_ranks(plain),)
    return tuple(map(ClassScores.from_json, plain))
