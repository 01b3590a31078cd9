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
from nnfs_cli.system.threads import SHARE, thread_limit, useful_threads
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


def allowed() -> int:
    """How many NumPy's library would use now."""
    return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


@given(st.integers(1, 10**12), st.none() | st.integers(1, 256))
def test_no_more_threads_than_allowed_nor_than_are_worth_it(multiplications: int, given_: int | None) -> None:
    n = useful_threads(multiplications, given_)
    assert 1 <= n <= (given_ or threads.available_cores())
    assert n == 1 or multiplications > (n - 1) * SHARE


def test_small_products_get_one_thread_and_large_ones_all() -> None:
    assert useful_threads(0, 8) == 1
    assert useful_threads(64 * 30 * 20, 8) == 1
    assert useful_threads(2 * SHARE, 8) == 2
    assert useful_threads(1024**3, 8) == 8
    assert useful_threads(1024**3, None) == threads.available_cores()


def test_threads_are_limited_for_a_while_and_never_more_than_before() -> None:
    with threadpool_limits(2, "blas"):
        with thread_limit(1):
            assert allowed() == 1
        assert allowed() == 2
        with thread_limit(7):
            assert allowed() == 2
        with thread_limit(None):
            assert allowed() == 2


def test_the_limit_from_before_returns_when_threads_leave_in_the_order_in_which_they_entered() -> None:
    with threadpool_limits(2, "blas"), actors(2) as (first, second):
        one, other = thread_limit(1), thread_limit(1)
        first.enter(one)
        second.enter(other)
        first.leave(one)
        assert allowed() == 1
        second.leave(other)
        assert allowed() == 2


def test_threads_share_the_limit_from_before() -> None:
    with threadpool_limits(8, "blas"), actors(3) as (first, second, third):
        blocks = [thread_limit(None), thread_limit(6), thread_limit(3)]
        for actor, block, expected in zip((first, second, third), blocks, (8, 4, 2), strict=True):
            actor.enter(block)
            assert allowed() == expected
        first.leave(blocks[0])
        assert allowed() == 3
        third.leave(blocks[2])
        assert allowed() == 6
        second.leave(blocks[1])
        assert allowed() == 8


def test_blocks_inside_each_other_in_one_thread_count_once() -> None:
    with threadpool_limits(8, "blas"), thread_limit(6):
        with thread_limit(None), thread_limit(4):
            assert allowed() == 4
        assert allowed() == 6


def test_a_lower_limit_that_someone_else_sets_meanwhile_stays() -> None:
    with threadpool_limits(8, "blas"):
        with thread_limit(6):
            with threadpool_limits(2, "blas"), thread_limit(5):
                assert allowed() == 2
            assert allowed() == 6
        assert allowed() == 8


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_order_of_entering_and_leaving_gives_fair_shares_and_restores_the_limit(data: st.DataObject) -> None:
    with threadpool_limits(8, "blas"), actors(3) as all_actors:
        inside: list[tuple[int, int | None, contextlib.AbstractContextManager[None]]] = []
        for _ in range(data.draw(st.integers(1, 12))):
            if inside and data.draw(st.booleans()):
                i, _, block = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
                all_actors[i].leave(block)
            else:
                i, most = data.draw(st.integers(0, 2)), data.draw(st.none() | st.integers(1, 12))
                inside.append((i, most, thread_limit(most)))
                all_actors[i].enter(inside[-1][2])
            share = 8 // max(1, len({i for i, _, _ in inside}))
            assert allowed() == min([share, *(most for _, most, _ in inside if most)])
        for i, _, block in inside:
            all_actors[i].leave(block)
        assert allowed() == 8


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
            assert library.num_threads == 3
            assert other.do(lambda: library.num_threads) == 8
            block = thread_limit(None)
            other.enter(block)
            assert other.do(lambda: library.num_threads) == 4
            with thread_limit(None):
                assert library.num_threads == 3
            other.leave(block)
            assert other.do(lambda: library.num_threads) == 8
        assert library.num_threads == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_keeps_only_the_blocks_of_its_one_thread() -> None:
    with threadpool_limits(8, "blas"), actors(1) as (other,), thread_limit(5):
        block = thread_limit(1)
        other.enter(block)
        child = os.fork()
        if not child:
            os._exit(allowed())  # the other thread is not in this process
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        other.leave(block)
        assert allowed() == 5


def test_importing_the_package_changes_no_limit_and_loads_no_library() -> None:
    code = "import os; before = dict(os.environ); import nnfs_cli.system.threads, sys\n"
    code += "assert dict(os.environ) == before; assert not {'numpy', 'threadpoolctl'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("given_", [None, 0, -1, True, "two", 1.5, [1]])
def test_limiting_threads_ignores_values_that_the_config_refuses(given_: object) -> None:
    code = f"from nnfs_cli.system.threads import limit_blas_threads; limit_blas_threads({given_!r}); import os"
    code += "; print(*(name for name in os.environ if name.endswith('_NUM_THREADS')))"
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_threads_are_limited_before_numpy_is_loaded() -> None:
    code = "import sys; from nnfs_cli.system.threads import limit_blas_threads; limit_blas_threads(1)\n"
    code += "assert 'numpy' not in sys.modules\n"
    code += "import numpy; from threadpoolctl import threadpool_info; print(threadpool_info()[0]['num_threads'])\n"
    code += "import os; before = dict(os.environ); limit_blas_threads(2); assert dict(os.environ) == before"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


class Watch(Callback):
    """Writes down how many threads there are in each step."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def on_step(self, training: Training) -> None:
        self.seen.add(allowed())


@pytest.mark.parametrize(
    ("width", "overrides", "expected"),
    [(10, (), 1), (256, (), 2), (256, ("threads=1",), 1), (256, ("threads=5",), 2), (10, ("threads=2",), 1)],
)
def test_training_has_the_threads_that_its_net_is_worth(
    width: int, overrides: tuple[str, ...], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    (tmp_path / "c.yaml").write_text(CONFIG.format(width=width))
    with threadpool_limits(2, "blas"):
        experiment = workflows.prepare(Config.load(tmp_path / "c.yaml", overrides))
        watch = Watch()
        workflows.train(experiment, workflows.begin(experiment, tmp_path), [watch])
        assert watch.seen == {expected}
        assert allowed() == 2


def test_threads_are_recorded_in_the_environment(nnfs: Nnfs, write: Callable[[str, str], Path]) -> None:
    write("c.yaml", CONFIG.format(width=256))
    done = nnfs("train", "c.yaml", "-q", "--set", "threads=1")
    assert done.returncode == 0, done.stderr
    run = write("x", "").parent / "runs" / "c-1"
    environment = json.loads((run / "environment.json").read_text())
    assert environment["threads"] == 1
    assert environment["cores"] >= 1
    assert environment["variables"]["OPENBLAS_NUM_THREADS"] == "1"
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
