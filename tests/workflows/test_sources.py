"""A net is the same wherever its rows come from, and its predictions go to the same kinds of places."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas
import pytest

from nnfs_cli import Run, train
from nnfs_cli.data.sql.source import query_at
from nnfs_cli.data.sql.url import database_at
from nnfs_cli.experiment import read_data
from nnfs_cli.workflows.write_rows import write_rows
from tests.conftest import Nnfs, one_message
from tests.servers import PASSWORD, Postgres, Web

Site = tuple[str, type[Web]]
REST = {
    "preprocessing": {"numbers": ["impute", "standardize"], "categories": "one_hot", "dates": "calendar"},
    "layers": [{"linear": 4}, "relu", {"linear": 1}],
    "loss": "mse",
    "split": {"test": 0.2},
    "epochs": 2,
}


def frame(days: bool = True) -> pandas.DataFrame:
    """A table of 120 sales, with dates as dates or as texts."""
    rng = np.random.default_rng(3)
    area, city = rng.normal(80, 20, 120).round(2), rng.choice(["Bonn", "Köln", 'a "b", c'], 120)
    sold = pandas.to_datetime("2024-01-01") + pandas.to_timedelta(rng.integers(0, 300, 120), "D")
    price = (area * 3 + 40 * (city == "Bonn")).round(2)
    area[::17] = np.nan
    table = pandas.DataFrame({"id": range(120), "area": area, "city": city, "sold": sold, "price": price})
    return table if days else table.assign(sold=table["sold"].dt.strftime("%Y-%m-%d"))


def in_sqlite(folder: Path, _: pytest.FixtureRequest) -> Any:
    with closing(sqlite3.connect(folder / "t.db")) as connection:
        frame(days=False).to_sql("sales", connection, index=False)
    return {"sql": {"url": f"sqlite:{folder / 't.db'}", "query": "select * from sales order by id"}}


def in_postgresql(_: Path, request: pytest.FixtureRequest) -> Any:
    server: Postgres = request.getfixturevalue("postgres")
    columns = {name: column.to_numpy() for name, column in frame().items()}
    write_rows([{**columns, "city": columns["city"].astype(object)}], server.url, "sales")
    return {"sql": {"url": server.url, "query": "select * from sales order by id"}}


def in_duckdb(folder: Path, _: pytest.FixtureRequest) -> Any:
    pytest.importorskip("duckdb", reason="it needs the extra duckdb")
    frame().to_parquet(folder / "t.parquet", index=False)
    return {"duckdb": {"query": "select * from 't.parquet' order by id", "folder": str(folder)}}


def in_store(_: Path, request: pytest.FixtureRequest) -> Any:
    bucket = request.getfixturevalue("bucket")
    columns = {name: column.to_numpy() for name, column in frame().items()}
    write_rows([{**columns, "city": columns["city"].astype(object)}], f"{bucket}/t.parquet")
    return {"parquet": {"path": f"{bucket}/t.parquet"}}


def in_excel(folder: Path, _: pytest.FixtureRequest) -> Any:
    pytest.importorskip("openpyxl", reason="it needs the extra excel")
    pytest.importorskip("python_calamine", reason="it needs the extra excel")
    frame().to_excel(folder / "t.xlsx", index=False)
    return {"excel": {"path": str(folder / "t.xlsx")}}


def in_json_lines(folder: Path, _: pytest.FixtureRequest) -> Any:
    frame(days=False).to_json(folder / "t.jsonl", orient="records", lines=True, double_precision=15)
    return {"jsonl": {"path": str(folder / "t.jsonl")}}


def in_feather(folder: Path, _: pytest.FixtureRequest) -> Any:
    frame().to_feather(folder / "t.feather")
    return {"feather": {"path": str(folder / "t.feather")}}


def in_partitions(folder: Path, _: pytest.FixtureRequest) -> Any:
    for i, (city, rows) in enumerate(frame().groupby("city", sort=False)):
        place = folder / f"sales/city={quote(str(city), safe='')}"
        place.mkdir(parents=True)
        rows.drop(columns="city").to_parquet(place / f"part-{i}.parquet", index=False)
    return {"parquet": {"path": str(folder / "sales")}}


SLOW = [in_postgresql, in_duckdb, in_store, in_excel, in_partitions]
PLACES = [in_sqlite, in_json_lines, in_feather, *(pytest.param(place, marks=pytest.mark.slow) for place in SLOW)]


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("place", PLACES)
def test_a_net_is_that_of_the_csv_file_with_the_same_rows(
    place: Callable[[Path, pytest.FixtureRequest], Any],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = frame()
    if place is in_partitions:  # files are read in the order of their names, and partitions are the last columns
        rows = rows.sort_values(["city", "id"])[["id", "area", "sold", "price", "city"]]
    rows.to_csv("rows.csv", index=False)
    ((kind, settings),) = place(tmp_path, request).items()
    ours, theirs = (
        train({"dataset": {name: {**of_kind, "target": "price", "drop": ["id"]}}, **REST})
        for name, of_kind in {kind: settings, "csv": {"path": "rows.csv"}}.items()
    )
    figures = [json.loads((Path(run.path) / "metrics.json").read_text()) for run in (ours, theirs)]
    assert figures[0] == figures[1]
    assert figures[0]["test"]["rows"] == 24
    new = query_at(settings["url"], settings["query"], ["?"]) if "url" in settings else None
    if kind == "duckdb":
        new = query_at("duckdb:", settings["query"], ["?"])
    found = ours.predict(new if new is not None else settings["path"])["prediction"]
    assert len(found) == 120
    assert np.array_equal(found, theirs.predict("rows.csv")["prediction"])
    kept = b"".join(path.read_bytes() for path in Path(ours.path).rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept
    assert os.fsencode(tmp_path) not in (Path(ours.path) / "spec.yaml").read_bytes()


CONFIG = """
dataset:
  sql: {url: 'sqlite:t.db', query: select * from sales order by id, target: price, drop: id}
preprocessing: {numbers: [impute, standardize], categories: one_hot, dates: calendar}
layers: [{linear: 4}, relu, {linear: 1}]
loss: mse
epochs: 2
"""


def test_commands_read_and_write_databases(
    inside: Nnfs, tmp_path: Path, write: Callable[[str, str], Path], request: pytest.FixtureRequest
) -> None:
    in_sqlite(tmp_path, request)
    query = ("--query", "select * from sales order by id")
    assert inside("init", "sqlite:t.db", *query, "--target", "price", "-q").stdout == "query.yaml\n"
    assert "url: 'sqlite:t.db'" in (tmp_path / "query.yaml").read_text()
    assert inside("train", write("c.yaml", CONFIG), "-q").returncode == 0
    to_table = ("--output", "sqlite:t.db", "--table", "answers")
    done = inside("predict", "--input", "sqlite:t.db", *query, *to_table, "--keep", "id")
    assert "sqlite:t.db, table 'answers', 120 predictions" in done.stderr
    assert inside("predict", "--input", "sqlite:t.db", *query, "--output", "a.jsonl", "-q").returncode == 0
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        answers = pandas.read_sql("select prediction from answers order by id", connection)["prediction"]
        lines = pandas.read_json(tmp_path / "a.jsonl", lines=True, precise_float=True)["prediction"]
        assert np.array_equal(answers, lines)
        connection.execute("update sales set price = price + 1 where id = 5")
        connection.commit()
    assert "120 rows" in inside("evaluate", "--input", "sqlite:t.db", *query, "-q").stdout
    said = one_message(inside("verify", "runs/c-1"), 2)
    assert "the result of the query has changed since runs/c-1 was trained" in said
    bad = frame(days=False).assign(area="x")
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        bad.to_sql("bad", connection, index=False)
    failed = inside("predict", "--input", "sqlite:t.db", "--query", "select * from bad", *to_table)
    assert failed.returncode == 2
    assert "column 'area' should hold numbers, found 'x'" in failed.stderr
    assert database_at(f"sqlite:{tmp_path / 't.db'}")
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        assert connection.execute("select count(*) from answers").fetchone() == (120,)


def test_several_inputs_may_be_urls_and_of_several_kinds(
    inside: Nnfs, tmp_path: Path, trained: Path, web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, site = web
    monkeypatch.chdir(tmp_path)
    rows = frame(days=False)
    rows[:50].to_csv("a.csv", index=False)
    rows[50:].to_json("b.jsonl", orient="records", lines=True, double_precision=15)
    site.pages |= {f"/{name}": Path(name).read_bytes() for name in ("a.csv", "b.jsonl")}
    files = [f"{url}/b.jsonl", "a.csv", f"{url}/a.csv"]
    inputs = [word for file in files for word in ("--input", file)]
    done = inside("predict", "--run", trained, *inputs, "--keep", "id", "--output", "out.csv", "-q")
    assert done.returncode == 0, done.stderr
    found = pandas.read_csv("out.csv")
    assert found["file"].tolist() == [files[0]] * 70 + [files[1]] * 50 + [files[2]] * 50
    assert found["id"].tolist() == [*range(50, 120), *range(50), *range(50)]
    assert [path for path, _ in site.asked] == ["/b.jsonl", "/a.csv"]  # each is downloaded once
    rows.to_csv("all.csv", index=False)
    expected = Run(trained).predict("all.csv")["prediction"]
    assert np.array_equal(found["prediction"], expected[found["id"]])
    here = Run(trained).predict(files, keep="id")
    assert here.columns == ("file", "id", "prediction")
    assert np.array_equal(here["prediction"], found["prediction"])
    site.pages.pop("/a.csv")
    done = inside("predict", "--run", trained, *inputs, "--output", "none.csv", "-q")
    assert f"there is no file {url}/a.csv" in one_message(done, 2)
    assert not Path("none.csv").exists()


@pytest.mark.slow
def test_a_query_without_an_order_is_warned_of_once(
    inside: Nnfs, tmp_path: Path, write: Callable[[str, str], Path], request: pytest.FixtureRequest
) -> None:
    in_sqlite(tmp_path, request)
    write("c.yaml", CONFIG.replace(" order by id", ""))
    for words in (("train", "c.yaml"), ("evaluate", "--baselines")):
        read_data._warn_of_no_order.cache_clear()
        assert inside(*words, "-q").stderr.count("the query has no `order by`") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--input", "sqlite:t.db"), "the URL of a database needs a query for the rows"),
        (("--input", "t.csv", "--query", "select 1"), "--query asks a database, and t.csv is none"),
        (("--input", "t.csv", "--output", "sqlite:t.db"), "name the table with --table"),
        (("--input", "t.csv", "--table", "t"), "name the database with --output"),
        (("--input", "t.csv", "--output", "a.csv", "--table", "t"), "the output is none; leave --table out"),
        (("--input", "t.csv", "--output", "https://x.org/a.csv"), "files cannot be written over HTTP"),
        (("--input", "t.csv", "--output", "postgresql://a:b@c/d", "--table", "t"), "holds a password"),
        (("--input", "sqlite:none.db", "--query", "select 1 as x"), "there is no file"),
    ],
)
def test_wrong_places_are_refused(
    words: tuple[str, ...], said: str, inside: Nnfs, tmp_path: Path, trained: Path
) -> None:
    frame(days=False).to_csv(tmp_path / "t.csv", index=False)
    done = inside("predict", "--run", trained, *words, "-q")
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained on the sales."""
    folder = tmp_path_factory.mktemp("sales")
    frame(days=False).to_csv(folder / "t.csv", index=False)
    dataset = {"csv": {"path": str(folder / "t.csv"), "target": "price", "drop": ["id"]}}
    return Path(train({"dataset": dataset, **REST}, folder=folder).path).absolute()
