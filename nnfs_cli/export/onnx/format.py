"""The format `onnx`: one file, which onnxruntime runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnfs_cli.arrays import Array
from nnfs_cli.export.format import ExportedModel, Format, Predictions
from nnfs_cli.system.extras import needed


class OnnxFormat(Format):
    """One ONNX file, with an input for each column and an output for each column of predictions, all (rows,)."""

    name = "onnx"
    suffix = ".onnx"

    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        """Return the content of the file, which `onnx.checker` accepts."""
        with needed("export", "writing an ONNX file"):
            from nnfs_cli.export.onnx.onnx_model import onnx_model
        return {stem + self.suffix: onnx_model(model).SerializeToString(deterministic=True)}

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        """Return what onnxruntime predicts with one thread."""
        with needed("export", "running an ONNX file"):
            from nnfs_cli.export.onnx.session import open_session, run
        session = open_session((folder / f"{stem}{self.suffix}").read_bytes())
        return run(session, model.pipeline, cells)
