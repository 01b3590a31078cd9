"""Reading CSV and Parquet by the kinds of columns, whole or in chunks, and writing tables."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from pydantic import ValidationError

from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.csv.writer import CsvWriter, write_csv
from nnfs_cli.data.dates import parse_date
from nnfs_cli.data.file_source import STDIN, source_for
from nnfs_cli.data.generated import Moons
from nnfs_cli.data.labels import class_indices, find_classes
from nnfs_cli.data.npz import Npz
from nnfs_cli.data.numbers import is_number, parse_number
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.data.table import SKIP, Column, Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.write_table import writer_for
from nnfs_cli.errors import ConfigError, DataError, UserError
from nnfs_cli.system.matching import matching_files

SMALL = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
Make = Callable[..., Csv]


@pytest.fixture
def source(tmp_path: Path) -> Make:
    def make(content: str | bytes, name: str = "t.csv", **options: Any) -> Csv:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Csv(**{"path": path, "target": "y", **options})

    return make


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda size: monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", size)


def cells(column: Column) -> list[object]:
    """The cells of a column, with None for gaps."""
    values: list[object] = column.tolist()
    return [None if value != value else value for value in values]


def below(tables: list[Table], name: str) -> list[object]:
    return [cell for table in tables for cell in cells(table.column(name))]


def message(read: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        read()
    return str(caught.value)


# --- by kinds ---------------------------------------------------------------------------------------------------------


MIXED = (
    "id,zip,n,d,b,g,t,y\n"
    "1,01067,1.5,2020-01-01,true,,u,1\n"
    "2,04109,,2020-01-02 12:30,,,v,0\n"
    "3,x,2,,false,,,1\n"
)  # fmt: skip
DAYS = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2, 12, 30), None]


def test_all_cells_of_a_column_decide_its_kind(source: Make) -> None:
    table = source(MIXED).read()
    assert {name: cells(column) for name, column in table.columns.items()} == {
        "id": [1, 2, 3],
        "zip": ["01067", "04109", "x"],
        "n": [1.5, None, 2.0],
        "d": DAYS,
        "b": [1.0, None, 0.0],
        "g": [None, None, None],
        "t": ["u", "v", None],
        "y": [1, 0, 1],
    }
    kinds = {name: table.kind(name) for name in table.columns}
    assert source(MIXED).kinds() == kinds
    assert kinds["g"] == kinds["b"] == "number"


def test_texts_are_exactly_those_of_the_file(source: Make) -> None:
    content = "a,y\n01067,1\n1.50,0\nTRUE,1\n2020-01-01,0\n1e3,1\n"
    assert source(content).read({"a": "category"}).column("a").tolist() == [
        "01067",
        "1.50",
        "TRUE",
        "2020-01-01",
        "1e3",
    ]


def test_dropped_columns_are_not_converted(source: Make) -> None:
    table = source("a,b,y\n1,x,1\n2,nan,0\n", drop="b").read({"b": "number"})
    assert list(table.columns) == ["a", "y"]
    assert table.not_read == ("b",)
    assert source("a,b,y\n1,x,1\n", drop="b").kinds() == {"a": "number", "y": "number"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("1\n2\n2.5\n", [1, 2, 2.5], id="whole then broken"),
        pytest.param("1\n2\nx\n", ["1", "2", "x"], id="whole then text"),
        pytest.param("1\ntrue\n", ["1", "true"], id="whole then switch"),
        pytest.param("01\n1.50\ntrue\nx\n", ["01", "1.50", "true", "x"], id="everything"),
        pytest.param("2020-01-01\n2020-01-02 10:00\n", [*DAYS[:1], datetime.datetime(2020, 1, 2, 10)], id="dates"),
        pytest.param("2020-01-01\nsoon\n", ["2020-01-01", "soon"], id="date then text"),
        pytest.param("10:30\n11:30\n", ["10:30", "11:30"], id="times of day"),
        pytest.param("true\nFALSE\n", [True, False], id="switches"),
        pytest.param("1\n0x1F\n", ["1", "0x1F"], id="hexadecimals are words"),
        pytest.param("2020-01-01T12:00Z\n2020-01-01T12:00+02:00\n",
                     [datetime.datetime(2020, 1, 1, 12), datetime.datetime(2020, 1, 1, 10)], id="zones become UTC"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [4, 1 << 20])
def test_kinds_do_not_depend_on_where_blocks_end(
    source: Make, small_blocks: Callable[[int], None], content: str, expected: list[object], size: int
) -> None:
    small_blocks(size)
    one = source("y\n" + content)
    table = one.read()
    assert cells(table.column("y")) == expected
    assert one.kinds() == {"y": table.kind("y")}
    assert below(list(one.chunks(one.kinds())), "y") == [float(v) if isinstance(v, bool | int) else v for v in expected]


def test_gaps_may_fill_a_block_of_any_kind(source: Make, small_blocks: Callable[[int], None]) -> None:
    small_blocks(8)
    gaps = ",,,,\n" * 5
    table = source(f"i,t,d,s,y\n{gaps}1,u,2020-01-01,true,0.5\n{gaps}").read()
    assert {name: cells(column)[5] for name, column in table.columns.items()} == {
        "i": 1, "t": "u", "d": DAYS[0], "s": 1, "y": 0.5
    }  # fmt: skip
    assert all(cells(column)[:5] == cells(column)[6:] == [None] * 5 for column in table.columns.values())


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-Infinity", "1e400"])
def test_cells_that_are_not_finite_numbers_are_refused_and_never_gaps(source: Make, text: str) -> None:
    one = source(f"a,y\n1.5,1\n{text},0\n")
    for read in (lambda: one.read().numbers("a", gaps=True), lambda: list(one.chunks({"a": "number"}))):
        found = message(read)
        assert "t.csv, line 3: column 'a' should hold finite numbers" in found
        assert f"'{text}'" in found


def test_truth_values_can_be_read_as_numbers(source: Make, small_blocks: Callable[[int], None]) -> None:
    small_blocks(10)
    one = source("a,y\ntrue,1\nFALSE,1\n,1\n0.5,1\nTrue,1\n1,1\nfalse,1\nfalse,1\n")
    expected = [1, 0, None, 0.5, 1, 1, 0, 0]
    assert below(list(one.chunks({"a": "number"})), "a") == expected
    assert cells(one.read({"a": "number"}).column("a")) == expected


@given(st.text("0123456789.eE+-_x infatrue\t", max_size=8))
def test_both_number_parsers_agree(text: str) -> None:
    """The parser for faulty blocks accepts the same numbers as pyarrow."""
    try:
        cast = arrow_csv.read_csv(
            io.BytesIO(f"{text},0\n".encode()),
            read_options=arrow_csv.ReadOptions(column_names=["a", "b"]),
            convert_options=arrow_csv.ConvertOptions(column_types={"a": pa.float64()}, null_values=[]),
        )
        found = cast["a"][0].as_py()
    except pa.ArrowInvalid:
        found = None
    if text in ("true", "false"):
        return
    own = parse_number(text)
    assert own == (found if found is not None and np.isfinite(found) else None)
    assert is_number(text.strip(" \t")) or own is None


@given(st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30)), st.sampled_from(" T"), st.booleans())
def test_dates_follow_iso_8601(moment: datetime.datetime, mark: str, zoned: bool) -> None:
    text = moment.isoformat(mark)
    assert parse_date(text) == (np.datetime64(moment, "us"),) * 2
    zone = datetime.timezone(datetime.timedelta(hours=2))
    if zoned and moment.year > 1:
        there = moment.replace(tzinfo=datetime.UTC).astimezone(zone)
        expected = np.datetime64(moment, "us"), np.datetime64(there.replace(tzinfo=None), "us")
        assert parse_date(there.isoformat(mark)) == expected


@pytest.mark.parametrize(
    "text",
    ["2020-13-01", "2020-02-30", "2020-1-1", "20200101", "10:30", "2020-01-01T25:00", "soon", "2020-01-01T12:00+99:99",
     "2020-01-01 12:00:00+14:01", "2020-01-01T12:00-14:30", "2020-01-01T12:00+12:60", "2020-01-01T12:00+2:00"],
)  # fmt: skip
def test_cell_that_is_not_a_date_is_refused_with_its_line(source: Make, text: str) -> None:
    one = source(f"a,y\n2020-01-01,1\n{text},0\n")
    far = any(offset in text for offset in ("+99:99", "+14:01", "-14:30", "+12:60"))
    hint = "; an offset from UTC is at most 14:00, as in +02:00" if far else SKIP[0]
    for read in (lambda: one.read({"a": "date"}), lambda: list(one.chunks({"a": "date"}))):
        expected = "should hold dates, as in 2026-01-31 or 2026-01-31 12:30:00"
        assert message(read) == f"t.csv, line 3: column 'a' {expected}, found '{text}'{hint}"


def test_dates_of_one_column_may_use_several_notations_of_iso_8601(source: Make) -> None:
    content = "a,y\n2020-01-01,1\n2020-01-01T12Z,1\n 2020-01-01 12:00:00.5 ,1\n2020-01-01T12:00:00.123456789+01:00,1\n"
    assert source(content).read({"a": "date"}).column("a").tolist() == [
        datetime.datetime(2020, 1, 1),
        datetime.datetime(2020, 1, 1, 12),
        datetime.datetime(2020, 1, 1, 12, 0, 0, 500000),
        datetime.datetime(2020, 1, 1, 11, 0, 0, 123456),
    ]


# --- settings ---------------------------------------------------------------------------------------------------------


def test_decimal_comma(source: Make) -> None:
    one = source("a;y\n1,5;1\n-2;0\n+,5e1;1\n", delimiter=";", decimal=",")
    assert one.read().numbers("a").tolist() == [1.5, -2, 5]
    assert below(list(one.chunks({"a": "number"})), "a") == [1.5, -2, 5]


@pytest.mark.parametrize(("decimal", "cell", "mark"), [(".", "1,5", ","), (",", "1.5", ".")])
def test_other_decimal_mark_is_refused_with_the_setting(source: Make, decimal: str, cell: str, mark: str) -> None:
    one = source(f"a;y\n{cell};1\nx;0\n", delimiter=";", decimal=decimal)
    for read in (lambda: one.read().numbers("a"), lambda: list(one.chunks({"a": "number"}))):
        found = message(read)
        assert f"line 2: column 'a' should hold numbers, found '{cell}'" in found
        assert f"decimal: '{mark}'" in found


def test_cells_that_may_mean_gaps_are_refused_with_the_setting(source: Make) -> None:
    assert "null: ['NA']" in message(lambda: list(source("a,y\nNA,1\n").chunks({"a": "number"})))


def test_null_tokens_are_gaps_with_and_without_quotes(source: Make) -> None:
    one = source('a,t,y\nNA,NA,1\n-999,"NA",0\n2,,1\n', null=["NA", "-999"])
    table = one.read()
    assert cells(table.column("a")) == [None, None, 2]
    assert cells(table.column("t")) == [None, None, None]
    (chunk,) = one.chunks({"a": "number"}, ["a", "t"])
    assert chunk.kept["a"].to_pylist() == ["NA", "-999", "2"]
    assert chunk.kept["t"].to_pylist() == ["NA", "NA", None]


def test_header_setting_names_the_columns_of_files_without_a_header(source: Make) -> None:
    assert source("1,2\n3,4\n", header=["a", "y"]).read().numbers("y").tolist() == [2, 4]
    assert "line 1: 2 cells where the header has 3" in message(source("1,2\n", header=["a", "b", "y"]).read)
    assert "has no rows" in message(source("\n\n", header=["a", "y"]).read)
    assert "is empty" in message(source("", header=["a", "y"]).read)


@pytest.mark.parametrize(
    "encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin1", "cp037"]
)
def test_encodings(source: Make, small_blocks: Callable[[int], None], encoding: str) -> None:
    small_blocks(7)
    one = source("größe,y\n1,ä\n2,\n".encode(encoding), encoding=encoding)
    table = one.read()
    assert table.column("größe").tolist() == [1, 2]
    assert table.column("y").tolist() == ["ä", None]
    assert one.names() == ("größe", "y")


def test_utf16_without_a_declared_encoding_is_refused_with_advice(source: Make) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        found = message(source("a,y\n1,2\n".encode(encoding)).read)
        assert "UTF-16" in found
        assert "encoding: utf-16" in found


def test_bytes_that_do_not_fit_the_encoding_are_refused_with_the_line(source: Make) -> None:
    assert "line 3: column 'y' is not UTF-8" in message(source(b"a,y\n1,u\n2,\xe4\n").read)
    assert "encoding: cp1252" in message(source(b"a,y\n1,u\n2,\xe4\n").read)
    assert "line 3: this is not ascii" in message(source(b"a,y\n1,u\n2,\xe4\n", encoding="ascii").read)
    assert "line 2: found a zero byte" in message(source(b"a,y\n1,u\0\n").read)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1251", "ascii"])
@pytest.mark.parametrize("text", ["straße,y\n1,u\n", "a,y\n1,Köln\n", "\ufeffa,y\n1,u\n"])
def test_utf8_that_is_read_as_single_bytes_is_refused(source: Make, encoding: str, text: str) -> None:
    like = source("x,y\n1,u\n", "like.csv", encoding=encoding)
    said = message(source_for(source(text).path, like).read)
    assert f"t.csv is encoded in UTF-8, but is read as {encoding}" in said
    assert f"save it as {encoding}, or set  encoding: utf-8  where all files are UTF-8" in said
    assert encoding != "cp1252" or "straße" not in text or "which makes 'straÃŸe' of 'straße'" in said


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"decimal": ","}, "decimal mark and the delimiter"),
        ({"decimal": ",,"}, "single character"),
        ({"decimal": "5"}, "single character"),
        ({"delimiter": ";", "decimal": ";"}, "decimal mark and the delimiter"),
        ({"encoding": "utf-9"}, "text encoding"),
        ({"encoding": "hex"}, "text encoding"),
        ({"encoding": "undefined"}, "text encoding"),
        ({"null": [None]}, "in quotes"),
        ({"null": [-999]}, "in quotes"),
        ({"null": [""]}, "at least one character"),
        ({"header": ["a", "a"]}, "twice"),
    ],
)
def test_impossible_settings_are_refused(source: Make, options: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        source("a,y\n1,2\n", **options)


def test_source_for_another_file_keeps_the_settings(source: Make, tmp_path: Path) -> None:
    like = source("a\ty\n1,5\tNA\n", "t.tsv", decimal=",", null="NA", encoding="cp1252", drop="z")
    for other in ("u.csv", "u.tsv.gz", "-"):
        there = source_for(Path(other), like)
        assert isinstance(there, Csv)
        assert (there.decimal, there.null, there.encoding, there.drop) == (",", ("NA",), "cp1252", ("z",))
        assert there.separator == "\t"
    from_parquet = source_for(Path("-"), Parquet(path=tmp_path / "t.parquet", target="y", weight="w"))
    assert isinstance(from_parquet, Csv)
    assert (from_parquet.path, from_parquet.separator, from_parquet.weight) == (STDIN, ",", "w")


# --- several files ----------------------------------------------------------------------------------------------------


def test_pattern_skips_hidden_files_and_follows_no_link(tmp_path: Path) -> None:
    for name in ("a.csv", ".b.csv", "c/d.csv", "c/.e/f.csv", ".g/h.csv", "x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "c" / "again").symlink_to("..")
    for pattern, found in {
        "*.csv": ["a.csv"],
        "**/*.csv": ["a.csv", "c/d.csv"],
        ".g/*.csv": [".g/h.csv"],
        ".*.csv": [".b.csv"],
        "a**": ["a**"],
    }.items():
        assert matching_files(tmp_path / pattern) == [tmp_path / name for name in found], pattern


def test_pattern_reads_files_with_the_same_columns_as_one_table(source: Make, tmp_path: Path) -> None:
    source("y,a\n3,x\n", "part-2.csv")
    source("a,y\n1,2\n", "part-1.csv")
    one = source("a,y\n0,1\n", "part-0.csv", path=tmp_path / "part-*.csv")
    table = one.read()
    assert table.name == "part-*.csv"
    assert table.column("a").tolist() == ["0", "1", "x"]
    assert table.column("y").tolist() == [1, 2, 3]
    assert below(list(one.chunks({"y": "number"})), "y") == [1, 2, 3]
    assert "part-2.csv, line 2" in message(lambda: table.numbers("a"))
    assert "part-2.csv, line 2" in message(lambda: list(one.chunks({"a": "number"})))
    source("a,y\n1,4\n", "part-1.csv")
    assert one.read().sha256 != table.sha256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,z\n1,2\n", "part-2.csv has no column 'y', which part-1.csv has"),
        ("a,y,z\n1,2,3\n", "part-2.csv has a column 'z'"),
    ],
)
def test_files_with_different_columns_are_refused(source: Make, tmp_path: Path, content: str, words: str) -> None:
    source("a,y\n1,2\n", "part-1.csv")
    one = source(content, "part-2.csv", path=tmp_path / "part-*.csv")
    assert words in message(one.read)
    assert words in message(lambda: list(one.chunks({"a": "number"})))


def test_pattern_without_a_match_is_refused(tmp_path: Path) -> None:
    assert "no file" in message(Csv(path=tmp_path / "part-*.csv", target="y").read)
    with pytest.raises(ValidationError, match="no file matches"):
        Csv.model_validate(
            {"path": "part-*.csv", "target": "y"}, context={"folder": tmp_path, "files_must_exist": True}
        )


def test_file_whose_name_looks_like_a_pattern_is_preferred(source: Make) -> None:
    source("a,y\n1,2\n", "t1.csv")
    assert source("a,y\n3,4\n", "t[1].csv").read().column("a").tolist() == [3]


def test_parquet_files_with_the_same_columns_are_read_as_one_table(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1, 2], "y": ["u", "v"]}), tmp_path / "p1.parquet")
    parquet.write_table(pa.table({"y": ["w"], "a": [0.5]}), tmp_path / "p2.parquet")
    one = Parquet(path=tmp_path / "p*.parquet", target="y")
    assert one.read().column("a").tolist() == [1, 2, 0.5]
    assert below(list(one.chunks({"a": "number", "y": "category"})), "y") == ["u", "v", "w"]
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "p3.parquet")
    assert "p3.parquet has no column 'y'" in message(one.read)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed_files_are_decompressed(source: Make, small_blocks: Callable[[int], None], codec: str) -> None:
    small_blocks(1000)
    content = "a,y\n" + "".join(f"{i},{i % 3}\n" for i in range(5000))
    packed = gzip.compress(content.encode()) if codec == "gzip" else pa.compress(content.encode(), codec, asbytes=True)
    suffix = {"gzip": ".gz", "zstd": ".zst"}[codec]
    one = source(packed, f"t.csv{suffix}")
    assert one.read().numbers("a").tolist() == list(range(5000))
    assert below(list(one.chunks({"a": "number"})), "a") == list(range(5000))
    assert f"is not a complete {'gzip' if codec == 'gzip' else 'Zstandard'} file" in message(
        source(packed[: len(packed) // 2], f"u.csv{suffix}").read
    )
    assert f"its name should end in {suffix}" in message(source(packed, "v.csv").read)


# --- in chunks --------------------------------------------------------------------------------------------------------

CELL = st.text(st.sampled_from([*'ab,;"\n\r é', "1"]), max_size=5)
CONTENT = st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=12))


def written(rows: list[list[str]], quoting: int) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n", quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return file.getvalue()


@SMALL
@given(CONTENT, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.integers(4, 60))
def test_rows_equal_those_of_the_csv_module_wherever_blocks_end(
    source: Make, small_blocks: Callable[[int], None], rows: list[list[str]], quoting: int, size: int
) -> None:
    names = [f"c{j}" for j in range(len(rows[0]))]
    content = written([names, *rows], quoting)
    expected = [[cell or None for cell in row] for row in rows]
    small_blocks(size)
    one = source(content, target="c0")
    kinds: dict[str, Kind] = dict.fromkeys(names, "category")
    chunks = list(one.chunks(kinds, names))
    found = [list(row) for chunk in chunks for row in zip(*(chunk.texts(name).tolist() for name in names), strict=True)]
    assert found == expected
    kept = [
        list(row) for chunk in chunks for row in zip(*(chunk.kept[name].to_pylist() for name in names), strict=True)
    ]
    assert kept == expected
    table = one.read(kinds)
    assert [list(row) for row in zip(*(table.texts(name).tolist() for name in names), strict=True)] == expected
    last = chunks[-1]
    assert last.find is not None
    assert table.find is not None
    reader = csv.reader(io.StringIO(content, newline=""))
    lines = []
    start = 1
    for _ in reader:
        lines.append(start)
        start = reader.line_num + 1
    assert last.find(last.n_rows - 1, names[-1]) == table.find(len(rows) - 1, names[-1]) == (
        f"line {lines[-1]}", rows[-1][-1]
    )  # fmt: skip


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40) | st.text([*'a1,"\n\r.é\0'], max_size=40).map(str.encode), st.integers(4, 50), st.data())
def test_any_bytes_are_read_or_refused_with_a_message(
    source: Make, small_blocks: Callable[[int], None], content: bytes, size: int, data: st.DataObject
) -> None:
    small_blocks(size)
    content = b"a,y\n" + content
    one = source(content)
    try:
        table = one.read()
    except DataError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith("t.csv")
        return
    records = [record for record in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if record]
    assert table.n_rows == len(records) - 1
    assert all(len(record) == 2 for record in records)
    texts = one.read({"a": "category", "y": "category"})
    assert [[cell or "" for cell in row] for row in zip(*(texts.texts(name) for name in "ay"), strict=True)] == records[
        1:
    ]
    row = data.draw(st.integers(0, table.n_rows - 1))
    assert table.find is not None
    assert table.find(row, "y")[1] == records[row + 1][1]


BAD_ROWS = st.sampled_from(
    ["1.5,2020-01-01,u", ",,", "x,2020-01-01,v", "2,soon,v", "inf,,u", "1", "1,2,3,4", '"",,u', ""]
)


@SMALL
@given(st.lists(BAD_ROWS, min_size=1, max_size=12), st.integers(8, 80))
def test_with_faults_no_row_is_lost_or_shifted(
    source: Make, small_blocks: Callable[[int], None], rows: list[str], size: int
) -> None:
    small_blocks(size)
    one = source("a,d,y\n" + "\n".join(rows) + "\n")
    kinds: dict[str, Kind] = {"a": "number", "d": "date", "y": "category"}
    expected, faults = [], {}
    for line, row in enumerate(rows, 2):
        if not row:
            continue
        written_cells = row.replace('"', "").split(",")
        ragged = len(written_cells) != 3
        a, d, y = (None, None, None) if ragged else written_cells
        number = float(a) if a in ("1.5", "2") else None
        date = DAYS[0] if d == "2020-01-01" else None
        if ragged:
            faults[len(expected)] = f"t.csv, line {line}: {len(written_cells)} cell"
        elif a and number is None:
            faults[len(expected)] = f"t.csv, line {line}: column 'a' "
        elif d == "soon":
            faults[len(expected)] = f"t.csv, line {line}: column 'd' "
        expected.append((number, date, y or None, None if ragged else a or None))
    if not expected:
        assert "no rows" in message(lambda: list(one.chunks(kinds, faults=True)))
        return
    found, told, start = [], {}, 0
    for chunk in one.chunks(kinds, ["a"], faults=True):
        found += list(zip(*(cells(chunk.column(name)) for name in "ady"), chunk.kept["a"].to_pylist(), strict=True))
        told |= {start + row: sentence for row, sentence in chunk.faults.items()}
        start += chunk.n_rows
    assert found == expected
    assert sorted(told) == sorted(faults)
    assert all(told[row].startswith(faults[row]) for row in faults)
    if faults:
        assert message(lambda: list(one.chunks(kinds))) == told[min(told)]
    else:
        assert not [chunk.faults for chunk in one.chunks(kinds) if chunk.faults]


def test_chunks_hold_the_wanted_and_kept_columns_only(source: Make) -> None:
    (chunk,) = source(MIXED).chunks({"n": "number", "gone": "number"}, ["id", "n"])
    assert list(chunk.columns) == ["n"]
    assert chunk.not_read == ("id", "zip", "d", "b", "g", "t", "y")
    assert {name: column.to_pylist() for name, column in chunk.kept.items()} == {
        "id": ["1", "2", "3"],
        "n": ["1.5", None, "2"],
    }
    assert "did you mean 'zip'?" in message(lambda: chunk.column("zipp"))


def test_cells_of_a_chunk_are_located_in_the_file(source: Make) -> None:
    (chunk,) = source("a,y\n1,u\n2,v\n3,w\n").chunks({"a": "number"}, ["y"])
    rows = chunk.take(np.array([2, 1]))
    assert rows.find is not None
    assert rows.find(0, "y") == ("line 4", "w")


def test_message_about_missing_columns_suggests_the_nearest(source: Make) -> None:
    (chunk,) = source("lenght,y\n1,u\n").chunks({"length": "number"})
    assert "did you mean 'lenght'?" in message(lambda: chunk.column("length"))


def test_quote_inside_an_unquoted_cell_is_an_ordinary_character(
    source: Make, small_blocks: Callable[[int], None]
) -> None:
    small_blocks(12)
    one = source('a,y\n5" disk,u\n"p""q",v\nx"z"w,6"\n' * 3 + '"l\nm",x\n')
    texts = one.read({"a": "category", "y": "category"})
    assert texts.texts("a").tolist()[:3] == ['5" disk', 'p"q', 'x"z"w']
    assert texts.texts("a").tolist()[-1] == "l\nm"
    assert texts.find is not None
    assert texts.find(texts.n_rows - 1, "y") == ("line 13", "x")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('a,b,y\n1,"x,2\n3,"y",4\n5,z,6\n', "line 2: cell 2"),  # else two rows are one, with as many cells
        ('a,y\n1,"x"z\n', "line 2: cell 2"),
        ('a,y\n1,u\n"x" ,u\n', "line 3: cell 1"),
        ('a,y\n5" disk,u\n"l\nm",v\n"p""q"r,"v"', "line 5: cell 1"),
        ('"a"b,y\n1,u\n', "line 1: cell 1"),
        ('a,y\n1,"u\n' + "2,v\n" * 9 + '"w",x\n', "line 2: cell 2"),
    ],
)
@pytest.mark.parametrize("size", [12, 1 << 20])
def test_cell_that_continues_after_its_closing_quote_is_refused(
    source: Make, small_blocks: Callable[[int], None], content: str, place: str, size: int
) -> None:
    small_blocks(size)
    one = source(content)
    for read in (one.read, lambda: list(one.chunks({"y": "category"}, faults=True))):
        assert message(read).startswith(f"t.csv, {place} continues after its closing quote")


@pytest.mark.parametrize("size", [4, 8, 1 << 20])
def test_byte_order_mark_counts_only_at_the_beginning_of_a_file(
    source: Make, small_blocks: Callable[[int], None], size: int
) -> None:
    small_blocks(size)
    one = source("\ufeffa,y\n\ufeff1,u\n\ufeff2,v\n")
    kinds: dict[str, Kind] = {"a": "category", "y": "category"}
    assert one.read(kinds).texts("a").tolist() == below(list(one.chunks(kinds)), "a") == ["\ufeff1", "\ufeff2"]
    for end in ("", "\n"):
        assert "line 3: 1 cell" in message(source(f"a,y\n1,u\n\ufeff{end}").read)


@pytest.mark.parametrize("filling", ["p\n", 'p""q\n'])
def test_quote_that_is_never_closed_is_refused_with_the_line_it_opens_on(
    source: Make, small_blocks: Callable[[int], None], filling: str
) -> None:
    small_blocks(16)
    content = "a,y\n" + "1,u\n" * 9 + '2,"v\n' + filling * 20
    one = source(content)
    assert message(one.read) == "t.csv, line 11: a quote is opened and never closed"


def test_a_table_of_many_columns_is_read_in_larger_blocks_to_the_same_cells(
    source: Make, small_blocks: Callable[[int], None]
) -> None:
    names = [*(f"x{j}" for j in range(2_500)), "y"]
    X = np.arange(20 * len(names)).reshape(20, -1)
    one = source("\n".join(",".join(map(str, row)) for row in [names, *X.tolist()]) + "\n")
    rows = {}
    for size in (1 << 14, 1 << 24):  # of 14 kB a row, the first block holds one, and later ones two
        small_blocks(size)
        rows[size] = [block.data[: block.end].count(b"\n") for block in one._blocks()]
        read = one.read()
        assert np.array_equal(np.stack([np.asarray(read.column(name)) for name in names], axis=1), X)
    assert max(rows[1 << 14]) == 2
    assert rows[1 << 24] == [20]


def test_record_without_end_is_refused_before_memory_is_full(source: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 100)
    monkeypatch.setattr(csv_blocks, "LONGEST_RECORD", 1000)
    assert "line 3: a quote is opened and never closed" in message(source('a,y\n1,2\n1,"' + "x\n" * 1000).read)
    assert "line 2: this line has more than" in message(source("a,y\n" + "x" * 5000).read)


def test_stdin_is_read_once_and_its_lines_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"a,y\n1,u\n2,v\n")

    monkeypatch.setattr(sys, "stdin", Stdin())
    one = source_for(STDIN, Moons())
    assert one.names() == ("a", "y")
    (chunk,) = one.chunks({"a": "number"}, ["y"])
    assert chunk.name == "stdin"
    assert chunk.column("a").tolist() == [1, 2]
    assert chunk.find is not None
    assert chunk.find(1, "y") == ("line 3", "v")
    assert "only once" in message(one.read)


def test_cells_of_a_chunk_are_located_after_the_whole_file_was_read(
    source: Make, small_blocks: Callable[[int], None]
) -> None:
    small_blocks(16)
    chunks = list(source("a,y\n" + "".join(f"{i},{i}\n" for i in range(100))).chunks({"a": "number"}))
    assert len(chunks) > 10
    row = 0
    for chunk in chunks:
        assert chunk.find is not None
        assert chunk.find(0, "y") == (f"line {row + 2}", str(row))
        row += chunk.n_rows


@pytest.mark.parametrize("make", ["npz", "moons"])
def test_chunks_of_a_table_in_memory_equal_the_whole(tmp_path: Path, make: str) -> None:
    if make == "npz":
        np.savez(tmp_path / "t.npz", X=np.arange(200_000.0).reshape(-1, 2), y=np.arange(100_000) % 2)
        one: Any = Npz(path=tmp_path / "t.npz")
    else:
        one = Moons(rows=100_000)
    target = one.target_columns()[0]
    whole = one.read({target: "category"})
    chunks = list(one.chunks({"x0": "number", target: "category"}, ["x1"]))
    assert len(chunks) > 1
    assert np.concatenate([chunk.numbers("x0") for chunk in chunks]).tolist() == whole.numbers("x0").tolist()
    assert below(chunks, target) == whole.texts(target).tolist()
    assert sum(len(chunk.kept["x1"]) for chunk in chunks) == 100_000
    assert chunks[0].not_read == ("x1",)


# --- Parquet ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pq(tmp_path: Path) -> Callable[..., Parquet]:
    def make(columns: dict[str, object], **options: Any) -> Parquet:
        parquet.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=2)
        return Parquet(**{"path": tmp_path / "t.parquet", "target": "y", **options})

    return make


def test_parquet_columns_are_converted_by_their_types(pq: Callable[..., Parquet]) -> None:
    noon = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    one = pq(
        {
            "i": pa.array([1, None, 3], pa.int16()),
            "u": pa.array([1, 2, 2**64 - 1], pa.uint64()),
            "b": [True, None, False],
            "d": pa.array([datetime.date(2020, 1, 1), None, datetime.date(1500, 1, 1)]),
            "z": pa.array([noon, None, None], pa.timestamp("ns", "Europe/Berlin")),
            "n": pa.nulls(3),
            "t": pa.array(["a", "b", None]).dictionary_encode(),
            "y": [1.5, float("nan"), None],
        }
    )
    table = one.read()
    assert {name: cells(table.column(name)) for name in table.columns} == {
        "i": [1, None, 3],
        "u": [1, 2, 2.0**64],
        "b": [1, None, 0],
        "d": [DAYS[0], None, datetime.datetime(1500, 1, 1)],
        "z": [datetime.datetime(2020, 1, 1, 10), None, None],
        "n": [None] * 3,
        "t": ["a", "b", None],
        "y": [1.5, None, None],
    }
    kinds = {name: table.kind(name) for name in table.columns}
    assert one.kinds() == kinds
    chunks = list(one.chunks(kinds))
    assert {name: below(chunks, name) for name in kinds} == {name: cells(table.column(name)) for name in kinds}


def test_parquet_values_as_texts(pq: Callable[..., Parquet]) -> None:
    one = pq(
        {
            "i": pa.array([2**60 + 1, None, 1]),
            "f": [2.0, 0.5, float("nan")],
            "b": [True, False, None],
            "d": [datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)],
            "s": [datetime.datetime(2020, 1, 1, 12, 30), None, datetime.datetime(2020, 1, 1, 0, 0, 0, 5)],
            "y": pa.array(["u", None, "u"]).dictionary_encode(),
        }
    )
    kinds: dict[str, Kind] = dict.fromkeys("ifbdsy", "category")
    expected = {
        "i": [str(2**60 + 1), None, "1"],
        "f": ["2", "0.5", None],
        "b": ["true", "false", None],
        "d": ["2020-01-01", None, "2021-01-01"],
        "s": ["2020-01-01 12:30:00", None, "2020-01-01 00:00:00.000005"],
        "y": ["u", None, "u"],
    }
    table = one.read(kinds)
    assert {name: cells(column) for name, column in table.columns.items()} == expected
    assert {name: below(list(one.chunks(kinds)), name) for name in kinds} == expected


def test_parquet_keeps_types_and_finds_rows(pq: Callable[..., Parquet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnfs_cli.data.parquet.source.BATCH_ROWS", 2)
    one = pq({"a": [1.0, 2.0, 3.0, float("inf"), 5.0], "l": [[1], [2], [3], [4], [5]], "y": [1, 2, 3, 4, 5]}, drop="l")
    assert message(lambda: list(one.chunks({"a": "number"}))).startswith(
        "t.parquet, row 4: column 'a' should hold finite numbers"
    )
    chunks = list(one.chunks({"a": "number"}, ["l", "a"], faults=True))
    assert below(chunks, "a") == [1, 2, 3, None, 5]
    assert next(table.faults for table in chunks if table.faults)[1].startswith("t.parquet, row 4: column 'a'")
    assert [cell for table in chunks for cell in table.kept["l"].to_pylist()] == [[1], [2], [3], [4], [5]]
    assert chunks[0].not_read == ("l", "y")
    assert one.names() == ("a", "l", "y")


def test_parquet_texts_may_be_dates_but_not_numbers(pq: Callable[..., Parquet]) -> None:
    one = pq({"a": ["2020-01-01", None, "soon"], "y": ["x", "2", "1"]})
    assert "row 3: column 'a' should hold dates" in message(lambda: one.read({"a": "date"}))
    assert "row 1: column 'y' should hold numbers" in message(lambda: list(one.chunks({"y": "number"})))
    chunks = list(one.chunks({"a": "date"}, faults=True))
    assert below(chunks, "a") == [DAYS[0], None, None]
    assert [list(chunk.faults) for chunk in chunks] == [[], [0]]


def test_csv_and_parquet_of_one_table_are_read_the_same(source: Make, tmp_path: Path) -> None:
    one = source(MIXED)
    arrow = arrow_csv.read_csv(
        one.path, convert_options=arrow_csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
    )
    parquet.write_table(arrow, tmp_path / "t.parquet")
    other = Parquet(path=tmp_path / "t.parquet", target="y")
    kinds = one.kinds()
    for name in kinds:
        if name not in ("zip", "d"):  # pyarrow alone takes them for what they are not
            assert below(list(one.chunks(kinds)), name) == below(list(other.chunks(kinds)), name)


# --- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["01067", "01067", "4109"], ("01067", "4109")),
        (["10", "9", "1"], (1, 9, 10)),
        (["1.0", "2.00", "2."], (1, 2)),
        (["True", "FALSE", "true"], (False, True)),
        (["true", "no"], ("no", "true")),
        (["-1", "1"], (-1, 1)),
        (["b", "a", "0.5"], ("0.5", "a", "b")),
    ],
)
def test_labels_are_found_in_texts(words: list[str], classes: tuple[object, ...]) -> None:
    table = Table("t.csv", {"y": Texts.of(words)})
    found = find_classes(table, "y")
    assert found == classes
    assert list(map(type, found)) == list(map(type, classes))
    indices = class_indices(table, "y", found)
    assert [str(classes[i]).lower() for i in indices] == [
        word.lower() if isinstance(classes[0], bool | str) else str(int(float(word))) for word in words
    ]


@pytest.mark.parametrize(
    ("words", "place"),
    [(["1", "0.5"], "row 2"), (["01", "0.5"], "row 2"), (["1", "nan"], "row 2"), (["1", None, "2"], "row 2")],
)
def test_decimal_numbers_cannot_be_labels(words: list[str | None], place: str) -> None:
    found = message(lambda: find_classes(Table("t.csv", {"y": Texts.of(words)}), "y"))
    assert place in found
    assert "the target 'y'" in found


def test_too_many_numbers_cannot_be_labels() -> None:
    column = Texts.of([str(i) for i in range(100)])
    assert "100 different numbers in 100 rows" in message(lambda: find_classes(Table("t.csv", {"y": column}), "y"))
    assert len(find_classes(Table("t.csv", {"y": Texts.of([f"a{i}" for i in range(100)])}), "y")) == 100


def test_labels_of_thousands_of_digits_stay_texts() -> None:
    digits = "7" * 5_000
    table = Table("t.csv", {"y": Texts.of([digits, "1", digits])})
    assert find_classes(table, "y") == ("1", digits)
    assert class_indices(table, "y", ("1", digits)).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "column",
    [
        Texts.of(["1", "0", "1.0"]),
        np.array([1, 0, 1]),
        np.array([1.0, 0.0, 1.0]),
    ],
    ids=["texts", "ints", "floats"],
)
def test_labels_are_compared_as_texts(column: Column) -> None:
    assert class_indices(Table("t", {"y": column}), "y", (0, 1)).tolist() == [1, 0, 1]


def test_labels_of_booleans_are_compared_in_any_case() -> None:
    for column in (Texts.of(["TRUE", "false"]), np.array([True, False])):
        assert class_indices(Table("t", {"y": column}), "y", (False, True)).tolist() == [1, 0]
    assert "found '2'" in message(lambda: class_indices(Table("t", {"y": np.array([2])}), "y", (0, 1)))


# --- writing ----------------------------------------------------------------------------------------------------------


def as_csv(*blocks: dict[str, Any]) -> str:
    file = io.BytesIO()
    with writer_for(".csv", file) as writer:
        for block in blocks:
            writer.write(block)
    return file.getvalue().decode()


def test_csv_is_written_block_by_block_under_one_header() -> None:
    first = {
        "a": np.array([0.1, np.nan]),
        "t": Texts.of(["u", None]),
        "i": np.array([1, 2]),
        "b": np.array([True, False]),
    }
    second = {"a": np.array([1e300]), "t": Texts.of(["x,y"]), "i": np.array([3]), "b": np.array([True])}
    assert as_csv(first, second) == 'a,t,i,b\n0.1,u,1,true\n,,2,false\n1e+300,"x,y",3,true\n'


FORMULAS = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "+49 30", "-", "=", "-1+2"]
HARMLESS = ["-1", "+1.5", "-1,5", "-.5e-3", "1", "x=1", "", "'=1", " =1", "a-b"]


@pytest.mark.parametrize("kind", ["texts", "arrow", "objects"])
def test_texts_that_a_spreadsheet_would_run_are_escaped(kind: str) -> None:
    words = [*FORMULAS, *HARMLESS]
    column = {
        "texts": Texts.of(words),
        "arrow": pa.chunked_array([words[:3], words[3:]]),
        "objects": np.array(words, object),
    }[kind]
    rows = list(csv.reader(io.StringIO(as_csv({"=t": column, "n": -np.arange(len(words))}), newline="")))
    assert rows[0] == ["'=t", "n"]
    assert [row[0] for row in rows[1:]] == [*(f"'{word}" for word in FORMULAS), *HARMLESS]
    assert [row[1] for row in rows[1:]] == [str(-i) for i in range(len(words))]


@SMALL
@given(
    st.lists(
        st.tuples(
            st.text([*string.ascii_lowercase, *',"\n\r é;'], max_size=6),
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(2**63), 2**63 - 1),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_written_csv_reads_back_the_same(rows: list[tuple[str, float, int]]) -> None:
    texts, floats, ints = (list(column) for column in zip(*rows, strict=True))
    written_text = as_csv({"t": Texts.of(texts), "f": np.array(floats), "i": np.array(ints)})
    header, *found = csv.reader(io.StringIO(written_text, newline=""))
    assert header == ["t", "f", "i"]
    assert [(t.removeprefix("'"), float(f), int(i)) for t, f, i in found] == rows
    for t, line in zip(texts, csv.reader(io.StringIO(written_text, newline="")), strict=False):
        assert line is not None
        if not set(t) & set(',"\r\n'):
            assert f'"{t}"' not in written_text.replace('""', "") or not t


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.large_string())])
def test_texts_of_every_type_are_quoted_alike(kind: pa.DataType) -> None:
    cells, written = ["a,b", 'say "x"', "plain", "=1", None], []
    for column in (pa.array(cells, kind), pa.array(cells)):
        file = io.BytesIO()
        write_csv({"t": pa.chunked_array([column]), "n": np.arange(5)}, file)
        written.append(file.getvalue())
    assert written[0] == written[1]


def test_only_texts_that_need_quotes_are_quoted() -> None:
    assert as_csv({"t": Texts.of(["plain", "a,b", 'say "hi"', None, "l\nm"])}) == (
        't\nplain\n"a,b"\n"say ""hi"""\n""\n"l\nm"\n'
    )


@pytest.mark.parametrize(
    ("column", "lines"),
    [
        (np.array([0.5, np.nan, 2]), ["0.5", '""', "2"]),
        (np.array([1, 2]), ["1", "2"]),
        (Texts.of(["a", None, "", "b"]), ["a", '""', '""', "b"]),
        (pa.array([None, True]), ['""', "true"]),
        (pa.array(["=1", None]), ["'=1", '""']),
        (np.array(["2020-01-01", "NaT"], "datetime64[D]"), ["2020-01-01", '""']),
    ],
)
def test_row_of_one_empty_cell_is_not_a_blank_line(column: Any, lines: list[str]) -> None:
    """Readers would skip a blank line."""
    assert as_csv({"t": column}).splitlines()[1:] == lines
    assert as_csv({"t": column, "u": column}).splitlines()[1] == ",".join(2 * [lines[0].replace('""', "")])


def test_kept_columns_of_any_type_are_written() -> None:
    days = pa.array([datetime.date(2020, 1, 1), None])
    assert as_csv({"d": days, "k": pa.array(["a", None]).dictionary_encode()}) == "d,k\n2020-01-01,a\n,\n"
    found = message(lambda: as_csv({"l": pa.array([[1], [2]])}))
    assert "column 'l' has the type list<" in found
    assert ".parquet" in found


def test_parquet_is_written_block_by_block(tmp_path: Path) -> None:
    blocks = [
        {"a": np.array([0.1, np.nan]), "t": Texts.of(["=1", None]), "l": pa.array([[1], [2]])},
        {"a": np.array([2.5]), "t": Texts.of(["v"]), "l": pa.chunked_array([[[3]]])},
    ]
    with (tmp_path / "t.parquet").open("wb") as file, writer_for(".parquet", file) as writer:
        for block in blocks:
            writer.write(block)
    found = parquet.read_table(tmp_path / "t.parquet")
    assert found.to_pydict() == {"a": [0.1, None, 2.5], "t": ["=1", None, "v"], "l": [[1], [2], [3]]}


def test_unknown_suffix_is_not_written() -> None:
    with pytest.raises(UserError, match=r"\.csv.*\.parquet"):
        writer_for(".xls", io.BytesIO())


def test_csv_is_written_in_one_call() -> None:
    file = io.BytesIO()
    write_csv({"a": np.array([1.5])}, file)
    assert file.getvalue() == b"a\n1.5\n"
    assert isinstance(writer_for(".CSV", io.BytesIO()), CsvWriter)
