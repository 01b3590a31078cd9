"""A table with columns of every kind, configs for it, and a folder to train in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.table import Table
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory

Row = dict[str, Any]

CITIES = ("Rome", "Oslo", "Paris", "São Paulo", None)
LABELS = ("low", "mid", "high")


def rows(n: int = 240, seed: int = 0) -> list[Row]:
    """Return rows of every kind of column, with targets that depend on them and a column that names the split."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        city, grade = rng.integers(len(CITIES)), rng.integers(3)
        area, built = round(float(rng.lognormal(4, 0.6)), 2), int(rng.integers(1900, 2020))
        when = datetime(2020, 1, 1) + timedelta(days=int(rng.integers(1500)), minutes=int(rng.integers(1440)))
        garden = bool(rng.integers(2))
        y = np.log(area) + city / 2 + grade - (built - 1960) / 60 + garden + when.month / 6 + rng.normal() / 10
        found.append(
            {
                "city": CITIES[city],
                "grade": ("C", "B", "A")[grade],
                "shop": f"s{rng.integers(30)}",
                "code": f"{int(rng.integers(12)):05d}",
                "area": area,
                "built": None if i % 9 == 4 else built,
                "rooms": int(rng.integers(1, 6)),
                "when": when if i % 11 != 5 else None,
                "day": when.date(),
                "garden": garden,
                "price": round(float(np.exp(y)), 3),
                "dear": bool(y > 7),
                "class": LABELS[int(np.searchsorted([6.2, 7.8], y))],
                "part": ("train", "train", "train", "validation", "test")[i % 5],
            }
        )
    return found


def text(table: Iterable[Row], names: Iterable[str] | None = None) -> str:
    """Return a table as CSV."""
    table = list(table)
    file = io.StringIO()
    names = list(names or table[0])
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for row in table:
        cells = ("" if row[name] is None else row[name] for name in names)
        writer.writerow(str(cell).lower() if isinstance(cell, bool) else cell for cell in cells)
    return file.getvalue()


TARGETS = ("price", "dear", "class")
EVERYTHING: dict[str, Any] = {
    "numbers": ["impute", "standardize"],
    "categories": "one_hot",
    "dates": "calendar",
    "columns": {
        "grade": {"ordinal": ["C", "B", "A"]},
        "shop": {"embedding": 3},
        "code": {"target_mean": {"smoothing": 2}},
        "area": ["log1p", "robust"],
        "built": [{"impute": "mean"}, {"clip": {"low": 0.1}}, {"quantile": 20}],
        "rooms": {"hashing": 8},
        "day": {"calendar": ["trend", "weekend"]},
    },
}


def settings(target: str = "price", preprocessing: Any = None, **changes: Any) -> dict[str, Any]:
    """Return the config of a small net for one of the targets."""
    classes = {"price": 0, "dear": 2, "class": 3}[target]
    preprocessing = EVERYTHING if preprocessing is None else preprocessing
    return {
        "dataset": {"csv": {"path": "t.csv", "target": target, "drop": [name for name in TARGETS if name != target]}},
        "split": {"column": "part"},
        "preprocessing": preprocessing if classes else {**preprocessing, "target": ["log1p", "standardize"]},
        "layers": [{"linear": 8}, "tanh", {"linear": classes or 1}],
        "loss": "cross_entropy" if classes else "mse",
        "optimizer": "adam",
        "lr": 0.02,
        "epochs": 8,
        **changes,
    }


class Folder:
    """A folder for a table, a config and runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: str) -> Path:
        (self.path / name).write_text(content, encoding="utf-8", newline="")
        return self.path / name

    def spec(self, table: str | list[Row], **config: Any) -> Config:
        self.write("t.csv", table if isinstance(table, str) else text(table))
        return Config.load(self.write("c.yaml", yaml.safe_dump(config, allow_unicode=True)))

    def train(self, table: str | list[Row], **config: Any) -> RunDirectory:
        experiment = workflows.prepare(self.spec(table, **config))
        run = workflows.begin(experiment, self.path / "runs")
        workflows.train(experiment, run)
        return run

    def refused(self, table: str | list[Row], **config: Any) -> str:
        with pytest.raises((DataError, ConfigError)) as caught:
            workflows.prepare(self.spec(table, **config))
        assert not (self.path / "runs").exists()
        return str(caught.value)

    def predictions_for(self, predictor: Predictor, name: str, content: str) -> dict[str, list[Any]]:
        """Return the predictions of a trained net for the rows of a CSV."""
        path = self.write(name, content)
        dataset = source_of(path, predictor)
        tables = [predictor.predict(table) for table in dataset]
        return {name: [cell for table in tables for cell in table[name].tolist()] for name in tables[0]}


def source_of(path: Path, predictor: Predictor) -> Iterable[Table]:
    return source_for(path, predictor.config.dataset).chunks(predictor.encoder.kinds)


SIMPLE = "a,b,word,when,y\n" + "".join(f"{i},{i % 7},{'uvw'[i % 3]},2024-01-{i % 28 + 1:02},{i}\n" for i in range(40))
ALL = {"numbers": ["impute", "standardize"], "categories": "one_hot", "dates": "calendar"}


def plain(preprocessing: Any, **changes: Any) -> dict[str, Any]:
    """Return a config for the table `SIMPLE`."""
    dataset = {"csv": {"path": "t.csv", "target": "y", **changes.pop("csv", {})}}
    return settings("price", preprocessing, dataset=dataset, split=0, epochs=1, **changes)
