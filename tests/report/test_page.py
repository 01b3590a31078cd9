"""The base page: it loads nothing, runs only its own scripts, and shows data as text."""

from __future__ import annotations

import base64
import doctest
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from nnfs_cli.report import page as page_module
from nnfs_cli.report.page import TEMPLATES, JsonBlock, json_text

NAMESPACE = "http://www.w3.org/2000/svg"  # the name of a language; nothing is loaded from there
HOSTILE = "</script><script>alert(1)</script>&\u2028\u2029"


class Tags(HTMLParser):
    """Collects the elements and the texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_a_page_allows_exactly_its_own_style_and_shows_a_hostile_title_as_text() -> None:
    html = page_module.page(HOSTILE, "base.html")
    tags = Tags(html)
    policy = next(attributes["content"] for tag, attributes in tags.found if "http-equiv" in attributes) or ""
    assert policy.startswith("default-src 'none'; script-src 'none'; style-src 'sha256-")
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style is not None
    assert f"'sha256-{digest(style[1])}'" in policy
    assert "script" not in {tag for tag, _ in tags.found}
    assert not any("style" in attributes for _, attributes in tags.found)
    assert any("alert(1)" in text for text in tags.texts)


def test_the_style_loads_nothing() -> None:
    for file in TEMPLATES.iterdir():
        text = file.read_text(encoding="utf-8").replace(NAMESPACE, "")
        assert not re.search(r"https?:|url\(|@import|src=|style=", text), file


@pytest.mark.parametrize("value", [HOSTILE, {"a": [1.5, None, HOSTILE]}, ["<!--", "]]>"]])
def test_data_for_scripts_reads_back_and_holds_no_markup(value: object) -> None:
    text = json_text(value)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value
    assert JsonBlock("data", value).__html__() == f'<script type="application/json" id="data">{text}</script>'


def test_commands_in_sentences_look_like_code_and_other_backticks_stay() -> None:
    sentence = page_module.Prose("try `nnfs check <a>` for `x` & ``")
    assert sentence.__html__() == "try <code>nnfs check &lt;a&gt;</code> for `x` &amp; ``"


def test_the_example_runs() -> None:
    assert doctest.testmod(page_module).failed == 0
