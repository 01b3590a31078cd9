"""Static types: a page of user code that mypy and pyright accept, and mistakes in it that they find."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = Path(__file__).with_name("user_code.py")
WRONG = {i for i, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1) if line.endswith("# wrong")}


def checked(command: list[object], folder: Path) -> str:
    """Return what a checker says about the page, from a folder without the settings of this project."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr  # the page has mistakes, and the checker itself did not fail
    return done.stdout


@pytest.mark.slow  # pyright finds the same, in a sixth of the time
def test_mypy_accepts_a_page_of_user_code_and_finds_each_mistake(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    report = checked(["mypy", "--strict", "--follow-imports=silent", page], tmp_path)
    assert {int(line) for line in re.findall(r"^page\.py:(\d+): error", report, re.MULTILINE)} == WRONG, report


def test_pyright_accepts_a_page_of_user_code_and_finds_each_mistake(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    if subprocess.run([sys.executable, "-m", "pyright", "--version"], capture_output=True).returncode:
        pytest.skip("pyright downloads itself before its first use, and cannot do so here")
    page = tmp_path / "page.py"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    settings = {"include": ["page.py"], "extraPaths": [str(ROOT)], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    report = checked(["pyright", "--pythonpath", sys.executable, "--outputjson"], tmp_path)
    found = [mark for mark in json.loads(report)["generalDiagnostics"] if mark["severity"] == "error"]
    assert {mark["range"]["start"]["line"] + 1 for mark in found} == WRONG, report


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # four rows are few
def test_the_page_also_runs(capsys: pytest.CaptureFixture[str]) -> None:
    before = PAGE.read_text(encoding="utf-8").splitlines()[: min(WRONG) - 1]
    exec(compile("\n".join(before), PAGE, "exec"), {})  # noqa: S102
    assert "0 linear 16" in capsys.readouterr().out


def test_the_package_says_that_it_has_types() -> None:
    assert (ROOT / "nnfs_cli" / "py.typed").read_bytes() == b""
