"""Tables of scikit-learn with wrong labels, and the probabilities of nets that have not seen the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_cli.api.config_from import config_from
from nnfs_cli.arrays import Array
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.workflows.fit import fit


def flipped(y: Array, share: float, seed: int) -> Array:
    """Return class indices (rows,) of which a share is replaced by another class."""
    rng, n_classes = np.random.default_rng(seed), int(y.max()) + 1
    wrong = rng.choice(len(y), round(share * len(y)), replace=False)
    given = y.copy()
    given[wrong] = (y[wrong] + rng.integers(1, n_classes, len(wrong))) % n_classes
    return given


def out_of_fold(X: Array, given: Array, seed: int) -> Array:
    """Return the probabilities (rows, classes) of the preset for rows of which each is predicted out of fold."""
    table = {f"x{i}": X[:, i] for i in range(X.shape[1])} | {"y": np.char.add("c", given.astype(str)).astype(object)}
    settings: dict[str, Any] = {"dataset": {"table": "y"}, "seed": seed}
    experiment = prepare(config_from(settings, table))
    fit(experiment)
    predictor, rows = experiment.predictor, experiment.splits["validation"]
    return np.asarray(predictor.answer(predictor.outputs_for(rows.X, rows.member)), np.float64)
