"""Models in C compute what NumPy computes."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli.export.c.format import C
from nnfs_cli.export.c.interface import Interface
from nnfs_cli.export.c.runner import compiled, run
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value, constant
from tests.export.parity import assert_close
from tests.pipeline.cases import CASES, Case

STRICT = (
    "-std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wshadow -Wdouble-promotion -Wundef -Wcast-qual "
    "-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wswitch-default -Wcast-align -Wwrite-strings"
).split()


def together(cases: list[Case]) -> Case:
    """One pipeline of all cases: their columns and outputs have the names of the cases, and rows are repeated."""
    n_rows = max(len(next(iter(one.cells.values()))) for one in cases)
    columns, outputs, cells = {}, {}, {}
    for one in cases:
        known: dict[int, Value] = {}
        for value in one.pipeline.operations:
            settings = value.settings
            if value.operation == "column":
                settings = {**settings, "name": f"{one.name} {settings['name']}"}
            inputs = tuple(known[id(given)] for given in value.inputs)
            known[id(value)] = dataclasses.replace(value, inputs=inputs, settings=settings, part=one.name)
        columns |= {f"{one.name} {name}": known[id(value)] for name, value in one.pipeline.columns.items()}
        outputs |= {f"{one.name} {name}": known[id(value)] for name, value in one.pipeline.outputs.items()}
        cells |= {f"{one.name} {name}": np.resize(column, n_rows) for name, column in one.cells.items()}
    return Case("all", Pipeline(columns, outputs, constant([True])), cells)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_operation(compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    monkeypatch.setenv("CC", compiler)
    case = together(CASES)
    model = ExportedModel(case.name, case.pipeline, ())
    for name, content in C().files(model, "model").items():
        (tmp_path / name).write_bytes(content)
    interface = Interface(model, "model")
    found = run(compiled(interface, tmp_path / "model.c", tmp_path, [*STRICT, "-O1"]), interface, case.cells)
    expected, usable = evaluate(case.pipeline, case.cells)
    np.testing.assert_array_equal(found.usable, usable)
    assert list(found.outputs) == list(expected)
    for name, values in expected.items():
        try:
            assert_close(found.outputs[name], values, 1e-12)
        except AssertionError as e:
            print(name, str(e)[:800])
    assert 0
