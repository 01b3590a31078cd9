"""Difficult files: `init`, `train` and `predict` accept them without an edit, or refuse them with advice."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from nnfs_cli.config.config import Config
from nnfs_cli.data.arrow import to_texts
from nnfs_cli.workflows import load
from tests.conftest import Nnfs, one_message

N = 60
RNG = np.random.default_rng(5)
NOISE = RNG.normal(size=N).round(3)
LABELS = ["ja", "nein", "weiß nicht"]


def text(header: str, *columns: Iterable[Any], delimiter: str = ",", line_end: str = "\n") -> bytes:
    """A CSV file with these columns, unchanged."""
    rows = [delimiter.join(map(str, row)) for row in zip(*columns, strict=True)]
    return line_end.join([header, *rows, ""]).encode()


def cycle(*cells: Any) -> list[Any]:
    return [cells[i % len(cells)] for i in range(N)]


class File(NamedTuple):
    """A file, and the labels that a net may predict; None for numbers."""

    content: bytes
    labels: set[str] | None = None
    target: str = "y"
    name: str = "t.csv"


def made() -> dict[str, File]:
    """Files, by their difficulty."""
    x, k, ab = NOISE.tolist(), cycle(1, 2, 3, 4, 5), cycle("a", "b")
    german = [f"{value:.2f}".replace(".", ",") for value in x]
    shouted = [str(value > 0).upper() for value in x]
    zoned = [f"2024-03-{1 + i % 28:02}T08:{i:02}:00+0{i % 3}:00" for i in range(N)]
    days = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(N)]
    packed = pa.compress(text("x,y", x, cycle(*LABELS)), "zstd", asbytes=True)
    tabs = {"delimiter": "\t"}
    odd_names = '" größe in m","=SUM(A1)","say ""hi""","a,b: {c}",Ziel = ?'
    return {
        "tabs": File(text("x\tk\ty", x, k, cycle(*LABELS), **tabs), set(LABELS)),
        "tabs in a file that says so": File(text("x\ty", german, ab, **tabs), {"a", "b"}, name="t.tsv"),
        "pipes": File(text("x|w|y", x, cycle("a, b", "c; d"), k, delimiter="|"), {*"12345"}),
        "old line ends": File(text("x,k,y", x, k, cycle(*LABELS), line_end="\r"), set(LABELS)),
        "decimal commas in a target": File(text("k;y", k, german, delimiter=";")),
        "NA among numbers, dates and words": File(
            text("x,d,w,y", cycle(*x[:9], "NA"), cycle(*days[:7], "NA"), cycle("NA", "ZA", "BW"), ab), {"a", "b"}
        ),
        "a truth value as target": File(text("x,k,y", x, k, map(str.lower, shouted)), {"true", "false"}),
        "a truth value in capitals": File(text("x,k,y", x, k, shouted), {"true", "false"}),
        "whole numbers as labels": File(text("x,y", x, cycle(3, 5, 8)), {"3", "5", "8"}),
        "labels with a point": File(text("x,y", x, cycle("0.0", "1.0")), {"0", "1"}),
        "negative labels": File(text("x,y", x, cycle(-1, 1)), {"-1", "1"}),
        "a packed file": File(packed, set(LABELS), name="t.csv.zst"),
        "instants of many zones": File(text("at,x,y", zoned, x, k), target="x"),
        "dates with gaps": File(text("day,x,y", cycle(*days[:7], ""), x, ab), {"a", "b"}),
        "dates out of the ordinary": File(text("d,y", cycle("0001-01-01", "1500-02-28", "9999-12-31"), x)),
        "names with spaces, quotes and =": File(
            text(odd_names, x, k, cycle("u", "v"), k[::-1], cycle("p", "q")), {"p", "q"}, "Ziel = ?"
        ),
        "labels that a spreadsheet would run": File(text("x,y", x, cycle("=1+1", "@b", "-c")), {"'=1+1", "'@b", "'-c"}),
        "labels over two lines": File(text("x,y", x, cycle('"a\nb"', '"c ""d"""')), {"a\nb", 'c "d"'}),
        "spaces around": File(text("x , y", [f" {v} " for v in x], cycle(" a", " b ")), {" a", " b "}, " y"),
        "a column called prediction": File(text("prediction,y", x, ab), {"a", "b"}),
        "1200 different words": File(text("w,v,y", (f"w{i % 1200}" for i in range(3000)), k * 50, ab * 50), {"a", "b"}),
        "an input that is empty but once": File(text("x,z,y", x, [""] * 59 + [7], ab), {"a", "b"}),
        "a number far from all others": File(text("x,y", [*x[1:], 1e30], ab), {"a", "b"}),
        "blank lines": File(text("x,y", x, cycle("a\n", "b\n\n")), {"a", "b"}),
        "no line end behind the last row": File(text("x,y", x, ab)[:-1], {"a", "b"}),
        "a folder and points in its name": File(text("x,y", x, ab), {"a", "b"}, name="a folder/t 1.2.csv"),
    }


MADE = made()


def init_and_train(inside: Nnfs, file: str, target: str, *words: str) -> Config:
    """Run `init` and a short `train` of two nets without an edit, and return the config."""
    done = inside("init", file, "--target", target, "--output", "c.yaml", *words)
    assert done.returncode == 0, done.stderr
    few = [word for change in ("epochs=2", "members=2", "early_stopping=null") for word in ("--set", change)]
    trained = inside("train", "c.yaml", "--quiet", *few)
    assert trained.returncode == 0, trained.stderr
    return load(Path("c.yaml"))


def predicted(inside: Nnfs, *words: str) -> list[dict[str, str]]:
    done = inside("predict", *words)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout, newline=""), strict=True))


@pytest.mark.parametrize("case", MADE)
def test_a_difficult_file_is_accepted_unchanged(inside: Nnfs, tmp_path: Path, case: str) -> None:
    content, labels, target, name = MADE[case]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    init_and_train(inside, name, target)
    answers = predicted(inside, "--input", name)
    assert len(answers) == (3000 if case == "1200 different words" else N)
    if labels is None:
        assert np.isfinite([float(row["prediction"]) for row in answers]).all()
    else:
        assert {row["prediction"] for row in answers} <= labels
        assert len(answers[0]) == 1 + len(labels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("größe,y\n1,a\n2,b\n".encode("cp850"), r"t\.csv, line 1: this is not UTF-8.*--encoding"),
        ("x,y\n1,a\n2,ü\n".encode("latin-1"), r"t\.csv, line 3: this is not UTF-8.*--encoding"),
        ("x,y\n1,a\n2,b\n".encode("utf-16-le"), r"t\.csv seems to be encoded in UTF-16.*--encoding utf-16"),
        (b"x,y\n", r"t\.csv has a header but no rows"),
        (b"", r"t\.csv is empty"),
        (b"\xef\xbb\xbf", r"t\.csv is empty"),
        (b"\n\n\n", r"t\.csv is empty"),
        (b"x,y,x\n1,a,2\n3,b,4\n", r"the columns 1 and 3 are both named 'x'"),
        (b"x,,y\n1,a,2\n3,b,4\n", r"column 2 has no name"),
        (b"x,y\n1,a\n", r"1 row; training needs at least two"),
        (b"x,y\n1,a\n2,a\n", r"the target 'y' is always 'a'"),
        (b"x,y\n1,a,7\n2,b\n", r"t\.csv, line 2: 3 cells where the header has 2"),
        (b'x,y\n1,"a\n2,b\n', r"t\.csv, line 2: a quote is opened and never closed"),
        (b'x,z,y\n1,"u,a\n2,"v",b\n', r"t\.csv, line 2: cell 2 continues after its closing quote"),
        (b"x,y\n1,a\n2,b\0\n", r"t\.csv.*zero byte|t\.csv.*UTF-16"),
        (b"PK\x03\x04" + bytes(40), r"t\.csv"),
        (b"x,y\n1,\xf0\x9f\x98\n2,b\n", r"t\.csv, line 2: this is not UTF-8"),
    ],
    ids=repr,
)
def test_a_file_that_is_not_a_table_is_refused_with_one_message(
    inside: Nnfs, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert re.search(message, one_message(inside("init", "t.csv", "--target", "y"), 2))
    assert not (tmp_path / "t.yaml").exists()


def test_a_file_in_another_encoding_is_accepted_once_the_encoding_is_set(inside: Nnfs, tmp_path: Path) -> None:
    content = text("größe,Straße,y", NOISE.tolist(), cycle("Köln", "Łódź"), cycle("süß", "sauer"))
    for encoding in ("cp1250", "utf-16", "utf-8-sig"):
        (tmp_path / "t.csv").write_bytes(content.decode().encode(encoding))
        spec = init_and_train(inside, "t.csv", "y", "--encoding", encoding, "--force")
        assert set(spec.dataset.names()) == {"größe", "Straße", "y"}
        assert {row["prediction"] for row in predicted(inside, "--input", "t.csv")} <= {"süß", "sauer"}


def test_leading_zeros_of_codes_are_kept_from_init_to_predict(inside: Nnfs, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(text("plz,y", cycle("01067", "1067", "99999"), cycle("a", "b", "b")))
    spec = init_and_train(inside, "t.csv", "y")
    assert spec.preprocessing.kinds == {"plz": "category"}
    (tmp_path / "new.csv").write_text("plz\n01067\n1067\n")
    first, second = predicted(inside, "--input", "new.csv", "--keep", "plz")
    assert (first["plz"], second["plz"]) == ("01067", "1067")
    assert first["probability_a"] != second["probability_a"]


def parquet_columns() -> dict[str, Any]:
    """Columns of nearly every type of Parquet."""
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(7 * i) for i in range(N)]
    instants = [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=7 * i) for i in range(N)]
    words = pa.array(cycle("u", "v", None)).dictionary_encode()
    return {
        "i8": pa.array(cycle(1, 2, None), pa.int8()),
        "u64": pa.array([2**63 + int(i) for i in RNG.integers(0, 2**40, N)], pa.uint64()),
        "f16": pa.array(NOISE.astype(np.float16)),
        "f32": pa.array(np.where(np.arange(N) % 7, NOISE, np.nan), pa.float32()),
        "money": pa.array([decimal.Decimal(f"{value:.2f}") for value in NOISE], pa.decimal128(9, 2)),
        "flag": pa.array(cycle(True, None, False)),
        "day": pa.array(days, pa.date32()),
        "at": pa.array(instants, pa.timestamp("ns", "Europe/Berlin")),
        "old": pa.array([datetime.date(1500 + i, 1, 1) for i in range(N)], pa.date64()),
        "words": words,
        "large": pa.array(cycle("p", "q"), pa.large_string()),
        "codes": pa.DictionaryArray.from_arrays(pa.array(cycle(0, 1, 2, None), pa.int16()), pa.array([10, 20, 30])),
        "nothing": pa.nulls(N),
        "list": pa.array([[1, 2]] * N),
        "struct": pa.array([{"a": 1}] * N),
        "bytes": pa.array([b"\xff\x00"] * N),
        "clock": pa.array([datetime.time(8, i) for i in range(N)], pa.time32("s")),
        "took": pa.array([datetime.timedelta(i) for i in range(N)]),
    }


@pytest.mark.parametrize("target", ["a", "b", "c", "d", "money"])
def test_a_parquet_file_of_many_types_is_accepted_unchanged(inside: Nnfs, tmp_path: Path, target: str) -> None:
    targets = {"a": cycle("x", "y"), "b": cycle(True, False), "c": pa.array(cycle("x", "y", "z")).dictionary_encode()}
    targets["d"] = pa.array(cycle(1, 2), pa.int32())
    columns = parquet_columns() | ({target: targets[target]} if target in targets else {})
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=17)
    spec = init_and_train(inside, "t.parquet", target)
    assert {"list", "struct", "bytes", "nothing"} <= set(spec.dataset.dropped_columns())
    done = inside("predict", "--input", "t.parquet", "--output", "out.parquet", "--keep", "day,words,codes,list")
    assert done.returncode == 0, done.stderr
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found["day"].to_pylist() == columns["day"].to_pylist()
    assert found["codes"].to_pylist() == columns["codes"].to_pylist()
    assert found["list"].to_pylist() == columns["list"].to_pylist()
    answers = found["prediction"].to_pylist()
    wanted: dict[str, set[Any]] = {"a": {"x", "y"}, "b": {True, False}, "c": {"x", "y", "z"}, "d": {1, 2}}
    assert set(answers) <= wanted[target] if target in wanted else np.isfinite(answers).all()


def strings(cells: Iterable[bytes], kind: Any) -> Any:
    """A column of Arrow of these strings, which need not be UTF-8."""
    cells = list(cells)
    ends = np.cumsum([0, *map(len, cells)]).astype(np.int64 if pa.types.is_large_string(kind) else np.int32)
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(cells))]
    return pa.Array.from_buffers(kind, len(cells), buffers)


SHADES = [*cycle(b"red", b"blue")[:40], b"gr\xfcn", *cycle(b"red", b"blue")[41:]]
NOT_UTF8 = {str(kind): strings(SHADES, kind) for kind in (pa.string(), pa.large_string())}
NOT_UTF8 |= {f"dictionary of {name}": column.dictionary_encode() for name, column in NOT_UTF8.items()}


@pytest.mark.parametrize("kind", NOT_UTF8)
def test_parquet_text_that_is_not_utf8_is_refused_with_row_and_column(kind: str, inside: Nnfs, tmp_path: Path) -> None:
    good = {"x": NOISE, "y": cycle("a", "b"), "shade": cycle("red", "blue")}
    parquet.write_table(pa.table(good), tmp_path / "good.parquet")
    parquet.write_table(pa.table(good | {"shade": NOT_UTF8[kind]}), tmp_path / "bad.parquet", row_group_size=17)
    settings = "preprocessing: {categories: one_hot}\nlayers: [{linear: 1}, sigmoid]\nloss: binary_cross_entropy\n"
    for name, dataset in {
        "good": "{path: good.parquet, target: y}",
        "bad": "{path: bad.parquet, target: y}",
        "without": "{path: good.parquet, target: y, drop: shade}",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(f"dataset: {{parquet: {dataset}}}\n{settings}epochs: 1\n")
    for name in ("good", "without"):
        done = inside("train", f"{name}.yaml", "--quiet")
        assert done.returncode == 0, done.stderr

    problem = r"bad.parquet, row 41: column 'shade' should hold texts in UTF-8, found b'gr\xfcn'; save"
    for command in (
        ["init", "bad.parquet", "--target", "y"],
        ["train", "bad.yaml", "--quiet"],
        ["check", "bad.yaml"],
        ["predict", "--run", "runs/good-1", "--input", "bad.parquet"],
        ["predict", "--run", "runs/good-1", "--input", "bad.parquet", "--on-error", "skip"],
        ["predict", "--run", "runs/without-1", "--input", "bad.parquet", "--keep", "shade"],
        ["evaluate", "runs/good-1", "--input", "bad.parquet"],
    ):
        assert problem in one_message(inside(*command), 2), command
    assert inside("predict", "--run", "runs/without-1", "--input", "bad.parquet").returncode == 0


def test_parquet_dictionary_may_hold_a_text_that_is_not_utf8_and_in_no_row() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 2, None, 0]), strings([b"a", b"\xff", b"b"], pa.string()))
    assert to_texts(column).tolist() == ["a", "b", None, "a"]


def test_parquet_column_name_that_is_not_utf8_is_refused(inside: Nnfs, tmp_path: Path) -> None:
    schema = pa.schema([pa.field(b"gr\xf6\xdfe", pa.float64()), ("y", pa.string())])
    table = pa.Table.from_arrays([pa.array(NOISE), pa.array(cycle("a", "b"))], schema=schema)
    parquet.write_table(table, tmp_path / "t.parquet")
    done = inside("init", "t.parquet", "--target", "y")
    assert r"t.parquet: the name of a column is not UTF-8, found b'gr\xf6\xdfe'; rename" in one_message(done, 2)


def test_predictions_are_the_same_from_csv_and_from_parquet(inside: Nnfs, tmp_path: Path) -> None:
    """They do not depend on the format that the net was trained on either."""
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(11 * i) for i in range(N)]
    columns: dict[str, list[Any]] = {
        "x": [None if i == 3 else float(value) for i, value in enumerate(NOISE)],
        "k": cycle(1, 2, 3),
        "flag": cycle(True, False, None),
        "word": cycle("u", "v w", None),
        "day": [None if i % 9 == 0 else day for i, day in enumerate(days)],
        "y": cycle("a", "b"),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    words = [
        ["" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in column]
        for column in columns.values()
    ]
    (tmp_path / "t.csv").write_bytes(text(",".join(columns), *words))
    for file in ("t.csv", "t.parquet"):
        init_and_train(inside, file, "y", "--force")
        one, other = (predicted(inside, "--input", name) for name in ("t.csv", "t.parquet"))
        assert len(one) == N
        assert one == other
