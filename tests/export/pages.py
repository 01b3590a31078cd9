"""Trained runs as exported models, for tests of pages."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import nnfs_cli as nnfs
from nnfs_cli.data.table import Table
from nnfs_cli.explain.attributions import Attributor
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.page.html import page_of
from nnfs_cli.prediction.as_pipeline import as_pipeline
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.background import background_of
from nnfs_cli.workflows.load_run import data_of
from nnfs_cli.workflows.predict import predictor_of
from tests.conftest import ROOT


class Paged(NamedTuple):
    """A run, its model and its data."""

    predictor: Predictor
    model: ExportedModel
    table: Table

    def write(self, folder: Path) -> Path:
        """Write the page into a folder."""
        path = folder / "page.html"
        path.write_text(page_of(self.model), encoding="utf-8")
        return path


def paged(config: str | Path, folder: Path, interval: float | None = None, reasons: bool = True) -> Paged:
    """Train a config, one of `configs/` or any other path, for a few epochs."""
    with warnings.catch_warnings(action="ignore"):
        path = nnfs.train(ROOT / "configs" / config, epochs=3, folder=folder).path
        run = RunDirectory.open(path)
        predictor = predictor_of(run, "best", interval)
        table = next(data_of(run, predictor.config, "restore the data").readers["train"].blocks())
    model = ExportedModel(
        run.path.name,
        as_pipeline(predictor),
        run.records.data()["inputs"],
        {"run": run.path.name, "nnfs": nnfs.__version__},
        predictor.encoder.targets,
        interval,
        Attributor(predictor, background_of(run, predictor)) if reasons else None,
    )
    return Paged(predictor, model, table)
