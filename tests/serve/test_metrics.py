"""What the server counts, read by Prometheus' own parser; and how it says whether it is well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from nnfs_cli.data.drift import Drift
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.serve.drift_window import ROWS, DriftWindow
from nnfs_cli.serve.metrics import BUCKETS, Metrics
from tests.serve.house import House, rows_of


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_rows_and_drift_are_counted(runs: Path) -> None:
    with House(f"{runs}/flats", f"{runs}/dear") as house:
        rows = [{**row, "size": 300.0} for row in rows_of(50)]
        house.ask("/predict", rows)
        house.ask_together("/predict", [json.dumps([row]).encode() for row in rows[:5]])
        house.ask("/predict", [{**rows[0], "city": "Atlantis"}, rows[1]])
        house.ask("/predict", b"[")
        answer = house.ask("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = samples(answer.body.decode())

    def value(name: str, **labels: str) -> float | None:
        return found.get((name, frozenset({"model": "flats", **labels}.items())))

    assert value("nnfs_requests_total", status="200") == 6
    assert value("nnfs_requests_total", status="422") == value("nnfs_requests_total", status="400") == 1
    assert value("nnfs_rows_total") == 55
    assert value("nnfs_refused_rows_total") == 2
    assert value("nnfs_refusals_total", reason="malformed") == 1
    assert value("nnfs_batches_total") == 3  # the one with a row that cannot be used is one of them
    assert value("nnfs_request_seconds_count") == value("nnfs_request_seconds_bucket", le="+Inf") == 8
    assert 0 < (value("nnfs_request_seconds_sum") or 0) < 60
    assert value("nnfs_model_info", run="flats-1") == 1
    assert value("nnfs_drift_outside", column="size") == 1
    assert value("nnfs_drift_verdict", column="size") == 2
    assert value("nnfs_drift_verdict", column="city") == 0
    assert value("nnfs_drift_unseen", column="city") == 0
    assert value("nnfs_drift_rows") in (55, 56)
    assert value("nnfs_drift_rows", model="dear") == 0


def test_a_histogram_counts_up_to_the_end_of_each_bucket() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.0011, 3.0, 99.0):
        metrics.answered('a"\\\n', 200, seconds)
    found = samples(metrics.text({}))
    counts = [
        found["nnfs_request_seconds_bucket", frozenset({("model", 'a"\\\n'), ("le", repr(end))})] for end in BUCKETS
    ]
    assert counts == [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3]


def profiles() -> list[dict[str, Any]]:
    number = {"name": "x", "kind": "number", "min": 0.0, "max": 1.0, "missing": 0.0, "rows": 100}
    number |= {"edges": [k / 10 for k in range(1, 10)], "shares": [0.1] * 10}
    return [number, {"name": "c", "kind": "category", "missing": 0.0, "rows": 100, "counts": {"a": 50, "b": 50}}]


@pytest.mark.parametrize("size", [1, 7, 3_000, 25_000])
def test_the_window_holds_the_newest_rows(size: int) -> None:
    rng, window = np.random.default_rng(0), DriftWindow(profiles())
    assert window.report() == (0, [])
    n = 25_000 if size > 1 else 600
    x, c = rng.random(n), np.array(["a", "b", "new" * 9_000], object)[rng.integers(3, size=n)]
    for start in range(0, n, size):
        rows = slice(start, start + size)
        window.add(Table("rows", {"x": x[rows], "c": Texts.of(c[rows])}))
    expected = Drift(profiles())
    expected.add(Table("rows", {"x": x[-ROWS:], "c": Texts.of(c[-ROWS:])}))
    assert window.report() == (min(n, ROWS), expected.report())
    assert window.report()[0] == min(n, ROWS)
    assert sum(len(next(iter(table.values()))) for table in window._tables) <= 2 * ROWS
    assert max(len(text) for table in window._tables for text in table["c"].distinct) <= 1_000  # type: ignore[union-attr]


def test_it_says_whether_requests_are_welcome(runs: Path) -> None:
    with House(f"{runs}/flats") as house:
        assert house.ask("/health").json == {"status": "ok"}
        assert house.ask("/ready").json == {"status": "ready"}
        house.application.closing = True
        ready = house.ask("/ready")
        assert (ready.status, ready.json, ready.headers["connection"]) == (503, {"status": "stopping"}, "close")
        for answer in (house.ask("/predict", rows_of(1)), house.ask("/health"), house.ask("/nowhere")):
            assert answer.headers["connection"] == "close"
        assert house.ask("/predict", rows_of(1)).status == 200


def test_the_pages_load_nothing_from_anywhere(house: House, runs: Path) -> None:
    page = house.ask("/").body.decode()
    assert "flats-1" in page
    assert "//" not in page.replace("<!doctype", "")
    assert house.ask("/", method="HEAD").status == 200
    assert house.ask("/docs").status == 404
    of_model = house.ask("/models/dear/page").body
    assert b"default-src 'none'" in of_model
    with House(f"{runs}/dear-1") as alone:
        assert alone.ask("/").body == of_model
