"""Open pages in a headless Chromium, and judge them by it and by axe-core, which are not ours.

    def test_a_page_is_sound(browser: Browser) -> None:
        with browser.open(path, width=390, dark=True) as opened:
            opened.page.click("summary")
            opened.check()

`pytest -m browser` runs these tests. They are skipped where Chromium, playwright or axe-core is missing, unless `CI` is
set. The folder that NNFS_AXE names holds axe.min.js, as `npm install axe-core` leaves it in node_modules/axe-core.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SERIOUS = ("serious", "critical")
CHARTS = """() => [...document.querySelectorAll('svg[role=img]')].map(svg => ({
    title: svg.querySelector(':scope > title')?.textContent,
    description: svg.querySelector(':scope > desc')?.textContent,
    labels: [...svg.querySelectorAll('.ch-label')].map(label => label.textContent)}))"""


class Opened:
    """A page in the browser. `page` is that of playwright."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url)

    def check(self) -> None:
        """Fail unless the page is sound: no error, no other request, all charts complete, no serious fault by axe."""
        assert self.errors == []
        assert {request.partition("#")[0] for request in self.requests} == {self.url}
        for chart in self.page.evaluate(CHARTS):
            assert chart["title"], chart
            assert chart["description"], chart
            assert len(chart["labels"]) == 2, chart
            assert all(chart["labels"]), chart
        width = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], "the page is wider than the window"
        assert self.faults() == []

    def faults(self) -> list[str]:
        """Return what axe-core finds that is serious or critical, each with the elements."""
        self.page.evaluate(axe())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{fault['id']}: {fault['help']}: {[node['html'][:120] for node in fault['nodes'][:3]]}"
            for fault in found["violations"]
            if fault["impact"] in SERIOUS
        ]

    def screenshot(self, path: Path) -> None:
        """Write a picture of the whole page."""
        self.page.screenshot(path=path, full_page=True)


class Browser:
    """A running Chromium."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium

    @contextlib.contextmanager
    def open(
        self, page: Path | str, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True
    ) -> Iterator[Opened]:
        """Open a file or an address, in a window of this size in pixels."""
        url = page.absolute().as_uri() if isinstance(page, Path) else page
        scheme = "dark" if dark else "light"
        context = self._chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=scripts
        )
        try:
            yield Opened(context.new_page(), url)
        finally:
            context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once for all tests."""
    path = next(filter(None, map(shutil.which, PROGRAMS)), None) or _lacking("Chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _lacking("playwright is not installed")
    axe()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Browser(chromium)
        chromium.close()


def axe() -> str:
    """Return the script of axe-core."""
    file = Path(os.environ.get("NNFS_AXE") or "nowhere") / "axe.min.js"
    return file.read_text(encoding="utf-8") if file.is_file() else _lacking("NNFS_AXE names no folder of axe-core")


def _lacking(what: str) -> Any:
    """Skip the test, or fail it where everything should be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI is set", pytrace=False)
    pytest.skip(what)
