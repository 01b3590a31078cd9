"""TensorBoard's own reader finds every figure of a run in its event files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli.tracking.base import Ending
from nnfs_cli.tracking.tensorboard import TensorBoard
from tests.servers import free_port
from tests.tracking.readers import in_single_precision, in_tensorboard, texts_in_tensorboard
from tests.tracking.runs import ROWS, no_columns, passed_on, tracked

FINISHED = Ending("finished", {"best_epoch": 2, "validation": {"loss": 0.25, "accuracy": 1.0}}, no_columns)


def test_every_figure_is_found(tmp_path: Path) -> None:
    passed_on(TensorBoard(), tracked(tmp_path / "x-1"), ROWS[:2], ROWS[2:], ending=FINISHED)
    assert in_tensorboard(tmp_path / "x-1" / "tensorboard") == in_single_precision(ROWS)


def test_in_single_precision_both_splits_share_a_tag_in_two_folders(tmp_path: Path) -> None:
    passed_on(TensorBoard(tmp_path / "logs"), tracked(tmp_path / "x-1"), ROWS)
    folders = {path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*tfevents*")}
    assert folders == {"logs/x-1", "logs/x-1/train", "logs/x-1/val"}
    assert not (tmp_path / "x-1").exists()


def test_the_config_and_the_final_figures_are_texts(tmp_path: Path) -> None:
    run = tracked(tmp_path / "x-1", spec="epochs: 3\nname: <script>alert(1)</script>\n")
    passed_on(TensorBoard(), run, ending=FINISHED)
    assert texts_in_tensorboard(tmp_path / "x-1" / "tensorboard") == {
        "config": "    epochs: 3\n    name: <script>alert(1)</script>",  # code in Markdown, which shows it as it is
        "metrics": "    validation loss: 0.25\n    validation accuracy: 1.0",
    }


def test_sessions_of_the_same_moment_have_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
    run = tracked(tmp_path / "x-1")
    for _ in range(3):
        passed_on(TensorBoard(), run, ROWS)
    assert in_tensorboard(tmp_path / "x-1" / "tensorboard") == in_single_precision(ROWS)


def test_a_session_replaces_what_the_one_before_it_has_written(tmp_path: Path) -> None:
    run = tracked(tmp_path / "x-1")
    passed_on(TensorBoard(), run, ROWS)
    passed_on(TensorBoard(), run, [{**ROWS[0], "seconds": 7.0}], ROWS[1:])
    assert in_tensorboard(tmp_path / "x-1" / "tensorboard") == in_single_precision(
        [{**ROWS[0], "seconds": 7.0}, *ROWS[1:]]
    )
    assert len([*tmp_path.rglob("*tfevents*")]) == 3


def test_a_reader_of_old_and_new_files_sees_each_epoch_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # as a TensorBoard that was open all the time
    run = tracked(tmp_path / "x-1")
    passed_on(TensorBoard(), run, ROWS)
    monkeypatch.setattr(Path, "unlink", lambda path: None)
    passed_on(TensorBoard(), run, ROWS[:2])
    assert in_tensorboard(tmp_path / "x-1" / "tensorboard") == in_single_precision(ROWS[:2])


def test_another_run_of_the_same_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    logs = TensorBoard(tmp_path / "logs")
    other = tracked(tmp_path / "elsewhere" / "x-1", begun=1.0)
    passed_on(logs, tracked(tmp_path / "x-1"), ROWS)
    passed_on(logs, other, ROWS[:1])
    passed_on(logs, other, ROWS[:2])
    assert in_tensorboard(tmp_path / "logs" / "x-1") == in_single_precision(ROWS)
    assert in_tensorboard(tmp_path / "logs" / f"x-1-{other.stamp}") == in_single_precision(ROWS[:2])


def test_any_name_of_a_figure_is_a_tag(tmp_path: Path) -> None:
    names = [
        "val_recall[</script>]",
        'train_a"b\n\\c',
        "val_",
        "_x",
        "trainx",
        "val_\u00e9\U0001f600" + "n" * 10_000,
        "a/b",
        "..",
        " ",
    ]
    rows = [{"epoch": 1, "step": 1, "seconds": 0.5, **{name: float(i) for i, name in enumerate(names)}}]
    passed_on(TensorBoard(), tracked(tmp_path / "x-1"), rows)
    assert in_tensorboard(tmp_path / "x-1" / "tensorboard") == in_single_precision(rows)


def test_a_link_in_the_run_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x-1").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "x-1" / "tensorboard").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="tensorboard is a link"):
        TensorBoard().open(tracked(tmp_path / "x-1"))
    (tmp_path / "x-1" / "tensorboard").unlink()
    (tmp_path / "x-1" / "tensorboard").mkdir()
    (tmp_path / "x-1" / "tensorboard" / "val").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="val is a link"):
        passed_on(TensorBoard(), tracked(tmp_path / "x-1"), ROWS)
    assert [*(tmp_path / "elsewhere").iterdir()] == []


def test_a_figure_that_is_not_defined_stays_so(tmp_path: Path) -> None:
    passed_on(TensorBoard(), tracked(tmp_path / "x-1"), [{"epoch": 1, "seconds": 1.0, "val_r2": math.nan}])
    ((value,),) = [v for (_, name), v in in_tensorboard(tmp_path / "x-1" / "tensorboard").items() if name == "val_r2"]
    assert math.isnan(value)


@pytest.mark.slow
@pytest.mark.parametrize("loader", ["true", "false"])
def test_tensorboard_serves_what_was_written(tmp_path: Path, loader: str) -> None:
    passed_on(TensorBoard(), tracked(tmp_path / "x-1"), ROWS, ending=FINISHED)
    port = free_port()
    options = ["--logdir", tmp_path, "--host", "127.0.0.1", "--port", str(port), "--load_fast", loader]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def get(path: str) -> object:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/{path}", timeout=10) as answer:
            return json.load(answer)

    def losses() -> list[list[float]]:
        try:
            return [event[1:] for event in get("plugin/scalars/scalars?run=x-1/tensorboard/val&tag=loss")]  # type: ignore[attr-defined]
        except OSError:  # it has not started, or has not read the files
            return []

    try:
        until = time.monotonic() + 120
        while len(losses()) < len(ROWS) and time.monotonic() < until:
            time.sleep(0.5)
        assert losses()[:2] == [[row["epoch"], float(np.float32(row["val_loss"]))] for row in ROWS[:2]]
        assert get("runs") == ["x-1/tensorboard", "x-1/tensorboard/train", "x-1/tensorboard/val"]
        (text,) = get("plugin/text/text?run=x-1/tensorboard&tag=config")  # type: ignore[misc]
        assert "<code>epochs: 4" in text["text"]
    finally:
        server.kill()
        server.wait()
