"""The same rows give the same predictions, whatever holds them: a file, or a table of any library.

The judge is the CSV file, written by Python's own `csv` module, and the Parquet file, written by pyarrow, as
`nnfs predict` reads them.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from nnfs_cli import Run, train, workflows
from nnfs_cli.config.yaml import dump
from nnfs_cli.data.dates import ZONED, local, utc
from nnfs_cli.data.in_memory import rows_for
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import UserError
from nnfs_cli.prediction.predictor import Predictor
from tests.conftest import Nnfs

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

Rows = dict[str, list[Any]]  # columns of Python values, None for a gap

SETTINGS: dict[str, Any] = {
    "layers": [{"linear": 7}, "tanh", {"linear": 1}],
    "loss": "mse",
    "epochs": 2,
    "batch_size": 16,
    "dtype": "float64",  # in which every bit of the inputs counts
    "preprocessing": {
        "numbers": ["impute", "standardize"],
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
        "columns": {"note": {"hashing": 8}},
    },
    "split": {"validation": 0.25},
}
UTC, PARIS = dt.UTC, dt.timezone(dt.timedelta(hours=2))
TRAPS = ["NA", "007", "1e5", "true", "False", " x ", "null", "None", "nan", "-", "2020-01-31", "0x1F", "inf", "é",
         "日本", "😀", "a,b", 'a"b', "x\ny", "'", "Paris", "Rome"]  # fmt: skip
START = dt.datetime(2020, 1, 31, 12, 30)


def training_rows() -> Rows:
    n = 48
    rng = np.random.default_rng(0)
    cells = {
        "n": [None if i % 7 == 0 else float(rng.normal()) for i in range(n)],
        "m": [int(i) for i in rng.integers(-100, 100, n)],
        "flag": [None if i % 9 == 4 else bool(i % 3) for i in range(n)],
        "city": [[*TRAPS, None][i % (len(TRAPS) + 1)] for i in range(n)],
        "note": [f"note {i % 5}" for i in range(n)],
        "day": [None if i % 7 == 3 else dt.date(2019, 1, 1) + dt.timedelta(days=int(i) * 37) for i in range(n)],
        "moment": [START + dt.timedelta(seconds=int(i) * 54_321) for i in range(n)],
        "zoned": [None if i % 7 == 3 else (START + dt.timedelta(hours=i)).replace(tzinfo=UTC) for i in range(n)],
    }
    return {**cells, "y": [float(value) for value in rng.normal(size=n)]}


# Files


def as_csv(cell: Any) -> str:
    if isinstance(cell, dt.datetime) and cell.tzinfo:
        return cell.isoformat(" ")
    return "" if cell is None else repr(float(cell)) if isinstance(cell, float | np.floating) else str(cell)


def write_csv(rows: Rows, path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows)
        writer.writerows([[as_csv(cell) for cell in row] for row in zip(*rows.values(), strict=True)])
    return path


def write_parquet(table: pa.Table, path: Path) -> Path:
    parquet.write_table(table, path)
    return path


def arrow_of(rows: Rows, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return the table of these types; without a type, a column has the one that pyarrow finds."""
    return pa.table({name: pa.array(cells, types.get(name)) for name, cells in rows.items()})


# Tables


def cast(table: pa.Table, of: Callable[[pa.DataType], bool], change: Callable[[pa.ChunkedArray], Any]) -> pa.Table:
    for i, field in enumerate(table.schema):
        if of(field.type):
            table = table.set_column(i, field.name, change(table.column(i)))
    return table


def padded(table: pa.Table) -> pa.Table:
    """Return a slice of a longer table."""
    return pa.concat_tables([table, table, table]).combine_chunks().slice(table.num_rows, table.num_rows)


def of_objects(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of Python objects, with gaps of several kinds."""
    gaps = itertools.cycle([None, np.nan, pd.NA, pd.NaT])
    cells = {
        name: pd.Series([next(gaps) if pd.isna(cell) else cell for cell in frame[name]], dtype=object) for name in frame
    }
    return pd.DataFrame(cells)


def indexed(frame: pd.DataFrame, *names: str | None) -> pd.DataFrame:
    levels = [[f"{name}{i}" for i in range(len(frame))] for name in names]
    return frame.set_index(pd.MultiIndex.from_arrays(levels, names=names) if len(names) > 1 else pd.Index(levels[0]))


def without_gaps(rows: Rows) -> list[dict[str, Any]]:
    first, *others = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
    return [first, *({name: cell for name, cell in row.items() if cell is not None} for row in others)]


def enums(frame: pl.DataFrame) -> pl.DataFrame:
    for name, kind in frame.schema.items():
        if kind == pl.String:
            frame = frame.with_columns(pl.col(name).cast(pl.Enum([*reversed(frame[name].drop_nulls().unique())])))
    return frame


def run_ends(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.compute.run_end_encode(chunk) for chunk in column.chunks])


NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}
is_text = pa.types.is_string
ARROW: dict[str, Callable[[pa.Table], Any]] = {
    "pyarrow": lambda table: table,
    "pyarrow in chunks": lambda table: pa.concat_tables([table.slice(i, 1) for i in range(table.num_rows)]),
    "pyarrow slice": padded,
    "pyarrow dictionary": lambda table: cast(table, is_text, lambda column: column.dictionary_encode()),
    "pyarrow large string": lambda table: cast(table, is_text, lambda column: column.cast(pa.large_string())),
    "pyarrow string view": lambda table: cast(table, is_text, lambda column: column.cast(pa.string_view())),
    "pyarrow run ends": lambda table: cast(padded(table), lambda kind: is_text(kind) or kind == pa.float64(), run_ends),
    "polars": pl.from_arrow,
    "polars categorical": lambda table: pl.from_arrow(table).with_columns(pl.col(pl.String).cast(pl.Categorical)),
    "polars enum": lambda table: enums(pl.from_arrow(table)),
    "polars slice": lambda table: pl.from_arrow(padded(table)).head(table.num_rows),
    "pandas": lambda table: table.to_pandas(),
    "pandas of Arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas nullable": lambda table: table.to_pandas(types_mapper=NULLABLE.get),
    "pandas objects": lambda table: of_objects(table.to_pandas(types_mapper=pd.ArrowDtype)),
    "pandas categories": lambda table: table.to_pandas().astype(
        {field.name: "category" for field in table.schema if is_text(field.type)}
    ),
    "pandas with an index": lambda table: indexed(table.to_pandas(), "id"),
    "pandas with two indices": lambda table: indexed(table.to_pandas(), "id", None),
    "pandas selection": lambda table: pd.concat([table.to_pandas()] * 2)[lambda frame: ~frame.index.duplicated()],
}
PYTHON: dict[str, Callable[[Rows], Any]] = {
    "dict of lists": lambda rows: rows,
    "dict of tuples": lambda rows: {name: tuple(cells) for name, cells in rows.items()},
    "dict of object arrays": lambda rows: {name: np.array([*cells, 0], object)[:-1] for name, cells in rows.items()},
    "dict of series": lambda rows: {name: pd.Series(cells, dtype=object) for name, cells in rows.items()},
    "list of dicts": lambda rows: [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)],
    "list of dicts without gaps": without_gaps,
}


# What is compared


def what_the_net_reads(predictor: Predictor, rows: Any) -> dict[str, Any]:
    tables = [*rows_for(rows, predictor.config.dataset).chunks(predictor.encoder.kinds)]
    assert len(tables) == 1
    columns = tables[0].columns
    return {name: as_cells(columns[name]) for name in predictor.encoder.kinds}


def as_cells(column: Any) -> Any:
    """Return texts as a list, and dates with their local times."""
    if isinstance(column, Texts):
        return column.tolist()
    return (
        np.stack([utc(column), local(column)], axis=1) if column.dtype == ZONED or column.dtype.kind == "M" else column
    )


def assert_same(run: Run, rows: Any, expected: tuple[dict[str, Any], dict[str, Any]]) -> None:
    reads, predictions = expected
    for name, column in what_the_net_reads(run._restore().predictor, rows).items():
        np.testing.assert_array_equal(column, reads[name], name)
    found = run.predict(rows)
    assert list(found) == list(predictions)
    for name, column in predictions.items():
        assert np.asarray(found[name]).tobytes() == np.asarray(column).tobytes()


def judged(run: Run, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the net reads in a file, and its predictions."""
    return what_the_net_reads(run._restore().predictor, path), workflows.predict(run._directory, path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("trained")
    path = write_csv(training_rows(), folder / "rows.csv")
    return train({**SETTINGS, "dataset": {"csv": {"path": str(path), "target": "y"}}}, folder=folder)


# Random tables

finite = st.floats(-1e30, 1e30)
NUMBERS: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "float64": (finite, pa.float64()),
    "float32": (st.floats(-(2.0**90), 2.0**90, width=32), pa.float32()),
    "float16": (st.floats(width=16, allow_nan=False, allow_infinity=False), pa.float16()),
    "int8": (st.integers(-128, 127), pa.int8()),
    "int64": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "uint64": (st.integers(0, 2**64 - 1), pa.uint64()),
    "bool": (st.booleans(), pa.bool_()),
    "decimal": (
        st.decimals(-(10**16), 10**16, places=7, allow_nan=False).map(lambda number: number + 0), pa.decimal128(30, 7)
    ),
    "nothing": (st.none(), pa.null()),
}  # fmt: skip
letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff")
texts = st.sampled_from(TRAPS) | st.text(letters, min_size=1)
micro = st.integers(-30_000_000_000_000_000, 30_000_000_000_000_000)
moments = micro.map(lambda n: dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=n))
seconds = st.integers(-(9 * 10**9), 9 * 10**9).map(lambda n: dt.datetime(1970, 1, 1) + dt.timedelta(seconds=n))
days = st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1))
DATES: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "days": (days, pa.date32()),
    "seconds": (seconds, pa.timestamp("s")),
    "milliseconds": (seconds, pa.timestamp("ms")),
    "microseconds": (moments, pa.timestamp("us")),
    "nanoseconds": (seconds, pa.timestamp("ns")),
    "zoned": (moments.map(lambda moment: moment.replace(tzinfo=UTC)), pa.timestamp("us", "UTC")),
    "elsewhere": (moments.map(lambda moment: moment.replace(tzinfo=PARIS)), pa.timestamp("us", "+02:00")),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Rows, dict[str, pa.DataType]]:
    n = draw(st.integers(1, 8))
    kinds = {name: draw(st.sampled_from([*NUMBERS.values()])) for name in ("n", "m", "flag")}
    kinds |= {"city": (texts, pa.string()), "note": (texts, pa.string())}
    kinds |= {name: draw(st.sampled_from([*DATES.values()])) for name in ("day", "moment", "zoned")}
    always = {"moment"}  # has no gap in the training rows
    rows = {
        name: draw(st.lists(cells if name in always else st.none() | cells, min_size=n, max_size=n))
        for name, (cells, _) in kinds.items()
    }
    return rows, {name: kind for name, (_, kind) in kinds.items()}


def check(run: Run, folder: Path, rows: Rows, types: Mapping[str, pa.DataType]) -> None:
    table = arrow_of(rows, types)
    expected = judged(run, write_csv(rows, folder / "rows.csv"))
    assert_same(run, write_parquet(table, folder / "rows.parquet"), expected)
    for name, holds in ARROW.items():
        try:
            assert_same(run, holds(table), expected)
        except Exception as error:
            error.add_note(name)
            raise
    for name, makes in PYTHON.items():
        try:
            assert_same(run, makes(rows), expected)
        except Exception as error:
            error.add_note(name)
            raise


relaxed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=12, phases=[Phase.generate], report_multiple_bugs=False, suppress_health_check=relaxed)
@given(drawn=tables())
def test_any_table_gives_the_predictions_of_its_file(
    run: Run, tmp_path: Path, drawn: tuple[Rows, dict[str, pa.DataType]]
) -> None:
    check(run, tmp_path, *drawn)


@pytest.mark.slow
@settings(max_examples=1500, suppress_health_check=relaxed)
@given(drawn=tables())
def test_many_tables_give_the_predictions_of_their_files(
    run: Run, tmp_path: Path, drawn: tuple[Rows, dict[str, pa.DataType]]
) -> None:
    check(run, tmp_path, *drawn)


def both(run: Run, folder: Path, **cells: Any) -> tuple[Any, Any]:
    """Return the predictions of a CSV file and of a table whose cells in row 1 are changed to these."""
    rows = {name: column[:3] for name, column in training_rows().items() if name != "y"}
    for name, cell in cells.items():
        rows[name][0] = cell
    return judged(run, write_csv(rows, folder / "rows.csv")), rows


def test_rows_one_at_a_time_are_read_like_the_file(run: Run, tmp_path: Path) -> None:
    (reads, predictions), rows = both(run, tmp_path)
    for i, row in enumerate(zip(*rows.values(), strict=True)):
        one = dict(zip(rows, row, strict=True))
        for name, column in what_the_net_reads(run._restore().predictor, one).items():
            np.testing.assert_array_equal(column, reads[name][i : i + 1])
        np.testing.assert_allclose(run.predict(one)["prediction"], predictions["prediction"][i : i + 1], rtol=1e-12)


def test_nanoseconds_are_rounded_down_as_in_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    (_, _), rows = both(run, tmp_path)
    moments = ["1969-12-31 23:59:59.999999999", "1960-01-01 00:00:00.000000001", "2020-01-01 00:00:00.000001999"]
    expected = judged(run, write_csv({**rows, "moment": moments}, path))
    nanoseconds = np.array([moment.replace(" ", "T") for moment in moments], "datetime64[ns]")
    for column in (nanoseconds, pd.Series(nanoseconds), pl.Series(nanoseconds), pa.array(nanoseconds)):
        assert_same(run, {**rows, "moment": column}, expected)
    assert_same(run, write_parquet(pa.table({**rows, "moment": nanoseconds}), tmp_path / "rows.parquet"), expected)


def test_a_reader_of_arrow_is_read_once(run: Run, tmp_path: Path) -> None:
    (_, predictions), rows = both(run, tmp_path)
    found = run.predict(pa.table(rows).to_reader())
    assert found["prediction"].tobytes() == predictions["prediction"].tobytes()


def test_an_empty_text_is_a_text_in_a_table_and_a_gap_in_a_csv_file(run: Run, tmp_path: Path) -> None:
    expected, rows = both(run, tmp_path, city="")
    assert expected[0]["city"][0] is None
    parquet_file = write_parquet(pa.table(rows), tmp_path / "rows.parquet")
    for table in (parquet_file, rows, pd.DataFrame(rows), pl.DataFrame(rows)):
        assert what_the_net_reads(run._restore().predictor, table)["city"][0] == ""


@pytest.mark.parametrize("cell", ["x", "12", float("inf"), "2020-01-31"])
def test_a_cell_that_is_not_a_number_is_refused_with_its_row(run: Run, tmp_path: Path, cell: Any) -> None:
    (_, _), rows = both(run, tmp_path)
    rows["m"][1] = cell
    for table in (
        rows,
        pd.DataFrame(rows),
        [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)],
    ):
        with pytest.raises(UserError, match="column 'm'"):
            run.predict(table)


def test_the_command_line_predicts_the_bytes_of_python(run: Run, tmp_path: Path, inside: Nnfs) -> None:
    (_, _), rows = both(run, tmp_path)
    done = inside("predict", "--run", run.path, "--input", "rows.csv", "--output", "predicted.csv")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "predicted.csv").open(encoding="utf-8", newline="") as file:
        written = [row["prediction"] for row in csv.DictReader(file)]
    assert [float(cell) for cell in written] == run.predict(pl.DataFrame(rows))["prediction"].tolist()


# Training


def test_training_on_any_table_gives_the_weights_of_its_file(tmp_path: Path) -> None:
    rows = training_rows()
    table = arrow_of(rows, {})
    files = {"csv": write_csv(rows, tmp_path / "rows.csv"), "parquet": write_parquet(table, tmp_path / "rows.parquet")}
    runs = {
        name: train({**SETTINGS, "dataset": {name: {"path": str(path), "target": "y"}}}, folder=tmp_path)
        for name, path in files.items()
    }
    held = {name: ARROW[name](table) for name in ("pyarrow", "polars", "pandas", "pandas categories", "pyarrow slice")}
    held |= {name: PYTHON[name](rows) for name in ("dict of lists", "list of dicts without gaps")}
    for name, data in held.items():
        runs[name] = train({**SETTINGS, "dataset": {"table": "y"}}, data, folder=tmp_path)
    weights = {name: {key: array.tobytes() for key, array in run.weights.items()} for name, run in runs.items()}
    assert [name for name in weights if weights[name] != weights["csv"]] == []


def test_a_run_of_python_predicts_on_the_command_line(tmp_path: Path, inside: Nnfs) -> None:
    rows = training_rows()
    write_csv(rows, tmp_path / "rows.csv")
    trained = train({**SETTINGS, "dataset": {"table": "y"}}, pl.DataFrame(rows), folder=tmp_path / "python")
    done = inside("predict", "--run", trained.path, "--input", "rows.csv", "--output", "predicted.parquet")
    assert done.returncode == 0, done.stderr
    written = parquet.read_table(tmp_path / "predicted.parquet")["prediction"].to_numpy()
    assert written.tobytes() == trained.predict(rows)["prediction"].tobytes()


def test_a_run_of_the_command_line_opens_in_python(tmp_path: Path, inside: Nnfs) -> None:
    rows = training_rows()
    write_csv(rows, tmp_path / "rows.csv")
    config = dump({**SETTINGS, "dataset": {"csv": {"path": "rows.csv", "target": "y"}}})
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    done = inside("train", "config.yaml")
    assert done.returncode == 0, done.stderr
    opened, trained = Run.open(tmp_path / "runs" / "config-1"), train(tmp_path / "config.yaml", folder=tmp_path)
    for name, array in trained.weights.items():
        assert array.tobytes() == opened.weights[name].tobytes()
    assert opened.predict(pd.DataFrame(rows))["prediction"].tobytes() == trained.predict(rows)["prediction"].tobytes()
