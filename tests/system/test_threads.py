"""Threads: limited by the config and the size of a product, and recorded."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.system import threads
from nnfs_cli.system.threads import allowed_threads, thread_limit
from nnfs_cli.training.callbacks import Callback, Training
from tests.actors import actors
from tests.conftest import Nnfs

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

CONFIG = """\
dataset: iris
layers: [linear: {width}, relu, linear: {width}, relu, linear: 3]
loss: cross_entropy
lr: 0.1
epochs: 2
"""


@pytest.fixture(autouse=True)
def _libraries() -> None:
    threads._libraries.cache_clear()  # other tests may have loaded more libraries since


def of_blas() -> int:
    """How many threads NumPy's library would use now."""
    return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


def test_blas_has_one_thread_inside_and_what_it_had_before_outside() -> None:
    with threadpool_limits(2, "blas"):
        for limit in (1, 7, None):
            with thread_limit(limit):
                assert of_blas() == 1
            assert of_blas() == 2


def test_a_lower_limit_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 8)
    assert allowed_threads() == 1
    with threadpool_limits(4, "blas"):
        with thread_limit(None):
            assert allowed_threads() == 4
            with thread_limit(3), thread_limit(None), thread_limit(6):
                assert allowed_threads() == 3
            assert allowed_threads() == 4
        with thread_limit(9):
            assert allowed_threads() == 4
    assert allowed_threads() == 1


def test_no_more_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    with threadpool_limits(8, "blas"), thread_limit(5):
        assert allowed_threads() == 2


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_order_of_entering_and_leaving_gives_fair_shares_and_restores_the_limit(data: st.DataObject) -> None:
    cores = data.draw(st.integers(1, 9), label="cores")
    with (
        pytest.MonkeyPatch.context() as patch,
        threadpool_limits(8, "blas"),
        actors(3) as all_actors,
    ):
        patch.setattr(threads, "available_cores", lambda: cores)
        inside: list[tuple[int, int | None, contextlib.AbstractContextManager[None]]] = []
        for _ in range(data.draw(st.integers(1, 12))):
            if inside and data.draw(st.booleans()):
                i, _, block = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
                all_actors[i].leave(block)
            else:
                i, most = data.draw(st.integers(0, 2)), data.draw(st.none() | st.integers(1, 12))
                inside.append((i, most, thread_limit(most)))
                all_actors[i].enter(inside[-1][2])
            assert of_blas() == (1 if inside else 8)
            share = max(1, cores // max(1, len({i for i, _, _ in inside})))
            for i, actor in enumerate(all_actors):
                own = [most or 8 for j, most, _ in inside if j == i]
                assert actor.do(allowed_threads) == (min([share, 8, *own]) if own else 1)
        for i, _, block in inside:
            all_actors[i].leave(block)
        assert of_blas() == 8


class LimitForEachThread(threading.local):
    """A library with a limit for each thread, as OpenBLAS has where OpenMP makes its threads."""

    num_threads = 8

    def set_num_threads(self, n: int) -> None:
        self.num_threads = n


def test_a_library_with_a_limit_for_each_thread_is_limited_in_each_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    library = LimitForEachThread()
    monkeypatch.setattr(threads, "_libraries", lambda: ([library], []))
    with actors(1) as (other,):
        with thread_limit(3):
            assert library.num_threads == 1
            assert other.do(lambda: library.num_threads) == 8
            block = thread_limit(None)
            other.enter(block)
            assert other.do(lambda: library.num_threads) == 1
            with thread_limit(None):
                assert library.num_threads == 1
            other.leave(block)
            assert other.do(lambda: library.num_threads) == 8
        assert library.num_threads == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_keeps_only_the_blocks_of_its_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 8)
    with threadpool_limits(8, "blas"), actors(1) as (other,), thread_limit(5):
        block = thread_limit(1)
        other.enter(block)
        assert allowed_threads() == 4
        child = os.fork()
        if not child:
            os._exit(allowed_threads())  # the other thread is not in this process
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        other.leave(block)
        assert allowed_threads() == 5


def test_importing_the_package_changes_no_limit_and_loads_no_library() -> None:
    code = "import os; before = dict(os.environ); import nnfs_cli.system.threads, sys\n"
    code += "assert dict(os.environ) == before; assert not {'numpy', 'threadpoolctl'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, 8), ({"OPENBLAS_NUM_THREADS": "2"}, 2), ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "x"}, 3)],
)
def test_blas_starts_no_threads_and_the_limit_of_the_variables_stays(variables: dict[str, str], expected: int) -> None:
    code = "import sys; from nnfs_cli.system import threads; threads.prepare_threads()\n"
    code += "assert 'numpy' not in sys.modules; threads.available_cores = lambda: 8; from threadpoolctl import *\n"
    code += "import numpy; print(threadpool_info()[0]['num_threads'])\n"
    code += "with threads.thread_limit(None): print(threads.allowed_threads())\n"
    code += "import os; assert os.environ['OMP_WAIT_POLICY'] == 'passive'"
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | variables
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", str(expected)]


class Watch(Callback):
    """Writes down how many threads there are in each step."""

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()

    def on_step(self, training: Training) -> None:
        self.seen.add((of_blas(), allowed_threads()))


@pytest.mark.parametrize(("overrides", "expected"), [((), 2), (("threads=1",), 1), (("threads=5",), 2)])
def test_training_computes_with_one_thread_of_blas_and_as_many_of_its_own_as_the_config_allows(
    overrides: tuple[str, ...], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    (tmp_path / "c.yaml").write_text(CONFIG.format(width=10))
    with threadpool_limits(2, "blas"):
        experiment = workflows.prepare(Config.load(tmp_path / "c.yaml", overrides))
        watch = Watch()
        workflows.train(experiment, workflows.begin(experiment, tmp_path), [watch])
        assert watch.seen == {(1, expected)}
        assert of_blas() == 2


def test_threads_are_recorded_in_the_environment(nnfs: Nnfs, write: Callable[[str, str], Path]) -> None:
    write("c.yaml", CONFIG.format(width=256))
    done = nnfs("train", "c.yaml", "-q", "--set", "threads=1")
    assert done.returncode == 0, done.stderr
    run = write("x", "").parent / "runs" / "c-1"
    environment = json.loads((run / "environment.json").read_text())
    assert environment["threads"] == 1
    assert environment["cores"] >= 1
    assert "threads: 1" in (run / "spec.yaml").read_text()


@pytest.mark.parametrize("given_", ["0", "-2", "two", "1.5", "true", "[1]"])
def test_a_wrong_number_of_threads_is_refused(given_: str, inside: Nnfs, write: Callable[[str, str], Path]) -> None:
    write("c.yaml", f"{CONFIG.format(width=5)}threads: {given_}\n")
    done = inside("train", "c.yaml")
    assert done.returncode == 2
    assert "c.yaml:6:10: error: " in done.stderr
    assert not (write("x", "").parent / "runs").exists()


def test_evaluating_gives_the_figures_of_training(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG.format(width=300) + "split: {validation: 0.3}\n")
    experiment = workflows.prepare(Config.load(tmp_path / "c.yaml"))
    run = workflows.begin(experiment, tmp_path)
    workflows.train(experiment, run)
    again = workflows.evaluate(run, ["train", "validation"])
    assert again == {part: run.metrics()[part] for part in again}
    assert all(np.isfinite(figures["loss"]) for figures in again.values())
