"""Execute the example notebook: `python -m tests.notebook` stores its outputs as they come out today."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbclient import NotebookClient

from tests.readme import ROOT, VARIABLES

NOTEBOOK = ROOT / "configs" / "examples" / "from_python.ipynb"


def executed(path: Path = NOTEBOOK) -> Any:
    """Return the notebook with new outputs, run in a copy of its folder. An exception of a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    paths = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {**paths, **VARIABLES}):
        shutil.copytree(path.parent, folder, dirs_exist_ok=True)
        NotebookClient(notebook, timeout=120, record_timing=False, resources={"metadata": {"path": folder}}).execute()
    notebook.metadata["language_info"] = {"name": "python"}  # without the version of today
    return notebook


def main() -> None:
    """Store the outputs."""
    nbformat.write(executed(), NOTEBOOK)


if __name__ == "__main__":
    main()
