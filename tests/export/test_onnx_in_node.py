"""The script of the guide for JavaScript predicts with an exported model in onnxruntime-web."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import nnfs_cli as nnfs
from tests.conftest import ROOT


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="Node.js and npm are not installed")
@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")
def test_the_script_of_the_guide_predicts_as_the_run_does(tmp_path: Path) -> None:
    guide = (ROOT / "nnfs_cli" / "guide" / "export.md").read_text(encoding="utf-8")
    script = re.search(r"```js\n(// onnx_iris.mjs\n.*?)```", guide, re.DOTALL)
    assert script is not None
    (tmp_path / "onnx_iris.mjs").write_text(script[1], encoding="utf-8")
    run = nnfs.train(ROOT / "configs" / "iris.yaml", folder=tmp_path)
    run.export("onnx", tmp_path / "iris-1.onnx")
    install = ["npm", "install", "--no-audit", "--no-fund", "onnxruntime-web"]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True)
    found = subprocess.run(["node", "onnx_iris.mjs"], cwd=tmp_path, check=True, capture_output=True, text=True)
    row = {"sepal length (cm)": 6.1, "sepal width (cm)": 2.9, "petal length (cm)": 4.7, "petal width (cm)": 1.4}
    expected = run.predict(row)
    label, p = found.stdout.split()
    assert label == expected["prediction"][0]
    assert float(p) == pytest.approx(expected["probability_versicolor"][0], abs=1e-4)
