"""Pairs of columns that act together: what both do is not the sum of what each does.

For each pair, the mean answers at all pairs of cells make a surface. What is left of it without the effect of each
column is the interaction. Probabilities are compared as log-odds, in which effects of columns that do not interact add
up. So columns are found that do nothing alone, as in xor.
Sources: Friedman and Popescu, "Predictive Learning via Rule Ensembles" (2008), section 8.1, whose H² is `share` on the
surface; Hooker, "Generalized Functional ANOVA Diagnostics" (2007).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.explain.answers import Answers, log_odds, over_grid
from nnfs_cli.explain.grid import Grid
from nnfs_cli.prediction.predictor import Predictor

ROWS = 100  # whose answers are averaged
POINTS = 8  # cells of each column
SURFACE = 12  # cells of each column, of the surface that is kept
NOTABLE = 0.1  # share of the interaction from which on a pair is worth a sentence


@dataclass(frozen=True)
class Pair:
    """Two columns, and how much they act together.

    `share` is the share of the interaction in what both columns do together, from 0 to 1, as a share of the variance.
    `strength` is the standard deviation of the interaction, in log-odds for classes, else in the units of the answer.
    """

    columns: tuple[str, str]
    strength: float
    share: float

    @property
    def notable(self) -> bool:
        """Whether at least a tenth of what both columns do is their interaction."""
        return self.share >= NOTABLE


@dataclass(frozen=True)
class Surface:
    """The mean answers at pairs of cells of two columns: by cell of the second, then of the first one.

    `cells` and `places` are those of both columns; see `Dependence`.
    """

    columns: tuple[str, str]
    cells: tuple[tuple[str, ...], tuple[str, ...]]
    places: tuple[tuple[float, ...] | None, tuple[float, ...] | None]
    answer: str
    mean: tuple[tuple[float, ...], ...]


def pairs(predictor: Predictor, X: Array, inputs: Mapping[str, Array], grids: Sequence[Grid]) -> list[Pair]:
    """Return all pairs of columns, the strongest interaction first, for rows X (rows, inputs) in random order."""
    found = []
    for one, other in itertools.combinations(grids, 2):
        surface = log_odds(predictor, _surface(predictor, X, inputs, one, other))
        left = interaction(surface, one.shares, other.shares)
        weights = np.outer(one.shares, other.shares)[:, :, None] / (one.shares.sum() * other.shares.sum())
        centred = surface - (weights * surface).sum(axis=(0, 1))
        of_left, of_whole = ((weights * np.square(part)).sum(axis=(0, 1)).mean() for part in (left, centred))
        share = float(of_left / of_whole) if of_whole > 0 else 0.0
        found.append(Pair((one.column, other.column), float(np.sqrt(of_left)), share))
    return sorted(found, key=lambda pair: -pair.strength)


def interaction(surface: Array, first: Array, second: Array) -> Array:
    """Return a surface (cells, cells, n) without the effect of each column; its means over each axis are 0.

    The cells of both columns count by `first` and `second` (cells,).
    """
    of_second = np.average(surface, axis=0, weights=first)
    left = surface - of_second
    return np.asarray(left - np.average(left, axis=1, weights=second)[:, None])


def surface_of(predictor: Predictor, X: Array, inputs: Mapping[str, Array], one: Grid, other: Grid) -> Surface:
    """Return the answer that varies most over a pair of columns, at all pairs of their cells."""
    found = _surface(predictor, X, inputs, one, other)
    main = int(found.std(axis=(0, 1)).argmax())
    return Surface(
        (one.column, other.column),
        (one.texts, other.texts),
        (one.known_places, other.known_places),
        Answers.of(predictor).names[main],
        tuple(tuple(row) for row in found[:, :, main].T.tolist()),
    )


def _surface(predictor: Predictor, X: Array, inputs: Mapping[str, Array], one: Grid, other: Grid) -> Array:
    """Return the mean answers (cells, cells, n) at pairs of cells."""
    X, found = X[:ROWS].copy(), []
    for cell in one.inputs:
        X[:, inputs[one.column]] = cell
        found.append(over_grid(predictor, X, inputs[other.column], other.inputs).mean(axis=1))
    return np.stack(found)
