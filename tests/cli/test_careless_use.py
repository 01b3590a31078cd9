"""Careless or malicious use: odd requests, files that change while they are read, extreme numbers."""

from __future__ import annotations

import csv
import datetime
import gc
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.file_source import STDIN, source_for
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError
from nnfs_cli.experiment import read_data
from nnfs_cli.inspection.column_kinds import profile_column
from nnfs_cli.workflows import load
from tests.conftest import Nnfs, one_message

Write = Callable[[str, str], Path]
N = 60


def config(**more: Any) -> str:
    spec = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "preprocessing": {"numbers": ["impute", "standardize"], "categories": "one_hot"},
        "layers": [{"linear": 4}, "tanh", {"linear": 1}, "sigmoid"],
        "loss": "binary_cross_entropy",
        "epochs": 2,
        **more,
    }
    return dump(spec)


def rows(n: int = N) -> str:
    numbers = np.random.default_rng(0).normal(size=n).round(3).tolist()
    return "x,w,y\n" + "".join(f"{x},{'uvw'[i % 3]},{'ab'[i % 2]}\n" for i, x in enumerate(numbers))


@pytest.fixture
def trained(inside: Nnfs, write: Write) -> Nnfs:
    """The commands, in a folder with a table t.csv and a net of it."""
    write("t.csv", rows())
    write("c.yaml", config())
    assert inside("train", "c.yaml", "--quiet").returncode == 0
    return inside


def refusal(done: Any) -> str:
    """The error message of a refused command, without the line that names the run."""
    assert (done.returncode, done.stdout) == (2, "")
    *_, last = done.stderr.splitlines()
    return str(last)


def table_of(done: Any) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout, newline=""), strict=True))


# Odd requests


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        ('"a,b",k', ["a,b", "k"]),
        ("a,b", ["a,b"]),
        ("k", ["k"]),
        ("k,k", ["k"]),
        (",k,", ["k"]),
        ('say "hi"', ['say "hi"']),
        ("l\nm", ["l\nm"]),
        ("=z", ["'=z"]),
        ("score_math", ["score_math"]),
        ("", []),
    ],
)
def test_columns_of_any_name_are_kept(trained: Nnfs, write: Write, keep: str, names: list[str]) -> None:
    write("n.csv", 'x,"a,b",k,"say ""hi""","l\nm",=z,score_math,w\n1,5,6,7,8,9,10,u\n')
    header, row = table_of(trained("predict", "--input", "n.csv", "--keep", keep))
    assert header == [*names, "prediction", "probability_a", "probability_b"]
    there = {"a,b": "5", "k": "6", 'say "hi"': "7", "l\nm": "8", "'=z": "9", "score_math": "10"}
    assert row[: len(names)] == [there[name] for name in names]


def test_kept_column_of_a_prediction_s_name_is_refused_and_others_like_it_are_not(trained: Nnfs, write: Write) -> None:
    write("n.csv", "x,w,prediction,probability_c\n1,u,5,6\n")
    message = refusal(trained("predict", "--input", "n.csv", "--keep-all"))
    assert "the column 'prediction' cannot be kept: a column of predictions has that name" in message
    header, _ = table_of(trained("predict", "--input", "n.csv", "--keep", "probability_c"))
    assert header[0] == "probability_c"


@pytest.mark.parametrize("name", ["t*.csv", "./t.csv", "link.csv", "other/../t.csv"])
def test_output_is_never_the_input_by_whatever_name(trained: Nnfs, tmp_path: Path, name: str) -> None:
    before = (tmp_path / "t.csv").read_bytes()
    os.symlink("t.csv", tmp_path / "link.csv")
    (tmp_path / "other").mkdir()
    assert "t.csv is the input" in refusal(trained("predict", "--input", name, "--output", "t.csv"))
    assert (tmp_path / "t.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--delimiter", "ab"], "--delimiter: expected a single character"),
        (["--delimiter", '"'], "--delimiter: expected a single character"),
        (["--delimiter", "\n"], "--delimiter: expected a single character"),
        (["--encoding", "hex"], "--encoding: expected the name of a text encoding"),
        (["--encoding", "punycode"], "--encoding: expected the name of a text encoding"),
        (["--encoding", "utf-32"], "not encoded in utf-32"),
        (["--output", "t.csv", "--force"], "t.csv is the table itself"),
        (["--output", "link.yaml", "--force"], "link.yaml is the table itself"),
    ],
)
def test_init_refuses_in_one_line(inside: Nnfs, write: Write, tmp_path: Path, words: list[str], message: str) -> None:
    before = write("t.csv", rows()).read_bytes()
    os.symlink("t.csv", tmp_path / "link.yaml")
    assert message in one_message(inside("init", "t.csv", "--target", "y", *words), 2)
    assert (tmp_path / "t.csv").read_bytes() == before


def test_a_tab_may_be_given_as_backslash_t(inside: Nnfs, write: Write) -> None:
    write("t.csv", rows().replace(",", "\t"))
    assert inside("init", "t.csv", "--target", "y", "--delimiter", r"\t").returncode == 0
    assert load(Path("t.yaml")).dataset.target_columns() == ("y",)


def test_messages_call_stdin_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, message in ((b"", "stdin is empty"), (b"x,w\n", "stdin has a header"), (b"x,w\n1\n", "stdin, line 2")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        source = source_for(STDIN, Csv(path=Path("t.csv"), target="y"))
        with pytest.raises(DataError, match=message):
            list(source.chunks({"x": "number"}))


def test_rows_without_a_prediction_are_counted_and_none_is_a_blank_line(trained: Nnfs, write: Write) -> None:
    write("r.yaml", config(dataset={"csv": {"path": "r.csv", "target": "y"}}, loss="mse", layers=[{"linear": 1}]))
    write("r.csv", rows().replace(",a\n", ",1\n").replace(",b\n", ",2\n"))
    assert trained("train", "r.yaml", "--quiet").returncode == 0
    write("n.csv", "x,w\n1,u\n2,zz\n")
    done = trained("predict", "--input", "n.csv", "--on-error", "null")
    assert len(table_of(done)) == 3
    assert "1 of 2 rows cannot be used and has an empty prediction; the first: n.csv, line 3: column 'w'" in done.stderr
    write("n.csv", "x,w\nq,u\n2,zz\n")
    done = trained("predict", "--input", "n.csv", "--on-error", "skip")
    assert table_of(done) == [["prediction"]]
    assert "2 of 2 rows cannot be used and are left out; the first: n.csv, line 2: column 'x'" in done.stderr


def test_drift_counts_the_rows_that_cannot_be_predicted_too(trained: Nnfs, write: Write) -> None:
    """They may be the rows that have drifted."""
    write("n.csv", "x,w\n1,u\n2,zz\n3,zz\n,v\n")
    done = trained("predict", "--input", "n.csv", "--on-error", "null", "--drift")
    lines = [line.split() for line in done.stderr.splitlines()]
    (words,) = (line for line in lines if line[:1] == ["'w'"])
    assert words[3:5] == ["50.0", "%"]


def test_a_parquet_output_that_fails_half_way_leaves_nothing_and_one_message(
    trained: Nnfs, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 200)
    problems: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", problems.append)
    write("n.csv", rows(500) + "1,zz,\n")
    assert "n.csv, line 502" in refusal(trained("predict", "--input", "n.csv", "--output", "o.parquet"))
    gc.collect()
    assert problems == []
    assert not list(tmp_path.glob("*o.parquet*"))


def test_kept_column_has_one_type_in_all_files(trained: Nnfs, tmp_path: Path) -> None:
    for i, kept in enumerate(([1, 2], ["1", "x"])):
        columns = {"x": [0.5, 1.5], "w": ["u", "v"], "k": kept}
        parquet.write_table(pa.table(columns), tmp_path / f"p{i}.parquet")
    words = ["predict", "--input", "p*.parquet", "--keep", "k"]
    assert "column 'k' is string, but int64 in earlier rows" in refusal(trained(*words, "--output", "o.parquet"))
    assert [row[1] for row in table_of(trained(*words))] == ["k", "1", "2", "1", "x"]


# Extreme numbers


def test_a_prediction_that_is_not_finite_is_refused_or_null(inside: Nnfs, write: Write) -> None:
    table = rows()
    write("t.csv", table.replace(",a\n", ",-900\n").replace(",b\n", ",900\n"))
    net = {"layers": [{"linear": {"units": 4, "init": {"normal": 9.0}}}, {"linear": 1}]}
    write("c.yaml", config(**net, loss="mse", lr=1e-9, preprocessing={"categories": "one_hot", "target": "none"}))
    assert inside("train", "c.yaml", "--quiet").returncode == 0
    write("n.csv", "x,w\n1,u\n1e38,u\n1,v\n")
    assert "n.csv, line 3: the net's output is not a finite number" in refusal(inside("predict", "--input", "n.csv"))
    done = inside("predict", "--input", "n.csv", "--on-error", "null")
    answers = [row[0] for row in table_of(done)]
    assert [bool(answer) for answer in answers] == [True, True, False, True]
    assert "the first: n.csv, line 3: the net's output" in done.stderr


def test_numbers_at_the_ends_of_floating_point_are_checked_and_compared(inside: Nnfs, write: Write) -> None:
    write("t.csv", "x,y\n" + "1e308,a\n-1e308,b\n" * 20)
    write("c.yaml", config(preprocessing={"numbers": ["log1p", "standardize"]}))
    for words in (["check", "c.yaml"], ["train", "c.yaml"], ["predict", "--input", "t.csv", "--drift"]):
        done = inside(*words)
        assert done.returncode == 0, done.stderr
        assert "far outside" not in done.stderr


@pytest.mark.parametrize(
    ("cell", "hint"),
    [("1,5", "decimal: ','"), ("1.234,5", "without a mark between thousands"), ("1'234", "between thousands")],
)
def test_numbers_in_another_notation_are_never_read_as_categories(
    inside: Nnfs, write: Write, cell: str, hint: str
) -> None:
    write("t.csv", "x;y\n" + "".join(f"{cell};{'ab'[i % 2]}\n" for i in range(9)))
    write("c.yaml", config(dataset={"csv": {"path": "t.csv", "target": "y", "delimiter": ";"}}))
    done = inside("train", "c.yaml", "--quiet")
    assert done.returncode == 2
    assert "t.csv, line 2: column 'x' should hold numbers" in done.stderr
    assert hint in done.stderr


def test_codes_that_differ_only_by_their_zeros_are_categories() -> None:
    assert profile_column(Table("t.csv", {"x": np.array([1067, 1067, 815])}), "x", code=True).kind == "category"


def test_durations_are_seconds(tmp_path: Path) -> None:
    took = [datetime.timedelta(days=1, microseconds=500_000), None, datetime.timedelta(seconds=-2)]
    for unit in ("s", "ms", "us", "ns"):
        column = pa.array(took, pa.duration("us")).cast(pa.duration(unit), safe=False)
        parquet.write_table(pa.table({"t": column, "y": [1, 2, 3]}), tmp_path / "t.parquet")
        found = Parquet(path=tmp_path / "t.parquet", target="y").read().numbers("t", gaps=True)
        np.testing.assert_array_equal(found, [86_400 + 0.5 * (unit != "s"), np.nan, -2])


@pytest.mark.parametrize("kind", [pa.timestamp("ms"), pa.date32()])
def test_dates_beyond_the_resolution_are_refused_and_never_changed(tmp_path: Path, kind: Any) -> None:
    size = pa.int32() if pa.types.is_date32(kind) else pa.int64()
    column = pa.array([0, 2**30 if size == pa.int32() else 2**62], size).cast(kind)
    parquet.write_table(pa.table({"t": column, "y": [1, 2]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="column 't' is"):
        Parquet(path=tmp_path / "t.parquet", target="y").read().dates("t")


def test_message_of_a_step_names_the_table(inside: Nnfs, write: Write) -> None:
    write("t.csv", "x,y\n" + "1e308,a\n-1e308,b\n" * 9)
    write("c.yaml", config(preprocessing={"numbers": "min_max"}))
    assert one_message(inside("train", "c.yaml"), 2).startswith("error: t.csv: column 'x' holds numbers too far apart")


# Names and cells with line breaks and of great length


def test_a_message_is_one_line_whatever_the_names_and_cells_hold(trained: Nnfs, write: Write) -> None:
    long = "z" * 5_000
    for content in (
        f'"x\ny",w\n{long},u\n',
        f'x,w\n"1\n{long}",u\n',
        'x,w\n1,"u\nv"\n',
        f'"{long}\n{long}",x\n1,2\n',
        'x,w,"a\nb","a\nb"\n1,u,3,4\n',
    ):
        write("n.csv", content)
        message = refusal(trained("predict", "--input", "n.csv"))
        assert message.startswith("error: n.csv")
        assert len(message) < 400


# Files that are not held in memory


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with a memory limit is never held in memory."""
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**12)


@pytest.mark.usefixtures("streamed")
def test_column_that_cannot_be_read_is_refused_however_large_the_file_is(tmp_path: Path, write: Write) -> None:
    columns = {"x": np.arange(90.0), "l": [[1]] * 90, "y": ["a", "b"] * 45}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    dataset: dict[str, Any] = {"path": "t.parquet", "target": "y"}
    for limit in ({}, {"memory_limit": "2 MB"}):
        with pytest.raises(DataError, match=r"column 'l' is list<.*\n.*\n  drop: \[l\] "):
            workflows.prepare(Config.load(write("c.yaml", config(dataset={"parquet": dataset}, **limit))))
    left = write("c.yaml", config(dataset={"parquet": {**dataset, "drop": "l"}}, memory_limit="2 MB"))
    assert workflows.prepare(Config.load(left)).predictor.encoder.names == ("x",)


@pytest.mark.usefixtures("streamed")
def test_text_far_down_in_a_column_of_numbers_is_named_with_its_line(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 200)
    write("t.csv", "x,w,y\n" + "1,2,a\n3,4,b\n" * 90 + "7,oops,a\n")
    with pytest.raises(DataError, match=r"t\.csv, line 182: column 'w' should hold numbers, found 'oops'"):
        workflows.prepare(Config.load(write("c.yaml", config(memory_limit="2 MB"))))


# Files that change


@pytest.fixture
def in_motion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], None]]:
    """Replace t.csv when it is read for the n-th time."""
    whole, count = Csv._blocks, 0

    def change(content: str, when: int) -> None:
        def blocks(self: Csv) -> Any:
            nonlocal count
            count += 1
            if count == when:
                (tmp_path / "t.csv").write_text(content)
            return whole(self)

        monkeypatch.setattr(Csv, "_blocks", blocks)

    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 500)
    yield change
    assert count > 1


@pytest.mark.parametrize("when", [3, 4, 5])  # to split, to fit, to encode; before, its columns were looked at
@pytest.mark.usefixtures("streamed")
@pytest.mark.parametrize("change", ["shorter", "longer", "other order", "other words"])
def test_file_that_changes_while_it_is_streamed_is_refused(
    tmp_path: Path,
    write: Write,
    in_motion: Callable[[str, int], None],
    change: str,
    when: int,
) -> None:
    """Otherwise rows would be trained on that belong to no split, or that no version of the file holds."""
    table = rows(300)
    header, *lines = table.splitlines(keepends=True)
    changed = {
        "shorter": header + "".join(lines[:150]),
        "longer": table + "".join(lines[:150]),
        "other order": header + "".join(lines[::-1]),
        "other words": table.replace(",u,", ",v,"),
    }
    write("t.csv", table)
    os.utime(tmp_path / "t.csv", ns=(0, 0))
    spec = Config.load(write("c.yaml", config(memory_limit="2 MB")))
    in_motion(changed[change], when)
    with pytest.raises(DataError, match=r"t\.csv has changed while it was read"):
        workflows.prepare(spec)


@pytest.mark.parametrize("content", ["x,y\n1,a\n", "x,y\n1,a,2\n", "q,y\n1,a\n", "x,y\n" + "1,a\n" * 500])
def test_file_that_changes_while_it_is_read_is_refused(
    write: Write, in_motion: Callable[[str, int], None], content: str
) -> None:
    """The file is read a second time when a column of numbers turns out to hold text."""
    path = write("t.csv", "x,y\n" + "".join(f"{i},a\n" for i in range(300)) + "z,b\n")
    in_motion(content, 2)
    with pytest.raises(DataError, match=r"t\.csv has changed while it was read"):
        Csv(path=path, target="y").read()
