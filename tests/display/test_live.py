"""The display of a training on a terminal: what it shows, at any size, and what it leaves behind."""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nnfs_cli import Callback, train, workflows
from nnfs_cli.config.config import Config
from nnfs_cli.display.live import SHARE, Live
from nnfs_cli.display.progress import progress_for
from nnfs_cli.display.region import Region
from nnfs_cli.training.progress import Progress
from nnfs_cli.workflows.fit import fit
from tests.conftest import CONFIGS
from tests.display.screen import Screen

Place = Callable[..., Screen]
NET = {"dataset": "iris", "layers": ["linear: 4", "relu", "linear: 3"], "loss": "cross_entropy"}


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Let stderr and stdout be a terminal of so many columns and rows."""
    clock = [0.0]
    monkeypatch.setattr(
        "nnfs_cli.display.live.time", SimpleNamespace(monotonic=lambda: clock[0], thread_time=lambda: 0)
    )

    def make(columns: int = 80, rows: int = 30, **environment: str) -> Screen:
        screen = Screen(columns, rows)
        monkeypatch.setattr(Region, "size", property(lambda region: (screen.columns, screen.rows)))
        for name, value in {"TERM": "xterm", "NO_COLOR": "1", **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(sys, "stdout", screen)
        screen.tick = lambda: clock.__setitem__(0, clock[0] + 1)  # type: ignore[attr-defined]
        return screen

    yield make
    if Region._open is not None:
        Region._open.end()


class Training:
    """As much of a training as the display looks at."""

    def __init__(self, epochs: int = 20, rows: int = 1_000) -> None:
        self.progress = Progress(epochs, 10)
        self.progress.rows, self.progress.lr = rows, 0.1
        self.average = SimpleNamespace(pending=False)
        self.plan, self.stopped = SimpleNamespace(log_every=1), ""

    def run(self, display: Live, screen: Any, losses: list[Any], end: bool = True) -> None:
        """Let the display see an epoch for each loss, or pair of losses, drawing at each."""
        view: Any = self
        display.on_begin(view)
        for loss in losses:
            self.progress.epoch += 1
            self.progress.step += 10
            screen.tick()
            display.on_step(view)
            pair = loss if isinstance(loss, tuple) else (loss,)
            row = {"epoch": self.progress.epoch, **dict(zip(("train_loss", "val_loss"), pair, strict=False))}
            display.on_log(view, row)
            self.progress.end_epoch()
        if end:
            display.on_end(view)


FALLING = [(1 / n, 1 / n + 0.1 + 0.01 * n) for n in range(1, 16)]


def test_the_display_shows_the_table_the_curves_and_how_far_it_is(place: Place) -> None:
    screen = place()
    display = Live()
    Training().run(display, screen, FALLING, end=False)
    assert screen.lines[1].split() == ["epoch", "train_loss", "val_loss"]
    assert screen.lines[2:17][14].split() == ["15", "0.0667", "0.3167"]
    assert screen.lines[17] == ""
    picture, progress = screen.lines[18:27], screen.lines[28]
    assert [picture[row].split()[0] for row in (0, 3, 7)] == ["1.11", "0.665", "0.0714"]
    assert picture[8].split() == ["1", "epoch", "20"]
    assert sum("●" in line for line in picture) == 1
    assert {"train", "validation"} <= {line.rpartition(" ")[2] for line in picture}
    assert progress == "  epoch 15 of 20   5 s left   best 10, val_loss 0.3000   1,000 rows/s   lr 0.1"
    display.on_end(Training())  # type: ignore[arg-type]


def test_at_the_end_the_table_and_the_curves_stay_without_the_line_of_progress(place: Place) -> None:
    screen = place()
    Training().run(Live(), screen, FALLING)
    assert not any("left" in line for line in screen.lines)
    assert [line.split()[0] for line in screen.lines[2:17]] == [str(n) for n in range(1, 16)]
    assert screen.lines[-1].split() == ["1", "epoch", "15"]
    assert len(screen.lines) == 27


@pytest.mark.parametrize("columns", [40, 50, 80, 200])
@pytest.mark.parametrize("rows", [6, 10, 12, 24, 60])
def test_the_display_fits_any_terminal(columns: int, rows: int, place: Place) -> None:
    screen = place(columns, rows)
    display = Live()
    Training().run(display, screen, FALLING, end=False)
    drawn = display._region._lines
    assert max(map(len, drawn)) < columns
    assert len(drawn) <= max(rows - 4, 2)
    assert (len(drawn) > 2) == (rows >= 12)
    assert drawn[-1].startswith("  epoch 15 of 20   5 s left")
    display.on_end(Training())  # type: ignore[arg-type]
    assert not any("left" in line for line in screen.lines)


def test_after_a_resize_the_old_curves_are_gone(place: Place) -> None:
    screen = place(100)
    display, training = Live(), Training()
    training.run(display, screen, FALLING[:8], end=False)
    for columns in (60, 120, 40):
        screen.resize(columns)
        screen.tick()  # type: ignore[attr-defined]
        display.on_step(training)  # type: ignore[arg-type]
        assert sum("●" in line for line in screen.lines) == 1
        assert sum(" left" in line for line in screen.lines) == 1
        assert max(map(len, screen.lines)) <= columns
    display.on_end(training)  # type: ignore[arg-type]
    assert sum("●" in line for line in screen.lines) == 1


def test_a_terminal_that_becomes_narrow_and_wide_again_keeps_no_row_of_the_old_curves(place: Place) -> None:
    screen = place(200, 21)
    display, training = Live(), Training()
    training.run(display, screen, [(1.0, 0.9), (0.1, 0.2)] * 9, end=False)  # all rows are long
    for columns in (45, 80):
        screen.resize(columns)
        screen.tick()  # type: ignore[attr-defined]
        display.on_step(training)  # type: ignore[arg-type]
        assert sum("│" in line for line in screen.lines) == 8
    display.on_end(training)  # type: ignore[arg-type]


def test_what_is_written_meanwhile_stands_above_the_curves_in_whole_lines(place: Place) -> None:
    screen = place()
    display, training = Live(), Training()
    training.run(display, screen, FALLING[:5], end=False)
    print("half a", end=" ")
    print("line\n" + "long " * 40)
    print("a warning", file=sys.stderr)
    assert screen.lines[7:12] == [
        "half a line",
        ("long " * 16).rstrip(),
        ("long " * 16).rstrip(),
        ("long " * 8).rstrip(),
        "a warning",
    ]
    assert sum("●" in line for line in screen.lines) == 1
    assert screen.lines[-1].startswith("  epoch 5 of 20")
    print("no line break", end="")
    display.on_end(training)  # type: ignore[arg-type]
    assert sys.stderr is sys.stdout is screen
    assert "no line break" in screen.received


def test_only_the_moment_between_two_drawings_is_counted(place: Place) -> None:
    screen = place()
    display, training = Live(), Training()
    display.on_begin(training)  # type: ignore[arg-type]
    for _ in range(1_000):  # no time passes
        display.on_step(training)  # type: ignore[arg-type]
    assert screen.received == ""
    display.on_end(training)  # type: ignore[arg-type]
    assert screen.received in ("", "\x1b[J")


@pytest.mark.parametrize(
    "losses", [[0.5], [(math.nan, math.inf)] * 4, [(1.0, math.inf), (math.nan, 2.0)] * 3, [0.5] * 4]
)
def test_odd_losses_are_no_problem(losses: list[Any], place: Place) -> None:
    screen = place()
    Training(len(losses)).run(Live(), screen, losses)
    assert len(screen.lines) >= 1 + 1 + len(losses)
    assert all(line.isprintable() for line in screen.lines)


def test_one_epoch_leaves_only_its_line(place: Place) -> None:
    screen = place()
    Training(1).run(Live(), screen, [(0.5, 0.6)])
    assert screen.lines == ["", "  epoch  train_loss    val_loss", "      1      0.5000      0.6000"]


def test_colours_tell_the_curves_apart_unless_they_are_unwanted(place: Place) -> None:
    found = {}
    for no_color in ("", "1"):
        screen = place(NO_COLOR=no_color)
        Training().run(Live(), screen, FALLING)
        found[no_color] = {*re.findall(r"\x1b\[([0-9]+)m", screen.received)}
    assert found == {"": {"36", "33", "1", "0"}, "1": set()}


def test_a_terminal_without_braille_gets_letters(place: Place) -> None:
    screen = place(TERM="linux")
    Training().run(Live(), screen, FALLING)
    assert "".join(screen.lines).isascii()
    screen = place()
    screen.encoding = "latin-1"  # type: ignore[assignment]
    Training().run(Live(), screen, FALLING)
    assert "".join(screen.lines).isascii()


def test_a_dumb_terminal_gets_lines_without_control_characters(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = place(TERM="dumb")
    train({**NET, "epochs": 40}, callbacks=progress_for(True), verbose=False)
    assert "\x1b" not in screen.received
    assert len(screen.lines) == 2 + 1 + 20 + 1


class Impatient(Callback):
    def on_log(self, training: Any, row: dict[str, float]) -> None:
        if row["epoch"] == 3:
            training.interrupt(KeyboardInterrupt())


def test_an_interruption_leaves_the_streams_as_they_were(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = place()
    with pytest.raises(KeyboardInterrupt):
        train({**NET, "epochs": 40}, callbacks=[*progress_for(True), Impatient()], verbose=False)
    assert sys.stderr is sys.stdout is screen
    assert not any("left" in line for line in screen.lines)


def test_a_terminal_that_is_closed_does_not_end_the_training(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = place()
    display, training = Live(), Training()
    training.run(display, screen, FALLING[:5], end=False)

    def fail(*args: Any) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(screen, "write", fail)
        print("lost", file=sys.stderr)
        screen.tick()  # type: ignore[attr-defined]
        display.on_step(training)  # type: ignore[arg-type]
    display.on_end(training)  # type: ignore[arg-type]
    assert Region._open is None


@pytest.mark.slow
def test_the_display_takes_less_than_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the smallest steps: 32 rows, 641 parameters, and 15 steps an epoch."""
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm")
    begun = time.thread_time()
    fit(workflows.prepare(Config.load(CONFIGS / "breast_cancer.yaml", ["epochs=300"])))
    of_epoch = (time.thread_time() - begun) / 300
    display, training, n = Live(), Training(10**9), 3_000
    display.on_begin(training)  # type: ignore[arg-type]
    display._due = math.inf
    row = {"epoch": 1, "train_loss": 0.5, "val_loss": 0.6, "val_accuracy": 0.9}
    begun = time.thread_time()
    for epoch in range(2, n):
        for _ in range(15):
            display.on_step(training)  # type: ignore[arg-type]
        display.on_log(training, {**row, "epoch": epoch})  # type: ignore[arg-type]
    own = (time.thread_time() - begun) / n / of_epoch + 1 / SHARE
    display.on_end(training)  # type: ignore[arg-type]
    assert own < 0.01


def test_a_resumed_training_shows_the_curves_from_the_first_epoch_on(place: Place) -> None:
    screen = place()
    earlier = [{"epoch": n, "train_loss": 1 / n, "val_loss": 1 / n} for n in range(1, 9)]
    training = Training()
    training.progress.epoch = training.progress.finished = 6
    training.progress.step = 60
    training.run(Live(earlier=earlier), screen, [(0.5, 0.6), (0.4, 0.5)])
    assert [line.split()[0] for line in screen.lines[2:4]] == ["7", "8"]
    assert screen.lines[-1].split() == ["1", "epoch", "8"]
    assert [line.split()[0] for line in (screen.lines[5], screen.lines[-2])] == ["1", "0.167"]


def test_two_displays_do_not_fight_for_the_terminal(place: Place) -> None:
    screen = place()
    one, other = Live(), Live()
    one.on_begin(Training())  # type: ignore[arg-type]
    Training(5).run(other, screen, FALLING[:5])
    assert [line.split()[0] for line in screen.lines[2:]] == ["1", "2", "3", "4", "5"]
    one.on_end(Training())  # type: ignore[arg-type]
