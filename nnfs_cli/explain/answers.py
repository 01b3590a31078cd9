"""What a net answers to inputs, in the words and units of its users."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.prediction.predictor import Predictor

LEAST = 0.005  # probability that log-odds tell from 0: those of trees jump where hardly a row is left


class Answers(NamedTuple):
    """What the columns of an answer are called, as in "probability of benign" or "price".

    `columns` are their places in `Predictor.answer`: of two classes, the probability of the second one says all.
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]

    @classmethod
    def of(cls, predictor: Predictor) -> Answers:
        """Return the answers of a net."""
        kind = "probability" if predictor.config.loss.probabilistic else "score"
        labels, targets = predictor.labels, predictor.encoder.targets
        if len(labels) == 2:
            return cls((f"{kind} of {labels[1]}",), (1,))
        named = labels or targets
        if labels or predictor.encoder.pairs:
            return cls(tuple(f"{kind} of {name}" for name in named), tuple(range(len(named))))
        rate = " (rate)" if predictor.encoder.exposure else ""
        return cls(tuple(f"{target}{rate}" for target in targets), tuple(range(len(targets))))


def answers(predictor: Predictor, X: Array, member: int | None = None) -> Array:
    """Return the answers (rows, n) for inputs (rows, inputs): of all members together, or of one with its blend."""
    members = None if member is None else np.full(len(X), member)
    found = predictor.answer(predictor.outputs_for(X, members))
    return np.asarray(found[:, list(Answers.of(predictor).columns)], np.float64)


def over_grid(predictor: Predictor, X: Array, places: Array, grid: Array, member: int | None = None) -> Array:
    """Return the answers (cells, rows, n) for rows X (rows, inputs), with each of the cells of a grid in turn.

    The inputs at `places` (inputs,) become those of a cell, `grid` (cells, inputs).
    """
    found, X = [], X.copy()
    for inputs in grid:
        X[:, places] = inputs
        found.append(answers(predictor, X, member))
    return np.stack(found)


def log_odds(predictor: Predictor, answer: Array) -> Array:
    """Return probabilities as log-odds, in which effects may add up; scores and numbers stay as they are."""
    loss = predictor.config.loss
    if loss.task != "classification" or not loss.probabilistic:
        return answer
    p = np.clip(answer, LEAST, 1 - LEAST)
    return np.asarray(np.log(p) - np.log1p(-p))
