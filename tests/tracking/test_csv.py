"""The file of tracked runs holds each epoch of each run once, whoever writes to it."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.errors import UserError
from nnfs_cli.system.lock import Lock
from nnfs_cli.tracking import csv as module
from nnfs_cli.tracking.csv import CsvTracker
from tests.tracking.readers import figures_of, in_csv
from tests.tracking.runs import ROWS, passed_on, tracked

MANY = """
import sys
from pathlib import Path
from nnfs_cli.tracking.csv import CsvTracker
from tests.tracking.runs import tracked
folder, name = Path(sys.argv[1]), sys.argv[2]
writer = CsvTracker(folder / "all.csv").open(tracked(folder / name))
for epoch in range(1, 41):
    writer.write([{"epoch": epoch, "step": epoch, "seconds": epoch / 7, "train_loss": 1 / epoch}])
"""


def test_every_figure_is_found(tmp_path: Path) -> None:
    writer = CsvTracker().open(tracked(tmp_path / "runs" / "x-1"))
    writer.write(ROWS[:1])
    writer.write(ROWS[1:])
    assert in_csv(tmp_path / "runs" / "tracked.csv", "x-1") == figures_of(ROWS)


def test_a_run_is_named_by_its_path_from_the_file(tmp_path: Path) -> None:
    tracker = CsvTracker(tmp_path / "all.csv")
    for name in ("runs/x-1", "old/x-1"):
        passed_on(tracker, tracked(tmp_path / name), ROWS)
    assert in_csv(tmp_path / "all.csv", "runs/x-1") == in_csv(tmp_path / "all.csv", "old/x-1") == figures_of(ROWS)


def test_a_session_takes_back_the_epochs_of_the_one_before_it(tmp_path: Path) -> None:
    tracker, other = CsvTracker(tmp_path / "all.csv"), tracked(tmp_path / "y-1")
    passed_on(tracker, tracked(tmp_path / "x-1"), ROWS)
    passed_on(tracker, other, ROWS)
    passed_on(tracker, tracked(tmp_path / "x-1"), ROWS[:2])
    assert in_csv(tmp_path / "all.csv", "x-1") == figures_of(ROWS[:2])
    assert in_csv(tmp_path / "all.csv", "y-1") == figures_of(ROWS)
    tracker.open(other)
    assert in_csv(tmp_path / "all.csv", "y-1") == {}


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "export PATH=1\n", "run,epoch,figure\n", "\n"])
def test_another_file_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "all.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"all\.csv is another file: its first line is not run,epoch,figure,value"):
        CsvTracker(path).open(tracked(tmp_path / "x-1"))
    assert path.read_text() == text
    assert [*tmp_path.iterdir()] == [path]


def test_a_line_that_a_killed_process_began_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    writer = CsvTracker(path).open(tracked(tmp_path / "x-1"))
    writer.write(ROWS[:1])
    with path.open("ab") as file:
        file.write(b"y-1,3,val_lo")
    writer.write(ROWS[1:])
    assert in_csv(path, "x-1") == figures_of(ROWS)
    assert in_csv(path, "y-1") == {}


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.csv"
    writer = CsvTracker(path).open(tracked(tmp_path / "x-1"))
    writer.write(ROWS[:1])
    before = path.read_bytes()

    class Full(io.FileIO):
        """A file that takes 20 bytes more."""

        taken = 0

        def write(self, data: object) -> int:
            if self.taken:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.taken = super().write(bytes(data)[:20])  # type: ignore[call-overload]
            return self.taken

    monkeypatch.setattr(Path, "open", lambda self, mode, buffering: Full(self, mode))
    with pytest.raises(OSError, match=r"No space left on device: .*all\.csv"):
        writer.write(ROWS[1:])
    monkeypatch.undo()
    assert path.read_bytes() == before
    writer.write(ROWS[1:])
    assert in_csv(path, "x-1") == figures_of(ROWS)


def test_several_processes_may_write_at_once(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY, tmp_path, f"x-{i}"]) for i in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    for i in range(3):
        found = in_csv(tmp_path / "all.csv", f"x-{i}")
        assert found == {
            (epoch, name): [value]
            for epoch in range(1, 41)
            for name, value in (("step", epoch), ("seconds", epoch / 7), ("train_loss", 1 / epoch))
        }
    assert [*tmp_path.iterdir()] == [tmp_path / "all.csv"]


def test_a_process_that_does_not_let_go_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    lock = Lock(tmp_path / "all.csv.lock", "")
    with pytest.raises(BlockingIOError, match="is being written by process"):
        CsvTracker(tmp_path / "all.csv").open(tracked(tmp_path / "x-1"))
    lock.release()


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.floats(allow_nan=False))
def test_any_name_and_any_number_reads_back(tmp_path_factory: pytest.TempPathFactory, name: str, value: float) -> None:
    folder = tmp_path_factory.mktemp("csv")
    row = {"epoch": 1, "step": 2, "seconds": 3.0, f"_{name}": value}
    passed_on(CsvTracker(folder / "all.csv"), tracked(folder / "x-1"), [row])
    assert in_csv(folder / "all.csv", "x-1") == figures_of([row])
