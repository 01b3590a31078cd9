"""The scripts of a page compute what NumPy computes: operations, reasons, and cells of tables."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.data.csv.writer import harmless
from nnfs_cli.data.numbers import parse_number
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.page.format import PageFormat
from nnfs_cli.export.page.html import ENGINE, NO_REASONS, TEMPLATES, page_of
from nnfs_cli.export.page.reasons import reasons
from nnfs_cli.export.page.serialized import packed, serialized
from tests.export.pages import Paged, paged
from tests.export.parity import assert_computes
from tests.pipeline.cases import CASES, HOSTILE, Case

py_mini_racer = pytest.importorskip("py_mini_racer")
Call = Callable[..., Any]
CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\x00"), max_size=8)


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """Call a function of the scripts with arguments as JSON."""
    scripts = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ENGINE)
    with py_mini_racer.MiniRacer() as engine:
        engine.eval(scripts)
        yield lambda function, *given: engine.call(f"({function})", *given)


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Paged:
    return paged("toolbox/parcels.yaml", tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_page_computes_what_numpy_computes(case: Case, tmp_path: Path) -> None:
    assert_computes(PageFormat(), case, tmp_path)


@pytest.mark.parametrize("config", ["toolbox/parcels.yaml", "examples/flowers.yaml"])
def test_a_page_gives_the_reasons_of_predict(config: str, parcels: Paged, tmp_path: Path, call: Call) -> None:
    found = parcels if "parcels" in config else paged(config, tmp_path)
    attributor = found.model.attributor
    assert attributor is not None
    X = found.predictor.encoder.encode(found.table.take(np.arange(5)), found.predictor.model.dtype)
    expected = attributor.effects(X)
    about = reasons(found.model.pipeline, attributor)
    effects = call(
        """(model, about, rows) => {
            const explainer = new Explainer(new Pipeline(model), about);
            return rows.map((row) => {
                const steps = explainer.effects(Float64Array.from(row), 7);
                for (;;) { const { done, value } = steps.next(); if (done) return Array.from(value.values); }
            });
        }""",
        serialized(found.model.pipeline),
        about,
        X.tolist(),
    )
    scale = np.abs(expected.values).max()
    np.testing.assert_allclose(np.reshape(effects, expected.values.shape), expected.values, atol=1e-5 * scale)


def test_a_run_without_background_gives_no_reasons(parcels: Paged) -> None:
    model = parcels.model
    without = ExportedModel(model.name, model.pipeline, model.inputs, targets=model.targets)
    assert NO_REASONS in page_of(without)
    assert NO_REASONS not in page_of(model)


def test_a_page_may_load_and_run_nothing_else(parcels: Paged) -> None:
    html = page_of(parcels.model)
    assert "default-src 'none'; script-src 'sha256-" in html
    assert not re.search(r"""(src|href)=["']?(?!#|data:)""", re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))


def test_a_field_begins_with_the_middle_row(parcels: Paged) -> None:
    data = json.loads(re.findall(r'id="page">(.*?)</script>', page_of(parcels.model))[0])
    fields = {field["name"]: field for field in data["fields"]}
    weights = np.array([cell for cell in parcels.table.numbers("weight", gaps=True) if not np.isnan(cell)])
    assert abs((weights <= fields["weight"]["start"]).mean() - 0.5) < 0.1
    assert fields["sent"]["low"] <= fields["sent"]["start"] <= fields["sent"]["high"]
    assert [answer["target"] for answer in data["answers"]] == ["cost"]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=4), st.sampled_from(",\t;"))
def test_rows_are_read_as_python_reads_them(call: Call, rows: list[list[str]], mark: str) -> None:
    rows[0] = [f"column {i}" for i in range(len(rows[0]))]  # the first line tells what separates the cells
    file = io.StringIO()
    csv.writer(file, delimiter=mark, quoting=csv.QUOTE_ALL).writerows(rows)
    assert call("readRows", file.getvalue()) == rows


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=4))
def test_answers_are_cells_that_no_spreadsheet_runs(call: Call, rows: list[list[str]]) -> None:
    written = call("csvText", rows)
    assert [*csv.reader(io.StringIO(written, newline=""))] == [[harmless(cell) for cell in row] for row in rows]


@given(
    st.one_of(CELLS, st.floats(allow_nan=False).map(repr), st.sampled_from(["", " 1 ", "1e400", "TRUE", "1_0", "0x1"]))
)
def test_numbers_are_read_as_the_tool_reads_them(call: Call, text: str) -> None:
    number = parse_number(text)
    found = call(
        "(text) => { const cell = parseCell('number', text); return cell === undefined ? null : String(cell) }", text
    )
    if text.strip() == "":
        assert found == "NaN"
    else:
        assert (None if found is None else float(found)) == number


@given(st.datetimes())
def test_dates_are_read_to_the_microsecond(call: Call, date: Any) -> None:
    found = call("(text) => String(parseDate(text))", date.isoformat())
    assert int(found) == int(np.datetime64(date, "us").astype(np.int64))


@pytest.mark.parametrize("text", ["2023-02-29", "2024-13-01", "2024-00-10", "2024-01-01 24:00", "1 May 2024", ""])
def test_other_texts_are_no_dates(call: Call, text: str) -> None:
    assert call("parseDate", text) is None


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, bool])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 100])
def test_arrays_keep_their_numbers(call: Call, dtype: type, n: int) -> None:
    array = np.random.default_rng(n).normal(0, 1000, n).astype(dtype)
    found = call("(array) => Array.from(unpacked(array), String)", packed(array))
    np.testing.assert_array_equal(np.array(found, np.float64), array)


def test_hashes_are_those_of_blake2b(call: Call) -> None:
    import hashlib

    texts = [*HOSTILE, "x" * 127, "x" * 128, "x" * 129, "ü" * 500]
    expected = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts]
    assert call("(texts) => texts.map((text) => String(blake2b(utf8(text))))", texts) == [str(one) for one in expected]
