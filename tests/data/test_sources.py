"""Tables in formats with types, or in folders, are read like the CSV file with the same rows."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import dataset, feather, parquet

from nnfs_cli.data.arrow_rows import partitions
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.dates import utc
from nnfs_cli.data.feather.source import Feather
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.jsonl import source as jsonl_source
from nnfs_cli.data.jsonl.source import JsonLines
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.data.table import Column, concatenate_tables
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.inspection.table_profile import profile_file
from nnfs_cli.workflows.write_rows import write_rows
from tests.conftest import EXAMPLES

ROWS = pandas.DataFrame(
    {
        "area": [50.5, 70.25, None, 90.0, 120.0] * 20,
        "rooms": range(100),
        "city": ["Bonn", "Köln", 'a "b", c', "Ulm", None] * 20,
        "sold": ["2024-01-31", "2024-02-29", "2023-12-01", "2024-05-06", None] * 20,
        "year": [2023, 2024] * 50,
        "y": np.arange(100) * 1.5,
    }
)


def cells(column: Column) -> list[object]:
    """The cells of a column, with None for gaps."""
    values: list[object] = column.tolist() if isinstance(column, Texts) else utc(column).tolist()
    return [None if value != value else value for value in values]


def columns(source: ColumnSource, order: list[str] | None = None) -> dict[str, list[object]]:
    table = source.read()
    return {name: cells(table.column(name)) for name in order or table.columns}


def message(read: Callable[[], object], error: type[Exception] = DataError) -> str:
    with pytest.raises(error) as caught:
        read()
    return str(caught.value)


@pytest.fixture
def as_csv(tmp_path: Path) -> Csv:
    ROWS.to_csv(tmp_path / "t.csv", index=False)
    return Csv(path=tmp_path / "t.csv", target=("y",))


def lines(frame: pandas.DataFrame) -> str:
    return frame.to_json(orient="records", lines=True, double_precision=15)


def write_jsonl(folder: Path) -> JsonLines:
    (folder / "t.jsonl").write_text(lines(ROWS), encoding="utf-8")
    return JsonLines(path=folder / "t.jsonl", target=("y",))


def write_feather(folder: Path) -> Feather:
    typed = ROWS.assign(sold=pandas.to_datetime(ROWS["sold"]))
    feather.write_feather(pa.Table.from_pandas(typed, preserve_index=False), str(folder / "t.feather"), chunksize=7)
    return Feather(path=folder / "t.feather", target=("y",))


def write_hive(folder: Path) -> Parquet:
    for year, rows in ROWS.assign(sold=pandas.to_datetime(ROWS["sold"])).groupby("year"):
        (folder / f"sales/year={year}").mkdir(parents=True)
        rows.drop(columns="year").to_parquet(folder / f"sales/year={year}/part-0.parquet", index=False)
    (folder / "sales/_SUCCESS").touch()
    return Parquet(path=folder / "sales", target=("y",))


def write_excel(folder: Path) -> Any:
    pytest.importorskip("python_calamine", reason="reading workbooks needs the extra excel")
    pytest.importorskip("openpyxl", reason="writing workbooks needs the extra excel")
    from nnfs_cli.data.excel.source import Excel

    with pandas.ExcelWriter(folder / "t.xlsx") as book:
        pandas.DataFrame({"x": [1]}).to_excel(book, sheet_name="Notes", index=False)
        ROWS.assign(sold=pandas.to_datetime(ROWS["sold"])).to_excel(book, sheet_name="Sold", index=False)
    return Excel(path=folder / "t.xlsx", sheet="Sold", target=("y",))


SOURCES = [write_jsonl, write_feather, write_hive, write_excel]


@pytest.mark.parametrize("write", SOURCES)
def test_rows_are_those_of_the_csv_file(write: Callable[[Path], ColumnSource], tmp_path: Path, as_csv: Csv) -> None:
    source = write(tmp_path)
    expected = columns(as_csv)
    if write is write_hive:  # in the order of the files
        order = [*range(0, 100, 2), *range(1, 100, 2)]
        expected = {name: [column[i] for i in order] for name, column in expected.items()}
    assert columns(source, list(expected)) == expected
    kinds = as_csv.kinds()
    assert {name: source.kinds()[name] for name in kinds} == kinds
    whole = concatenate_tables([*source.chunks(kinds)])
    assert {name: cells(whole.column(name)) for name in expected} == expected
    assert source.estimate_rows(1) == 100
    assert source.names() == tuple(source.read().columns)


@pytest.mark.parametrize("write", SOURCES)
def test_dropped_columns_are_named_and_not_read(write: Callable[[Path], ColumnSource], tmp_path: Path) -> None:
    table = write(tmp_path).model_copy(update={"drop": ("city", "sold")}).read()
    assert table.not_read == ("city", "sold")
    assert not {"city", "sold"} & {*table.columns}


@pytest.mark.parametrize("write", SOURCES)
def test_another_file_of_the_same_kind_is_found_by_its_suffix(
    write: Callable[[Path], ColumnSource], tmp_path: Path, as_csv: Csv
) -> None:
    source: Any = write(tmp_path)
    assert type(source_for(source.path, as_csv)) is type(source)
    assert source_for(source.path, as_csv).target_columns() == ("y",)


def test_columns_that_are_kept_are_unchanged(tmp_path: Path) -> None:
    (chunk,) = write_jsonl(tmp_path).chunks({"rooms": "number"}, keep=["sold"])
    assert chunk.kept["sold"].to_pylist()[:2] == ["2024-01-31", "2024-02-29"]


# --- JSON lines -------------------------------------------------------------------------------------------------------


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[[str], JsonLines]:
    def make(content: str) -> JsonLines:
        (tmp_path / "t.jsonl").write_bytes(content.encode(errors="surrogateescape"))
        return JsonLines(path=tmp_path / "t.jsonl", target=("y",))

    return make


NUMBERS = st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False, width=16)
MIXED = st.booleans() | st.text("xyz", max_size=2) | st.integers(0, 9)
ROW = st.fixed_dictionaries({}, optional={"a": st.none() | NUMBERS, "b": st.none() | st.text(max_size=3), "c": MIXED})


@settings(max_examples=EXAMPLES // 3)
@given(rows=st.lists(ROW, min_size=1, max_size=12).filter(any), size=st.integers(1, 60))
def test_lines_equal_the_same_rows_of_python_wherever_blocks_end(
    rows: list[dict[str, Any]], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from nnfs_cli.data.in_memory import InMemory

    path = tmp_path_factory.mktemp("lines") / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl_source, "BLOCK_BYTES", size)
        found = JsonLines(path=path, target=("y",)).read()
    expected = InMemory(target=("y",)).of(rows).read()
    assert {*found.columns} == {*expected.columns}
    for name in found.columns:
        if isinstance(found.column(name), Texts) and isinstance(expected.column(name), Texts):
            assert cells(found.column(name)) == cells(expected.column(name))
        else:
            assert np.array_equal(found.numbers(name, gaps=True), expected.numbers(name, gaps=True), equal_nan=True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"y": 1,}', "t.jsonl, line 3: this is not JSON"),
        ("[1, 2]", "t.jsonl, line 3: expected an object, such as"),
        ('{"y": NaN}', "NaN is not a number of JSON"),
        ('{"y": 1, "y": 2}', "line 3: this is not JSON: there are two keys 'y'"),
        ('{"y": "\udcff"}', "line 3: this is not JSON: 'utf-8' codec"),
    ],
)
def test_a_line_that_is_no_object_is_refused_with_its_number(
    jsonl: Callable[[str], JsonLines], line: str, words: str
) -> None:
    assert words in message(jsonl(f'{{"y": 1}}\n\n{line}\n{{"y": 2}}\n').read)


def test_nested_values_are_refused_when_they_are_used(jsonl: Callable[[str], JsonLines]) -> None:
    table = jsonl('{"y": 1, "tags": ["a"]}\n').read()
    assert "tags" in table.unreadable
    assert "is list<" in message(lambda: table.column("tags"))


def test_compressed_lines_are_decompressed(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(lines(ROWS).encode()))
    assert JsonLines(path=tmp_path / "t.jsonl.gz", target=("y",)).read().n_rows == 100


def test_a_file_without_lines_has_no_rows(jsonl: Callable[[str], JsonLines]) -> None:
    assert message(jsonl("\n").read) == "t.jsonl has no rows"


# --- Feather ----------------------------------------------------------------------------------------------------------


def test_a_damaged_feather_file_is_refused(tmp_path: Path) -> None:
    source = write_feather(tmp_path)
    source.path.write_bytes(source.path.read_bytes()[:-20])
    assert "t.feather is not a Feather file or is damaged" in message(source.read)
    source.path.write_bytes(b"FEA1" + bytes(50))
    assert "version 1; write it again with version 2" in message(source.read)


# --- partitions -------------------------------------------------------------------------------------------------------


def test_partitions_equal_those_that_pyarrow_reads(tmp_path: Path) -> None:
    table = pa.table({"site": ["a b", "c/d", None, "a b"], "month": [1, 2, 3, 12], "y": [1.0, 2.0, 3.0, 4.0]})
    parquet.write_to_dataset(table, tmp_path / "t", partition_cols=["site", "month"])
    found = Parquet(path=tmp_path / "t", target=("y",)).read()
    theirs = dataset.dataset(tmp_path / "t", partitioning="hive").to_table().sort_by("y")
    order = np.argsort(found.numbers("y"))
    for name in ("site", "month", "y"):
        assert [cells(found.column(name))[i] for i in order] == theirs.column(name).to_pylist()


def test_partition_is_a_text_unless_all_are_whole_numbers() -> None:
    mixed = partitions([["zip=01067"], ["zip=x"]])
    assert [cells["zip"].as_py() for cells in mixed] == ["01067", "x"]
    assert [cells["n"].as_py() for cells in partitions([["n=-2"], ["n=__HIVE_DEFAULT_PARTITION__"]])] == [-2, None]


def test_a_column_in_a_file_and_in_the_name_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t/y=1").mkdir(parents=True)
    parquet.write_table(pa.table({"y": [1]}), tmp_path / "t/y=1/a.parquet")
    assert "are both named 'y'" in message(Parquet(path=tmp_path / "t", target=("y",)).read)


def test_a_folder_is_read_by_the_kind_of_its_files(
    tmp_path: Path, as_csv: Csv, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    assert "without files that end in" in message(lambda: source_for(tmp_path / "empty", as_csv))
    write_hive(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert all(isinstance(source_for(path, as_csv), Parquet) for path in (Path("sales"), tmp_path / "sales"))
    (tmp_path / "sales/x.jsonl").touch()
    assert "files of several kinds" in message(lambda: source_for(tmp_path / "sales", as_csv))


# --- Excel ------------------------------------------------------------------------------------------------------------


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    source = write_excel(tmp_path)
    assert "has no sheet 'Solt'; did you mean 'Sold'?" in message(source.model_copy(update={"sheet": "Solt"}).read)
    assert profile_file(source.path, "x").settings == {"sheet": "Notes"}
    with pytest.warns(UserWarning, match="has 2 sheets; its first one, 'Notes', is read"):
        source.model_copy(update={"sheet": None}).read()


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    source = write_excel(tmp_path)
    source.path.write_bytes(b"PK\x03\x04 not a workbook")
    assert "t.xlsx is not an Excel workbook or is damaged" in message(source.read)


def test_a_missing_package_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnfs_cli.data.excel.source import Excel

    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (tmp_path / "t.xlsx").touch()
    said = message(Excel(path=tmp_path / "t.xlsx", target=("y",)).read, UserError)
    assert said == "reading t.xlsx needs python-calamine and openpyxl: pip install 'nnfs-cli[excel]'"


# --- writing ----------------------------------------------------------------------------------------------------------


BLOCK = {
    "n": np.array([1.5, np.nan, -2e-9]),
    "i": np.array([1, 2, 3]),
    "t": Texts.of(["=1+1", None, 'a "b", é']),
    "b": np.array([True, False, True]),
    "d": np.array(["2024-01-31", "NaT", "2024-02-29"], "datetime64[us]"),
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather", ".jsonl", ".xlsx"])
def test_what_is_written_reads_back_the_same(suffix: str, tmp_path: Path, as_csv: Csv) -> None:
    if suffix == ".xlsx":
        pytest.importorskip("openpyxl", reason="it needs the extra excel")
        pytest.importorskip("python_calamine", reason="it needs the extra excel")
    write_rows([BLOCK, {name: column[:0] for name, column in BLOCK.items()}, BLOCK], str(tmp_path / f"a{suffix}"))
    table = source_for(tmp_path / f"a{suffix}", as_csv).read()
    formula = "'=1+1" if suffix == ".csv" else "=1+1"  # a spreadsheet would run it
    assert cells(table.column("n")) == [1.5, None, -2e-9] * 2
    assert cells(table.column("i")) == [1, 2, 3] * 2
    assert cells(table.column("t")) == [formula, None, 'a "b", é'] * 2
    assert [bool(cell) for cell in cells(table.column("b"))] == [True, False, True] * 2
    assert cells(table.zoned_dates("d")) == cells(BLOCK["d"]) * 2  # type: ignore[arg-type]


def test_a_cell_that_a_format_cannot_hold_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    endless = {"x": np.array([1.0, np.inf])}
    assert "column 'x' holds inf, which JSON cannot hold" in message(
        lambda: write_rows([endless], str(tmp_path / "a.jsonl"))
    )
    mixed = [{"x": np.array([1.0])}, {"x": Texts.of(["a"])}]
    assert "a column of such a file has one type" in message(lambda: write_rows(mixed, str(tmp_path / "a.feather")))
    assert [*tmp_path.iterdir()] == []
