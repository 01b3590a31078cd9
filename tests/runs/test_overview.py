"""A run at a glance, whatever state it is in; how runs are chosen; and how they are deleted, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import train
from nnfs_cli.errors import NnfsWarning, RunError, UserError
from nnfs_cli.runs import removal
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.overview import RunOverview, overview, runs_in
from nnfs_cli.runs.removal import files_of, obstacle, remove
from nnfs_cli.runs.selection import all_but_the_best, figure_of, in_order, matching, older_than, parse_age
from nnfs_cli.system.lock import holder_of
from tests.conftest import unsealed

Made = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 4 epochs, of which the last is the best."""
    net = {"layers": ["linear: 3"], "loss": "cross_entropy", "epochs": 4, "dataset": "iris", "name": "flowers"}
    return train(net, folder=tmp_path_factory.mktemp("trained"), verbose=False).path


@pytest.fixture
def made(trained: Path, tmp_path: Path) -> Made:
    """A copy of the run with another name."""

    def copy(name: str = "flowers-1") -> Path:
        return Path(shutil.copytree(trained, tmp_path / "runs" / name))

    return copy


@pytest.fixture
def holder() -> Iterator[Callable[[Path], None]]:
    """Let another process hold the lock of a run, as if it were training it."""
    processes = []

    def hold(run: Path) -> None:
        lines = ["from pathlib import Path", "from nnfs_cli.system.lock import Lock"]
        lines += [f"lock = Lock(Path({str(run / 'lock')!r}), '')", "print(1, flush=True)", "input()"]
        process = subprocess.Popen([sys.executable, "-c", "\n".join(lines)], stdin=-1, stdout=-1)
        assert process.stdout
        process.stdout.readline()
        processes.append(process)

    yield hold
    for process in processes:
        process.kill()
        process.communicate()


def state_of(run: Path, **changes: Any) -> Path:
    """Change the status of a run, which then records no digests."""
    status = unsealed(run) / "status.json"
    status.write_text(json.dumps({**json.loads(status.read_text()), **changes}))
    return run


# At a glance


def test_a_finished_run_is_what_its_own_records_say(made: Made) -> None:
    path = made()
    found, run = overview(path), RunDirectory(path)
    metrics = run.metrics()
    assert (found.state, found.config, found.data, found.loss) == ("finished", "flowers", "iris", "cross_entropy")
    assert (found.epochs, found.planned, found.best_epoch) == (4, 4, metrics["best_epoch"])
    assert found.figures["val_loss"] == metrics["validation"]["loss"]
    assert found.figures["train_accuracy"] == metrics["train"]["accuracy"]
    assert (found.figure, found.mode, found.problem) == ("val_loss", "min", "")
    assert found.seconds == run.epochs()[-1]["seconds"]
    assert found.begun is not None
    assert timedelta(0) < datetime.now(UTC) - found.begun < timedelta(hours=1)


def test_a_run_in_training_is_told_by_its_lock_and_a_killed_one_is_interrupted(
    made: Made, holder: Callable[[Path], None]
) -> None:
    path = state_of(made(), state="running")
    assert overview(path).state == "interrupted"
    (path / "lock").write_text("of a process that was killed")
    assert holder_of(path / "lock") is None
    assert overview(path).state == "interrupted"
    assert (path / "lock").read_text() == "of a process that was killed"
    holder(path)
    assert str(holder_of(path / "lock")).startswith("process ")
    assert (overview(path).state, overview(path).locked) == ("running", True)


def test_an_unfinished_run_has_the_best_figures_of_its_log(made: Made) -> None:
    path = state_of(made(), state="interrupted")
    (path / "metrics.json").unlink()
    lines = (path / "epochs.csv").read_text().splitlines()
    (path / "epochs.csv").write_text("\n".join([*lines[:-1], ""]))
    found, rows = overview(path), RunDirectory(path).epochs()
    assert (found.epochs, found.planned) == (3, 4)
    assert found.figures["val_loss"] == min(row["val_loss"] for row in rows)
    assert found.best_epoch == min(rows, key=lambda row: row["val_loss"])["epoch"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("status.json", "{"),
        ("status.json", None),
        ("status.json", '{"state": "asleep"}'),
        ("spec.yaml", "dataset: [\n"),
        ("spec.yaml", None),
        ("epochs.csv", "epoch,step\n1,a\n"),
        ("epochs.csv", "epoch,step\nnan,1\n"),
        ("epochs.csv", "epoch,step\n1e400,1\n"),
        ("metrics.json", '{"train": {"loss": "low"}}'),
        ("metrics.json", "[" * 100_000),
    ],
)
def test_a_damaged_run_is_listed_with_the_reason(name: str, content: str | None, made: Made) -> None:
    path = unsealed(made())
    if content is None:
        (path / name).unlink()
    else:
        (path / name).write_text(content)
    (found,) = runs_in(path.parent)
    assert found.state == "damaged"
    assert str(path) in found.problem


def test_a_changed_file_makes_a_run_damaged(made: Made) -> None:
    path = made()
    (path / "metrics.json").write_bytes((path / "metrics.json").read_bytes() + b" ")
    assert "is damaged or was changed" in overview(path).problem


@given(
    content=st.binary(max_size=200), name=st.sampled_from(["spec.yaml", "epochs.csv", "metrics.json", "status.json"])
)
def test_no_content_of_a_file_raises_an_error(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for file, text in (("spec.yaml", "name: a\ndataset: iris\n"), ("status.json", '{"state": "finished"}')):
            (Path(folder) / file).write_text(text)
        (Path(folder) / name).write_bytes(content)
        assert overview(Path(folder)).path == Path(folder)


def test_only_real_directories_with_a_run_are_listed_the_newest_first(made: Made, tmp_path: Path) -> None:
    for n in (1, 2, 10):
        state_of(made(f"a-{n}"), begun=f"2026-01-{n:02}T00:00:00+00:00")
    folder = tmp_path / "runs"
    (folder / "no-run").mkdir()
    (folder / "link").symlink_to("a-1")
    (folder / "file").write_text("")
    shutil.copytree(folder / "a-1", folder / f".a-1.{'0' * 16}.removed")
    assert [run.name for run in runs_in(folder)] == ["a-10", "a-2", "a-1"]
    assert runs_in(tmp_path / "gone") == []


@pytest.mark.parametrize("settings", ["csv: {path: ../../data/houses.csv, target: price}", "csv: ../houses.csv"])
def test_a_run_on_a_file_is_listed_with_the_name_of_the_file(settings: str, made: Made) -> None:
    path = unsealed(made())
    text = (path / "spec.yaml").read_text()
    (path / "spec.yaml").write_text(text.replace("dataset: iris", f"dataset:\n  {settings}"))
    assert overview(path).data == "houses.csv"


@pytest.mark.slow
def test_a_thousand_runs_are_listed_in_a_few_seconds(made: Made) -> None:
    path = made()
    for n in range(2, 1_001):
        shutil.copytree(path, path.with_name(f"flowers-{n}"))
    begun = time.process_time()
    assert len(runs_in(path.parent)) == 1_000
    assert time.process_time() - begun < 5


# Choosing


def run_with(name: str, **known: Any) -> RunOverview:
    defaults = {"state": "finished", "config": "a", "loss": "mse", "since": datetime(2026, 1, 1, tzinfo=UTC)}
    return RunOverview(Path(name), **{**defaults, **known})


def test_filters_are_patterns_of_what_is_listed() -> None:
    runs = [run_with("a-1", state="running"), run_with("a-2", data="x.csv"), run_with("b-1", data="y.csv")]
    assert [run.name for run in matching(runs, ["state=finished"])] == ["a-2", "b-1"]
    assert [run.name for run in matching(runs, ["name=a-*", "data=*.csv"])] == ["a-2"]
    for wrong in ("finished", "sate=finished", "=x"):
        with pytest.raises(UserError, match="a filter is KEY=VALUE"):
            matching(runs, [wrong])
    with pytest.raises(UserError, match="did you mean 'state'"):
        matching(runs, ["sate=finished"])
    with pytest.raises(UserError, match="there is no state 'finshed'; did you mean 'finished'"):
        matching(runs, ["state=finshed"])
    with pytest.raises(UserError, match=r"there is no state 'ended'; there are running, finished, .* and damaged"):
        matching(runs, ["state=ended"])
    assert [run.name for run in matching(runs, ["state=fin*"])] == ["a-2", "b-1"]
    assert matching(runs, ["state=diverged"]) == []


def test_runs_are_sorted_by_the_direction_of_their_figure() -> None:
    figures = [0.3, None, 0.1, 0.2]
    runs = [run_with(f"a-{i}", figures={"val_loss": v, "val_accuracy": v}) for i, v in enumerate(figures)]
    assert [run.name for run in in_order(runs, "best")] == ["a-2", "a-3", "a-0", "a-1"]
    assert [run.name for run in in_order(runs, "best", "accuracy")] == ["a-0", "a-3", "a-2", "a-1"]
    assert figure_of(runs[0], "accuracy") == ("val_accuracy", 0.3)
    with pytest.raises(UserError, match="not known whether less or more val_charm is better"):
        in_order(runs, "best", "charm")


def test_the_best_runs_of_each_config_are_kept_and_damaged_and_used_ones_are_left_alone() -> None:
    runs = [
        *(run_with(f"a-{i}", figures={"val_loss": loss}) for i, loss in enumerate([0.3, 0.1, 0.2])),
        run_with("b-1", config="b", figures={"val_loss": 9.0}),
        run_with("b-2", config="b", state="interrupted"),
        run_with("a-8", state="damaged"),
        run_with("a-9", locked=True),
    ]
    assert [run.name for run in all_but_the_best(runs, 1)] == ["a-2", "a-0", "b-2"]
    assert [run.name for run in all_but_the_best(runs, 2)] == ["a-0"]


def test_runs_that_cannot_be_compared_are_not_chosen_from() -> None:
    runs = [run_with(f"a-{loss}", loss=loss, figures={"val_loss": 1.0, "val_mae": 1.0}) for loss in ("mse", "mae")]
    with pytest.raises(UserError, match=r"minimize different losses \(mae and mse\)"):
        all_but_the_best(runs, 1)
    assert len(all_but_the_best(runs, 1, "mae")) == 1
    runs = [run_with(f"a-{name}", monitor=name, figures={name: 1.0}) for name in ("val_loss", "val_mae")]
    with pytest.raises(UserError, match="have different figures"):
        all_but_the_best(runs, 1)


def test_a_run_is_old_since_it_was_last_trained() -> None:
    now = datetime(2026, 1, 31, 1, tzinfo=UTC)
    runs = [run_with("a-1"), run_with("a-2", since=now), run_with("a-3", since=None), run_with("a-4", locked=True)]
    assert [run.name for run in older_than(runs, parse_age("30d"), now)] == ["a-1"]
    assert older_than(runs, parse_age("31d"), now) == []


@pytest.mark.parametrize(("text", "age"), [("12h", timedelta(hours=12)), ("30d", timedelta(30)), ("2w", timedelta(14))])
def test_an_age_is_a_number_with_a_unit(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "30 d", "-1d", "1m", "1.5d", "9999999d", "³d"])
def test_another_age_is_an_error(text: str) -> None:
    with pytest.raises(UserError, match="such as 12h, 30d or 2w"):
        parse_age(text)


# Deleting


def test_a_run_is_deleted_and_nothing_beside_it(made: Made, tmp_path: Path) -> None:
    path, other = made("a-1"), made("a-2")
    before = files_of(other)
    remove(path)
    assert [*(tmp_path / "runs").iterdir()] == [other]
    assert files_of(other) == before


def test_what_is_no_run_or_in_use_is_never_deleted(made: Made, tmp_path: Path, holder: Callable[[Path], None]) -> None:
    run = made()
    link, folder, own, used = tmp_path / "link", tmp_path / "folder", made("own"), made("used")
    link.symlink_to(run)
    folder.mkdir()
    (folder / "thesis.txt").write_text("all of it")
    (own / "notes.txt").write_text("mine")
    (own / "more").symlink_to(tmp_path)
    holder(used)
    reasons = {link: "is a link", folder: "is not a run directory", own: "holds 2 files", used: "is being written"}
    reasons |= {tmp_path / "gone": "there is no run directory"}
    for path, reason in reasons.items():
        assert reason in obstacle(path)
        with pytest.raises(RunError, match=reason):
            remove(path)
    assert len(files_of(tmp_path)) == 3 * len(files_of(run)) + 1 + 1 + 2 + 1  # thesis, link, two of `own`, a lock


@pytest.mark.parametrize("name", ["code/thesis.tex", "report.html", "epochs.csv.d", "evaluation/mine/deep"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "file"])
def test_what_nnfs_does_not_write_into_a_run_keeps_it(name: str, kind: str, made: Made, tmp_path: Path) -> None:
    path = made() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes here")
    make: dict[str, Callable[[], Any]] = {
        "link": lambda: path.symlink_to(tmp_path),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "file": lambda: path.write_text("mine"),
    }
    make[kind]()
    expected = "" if (name, kind) == ("report.html", "file") else f"holds '{name}', which nnfs did not write"
    assert expected in obstacle(tmp_path / "runs" / "flowers-1")


def test_recorded_copies_of_code_are_deleted_with_their_run(made: Made) -> None:
    path = made()
    (path / "code").mkdir()
    (path / "code" / "own.py").write_text("x = 1")
    assert "holds 'code/own.py'" in obstacle(path)
    data = json.loads((path / "data.json").read_text())
    (path / "data.json").write_text(json.dumps({**data, "code": {"own.py": "0" * 64}}))
    (path / "status.json").unlink()
    remove(path)
    assert not path.exists()


def test_a_run_is_deleted_by_any_of_its_names_but_not_from_within(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, other = made("a-1"), made("a-2")
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    monkeypatch.chdir(path / "weights")
    for name in (Path(".."), path, tmp_path / "link" / "a-1", Path("../../a-2/../a-1")):
        assert "is the current directory, or holds it" in obstacle(name)
    for name in (Path(), Path("../../..")):
        assert "is not a run directory" in obstacle(name)
    remove(Path("../../a-2/../a-2"))
    monkeypatch.chdir(tmp_path)
    remove(tmp_path / "link" / "a-1" / ".." / "a-1")
    assert [*(tmp_path / "runs").iterdir()] == []
    assert not other.exists()


def test_a_folder_that_looks_like_the_rest_of_a_removal_stays_if_it_holds_more(made: Made) -> None:
    notes = made(f".my notes.{'0' * 16}.removed") / "notes.txt"
    notes.write_text("mine")
    remove(made("a-1"))
    assert notes.read_text() == "mine"


def test_a_run_that_is_taken_in_the_last_moment_stays(
    made: Made, holder: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made()
    holder(path)
    monkeypatch.setattr(removal, "holder_of", lambda path: None)
    with pytest.raises(BlockingIOError):
        remove(path)
    assert overview(path).state == "finished"


@pytest.mark.parametrize("moment", ["rename", "unlink", "rmtree"])
def test_an_interrupted_deletion_leaves_a_run_or_none_and_the_next_one_cleans_up(
    moment: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = made("a-1"), made("a-2")

    def interrupt(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*(shutil, "rmtree") if moment == "rmtree" else (Path, moment), interrupt)
        with pytest.raises(KeyboardInterrupt):
            remove(path)
    there = {run.name for run in runs_in(path.parent)}
    assert there == ({"a-1", "a-2"} if moment == "rename" else {"a-2"})
    assert RunDirectory.newest(path.parent).path.name in there
    remove(other)
    assert [*path.parent.iterdir()] == ([path] if moment == "rename" else [])


def test_the_lock_of_a_new_run_with_the_name_of_a_deleted_one_stays(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("a-1")

    def delete(gone: Path) -> None:
        shutil.rmtree(gone)
        path.mkdir()
        (path / "lock").write_text("of another training")

    monkeypatch.setattr(removal, "_delete", delete)
    remove(path)
    assert (path / "lock").read_text() == "of another training"


# The newest run


def test_the_newest_run_names_the_damaged_ones_that_are_passed_over(made: Made) -> None:
    path, other = made("a-1"), made("a-2")
    (other / "spec.yaml").write_text("layers: []")
    with pytest.warns(NnfsWarning, match="a damaged run is not considered: .*a-2/spec.yaml is damaged or was changed"):
        assert RunDirectory.newest(path.parent).path == path
