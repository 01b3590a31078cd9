"""Sheets as people make them: titles, merged cells, formulas, hidden and empty sheets."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.table_profile import profile_file
from tests.conftest import Nnfs, one_message

openpyxl = pytest.importorskip("openpyxl", reason="writing workbooks needs the extra excel")
pytest.importorskip("python_calamine", reason="reading workbooks needs the extra excel")

from nnfs_cli.data.excel.source import Excel  # noqa: E402

Rows = list[list[Any]]
Make = Callable[..., Path]
TABLE: Rows = [["region", "units", "y"], *(["North" if i < 3 else "South", i, 1.5 * i] for i in range(6))]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a workbook: the rows of each sheet by its name, with merged ranges, from some cell on."""

    def write(
        merge: tuple[str, ...] = (), hide: tuple[str, ...] = (), first: tuple[int, int] = (1, 1), **sheets: Rows
    ) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    sheet.cell(first[0] + i, first[1] + j, cell)
            for cells in merge:
                sheet.merge_cells(cells)
            sheet.sheet_state = "hidden" if name in hide else "visible"
        book.save(tmp_path / "t.xlsx")
        return tmp_path / "t.xlsx"

    return write


def read(path: Path, **settings: Any) -> dict[str, list[Any]]:
    columns = Excel(path=path, target=("y",), **settings).read().columns
    return {name: column.tolist() if isinstance(column, Texts) else [*column] for name, column in columns.items()}


EXPECTED = {"region": ["North"] * 3 + ["South"] * 3, "units": [*range(6)], "y": [1.5 * i for i in range(6)]}


def refused(path: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **settings)
    return str(caught.value)


@pytest.mark.parametrize("first", [(1, 1), (3, 2)])
def test_rows_before_the_header_are_skipped_and_found_by_init(make: Make, first: tuple[int, int]) -> None:
    path = make(S=[["Sales 2024"], ["as of May", None, "kg"], [], *TABLE], first=first)
    assert "has no name" in refused(path)
    assert profile_file(path, "y").settings == {"skip_rows": 2 + first[0]}
    assert read(path, skip_rows=2 + first[0]) == EXPECTED
    assert refused(path, skip_rows=50) == "t.xlsx has no rows after the first 50 of the sheet 'S'"


def test_a_table_without_a_title_needs_no_setting(make: Make) -> None:
    path = make(S=TABLE, first=(4, 3))
    assert profile_file(path, "y").settings == {}
    assert read(path) == EXPECTED


def test_cells_that_are_merged_into_one_column_hold_its_value(make: Make) -> None:
    once = [[*row] for row in TABLE]
    for i in (2, 3, 5, 6):
        once[i][0] = None
    assert read(make(("A2:A4", "A5:A7"), S=once)) == EXPECTED
    headers = [["Region", "Sold", None], [None, "units", "y"], *once[1:]]  # a header of two rows
    path = make(("A1:A2", "B1:C1", "A3:A5", "A6:A8"), S=headers)
    assert "column 3 has no name, since cells of the header are merged" in refused(path)
    assert [*read(path, skip_rows=1).values()] == [*EXPECTED.values()]
    assert profile_file(path, "y").settings == {"skip_rows": 1}


def test_a_formula_is_the_value_that_was_saved_with_it(make: Make, tmp_path: Path) -> None:
    path = make(S=[TABLE[0], *([*row[:2], f"=1.5*B{i}"] for i, row in enumerate(TABLE[1:], 2))])
    empty = re.compile(r"(<f>1\.5\*B(\d)</f>)<v ?/>")  # openpyxl saves no values, as Excel does
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "saved.xlsx", "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            new.writestr(name, empty.sub(lambda cell: f"{cell[1]}<v>{1.5 * (int(cell[2]) - 2)}</v>", text))
    assert read(tmp_path / "saved.xlsx") == EXPECTED


def test_a_hidden_sheet_is_read_only_if_it_is_named(make: Make) -> None:
    path = make(hide=("Lists",), Lists=[["y"], [1]], Data=TABLE)
    assert read(path) == EXPECTED
    assert read(path, sheet="Lists") == {"y": [1]}
    assert profile_file(path, "y").settings == {"sheet": "Data"}


def test_an_empty_sheet_is_refused_with_the_others(make: Make, inside: Nnfs) -> None:
    path = make(Cover=[], Data=TABLE, Notes=[["x"]])
    said = one_message(inside("init", path, "--target", "y"), 2)
    assert said.endswith(
        "the sheet 'Cover' is empty; another one is chosen with  sheet  (or with --sheet): 'Data' or 'Notes'\n"
    )
    assert inside("init", path, "--target", "y", "--sheet", "Data", "-q").stdout == "t.yaml\n"
    assert "    sheet: Data  # one of several\n" in (path.parent / "t.yaml").read_text()
    assert "has no sheet 'Datum'; did you mean 'Data'?" in one_message(inside("init", path, "--sheet", "Datum"), 2)
    assert "t.xlsx: the sheet 'S' is empty" in refused(make(S=[])) + refused(make(S=[[None]]))
    (path.parent / "t.csv").write_text("y\n1\n")
    assert "--sheet is for Excel and OpenDocument files" in one_message(inside("init", "t.csv", "--sheet", "S"), 2)
    assert "a database has none" in one_message(inside("init", "sqlite:t.db", "--query", "select 1", "--sheet", "S"), 2)


def test_an_index_of_pandas_and_empty_columns_are_left_out(make: Make, tmp_path: Path) -> None:
    frame = pandas.DataFrame(EXPECTED)
    frame.to_excel(tmp_path / "i.xlsx")
    with pytest.warns(UserWarning, match="like an index that pandas writes; it is left out"):
        assert read(tmp_path / "i.xlsx") == EXPECTED
    assert read(make(S=[[*row[:1], None, *row[1:]] for row in TABLE])) == EXPECTED
    named = make(S=[[None, *TABLE[0]], *([f"r{i}", *row] for i, row in enumerate(TABLE[1:]))])
    assert [*read(named)] == ["Unnamed: 0", *EXPECTED]
    assert "column 2 has no name" in refused(make(S=[["region", None, "y"], *TABLE[1:]]))
