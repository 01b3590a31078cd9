"""Answers over HTTP are those of `nnfs predict`, in every format and in any company."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

from nnfs_cli import Run
from tests.serve.house import JSON, House, rows_of, train_flats

ROWS = rows_of(40)
STREAM, FILE = "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():  # about rows far from the training rows
        warnings.simplefilter("ignore")
        yield


def expected(run: Run, rows: list[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    """What the run predicts, by row."""
    frame = run.predict(rows, **options)
    columns = {name: frame[name].tolist() for name in frame.columns}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def as_arrow(rows: list[dict[str, Any]], kind: str) -> bytes:
    table, sink = pa.Table.from_pylist(rows), BytesIO()
    with (pa.ipc.new_stream if kind == STREAM else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    sink = BytesIO()
    arrow_csv.write_csv(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {}),
        ("?interval=0.8", {"interval": 0.8}),
        ("?reasons=2", {"explain": 2}),
        ("?reasons=9&interval=0.8", {"explain": 9, "interval": 0.8}),
    ],
)
def test_json_gets_what_predict_says(
    house: House, flats_run: Run, dear_run: Run, n: int, query: str, options: dict[str, Any]
) -> None:
    for model, run in (("flats", flats_run), ("dear", dear_run)):
        answer = house.ask(f"/models/{model}/predict{query}", ROWS[:n])
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == JSON
        assert answer.json == {"predictions": expected(run, ROWS[:n], **options)}


def test_the_first_model_is_also_at_predict_and_rows_may_be_wrapped(house: House) -> None:
    assert house.ask("/predict", {"rows": ROWS}).body == house.ask("/models/flats/predict", ROWS).body


def test_csv_gets_the_bytes_that_predict_writes(house: House, runs: Any, inside: Any, tmp_path: Any) -> None:
    (tmp_path / "rows.csv").write_bytes(as_csv(ROWS))
    done = inside("predict", "--run", runs / "dear-1", "--input", "rows.csv", "--interval", "0.8", "--quiet")
    answer = house.ask("/models/dear/predict?interval=0.8", as_csv(ROWS), "text/csv; charset=utf-8")
    assert answer.headers["content-type"] == "text/csv"
    assert answer.body.decode() == done.stdout


@pytest.mark.parametrize("kind", [STREAM, FILE])
def test_arrow_gets_arrow(house: House, flats_run: Run, kind: str) -> None:
    answer = house.ask("/predict?reasons=1", as_arrow(ROWS, kind), kind)
    assert answer.headers["content-type"] == kind
    table = (pa.ipc.open_stream if kind == STREAM else pa.ipc.open_file)(answer.body).read_all()
    assert table.to_pylist() == expected(flats_run, ROWS, explain=1)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/html, */*;q=0.1", JSON),
        ("application/json;q=0.2, text/csv;q=0.9", "text/csv"),
        ("application/*", JSON),
        (STREAM, STREAM),
    ],
)
def test_the_answer_is_in_the_format_that_is_asked_for(house: House, accept: str, kind: str) -> None:
    assert house.ask("/predict", ROWS[:2], accept=accept).headers["content-type"] == kind


@settings(max_examples=20)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.sampled_from(["flats", "dear"]), st.booleans())
def test_no_answer_depends_on_what_arrives_with_it(house: House, sizes: list[int], model: str, interval: bool) -> None:
    path = f"/models/{model}/predict{'?interval=0.8' if interval else ''}"
    rows = rows_of(sum(sizes), seed=2)
    bodies = [json.dumps(rows[sum(sizes[:i]) : sum(sizes[: i + 1])]).encode() for i in range(len(sizes))]
    batches, labels = house.metrics.batches.values, (("model", model),)
    before = batches.get(labels, 0)
    together = house.ask_together(path, bodies)
    assert batches[labels] == before + 1
    for body, answer in zip(bodies, together, strict=True):
        assert answer == house.ask(path, body)


def test_a_bad_row_fails_its_own_request_alone(house: House) -> None:
    bad = [{**ROWS[0], "city": "Atlantis"}]
    worse = [{**ROWS[0], "sold": "yesterday"}]
    huge = [{**ROWS[0], "size": 1e308 * 10}]
    for wrong in (bad, worse, [ROWS[1], *bad]):
        bodies = [json.dumps(rows).encode() for rows in (ROWS[:2], wrong, ROWS[2:5])]
        answers = house.ask_together("/predict", bodies)
        assert [answer.status for answer in answers] == [200, 422, 200]
        assert answers[0] == house.ask("/predict", ROWS[:2])
        assert answers[2] == house.ask("/predict", ROWS[2:5])
        assert f"row {len(wrong)}" in answers[1].message
    body = json.dumps(huge).replace("Infinity", "1e999").encode()
    assert [one.status for one in house.ask_together("/predict", [body, json.dumps(ROWS).encode()])] == [422, 200]
    whole = json.dumps(huge).replace("Infinity", str(10**400)).encode()
    assert house.ask("/predict", whole).message == (
        "the body, row 1: column 'size' should hold finite numbers, found 'inf'"
    )


def test_many_rows_are_answered_in_order(house: House, flats_run: Run) -> None:
    rows = rows_of(3_000, seed=3)
    answer = house.ask("/predict", rows)
    assert answer.json["predictions"] == expected(flats_run, rows)


@pytest.mark.slow
def test_no_answer_of_a_blend_depends_on_what_arrives_with_it(tmp_path: Path) -> None:
    blend = ["trees", "forest", "linear", "constant"]
    run = train_flats(tmp_path, members=3, holdout="fold", blend=blend, split={"validation": 0.0})
    assert run.blend is not None
    assert (run.blend["weight"] > 0).sum() >= 3
    rows = rows_of(120, seed=4)
    sizes = [1] * 60 + [2] * 15 + [3, 5, 7, 15]
    bodies = [rows[sum(sizes[:i]) :][:n] for i, n in enumerate(sizes)]
    with House(str(run.path)) as house:
        together = house.ask_together("/predict", [json.dumps(body).encode() for body in bodies])
        assert house.metrics.batches.values == {(("model", "flats"),): 1}
    for body, answer in zip(bodies, together, strict=True):
        assert answer.json["predictions"] == expected(run, body)
