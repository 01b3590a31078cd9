"""The format `python`: one file that needs NumPy alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.format import ExportedModel, Format, Predictions, output_types
from nnfs_cli.export.python import runner
from nnfs_cli.export.python.source import source_of


class PythonFormat(Format):
    """A readable Python file with a function `predict`; many arrays lie in a file beside it."""

    name = "python"
    suffix = ".py"

    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        """Return the content of the file, and of the file with its arrays if they are many."""
        sidecar = f"{stem}.npz"
        source, arrays = source_of(model, sidecar)
        files = {f"{stem}{self.suffix}": source.encode()}
        return files if arrays is None else {**files, sidecar: arrays}

    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        """Return what the file predicts, in a process of its own."""
        return predictions([(folder / f"{stem}{self.suffix}", model, cells)])[0]


def predictions(jobs: Sequence[tuple[Path, ExportedModel, Mapping[str, Array]]]) -> list[Predictions]:
    """Return what written files predict for cells, all in one process, which has neither nnfs nor SciPy."""
    found = _run([_job(*job) for job in jobs])
    return [_predictions(one, model, cells) for one, (_, model, cells) in zip(found, jobs, strict=True)]


def _job(path: Path, model: ExportedModel, cells: Mapping[str, Array]) -> dict[str, Any]:
    kinds = {name: value.settings["kind"] for name, value in model.pipeline.columns.items()}
    return {"file": str(path), "kinds": kinds, "cells": {name: cells[name].tolist() for name in kinds}}


def _run(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    command = [sys.executable, "-I", runner.__file__]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise ExportError(f"the written Python file does not run: {''.join(last)}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def _predictions(found: Mapping[str, Any], model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
    usable = np.ones(len(next(iter(cells.values()))), bool)
    usable[found["refused"]] = False
    types = output_types(model.pipeline)
    return Predictions({name: _array(values, types[name]) for name, values in found["outputs"].items()}, usable)


def _array(values: list[Any], dtype: np.dtype[Any]) -> Array:
    array = np.empty(len(values), dtype)
    array[:] = values
    return array
