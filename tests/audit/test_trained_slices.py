"""Slices of nets that were really trained: a planted group is found, and chance finds hardly any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnfs_cli
from nnfs_cli.audit.slices import Slice

SETTINGS: dict[str, Any] = {
    "dataset": {"table": "y"},
    "split": {"validation": 0},
    "members": 5,
    "holdout": "fold",
    "preprocessing": {"numbers": "standardize", "categories": "one_hot"},
    "layers": ["linear: 8", "relu", "linear: 1"],
    "optimizer": "adam",
    "lr": 0.02,
    "batch_size": 64,
    "epochs": 15,
    "log_every": 15,
}
CLASSES = {"loss": "binary_cross_entropy", "layers": [*SETTINGS["layers"], "sigmoid"]}
NUMBERS = {"loss": "mse"}


def slices_of(kind: str, seed: int, shift: float, folder: Path) -> list[Slice]:
    """Train a net, and return its slices; the target of the rows with a > 0 in Bonn is shifted."""
    rng, n = np.random.default_rng([seed, 5]), 600
    a, b, c = rng.normal(size=(3, n))
    city = rng.choice(["Bonn", "Kiel", "Jena"], n)
    height, bad = a + 0.5 * b + (city == "Kiel"), (a > 0) & (city == "Bonn")
    if kind == "classes":
        y = rng.random(n) < 1 / (1 + np.exp(-2 * height))
        target = np.where(bad & (rng.random(n) < shift), ~y, y).tolist()
    else:
        target = (height + rng.normal(size=n) + shift * bad).tolist()
    table = {"a": a, "b": b, "c": c, "city": city.tolist(), "y": target}
    changes = CLASSES if kind == "classes" else NUMBERS
    run = nnfs_cli.train({**SETTINGS, **changes, "seed": seed}, table, folder=folder, verbose=False)
    return list(run.slices(data=table))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")
@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_chance_finds_a_group_in_at_most_five_of_100_trainings(kind: str, tmp_path: Path) -> None:
    found = [one for seed in range(100) for one in slices_of(kind, seed, 0.0, tmp_path / str(seed))[:1]]
    print(kind, len(found), *found, sep="\n")
    assert len(found) <= 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")
@pytest.mark.parametrize(("kind", "shift"), [("numbers", 3.0), ("classes", 0.9)])
def test_a_group_that_a_linear_net_cannot_learn_is_found_first(
    kind: str, shift: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = ["linear: 1"] if kind == "numbers" else ["linear: 1", "sigmoid"]
    monkeypatch.setitem(CLASSES if kind == "classes" else NUMBERS, "layers", layers)
    right = 0
    for seed in range(50):
        slices = slices_of(kind, seed, shift, tmp_path / str(seed))
        right += bool(slices) and "city = Bonn" in slices[0].condition and {*slices[0].columns} <= {"a", "city"}
    print(kind, right)
    assert right >= 47
