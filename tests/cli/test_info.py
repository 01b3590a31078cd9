"""`nnfs info`: what a bug report needs, and nothing private."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from nnfs_cli import __version__
from tests.conftest import Nnfs


def test_info_names_versions_machine_and_threads(inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(inside("info", "--json").stdout)
    assert found["nnfs"] == __version__
    assert found["packages"]["numpy"] == version("numpy")
    assert {"scipy", "scikit-learn", "pyarrow", "pydantic", "typer", "rich", "numba"} <= set(found["packages"])
    assert found["cores"] >= 1
    assert found["threads"] >= 1
    assert found["blas"]
    assert found["engine"].startswith("numpy; the compiled engine cannot be used: ")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "3")  # a name that is longer than the others
    done = inside("info")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["numpy"] == version("numpy")
    assert lines["OPENBLAS_CORETYPE"] == "3"
    assert lines.keys() >= {"nnfs", "python", "platform", "processor", "cores", "blas", "threads", *found["packages"]}
    assert done.stderr == "next        paste these lines into the bug report\n"


def test_info_shows_no_path(inside: Nnfs) -> None:
    for text in (inside("info").stdout, inside("info", "--json").stdout):
        assert str(Path.home()) not in text
        assert str(Path.cwd()) not in text


@pytest.mark.usefixtures("compiled")
def test_info_tells_where_the_machine_code_is(inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path.home() / "kept"))
    engine = json.loads(inside("info", "--json").stdout)["engine"]
    assert engine == "compiled; its machine code is kept in ~/kept/nnfs/machine-code"
