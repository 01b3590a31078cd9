"""What `predict` says and writes beside the answers: rows it cannot use, columns kept, rows far from the training."""

from __future__ import annotations

import io
import json
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from pyarrow.csv import read_csv

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DataError, NnfsWarning, UserError
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, one_message

LINES = [f"{2020 + i // 12 % 2}-{1 + i % 12:02}-15,{i % 10},{'uvw'[i % 3]},{i % 10 + 5 * (i % 3)}" for i in range(60)]
ROWS = "day,n,word,y\n" + "\n".join(LINES) + "\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "t.csv").write_text(ROWS)
    config = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "preprocessing": {"categories": {"one_hot": {"unseen": "other"}}, "dates": "calendar"},
        "layers": [{"linear": 1}],
        "loss": "mse",
        "epochs": 5,
        "split": 0,
    }
    (folder / "c.yaml").write_text(json.dumps(config))
    experiment = workflows.prepare(Config.load(folder / "c.yaml"))
    made = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, made)
    return made


def complaints(run: RunDirectory, path: Path, **options: object) -> tuple[list[str], dict[str, object]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NnfsWarning)
        answers = workflows.batch_predictor(run, path, **options).all()  # type: ignore[arg-type]
    return [str(warning.message) for warning in caught], answers


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2020-05-15,5,u", ""),
        ("2020-05-15,50,u", "1 of 2 rows lies far outside the training rows ('n' is 50; training rows have 0 to 9)"),
        ("2030-05-15,5,u", "('day' is 2030-05-15; training rows have 2020-01-15 to 2021-12-15)"),
        ("2020-05-15,5,x", "('word' is 'x'; no training row has it)"),
    ],
)
def test_rows_far_from_the_training_rows_are_named(
    run: RunDirectory, write: Callable[[str, str], Path], row: str, message: str
) -> None:
    said, answers = complaints(run, write("new.csv", f"day,n,word\n2020-05-15,5,u\n{row}\n"))
    assert len(answers["prediction"]) == 2  # type: ignore[arg-type]
    assert len(said) == bool(message)
    assert message in " ".join(said)


def test_unknown_columns_are_warned_about_once_and_known_ones_are_not(
    run: RunDirectory, write: Callable[[str, str], Path]
) -> None:
    said, _ = complaints(run, write("new.csv", "more,day,y,n,word,even more\n1,2020-05-15,,5,u,\n"))
    assert said == ["new.csv has 2 columns that were not trained on: 'more', 'even more'"]


BAD = "id,day,n,word\na,2020-05-15,5,u\nb,soon,5,u\nc,2020-05-15,,u\nd,2020-05-15\ne,2020-06-15,7,v\n"


def test_bad_rows_stop_are_skipped_or_have_no_answer(run: RunDirectory, write: Callable[[str, str], Path]) -> None:
    path = write("bad.csv", BAD)
    with pytest.raises(DataError, match=r"bad.csv, line 3: column 'day' should hold dates"):
        workflows.batch_predictor(run, path).all()
    said, skipped = complaints(run, path, on_error="skip", keep=["id"])
    assert skipped["id"].to_pylist() == ["a", "e"]  # type: ignore[attr-defined]
    assert said == [
        "3 of 5 rows cannot be used and are left out; the first: bad.csv, line 3: column 'day' should hold dates, as in"
        " 2026-01-31 or 2026-01-31 12:30:00, found 'soon'"
    ]
    said, emptied = complaints(run, path, on_error="null", keep=["id"])
    assert emptied["id"].to_pylist() == ["a", "b", "c", None, "e"]  # type: ignore[attr-defined]
    found = emptied["prediction"].to_pylist()  # type: ignore[attr-defined]
    assert [value is None for value in found] == [False, True, True, True, False]
    assert [found[0], found[4]] == list(skipped["prediction"])  # type: ignore[call-overload]
    assert "3 of 5 rows cannot be used and have empty predictions" in said[0]


def test_a_column_to_keep_must_be_there_and_have_a_name_of_its_own(
    run: RunDirectory, write: Callable[[str, str], Path]
) -> None:
    path = write("new.csv", "day,n,word,prediction\n2020-05-15,5,u,1\n")
    with pytest.raises(DataError, match="no column 'wrod'; did you mean 'word'"):
        complaints(run, path, keep=["wrod"])
    with pytest.raises(UserError, match="the column 'prediction' cannot be kept"):
        complaints(run, path, keep="all")


def test_the_command_keeps_columns_compares_and_writes_parquet(run: RunDirectory, tmp_path: Path, inside: Nnfs) -> None:
    (tmp_path / "new.csv").write_text("day,n,word,id\n" + "2020-05-15,5,u,=1+1\n" * 250)
    done = inside("predict", "--run", run.path, "--input", "new.csv", "--keep", "id, n", "--drift")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "id,n,prediction"
    assert done.stdout.splitlines()[1].startswith("'=1+1,5,")
    assert "psi" in done.stderr
    assert "large" in done.stderr
    done = inside("predict", "--run", run.path, "--input", "new.csv", "--keep-all", "--output", "out.parquet")
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["day", "n", "word", "id", "prediction"]
    assert table["id"][0].as_py() == "=1+1"
    assert table.num_rows == 250


def test_several_files_are_predicted_in_order_and_each_row_names_its_file(
    run: RunDirectory, tmp_path: Path, inside: Nnfs
) -> None:
    (tmp_path / "a.csv").write_text("day,n,word,id\n2020-05-15,5,u,1\n2020-05-16,6,v,2\n")
    (tmp_path / "b.csv").write_text("id,word,n,day,more\n3,w,7,2020-05-17,x\n")
    parquet.write_table(read_csv(tmp_path / "a.csv"), tmp_path / "c.parquet")
    words = ["predict", "--run", run.path, "--input", "b.csv", "--input", "*.csv", "--input", "c.parquet"]
    done = inside(*words, "--keep", "n")
    assert done.returncode == 0, done.stderr
    header, *lines = [line.split(",") for line in done.stdout.splitlines()]
    assert header == ["file", "n", "prediction"]
    assert [line[:2] for line in lines] == [
        ["b.csv", "7"], ["a.csv", "5"], ["a.csv", "6"], ["c.parquet", "5"], ["c.parquet", "6"],
    ]  # fmt: skip
    alone = inside("predict", "--run", run.path, "--input", "a.csv", "--quiet").stdout.splitlines()[1:]
    assert [line[2] for line in lines] == [lines[0][2], *alone, *alone]
    assert done.stderr.count("b.csv has 2 columns that were not trained on: 'id', 'more'") == 1
    done = inside("predict", "--run", run.path, "--input", "*.csv", "--keep-all", "--output", "o.parquet")
    assert parquet.read_table(tmp_path / "o.parquet").column_names == ["file", "day", "n", "word", "id", "prediction"]


def test_what_is_wrong_in_one_of_several_files_is_said_of_that_file(
    run: RunDirectory, tmp_path: Path, inside: Nnfs
) -> None:
    (tmp_path / "a.csv").write_text("day,n,word\n2020-05-15,5,u\n")
    (tmp_path / "b.csv").write_text("day,n,word\n2020-05-15,5,u\n2020-05-15,many,u\n")
    (tmp_path / "c.csv").write_text("day,word\n2020-05-15,u\n")
    words = ["predict", "--run", run.path, "--quiet", "--input", "a.csv", "--input"]
    assert "error: b.csv, line 3: column 'n' should hold numbers" in one_message(inside(*words, "b.csv"), 2)
    assert "error: c.csv lacks 1 column: 'n'" in one_message(inside(*words, "c.csv"), 2)
    assert "error: there is no file d.csv" in one_message(inside(*words, "d.csv"), 2)
    assert "error: b.csv is the input" in one_message(inside(*words, "b.csv", "--output", "b.csv"), 2)
    (tmp_path / "d.csv").write_text("day,n,word,file\n2020-05-15,5,u,x\n")
    message = one_message(inside(*words, "d.csv", "--keep", "file"), 2)
    assert "the column 'file' cannot be kept: the files of the rows have this name; rename it" in message


def test_stdin_gives_what_the_file_gives(run: RunDirectory, tmp_path: Path, nnfs: Nnfs) -> None:
    content = "day,n,word\n" + "2020-05-15,5,u\n" * 3
    (tmp_path / "new.csv").write_text(content)
    from_file = nnfs("predict", "--run", run.path, "--input", "new.csv")
    from_stdin = nnfs("predict", "--run", run.path, "--input", "-", input=content)
    assert from_file.returncode == from_stdin.returncode == 0, from_stdin.stderr
    assert from_stdin.stdout == from_file.stdout
    assert len(list(io.StringIO(from_stdin.stdout))) == 4


def test_few_rows_and_no_answer_at_all_are_said(run: RunDirectory, tmp_path: Path, inside: Nnfs) -> None:
    (tmp_path / "new.csv").write_text("day,n,word\n2020-05-15,many,u\n")
    done = inside("predict", "--run", run.path, "--input", "new.csv", "--on-error", "skip", "--drift")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "prediction\n"
    assert "1 of 1 row cannot be used and is left out" in done.stderr


@pytest.mark.parametrize("workers", [1, 3])
def test_blocks_that_threads_share_are_answered_in_order(
    workers: int, run: RunDirectory, write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("new.csv", "day,n,word\n" + "".join(f"2020-05-15,{i % 9 + i / 500},u\n" for i in range(500)))
    whole = workflows.predict(run, path)["prediction"]
    monkeypatch.setattr("nnfs_cli.data.csv.blocks.BLOCK_BYTES", 400)
    monkeypatch.setattr("nnfs_cli.system.parallel_map.WORKERS", workers)
    blocks = list(workflows.batch_predictor(run, path))
    assert len(blocks) > 20
    assert np.concatenate([block["prediction"] for block in blocks]).tolist() == pytest.approx(whole.tolist(), rel=1e-6)


def test_the_first_row_that_cannot_be_used_is_named_although_threads_share_the_blocks(
    run: RunDirectory, write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["2020-05-15,5,u"] * 100
    rows[40] = rows[90] = "2020-05-15,many,u"
    path = write("new.csv", "\n".join(["day,n,word", *rows]) + "\n")
    monkeypatch.setattr("nnfs_cli.data.csv.blocks.BLOCK_BYTES", 64)

    with pytest.raises(DataError, match="line 42"):
        list(workflows.batch_predictor(run, path))
    threads = threading.enumerate()
    assert not [thread for thread in threads if thread.name.startswith("ThreadPool")]
