"""A net that does not fit in memory is refused at its largest layer, before anything is allocated."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nnfs_cli.config import cross_checks
from nnfs_cli.experiment import experiment
from tests.conftest import Nnfs

CONFIG = """\
dataset: {data}
layers:
  - linear: 1000000
  - linear: 10000000
  - linear: 3
loss: cross_entropy
epochs: 1
"""


def config(folder: Path, data: str = "iris", text: str = CONFIG) -> Path:
    path = folder / "large.yaml"
    path.write_text(text.replace("{data}", data), encoding="utf-8")
    return path


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only error of a command that ended with exit code 2."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("error: ") == 1
    return done.stderr


@pytest.mark.parametrize("command", ["train", "check"])
def test_a_known_dataset(command: str, tmp_path: Path, inside: Nnfs) -> None:
    message = refusal(inside(command, config(tmp_path)))
    assert "large.yaml:4:5: error: the net does not fit in memory" in message
    assert "10,000,045,000,003 parameters" in message
    assert "80,000.4 GB" in message
    assert "this layer has 10,000,010,000,000 parameters" in message
    assert not (tmp_path / "runs").exists()


def test_a_file(tmp_path: Path, inside: Nnfs) -> None:
    rows = "".join(f"{i},{i % 7},{'abc'[i % 3]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"a,b,c\n{rows}", encoding="utf-8")
    message = refusal(inside("train", config(tmp_path, "{csv: {path: t.csv, target: c}}")))
    assert "large.yaml:4:5: error: the net does not fit in memory" in message


def test_members_and_dtype_count(tmp_path: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CONFIG.replace("1000000\n  - linear: 10000000", "100")  # 803 parameters
    path = config(tmp_path, text=text)
    monkeypatch.setattr(cross_checks, "physical_memory", lambda: 2 * 803 * 4)
    assert inside("check", path).returncode == 0
    for override, words in {
        "dtype=float64": ("803 parameters", "this layer has 500 parameters\n"),
        "members=2": ("1,606 parameters", "500 parameters in each of 2 members"),
    }.items():
        message = refusal(inside("check", path, "--set", override))
        assert all(word in message for word in ("large.yaml:3:5: error: the net does not fit", *words)), message


def test_memory_that_the_system_refuses(tmp_path: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(experiment, "Predictor", refuse)
    message = refusal(inside("train", config(tmp_path, text=CONFIG.replace("000000", "0"))))
    assert "large.yaml:4:5: error: the net does not fit in memory" in message
