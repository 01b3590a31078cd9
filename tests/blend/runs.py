"""Small runs with a blend, and their table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory

N = 90
BLEND: list[Any] = [{"trees": {"most": 8, "min_rows": 5}}, {"forest": 3}, "linear", "constant"]
SPEC: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "y", "drop": ["price"]}},
    "split": {"test": 0.2},
    "preprocessing": {"numbers": "standardize", "categories": "one_hot"},
    "layers": [{"linear": 3}, "softmax"],
    "loss": "cross_entropy",
    "members": 3,
    "holdout": "fold",
    "blend": BLEND,
    "optimizer": "adam",
    "lr": 0.02,
    "epochs": 4,
    "log_every": 2,
}
NUMBERS: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "price", "drop": ["y"]}},
    "preprocessing": {"numbers": "standardize", "categories": "one_hot", "target": "standardize"},
    "layers": [{"linear": 1}],
    "loss": "mse",
}

WEIGHTED = {"csv": {"path": "t.csv", "target": "price", "drop": ["y"], "weight": "b"}}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a, b, kind = rng.normal(size=N).round(4), rng.integers(0, 5, N), rng.choice(["p", "q"], N)
    price = np.where(a > 0, b, -b) + 0.3 * rng.normal(size=N) + (kind == "q")
    return pd.DataFrame({"a": a, "b": b, "kind": kind, "price": price.round(4), "y": np.digitize(price, [-1, 1])})


def experiment(folder: Path, **changes: Any) -> Experiment:
    folder.mkdir(exist_ok=True)
    table().to_csv(folder / "t.csv", index=False)
    (folder / "c.yaml").write_text(yaml.safe_dump({**SPEC, **changes}))
    return workflows.prepare(Config.load(folder / "c.yaml"))


def trained(folder: Path, **changes: Any) -> RunDirectory:
    made = experiment(folder, **changes)
    run = workflows.begin(made, folder / "runs")
    workflows.train(made, run)
    return run
