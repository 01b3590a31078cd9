"""Tasks on all cores: the results, errors and warnings of one process, and no process that is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from nnfs_cli.errors import NnfsWarning
from nnfs_cli.system import map_tasks as mapping
from nnfs_cli.system.map_tasks import map_tasks
from tests.system import tasks
from tests.system.tasks import Place

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(mapping, "START", 0.0)
    folder = tmp_path / "processes"
    folder.mkdir()
    yield Place(os.getpid(), folder)
    assert not [pid for pid in running(folder) if pid != os.getpid()]


def running(folder: Path) -> list[int]:
    """The processes that have left a file and are still there."""
    found = []
    for file in folder.iterdir():
        try:
            os.kill(int(file.name), 0)
        except ProcessLookupError:
            continue
        found.append(int(file.name))
    return found


def test_results_of_several_processes_come_in_order_with_all_warnings(place: Place) -> None:
    with pytest.warns(NnfsWarning) as warned:
        squares, workers = zip(*map_tasks(partial(tasks.square, place), range(6), 3), strict=True)
    assert squares == (0, 1, 4, 9, 16, 25)
    assert set(workers) == {False, True}
    odd = [str(one.message) for one in warned if "odd" in str(one.message)]
    assert sorted(odd) == ["1 is odd", "3 is odd", "5 is odd"]


@pytest.mark.parametrize("bad", [1, pytest.param(0, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_an_error_is_raised_whole_and_after_the_results_before_it(place: Place, bad: int) -> None:
    results = map_tasks(partial(tasks.fails_at, bad, place), range(6), 2)
    assert [next(results) for _ in range(bad)] == list(range(bad))
    with pytest.raises(tasks.OddError, match=f"{bad} failed and that is all") as raised:
        next(results)
    raised.value.file.close()


def test_a_worker_that_is_killed_is_one_clear_error(place: Place) -> None:
    with pytest.raises(ChildProcessError, match="a worker process was killed by SIGKILL, perhaps for lack of memory"):
        list(map_tasks(partial(tasks.dies, place), range(4), 2))


def test_what_cannot_be_sent_stays_in_this_process(place: Place) -> None:
    with open(os.devnull) as file:
        assert list(map_tasks(lambda x: (x, file.fileno()), [1, 2], 2)) == [(1, file.fileno()), (2, file.fileno())]


def test_short_work_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert list(map_tasks(abs, range(-100, 0), 4)) == list(range(100, 0, -1))


SCRIPT = """
import os, sys
from functools import partial
from pathlib import Path
from nnfs_cli.system import map_tasks as mapping
from tests.system import tasks

print("the script runs")
mapping.START = 0
for _ in mapping.map_tasks(partial(tasks.waits, tasks.Place(os.getpid(), Path(sys.argv[1]))), range(9), 3):
    pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_script_that_started_them(place: Place, tmp_path: Path, number: signal.Signals) -> None:
    """A script without a guard for `__main__`, which must not run again in its workers."""
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(place.folder)]
    options = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}, "start_new_session": True, "text": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:  # type: ignore[call-overload]
        try:
            while len(list(place.folder.iterdir())) < 3 and process.poll() is None:
                time.sleep(0.02)
            workers = [pid for pid in running(place.folder) if pid != process.pid]
            assert len(workers) == 2
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # as a terminal does
            else:
                process.kill()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()  # else a test that fails here would wait for it forever
    assert out == "the script runs\n"
    assert process.returncode == -number
    assert err.count("Traceback") == (number == signal.SIGINT)
    deadline = time.monotonic() + 30
    while running(place.folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(place.folder)
