"""Trainings that need no remedy: the configs of the repository, the preset, and plain nets on real tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import CONFIGS
from tests.doctor.case import Case, tables_folder

OWN = (
    "breast_cancer", "wine", "iris", "digits", "diabetes", "moons", "circles", "blobs", "spirals", "xor", "arithmetic",
)  # fmt: skip
BY_PRESET = ("breast_cancer", "wine", "diabetes", "digits")
REAL_BY_PRESET = ("titanic", "penguins", "abalone", "phoneme", "mpg", "concrete", "adult", "mammography", "glass")
REAL_BY_HAND = (
    "california", "phoneme", "diamonds", "adult", "pima", "ionosphere", "german", "abalone", "churn", "taxis",
    "oil_spill", "wine_white",
)  # fmt: skip
# What is said of them and is true, by the name of the case, then by code, with the reason.
TRUE: Mapping[str, Mapping[str, str]] = {
    "wine_white by hand": {"copies": "937 of its 4,898 rows are copies of others"},
    "glass by preset": {"never_predicted": "none of the 17 panes of class 3 is told from classes 1 and 2"},
    "toolbox districts": {"overfit": "the validation loss rises from epoch 14 to 60, while the training loss falls"},
}


def healthy() -> Iterator[Case]:
    """Yield the cases; those on real tables only if the environment variable NNFS_TABLES names their folder."""
    for name in OWN:
        yield _case(name, yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()))
    for path in sorted((CONFIGS / "toolbox").glob("*.yaml")):
        settings = yaml.safe_load(path.read_text().replace("../", f"{CONFIGS}/"))
        yield _case(f"toolbox {path.stem}", settings)
    for name in BY_PRESET:
        yield _case(f"{name} by preset", {"dataset": name, "preset": "tabular", "split": {"test": 0.2}})
    folder = tables_folder()
    if folder is None:
        return
    about = yaml.safe_load((folder / "tables.yaml").read_text())
    for name in REAL_BY_PRESET:
        dataset = _dataset(folder, about[name])
        yield _case(f"{name} by preset", {"dataset": dataset, "preset": "tabular", "split": {"test": 0.2}})
    for name in REAL_BY_HAND:
        yield _case(f"{name} by hand", {"dataset": _dataset(folder, about[name]), **_by_hand(about[name])})


def _case(name: str, settings: Mapping[str, Any]) -> Case:
    return Case(name, settings, may=TRUE.get(name, {}))


def _dataset(folder: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    drop = {"drop": about["drop"]} if "drop" in about else {}
    return {"csv": {"path": str(folder / about["path"]), "target": about["target"], **drop}}


def _by_hand(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain net that a practitioner would begin with."""
    # The classes of the wines are marks.
    classes = about.get("classes") and about["path"] != "wine_quality_white.csv"
    last = [{"linear": 1}, *(["sigmoid"] if classes else [])]
    return {
        "split": {"validation": 0.15, "test": 0.15},
        "preprocessing": {"numbers": ["impute", "standardize"], "categories": {"one_hot": {"unseen": "other"}}},
        "layers": [{"linear": 32}, "relu", {"dropout": 0.1}, {"linear": 32}, "relu", *last],
        "loss": "binary_cross_entropy" if classes else "mse",
        "optimizer": {"adamw": 0.01},
        "lr": 0.002,
        "schedule": "cosine",
        "batch_size": 64,
        "epochs": 40,
        "early_stopping": 10,
    }
