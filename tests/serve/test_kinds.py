"""Runs of other kinds: several targets, labels of several columns, quantiles, counts with an exposure, parsed cells."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli import train
from tests.serve.house import House, flats, rows_of
from tests.serve.test_answers import STREAM, as_arrow, as_csv, expected
from tests.serve.test_refusals import CELLS

NUMBERS: dict[str, Any] = {"numbers": ["impute", "standardize"], "categories": {"one_hot": {"unseen": "other"}}}
PLAIN: dict[str, Any] = {"loss": "mse", "layers": ["linear: 4", "relu", "linear: 1"], "preprocessing": NUMBERS}
USUAL: dict[str, Any] = {"epochs": 4, "lr": 0.01, "optimizer": "adam", "engine": "numpy", "split": {"validation": 0.3}}
COLUMNS = ("size", "rooms", "city")
KINDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "two numbers": ({"layers": ["linear: 2"], "dataset": {"table": {"target": ["price", "rent"]}}}, COLUMNS),
    "two labels": (
        {
            "layers": ["linear: 2", "sigmoid"],
            "loss": "binary_cross_entropy",
            "dataset": {"table": {"target": ["dear", "far"]}},
        },
        COLUMNS,
    ),
    "quantiles": ({"loss": {"quantile": [0.1, 0.5, 0.9]}, "layers": ["linear: 3"]}, COLUMNS),
    "counts": ({"loss": "poisson", "dataset": {"table": {"target": "visits", "exposure": "days"}}}, (*COLUMNS, "days")),
    "parsed cells": ({"parse": {"area": "number"}, "dataset": {"table": "price"}}, ("area", "city")),
}


def table() -> dict[str, list[Any]]:
    found = {name: column for name, column in flats(120).items() if name != "sold"}
    found["rent"] = [price / 20 + i % 3 for i, price in enumerate(found["price"])]
    found["far"] = ["yes" if i % 3 else "no" for i in range(120)]
    found["visits"], found["days"] = [i % 5 for i in range(120)], [1 + i % 7 for i in range(120)]
    found["area"] = [f"{size:.1f} m2" for size in found["size"]]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_answers_of_a_run_of_any_kind_are_those_of_predict(kind: str, tmp_path: Path) -> None:
    settings, columns = KINDS[kind]
    config: dict[str, Any] = {**USUAL, **PLAIN, "dataset": {"table": "price"}, **settings}
    of = config["dataset"]["table"]
    targets = of if isinstance(of, str) else of["target"]
    kept = {*columns, *([targets] if isinstance(targets, str) else targets)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = train(config, {name: column for name, column in table().items() if name in kept}, folder=tmp_path)
        rows = [{name: table()[name][i] for name in columns} for i in range(40)]
        wanted = expected(run, rows)
        with House(f"it={run.path}") as house:
            assert house.ask("/predict", rows).json == {"predictions": wanted}
            together = house.ask_together("/predict", [json.dumps([row]).encode() for row in rows])
            assert [answer.json["predictions"] for answer in together] == [expected(run, [row]) for row in rows]
            assert house.ask("/predict", as_arrow(rows, STREAM), STREAM).status == 200
            assert house.ask("/predict", as_csv(rows), "text/csv").status == 200
            schemas = house.ask("/openapi.json").json["components"]["schemas"]
            jsonschema.validate(wanted, {"items": schemas["model_0_prediction"]})
            jsonschema.validate(rows, {"items": schemas["model_0_row"]})
            assert house.ask("/metrics").status == 200
            missing = house.ask("/predict", [{name: cell for name, cell in rows[0].items() if name != "city"}])
            assert (missing.status, missing.error) == (422, "missing_column")
            without = house.ask("/predict", [*rows_of(1, columns=()), {"city": "Rome"}])
            assert without.status == 422


@pytest.fixture(scope="module")
def parsing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An application with a run that parses cells."""
    config = {**USUAL, **PLAIN, **KINDS["parsed cells"][0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = {name: table()[name] for name in ("area", "city", "price")}
        run = train(config, cells, folder=tmp_path_factory.mktemp("parsing"))
    with House(f"it={run.path}") as house:
        assert run.config.dataset.parsers
        yield house


@given(st.lists(st.fixed_dictionaries({"area": CELLS | st.just("\ud800"), "city": CELLS}), min_size=1, max_size=4))
@example([{"area": {"a": 1}, "city": "Rome"}])
@example([{"area": "1 m2", "city": "Rome"}, {"area": [1], "city": "Rome"}])
def test_no_cell_is_an_error_of_a_server_that_parses(parsing: House, rows: list[dict[str, Any]]) -> None:
    answer = parsing.ask("/predict", rows)
    assert answer.status == 200 or (400 <= answer.status < 500 and answer.message)


def test_csv_is_read_as_the_training_file_was(tmp_path: Path) -> None:
    lines = [f"{i % 9},5;{'Rome' if i % 2 else 'n/a'};{i % 9 + i % 2}" for i in range(60)]
    (tmp_path / "flats.csv").write_text("\n".join(["size;city;price", *lines]), encoding="utf-8")
    dialect = {"path": str(tmp_path / "flats.csv"), "target": "price", "delimiter": ";", "decimal": ",", "null": "n/a"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = train({**USUAL, **PLAIN, "dataset": {"csv": dialect}}, folder=tmp_path)
        rows = [{"size": 3.5, "city": "Rome"}, {"size": 4.5, "city": None}]
        with House(f"it={run.path}") as house:
            body = b"city;size\nRome;3,5\nn/a;4,5\n"
            answer = house.ask("/predict", body, "text/csv", accept="application/json")
            assert answer.json == {"predictions": expected(run, rows)}
            wrong = house.ask("/predict", b"city;size\nRome;3.5\n", "text/csv")
            assert (wrong.status, "decimal comma" in wrong.message) == (422, True)
