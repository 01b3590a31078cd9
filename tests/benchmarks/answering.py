"""Time a model that answers rows, in a process and on a core of its own.

`python -m tests.benchmarks.answering KIND FILE ROWS TURNS` prints, in JSON, the microseconds of one row, those of one
among all rows of ROWS, an array in a file of NumPy, and the answers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array

Answers = Callable[[Array], Array]


def nnfs(path: Path) -> Answers:
    """A run."""
    from nnfs_cli import Run

    run = Run.open(path)
    return lambda X: np.asarray(run.predict(X)["prediction"])


def onnx(path: Path) -> Answers:
    """An ONNX file with an input for each column, in onnxruntime."""
    session = _session(path)
    inputs = [one.name for one in session.get_inputs()]
    return lambda X: np.asarray(session.run(["prediction"], dict(zip(inputs, _columns(X), strict=True)))[0])


def python(path: Path) -> Answers:
    """A Python file with a function `predict`."""
    spec = importlib.util.spec_from_file_location("model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = [f"x{j}" for j in range(len(module.COLUMNS))]
    return lambda X: np.asarray(module.predict(dict(zip(names, _columns(X), strict=True)))["prediction"])


def catboost(path: Path) -> Answers:
    """CatBoost's own file, in its package."""
    from catboost import CatBoost

    model = CatBoost().load_model(str(path))
    return lambda X: np.asarray(model.predict(X, thread_count=1))


def catboost_onnx(path: Path) -> Answers:
    """CatBoost's ONNX file, in onnxruntime."""
    session = _session(path)
    return lambda X: np.asarray(session.run(["predictions"], {"features": X.astype(np.float32)})[0]).reshape(-1)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _columns(X: Array) -> list[Array]:
    return [np.ascontiguousarray(column) for column in X.T]


KINDS = {one.__name__: one for one in (nnfs, onnx, python, catboost, catboost_onnx)}


def main(kind: str, path: str, rows: str, turns: str) -> None:
    """Print what was measured."""
    warnings.simplefilter("ignore")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    answers, X = KINDS[kind](Path(path)), np.load(rows)
    singles = [X[i : i + 1] for i in range(len(X))]
    one = [_seconds(answers, singles[i % len(X)]) for i in range(int(turns) + 20)][20:]
    many = [_seconds(answers, X) for _ in range(4)][1:]
    found = {"one": 1e6 * median(one), "many": 1e6 * min(many) / len(X), "answers": answers(X).tolist()}
    json.dump(found, sys.stdout)


def _seconds(answers: Answers, X: Array) -> float:
    begun = time.perf_counter()
    answers(X)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(*sys.argv[1:])
