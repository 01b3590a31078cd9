"""Reading files as tables: the columns of each format, and the refusal of every file that cannot be read."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import gzip
import io
import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.labels import find_classes
from nnfs_cli.data.npz import Npz
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.data.table import Column, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ConfigError, DataError, UserError

Read = Callable[..., Table]

FAR = 200_000  # rows of eight bytes: past the first megabyte, from which pyarrow settles the types of columns
X = np.arange(6.0).reshape(3, 2)
Y = np.array([0, 1, 0])


@contextlib.contextmanager
def refused(*words: str) -> Iterator[None]:
    """Expect that the block raises a DataError whose message contains all these words."""
    with pytest.raises(DataError) as caught:
        yield
    for word in words:
        assert word in str(caught.value)


def _type(column: Column) -> str:
    return "texts" if isinstance(column, Texts) else column.dtype.kind


@pytest.fixture
def csv(tmp_path: Path) -> Read:
    def read(content: str | bytes, name: str = "t.csv", delimiter: str = ",") -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Csv(path=path, target="y", delimiter=delimiter).read()

    return read


@pytest.fixture
def pq(tmp_path: Path) -> Read:
    def read(content: dict[str, object] | pa.Table | bytes) -> Table:
        path = tmp_path / "t.parquet"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            parquet.write_table(pa.table(content), path)
        return Parquet(path=path, target="y").read()

    return read


@pytest.fixture
def npz(tmp_path: Path) -> Read:
    def read(raw: bytes | None = None, targets: int = 1, **arrays: object) -> Table:
        path = tmp_path / "t.npz"
        if raw is None:
            np.savez(path, **arrays)
        else:
            path.write_bytes(raw)
        return Npz(path=path, targets=targets).read()

    return read


# --- CSV: what is read ------------------------------------------------------------------------------------------------


def test_csv_columns_keep_their_order_names_and_types(csv: Read) -> None:
    table = csv("whole,broken,switch,text,y\n1,1.5,true,one,7\n-2,3e2,false,two,8\n")
    assert table.name == "t.csv"
    assert table.n_rows == 2
    assert {name: (_type(column), column.tolist()) for name, column in table.columns.items()} == {
        "whole": ("i", [1, -2]),
        "broken": ("f", [1.5, 300.0]),
        "switch": ("b", [True, False]),
        "text": ("texts", ["one", "two"]),
        "y": ("i", [7, 8]),
    }
    assert list(table.columns) == ["whole", "broken", "switch", "text", "y"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a,y\n1,u\n2,v\n", id="plain"),
        pytest.param(b"a,y\n1,u\n2,v", id="no last newline"),
        pytest.param(b"\xef\xbb\xbfa,y\n1,u\n2,v\n", id="BOM"),
        pytest.param(b'\xef\xbb\xbf"a","y"\n1,"u"\n2,"v"\n', id="BOM and quotes"),
        pytest.param(b"a,y\r\n1,u\r\n2,v\r\n", id="CRLF"),
        pytest.param(b"\na,y\n\n1,u\n\n\n2,v\n\n", id="blank lines"),
        pytest.param(b"a,y\r\n\r\n1,u\r\n2,v\r\n\r\n", id="blank lines with CRLF"),
        pytest.param(b"a,y\n 1,u\n2 ,v\n", id="spaces around numbers"),
    ],
)
def test_csv_spellings_of_one_table_read_the_same(csv: Read, content: bytes) -> None:
    table = csv(content)
    assert list(table.columns) == ["a", "y"]
    assert table.numbers("a").tolist() == [1, 2]
    assert table.column("y").tolist() == ["u", "v"]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "t.csv"), ("\t", "t.tsv"), ("|", "t.txt")])
def test_csv_uses_the_delimiter_that_is_set(csv: Read, delimiter: str, name: str) -> None:
    table = csv(delimiter.join("ay") + "\n" + delimiter.join(["1.5", "p,q"]) + "\n", name, delimiter)
    assert table.numbers("a").tolist() == [1.5]
    assert table.column("y").tolist() == ["p,q"]


def test_csv_with_another_delimiter_gets_a_message_that_asks_for_it(csv: Read) -> None:
    table = csv("a;y\n1;2\n")
    with refused("t.csv", "no column 'y'", "a;y"):
        table.numbers("y")


@pytest.mark.parametrize("delimiter", ["é", "\n", "\r"])
def test_csv_refuses_an_impossible_delimiter(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,2\n")
    dataset = {"csv": {"path": "t.csv", "target": "y", "delimiter": delimiter}}
    config = {"dataset": dataset, "layers": [{"linear": 1}], "loss": "mse", "epochs": 1}
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    with pytest.raises(UserError, match="delimiter"):
        workflows.prepare(Config.load(tmp_path / "c.yaml"))


def test_csv_quotes_hold_commas_newlines_and_quotes(csv: Read) -> None:
    table = csv('a,"the, target"\n"x\ny",1\n"p,q",2\n"say ""hi""",3\n')
    assert table.column("a").tolist() == ["x\ny", "p,q", 'say "hi"']
    assert table.numbers("the, target").tolist() == [1, 2, 3]


def test_csv_reads_quoted_newlines_anywhere_in_a_large_file(csv: Read) -> None:
    table = csv("a,y\n" + '"p\nq,r\n",7\n' * FAR)
    assert set(table.column("a").tolist()) == {"p\nq,r\n"}
    assert table.numbers("y").tolist() == [7] * FAR


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.GZ"])
def test_csv_gz_is_decompressed(csv: Read, name: str) -> None:
    assert csv(gzip.compress(b"a,y\n1,2\n"), name).numbers("y").tolist() == [2]


@pytest.mark.parametrize("text", ["1.5", "+1.5", "1.5e0", "15E-1", '"1.5"', " 1.5"])
def test_csv_reads_every_notation_of_a_number(csv: Read, text: str) -> None:
    assert csv(f"a,y\n{text},0\n1,0\n").numbers("a").tolist() == [1.5, 1]


def test_csv_integers_may_be_followed_by_decimals_far_below(csv: Read) -> None:
    a = csv("a,y\n" + "12345,0\n" * FAR + "0.5,0\n").numbers("a")
    assert (len(a), a[0], a[-1]) == (FAR + 1, 12345, 0.5)


def test_csv_quoted_empty_text_is_a_gap(csv: Read) -> None:
    assert csv('a,y\nu,1\n"",2\n,3\n').column("a").tolist() == ["u", None, None]


# --- CSV: what is refused ---------------------------------------------------------------------------------------------

REFUSED_CSV = {
    "empty": (b"", ["is empty"]),
    "only blank lines": (b"\n\n\n", ["is empty"]),
    "only a BOM": (b"\xef\xbb\xbf", ["is empty"]),
    "only a header": (b"a,y\n", ["header", "no rows"]),
    "only a header, without newline": (b"a,y", ["header", "no rows"]),
    "duplicate header": (b"a,b,a,y\n1,2,3,4\n", ["columns 1 and 3", "'a'"]),
    "unnamed second column": (b"a,,y\n0,1,2\n", ["column 2", "no name"]),
    "unnamed last column": (b"a,y,\n0,1,2\n", ["column 3", "no name"]),
    "blank name": (b"a, ,y\n0,1,2\n", ["column 2", "no name"]),
    "short row": (b"a,y\n1,2\n3\n", ["t.csv, line 3:", "1 cell", "2"]),
    "long row": (b"a,y\n1,2\n3,4,5\n", ["t.csv, line 3:", "3 cells", "2"]),
    "long first row": (b"a,y\n1,2,3\n", ["t.csv, line 2:", "3 cells", "2"]),
    "row of spaces": (b"a,y\n1,2\n   \n", ["t.csv, line 3:", "1 cell", "2"]),
    "short row after a quoted newline": (b'a,y\n"p\nq\nr",2\n3\n', ["t.csv, line 5:", "1 cell"]),
    "short row that has a quoted newline": (b'a,y\n1,2\n"p\nq"\n', ["t.csv, line 3:", "1 cell"]),
    "short row after a quoted newline in the header": (b'"a\nb",y\n1,2\n3\n', ["t.csv, line 4:", "1 cell"]),
    "short row after a BOM and a quoted newline": (b'\xef\xbb\xbf"a\nb",y\n1,2\n3\n', ["t.csv, line 4:", "1 cell"]),
    "short row after blank lines": (b"\na,y\n\n\n1,2\n\n3\n", ["t.csv, line 7:", "1 cell"]),
    "short row with CRLF": (b"a,y\r\n1,2\r\n\r\n3\r\n", ["t.csv, line 4:", "1 cell"]),
    "short row far below": (b"a,y\n" + b"12345,0\n" * FAR + b"3\n", [f"t.csv, line {FAR + 2}:", "1 cell"]),
    "short row after a very long cell": (b"a,y\n" + b"p" * 200_000 + b",2\n3\n", ["t.csv, line 3:", "1 cell"]),
    "open quote": (b'a,y\n1,u\n2,"v\n3,u\n', ["t.csv, line 3:", "quot"]),
    "header not UTF-8": ("größe,y\n1,2\n".encode("latin1"), ["t.csv, line 1:", "header", "UTF-8"]),
    "cell not UTF-8": ("a,y\nx,1\ngröße,2\n".encode("latin1"), ["t.csv, line 3:", "'a'", "UTF-8"]),
    "cell not UTF-8 after a quoted newline": (b'a,y\n"p\nq",1\n\xff,2\n', ["t.csv, line 4:", "'a'", "UTF-8"]),
    "cell not UTF-8 far below": (
        b"a,y\n" + b"alpha,0\n" * FAR + b"\xff,0\n",
        [f"t.csv, line {FAR + 2}:", "'a'", "UTF-8"],
    ),
    "cells of two columns not UTF-8": (b"a,b,y\nx,\xff,1\n\xff,x,2\n", ["t.csv, line 2:", "'b'", "UTF-8"]),
    "cell not UTF-8 after a real U+FFFD": ("a,y\n�,1\n".encode() + b"\xff,2\n", ["t.csv, line 3:", "'a'", "UTF-8"]),
    "UTF-16, little-endian": (b"\xff\xfe" + "a,y\n1,2\n".encode("utf-16-le"), ["UTF-16", "UTF-8"]),
    "UTF-16, big-endian": (b"\xfe\xff" + "a,y\n1,2\n".encode("utf-16-be"), ["UTF-16", "UTF-8"]),
    "UTF-16 with tabs, as Excel writes": (b"\xff\xfe" + "a\ty\r\n1\t2\r\n".encode("utf-16-le"), ["UTF-16", "UTF-8"]),
}


@pytest.mark.parametrize(("content", "words"), REFUSED_CSV.values(), ids=REFUSED_CSV)
def test_csv_that_is_not_a_table_is_refused(csv: Read, content: bytes, words: list[str]) -> None:
    with refused("t.csv", *words):
        csv(content)


REFUSED_CSV_GZ = {
    "short row": (gzip.compress(b"a,y\n1,2\n3\n"), ["line 3:", "1 cell"]),
    "empty": (gzip.compress(b""), ["is empty"]),
    "UTF-16": (gzip.compress(b"\xff\xfe" + "a,y\n1,2\n".encode("utf-16-le")), ["UTF-16", "UTF-8"]),
    "not compressed": (b"a,y\n1,2\n", ["t.csv.gz"]),
    "cut off": (gzip.compress(b"a,y\n1,2\n")[:-9], ["t.csv.gz"]),
}


@pytest.mark.parametrize(("content", "words"), REFUSED_CSV_GZ.values(), ids=REFUSED_CSV_GZ)
def test_csv_gz_that_is_not_a_table_is_refused(csv: Read, content: bytes, words: list[str]) -> None:
    with refused("t.csv.gz", *words):
        csv(content, "t.csv.gz")


@pytest.mark.parametrize("source", [Csv, Parquet])
def test_a_missing_file_is_refused(tmp_path: Path, source: type[Csv | Parquet]) -> None:
    with refused("no file", "gone.csv"):
        source(path=tmp_path / "gone.csv", target="y").read()


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with refused("is a folder", tmp_path.name):
        Parquet(path=tmp_path, target="y").read()
    with pytest.raises(ConfigError, match=f"{re.escape(tmp_path.name)} is not a file"):
        Csv(path=tmp_path, target="y")


NOT_NUMBERS = {
    "gap": ("a,y\n5,1\n,0\n", "line 3:", "empty"),
    "gap after a quoted newline": ('a,y\n5,"p\nq"\n,0\n', "line 4:", "empty"),
    "gap after blank lines": ("a,y\n\n\n5,1\n\n,0\n", "line 6:", "empty"),
    "gap far below": ("a,y\n" + "12345,0\n" * FAR + ",0\n", f"line {FAR + 2}:", "empty"),
    "nothing but gaps": ("a,y\n,1\n,0\n", "line 2:", "empty"),
    "gap above a text": ("a,y\n5,1\n,0\nu,0\n", "line 3:", "empty"),
    "gap in booleans": ("a,y\ntrue,1\nfalse,0\n,0\n", "line 4:", "empty"),
    "text": ("a,y\n5,1\nfive,0\nsix,0\n", "line 3:", "'five'"),
    "text in the first row": ("a,y\nfive,1\n5,0\n", "line 2:", "'five'"),
    "text after a quoted newline": ('a,y\n5,"p\nq"\nfive,0\n', "line 4:", "'five'"),
    "text below numbers with spaces": ("a,y\n 5,1\n6 ,0\nfive,0\n", "line 4:", "'five'"),
    "text far below": ("a,y\n" + "12345,0\n" * FAR + "five,0\n12345,0\n", f"line {FAR + 2}:", "'five'"),
    "text below a very long cell": ("b,a,y\n" + "p" * 200_000 + ",5,1\nq,five,0\n", "line 3:", "'five'"),
    "NA": ("a,y\n5,1\nNA,0\n", "line 3:", "'NA'"),
    "empty text": ('a,y\n5,1\n"",0\n', "line 3:", "'a'"),
    "date": ("a,y\n2020-01-01,1\n2021-01-01,0\n", "line 2:", "2020-01-01"),
    "infinity": ("a,y\n5,1\ninf,0\n", "line 3:", "inf"),
    "minus infinity": ("a,y\n5,1\n-Infinity,0\n", "line 3:", "'-Infinity'"),
    "number too large for a float": ("a,y\n5,1\n1e400,0\n", "line 3:", "'1e400'"),
    "not a number": ("a,y\n5,1\nnan,0\n", "line 3:", "nan"),
}


@pytest.mark.parametrize(("content", "place", "found"), NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_csv_cell_that_is_not_a_number_is_named_with_its_line(csv: Read, content: str, place: str, found: str) -> None:
    table = csv(content)
    with refused(f"t.csv, {place}", "'a'", found):
        table.numbers("a")


def test_csv_decimal_comma_is_refused(csv: Read) -> None:
    table = csv("a;y\n1;0\n1,5;1\n", delimiter=";")
    with refused("t.csv, line 3:", "'a'", "'1,5'"):
        table.numbers("a")


def test_missing_column_is_named_with_the_existing_columns(csv: Read) -> None:
    table = csv("length,width\n1,2\n")
    with refused("t.csv", "'lenght'", "did you mean 'length'?"):
        table.column("lenght")
    with refused("t.csv", "'y'", "'length' and 'width'"):
        table.column("y")


# --- targets that name classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        pytest.param(["u", "v", "u"], ("u", "v"), id="texts"),
        pytest.param(["true", "FALSE", "True"], (False, True), id="booleans"),
        pytest.param(["3", "-1", "3"], (-1, 3), id="whole numbers"),
        pytest.param(["1.0", "2", "1"], (1, 2), id="whole numbers with a point"),
        pytest.param(["1", "x", "10"], ("1", "10", "x"), id="numbers among texts"),
        pytest.param(["u", "nan"], ("nan", "u"), id="nan among texts"),
        pytest.param(["2020-02-01", "2020-01-01"], ("2020-01-01", "2020-02-01"), id="dates"),
        pytest.param(["10:30", "09:15"], ("09:15", "10:30"), id="times"),
        pytest.param(
            ["2020-01-01 10:30:00", "1999-12-31 09:15:00"], ("1999-12-31 09:15:00", "2020-01-01 10:30:00"), id="both"
        ),
    ],
)
def test_classes_are_the_sorted_labels(csv: Read, cells: list[str], classes: tuple) -> None:
    found = find_classes(csv("a,y\n" + "".join(f"0,{cell}\n" for cell in cells)), "y")
    assert found == classes
    assert list(map(type, found)) == list(map(type, classes))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        pytest.param("u u u", ["'y'", "always 'u'"], id="constant text"),
        pytest.param("1 1 1", ["'y'", "always 1"], id="constant number"),
        pytest.param("true true", ["'y'", "always true"], id="constant boolean"),
        pytest.param("u  v", ["line 3:", "'y'", "empty"], id="gap among texts"),
        pytest.param("1  2", ["line 3:", "'y'", "empty"], id="gap among numbers"),
        pytest.param("true  false", ["line 3:", "'y'", "empty"], id="gap among booleans"),
        pytest.param("  ", ["line 2:", "'y'", "empty"], id="only gaps"),
        pytest.param("1 2 2.5 3.5", ["line 4:", "'y'", "2.5", "whole numbers"], id="fractions"),
        pytest.param("1 2 inf", ["line 4:", "'y'", "inf"], id="infinity"),
    ],
)
def test_target_without_usable_classes_is_refused(csv: Read, cells: str, words: list[str]) -> None:
    table = csv("a,y\n" + "".join(f"0,{cell}\n" for cell in cells.split(" ")))
    with refused("t.csv", *words):
        find_classes(table, "y")


# --- Parquet ----------------------------------------------------------------------------------------------------------


def test_parquet_columns_keep_their_types(pq: Read) -> None:
    table = pq(
        {
            "whole": pa.array([1, 2], pa.int8()),
            "half": pa.array(np.array([1.5, 2], np.float16)),
            "switch": [True, False],
            "text": pa.array(["u", "v"], pa.large_string()),
        }
    )
    assert [_type(column) for column in table.columns.values()] == ["i", "f", "b", "texts"]
    assert [column.tolist() for column in table.columns.values()] == [[1, 2], [1.5, 2], [True, False], ["u", "v"]]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pa.array([1, None, 3]), id="whole numbers"),
        pytest.param(pa.array([1.5, None, 3]), id="numbers"),
        pytest.param(pa.array([decimal.Decimal("1.5"), None, decimal.Decimal(3)]), id="decimals"),
        pytest.param(pa.array([True, None, False]), id="booleans"),
        pytest.param(pa.array([1, None, 3]).dictionary_encode(), id="dictionary"),
        pytest.param(pa.array([1.5, float("nan"), 3]), id="NaN"),
    ],
)
def test_parquet_gap_is_named_with_its_row(pq: Read, column: pa.Array) -> None:
    table = pq({"a": column})
    with refused("t.parquet, row 2:", "'a'", "empty"):
        table.numbers("a")


def test_parquet_null_column_has_a_gap_in_the_first_row(pq: Read) -> None:
    table = pq({"a": pa.nulls(3)})
    with refused("t.parquet, row 1:", "'a'", "empty"):
        table.numbers("a")


def test_parquet_dictionaries_and_decimals_become_their_values(pq: Read) -> None:
    table = pq(
        {
            "a": pa.array([5, 6, 5]).dictionary_encode(),
            "b": [decimal.Decimal("1.25"), decimal.Decimal("-2.50"), decimal.Decimal("0.00")],
            "y": pa.array(["u", "v", None]).dictionary_encode(),
        }
    )
    assert (table.column("a").dtype.kind, table.column("a").tolist()) == ("i", [5, 6, 5])
    assert table.numbers("b").tolist() == [1.25, -2.5, 0]
    assert table.column("y").tolist() == ["u", "v", None]


def test_parquet_text_in_a_numeric_column_is_refused(pq: Read) -> None:
    table = pq({"a": ["1", "2", "three"]})
    with refused("t.parquet, row 3:", "'a'", "'three'"):
        table.numbers("a")


def test_parquet_dates_as_classes_become_texts(pq: Read) -> None:
    days = [datetime.date(2021, 1, 1), datetime.date(2020, 1, 1)]
    assert find_classes(pq({"y": days}), "y") == ("2020-01-01", "2021-01-01")


@pytest.mark.parametrize(
    "values", [[[1, 2], [3]], [{"a": 1}, {"a": 2}], [b"\xff", b"u"]], ids=["lists", "structs", "bytes"]
)
def test_parquet_target_that_cannot_be_a_label_is_refused(pq: Read, values: list[object]) -> None:
    with refused("t.parquet", "'y'"):
        find_classes(pq({"y": values}), "y")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1, 2], [3]]),
        pa.array([b"\xff", b"u"]),
        pa.array([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)]),
        pa.array(np.array([1, 2], "datetime64[ns]")),
        pa.array(np.array([1, 2], "timedelta64[ns]")),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_unused_columns_may_have_any_type(pq: Read, column: pa.Array) -> None:
    assert pq({"a": [1, 2], "beside": column}).numbers("a").tolist() == [1, 2]


def _damaged_parquet() -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table({"a": list(range(1000)), "y": [str(i) for i in range(1000)]}), file)
    content = file.getvalue()
    return content[:20] + bytes(400) + content[420:]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"a,y\n1,2\n", ["not a Parquet file"], id="a CSV file"),
        pytest.param(b"", ["not a Parquet file"], id="empty"),
        pytest.param(_damaged_parquet()[:3000], ["not a Parquet file"], id="cut off"),
        pytest.param(_damaged_parquet(), ["damaged"], id="damaged"),
        pytest.param(pa.table({"a": pa.array([], pa.int64())}), ["no rows"], id="no rows"),
        pytest.param(pa.table([[1], [2]], names=["a", "a"]), ["columns 1 and 2", "'a'"], id="duplicate names"),
        pytest.param(pa.table([[1], [2]], names=["a", ""]), ["column 2", "no name"], id="unnamed column"),
    ],
)
def test_parquet_that_is_not_a_table_is_refused(pq: Read, content: object, words: list[str]) -> None:
    with refused("t.parquet", *words):
        pq(content)


# --- npz --------------------------------------------------------------------------------------------------------------


def test_npz_inputs_are_numbered_unless_named(npz: Read) -> None:
    assert {name: column.tolist() for name, column in npz(X=X, y=Y).columns.items()} == {
        "x0": [0, 2, 4],
        "x1": [1, 3, 5],
        "y": [0, 1, 0],
    }
    assert list(npz(X=X, y=Y, feature_names=np.array(["p", "q"])).columns) == ["p", "q", "y"]
    assert list(npz(X=X, y=Y, feature_names=np.array([b"p", b"q"])).columns) == ["p", "q", "y"]


def test_npz_without_y_is_a_table_of_inputs(npz: Read) -> None:
    assert list(npz(X=X).columns) == ["x0", "x1"]


def test_npz_targets_are_the_columns_of_y(npz: Read) -> None:
    assert npz(X=X, y=Y[:, None]).column("y").tolist() == [0, 1, 0]
    table = npz(X=X, y=np.stack([Y, Y + 5], axis=1), targets=2)
    assert table.column("y0").tolist() == [0, 1, 0]
    assert table.column("y1").tolist() == [5, 6, 5]


@pytest.mark.parametrize("labels", [["u", "ü", "u"], [b"u", b"v", b"u"], [True, False, True], [3, 1, 3], [3.0, 1.0, 3]])
def test_npz_labels_are_texts_booleans_or_integers(npz: Read, labels: list[object]) -> None:
    plain = [label.decode() if isinstance(label, bytes) else label for label in labels]
    assert find_classes(npz(X=X, y=np.array(labels)), "y") == tuple(sorted(set(plain)))


REFUSED_NPZ = {
    "no X": ({"y": Y}, ["array X", "found none"]),
    "X with one axis": ({"X": Y, "y": Y}, ["array X", "(3,)"]),
    "X with three axes": ({"X": X[None], "y": Y}, ["array X", "(1, 3, 2)"]),
    "X without rows": ({"X": X[:0], "y": Y[:0]}, ["array X", "(0, 2)"]),
    "X of text": ({"X": X.astype(str), "y": Y}, ["array X", "numbers"]),
    "X of complex numbers": ({"X": X * 1j, "y": Y}, ["array X", "complex"]),
    "y too short": ({"X": X, "y": Y[:2]}, ["y should", "(3,)", "(2,)"]),
    "y with two columns": ({"X": X, "y": X}, ["y should", "(3,)", "(3, 2)"]),
    "y with one column for two targets": ({"X": X, "y": Y[:, None], "targets": 2}, ["y should", "(3, 2)", "(3, 1)"]),
    "y of complex numbers": ({"X": X, "y": Y * 1j}, ["y", "complex"]),
    "y of dates": ({"X": X, "y": Y.astype("M8[D]")}, ["y", "datetime64"]),
    "y of bytes that are no text": ({"X": X, "y": np.array([b"\xff", b"u", b"u"])}, ["y"]),
    "too few names": ({"X": X, "y": Y, "feature_names": np.array(["p"])}, ["feature_names", "2"]),
    "equal names": ({"X": X, "y": Y, "feature_names": np.array(["p", "p"])}, ["feature_names", "different"]),
    "an empty name": ({"X": X, "y": Y, "feature_names": np.array(["p", ""])}, ["2"]),
    "the target's name": ({"X": X, "y": Y, "feature_names": np.array(["p", "y"])}, ["'y'"]),
    "a single name": ({"X": X[:, :1], "y": Y, "feature_names": np.array("p")}, ["feature_names"]),
    "names with two axes": ({"X": X, "y": Y, "feature_names": np.array([["p", "q"], ["r", "s"]])}, ["feature_names"]),
}


@pytest.mark.parametrize(("arrays", "words"), REFUSED_NPZ.values(), ids=REFUSED_NPZ)
def test_npz_arrays_that_are_not_a_table_are_refused(npz: Read, arrays: dict, words: list[str]) -> None:
    with refused("t.npz", *words):
        npz(**arrays)


@pytest.mark.parametrize(("value", "found"), [(np.nan, "'x1'"), (np.inf, "inf")])
def test_npz_cell_that_is_not_a_number_is_named_with_its_row(npz: Read, value: float, found: str) -> None:
    table = npz(X=np.array([[1, 2], [3, value]]))
    with refused("t.npz, row 2:", "'x1'", found):
        table.numbers("x1")


def _bytes_of(save: Callable[..., None], *args: object, **arrays: object) -> bytes:
    file = io.BytesIO()
    save(file, *args, **arrays)
    return file.getvalue()


def _zip_with(member: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, content)
    return file.getvalue()


def _overwritten(content: bytes, start: int, n: int) -> bytes:
    return content[:start] + b"\x07" * n + content[start + n :]


RANDOM = np.random.default_rng(0).normal(size=(100, 3))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a,y\n1,2\n", id="a CSV file"),
        pytest.param(_bytes_of(np.save, X), id="npy"),
        pytest.param(_bytes_of(np.savez, X=RANDOM)[:800], id="cut off"),
        pytest.param(_overwritten(_bytes_of(np.savez, X=RANDOM), 300, 10), id="damaged"),
        pytest.param(_overwritten(_bytes_of(np.savez_compressed, X=RANDOM), 100, 100), id="damaged and compressed"),
        pytest.param(_zip_with("X", b"hello"), id="zip of other files"),
        pytest.param(_zip_with("X.npy", b"hello"), id="zip of what only claims to be npy"),
    ],
)
def test_file_that_is_not_npz_is_refused_without_advice_to_load_it_unsafely(npz: Read, raw: bytes) -> None:
    with pytest.raises(DataError, match=r"^t\.npz") as caught:
        npz(raw)
    assert "allow_pickle" not in str(caught.value)


class Payload:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("where", ["X", "y", "feature_names", "a pickle", "a pickle in a zip", "an array beside"])
def test_npz_never_unpickles(npz: Read, tmp_path: Path, where: str) -> None:
    payload = Payload(tmp_path / "executed")
    objects = np.array([payload] * 3, object)
    arrays = {"X": X, "y": Y}
    match where:
        case "a pickle":
            given: dict = {"raw": pickle.dumps(payload)}
        case "a pickle in a zip":
            given = {"raw": _zip_with("X.npy", pickle.dumps(payload))}
        case "an array beside":
            given = arrays | {"beside": objects}
        case "X":
            given = {"X": objects[:, None], "y": Y}
        case _:
            given = arrays | {where: objects}
    if where == "an array beside":
        assert npz(**given).n_rows == 3
    else:
        with refused("t.npz"):
            npz(**given)
    assert not payload.folder.exists()
    pickle.loads(pickle.dumps(payload))  # noqa: S301  # it would have been seen
    assert payload.folder.exists()


# --- the fingerprint --------------------------------------------------------------------------------------------------


def test_sha256_differs_for_different_contents(csv: Read, pq: Read, npz: Read) -> None:
    assert csv("a,y\n1,2\n").sha256 == csv("a,y\n1,2\n", "other.csv").sha256
    assert csv("a,y\n1,2\n").sha256 != csv("a,y\n1,3\n").sha256
    assert pq({"a": [1]}).sha256 == pq({"a": [1]}).sha256
    assert pq({"a": [1]}).sha256 != pq({"a": [2]}).sha256
    assert npz(X=X, y=Y).sha256 == npz(X=X, y=Y).sha256
    assert npz(X=X, y=Y).sha256 != npz(X=X, y=1 - Y).sha256
    assert npz(X=X, y=Y).sha256 != npz(X=X + 1, y=Y).sha256
