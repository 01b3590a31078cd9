"""The format `c`: a C99 file and its header, without dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnfs_cli.arrays import Array
from nnfs_cli.export.format import ExportedModel, Format, Predictions


class CFormat(Format):
    """A C99 file and its header, which need nothing but the standard library and allocate no memory.

    Every number of the model is a constant of the file. What a row needs lies on the stack, and the header gives its
    size. Words are in UTF-8, and dates are microseconds.
    """

    name = "c"
    suffix = ".c"

    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        """Return the C file and its header."""
        from nnfs_cli.export.c.source import files_of

        return {name: text.encode() for name, text in files_of(model, stem).items()}

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        """Return what the compiled file predicts. Raises `ExportError` without a C compiler."""
        from nnfs_cli.export.c.interface import Interface
        from nnfs_cli.export.c.runner import predict

        return predict(folder / f"{stem}.c", Interface(model, stem), cells)
