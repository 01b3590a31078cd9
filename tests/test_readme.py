"""The README and the guide say what the tool does: their commands run, and what they show is what comes out."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.markdown import Markdown
from typer.main import get_command

from nnfs_cli.cli import app
from tests.pictures import drawn, trained
from tests.readme import GUIDE, PAGES, README, ROOT, rendered

NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
FILLED = re.compile(r"<!-- config .*? -->\n```yaml\n.*?^```", re.DOTALL | re.MULTILINE)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
each_topic = pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)


@each_page
def test_a_page_shows_what_the_tool_does_today(page: Path) -> None:
    """Text must be equal; figures may differ by what another processor rounds."""
    written, true = TEXTS[page], rendered(page)
    assert NUMBER.sub("#", written) == NUMBER.sub("#", true), "run  python -m tests.readme"
    for ours, theirs in zip(NUMBER.findall(written), NUMBER.findall(true), strict=True):
        assert abs(float(ours) - float(theirs)) <= 1e-4 + 0.02 * abs(float(theirs))


@each_page
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", TEXTS[page])):
        if target.startswith("https://"):
            continue
        name, _, heading = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        if heading:
            assert heading in anchors(file), target


@each_topic
def test_a_page_begins_with_its_title_and_what_it_is_for(page: Path) -> None:
    title, paragraph, *_ = TEXTS[page].split("\n\n")
    assert re.fullmatch(r"# [A-Z][^\n]+", title)
    assert re.fullmatch(r"[A-Z`].+[.:]", paragraph, re.DOTALL)


@each_topic
def test_a_page_fits_a_terminal_of_80_columns(page: Path) -> None:
    screen = StringIO()
    Console(file=screen, width=80, color_system=None).print(Markdown(TEXTS[page]))
    shown = screen.getvalue()
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert "<!--" not in shown
    tables = re.findall(r"^\|.*\|$", CODE.sub("", without_generated(TEXTS[page])), re.MULTILINE)
    assert [line for line in tables if len(line) > 100] == []
    written = re.findall(r"^```yaml\n(.*?)^```", re.sub(FILLED, "", TEXTS[page]), re.DOTALL | re.MULTILINE)
    assert [line for block in written for line in block.splitlines() if len(line) > 78] == []


def test_the_readme_is_short_and_leads_to_every_page_of_the_guide() -> None:
    assert README.stat().st_size <= 10_000
    for page in PAGES[1:]:
        assert f"(nnfs_cli/guide/{page.name})" in TEXTS[README], page.name


def test_the_picture_shows_what_the_tool_prints_today() -> None:
    true = [line for line in trained() if line]
    assert [NUMBER.sub("#", line) for line in drawn()] == [NUMBER.sub("#", line) for line in true], (
        "run  python -m tests.pictures terminal"
    )


def test_ci_runs_the_two_set_up_lines() -> None:
    lines = [line for line in TEXTS[README].splitlines() if line.startswith("python3 -m venv ")]
    assert len(lines) == 2
    assert lines[0].endswith("nnfs train configs/breast_cancer.yaml")
    assert lines[1].endswith("pytest")
    assert "grep -E '^python3 -m venv ' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_promise_rests_on_tests_that_are_there() -> None:
    section = (GUIDE / "guarantees.md").read_text(encoding="utf-8").partition("\n## What is not promised")[0]
    promises = re.findall(r"^- .+\n(?:  .+\n)+", section, re.MULTILINE)
    assert len(promises) > 10
    for promise in promises:
        named = re.findall(r"`(tests/[^`]+)`", promise)
        assert named, promise
        for name in named:
            assert re.search(r"^def test_", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE), name


def test_the_guide_shows_every_command() -> None:
    shown = "\n".join(TEXTS[page] for page in PAGES)
    assert [command for command in get_command(app).commands if f"nnfs {command}" not in shown] == []  # type: ignore[attr-defined]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub(lambda code: code[0].strip("`"), page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_generated(text: str) -> str:
    """Return a page without what is between `<!-- NAME -->` and `<!-- /NAME -->`."""
    return re.sub(r"<!-- ([a-z _]+) -->\n.*?<!-- /\1 -->", "", text, flags=re.DOTALL)
