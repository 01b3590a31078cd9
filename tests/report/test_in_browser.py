"""The report of a run in a real browser: it runs without errors, loads nothing, and everybody can read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.run_report import run_report
from nnfs_cli.runs.directory import RunDirectory
from tests.browser import Browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_report_is_sound(browser: Browser, run: RunDirectory, tmp_path: Path, width: int, dark: bool) -> None:
    page = tmp_path / "report.html"
    page.write_text(run_report(RunFacts(run)), encoding="utf-8")
    with browser.open(page, width=width, dark=dark) as opened:
        opened.check()


def test_an_injected_script_does_not_run(browser: Browser, run: RunDirectory, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    html = run_report(RunFacts(run)).replace("</main>", "<script>document.title = 'changed'</script></main>")
    page.write_text(html, encoding="utf-8")
    with browser.open(page) as opened:
        assert opened.page.title() == run.path.name
        assert any("Content Security Policy" in error for error in opened.errors)
