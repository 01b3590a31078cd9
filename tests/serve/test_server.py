"""The process: it answers all that it has accepted before it ends, and changes runs while it answers."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnfs_cli.runs.directory import RunDirectory
from tests.serve.house import rows_of, train_flats
from tests.serve.live import Client, Live, request, together

posix = pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
pytestmark = posix
ROWS = rows_of(30)
ONE = request("/predict", json.dumps(ROWS[:1]).encode())
SOME = request("/models/flats/predict?interval=0.8", json.dumps(ROWS).encode())
BAD = request("/predict", b'[{"size": "big"}]')
MANY = request("/predict?reasons=2", json.dumps({"rows": ROWS}).encode())
ALONE = request("/predict", json.dumps(ROWS[:1]).encode(), more="connection: close\r\n")
MIXED = ((ONE, 200), (BAD, 422), (SOME, 200), (ONE, 200), (MANY, 200))


def clients_of(live: Live, n: int) -> list[Client]:
    return [Client(live.port, itertools.cycle(MIXED[i % 5 :] + MIXED[: i % 5])) for i in range(n)]


def check(clients: list[Client]) -> Counter[int]:
    """Make sure that every request got the answer that it should get, and return the number of answers by status."""
    assert [client.lost for client in clients if client.lost] == []
    assert [client.wrong[:1] for client in clients if client.wrong] == []
    return sum((client.answers for client in clients), Counter[int]())


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_everything_that_was_accepted_is_answered_before_the_end(
    runs: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with Live(f"{runs}/flats-1", folder=tmp_path) as live:
        fresh = [Client(live.port, itertools.repeat((ALONE, 200))) for _ in range(16)]
        clients = [*clients_of(live, 16), *fresh]

        async def stop() -> None:
            while sum(client.answers.total() for client in clients) < 100:
                await asyncio.sleep(0.01)
            live.process.send_signal(number)

        asyncio.run(together(clients, lambda: False, stop()))
        assert live.process.wait(30) == 0
        # One new connection may wait in the kernel when the server ceases to listen: it was never accepted.
        unaccepted = [client for client in fresh if client.lost]
        assert len(unaccepted) <= 1
        for client in unaccepted:
            assert client.lost[:-1] == []
            assert "Connection reset" in client.lost.pop()
        answers = check(clients)
        assert answers[200] > answers[422] > 0
        assert "Traceback" not in live.log


def replace_run(runs: Path, source: Path, number: int) -> None:
    """Make a newer run of a config, as a training that ends does: its status says so last."""
    target = runs / f"flats-{number}"
    made = RunDirectory(shutil.copytree(source, target.with_name(f".{target.name}")))
    made.status_file._write({**made.status(), "begun": f"2100-01-01T00:00:00.{number:03}+00:00"})
    made.path.rename(target)


def swap_under_load(runs: Path, folder: Path, swaps: int) -> Counter[int]:
    """Serve two nets by turns, and return the answers by status; every answer is that of one of the nets."""
    first, second = train_flats(folder / "one"), train_flats(folder / "two", seed=3)
    shutil.copytree(first.path, folder / "runs" / "flats-1")
    known = [float(run.predict(ROWS[:1])["prediction"][0]) for run in (first, second)]
    with Live(folder / "runs" / "flats", folder=folder) as live:
        clients = clients_of(live, 8)
        clients.append(watcher := Client(live.port, itertools.repeat((ONE, 200))))
        watcher.keeps_bodies = True
        done = False

        async def swap() -> None:
            nonlocal done
            for number in range(2, swaps + 2):
                replace_run(folder / "runs", [second.path, first.path][number % 2], number)
                live.process.send_signal(signal.SIGHUP)
                while f"runs/flats-{number}\n" not in live.log:
                    await asyncio.sleep(0.01)
                answers = len(watcher.bodies)
                while len(watcher.bodies) < answers + 5:
                    await asyncio.sleep(0.01)
            done = True

        asyncio.run(together(clients, lambda: done, swap()))
        found = {json.loads(body)["predictions"][0]["prediction"] for body in watcher.bodies}
        assert sorted(found) == sorted(known)
        assert live.stop() == 0
        return check(clients)


def test_a_run_is_replaced_under_load_without_a_lost_request(runs: Path, tmp_path: Path) -> None:
    assert swap_under_load(runs, tmp_path, 5)[200] > 25


@pytest.mark.slow
def test_a_run_is_replaced_a_hundred_times_under_load(runs: Path, tmp_path: Path) -> None:
    assert swap_under_load(runs, tmp_path, 100)[200] > 1_000


@pytest.mark.slow
def test_a_newer_run_is_noticed_and_a_damaged_one_replaces_nothing(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "flats-1", tmp_path / "runs" / "flats-1")
    with Live("flats", "--watch", folder=tmp_path) as live:
        replace_run(tmp_path / "runs", runs / "flats-1", 2)
        (tmp_path / "runs" / "flats-2" / "weights" / "best.npz").write_bytes(b"nothing")
        live.wait_for("'flats' stays runs/flats-1: .*best.npz")
        replace_run(tmp_path / "runs", runs / "flats-1", 3)
        live.wait_for("'flats' is now runs/flats-3")
        assert live.stop() == 0
        assert live.log.count("stays") == 1


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_what_stops_it_from_starting_is_one_sentence(
    runs: Path, inside: object, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says(*words: object) -> tuple[int, str]:
        done = inside("serve", *words)  # type: ignore[operator]
        return done.returncode, done.stderr.splitlines()[-1]

    run = runs / "flats-1"
    assert says(run, "--port", taken) == (4, f"error: 127.0.0.1:{taken}: Address already in use")
    assert says(runs / "nobody") == (2, f"error: there is no run {runs / 'nobody'}")
    assert says(run, run) == (2, "error: two models are named 'flats'; write NAME=RUN for one of them")
    assert says(f"a/b={run}") == (2, f"error: 'a/b' cannot be the name of a model; write NAME={run}")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fastapi", None)
        assert says(run) == (2, "error: nnfs serve needs fastapi and uvicorn: pip install 'nnfs-cli[serve]'")
    monkeypatch.setenv("NNFS_TOKEN", "short")
    assert says(run)[1].startswith("error: NNFS_TOKEN is a token of 16 characters or more")


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(runs: Path, tmp_path: Path) -> None:
    with Live(f"{runs}/flats-1", folder=tmp_path) as live, socket.create_connection(("127.0.0.1", live.port)) as one:
        one.sendall(ONE[:-5])  # a request that never ends
        time.sleep(0.2)
        live.process.send_signal(signal.SIGTERM)
        time.sleep(1.0)
        assert live.process.poll() is None
        assert live.stop() == 143
