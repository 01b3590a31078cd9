"""What every test may use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("nnfs", deadline=None, derandomize=True, database=None)  # the machine may be busy
settings.load_profile("nnfs")

ROOT = Path(__file__).parent.parent
CONFIGS = ROOT / "configs"

Nnfs = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def nnfs(tmp_path: Path) -> Nnfs:
    """Run the command in an empty folder of its own, as a user would: nnfs("train", "config.yaml")."""

    def run(*words: object, cwd: Path = tmp_path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nnfs_cli", *map(str, words)]
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
