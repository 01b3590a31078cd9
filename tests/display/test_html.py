"""The pieces of HTML: any text stays text, and the colours are those of the theme."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.display.html import bar_html, escaped, facts_html, table_html, titled_html
from nnfs_cli.display.learning_curves import learning_curves
from nnfs_cli.system.wording import in_a_line
from tests.display.markup import parsed, texts

HOSTILE = ["<script>alert(1)</script>", "a & b", "\"'><img onerror=x>", "\x1b[31m\n\u202e", "&lt;"]
TEXTS = st.text(max_size=8) | st.sampled_from(HOSTILE)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(TEXTS, min_size=n, max_size=n), min_size=1, max_size=4)))
def test_the_cells_of_a_table_are_the_given_texts(rows: list[list[str]]) -> None:
    html = table_html(rows[0], rows[1:])
    assert texts(html, "th") == [in_a_line(cell) for cell in rows[0]]
    assert texts(html, "td") == [in_a_line(cell) for row in rows[1:] for cell in row]
    assert len(texts(html, "tr")) == len(rows)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), TEXTS)
def test_the_labels_and_texts_of_facts_are_the_given_ones(facts: list[tuple[str, str]], title: str) -> None:
    html = titled_html(title, facts_html(facts), bar_html(0.5, title))
    assert list(zip(texts(html, "dt"), texts(html, "dd"), strict=True)) == [
        (in_a_line(label), in_a_line(text)) for label, text in facts
    ]
    assert texts(html, "div")[1] == texts(html, "span")[0] == in_a_line(title)


def test_labels_are_on_the_left_and_numbers_on_the_right() -> None:
    cells = parsed(table_html(["a", "b", "c"], [["x", "y", "1"]], labels=2)).iter("td")
    assert [re.match(r"text-align:(\w+)", cell.get("style", ""))[1] for cell in cells] == ["left", "left", "right"]  # type: ignore[index]


@pytest.mark.parametrize(("share", "percent"), [(-1, 0), (0, 0), (0.426, 43), (1, 100), (7, 100)])
def test_a_bar_is_filled_as_far_as_its_share(share: float, percent: int) -> None:
    html = bar_html(share, "epoch 1 of 3")
    assert f'aria-valuenow="{percent}"' in html
    assert f"width:{percent}%" in html


@pytest.mark.parametrize(
    "html",
    [
        titled_html("a", facts_html([("b", "c")])),
        table_html(["a", "b"], [["1", "2"]], bold=0),
        bar_html(0.5, "half"),
        learning_curves([1, 2], [3, 4], [4, 5], 1),
    ],
    ids=["facts", "table", "bar", "curves"],
)
def test_no_colour_is_fixed_and_nothing_is_loaded_or_run(html: str) -> None:
    colours = re.findall(r'(?:color|background|fill|stroke|solid)[:=" ]+([\w#(-]+)', html)
    assert set(colours) <= {"currentColor", "none"}
    assert not re.search(r"#[0-9a-f]{3}|rgb|url\(|src=|href=|<script|<style|\bid=", html)


def test_an_escaped_text_is_safe_in_an_attribute() -> None:
    assert escaped("\"'<>&\n") == "&quot;&#x27;&lt;&gt;&amp;\\n"
