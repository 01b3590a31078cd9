"""A search whose workers and whose own process are killed ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnfs_cli.runs.directory import RunDirectory
from tests.tuning.searches import CONFIG, drawn_and_scored, study_of, write_config

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it sends SIGKILL")


def workers_of(pid: int) -> list[int]:
    """Return the processes that the threads of a search have started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def ended(search: Path) -> int:
    """Return how many trials have ended so far."""
    try:
        return sum(one.state.is_finished() for one in study_of(search).get_trials(deepcopy=False))
    except (OSError, ValueError, KeyError):
        return 0


def start(*words: object, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nnfs_cli", "tune", *map(str, words), "--quiet"]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed_now(pid: int) -> bool:
    """Kill a process, and return whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_trials_and_the_search_itself_are_killed(tmp_path: Path, sampler: str) -> None:
    """60 trials; workers are killed at random, and the search itself twice."""
    n, workers = 60, 2 if sampler == "random" else 1
    config, search = write_config(tmp_path, CONFIG), tmp_path / "runs" / "flowers-tune-1"
    undisturbed = start(config, "--trials", n, "--workers", 1, "--sampler", sampler, "--runs", "calm", cwd=tmp_path)
    rng = random.Random(7)  # noqa: S311
    killed = kills = 0
    process = start(config, "--trials", n, "--workers", workers, "--sampler", sampler, cwd=tmp_path)
    deaths = sorted(rng.sample(range(n - 1), 15))
    for part in (n // 3, 2 * n // 3, n + 1):
        while process.poll() is None and (done := ended(search)) < part:
            if deaths and done >= deaths[0] and (running := workers_of(process.pid)):
                time.sleep(rng.uniform(0, 0.4))
                kills += killed_now(rng.choice(running))
                deaths.pop(0)
            time.sleep(0.02)
        if part <= n:
            assert process.poll() is None
            process.kill()
            process.communicate()
            killed += 1
            process = start(search, "--workers", workers, cwd=tmp_path)
    _, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert (killed, kills > 5) == (2, True)
    assert undisturbed.communicate()[0] != ""
    disturbed, calm = drawn_and_scored(search), drawn_and_scored(tmp_path / "calm" / "flowers-tune-1")
    assert [state for state, _, _ in disturbed] == ["COMPLETE"] * n
    assert disturbed == calm
    assert study_of(search).best_trial.number == study_of(tmp_path / "calm" / "flowers-tune-1").best_trial.number
    folders = {path.name for path in search.iterdir() if path.is_dir()}
    assert folders == {f"trial-{i + 1}" for i in range(n)}
    for i in range(n):
        assert RunDirectory.open(search / f"trial-{i + 1}").status()["state"] == "finished"
    assert (search / "best.yaml").read_text() == (tmp_path / "calm" / "flowers-tune-1" / "best.yaml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_ends_a_search_with_the_command_that_goes_on(tmp_path: Path, number: int, code: int) -> None:
    config, search = write_config(tmp_path, CONFIG), tmp_path / "runs" / "flowers-tune-1"
    process = start(config, "--trials", 30, "--workers", 2, "--sampler", "random", cwd=tmp_path)
    while ended(search) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    running = workers_of(process.pid)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert stderr.strip().endswith("to go on:\n  nnfs tune runs/flowers-tune-1")
    assert "Traceback" not in stderr
    assert running
    assert not any(Path(f"/proc/{pid}").exists() for pid in running)
    before = [one for one in drawn_and_scored(search) if one[0] == "COMPLETE"]
    more = start(search, "--trials", 8, cwd=tmp_path)
    more.communicate(timeout=120)
    assert more.returncode == 0
    assert [one[0] for one in drawn_and_scored(search)] == ["COMPLETE"] * max(8, len(drawn_and_scored(search)))
    assert all(one in drawn_and_scored(search) for one in before)
