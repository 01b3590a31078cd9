"""Runs of the compiled engine: recorded, resumed to the byte, and refused in one sentence where it cannot go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from tests.conftest import Nnfs, unsealed
from tests.twins import Leaving, record

pytestmark = [
    pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning"),
    pytest.mark.usefixtures("compiled"),
]

# Ends with the modules of Numba that were imported, which take longer than a short training.
COMMAND = """\
import sys
from nnfs_cli.__main__ import main
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
Checkpoint.seconds_between_writes, Checkpoint.share = 0.02, 1.0
try:
    main()
finally:
    print("numba" in sys.modules)
"""
SMALL = {
    "dataset": "iris",
    "layers": [{"linear": 6}, "relu", {"linear": 3}],
    "loss": "cross_entropy",
    "lr": 0.01,
    "epochs": 3,
}
OWN = """\
from nnfs_cli import ReLU

class Mine(ReLU, name="mine"):
    "A relu of the user's own."
"""


def config(folder: Path, **changes: Any) -> Path:
    """A config file."""
    path = folder / "config.yaml"
    settings = {key: value for key, value in {**SMALL, **changes}.items() if value is not None}
    path.write_text(dump(settings))
    return path


def command(folder: Path, *words: object, **variables: str) -> subprocess.Popen[str]:
    """The command, which says at the end whether it has imported Numba."""
    environment = {**os.environ, **variables}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, words), "--no-report"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def engine_of(run: Path) -> str:
    """The engine that a run records."""
    return str(yaml.safe_load((run / "spec.yaml").read_text())["engine"])


@pytest.mark.slow
def test_only_the_first_run_of_a_machine_compiles_and_says_so(tmp_path: Path) -> None:
    """The first of these trainings has a cache of its own, with the kernels of a short net."""
    path = config(tmp_path, layers=[{"linear": 3}], optimizer="sgd", dtype="float64")
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    found = []
    for _ in range(2):
        process = command(tmp_path, "train", path.name, XDG_CACHE_HOME=str(cache))
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        found.append(("compiling" in stderr, stdout.splitlines()[-1]))
    assert found == [(True, "True"), (False, "False")]
    assert [engine_of(run) for run in sorted((tmp_path / "runs").iterdir())] == ["compiled"] * 2


def test_a_run_of_another_machine_says_that_it_needs_numba(
    tmp_path: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path)
    experiment = workflows.prepare(Config.load(path))
    run = workflows.begin(experiment, tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        workflows.train(experiment, run, [Leaving(4)])
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    done = inside("resume", run.path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{run.path / 'spec.yaml'}:")
    assert done.stderr.count("error") == 1
    assert "NUMBA_DISABLE_JIT switches Numba off" in done.stderr
    monkeypatch.delenv("NUMBA_DISABLE_JIT")
    assert inside("resume", run.path).returncode == 0
    assert engine_of(run.path) == "compiled"
    assert inside("evaluate", run.path).returncode == 0


def test_a_numba_that_cannot_be_imported_is_named(
    tmp_path: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnfs_cli.system.machine_code import cache, loader

    monkeypatch.setattr(loader, "_addresses", {})
    monkeypatch.setattr(cache, "read", lambda name: None)
    monkeypatch.setitem(sys.modules, "nnfs_cli.system.machine_code.compiler", None)
    done = inside("train", config(tmp_path), "-q")
    assert done.returncode == 2
    assert "Numba cannot be imported" in done.stderr
    assert "engine: numpy" in done.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"layers": ["mine", {"linear": 3}]}, "it has no compiled form of the layer mine"),
        pytest.param(
            {"optimizer": "lbfgs", "lr": None}, "it has no compiled form of the optimizer lbfgs", marks=pytest.mark.slow
        ),
    ],
)
def test_a_part_without_a_twin_is_named_at_the_key_and_trained_by_numpy(
    changes: dict[str, Any], reason: str, tmp_path: Path, nnfs: Nnfs
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    path = config(tmp_path, engine="compiled", **changes)
    done = nnfs("train", path.name, "--code", "own.py")
    assert done.returncode == 2
    at = path.read_text().splitlines().index("engine: compiled") + 1
    assert done.stderr.startswith(f"config.yaml:{at}:")
    assert f"the compiled engine cannot train this net: {reason}" in done.stderr
    assert not (tmp_path / "runs").exists()
    config(tmp_path, **changes)
    assert nnfs("train", path.name, "--code", "own.py").returncode == 0
    assert engine_of(tmp_path / "runs" / "config-1") == "numpy"


def test_a_run_of_an_earlier_release_goes_on_with_numpy(tmp_path: Path, inside: Nnfs) -> None:
    records = []
    for name in ("whole", "resumed"):
        experiment = workflows.prepare(Config.load(config(tmp_path, name=name, engine="numpy")))
        run = workflows.begin(experiment, tmp_path / name)
        spec = run.path / "spec.yaml"
        spec.write_text("".join(line for line in spec.read_text().splitlines(True) if not line.startswith("engine")))
        if name == "resumed":
            with pytest.raises(KeyboardInterrupt):
                workflows.train(experiment, run, [Leaving(5)])
            assert inside("resume", unsealed(run.path)).returncode == 0
        else:
            workflows.train(experiment, run)
        records.append(record(run.path))
    assert records[0]["weights/last.npz"] == records[1]["weights/last.npz"]


LARGE: dict[str, dict[str, Any]] = {
    "adam": {"layers": [{"linear": 40}, "batch_norm", "relu", {"dropout": 0.3}, {"linear": 3}], "optimizer": "adam"},
    "members": {"members": 3, "averaging": {"ema": 0.99}, "optimizer": "nadam", "dtype": "float64"},
    "accumulate": {"accumulate": 2, "batch_size": 8, "averaging": {"swa": 0.5}, "optimizer": {"sgd": 0.9}},
}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are those of Unix")
@pytest.mark.parametrize("changes", LARGE.values(), ids=LARGE)
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(changes: dict[str, Any], tmp_path: Path) -> None:
    path = config(tmp_path, epochs=1_500, **changes)
    for _ in range(2):  # the first may have to compile
        began = time.monotonic()
        whole = command(tmp_path, "train", path.name, "--runs", "whole", "-q")
        _, stderr = whole.communicate(timeout=200)
        assert whole.returncode == 0, stderr
    seconds, rng = time.monotonic() - began, np.random.default_rng(7)
    killed = 0
    process = command(tmp_path, "train", path.name, "-q")
    while True:
        try:
            process.wait(rng.uniform(0.2, 0.6) * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
            seconds *= 1.2  # on a machine that has become busy, it would never get to its next checkpoint
        _, stderr = process.communicate(timeout=200)
        assert "Traceback" not in stderr
        if process.returncode == 0:
            break
        begun = [spec.parent for spec in (tmp_path / "runs").glob("*/spec.yaml")]
        process = command(tmp_path, *(["resume", *begun] if begun else ["train", path.name]), "-q")
    assert killed
    (run,) = (tmp_path / "runs").glob("*/spec.yaml")
    found, want = record(run.parent), record(tmp_path / "whole" / "config-1")
    different = [name for name in want if found.get(name) != want[name]]
    assert not different
