"""Folds on several cores: the bytes of one process, whatever the config holds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli import cross_validate as from_python
from nnfs_cli import workflows
from nnfs_cli.components.user_code import load_code
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DivergedError
from nnfs_cli.system import map_tasks as mapping
from nnfs_cli.system import threads
from nnfs_cli.training.callbacks import NamedCallback
from nnfs_cli.workflows import CrossValidation
from tests.components.registry import components_restored

ROOT = Path(__file__).parents[2]
NET: dict[str, Any] = {
    "layers": [{"linear": 6}, {"dropout": 0.2}, "tanh", {"linear": 3}],
    "loss": "cross_entropy",
    "preprocessing": {
        "numbers": ["quantile", "clip"],
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
    },
    "optimizer": "adam",
    "epochs": 3,
    "split": {"validation": 0.2, "test": 0.2},
}
OWN = """
from nnfs_cli import ReLU
from nnfs_cli.metrics import Metric

class Mine(ReLU, name="mine"):
    pass
"""


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Start workers at once, and have them do at least one of the tasks; note how many tasks they did."""
    done: list[int] = []
    here = mapping._Tasks._run_here

    def wait_first(tasks: mapping._Tasks[Any, Any], i: int) -> Any:
        with tasks._changed:
            tasks._changed.wait_for(lambda: tasks._outcomes or not any(map(_alive, tasks._threads)), 60)
            done.append(len(tasks._outcomes))
        return here(tasks, i)

    monkeypatch.setattr(mapping, "START", 0.0)
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    monkeypatch.setattr(threads._limits, "most", 0)  # whatever limit the tests have
    monkeypatch.setattr(mapping._Tasks, "_run_here", wait_first)
    with components_restored():
        yield done


def _alive(thread: Any) -> bool:
    return bool(thread.is_alive())


def table(folder: Path, rows: int = 90) -> Path:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, rows))
    kinds = rng.choice([*"xyz"], rows)
    lines = [
        f"{a[i]:.3f},{b[i]:.3f},{kinds[i]},g{i // 10},2020-01-{1 + i // 4:02},{1 + i % 2},c{i * 7 % 3}"
        for i in range(rows)
    ]
    path = folder / "t.csv"
    path.write_text("\n".join(["a,b,kind,group,day,weight,label", *lines]) + "\n")
    return path


def config(folder: Path, name: str, cores: int, **changes: Any) -> Config:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**NET, **changes, "threads": cores}))
    return workflows.load(path)


def same(one: CrossValidation, other: CrossValidation) -> bool:
    columns = zip(one.predictions.items(), other.predictions.items(), strict=True)
    return (one.figures, one.weights, one.metrics) == (other.figures, other.weights, other.metrics) and all(
        a == b and x.dtype == y.dtype and x.tolist() == y.tolist() for (a, x), (b, y) in columns
    )


def test_two_processes_give_the_bytes_of_one(tmp_path: Path, eager: list[int]) -> None:
    """Configs of several kinds on the same rows, one with a layer of the user's own."""
    table(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    load_code(tmp_path / "own.py")
    data = {"csv": {"path": "t.csv", "target": "label", "drop": ["group", "weight"]}}
    weighted = {"csv": {"path": "t.csv", "target": "label", "weight": "weight", "drop": ["group"]}}
    changes: dict[str, dict[str, Any]] = {
        "members": {"dataset": data, "members": 3, "holdout": "fold", "split": {"test": 0.2}},
        "weighted": {"dataset": weighted, "class_weights": "balanced", "batch_size": "full"},
        "own": {
            "dataset": data,
            "layers": [{"linear": 4}, "batch_norm", "mine", {"linear": 3}],
            "averaging": {"ema": 0.9},
        },
    }
    order: list[tuple[str, int, int]] = []
    found = [
        workflows.cross_validate(
            {name: config(tmp_path, name, cores, **values) for name, values in changes.items()},
            2,
            report=lambda *fold: order.append(fold[:3]),
        )
        for cores in (1, 2)
    ]
    assert max(eager[6:]) > 0  # a worker has done some of them
    assert order[:6] == order[6:]
    assert same(*found)


@st.composite
def changes_of(draw: st.DrawFn) -> dict[str, Any]:
    """Changes to NET of many kinds."""
    regression = draw(st.booleans())
    optimizer = draw(st.sampled_from(["sgd", "adam", "rmsprop", "lbfgs"]))
    hidden = (
        [{"linear": 5}, "batch_norm", "relu", {"dropout": 0.1}] if optimizer != "lbfgs" else [{"linear": 5}, "tanh"]
    )
    found: dict[str, Any] = {
        "dataset": {"csv": {"path": "t.csv", "target": "b" if regression else "label"}},
        "loss": "mse" if regression else "cross_entropy",
        "layers": [*hidden, {"linear": 1 if regression else 3}],
        "split": {"test": 0.2, **draw(st.sampled_from([{}, {"group": "group"}, {"time": "day"}]))},
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "optimizer": optimizer,
    }
    if optimizer != "lbfgs":
        found["members"] = draw(st.integers(1, 4))
        found["batch_size"] = draw(st.sampled_from([16, "full"]))
        if found["members"] > 1 and "time" not in found["split"] and draw(st.booleans()):
            found |= {"holdout": "fold", "layers": [hidden[0], "relu", found["layers"][-1]]}
    return found


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes_of())
def test_any_config_gives_the_same_bytes(tmp_path: Path, eager: list[int], changes: dict[str, Any]) -> None:
    table(tmp_path)
    repeats = 1 if "time" in changes["split"] else 2
    found = [workflows.cross_validate({"a": config(tmp_path, "a", cores, **changes)}, 3, repeats) for cores in (1, 2)]
    assert same(*found)


@pytest.mark.slow
def test_a_training_that_diverges_elsewhere_is_the_same_error(tmp_path: Path, eager: list[int]) -> None:
    table(tmp_path)
    changes = {
        "dataset": {"csv": {"path": "t.csv", "target": "b"}},
        "loss": "mse",
        "layers": [{"linear": 1}],
        "lr": 1e30,
    }
    texts = []
    for cores in (1, 2):
        with pytest.raises(DivergedError) as raised:
            workflows.cross_validate({"a": config(tmp_path, "a", cores, **changes, optimizer="sgd")}, 3)
        texts.append(str(raised.value))
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_a_table_of_pandas_is_sent_without_its_library(eager: list[int]) -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": rng.normal(size=60), "b": list("xyz") * 20, "y": rng.normal(size=60)})
    settings: dict[str, Any] = {"dataset": {"table": "y"}, "layers": [{"linear": 1}], "loss": "mse", "epochs": 2}
    settings["preprocessing"] = {"categories": "one_hot"}
    one, two = (from_python(settings, frame, folds=3, threads=cores) for cores in (1, 2))
    assert max(eager[3:]) > 0
    assert one.estimates() == two.estimates()


def test_the_users_own_callbacks_see_every_fold_in_this_process(tmp_path: Path, eager: list[int]) -> None:
    seen: list[int] = []

    class Watch(NamedCallback, name="watch_folds"):
        def on_epoch(self, training: Any) -> None:
            seen.append(os.getpid())

    data = {"csv": {"path": table(tmp_path).name, "target": "label"}}
    one = config(tmp_path, "a", 2, dataset=data, epochs=1, callbacks=["watch_folds"])
    workflows.cross_validate({"a": one}, 3)
    assert seen == [os.getpid()] * 3


SCRIPT = """
from nnfs_cli import cross_validate
from nnfs_cli.system import map_tasks

map_tasks.START = 0
print("start")
found = cross_validate("configs/iris.yaml", folds=3, epochs=300, threads=2)
print(found.rows)
"""


@pytest.mark.slow
def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    options: dict[str, Any] = {"cwd": ROOT, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "capture_output": True}
    done = subprocess.run([sys.executable, tmp_path / "script.py"], **options, text=True, check=False)
    assert (done.stdout, done.stderr) == ("start\n105\n", "")


@pytest.mark.slow
@pytest.mark.skipif(threads.available_cores() < 2, reason="one core does all")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_says_one_word_and_leaves_no_process(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "nnfs_cli", "cv", ROOT / "configs/iris.yaml", "--quiet"]
    command += ["--set", "epochs=100000", "--set", "threads=2"]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(command, **options, text=True) as process:
        while not (workers := _children(process.pid)):
            time.sleep(0.05)
        os.killpg(process.pid, number)  # as a terminal does
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, "", "interrupted\n")
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> list[int]:
    """The processes that a process has started, by any of its threads."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found
