"""Lines of CSV files that are no rows: titles, comments and summary rows; and columns without a name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.table import Table
from nnfs_cli.errors import DataError, NnfsWarning
from tests.conftest import Nnfs

Make = Callable[..., Csv]
TEXTS = st.text('ab#;"\n Total1', max_size=6)
IN_A_FOLDER = [HealthCheck.function_scoped_fixture]


@pytest.fixture
def source(tmp_path: Path) -> Make:
    def make(content: str, **options: Any) -> Csv:
        path = tmp_path / "t.csv"
        path.write_text(content, encoding="utf-8", newline="")
        return Csv(**{"path": path, "target": "y", **options})

    return make


def rows_of(table: Table) -> list[tuple[object, ...]]:
    return list(zip(*(column.tolist() for column in table.columns.values()), strict=True))


def line_of(table: Table, row: int) -> str:
    return table.locate(row, next(iter(table.columns)))[0]


@settings(max_examples=30, suppress_health_check=IN_A_FOLDER)
@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["#", "# 1;2", '#"', "#\u00e9;"])), max_size=4),
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(3, 60),
)
def test_rows_and_their_lines_are_those_of_the_csv_module_without_the_other_lines(
    source: Make, rows: Any, comments: Any, n_before: int, n_after: int, line_end: str, block: int
) -> None:
    """Titles, comments and summary rows may stand anywhere, hold quotes, and end where a block ends."""
    rows = [("x" + a, "x" + b) for a, b in rows]  # a cell that begins with # would be a comment
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator=line_end)
    for i in range(n_before):
        text.write(f'title "{i}; of the table{line_end}')
    writer.writerow(("a", "y"))
    lines = []
    for i, row in enumerate(rows):
        for _, comment in (one for one in comments if one[0] == i):
            text.write(comment + line_end)
        lines.append(1 + text.getvalue().count("\n"))
        writer.writerow(row)
    for i in range(n_after):
        writer.writerow(("", f"Total {i}"))
        text.write("# end" + line_end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", block)
        made = source(text.getvalue(), delimiter=";", skip_rows=n_before, comment="#", skip_footer=["Total"])
        kinds = {"a": "category", "y": "category"}
        table = made.read(kinds)
        chunks = [row for chunk in made.chunks(kinds) for row in rows_of(chunk)]
        assert [line_of(table, i) for i in range(len(rows))] == [f"line {line}" for line in lines]
    assert rows_of(table) == chunks == rows


def test_pandas_reads_the_same_rows(source: Make) -> None:
    text = "A title\nof two lines\nn,y\n1,2.5\n# a note\n3,4\nTotal,6.5\nMean,3.25\n"
    table = source(text, skip_rows=2, comment="#", skip_footer=["Total", "Mean"]).read()
    theirs = pd.read_csv(io.StringIO(text), skiprows=2, comment="#", skipfooter=2, engine="python")
    assert rows_of(table) == list(theirs.itertuples(index=False, name=None))


def test_a_row_is_a_summary_only_at_the_end_and_if_the_whole_word_begins_it(source: Make) -> None:
    made = source("a,y\nTotal,1\nSummer,2\nSum,3\n Total: ,4\n\n", skip_footer=["Total", "Sum"])
    assert rows_of(made.read()) == [("Total", 1), ("Summer", 2)]
    assert rows_of(source("a,y\nTotals,1\n", skip_footer="Total").read()) == [("Totals", 1)]


def test_a_line_for_excel_names_the_delimiter_and_is_no_header(source: Make) -> None:
    text = "\ufeffsep=;\r\na;y\r\n1;2\r\n"
    assert rows_of(source(text, delimiter=";").read()) == [(1, 2)]
    with pytest.raises(DataError, match=r"line 1: the file says that its delimiter is ';'; set  delimiter: ';'"):
        source(text).read()


def test_a_file_of_nothing_but_skipped_lines_is_empty(source: Make) -> None:
    with pytest.raises(DataError, match="is empty"):
        source("one\ntwo\n", skip_rows=5).read()


def test_the_index_that_pandas_writes_is_left_out_with_a_note(inside: Nnfs, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, 2, 3], "y": [1.0, 2, 4]})
    frame.to_csv(tmp_path / "t.csv")
    config = (
        "dataset: {csv: {path: t.csv, target: y}}\nsplit: {validation: 0}\nlayers: [linear: 1]\nloss: mse\nepochs: 1\n"
    )
    (tmp_path / "c.yaml").write_text(config)
    warned = inside("train", "c.yaml", "-q").stderr.splitlines()
    assert len(warned) == 1
    assert "it is left out. To confirm this, set  drop: ['Unnamed: 0']" in warned[0]
    (tmp_path / "c.yaml").write_text(config.replace("y}}", "y, drop: 'Unnamed: 0'}}"))
    assert not inside("train", "c.yaml", "-q").stderr
    for run in ("c-1", "c-2"):
        predicted = inside("predict", "--run", f"runs/{run}", "--input", "t.csv", "-q")
        assert (len(predicted.stdout.splitlines()), predicted.stderr) == (4, "")


def test_a_column_without_a_name_is_used_if_it_is_the_first_and_no_index(source: Make) -> None:
    with pytest.warns(NnfsWarning, match=r"first column has no name; .* 'Unnamed: 0'. To leave it out, set  drop: \["):
        table = source(",a,y\nu,1,2\nv,3,4\n").read()
    assert rows_of(table) == [("u", 1, 2), ("v", 3, 4)]
    assert list(table.columns) == ["Unnamed: 0", "a", "y"]


def test_columns_without_a_name_and_cells_are_left_out(source: Make) -> None:
    made = source("a,y,\n1,2,\n3,4,\n")
    assert rows_of(made.read()) == [(1, 2), (3, 4)]
    assert list(made.kinds()) == ["a", "y"]


def test_a_table_written_twice_by_pandas_has_two_indices(source: Make) -> None:
    text = pd.read_csv(io.StringIO(pd.DataFrame({"y": [5, 6]}).to_csv())).to_csv()
    assert text.startswith(",Unnamed: 0,y")
    with pytest.warns(NnfsWarning, match=r"drop: \['Unnamed: 0.1'\]"):
        assert list(source(text).read().columns) == ["Unnamed: 0", "y"]
