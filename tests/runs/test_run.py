"""Run directories: complete, readable by anyone, never overwritten, and equal for equal configs."""

from __future__ import annotations

import copy
import csv
import gc
import json
import threading
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError, RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.environment import describe_environment
from tests.conftest import ROOT, unsealed, weights_of

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

CONFIG = """\
dataset: iris
split: {validation: 0.2, test: 0.1}
layers: [linear: 8, tanh, dense: {units: 3, activation: softmax}]
loss: cross_entropy
lr: 0.1
epochs: 4
"""


def train(folder: Path, config: str = CONFIG, *overrides: str) -> RunDirectory:
    (folder / "flowers.yaml").write_text(config)
    experiment = workflows.prepare(Config.load(folder / "flowers.yaml", overrides))
    run = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, run)
    return run


def test_what_a_run_leaves(tmp_path: Path) -> None:
    run = train(tmp_path)
    files = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()}
    assert files == {
        "config.yaml",
        "spec.yaml",
        "data.json",
        "environment.json",
        "status.json",
        "epochs.csv",
        "metrics.json",
        "calibration.json",
        "verdict.json",
        "state.npz",
        "background.npz",
        "probes.npz",
        "snapshots.npz",
        "weights/best.npz",
        "weights/last.npz",
        *(f"evaluation/{part}/confusion.csv" for part in ("train", "validation", "test")),
    }
    assert run.path.name == "flowers-1"
    assert (run.path / "config.yaml").read_bytes() == CONFIG.encode()
    assert json.loads((run.path / "status.json").read_text())["state"] == "finished"
    assert json.loads((run.path / "data.json").read_text())["rows"] == {"train": 105, "validation": 30, "test": 15}
    assert {"python", "packages", "blas", "threads", "command", "git_commit"} <= set(
        json.loads((run.path / "environment.json").read_text())
    )


def test_epoch_log_has_a_dense_row_an_epoch(tmp_path: Path) -> None:
    with (train(tmp_path).path / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "step", "seconds", "lr", "train_loss", "val_loss", "val_accuracy"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert all(value for row in rows for value in row.values())


def test_weights_are_plain_arrays_by_name(tmp_path: Path) -> None:
    with np.load(train(tmp_path).path / "weights" / "best.npz", allow_pickle=False) as weights:
        assert {name: weights[name].shape for name in weights} == {
            "0.weight": (4, 8),
            "0.bias": (8,),
            "2.weight": (8, 3),
            "2.bias": (3,),
        }
        assert {weights[name].dtype.name for name in weights} == {"float32"}


def test_weights_are_written_as_numpy_writes_them(tmp_path: Path) -> None:
    arrays = {"0.weight": np.random.default_rng(0).random((3, 4)), "0.bias": np.zeros(4, "f4"), "n": np.array(2)}
    arrays |= {"empty": np.zeros((0, 3)), "whole": np.arange(5)}
    np.savez(tmp_path / "expected.npz", **arrays)
    run = RunDirectory.create(tmp_path, "x")
    run.arrays.write_weights("best", arrays)
    assert (run.path / "weights" / "best.npz").read_bytes() == (tmp_path / "expected.npz").read_bytes()


@pytest.mark.parametrize("every", [1, 10])
def test_epochs_of_a_few_milliseconds_are_not_each_flushed_to_the_disk(
    every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    counts = []
    (tmp_path / "runs").mkdir()
    for epochs in (2, 400):
        synced.clear()
        train(tmp_path, CONFIG, f"epochs={epochs}", f"log_every={every}", "batch_size=full")
        counts.append(len(synced))
    assert counts[0] == counts[1] > 0


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    layers = ", ".join(["{linear: 1}"] * 5_000)
    with pytest.raises(ConfigError, match="too large with every default spelled out: a config has at most"):
        train(tmp_path, f"dataset: iris\nlayers: [{layers}, {{linear: 3}}, softmax]\nloss: cross_entropy\nepochs: 1\n")
    assert not list(tmp_path.glob("runs/*"))


def test_no_absolute_path_is_kept(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,y\n1,2\n2,3\n3,5\n4,4\n5,6\n")
    config = "dataset: {csv: {path: table.csv, target: y}}\nlayers: [linear: 1]\nloss: mse\nepochs: 2\n"
    run = train(tmp_path, config)
    for path in run.path.rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes()


def test_no_absolute_path_of_the_command_line_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/nnfs", "train", str(tmp_path / "c.yaml"), f"--set=x={tmp_path}", "lr=1"])
    monkeypatch.chdir(tmp_path)
    assert describe_environment()["command"] == "nnfs train c.yaml --set=x=. lr=1"


def test_same_config_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = train(tmp_path), train(tmp_path)
    for name in ("best.npz", "last.npz"):
        assert (first.path / "weights" / name).read_bytes() == (second.path / "weights" / name).read_bytes()
    for name in ("config.yaml", "spec.yaml", "data.json", "metrics.json"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()
    assert [row | {"seconds": 0} for row in first.epochs()] == [row | {"seconds": 0} for row in second.epochs()]


def test_another_seed_gives_another_net(tmp_path: Path) -> None:
    first, second = train(tmp_path), train(tmp_path, CONFIG, "seed=1")
    assert (weights_of(first, "last")["0.weight"] != weights_of(second, "last")["0.weight"]).all()


def test_the_resolved_spec_trains_the_same_net(tmp_path: Path) -> None:
    run = train(tmp_path)
    experiment = workflows.prepare(Config.load(run.spec_file))
    again = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, again)
    assert again.path.name == "flowers-2"
    assert (run.path / "weights/last.npz").read_bytes() == (again.path / "weights/last.npz").read_bytes()


def test_a_run_without_figures_says_whether_it_is_still_being_trained(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, "new")
    reader = RunDirectory(run.path)
    with pytest.raises(RunError, match=r"no metrics\.json; it is still being trained by process"):
        reader.metrics()
    run.release()
    with pytest.raises(RunError, match="its training did not get that far"):
        reader.metrics()


def test_metrics_are_those_of_evaluate(tmp_path: Path) -> None:
    run = train(tmp_path)
    figures = workflows.evaluate(run, ["train", "validation", "test"])
    assert {part: run.metrics()[part] for part in figures} == figures
    assert set(workflows.evaluate(run)) == {"validation", "test"}


def test_last_weights_are_those_of_the_last_epoch(tmp_path: Path) -> None:
    run = train(tmp_path)
    figures = workflows.evaluate(run, ["validation"], weights="last")["validation"]
    assert figures["loss"] == pytest.approx(run.epochs()[-1]["val_loss"], rel=1e-6)


def test_numbers_are_taken_once_each(tmp_path: Path) -> None:
    runs: list[str] = []
    threads = [
        threading.Thread(target=lambda: runs.append(RunDirectory.create(tmp_path, "x").path.name)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(runs) == sorted(f"x-{n}" for n in range(1, 21))


def test_the_next_number_is_above_all_there_are(tmp_path: Path) -> None:
    for name in ("x-2", "x-10", "x-007", "y-99", "x-1a"):
        (tmp_path / name).mkdir()
    assert RunDirectory.create(tmp_path, "x").path.name == "x-11"


def test_newest_is_the_one_begun_last(tmp_path: Path) -> None:
    train(tmp_path)
    second = train(tmp_path, CONFIG, "name=a")
    RunDirectory.create(tmp_path / "runs", "empty")
    assert RunDirectory.newest(tmp_path / "runs").path == second.path


@pytest.mark.parametrize("folder", ["missing", "."])
def test_no_run_at_all(tmp_path: Path, folder: str) -> None:
    with pytest.raises(RunError, match="no trained run"):
        RunDirectory.newest(tmp_path / folder)


@pytest.mark.parametrize("name", ["spec.yaml", "data.json", "weights/best.npz"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "nonsense", "another"])
def test_damage_is_refused_in_a_sentence(tmp_path: Path, name: str, damage: str) -> None:
    path = train(tmp_path).path / name
    content = path.read_bytes()
    path.unlink()
    other = {"spec.yaml": b"layers: [relu]\n", "data.json": b'{"fitted": {"features": 3}}'}
    if damage != "missing":
        damaged = {"empty": b"", "cut": content[: len(content) // 2], "nonsense": b"\x00\xff" * 50}
        path.write_bytes(damaged.get(damage, other.get(name, b"PK\x05\x06" + bytes(18))))
    with pytest.raises(RunError, match="flowers-1"):
        workflows.evaluate(RunDirectory.open(path.parents[1] if "weights" in name else path.parent))


@pytest.mark.parametrize("version", [0, 3, None, "2"])
def test_a_run_of_an_unknown_format_is_refused(tmp_path: Path, version: object) -> None:
    run = train(tmp_path)
    data = json.loads((unsealed(run.path) / "data.json").read_text())
    (run.path / "data.json").write_text(json.dumps(data | {"format": version}))
    with pytest.raises(RunError, match=f"has the format {version!r}; this release reads 1 to 2"):
        workflows.predict(run, tmp_path / "any.csv")


OLD_RUNS = json.loads((ROOT / "tests" / "reference" / "runs_of_format_1.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("old", OLD_RUNS.values(), ids=list(OLD_RUNS))
def test_a_run_of_the_first_format_still_serves(tmp_path: Path, old: dict[str, Any]) -> None:
    """What it was, and what the release that made it said: its preprocessing was one step for all inputs."""
    run = RunDirectory.create(tmp_path / "runs", "old")
    (run.path / "spec.yaml").write_text(old["spec.yaml"], encoding="utf-8")
    (run.path / "data.json").write_text(json.dumps(old["data.json"]), encoding="utf-8")
    run.arrays.write_weights("best", {name: np.array(array, np.float32) for name, array in old["weights"].items()})
    run.status_file.set("finished")
    (tmp_path / Config.load(run.spec_file, files_must_exist=False).dataset.path.name).write_text(old["table"])  # type: ignore[attr-defined]
    (tmp_path / "rows.csv").write_text(old["rows"])
    answers = workflows.predict(run, tmp_path / "rows.csv")
    assert list(answers) == list(old["predictions"])
    for name, theirs in old["predictions"].items():
        labels = isinstance(theirs[0], str)
        assert answers[name].tolist() == (theirs if labels else pytest.approx(theirs, rel=1e-6))
    assert workflows.evaluate(run, ["train", "validation"]) == {
        part: pytest.approx(figures, rel=1e-6) for part, figures in old["figures"].items()
    }
    (tmp_path / "all.csv").write_text(old["table"])
    assert workflows.evaluate(run, rows=tmp_path / "all.csv") == {
        "input": pytest.approx(old["figures of a file"]["input"], rel=1e-6)
    }


@pytest.mark.parametrize("key", ["sha256", "inputs", "fitted"])
def test_a_record_of_the_data_that_lacks_something_is_refused(tmp_path: Path, key: str) -> None:
    run = train(tmp_path)
    data = json.loads((unsealed(run.path) / "data.json").read_text())
    del data[key]
    (run.path / "data.json").write_text(json.dumps(data))
    with pytest.raises(RunError, match=f"is damaged: its data.json lacks '{key}'"):
        workflows.evaluate(run)


def test_changed_data_is_noticed(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(20)))
    run = train(tmp_path, "dataset: {csv: {path: table.csv, target: y}}\nlayers: [linear: 1]\nloss: mse\nepochs: 2\n")
    assert set(workflows.evaluate(run)) == {"validation"}
    table.write_text(table.read_text() + "20,40\n")
    with pytest.raises(DataError, match=r"table.csv has changed since .*flowers-1 was trained"):
        workflows.evaluate(run)
    assert workflows.evaluate(run, rows=table)["input"]["rows"] == 21


def test_runs_move(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(20)))
    run = train(tmp_path, "dataset: {csv: {path: table.csv, target: y}}\nlayers: [linear: 1]\nloss: mse\nepochs: 2\n")
    here = workflows.predict(run, tmp_path / "table.csv")["prediction"]
    moved = run.path.rename(tmp_path / "elsewhere")
    np.testing.assert_array_equal(
        workflows.predict(RunDirectory.open(moved), tmp_path / "table.csv")["prediction"], here
    )


def test_a_copy_of_a_run_has_the_same_path_and_no_lock(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "runs", "a")
    for way in (copy.copy, copy.deepcopy, lambda run: ForkingPickler.loads(ForkingPickler.dumps(run))):
        other = way(run)
        assert other.path == run.path
        del other  # this does not release the lock
        gc.collect()
        with pytest.raises(BlockingIOError):
            RunDirectory(run.path).lock()
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(run._lock)
    run.release()
