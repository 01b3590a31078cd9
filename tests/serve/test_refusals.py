"""Whatever is wrong with a request, it gets one clear sentence and a status of its own, and never a 5xx."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli.serve.limits import Limits
from tests.serve.house import JSON, House, rows_of
from tests.serve.test_answers import FILE, STREAM, as_arrow, as_csv

ROW = rows_of(1)[0]


def changed(**cells: Any) -> bytes:
    return json.dumps([ROW, {**ROW, **cells}]).encode()


def without(name: str) -> bytes:
    return json.dumps([{key: cell for key, cell in ROW.items() if key != name}]).encode()


BAD = {
    "no JSON": (b'[{"size": 1,}]', JSON, 400, "malformed", "line 1, column 1"),
    "a second line": (b'[\n{"size": }]', JSON, 400, "malformed", "line 2, column 10"),
    "nothing": (b"", JSON, 400, "malformed", "line 1, column 1"),
    "not UTF-8": (b'[{"city": "\xff"}]', JSON, 400, "malformed", "byte 12"),
    "a NaN": (b'[{"size": NaN}]', JSON, 400, "malformed", "NaN is not a number"),
    "endless digits": (b"[" + b"9" * 5000 + b"]", JSON, 400, "malformed", "not JSON"),
    "endless nesting": (b"[" * 100_000, JSON, 400, "malformed", "nested too deeply"),
    "a key twice": (b'[{"size": 1, "size": 2}]', JSON, 400, "malformed", "two keys 'size'"),
    "a number": (b"5", JSON, 422, "wrong_shape", "found an int"),
    "another object": (b'{"row": []}', JSON, 422, "wrong_shape", "the keys 'row'"),
    "no rows": (b"[]", JSON, 422, "no_rows", "has no rows"),
    "a row that is none": (json.dumps([ROW, 5]).encode(), JSON, 422, "wrong_shape", "row 2: expected an object"),
    "a text for a number": (changed(size="big"), JSON, 422, "wrong_type", "row 2: column 'size' should hold a number"),
    "true for a number": (changed(size=True), JSON, 422, "wrong_type", "row 2: column 'size' should hold a number"),
    "a list for a number": (changed(size=[1]), JSON, 422, "wrong_type", "found a list"),
    "a number for a text": (changed(city=5), JSON, 422, "wrong_type", "row 2: column 'city' should hold a text"),
    "a number for a date": (changed(sold=5), JSON, 422, "wrong_type", "row 2: column 'sold' should hold a text"),
    "no date": (changed(sold="2021-13-01"), JSON, 422, "unusable_rows", "row 2: column 'sold' should hold dates"),
    "an empty cell": (changed(city=None), JSON, 422, "empty_cell", "row 2: column 'city' is empty"),
    "an unknown category": (changed(city="Atlantis"), JSON, 422, "unusable_rows", "found 'Atlantis'"),
    "half a surrogate": (changed(city="\ud800"), JSON, 422, "wrong_type", "surrogate"),
    "half a surrogate as a key": (changed(**{"\ud800": 1}), JSON, 422, "unknown_column", "does not know"),
    "a missing column": (without("size"), JSON, 422, "missing_column", "row 1 lacks 1 column: 'size'"),
    "a column in capitals": (
        json.dumps([{"Size" if key == "size" else key: cell for key, cell in ROW.items()}]).encode(),
        JSON,
        422,
        "missing_column",
        "'size'; it has 'Size'",
    ),
    "an unknown column": (changed(sizes=1), JSON, 422, "unknown_column", "did you mean 'size'?"),
    "a float32 overflow": (changed(size=1e300), JSON, 422, "unusable_rows", "row 2"),
    "no CSV": (b'"size', "text/csv", 422, "unusable_rows", "the body"),
    "an empty CSV": (b"", "text/csv", 422, "unusable_rows", "empty"),
    "a CSV without rows": (b"size,rooms,city,sold\n", "text/csv", 422, "unusable_rows", "no rows"),
    "a CSV without line ends": (as_csv([ROW]).replace(b"\n", b""), "text/csv", 422, "unusable_rows", "--data-binary"),
    "a ragged CSV": (as_csv([ROW]) + b"1,2\n", "text/csv", 422, "unusable_rows", "line 3: 2 cells"),
    "a text in CSV": (as_csv([ROW]) + b"big,1,Rome,2020-01-01\n", "text/csv", 422, "wrong_type", "line 3"),
    "a CSV with less": (b"size,rooms,city\n1,2,Rome\n", "text/csv", 422, "missing_column", "'sold'"),
    "a CSV with more": (b"size,rooms,city,sold,x\n1,2,Rome,2020-01-01,1\n", "text/csv", 422, "unknown_column", "'x'"),
    "no Arrow": (b"hello", STREAM, 400, "malformed", "Arrow IPC stream"),
    "no Arrow file": (b"hello", FILE, 400, "malformed", "Arrow IPC file"),
    "half an Arrow stream": (as_arrow([ROW], STREAM)[:200], STREAM, 400, "malformed", "Arrow IPC stream"),
    "lists in Arrow": (as_arrow([{**ROW, "size": [1.0]}], STREAM), STREAM, 422, "unusable_rows", "'size'"),
    "texts in Arrow": (as_arrow([{**ROW, "size": "big"}], STREAM), STREAM, 422, "wrong_type", "row 1"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_bad_body_is_told_what_is_wrong_and_where(house: House, case: str) -> None:
    body, kind, status, error, words = BAD[case]
    answer = house.ask("/predict", body, kind)
    assert (answer.status, answer.error) == (status, error), answer.body
    assert words in answer.message
    assert len(answer.message) < 500
    assert answer.headers["content-type"] == JSON


@pytest.mark.parametrize(
    ("path", "headers", "status", "error"),
    [
        ("/predict", {"kind": ""}, 415, "unsupported_type"),
        ("/predict", {"kind": "application/x-www-form-urlencoded"}, 415, "unsupported_type"),
        ("/predict", {"kind": "application/json; charset=latin-1"}, 415, "unsupported_encoding"),
        ("/predict", {"content_encoding": "gzip"}, 415, "unsupported_encoding"),
        ("/predict", {"accept": "image/png"}, 406, "not_acceptable"),
        ("/predict", {"accept": "text/csv;q=0"}, 406, "not_acceptable"),
        ("/predict", {"method": "PUT"}, 405, "wrong_method"),
        ("/predict", {"method": "GET"}, 405, "wrong_method"),
        ("/health", {"method": "POST"}, 405, "wrong_method"),
        ("/nowhere", {}, 404, "not_found"),
        ("/models/nobody/predict", {}, 404, "not_found"),
        ("/predict?interval=2", {}, 422, "wrong_option"),
        ("/predict?interval=nan", {}, 422, "wrong_option"),
        ("/predict?interval=0.5&interval=0.6", {}, 422, "wrong_option"),
        ("/predict?reasons=0", {}, 422, "wrong_option"),
        ("/predict?reasons=-1", {}, 422, "wrong_option"),
        ("/predict?reason=1", {}, 422, "wrong_option"),
        ("/predict?interval=0.999999", {}, 422, "not_possible"),
    ],
)
def test_a_bad_request_is_refused(house: House, path: str, headers: dict[str, str], status: int, error: str) -> None:
    answer = house.ask(path, [ROW], **headers)
    assert (answer.status, answer.error) == (status, error), answer.body
    assert (answer.headers.get("allow") is not None) == (status == 405)


def test_limits_hold(runs: Path) -> None:
    with House(f"{runs}/flats-1", limits=Limits(body=2_000, rows=3, explained_rows=2)) as house:
        four = rows_of(4)
        assert house.ask("/predict", four[:3]).status == 200
        for body, kind in ((json.dumps(four).encode(), JSON), (as_csv(four), "text/csv")):
            answer = house.ask("/predict", body, kind)
            assert (answer.status, answer.error) == (413, "too_many_rows")
        large = house.ask("/predict", b" " * 2_001)
        assert (large.status, large.error, large.headers["connection"]) == (413, "body_too_large", "close")
        told = house.ask("/predict", b"", content_length="2001")
        assert (told.status, told.error) == (413, "body_too_large")
        explained = house.ask("/predict?reasons=1", four[:3])
        assert (explained.status, explained.error) == (413, "too_many_rows")


def test_a_body_that_does_not_arrive_is_refused(runs: Path) -> None:
    import asyncio

    from nnfs_cli.serve.body import receive_body
    from nnfs_cli.serve.refusal import Refusal

    async def never() -> Any:
        await asyncio.sleep(60)

    async def wait() -> None:
        await receive_body(never, {}, Limits(seconds=0.05))

    with pytest.raises(Refusal) as refused:
        asyncio.run(wait())
    assert (refused.value.status, refused.value.kind) == (408, "too_slow")


def test_rows_that_take_too_long_are_given_up(runs: Path) -> None:
    with House(f"{runs}/flats-1", limits=Limits(seconds=0.01)) as house:
        answer = house.ask("/predict?reasons=1", rows_of(1_000))
        assert (answer.status, answer.error, answer.headers["retry-after"]) == (503, "too_slow", "1")


def test_a_token_is_needed_where_there_is_one(runs: Path) -> None:
    token = "a secret of many letters"  # noqa: S105 - of this test
    with House(f"{runs}/flats-1", token=token) as house:
        for path in ("/predict", "/models/flats/predict", "/metrics", "/", "/openapi.json", "/nowhere"):
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {token}"}):
                answer = house.ask(path, [ROW] if "predict" in path else None, **headers)
                assert (answer.status, answer.error) == (401, "no_token")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert house.ask("/predict", [ROW], authorization=f"Bearer {token}").status == 200
        assert house.ask("/metrics", authorization=f"bearer {token}").status == 200
        assert house.ask("/health").status == house.ask("/ready").status == 200
        assert "securitySchemes" in house.ask("/openapi.json", authorization=f"Bearer {token}").json["components"]


@given(st.binary(max_size=200) | st.text().map(str.encode), st.sampled_from([JSON, "text/csv", STREAM, FILE]))
@example(as_arrow([ROW], FILE)[:-1], FILE)
def test_no_bytes_are_an_error_of_the_server(house: House, body: bytes, kind: str) -> None:
    answer = house.ask("/predict", body, kind)
    assert 400 <= answer.status < 500
    assert answer.message


CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(ROW, CELLS)), max_size=4), st.booleans())
def test_no_json_is_an_error_of_the_server(house: House, rows: list[dict[str, Any]], usual: bool) -> None:
    body = [{**ROW, **row} for row in rows] if usual else rows
    answer = house.ask("/predict", body)
    assert answer.status == 200 or (400 <= answer.status < 500 and answer.message)


@given(st.integers(0, 2_000), st.integers(0, 255))
def test_no_damaged_arrow_is_an_error_of_the_server(house: House, place: int, byte: int) -> None:
    body = bytearray(as_arrow(rows_of(3), STREAM))
    body[place % len(body)] = byte
    answer = house.ask("/predict", bytes(body), STREAM)
    assert answer.status == 200 or 400 <= answer.status < 500
