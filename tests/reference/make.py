"""Computes with PyTorch, in float64, what our parts are held against: `python -m tests.reference.make`.

Every other module of this folder says in `answers()` what PyTorch gives; it is committed beside it as JSON, so that
the tests run without PyTorch (any 2.x, on the CPU). Where it is installed, they also ask it anew.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path

FOLDER = Path(__file__).parent

if __name__ == "__main__":
    for name in {module.name for module in pkgutil.iter_modules([str(FOLDER)])} - {"make"}:
        answers = importlib.import_module(f"tests.reference.{name}").answers()
        (FOLDER / f"{name}.json").write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")
