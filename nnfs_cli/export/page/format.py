"""The format `page`: an exported model as one self-contained page of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnfs_cli.arrays import Array
from nnfs_cli.export.format import ExportedModel, Format, Predictions
from nnfs_cli.export.page.html import TEMPLATES, page_of
from nnfs_cli.export.page.runtime import run_in_v8


class PageFormat(Format):
    """One page of HTML with a form, curves, reasons and a table, which computes in the browser and loads nothing."""

    name = "page"
    suffix = ".html"

    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        """Return the page."""
        return {stem + self.suffix: page_of(model).encode()}

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        """Return what the scripts of the page predict in V8.

        Raises `UserError` if the package that holds V8 is not installed.
        """
        html = (folder / (stem + self.suffix)).read_text(encoding="utf-8")
        proof = (TEMPLATES / "proof.js").read_text(encoding="utf-8")
        return run_in_v8(html, proof, model.pipeline, cells)
