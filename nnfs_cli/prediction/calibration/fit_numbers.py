"""Fit the calibration of numbers: learn the spread of errors, and score the rows by it."""

from __future__ import annotations

import hashlib

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.prediction.calibration.calibration_weights import calibration_weights
from nnfs_cli.prediction.calibration.fit_spread import learn_spread
from nnfs_cli.prediction.calibration.numbers import NumberCalibration, limits_of
from nnfs_cli.prediction.calibration.scores import NonconformityScores
from nnfs_cli.prediction.calibration.spread import LearnedSpread, QuantileSpread, Spread
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor

ROWS = 20_000  # the most rows that are used: with as many, the coverage has a standard error of 0.2 points
NUMBERS = 200_000  # the most numbers in the inputs of these rows, but at least
LEAST_ROWS = 2_000  # so many rows are used
MOST_FEATURES = 200  # inputs of the net that the spread may depend on; with more, it takes too long to learn
BLOCK = 1_000  # rows on which members are compared at once
LEAST_SHARE = 0.1  # of the squared error of members that their mean has at least

Sides = tuple[Array, Array]


def fit_numbers(
    predictor: Predictor, validation: EncodedRows, test: EncodedRows | None, how: str
) -> NumberCalibration | None:
    """Return the calibration of numbers; None without rows that have a weight and a finite prediction.

    Out of fold, errors are those of single members, while new rows get the mean of all members, which is better: its
    squared error is that of members less the variance among them. So each error is multiplied by
    sqrt(1 - variance / error²), with the squared error that the spread lets expect, and then the spread is learned
    again. The variance is that among members that were trained on a row, which is rather too small than too large.
    Source: Krogh and Vedelsby, "Neural Network Ensembles, Cross Validation, and Active Learning" (1995).
    """
    rows, y_hat = _usable(predictor, validation)
    if not len(rows):
        return None
    weight, centre = calibration_weights(len(rows), rows.weight, rows.group), _centre(predictor, y_hat)
    error = predictor.encoder.scale_target(rows.truth) - centre
    equal = _equal_rows(rows)
    spread, sides = _spread(predictor, rows, equal, y_hat, centre, error, weight)
    variance = _variance(predictor, rows)
    if variance is not None:
        squared = ((sides[0] + sides[1]) / 2) ** 2
        expected = squared * np.average(error**2 / squared, axis=0, weights=weight)
        error = error * np.sqrt(np.maximum(1 - variance / np.maximum(expected, 1e-300), LEAST_SHARE))
        if isinstance(spread, LearnedSpread):
            spread, sides = _spread(predictor, rows, equal, y_hat, centre, error, weight)
    scores = NonconformityScores.from_rows(_distances(error, sides), weight)
    tested = None
    if test is not None and len((tests := _usable(predictor, test))[0]):
        tested = _scores_of(predictor, *tests, spread)
    limits = limits_of(rows.truth[np.unique(equal, return_index=True)[1]])  # copies of the lowest row make no limit
    return NumberCalibration(how, scores, tested, limits, spread)


def _usable(predictor: Predictor, rows: EncodedRows) -> tuple[EncodedRows, Array]:
    """Return the rows that have a weight and a finite prediction, or some of them, and the outputs of the net."""
    rows = rows.with_weight()
    most = min(ROWS, max(LEAST_ROWS, NUMBERS // max(rows.X.shape[1], 1)))
    if len(rows) > most:
        rows = rows.take(evenly_spaced(len(rows), most))
    y_hat = predictor.outputs_for(rows.X, rows.member)
    finite = np.flatnonzero(np.isfinite(y_hat).all(axis=-1))
    return (rows, y_hat) if len(finite) == len(rows) else (rows.take(finite), y_hat[finite])


def _centre(predictor: Predictor, y_hat: Array) -> Array:
    """Return the predictions in the units of the net's target, (rows, targets), within the limits of the encoder."""
    return predictor.encoder.scale_target(predictor.answer(y_hat))


def _spread(
    predictor: Predictor, rows: EncodedRows, equal: Array, y_hat: Array, centre: Array, error: Array, weight: Array
) -> tuple[Spread | None, Sides]:
    """Return the spread of errors, and its sides for the rows, each row by nets that did not learn from it.

    Rows with the same number in `equal` (rows,) become one row of their weight together, so that a row of weight 3 is
    three rows. Only if the main net dealt them into different folds, their errors differ and they stay apart; even then
    no net learns from one of them and is judged by another.
    """
    config, encoder = predictor.config, predictor.encoder
    levels = [*config.loss.quantiles(y_hat[:1])] or [0.5]
    if levels[0] < 0.5 < levels[-1]:
        spread = QuantileSpread.fit(y_hat, centre.shape[1], weight)
        return spread, spread.sides(rows.X, y_hat, centre)
    n_features = rows.X.shape[1]
    left_out = [place for place, *_ in encoder.lookups] if n_features <= MOST_FEATURES else [*range(n_features)]
    unit = equal if rows.units is None else rows.units
    keys = np.stack([equal, unit, np.zeros(len(rows), np.intp) if rows.member is None else rows.member])
    _, first, of_row = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    of_row = of_row.reshape(-1)  # its shape depends on the version of NumPy
    learned = learn_spread(
        rows.X[first],
        left_out,
        centre[first],
        np.abs(error[first]),
        np.bincount(of_row, weight),
        unit[first],
        config.seed,
        predictor.config.threads,
    )
    sides = np.ones_like(error) if learned is None else learned[1][of_row]
    return None if learned is None else learned[0], (sides, sides)


def _equal_rows(rows: EncodedRows) -> Array:
    """Return a number for each row, (rows,), the same for equal inputs and targets, whatever the order of the rows."""
    digests = [
        hashlib.blake2b(x.tobytes() + truth.tobytes(), digest_size=16).digest()
        for x, truth in zip(rows.X, rows.truth, strict=True)
    ]
    return np.unique(np.array(digests, "S16"), return_inverse=True)[1]


def _distances(error: Array, sides: Sides) -> Array:
    """Return how many times as large as its spread each error is, (rows, targets)."""
    below, above = sides
    return np.where(error < 0, -error / below, error / above)


def _variance(predictor: Predictor, rows: EncodedRows) -> Array | None:
    """Return the variance of predictions among the members that were trained on each row, (rows, targets).

    Each member predicts with the models that are blended with it, as it does out of fold. The variance is None if it is
    not known which of at least three members were.
    """
    members = predictor.config.members
    if rows.member is None or members < 3 or predictor.config.forward:  # forward, few members have seen a row
        return None
    every, blocks = np.arange(members), []
    for start in range(0, len(rows), BLOCK):
        X, left_out = (array[start : start + BLOCK] for array in (rows.X, rows.member))
        y_hats = predictor.outputs_for(np.tile(X, (members, 1)), np.repeat(every, len(X)))
        each = _centre(predictor, y_hats).reshape(members, len(X), -1)
        trained = (left_out != every[:, None])[..., None]
        mean = (each * trained).sum(axis=0) / (members - 1)
        blocks.append((((each - mean) ** 2) * trained).sum(axis=0) / (members - 2) * (1 - 1 / members))
    return np.concatenate(blocks)


def _scores_of(predictor: Predictor, rows: EncodedRows, y_hat: Array, spread: Spread | None) -> NonconformityScores:
    """Return the scores of rows by which nothing was fitted; rows of a group count one by one."""
    centre = _centre(predictor, y_hat)
    error = predictor.encoder.scale_target(rows.truth) - centre
    ones = np.ones_like(error)
    sides = (ones, ones) if spread is None else spread.sides(rows.X, y_hat, centre)
    return NonconformityScores.from_rows(_distances(error, sides), calibration_weights(len(rows), rows.weight))
