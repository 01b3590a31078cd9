"""Cells and lines that cannot be used are found alike in files and databases of every kind."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from nnfs_cli import train
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.jsonl import source as jsonl_source
from nnfs_cli.data.jsonl.source import JsonLines
from nnfs_cli.data.left_out import PLACE, kinds_of_most
from nnfs_cli.data.source import DataSource
from nnfs_cli.data.sql.source import query_at
from nnfs_cli.data.table import Kind, Table, concatenate_tables
from nnfs_cli.errors import DataError
from tests.data.test_sources import cells
from tests.workflows.test_sources import REST

KINDS: dict[str, Kind] = {"area": "number", "rooms": "number", "sold": "date", "city": "category", "y": "number"}
ROWS: dict[str, list[Any]] = {
    "area": [50.5, "abc", None, "7", float(2**60), "inf", 1.25, 2, True, 5],
    "rooms": [1, 2, 3, "12,5", 5, 6, None, "x", 9, 1000],
    "sold": ["2024-01-31", "soon", None, 5, "2023-12-01"] * 2,
    "city": ["Bonn", 5, 2.5, "7", None] * 2,
    "y": [0.5] * 9 + ["oops"],
}
FRAME = pandas.DataFrame(ROWS, dtype=object)


def in_jsonl(folder: Path) -> DataSource:
    (folder / "t.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in FRAME.to_dict("records")))
    return JsonLines(path=folder / "t.jsonl", target=("y",))


def in_excel(folder: Path) -> DataSource:
    pytest.importorskip("openpyxl", reason="it needs the extra excel")
    pytest.importorskip("python_calamine", reason="it needs the extra excel")
    from nnfs_cli.data.excel.source import Excel

    FRAME.to_excel(folder / "t.xlsx", index=False)
    return Excel(path=folder / "t.xlsx", target=("y",))


def in_sqlite(folder: Path) -> DataSource:
    with contextlib.closing(sqlite3.connect(folder / "t.db")) as connection:
        connection.execute("create table t (area, rooms, sold, city, y)")
        connection.executemany("insert into t values (?, ?, ?, ?, ?)", FRAME.itertuples(index=False))
        connection.commit()
    return query_at(f"sqlite:{folder / 't.db'}", "select * from t order by rowid", ["y"])


def as_texts(folder: Path) -> pa.Table:
    return pa.Table.from_pandas(pandas.read_csv(folder / "t.csv", dtype=str), preserve_index=False)


def in_feather(folder: Path) -> DataSource:
    from nnfs_cli.data.feather.source import Feather

    feather.write_feather(as_texts(folder), str(folder / "t.feather"))
    return Feather(path=folder / "t.feather", target=("y",))


def in_parquet(folder: Path) -> DataSource:
    from nnfs_cli.data.parquet.source import Parquet

    parquet.write_table(as_texts(folder), folder / "t.parquet")
    return Parquet(path=folder / "t.parquet", target=("y",))


def in_memory(_: Path) -> DataSource:
    return InMemory(target=("y",)).of(FRAME)


def found_in(source: DataSource) -> tuple[dict[str, list[object]], dict[int, str]]:
    """Return the cells, and what is wrong with rows, without places and advice."""
    tables = [*source.chunks(KINDS, faults=True)]
    starts = np.cumsum([0, *(table.n_rows for table in tables)]).tolist()
    faults = {
        start + row: PLACE.sub("", reason).partition("; ")[0]  # advice differs
        for start, table in zip(starts, tables, strict=False)
        for row, reason in table.faults.items()
    }
    whole: Table = concatenate_tables(tables)
    return {name: cells(whole.column(name)) for name in KINDS}, faults


@pytest.fixture
def as_csv(tmp_path: Path) -> Csv:
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    return Csv(path=tmp_path / "t.csv", target=("y",))


@pytest.mark.parametrize("put", [in_jsonl, in_excel, in_sqlite, in_feather, in_parquet, in_memory])
def test_cells_that_do_not_fit_are_those_of_the_csv_file(
    put: Callable[[Path], DataSource], as_csv: Csv, tmp_path: Path
) -> None:
    source = put(tmp_path)
    expected, faults = found_in(as_csv)
    assert {*faults} == {1, 3, 5, 6, 7, 8, 9}
    found, wrong = found_in(source)
    assert found == expected
    assert wrong == faults
    if isinstance(source, ColumnSource):
        assert kinds_of_most(source, {"sold": "date"}) == kinds_of_most(as_csv, {"sold": "date"})


@pytest.mark.parametrize("size", [1 << 20, 30, 3])
def test_a_line_that_is_no_object_is_a_faulty_row(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_source, "BLOCK_BYTES", size)
    (tmp_path / "t.jsonl").write_text('{"y": 1, "area": [1]}\n{"y": 2, "area": 3}\n\n{"y": 3, "area\n{"y": 4}\n7\n')
    source = JsonLines(path=tmp_path / "t.jsonl", target=("y",))
    with pytest.raises(DataError, match="line 4: this is not JSON"):
        source.read()
    with pytest.raises(DataError, match="line 4: this is not JSON"):
        [*source.chunks({"y": "number"})]
    tables = [*source.chunks({"y": "number", "area": "number"}, faults=True)]
    rows = [(table.numbers("y", gaps=True)[i], table.faults.get(i)) for table in tables for i in range(table.n_rows)]
    assert [y for y, fault in rows if fault is None] == [2, 4]
    said = [fault for _, fault in rows if fault]
    assert "row 1: column 'area' should hold numbers, found '[1]'" in said[0]
    assert "line 4: this is not JSON" in said[1]
    assert "line 6: expected an object" in said[2]


def test_lists_and_objects_of_several_types_are_a_column_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"y": 1, "a": [1]}\n{"y": 2, "a": ["x"]}\n{"y": 3, "a": {"k": 1}}\n')
    table = JsonLines(path=tmp_path / "t.jsonl", target=("y",)).read()
    assert table.n_rows == 3
    assert "a" in table.unreadable


def test_a_column_of_texts_that_are_all_numbers_holds_codes_where_a_file_has_types(tmp_path: Path) -> None:
    codes = pa.table({"code": ["01", "02", "x"] + ["03"] * 9, "zip": ["01067"] * 12, "y": [1.0] * 12})
    parquet.write_table(codes, tmp_path / "t.parquet")
    from nnfs_cli.data.parquet.source import Parquet

    found = kinds_of_most(Parquet(path=tmp_path / "t.parquet", target=("y",)), {})
    assert found == {"code": "number", "zip": "category", "y": "number"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("put", [in_jsonl, in_excel, in_sqlite, in_feather, in_parquet])
def test_a_net_that_skips_faulty_rows_is_that_of_the_csv_file(
    put: Callable[[Path], DataSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    good = pandas.DataFrame({"area": rng.normal(size=200).round(3), "rooms": rng.integers(0, 9, 200), "city": "Bonn"})
    good = good.assign(sold="2024-05-06", y=(good["area"] + good["rooms"]).round(3)).astype(object)
    frame = pandas.concat([good[[*ROWS]], FRAME], ignore_index=True)
    monkeypatch.setattr("tests.data.test_faulty_cells.FRAME", frame)
    monkeypatch.chdir(tmp_path)
    frame.to_csv(tmp_path / "t.csv", index=False)
    rest: dict[str, Any] = {**REST, "on_error": "skip"}
    rest["preprocessing"] = {**REST["preprocessing"], "columns": {"sold": "calendar"}}  # type: ignore[dict-item]
    sources: list[Any] = [put(tmp_path), Csv(path=tmp_path / "t.csv", target=("y",))]
    sources = [source.model_copy(update={"drop": ("city",)}) for source in sources]
    runs = [train({"dataset": source.plain(), **rest}) for source in sources]
    figures = [json.loads((Path(run.path) / "metrics.json").read_text()) for run in runs]
    assert figures[0] == figures[1]
    found = [
        pandas.Series(run.predict(one, on_error="null")["prediction"]) for run, one in zip(runs, sources, strict=True)
    ]
    assert found[0].isna().sum() == 6
    assert found[0].equals(found[1])
