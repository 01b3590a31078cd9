"""Ensembles of neighbouring seeds are as different as any others."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.workflows.fit import fit

ENSEMBLE = {
    "dataset": {"spirals": {"rows": 60}},
    "split": 0,
    "layers": [{"linear": 12}, "tanh", {"dropout": 0.2}, {"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "optimizer": "adam",
    "members": 16,
    "epochs": 2,
    "seed": 0,
}


def predictions(edition: int, groups: int) -> Array:
    """Return what ensembles predict, (groups, 10, rows): the seeds of a group are neighbours."""
    config = Config(**ENSEMBLE, edition=edition)
    loaded = load_data(config)
    found = []
    for seed in (1_000 * group + i for group in range(groups) for i in range(10)):
        experiment = prepare(config.model_copy(update={"seed": seed}), loaded)
        fit(experiment)
        found.append(experiment.predictor.evaluate(experiment.splits["train"])[1].y_hat[:, 1])
    return np.array(found).reshape(groups, 10, -1)


def ratio(found: Array) -> float:
    """Return the variance among neighbouring seeds, relative to that among seeds that are far apart."""
    return float(found.var(axis=1, ddof=1).mean() / found.var(axis=0, ddof=1).mean())


@pytest.mark.slow
def test_ensembles_of_seeds_0_to_9_vary_as_much_as_independent_ones() -> None:
    assert ratio(predictions(2, groups=60)) == pytest.approx(1, abs=0.1)
    assert ratio(predictions(1, groups=20)) < 0.8  # members of edition 1 belong to several ensembles
