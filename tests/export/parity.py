"""Compare what a format computes with what NumPy computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.export.format import ExportedModel, Format
from nnfs_cli.pipeline.evaluate import evaluate
from tests.pipeline.cases import Case


def assert_computes(form: Format, case: Case, folder: Path, tolerance: float = 1e-12) -> None:
    """Assert that the files of a format, in a folder, compute the case as NumPy does."""
    model = ExportedModel(case.name, case.pipeline, ())
    for name, content in form.files(model, "model").items():
        (folder / name).write_bytes(content)
    found = form.predict(folder, "model", model, case.cells)
    expected, usable = evaluate(case.pipeline, case.cells)
    np.testing.assert_array_equal(found.usable, usable)
    assert list(found.outputs) == list(expected)
    for name, values in expected.items():
        assert_close(found.outputs[name], values, tolerance)


def assert_close(found: Array, expected: Array, tolerance: float) -> None:
    if expected.dtype.kind in "Obi":
        assert found.tolist() == expected.tolist()
    else:
        slack = max(tolerance, 1e-6 if expected.dtype == np.float32 else 0)
        np.testing.assert_allclose(found, expected, rtol=slack, atol=slack * 1e-3)
