"""The slices of the held-out rows of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.audit.find_slices import JudgedRows, find_slices
from nnfs_cli.audit.slices import FEWEST_ROWS, Slices
from nnfs_cli.data.division import Division, divisions_of, divisions_of_input
from nnfs_cli.data.table import Kind
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.run_predictions import RunPredictions

MOST_ROWS = 20_000  # that are looked at, evenly spaced
MOST_DIVISIONS = 200  # by which rows are divided
PAIRED = 24  # divisions that are also combined in pairs: those that tell most about the predictions


def slices_of_run(found: RunPredictions) -> Slices:
    """Return the groups of held-out rows in which the net of a run is clearly worse.

    The rows are those of the largest held-out split; with a holdout, each is predicted by a net that was not trained
    on it. Groups are named by cells of the table, or by inputs of the net if the table is not in memory. The same run
    has the same slices on any machine.
    """
    split = found.largest_held_out
    if split is None or len(found.rows[split]) < FEWEST_ROWS:
        return Slices((), 0, 0, 0 if split is None else len(found.rows[split]), split or "held-out")
    n, predictor = len(found.rows[split]), found.predictor
    places = evenly_spaced(n, MOST_ROWS)
    rows, predicted = found.rows[split].take(places), found.predicted(split).take(places)
    with np.errstate(all="ignore"):
        loss = predictor.config.loss.of_rows(predictor.outputs_for(rows.X, rows.member), rows.y)
    if not predicted.usable or not np.isfinite(loss).all():
        return Slices((), 0, 0, n, split)
    weight = predictor.own_weight(rows.weight, rows.truth)
    judged = JudgedRows(predicted, loss, weight)
    divisions = _divisions(found, split, places)
    telling = sorted(range(len(divisions)), key=lambda i: -told_by(divisions[i], predicted.y_hat))[:PAIRED]
    paired = [divisions[i] for i in sorted(telling)]
    rng = random_stream(predictor.config.seed, "slices")
    with thread_limit(1):  # sums would be rounded differently by several
        slices, looked_at = find_slices(judged, divisions, paired, rng, predictor.score)
    return Slices(tuple(slices), looked_at, len(places), n, split)


def _divisions(found: RunPredictions, split: str, places: Array) -> list[Division]:
    """Return the divisions of some rows of a split by each of its columns."""
    encoder, cells = found.predictor.encoder, found.table(split, places)
    kinds: Mapping[str, Kind] = encoder.kinds
    if cells is None:
        X = found.rows[split].X[places]
        names = encoder.names[:MOST_DIVISIONS]
        return [one for i, name in enumerate(names) for one in divisions_of_input(name, X[:, i])]
    parsers = found.predictor.config.dataset.parsers
    words = {name: parser.words for name, parser in parsers.items()}
    divisions = (one for name, kind in kinds.items() for one in divisions_of(cells[0], name, kind, words.get(name)))
    return [one for one, _ in zip(divisions, range(MOST_DIVISIONS), strict=False)]


def told_by(division: Division, y_hat: Array) -> float:
    """Return the share of the variance of predictions (rows, outputs) that lies between the bins of a division."""
    size = np.maximum(np.bincount(division.bins, minlength=division.holds.shape[1]), 1)
    between = total = 0.0
    for output in (y_hat - y_hat.mean(axis=0, dtype=np.float64)).T:
        deviation = float(output.std())
        if 0 < deviation < math.inf:
            sums = np.bincount(division.bins, output / deviation, len(size))
            between, total = between + float(np.square(sums) @ (1 / size)), total + len(output)
    return between / total if total else 0.0
