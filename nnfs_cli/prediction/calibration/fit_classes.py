"""Fit the calibration of classes: find a temperature for the probabilities, and score the rows by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.prediction.calibration.calibration_weights import calibration_weights
from nnfs_cli.prediction.calibration.class_scores import ClassScores, class_scores, mean_sizes
from nnfs_cli.prediction.calibration.classes import ClassCalibration, without_class_weights
from nnfs_cli.prediction.calibration.error import calibration_error, scaled_out_of_fold
from nnfs_cli.prediction.calibration.temperature import fit_temperature, fit_to_mean, scale
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor

ROWS = 2_000  # the most rows that are used to compare members


@dataclass(frozen=True)
class ClassRows:
    """Rows with their true class and the probabilities that a net gives them.

    `given` are probabilities (rows, classes), `truth` true classes (rows,), `weight` (rows,) is above 0 or None, and
    `group` (rows,) is the index of the group of each row or None. `class_weights` are those of the training.
    """

    given: Array
    truth: Array
    weight: Array | None = None
    group: Array | None = None
    class_weights: tuple[float, ...] | None = None

    @classmethod
    def of(cls, predictor: Predictor, rows: EncodedRows) -> ClassRows:
        """Return the rows that have a weight and a finite prediction."""
        rows, class_weights = rows.with_weight(), predictor.encoder.class_weights
        given = predictor.evaluate(rows)[1].y_hat
        finite, weight = np.isfinite(given).all(axis=-1), predictor.own_weight(rows.weight, rows.truth)
        weight, group = (None if each is None else each[finite] for each in (weight, rows.group))
        return cls(given[finite], rows.truth[finite], weight, group, class_weights)

    @cached_property
    def p(self) -> Array:
        """The probabilities without class weights, (rows, classes)."""
        return without_class_weights(self.given, self.class_weights)

    @cached_property
    def weights(self) -> Array:
        """How much each row counts, (rows,); see `calibration_weights`."""
        return calibration_weights(len(self.truth), self.weight, self.group)

    def scores(self, temperature: float) -> tuple[ClassScores, ...]:
        """Return the scores of the rows of each class, from their probabilities at a temperature."""
        within = None if self.group is None else self.group * self.p.shape[1] + self.truth
        weights = calibration_weights(len(self.truth), self.weight, within)
        return class_scores(self.truth, scale(self.p, temperature), weights, self.given.argmax(axis=1))

    def sizes(self, scores: tuple[ClassScores, ...], temperature: float) -> tuple[float, ...]:
        """Return the mean sizes of the sets of these rows with such scores; see `mean_sizes`."""
        p = scale(self.p, temperature)
        return tuple(mean_sizes(scores, p, self.weights, self.given.argmax(axis=1)).tolist())

    def error(self, p: Array) -> float:
        """Return the calibration error of some probabilities of these rows, (rows, classes)."""
        return calibration_error(p, self.truth, self.weights, self.group)


def fit_classes(
    predictor: Predictor, validation: EncodedRows, test: EncodedRows | None, how: str
) -> ClassCalibration | None:
    """Return the calibration of classes; None without rows that have a weight and a finite prediction."""
    rows = ClassRows.of(predictor, validation)
    if not len(rows.truth):
        return None
    tests = None if test is None else ClassRows.of(predictor, test)
    # Where folds go forward, most members have seen these rows, so that nothing is known of the mean of all.
    alone = validation.member is None or predictor.config.forward
    alike = 1.0 if alone else _as_their_mean(predictor, validation)
    return calibrate(how, rows, tests if tests is not None and len(tests.truth) else None, alike)


def calibrate(how: str, rows: ClassRows, tests: ClassRows | None = None, alike: float = 1.0) -> ClassCalibration:
    """Return the calibration that rows ask for, tried on test rows if there are any.

    Class weights change the probabilities of a net, but not how frequent the classes are: they are taken out of the
    probabilities and of the weights of the rows.

    Out of fold, rows have the probabilities of single members, while new rows get the mean of all, which is less
    confident: members at the temperature `alike` stand for it.
    """
    temperature = fit_temperature(rows.p, rows.truth, rows.weights, alike)
    scores = rows.scores(temperature * alike)
    if tests is None:
        before, after = (
            scale(rows.given, alike),
            scaled_out_of_fold(rows.p, rows.truth, rows.weights, rows.group, alike),
        )
        errors = rows.error(before), rows.error(after)
    else:
        errors = tests.error(tests.given), tests.error(scale(tests.p, temperature))
    tried = None if tests is None else tests.scores(temperature)
    sizes = rows.sizes(scores, temperature * alike) if tests is None else tests.sizes(scores, temperature)
    return ClassCalibration(how, scores, tried, temperature, errors, rows.class_weights, sizes)


def _as_their_mean(predictor: Predictor, rows: EncodedRows) -> float:
    """Return the temperature that makes members as confident as their mean, from some rows.

    All members but one were trained on each of them. In simulations with 60 to 300 rows it was 1.02 to 1.21 there, and
    the same within 0.04 on new rows.
    """
    some = rows.take(evenly_spaced(len(rows), ROWS))
    alone = [
        ClassRows.of(predictor, replace(some, member=np.full(len(some), j))) for j in range(predictor.config.members)
    ]
    if len({len(each.truth) for each in alone}) > 1:  # some predictions are not finite
        return 1.0
    members = np.stack([each.p for each in alone])
    return fit_to_mean(members, members.mean(axis=0), alone[0].weights)
