"""Reports of every kind of run, and a comparison, in a real browser; and the slider over thresholds in use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sklearn import metrics as sk

from nnfs_cli.report.comparison_report import comparison_report
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from tests.browser import Browser, Opened
from tests.report.kinds import CLASS, HOSTILE, KINDS, run_of, trained

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")]


def written(folder: Path, html: str) -> Path:
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_any_kind_is_sound(browser: Browser, tmp_path: Path, kind: str) -> None:
    page = written(tmp_path, run_report(RunFacts(run_of(kind))))
    for width, dark in ((1280, False), (390, True)):
        with browser.open(page, width=width, dark=dark) as opened:
            opened.check()
            assert HOSTILE in opened.page.inner_text("body")


def test_a_comparison_of_three_runs_is_sound(browser: Browser, tmp_path: Path) -> None:
    runs = [trained(tmp_path, "binary", seed=seed, lr=lr)[1] for seed, lr in ((0, 0.02), (1, 0.02), (0, 0.1))]
    page = written(tmp_path, comparison_report(runs))
    for width, dark in ((1280, True), (390, False)):
        with browser.open(page, width=width, dark=dark) as opened:
            opened.check()
            assert opened.page.locator("svg.chart").count() >= 3


def text(opened: Opened, name: str) -> str:
    return str(opened.page.inner_text(f"#threshold-{name}"))


def moved(opened: Opened) -> tuple[float, float]:
    """How far the mark on the ROC curve is to the right of where it was drawn, and below it, in pixels."""
    right, down = re.findall(r"-?[\d.]+", opened.page.locator("#chosen-roc").get_attribute("transform"))
    return float(right), float(down)


def test_the_slider_shows_what_its_threshold_does(browser: Browser, tmp_path: Path) -> None:
    facts = RunFacts(run_of("binary"))
    found = facts.predictions
    assert found is not None
    rows = found.predicted("test")
    with browser.open(written(tmp_path, run_report(facts))) as opened:
        assert CLASS in opened.page.inner_text("#threshold-widget")
        assert moved(opened) == (0, 0)
        for step, threshold in ((30, 0.15), (100, 0.5), (180, 0.9)):
            opened.page.fill("#threshold", str(step))
            said = rows.y_hat[:, 1] >= threshold
            assert text(opened, "value") == f"{threshold:g}"
            cells = [[int(text(opened, f"{i}-{j}")) for j in (0, 1)] for i in (0, 1)]
            assert cells == sk.confusion_matrix(rows.y, said, labels=[0, 1]).tolist()
            for name, score in (("accuracy", sk.accuracy_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
                assert text(opened, name) == f"{score(rows.y, said):.4f}"
            if said.any():
                assert text(opened, "precision") == f"{sk.precision_score(rows.y, said):.4f}"
        right, down = moved(opened)
        assert right <= 0
        assert down > 0
        opened.page.click("#threshold-reset")
        assert text(opened, "value") == "0.5"
        assert moved(opened) == (0, 0)
        opened.page.focus("#threshold")
        opened.page.keyboard.press("ArrowRight")
        assert text(opened, "value") == "0.505"
        opened.check()


def test_without_scripts_the_threshold_and_its_table_are_shown(browser: Browser, tmp_path: Path) -> None:
    page = written(tmp_path, run_report(RunFacts(run_of("binary"))))
    with browser.open(page, scripts=False) as opened:
        assert not opened.page.is_visible("#threshold")
        assert opened.page.is_visible("#threshold-1-1")
        assert "What some thresholds do" in opened.page.inner_text("body")
