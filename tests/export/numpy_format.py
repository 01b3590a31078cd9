"""A format of tests: its files are nearly empty, and NumPy computes the pipeline, rightly or with a fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nnfs_cli.arrays import Array
from nnfs_cli.export.format import ExportedModel, Format, Predictions
from nnfs_cli.pipeline.evaluate import evaluate


@dataclass
class Numpy(Format):
    """What `predict` finds goes through `fault`."""

    name = "numpy"
    suffix = ".npy"
    fault: Callable[[dict[str, Array], Array], None] = lambda outputs, usable: None

    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        return {f"{stem}{self.suffix}": repr(sorted(model.about.items())).encode(), f"{stem}.beside": b"beside"}

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        outputs, usable = evaluate(model.pipeline, cells)
        outputs, usable = {name: array.copy() for name, array in outputs.items()}, usable.copy()
        self.fault(outputs, usable)
        return Predictions(outputs, usable)
