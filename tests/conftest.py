"""Fixtures and helpers for all tests."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import typer.testing
from hypothesis import settings
from typer.testing import CliRunner

from nnfs_cli.cli import app
from nnfs_cli.runs.directory import RunDirectory
from tests.command import once

EXAMPLES = int(os.environ.get("NNFS_EXAMPLES", "30"))  # of a property, unless it asks for another number
settings.register_profile(
    "nnfs", deadline=None, derandomize=True, database=None, max_examples=EXAMPLES
)  # the machine may be busy
settings.load_profile("nnfs")

# As the command does: there is little garbage, and each search for it would look at all tests.
gc.set_threshold(200_000, 20, 100)
os.environ["NUMBA_DISABLE_JIT"] = "1"  # trainings use the NumPy engine unless a test asks for the compiled one

typer.testing._get_command = once  # of `CliRunner`

pytest_plugins = ["tests.browser", "tests.servers"]

ROOT = Path(__file__).parent.parent
CONFIGS = ROOT / "configs"

Nnfs = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files with the longest tests first, so that no worker is left with one of them at the end."""
    longest = ("test_survival", "test_hostile_files", "test_disk_faults", "test_calibration")
    items.sort(key=lambda item: item.path.stem not in longest)


@pytest.fixture(autouse=True, scope="session")
def _unflushed() -> Iterator[None]:
    """Do not wait for the real disk: what a loss of power costs is tested on a simulated one (tests/disk.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def _words(words: Sequence[object], report: bool) -> list[str]:
    left_out = ["--no-report"] if words[:1] in (("train",), ("resume",)) and not report else []
    return [*map(str, words), *left_out]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trainings of this test, and of the processes that it starts, use the compiled engine."""
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)


@pytest.fixture(params=["numpy", pytest.param("compiled", marks=pytest.mark.slow)])
def each_engine(request: pytest.FixtureRequest) -> str:
    """Run the test with the NumPy engine and, as a slow test, with the compiled engine where it knows the net."""
    if request.param == "compiled":
        request.getfixturevalue("compiled")
    return str(request.param)


@pytest.fixture(autouse=True, scope="session")
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile each kernel once in a run of the tests, and leave the user's cache alone."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base  # that of all workers
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        yield


@pytest.fixture
def nnfs(tmp_path: Path) -> Nnfs:
    """Run the command in a process of its own, in an empty folder: nnfs("train", "config.yaml").

    Trainings leave out their report, which would take longer than they do, unless it is asked for.
    """

    def run(
        *words: object, cwd: Path = tmp_path, report: bool = False, **options: object
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nnfs_cli", *_words(words, report)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False, **options)  # type: ignore[call-overload]

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file into the test's folder and return its path."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nnfs]:
    """Run the command in this process, which is faster than `nnfs`; undo its global settings afterwards."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*words: object, cwd: Path = tmp_path, report: bool = False) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        result = CliRunner().invoke(app, _words(words, report), prog_name="nnfs")
        assert isinstance(result.exception, SystemExit | None)
        return subprocess.CompletedProcess(words, result.exit_code, result.stdout, result.stderr)

    with warnings.catch_warnings():
        yield run
    signal.signal(signal.SIGTERM, handler)


def weights_of(run: RunDirectory, which: str) -> dict[str, np.ndarray]:
    """Return the saved parameters by name."""
    with np.load(run.path / "weights" / f"{which}.npz", allow_pickle=False) as archive:
        return dict(archive)


def unsealed(run: Path) -> Path:
    """Remove the digests of the files from a run, as if it were still being trained, and return its path."""
    status = json.loads((run / "status.json").read_text(encoding="utf-8"))
    (run / "status.json").write_text(json.dumps({**status, "sha256": {}}), encoding="utf-8")
    return run


def one_message(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the only line on stderr of a command that failed with this exit code and printed nothing else."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    return done.stderr
