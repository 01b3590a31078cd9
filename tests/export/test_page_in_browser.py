"""An exported page in a real browser: it answers as the run does, everybody can use it, and no name runs in it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.page.html import page_of
from nnfs_cli.export.page.runtime import typed_output
from nnfs_cli.export.page.serialized import packed_cells, serialized
from nnfs_cli.pipeline.cells import column, look_up
from nnfs_cli.pipeline.elementwise import add
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.labels import label_of
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import constant
from tests.browser import Browser
from tests.conftest import ROOT
from tests.export.pages import Paged, paged
from tests.export.parity import assert_close
from tests.pipeline.cases import CASES, HOSTILE

pytestmark = pytest.mark.browser

ATTACKS = (
    "</script><script>document.title='attacked'</script>",
    "<img src=x onerror=\"document.title='attacked'\">",
    "';document.title='attacked';//",
    "{{ title }}",
    "*/ --> ]]>",
    "=cmd|' /C calc'!A0",
    "__proto__",
    "constructor",
    "0",
    "a" * 10_000,
    *HOSTILE,
)
DRAWN = ".field .curve svg"


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Paged:
    return paged("toolbox/houses.yaml", tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Paged:
    return paged("examples/flowers.yaml", tmp_path_factory.mktemp("runs"), interval=None)


def as_csv(table: Table) -> str:
    """Return the columns of a table as CSV."""
    file = io.StringIO()
    csv.writer(file).writerows(
        [[*table.columns], *([table.text_of(i, name) for name in table.columns] for i in range(table.n_rows))]
    )
    return file.getvalue()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("of", ["houses", "flowers"])
def test_a_page_is_sound(
    browser: Browser, of: str, request: pytest.FixtureRequest, tmp_path: Path, width: int, dark: bool
) -> None:
    found: Paged = request.getfixturevalue(of)
    with browser.open(found.write(tmp_path), width=width, dark=dark) as opened:
        opened.page.wait_for_selector(DRAWN)
        opened.page.fill("#table-text", as_csv(found.table.take(np.arange(60))))
        opened.page.wait_for_selector("#table-result tbody tr")
        opened.check()


@pytest.fixture(scope="module")
def blended(tmp_path_factory: pytest.TempPathFactory) -> Paged:
    """The preset's nets, with trees and a linear model, for classes with sets."""
    folder = tmp_path_factory.mktemp("runs")
    config = folder / "blended.yaml"
    data = f"dataset: {{csv: {{path: {(ROOT / 'configs/examples/flowers.csv').as_posix()}, target: species}}}}"
    config.write_text(
        f"{data}\npreset: {{tabular: fast}}\nsplit: {{test: 0.2}}\nloss: cross_entropy\n", encoding="utf-8"
    )
    return paged(config, folder, interval=0.8)


@pytest.mark.parametrize("of", ["houses", "flowers", "blended"])
def test_a_table_has_the_answers_of_the_run(
    browser: Browser, of: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found: Paged = request.getfixturevalue(of)
    expected = found.predictor.predict(found.table)
    with browser.open(found.write(tmp_path)) as opened:
        (tmp_path / "rows.csv").write_text(as_csv(found.table), encoding="utf-8")
        opened.page.set_input_files("#table-file", tmp_path / "rows.csv")
        with opened.page.expect_download() as download:
            opened.page.click("#table-save")
        rows = [*csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())]
    assert download.value.suggested_filename == f"{found.model.name}-answers.csv"
    for name, answers in expected.items():
        given = [row[name] for row in rows]
        if isinstance(answers, Texts):
            assert given == answers.tolist()
        else:
            np.testing.assert_allclose(np.array(given, np.float64), answers, rtol=1e-5, atol=1e-8)


def test_the_form_predicts_as_one_types(browser: Browser, houses: Paged, tmp_path: Path) -> None:
    with browser.open(houses.write(tmp_path)) as opened:
        page = opened.page
        page.wait_for_selector(DRAWN)
        first = page.inner_text("#headline strong")
        page.get_by_label("area", exact=True).fill("230")
        assert page.inner_text("#headline strong") != first
        shown = page.evaluate("nnfs.pipeline.predict(nnfs.fields.map((field) => [field.cell])).outputs[0][0]")
        row = {name: texts[0] for name, texts in zip(houses.predictor.encoder.kinds, _cells(page), strict=True)}
        expected = nnfs_prediction(houses, row, tmp_path)
        np.testing.assert_allclose(shown, expected, rtol=1e-5)
        page.locator("#reasons", has_text="area = 230").wait_for()
        page.get_by_label("area", exact=True).fill("many")
        assert "area" in page.inner_text("#headline")
        page.click("#reset")
        assert page.inner_text("#headline strong") == first
        assert opened.errors == []


def _cells(page: Any) -> list[list[str]]:
    """Return the cells of the form as texts."""
    return page.evaluate(  # type: ignore[no-any-return]
        "nnfs.fields.map((field) => [field.kind === 'category' ? field.cell ?? '' : field.input.value])"
    )


def nnfs_prediction(found: Paged, row: dict[str, str], folder: Path) -> float:
    """Return what a run predicts for one row of texts."""
    from nnfs_cli.data.several_files import all_rows_for
    from nnfs_cli.prediction.batch_predict import BatchPredictor

    path = folder / "row.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*row])
        writer.writeheader()
        writer.writerow(row)
    source = all_rows_for(path, found.predictor.config.dataset)
    return float(BatchPredictor(found.predictor, found.model.inputs, source).all()["prediction"][0])


def test_a_keyboard_alone_is_enough(browser: Browser, houses: Paged, tmp_path: Path) -> None:
    with browser.open(houses.write(tmp_path)) as opened:
        page = opened.page
        page.wait_for_selector(DRAWN)
        reached: set[str] = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"))
        wanted = {"reset", "area, slider", "table-text", "table-file", *(f"field-{i}" for i in range(7))}
        assert wanted <= reached
        slider, before = page.get_by_label("area, slider"), page.inner_text("#headline strong")
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        assert page.inner_text("#headline strong") != before
        page.get_by_label("district", exact=True).focus()
        before = page.inner_text("#headline strong")
        page.keyboard.press("ArrowDown")
        page.locator("#headline strong").filter(has_not_text=before).wait_for()
        page.locator("#spoken", has_text="price: ").wait_for(state="attached")


def test_every_operation_is_computed_as_in_numpy(browser: Browser, houses: Paged, tmp_path: Path) -> None:
    with browser.open(houses.write(tmp_path)) as opened:
        for case in CASES:
            found = opened.page.evaluate(
                """([model, cells]) => {
                    const given = cells.map((column) => (column.base64 === undefined ? column : unpacked(column)));
                    return new Pipeline(model).predict(given).outputs.map((output) => Array.from(output, String));
                }""",
                [serialized(case.pipeline), packed_cells(case.cells)],
            )
            expected, _ = evaluate(case.pipeline, case.cells)
            for (name, values), texts in zip(expected.items(), found, strict=True):
                assert_close(typed_output(case.pipeline, name, texts), values, 1e-12)
        assert opened.errors == []


def test_names_and_labels_are_shown_and_never_run(browser: Browser, tmp_path: Path) -> None:
    word = column("word", "category")
    columns = {f"{name}{i}": column(f"{name}{i}", "number") for i, name in enumerate(ATTACKS)}
    total = constant([0.0])
    for each in columns.values():
        total = add(total, each)
    outputs = {
        "prediction": label_of(look_up(word, ATTACKS, 0, 0), ATTACKS),
        **{f"probability_{label}": total for label in ATTACKS},
    }
    inputs = [{"name": "word", "kind": "category", "counts": dict.fromkeys(ATTACKS, 1)}]
    inputs += [
        {"name": name, "kind": "number", "min": 0.0, "max": 1.0, "edges": [0.5], "shares": [1, 0]} for name in columns
    ]
    pipeline = Pipeline({"word": word, **columns}, outputs, constant([True]))
    model = ExportedModel(ATTACKS[0], pipeline, inputs, {attack: attack for attack in ATTACKS}, [ATTACKS[1]])
    path = tmp_path / "page.html"
    path.write_text(page_of(model), encoding="utf-8")
    with browser.open(path) as opened:
        opened.page.wait_for_selector(DRAWN)
        for i in range(len(ATTACKS)):
            opened.page.select_option("#field-0", str(i))
        names = ["word", *columns]
        file = io.StringIO()
        csv.writer(file, delimiter="\t").writerows(
            [names, [ATTACKS[0], *["1"] * len(columns)], [ATTACKS[5], *["0"] * len(columns)]]
        )
        opened.page.fill("#table-text", file.getvalue())
        opened.page.wait_for_selector("#table-result tbody tr")
        assert opened.page.inner_text("#table-status") == "2 rows."
        assert "'=cmd" in opened.page.evaluate("nnfs.table.csv()")
        assert "attacked" not in opened.page.title().replace(ATTACKS[0], "")
        assert (
            json.loads(opened.page.evaluate("JSON.stringify(nnfs.pipeline.columns.map(({ name }) => name))")) == names
        )
        assert opened.page.evaluate("document.querySelectorAll('img, iframe, object').length") == 0
        opened.check()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("area\n1", "lacks the columns"),
        ("sold,district,area,rooms,built,garden,energy\n", "no rows"),
        (
            "sold,district,area,rooms,built,garden,energy\n2024-01-01,Meadow,many,4,1970,true,A",
            "'area' should hold numbers, found 'many'",
        ),
        ("sold;district;area;rooms;built;garden;energy\n2024-01-01;Meadow;80;4;1970;true;A\n\n", "1 row."),
    ],
)
def test_a_table_that_does_not_fit_gets_a_sentence(
    browser: Browser, houses: Paged, tmp_path: Path, text: str, said: str
) -> None:
    with browser.open(houses.write(tmp_path)) as opened:
        opened.page.fill("#table-text", text)
        opened.page.locator("#table-status", has_text=said).wait_for()
        assert opened.errors == []


def test_a_decimal_comma_gets_a_remedy(browser: Browser, houses: Paged, tmp_path: Path) -> None:
    with browser.open(houses.write(tmp_path)) as opened:
        for text, more in [("80,5", "; the decimal mark is a point"), ("large", "")]:
            opened.page.get_by_label("area", exact=True).fill(text)
            opened.page.get_by_text(f"This is no number{more}.", exact=True).wait_for()


def test_pasted_rows_are_answered(browser: Browser, houses: Paged, tmp_path: Path) -> None:
    with browser.open(houses.write(tmp_path)) as opened:
        opened.page.evaluate(
            """(text) => {
                const clipboardData = new DataTransfer();
                clipboardData.setData("text/plain", text);
                const event = new ClipboardEvent("paste", { clipboardData, cancelable: true });
                document.querySelector("#table-text").dispatchEvent(event);
            }""",
            as_csv(houses.table),
        )
        opened.page.locator("#table-status", has_text=f"{houses.table.n_rows} rows.").wait_for()
        assert opened.page.input_value("#table-text").count("\n") == houses.table.n_rows + 1


def test_a_row_of_the_table_goes_into_the_form(browser: Browser, houses: Paged, tmp_path: Path) -> None:
    text = "energy\tsold\tdistrict\tarea\trooms\tbuilt\tgarden\nB\t2022-02-03\tMeadow\t81\t3\t1950\tfalse\n"
    with browser.open(houses.write(tmp_path)) as opened:
        opened.page.fill("#table-text", text)
        opened.page.click("#table-result tbody button")
        assert [texts[0] for texts in _cells(opened.page)] == ["2022-02-03", "Meadow", "81", "3", "1950", "false", "B"]


def test_a_run_without_background_says_why_there_are_no_reasons(browser: Browser, tmp_path: Path) -> None:
    found = paged("examples/flowers.yaml", tmp_path, reasons=False)
    with browser.open(found.write(tmp_path)) as opened:
        opened.page.wait_for_selector(DRAWN)
        assert "keeps no training rows" in opened.page.inner_text("#reasons")
        assert opened.errors == []
