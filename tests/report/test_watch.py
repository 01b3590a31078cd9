"""`nnfs train --watch`: the growing report is served to the browser on this machine, and to nobody else."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.report import watch
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.watch import Watch
from nnfs_cli.report.write import write_report
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow
from tests.browser import Browser
from tests.conftest import Nnfs, one_message
from tests.twins import record

CONFIG = """\
dataset: iris
split: {validation: 0.2}
layers: [linear: 4, tanh, linear: 3, softmax]
loss: cross_entropy
lr: 0.1
epochs: 6
"""
Answer = tuple[int, dict[str, str], str]


def ask(url: str, method: str = "GET", **headers: str) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(method, parts.path, headers=headers)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


@pytest.fixture
def started(tmp_path: Path) -> tuple[RunDirectory, Experiment]:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    experiment = workflows.prepare(Config.load(tmp_path / "flowers.yaml"))
    return workflows.begin(experiment, tmp_path / "runs"), experiment


@pytest.fixture
def served(started: tuple[RunDirectory, Experiment]) -> Iterator[Watch]:
    with Watch() as server:
        server.show(*started)
        yield server


class Asking(Callback):
    """Asks for the page after each epoch."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[Answer] = []

    def on_log(self, training: Training, row: LogRow) -> None:
        self.answers.append(ask(self.url))


def test_the_page_grows_with_the_training(
    served: Watch, started: tuple[RunDirectory, Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAUSE", 0.0)
    monkeypatch.setattr(watch, "SHARE", 1e9)
    run, experiment = started
    asking = Asking(served.url)
    log = run.log.append
    monkeypatch.setattr(type(run.log), "append", lambda self, row: (log(row), run.log.flush()))
    workflows.train(experiment, run, [asking])
    assert [status for status, _, _ in asking.answers] == [200] * 6
    pages = [content for _, _, content in asking.answers]
    assert ["epochs</dt><dd>" + re.findall(r"epochs</dt><dd>(\d+) of 6", page)[0] for page in pages] == [
        f"epochs</dt><dd>{epoch}" for epoch in range(1, 7)
    ]
    assert "The training is running, and this page follows it" in pages[0]
    assert all("Confusion" not in page for page in pages)  # no row is predicted for it
    headers = asking.answers[0][1]
    assert headers["X-Nnfs-Training"] == "running"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', pages[0])
    assert "connect-src 'self'" in policy
    assert "default-src 'none'" in policy


def test_training_ends_with_the_same_bytes(
    served: Watch, started: tuple[RunDirectory, Experiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAUSE", 0.0)
    monkeypatch.setattr(watch, "SHARE", 1e9)
    run, experiment = started
    workflows.train(experiment, run, [Asking(served.url)])
    alone = workflows.prepare(Config.load(tmp_path / "flowers.yaml"))
    other = workflows.begin(alone, tmp_path / "others")
    workflows.train(alone, other)
    assert record(run.path) == record(other.path)


def test_only_the_user_of_this_machine_gets_the_page(served: Watch) -> None:
    port = urlsplit(served.url).port
    assert ask(served.url)[0] == 200
    assert ask(served.url, Host=f"localhost:{port}")[0] == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example", ""):
        assert ask(served.url, Host=host)[0] == 404, host
    root = f"http://127.0.0.1:{port}/"
    for path in ("", "report.html", "../etc/passwd", served.url.rsplit("/", 2)[1], "%00"):
        status, _, content = ask(root + path)
        assert status == 404, path
        assert "iris" not in content
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert ask(served.url, method)[0] == 501
    with socket.create_connection(("127.0.0.1", port or 0)) as broken:
        broken.sendall(b"\x00\xff\r\n\r\n")
    assert ask(served.url)[0] == 200
    secret = urlsplit(served.url).path
    assert len(secret) > 20
    with Watch() as other:
        assert secret != urlsplit(other.url).path
    assert served._server.server_address[0] == "127.0.0.1"


def test_pages_are_made_seldom(served: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []

    def make() -> str:
        made.append(time.monotonic())
        time.sleep(0.05)
        return str(len(made))

    served._make = make
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert ask(served.url)[2] == "1"
    assert len(made) == 1
    assert served._next > made[0] + 0.05 / 0.02  # 0.05 s of work in 2.5 s


def test_a_page_that_cannot_be_made_ends_nothing(served: Watch) -> None:
    whole, served._make = served._make, lambda: str(1 / 0)
    assert ask(served.url)[0] == 500
    served._make = whole
    assert ask(served.url)[0] == 200


@pytest.mark.parametrize("again", [{"Sec-Fetch-Mode": "navigate"}, {}])
def test_the_browser_that_follows_shows_the_report_and_then_the_server_ends(
    again: dict[str, str], started: tuple[RunDirectory, Experiment]
) -> None:
    run, experiment = started
    workflows.train(experiment, run)
    report = write_report(RunFacts(run, experiment))
    with Watch() as server:
        server.show(run, experiment)
        begun = time.monotonic()
        assert server.finish(report) == report.absolute().as_uri()
        assert time.monotonic() - begun < 1  # nobody follows
        url = server.url
    with pytest.raises(OSError, match="refused"):
        ask(url)
    with Watch() as server:
        server.show(run, experiment)
        assert ask(server.url)[1]["X-Nnfs-Training"] == "running"
        answers: list[Answer] = []
        ending = threading.Thread(target=server.finish, args=(report,))
        ending.start()
        while not server.page()[1]:
            time.sleep(0.01)
        answers.append(ask(server.url, **{"Sec-Fetch-Mode": "cors"}))  # the script of the page
        time.sleep(0.2)
        assert ending.is_alive()
        answers.append(ask(server.url, **again))  # the browser, which the script makes load the page
        ending.join(1)
        assert not ending.is_alive()
    for status, headers, content in answers:
        assert (status, headers["X-Nnfs-Training"]) == (200, "ended")
        assert content == report.read_text(encoding="utf-8")


# The command


def test_the_command_says_where_to_look(tmp_path: Path, inside: Nnfs) -> None:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    train = ("train", tmp_path / "flowers.yaml", "--watch", "--quiet", "--runs", tmp_path / "runs")
    done = inside(*train, report=True)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'runs' / 'flowers-1'}\n")
    lines = done.stderr.splitlines()
    assert re.fullmatch(r"watch       http://127\.0\.0\.1:\d+/[\w-]{22}/", lines[0])
    assert f"report      {(tmp_path / 'runs' / 'flowers-1' / 'report.html').as_uri()}" in lines


@pytest.mark.parametrize("option", [["--port", 8000], ["--open"]])
def test_options_of_watch_need_it(option: list[object], tmp_path: Path, inside: Nnfs) -> None:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    message = one_message(inside("train", tmp_path / "flowers.yaml", *option), 2)
    assert message.startswith(f"error: {option[0]} is for --watch")


def test_a_port_that_is_taken_is_an_error_before_anything_is_written(tmp_path: Path, inside: Nnfs) -> None:
    (tmp_path / "flowers.yaml").write_text(CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        train = ("train", tmp_path / "flowers.yaml", "--watch", "--port", port, "--runs", tmp_path / "runs")
        message = one_message(inside(*train), 4)
    assert f"port {port}" in message
    assert "--port takes another one" in message
    assert not (tmp_path / "runs").exists()


# In a browser


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_browser_follows_and_shows_the_report_in_the_end(
    width: int,
    served: Watch,
    started: tuple[RunDirectory, Experiment],
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "SHARE", 1.0)  # a slow machine would make the second page late
    run, experiment = started
    row = {"epoch": 1, "step": 4, "seconds": 0.1, "lr": 0.1, "train_loss": 1.0, "val_loss": 0.9, "val_accuracy": 0.5}
    run.log.append(row)
    run.log.flush()
    with browser.open(served.url, width=width) as opened:
        opened.page.wait_for_selector("text=1 of 6")
        opened.page.click("summary >> nth=0")
        opened.page.evaluate("window.kept = document.querySelector('#data')")
        run.log.append({**row, "epoch": 2, "step": 8})
        run.log.flush()
        opened.page.wait_for_selector("text=2 of 6", timeout=15_000)
        assert opened.page.evaluate("window.kept === document.querySelector('#data')")  # what is the same stays
        assert opened.page.evaluate("document.querySelector('details').open")
        opened.check()
        run.log.close()
        workflows.train(experiment, run)
        report = write_report(RunFacts(run, experiment))
        ending = threading.Thread(target=lambda: (served.finish(report), served.__exit__(None, None, None)))
        ending.start()
        opened.page.wait_for_selector("#confusion", timeout=15_000)
        ending.join()
        opened.check()


@pytest.mark.browser
def test_the_browser_says_when_the_server_has_gone(started: tuple[RunDirectory, Experiment], browser: Browser) -> None:
    server = Watch().__enter__()
    server.show(*started)
    with browser.open(server.url) as opened:
        opened.page.wait_for_selector("text=this page follows it")
        server.__exit__(None, None, None)
        opened.page.wait_for_selector("text=The training has ended", timeout=15_000)
