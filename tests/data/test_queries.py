"""Rows of queries, and predictions in tables of databases."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pytest

from nnfs_cli.data.arrow_rows import ArrowRows
from nnfs_cli.data.rows_digest import rows_digest
from nnfs_cli.data.spooled_rows import SpooledRows
from nnfs_cli.data.sql.source import QuerySource, Sql, query_at
from nnfs_cli.data.sql.url import database_at
from nnfs_cli.errors import ConfigError, DataError, UserError
from nnfs_cli.system.secrets import filled, holds_secret, without_secrets
from tests.servers import PASSWORD, Postgres

FRAME = pandas.DataFrame(
    {"id": range(50), "x": np.arange(50) / 7, "city": ["Bonn", "Ulm"] * 25, "day": ["2024-01-31", None] * 25}
)
ROWS = pa.Table.from_pandas(FRAME, preserve_index=False)


def message(read: Callable[[], object], error: type[Exception] = DataError) -> str:
    with pytest.raises(error) as caught:
        read()
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def failing() -> Iterator[Any]:
    yield ROWS
    raise ValueError("the second block cannot be made")


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        with contextlib.closing(connect(server)) as connection, connection.cursor() as cursor:
            cursor.execute("drop schema public cascade")
            cursor.execute("create schema public")
            connection.commit()
        return str(server.url)
    if request.param == "duckdb":
        pytest.importorskip("duckdb", reason="it needs the extra duckdb")
    return f"{request.param}:{tmp_path / 'data.db'}"


def connect(server: Postgres) -> Any:
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(filled(server.url))


def asked(url: str, query: str) -> QuerySource:
    return query_at(url, query, ["id"])


def test_rows_that_are_added_to_a_table_come_back_in_order(url: str) -> None:
    database_at(url).append("t", [ROWS, ROWS])
    table = asked(url, "select * from t order by id desc, x").read()
    assert table.n_rows == 100
    assert table.numbers("id").tolist() == sorted([*range(50)] * 2, reverse=True)
    assert np.array_equal(table.numbers("x")[::2], FRAME["x"].to_numpy()[::-1])
    assert table.texts("city").tolist()[:4] == ["Ulm", "Ulm", "Bonn", "Bonn"]
    assert asked(url, "select * from t").kinds()["day"] == ("date" if url.startswith("sqlite") else "category")


def test_all_rows_are_added_or_none(url: str) -> None:
    database = database_at(url)
    with pytest.raises(ValueError, match="second block"):
        database.append("t", failing())
    assert message(lambda: [*database.rows("select * from t")])  # the table was not even created
    database.append("t", [ROWS])
    with pytest.raises(ValueError, match="second block"):
        database.append("t", failing())
    assert "zz" in message(lambda: database.append("t", [ROWS, pa.table({"zz": [1]})]))
    assert asked(url, "select count(*) as n from t").read().numbers("n").tolist() == [50]


@pytest.mark.parametrize(
    "query", ["delete from t", "drop table t", "selec 1 as x", "select * from nothing", "select 1 as a; select 2 as a"]
)
def test_a_query_can_only_read(url: str, query: str) -> None:
    database_at(url).append("t", [ROWS])
    assert "\n" not in message(asked(url, query).read)
    assert asked(url, "select * from t").read().n_rows == 50


@pytest.mark.parametrize("statement", ["vacuum into '{}'", "attach '{}' as other"])
def test_a_query_to_sqlite_makes_no_file(statement: str, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 't.db'}"
    database_at(url).append("t", [ROWS])
    assert "authoriz" in message(asked(url, statement.format(tmp_path / "new.db")).read)
    assert [path.name for path in tmp_path.iterdir()] == ["t.db"]


def test_an_error_leaves_no_new_database(url: str, tmp_path: Path) -> None:
    database_at(url).append("t", [ROWS])
    before = {*tmp_path.iterdir()}
    other = url.replace("data.db", "other.db")
    assert "zz" in message(lambda: database_at(other).append("t", [ROWS, pa.table({"zz": [1]})]))
    assert {*tmp_path.iterdir()} == before


def test_a_number_that_sqlite_cannot_hold_is_an_error(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([2**63], pa.uint64())})
    said = message(lambda: database_at(f"sqlite:{tmp_path / 't.db'}").append("t", [table]))
    assert "more than 63 bits" in said


def test_a_query_is_run_once(url: str) -> None:
    database_at(url).append("t", [ROWS])
    source = asked(url, "select * from t order by id")
    digest = source.sha256()
    database_at(url).append("t", [ROWS])
    assert source.read().n_rows == 50
    assert source.sha256() == digest
    assert asked(url, "select * from t order by id").sha256() != digest
    assert asked(url, "select distinct * from t order by id").sha256() == digest


def test_names_with_quotes_and_dots_are_names(url: str) -> None:
    odd = pa.table({'a "b".c': [1, 2], "select": ["x", "y"]})
    database_at(url).append('the "t"', [odd])
    assert [*database_at(url).rows('select * from "the ""t"""')][-1].to_pydict() == odd.to_pydict()


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("select * from tt", "did you mean "),
        ("select citi from t", "did you mean "),
        ("select * from nothing_like_it", "'t'"),
        ("select zzz from t", "'id', 'x', 'city' and 'day'"),
    ],
)
def test_a_missing_table_or_column_is_named_with_those_that_are_there(url: str, query: str, meant: str) -> None:
    database_at(url).append("t", [ROWS])
    said = message(asked(url, query).read)
    assert "\n" not in said
    if not url.startswith("duckdb"):  # it says in its own words what it would suggest
        assert meant in said
    elif "zzz" in query or "citi" in query:
        assert '; there are the columns "' in said


def test_a_database_without_tables_says_so(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "t.db").close()
    (tmp_path / "t.db").touch()
    said = message(asked(f"sqlite:{tmp_path / 't.db'}", "select * from t").read)
    assert said == "t.db cannot run this: no such table: t; the database has no tables"


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    with contextlib.closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        FRAME.to_sql("t", connection, index=False)
        connection.execute("create table mixed (y, z)")
        connection.executemany("insert into mixed values (?, ?)", [(1, b"\xff"), ("two", None), (3.5, None)])
        connection.commit()
    return f"sqlite:{tmp_path / 't.db'}"


def test_cells_of_several_types_are_texts(sqlite: str) -> None:
    table = asked(sqlite, "select y from mixed").read()
    assert table.texts("y").tolist() == ["1", "two", "3.5"]
    assert "is binary; expected numbers" in message(lambda: asked(sqlite, "select z from mixed").read().column("z"))


def test_a_missing_database_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    assert message(lambda: [*database_at(f"sqlite:{path}").rows("select 1")]) == f"there is no file {path}"
    assert not path.exists()
    path.write_text("not a database, but a text that is long enough to be one" * 20)
    assert "none.db cannot run this: file is not a database" in message(asked(f"sqlite:{path}", "select * from t").read)


def test_a_database_that_another_program_writes_to_is_waited_for(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sqlite.removeprefix("sqlite:")
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as writer:
        writer.execute("begin exclusive")
        monkeypatch.setattr("nnfs_cli.data.sql.sqlite.SECONDS", 0.05)
        why = "database is locked; another program is writing to it, so try again later"
        for use in (asked(sqlite, "select * from t").read, lambda: database_at(sqlite).append("t", [ROWS])):
            with pytest.raises(OSError, match=why) as caught:
                use()
            assert caught.value.filename == path
        monkeypatch.setattr("nnfs_cli.data.sql.sqlite.SECONDS", 10)
        threading.Timer(0.1, writer.commit).start()
        assert asked(sqlite, "select * from t").read().n_rows == 50


def test_columns_without_names_or_with_one_name_are_refused(sqlite: str) -> None:
    assert "the columns 1 and 2 are both named 'a'" in message(asked(sqlite, "select 1 as a, 2 as a").read)


@pytest.mark.parametrize(
    ("query", "is_ordered"),
    [
        ("select * from t order by id", True),
        ("select * from t ORDER\n BY id", True),
        ("select 'order by' from t", False),
        ('select "order by" from t -- order by id', False),
        ("select * from t /* order by id */", False),
    ],
)
def test_a_query_tells_whether_its_rows_are_ordered(sqlite: str, query: str, is_ordered: bool) -> None:
    assert asked(sqlite, query).is_ordered is is_ordered


# --- digests ----------------------------------------------------------------------------------------------------------


class InBatches(ArrowRows):
    """Rows in batches of some size."""

    def __init__(self, table: Any, size: int) -> None:
        self.schema, self.table, self.size = table.schema, table, size

    def batches(self, columns: Any) -> Iterator[Any]:
        for start in range(0, self.table.num_rows, self.size):
            yield self.table.slice(start, self.size).select(columns)


CELLS = pa.table(
    {
        "n": [1, None, 3, 4, 5],
        "x": [0.5, float("nan"), None, -0.0, 0.0],
        "t": ["a", None, "", "bc", "é"],
        "b": [True, None, False, True, False],
        "d": pa.array([1, None, 3, 4, 5], pa.date32()),
        "c": pa.array(["u", None, "u", "v", "w"]).dictionary_encode(),
    }
)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_digest_does_not_depend_on_batches(size: int) -> None:
    assert rows_digest(InBatches(CELLS, size)) == rows_digest(InBatches(CELLS, 3))


@pytest.mark.parametrize("name", CELLS.schema.names)
def test_a_digest_changes_with_any_cell(name: str) -> None:
    digest = rows_digest(InBatches(CELLS, 5))
    place = CELLS.schema.names.index(name)
    column = CELLS.column(name)
    for row in (0, 2, 4):
        other = column.take(pa.array([1 if i == row else i for i in range(5)]))  # row 1 is a gap
        if column[row].is_valid:
            assert rows_digest(InBatches(CELLS.set_column(place, name, other), 5)) != digest
    assert rows_digest(InBatches(CELLS.rename_columns({name: "z"}), 5)) != digest


def test_texts_that_are_joined_alike_have_different_digests() -> None:
    one, other = (InBatches(pa.table({"t": texts}), 2) for texts in (["ab", "c"], ["a", "bc"]))
    assert rows_digest(one) != rows_digest(other)


def test_spooled_rows_join_types(tmp_path: Path) -> None:
    rows = SpooledRows("t")
    for cells in ([1, 2], [None, 2.5], ["x", None]):
        rows.add(pa.table({"a": cells}))
    rows.add(pa.table({"b": [True]}))
    found = rows.complete().whole(["a", "b"])
    assert found.column("a").to_pylist() == ["1", "2", None, "2.5", "x", None, None]
    assert found.column("b").to_pylist() == [None] * 6 + [True]


# --- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:pw1234@db/x",
        "postgresql://ann@db/x?password=pw1234",
        "https://ann:pw1234@x.org/a.csv",
        "postgresql://ann:a#pw1234@db/x",
        "postgresql://ann:a/pw1234@db/x",
        "https://x.org/a.csv?token=pw1234",
        "https://x.org/a.csv?v=1&access_token=pw1234",
        "https://x.org/a.csv?api_key=pw1234",
        "s3://key:pw1234@bucket/a.csv",
    ],
)
def test_a_url_with_a_password_is_refused_and_never_shown(url: str, tmp_path: Path) -> None:
    assert holds_secret(url)
    assert "pw1234" not in without_secrets(f"cannot reach {url}; try again")
    from nnfs_cli.config.document import Document
    from nnfs_cli.inspection.load_config import complete

    settings = f"sql: {{url: '{url}', query: select 1}}" if url.startswith("post") else f"csv: {{path: '{url}'}}"
    text = f"dataset:\n  {settings[:-1]}, target: y}}\nlayers: [relu]\nloss: mse\n"
    said = message(lambda: complete(Document.parse(text.encode(), "c.yaml", tmp_path)), ConfigError)
    assert "this URL holds a password or a token" in said
    assert "write ${NAME} in its place" in said
    assert "pw1234" not in said


def test_variables_are_filled_in_and_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNFS_PW", "a/b@c")
    url = "postgresql://ann:${NNFS_PW}@db/x"
    assert not holds_secret(url)
    assert filled(url) == "postgresql://ann:a%2Fb%40c@db/x"
    assert without_secrets("wrong password a/b@c in a%2Fb%40c", url) == "wrong password ${NNFS_PW} in ${NNFS_PW}"
    monkeypatch.delenv("NNFS_PW")
    assert message(lambda: filled(url), UserError).startswith("the environment variable NNFS_PW is not set")


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_manager", None)
    said = message(Sql(url="postgresql://ann@db/x", query="select 1", target=("y",)).read, UserError)
    assert said == "PostgreSQL needs adbc-driver-postgresql: pip install 'nnfs-cli[sql]'"


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_types_of_postgresql_become_numbers_texts_and_dates(postgres: Postgres) -> None:
    query = """
        select 1::smallint as i, 2.5::numeric as n, true as b, 'x'::varchar as v, date '2024-01-31' as d,
        timestamptz '2024-01-31 12:00+02' as z, null::int as empty, 'NaN'::numeric as nan
    """
    table = asked(postgres.url, query).read()
    kinds = {name: table.kind(name) for name in table.columns}
    assert kinds == dict.fromkeys("inb", "number") | {"v": "category", "d": "date", "z": "date"} | dict.fromkeys(
        ("empty", "nan"), "number"
    )
    assert table.numbers("n").tolist() == [2.5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (("ann:${NNFS_TEST_PASSWORD}", "ann:${NNFS_TEST_WRONG}"), UserError, "password authentication failed"),
        (("ann:${NNFS_TEST_PASSWORD}", "ann"), UserError, "no password supplied"),
        (("/postgres", "/nowhere"), UserError, 'database "nowhere" does not exist'),
        (("127.0.0.1:", "127.0.0.1:1"), OSError, "cannot be reached"),
    ],
)
def test_a_connection_that_fails_is_one_sentence(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], error: type[Exception], words: str
) -> None:
    monkeypatch.setenv("NNFS_TEST_WRONG", "wrong-password")
    url = postgres.url.replace(*change)
    said = message(lambda: [*database_at(url).rows("select 1 as id")], error)
    assert words in said
    assert "wrong-password" not in said
    assert "\n" not in said


@pytest.mark.slow
def test_a_server_that_goes_half_way_is_an_error_of_the_machine(postgres: Postgres) -> None:
    big = "select g as id, repeat('x', 1000) as t, pg_sleep(case when g = 100000 then 5 else 0 end)::text as s"
    stopper = threading.Thread(target=lambda: (time.sleep(1), postgres.stop()))
    stopper.start()
    try:
        with pytest.raises(OSError, match="cannot be reached") as caught:
            asked(postgres.url, f"{big} from generate_series(1, 200000) g").read()
        assert PASSWORD not in str(caught.value)
    finally:
        stopper.join()
        postgres.start()
