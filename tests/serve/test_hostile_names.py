"""Names of columns and labels that would end a string, a line, a tag or a path elsewhere are names here."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from prometheus_client.parser import text_string_to_metric_families

from nnfs_cli import Run, train
from tests.serve.house import House
from tests.serve.test_answers import STREAM, as_arrow, expected

NAMES = [
    '"quoted"',
    "it's",
    "two\nlines\r\nand a tab\t",
    "*/ /* //",
    "</script><script>alert(1)</script>",
    "back\\slash\\",
    "<b>&amp;",
    "{model}",
    "$ref",
    "#/components/schemas/x",
    "a,b;c",
    "rows",
    "SELECT",
    "\U0001f600 \u202e\u0000".replace("\u0000", "\u00ad"),
    "x" * 10_000,
]
LABELS = ['no "way"', "yes</script>\n"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose columns, categories and labels all have such names."""
    n = len(NAMES)
    table: dict[str, list[Any]] = {
        name: [float((i * (j + 2)) % 11 + i % 2) for i in range(90)] for j, name in enumerate(NAMES)
    }
    table["word"] = [NAMES[i % n] for i in range(90)]
    table["target"] = [LABELS[i % 3 == 0] for i in range(90)]
    settings: dict[str, Any] = {"layers": ["linear: 1", "sigmoid"], "loss": "binary_cross_entropy"}
    settings |= {"preprocessing": {"numbers": "standardize", "categories": "one_hot"}, "epochs": 3, "lr": 0.1}
    settings |= {"dataset": {"table": "target"}, "split": {"validation": 0.2}, "engine": "numpy"}
    return train(settings, table, folder=tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [{**{name: float((i + j) % 2) for j, name in enumerate(NAMES)}, "word": NAMES[i]} for i in range(len(NAMES))]


def test_answers_are_those_of_the_run_in_every_format(odd: Run, rows: list[dict[str, Any]]) -> None:
    wanted = expected(odd, rows, explain=1)
    with House(f"x={odd.path}") as house:
        assert house.ask("/predict?reasons=1", rows).json["predictions"] == wanted
        arrow = house.ask("/predict?reasons=1", as_arrow(rows, STREAM), STREAM)
        assert pa.ipc.open_stream(arrow.body).read_all().to_pylist() == wanted
        header, *lines = csv.reader(
            io.StringIO(house.ask("/predict", rows, accept="text/csv").body.decode(), newline="")
        )
        assert header == [name for name in wanted[0] if name not in ("base", "reason_1", "effect_1")]
        assert [line[0] for line in lines] == [row["prediction"] for row in wanted]


def test_refusals_name_them_in_one_line(odd: Run, rows: list[dict[str, Any]]) -> None:
    with House(f"x={odd.path}") as house:
        for name in NAMES:
            wrong = house.ask("/predict", [{**rows[0], name: "?"}])
            assert (wrong.status, wrong.error) == (422, "wrong_type")
            missing = house.ask("/predict", [{key: cell for key, cell in rows[0].items() if key != name}])
            assert (missing.status, missing.error) == (422, "missing_column")
            for answer in (wrong, missing):
                assert len(answer.message) < 11_000
                assert not re.search(r"[\x00-\x1f]", answer.message)
        other = house.ask("/predict", [{**rows[0], "word": "</script>\n"}])
        assert other.status == 422


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)


def test_nothing_is_injected_where_they_are_shown(odd: Run, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    with House(f"odd={odd.path}", f"same={odd.path}") as house:
        house.ask("/predict", rows)
        families = text_string_to_metric_families(house.ask("/metrics").body.decode())
        columns = {one.labels["column"] for family in families for one in family.samples if "column" in one.labels}
        assert columns == {*NAMES, "word"}
        page = Tags()
        page.feed(house.ask("/").body.decode())
        assert {"script", "b"}.isdisjoint(page.tags)
        described = house.ask("/openapi.json").json
        row = described["components"]["schemas"]["model_0_row"]
        assert {*row["properties"]} == {*NAMES, "word", "target"}
        assert row["properties"]["word"] == {"enum": sorted(NAMES)}
        assert json.dumps(described)
