"""Trainings in several threads or processes at once give the bytes that one after another would give."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import yaml
from threadpoolctl import threadpool_info

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.workflows import CrossValidation

SETTINGS: dict[str, Any] = {
    "dataset": "iris",
    "split": {"validation": 0.2, "test": 0.2},
    "preprocessing": ["quantile", "clip"],
    "layers": [{"linear": 8}, "batch_norm", {"dropout": 0.2}, "tanh", {"linear": 3}],
    "loss": "cross_entropy",
    "metrics": ["accuracy", "roc_auc"],
    "early_stopping": 20,
    "callbacks": [{"stop_at": 1e-9}],
    "schedule": "cosine",
    "averaging": {"ema": 0.9},
    "epochs": 12,
}
SAME = ("spec.yaml", "data.json", "metrics.json", "weights/best.npz", "weights/last.npz")


@pytest.fixture(autouse=True)
def process_stays_as_it_was() -> Iterator[None]:
    for module in ("sklearn", "scipy.linalg"):  # the first import adds filters and a BLAS library
        pytest.importorskip(module)

    def state() -> tuple[object, ...]:
        blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        return blas, list(warnings.filters), np.geterr()

    before = state()
    yield
    assert state() == before


def config(folder: Path, seed: int, **changes: Any) -> Config:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump({**SETTINGS, **changes}))
    return workflows.load(path, [f"seed={seed}"])


class Together(Callback):
    """Lets no training begin its next epoch before all others have ended theirs."""

    def __init__(self, place: threading.Barrier) -> None:
        self.place = place

    def on_epoch(self, training: Training) -> None:
        self.place.wait(timeout=60)


def trained(config: Config, folder: Path, *callbacks: Callback) -> RunDirectory:
    experiment = workflows.prepare(config)
    run = workflows.begin(experiment, folder)
    workflows.train(experiment, run, callbacks)
    return run


def contents(run: RunDirectory) -> dict[str, bytes]:
    return {name: (run.path / name).read_bytes() for name in SAME if (run.path / name).exists()}


def test_trainings_in_threads_write_the_bytes_that_they_write_alone(tmp_path: Path) -> None:
    configs = [config(tmp_path, seed) for seed in range(4)]
    alone = [contents(trained(one, tmp_path / "alone" / "x")) for one in configs]
    together = Together(threading.Barrier(4))
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda one: trained(one, tmp_path / "together" / "x", together), configs))
    assert {run.path.name for run in runs} == {"c-1", "c-2", "c-3", "c-4"}
    for before, run in zip(alone, runs, strict=True):
        assert run.status()["state"] == "finished"
        assert before.keys() == contents(run).keys() >= {"weights/best.npz", "metrics.json"}
        for name, content in contents(run).items():
            assert content == before[name], name


def test_cross_validations_in_threads_give_the_same_figures(tmp_path: Path) -> None:
    configs = [config(tmp_path, seed) for seed in range(2)]
    place = threading.Barrier(2)

    def found(one: Config, report: Callable[..., object]) -> CrossValidation:
        return workflows.cross_validate({"a": one}, folds=3, report=report)

    alone = [found(one, lambda *_: None) for one in configs]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda one: found(one, lambda *_: place.wait(timeout=60)), configs))
    for before, now in zip(alone, together, strict=True):
        assert now.figures == before.figures
        for name, column in before.predictions.items():
            assert np.array_equal(now.predictions[name], column)


def test_a_run_that_one_thread_writes_is_refused_to_another(tmp_path: Path) -> None:
    run = workflows.begin(workflows.prepare(config(tmp_path, 0)), tmp_path / "runs")
    with ThreadPoolExecutor(1) as pool, pytest.raises(BlockingIOError, match="is being written by process"):
        pool.submit(RunDirectory.open(run.path).lock).result()
    run.release()


def figures_of(seed: int, folder: str, **changes: Any) -> dict[str, bytes]:
    """What a plain function would do for `joblib.Parallel`."""
    place = Path(folder, str(seed))
    place.mkdir(parents=True)
    return contents(trained(config(place, seed, **changes), place / "runs"))


def in_parallel(folder: Path, how: dict[str, Any], **changes: Any) -> list[dict[str, bytes]]:
    train = joblib.delayed(figures_of)
    found: list[dict[str, bytes]] = joblib.Parallel(**how)(train(seed, str(folder), **changes) for seed in range(4))
    return found


def test_joblib_trains_to_the_same_bytes_in_threads(tmp_path: Path) -> None:
    alone = in_parallel(tmp_path / "a", {"n_jobs": 1})
    assert in_parallel(tmp_path / "b", {"n_jobs": 2, "prefer": "threads"}) == alone


@pytest.mark.slow
def test_joblib_trains_to_the_same_bytes_in_processes(tmp_path: Path) -> None:
    alone = in_parallel(tmp_path / "a", {"n_jobs": 1})
    assert in_parallel(tmp_path / "b", {"n_jobs": 2}) == alone


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # the net may overfit
def test_large_nets_in_several_threads_take_no_more_threads_than_there_are_cores(tmp_path: Path) -> None:
    wide = {"layers": [{"linear": 600}, "relu", {"linear": 600}, "relu", {"linear": 3}], "batch_size": "full"}

    def seconds(how: dict[str, Any], name: str) -> float:
        start = time.process_time()
        in_parallel(tmp_path / name, how, **wide, epochs=40)
        return time.process_time() - start

    alone = min(seconds({"n_jobs": 1}, f"a{i}") for i in range(3))
    assert min(seconds({"n_jobs": 4, "prefer": "threads"}, f"b{i}") for i in range(3)) < 1.3 * alone
