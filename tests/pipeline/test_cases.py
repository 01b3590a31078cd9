"""The table of cases holds every operation, and NumPy computes each."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_cli.pipeline.elementwise import BINARY, SPECIAL, UNARY
from nnfs_cli.pipeline.evaluate import CELLS, OTHERS, evaluate
from tests.pipeline.cases import CASES, Case


def test_every_operation_has_a_case() -> None:
    used = {value.operation for one in CASES for value in one.pipeline.operations}
    assert used == {"column", "constant", *UNARY, *BINARY, *SPECIAL, *CELLS, *OTHERS}


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_values_have_the_type_and_shape_that_they_declare(one: Case) -> None:
    outputs, usable = evaluate(one.pipeline, one.cells)
    n_rows = len(next(iter(one.cells.values())))
    assert usable.shape == (n_rows,)
    for name, value in one.pipeline.outputs.items():
        assert outputs[name].shape == (n_rows,)
        assert outputs[name].dtype == np.dtype(object if value.dtype == "text" else value.dtype)
