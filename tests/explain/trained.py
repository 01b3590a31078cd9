"""Nets trained in memory on tables whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnfs_cli.api.config_from import config_from
from nnfs_cli.arrays import Array
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.workflows.fit import fit

SMALL: dict[str, Any] = {
    "layers": ["linear: 16", "relu", "linear: 1"],
    "loss": "mse",
    "optimizer": "adam",
    "lr": 0.01,
    "epochs": 40,
    "batch_size": 64,
    "preprocessing": "standardize",
    "split": 0.3,
    "engine": "numpy",
}


def trained(table: Mapping[str, Any], target: str, **settings: Any) -> Experiment:
    """Return an experiment whose net is trained on a table."""
    experiment = prepare(config_from({"dataset": {"table": target}, **SMALL, **settings}, dict(table), {}))
    fit(experiment)
    return experiment


def twenty_columns(seed: int, n: int = 400) -> dict[str, Array]:
    """Return a table in which c0, c1 and c2 tell y, c3 and c4 go along with c0 and c1, and the others are noise."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 20))
    z[:, 3:5] = 0.9 * z[:, :2] + 0.44 * z[:, 3:5]
    y = z[:, 0] + z[:, 1] * z[:, 2] + 0.7 * z[:, 2] + 0.5 * rng.standard_normal(n)
    return {**{f"c{j}": z[:, j] for j in range(20)}, "y": y}
