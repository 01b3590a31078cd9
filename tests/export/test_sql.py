"""The format `sql`: one SELECT computes in DuckDB, SQLite and PostgreSQL what NumPy does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.format import ExportedModel, Predictions
from nnfs_cli.export.sql.format import SqlFormat, predictions, select, table_of
from nnfs_cli.pipeline.cells import EMPTY_DATE, column, date_part, look_up
from nnfs_cli.pipeline.elementwise import (
    add,
    cast,
    divide,
    equal,
    erf,
    expm1,
    is_finite,
    is_nan,
    less,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    normal_cdf,
    normal_quantile,
    subtract,
    where,
)
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.labels import label_of
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import all_last, argmax_last, concatenate, matmul, softmax, sum_last, sum_members, take
from nnfs_cli.pipeline.value import Value, constant
from tests.export.parity import assert_close
from tests.pipeline.cases import CASES, HOSTILE, Case
from tests.servers import PASSWORD, Postgres

BEYOND = {"hash_bucket", "has_entries"}  # operations that SQL does not have
FEW_LABELS = {name for name in (case.name for case in CASES) if name.startswith("label_of")}  # of which one holds NUL
Run = Callable[[Pipeline, dict[str, Array], str], Predictions]


def in_duckdb(pipeline: Pipeline, cells: dict[str, Array], query: str) -> Predictions:
    create, insert, rows = table_of(pipeline, cells)
    head, values = insert.split(" VALUES ")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(create)
        connection.execute(f"{head} VALUES {', '.join([values] * len(rows))}", [cell for row in rows for cell in row])
        return predictions(pipeline, connection.execute(query).fetchall())


def in_sqlite(pipeline: Pipeline, cells: dict[str, Array], query: str) -> Predictions:
    create, insert, rows = table_of(pipeline, cells)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(create)
        connection.executemany(insert, rows)
        return predictions(pipeline, connection.execute(query).fetchall())


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.slow)])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Return a function that computes a SELECT in a database."""
    if request.param != "postgresql":
        yield {"sqlite": in_sqlite, "duckdb": in_duckdb}[request.param]
        return
    server: Postgres = request.getfixturevalue("postgres")
    from adbc_driver_postgresql import dbapi

    url = server.url.replace("${NNFS_TEST_PASSWORD}", PASSWORD)
    with dbapi.connect(url) as connection, connection.cursor() as cursor:

        def in_postgresql(pipeline: Pipeline, cells: dict[str, Array], query: str) -> Predictions:
            create, insert, rows = table_of(pipeline, cells)
            for i in range(len(rows[0])):
                insert = insert.replace("?", f"${i + 1}", 1)
            cursor.execute('DROP TABLE IF EXISTS "rows"')
            cursor.execute(create)
            cursor.executemany(insert, rows)
            cursor.execute(query.rstrip().rstrip(";"))
            return predictions(pipeline, cursor.fetchall())

        yield in_postgresql


def assert_computed(case: Case, found: Predictions) -> None:
    expected, usable = evaluate(case.pipeline, case.cells)
    assert found.usable.tolist() == usable.tolist()
    assert [*found.outputs] == [*expected]
    for name, values in expected.items():
        assert_close(*(_in_range(one) for one in (found.outputs[name], values)), 1e-12)


def storable(case: Case) -> Case:
    """Return the case without the rows that PostgreSQL cannot store."""
    held = np.array([all("\x00" not in str(cell) for cell in row) for row in zip(*case.cells.values(), strict=True)])
    return case._replace(cells={name: cells[held] for name, cells in case.cells.items()})


def _in_range(values: Array) -> Array:
    """Return numbers with NaN for infinite ones, for which databases have NULL."""
    return values if values.dtype.kind != "f" else np.where(np.isfinite(values), values, np.nan).astype(values.dtype)


def test_every_operation_is_computed_as_in_numpy(run: Run) -> None:
    for case in CASES:
        if case.name in BEYOND | FEW_LABELS:
            with pytest.raises(ExportError, match=r"SQL cannot (compute|hold) .*(word|a.x00b)"):
                select(case.pipeline)
            continue
        case = storable(case)
        assert_computed(case, run(case.pipeline, dict(case.cells), select(case.pipeline)))


def net(members: int = 2) -> Pipeline:
    """Return a net over numbers, a category and a date, which refuses some rows."""
    rng = np.random.default_rng(3)
    x, z, city, day = column("x", "number"), column("z", "number"), column("city", "category"), column("day", "date")
    with part("standardize: x, z", {"mean": (mean := np.array([1.0, 2.0])), "scale": (scale := np.array([2.0, 4.0]))}):
        numbers = divide(subtract(where(is_nan(concatenate([x, z])), 1.5, concatenate([x, z])), mean), scale)
    with part("one_hot: city"):
        code = look_up(city, ("Paris", "Rome"), 2, 3)
        words = cast(equal(code, np.arange(3)), "float64")
    with part("calendar: day"):
        empty = equal(day, EMPTY_DATE)
        of_year = divide(cast(date_part(where(empty, 0, day), "day_of_year"), "float64"), 366.0)
    with part("inputs"):
        inputs = cast(concatenate([numbers, words, of_year]), "float32")
    with part("layer 1: linear 4"):
        weight = constant(rng.normal(size=(members, 6, 4)), "float32", members=True, name="weight")
        hidden = matmul(inputs, weight)
    with part("layer 2: relu"):
        hidden = maximum(hidden, 0.0)
    with part("layer 3: linear 3"):
        weight = constant(rng.normal(size=(members, 4, 3)), "float32", members=True, name="weight")
        y = sum_members(softmax(matmul(hidden, weight)))
    refused = logical_or(equal(code, 3), empty)
    usable = logical_and(all_last(is_finite(inputs)), logical_and(logical_not(refused), all_last(is_finite(y))))
    probabilities = {f"probability_{label}": take(y, [k]) for k, label in enumerate("abc")}
    outputs = {"prediction": label_of(argmax_last(y), ("a", "b", "c")), **probabilities}
    return Pipeline({"x": x, "z": z, "city": city, "day": day}, outputs, usable)


def rows_of_net(n: int = 60) -> dict[str, Array]:
    rng = np.random.default_rng(4)
    x, z = rng.normal(size=n) * 3, rng.normal(size=n) * 3
    x[:6] = [np.nan, 1e300, -1e300, 3e38, 1e-45, 0.0]
    city = np.array(["Paris", "Rome", None, "Oslo", "paris", "it's"], object)[rng.integers(6, size=n)]
    day = rng.integers(-60_000, 60_000, n) * 86_400_000_000 + rng.integers(86_400_000_000, size=n)
    day[7] = EMPTY_DATE
    return {"x": x, "z": z, "city": city, "day": day}


def test_a_net_is_computed_and_rows_that_it_refuses_are_null(run: Run) -> None:
    pipeline, cells = net(), rows_of_net()
    expected, usable = evaluate(pipeline, cells)
    found = run(pipeline, cells, select(pipeline))
    assert 10 < usable.sum() < 50
    assert found.usable.tolist() == usable.tolist()
    assert found.outputs["prediction"][usable].tolist() == expected["prediction"][usable].tolist()
    assert found.outputs["prediction"][~usable].tolist() == [None] * int((~usable).sum())
    for name in ("probability_a", "probability_b", "probability_c"):
        np.testing.assert_allclose(found.outputs[name][usable], expected[name][usable], rtol=1e-5, atol=1e-7)


def test_a_net_reads_as_steps() -> None:
    text = select(net())
    assert "    -- layer 1: linear 4\n" in text
    assert ' AS "layer_1_1"' in text
    assert 'CASE WHEN "layer_1_1" < 0.0 THEN 0.0 ELSE "layer_1_1" END AS "layer_2_1"' in text
    assert 'CASE WHEN "city" IS NULL THEN 2.0 WHEN "city" = \'Paris\' THEN 0.0' in text
    assert max(map(len, text.splitlines())) < 1_000


NAMES = [name for name in HOSTILE if "\x00" not in name and name]


def test_hostile_names_are_only_names(run: Run) -> None:
    columns = {
        name: column(name, "category" if i % 2 else "number") for i, name in enumerate([*NAMES, "select", "row"])
    }
    outputs: dict[str, Value] = {}
    for i, (name, value) in enumerate(columns.items()):
        with part(f"{name}: {name}"):
            code = look_up(value, NAMES, 0, 1) if i % 2 else cast(less(value, 3.0), "int64")
            outputs[f"prediction_{name}"] = label_of(code, NAMES)
    words = np.array([*NAMES, None, "\\'"], object)
    cells = {name: words if i % 2 else np.arange(float(len(words))) for i, name in enumerate(columns)}
    pipeline = Pipeline(columns, outputs, constant([True]))
    content = SqlFormat().files(ExportedModel("a run", pipeline, (), {name: name for name in HOSTILE}), "model")
    found = run(pipeline, cells, content["model.sql"].decode())
    expected, _ = evaluate(pipeline, cells)
    assert {name: values.tolist() for name, values in found.outputs.items()} == {
        name: values.tolist() for name, values in expected.items()
    }


def test_long_names_are_held(run: Run) -> None:
    columns = {"x" * 10_000: column("x" * 10_000, "number")}
    pipeline = Pipeline(columns, {"prediction": add(columns["x" * 10_000], 1.0)}, constant([True]))
    found = run(pipeline, {"x" * 10_000: np.array([1.0])}, select(pipeline))
    assert found.outputs["prediction"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        (lambda x: matmul(x, constant(np.ones((1, 20_000)))), "at most 20,000 numbers, and this one has 20,001"),
        (lambda x: sum_last(maximum(matmul(x, constant(np.ones((1, 1_600)))), 0.0)), "1,600 columns"),
    ],
)
def test_what_is_too_large_is_refused(pipeline: Callable[[Value], Value], message: str) -> None:
    x = column("x", "number")
    with pytest.raises(ExportError, match=message):
        select(Pipeline({"x": x}, {"prediction": take(pipeline(x), [0])}, constant([True])))


@pytest.mark.parametrize(
    ("names", "message"),
    [(("x", "X"), "the columns 'x' and 'X' apart"), (("a\x00b",), "hold the column"), (("\ud800",), "hold the column")],
)
def test_names_that_no_database_holds_are_refused(names: tuple[str, ...], message: str) -> None:
    columns = {name: column(name, "number") for name in names}
    with pytest.raises(ExportError, match=message):
        select(Pipeline(columns, {"prediction": concatenate([*columns.values()])}, constant([True])))


def test_nan_in_a_table_is_a_gap() -> None:
    x = column("x", "number")
    pipeline = Pipeline({"x": x}, {"prediction": where(is_nan(x), 7.0, x)}, constant([True]))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE \"rows\" AS SELECT unnest([1.5, 'nan'::DOUBLE, NULL]) AS x")
        assert [row[-1] for row in connection.execute(select(pipeline)).fetchall()] == [1.5, 7.0, 7.0]


def test_dates_and_timestamps_are_read_as_their_texts_are(run: Run) -> None:
    day = column("day", "date")
    pipeline = Pipeline({"day": day}, {"prediction": cast(day, "float64")}, constant([True]))
    texts = ["2026-01-31", "2026-01-31 12:30", "2026-01-31T12:30:15.25", "0001-01-03", "9999-12-29T23:59:59"]
    cells = {"day": np.array(texts, "datetime64[us]").astype(np.int64)}
    expected = cells["day"].astype(float).tolist()
    assert run(pipeline, cells, select(pipeline)).outputs["prediction"].tolist() == expected
    with duckdb.connect() as connection:
        connection.execute(
            'CREATE TABLE "rows" AS SELECT day::TIMESTAMP AS day FROM (SELECT unnest(?) AS day)', [texts]
        )
        assert [row[-1] for row in connection.execute(select(pipeline)).fetchall()] == expected


@given(st.lists(st.floats(-40, 40) | st.floats(0, 1), min_size=1))
def test_functions_that_databases_lack_are_exact(numbers: list[float]) -> None:
    x = column("x", "number")
    functions = (erf, normal_cdf, expm1, log1p)
    outputs = {f.__name__: f(x) for f in functions} | {"quantile": normal_quantile(normal_cdf(x))}
    pipeline, cells = Pipeline({"x": x}, outputs, constant([True])), {"x": np.array(numbers)}
    expected, _ = evaluate(pipeline, cells)
    found = in_sqlite(pipeline, cells, select(pipeline))
    for name in [f.__name__ for f in functions]:
        np.testing.assert_allclose(found.outputs[name], _in_range(expected[name]), 1e-13, 1e-14)


def test_the_format_predicts_in_sqlite(tmp_path: Path) -> None:
    model = ExportedModel("a run", net(), (), {"nnfs": "1.0\n; DROP TABLE rows"})
    for name, content in SqlFormat().files(model, "model").items():
        (tmp_path / name).write_bytes(content)
    assert "-- nnfs: 1.0\\n; DROP TABLE rows\n" in (tmp_path / "model.sql").read_text()
    cells = rows_of_net()
    found = SqlFormat().predict(tmp_path, "model", model, cells)
    assert found.usable.tolist() == evaluate(model.pipeline, cells)[1].tolist()


def test_line_breaks_of_any_kind_are_kept(tmp_path: Path) -> None:
    words = ("a\rb", "a\nb", "a\r\nb", "a\u2028b")
    text = column("w", "category")
    pipeline = Pipeline({"w": text}, {"y": look_up(text, words, gap=4, default=5)}, constant([True]))
    model = ExportedModel("a run", pipeline, ())
    for name, content in SqlFormat().files(model, "model").items():
        (tmp_path / name).write_bytes(content)
    found = SqlFormat().predict(tmp_path, "model", model, {"w": np.array([*words, "ab"], object)})
    assert found.outputs["y"].tolist() == [0, 1, 2, 3, 5]
