"""One small run of each kind that a report shows differently. Names of columns and classes try to be markup."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from tests.twins import Leaving

HOSTILE = "<script>alert(1)</script>"
CLASS = "<b>yes</b> & 'no'"
ROWS = 120
NET: dict[str, Any] = {"layers": [{"linear": 6}, "tanh", {"linear": 1}], "optimizer": "adam", "lr": 0.02, "epochs": 6}
BINARY = {**NET, "loss": "binary_cross_entropy"}
THREE = {**NET, "layers": [{"linear": 6}, "tanh", {"linear": 3}], "loss": "cross_entropy"}
HELD_OUT = {"validation": 0.25, "test": 0.25}

KINDS: dict[str, tuple[str, dict[str, Any]]] = {  # the target, and the settings
    "binary": ("two", {**BINARY, "split": HELD_OUT}),
    "multi-class": ("three", {**THREE, "split": HELD_OUT, "metrics": ["accuracy", {"f1": "per_class"}]}),
    "regression": ("number", {**NET, "loss": "mse", "split": HELD_OUT, "preprocessing": {"target": "standardize"}}),
    "two inputs": ("two", {**BINARY, "split": {"validation": 0.3}}),
    "members and folds": ("three", {**THREE, "members": 4, "holdout": "fold", "split": {"test": 0.2}}),
    "interrupted": ("two", {**BINARY, "split": HELD_OUT}),
    "nothing held out": ("two", {**BINARY, "split": {"validation": 0, "test": 0}}),
}
_FOLDER = TemporaryDirectory(prefix="nnfs-reports-")


def table(folder: Path) -> Path:
    """Write a table with three inputs and three targets."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(ROWS, 2)).round(4)
    lines = [f"{HOSTILE},x,kind,two,three,number"]
    for i, (a, b) in enumerate(X.tolist()):
        two = CLASS if a + b + rng.normal() / 3 > 0.3 else "plain"
        three = (CLASS, "plain", "other")[int(np.argmax([a, b, 0.2]))]
        lines.append(f"{a},{b},{'pq'[i % 2]},{two},{three},{2 * a - b + rng.normal() / 4:.4f}")
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def trained(folder: Path, kind: str, **changes: Any) -> tuple[Experiment, RunDirectory]:
    """Train a run of a kind in a folder."""
    target, settings = KINDS[kind]
    path = folder / "rows.csv"
    rows = path if path.exists() else table(folder)
    others = {"two", "three", "number"} - {target} | ({"kind"} if kind == "two inputs" else set())
    csv = {"csv": {"path": rows.name, "target": target, "drop": sorted(others)}}
    steps = {"numbers": "standardize", "categories": "one_hot", **settings.get("preprocessing", {})}
    if kind == "two inputs":
        steps.pop("categories")
    given = {"name": kind.replace(" ", "-"), "dataset": csv, **settings, "preprocessing": steps, **changes}
    (folder / f"{kind}.yaml").write_text(dump(given))
    with ignored_warnings():
        experiment = workflows.prepare(Config.load(folder / f"{kind}.yaml"))
        run = workflows.begin(experiment, folder / "runs")
        if kind == "interrupted":
            try:
                workflows.train(experiment, run, [Leaving(5)])
            except KeyboardInterrupt:
                return experiment, run
        workflows.train(experiment, run)
    return experiment, run


@cache
def run_of(kind: str) -> RunDirectory:
    """Return a finished run of a kind, which is trained once; tests must leave it as it is."""
    folder = Path(_FOLDER.name) / kind.replace(" ", "-")
    folder.mkdir()
    return trained(folder, kind)[1]
