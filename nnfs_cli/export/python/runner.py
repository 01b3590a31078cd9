"""A process of its own that lets written Python files predict, without nnfs and SciPy."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any

import numpy as np


def main() -> None:
    """Read jobs from standard input, a file and its cells each, and write what the files predict, as JSON."""
    for package in ("nnfs_cli", "scipy"):
        sys.modules[package] = None  # type: ignore[assignment]  # which makes their import fail
    json.dump([answer(**job) for job in json.load(sys.stdin)], sys.stdout)


def answer(file: str, kinds: dict[str, str], cells: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the outputs of a written file by name, and the rows that it refuses."""
    spec = importlib.util.spec_from_file_location("model", file)
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, refused = module.answer({name: column(values, kinds[name]) for name, values in cells.items()})
    return {"outputs": {name: values.tolist() for name, values in outputs.items()}, "refused": sorted(refused)}


def column(values: list[Any], kind: str) -> Any:
    """Return a column as users of a written file may have it."""
    if kind == "number":
        return np.array(values, np.float64)
    return np.array(values, np.int64).astype("datetime64[us]") if kind == "date" else values


if __name__ == "__main__":
    main()
