"""`nnfs guide`: topics, pages in a pipe and on a terminal, and a search."""

from __future__ import annotations

import re

import pytest

from nnfs_cli import guide
from nnfs_cli.cli.guide import _for_terminal
from tests.cli.test_cli import Terminal, imported, posix, terminal  # noqa: F401 - a fixture
from tests.conftest import Nnfs, one_message


def test_the_order_of_the_topics_names_every_page_and_no_other() -> None:
    assert guide.topics() == list(guide.ORDER)


@pytest.mark.parametrize("topic", guide.topics())
def test_a_page_begins_with_a_title_and_a_summary(topic: str) -> None:
    assert guide.page(topic).startswith("# ")
    assert guide.page(topic).startswith(f"# {guide.title(topic)}\n")
    assert 10 < len(guide.summary(topic)) <= 140
    assert not {*"`*[]<>"} & {*guide.summary(topic)}


def test_without_a_topic_it_lists_them(inside: Nnfs) -> None:
    done = inside("guide")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == guide.topics()
    assert done.stderr == "next        nnfs guide TOPIC, or nnfs guide --search TEXT\n"


@pytest.mark.parametrize("topic", guide.topics())
def test_in_a_pipe_a_page_is_its_markdown(topic: str, inside: Nnfs) -> None:
    assert inside("guide", topic).stdout == guide.page(topic).rstrip("\n") + "\n"


@pytest.mark.parametrize(
    ("given", "topic"),
    [("train", "training"), ("First Steps", "first-steps"), ("predict", "predictions"), ("evaluate", "evaluation")],
)
def test_a_topic_goes_by_the_beginning_of_its_name_or_by_a_command(given: str, topic: str, inside: Nnfs) -> None:
    assert inside("guide", given).stdout.startswith(f"# {guide.title(topic)}\n")


@pytest.mark.parametrize(
    ("given", "hint"), [("glosary", "did you mean 'glossary'?"), ("wibble", "`nnfs guide` lists the topics")]
)
def test_an_unknown_topic_gets_advice(given: str, hint: str, inside: Nnfs) -> None:
    assert one_message(inside("guide", given), 2) == f"error: the guide has no topic '{given}'; {hint}\n"


def test_a_search_names_topic_heading_and_line(inside: Nnfs) -> None:
    done = inside("guide", "--search", "Learning  Rate")
    assert done.returncode == 0
    places = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    hits = [line for line in done.stdout.splitlines() if line.startswith(" ")]
    assert all(re.fullmatch(r"[\w-]+: .+", place) for place in places)
    assert {place.partition(":")[0] for place in places} <= set(guide.topics())
    assert len(hits) == len(guide.search("learning rate")) > 1
    assert all("learning rate" in hit.lower() for hit in hits)
    only = inside("guide", "training", "--search", "learning rate").stdout
    assert {line.partition(":")[0] for line in only.splitlines() if not line.startswith(" ")} == {"training"}


def test_a_search_without_a_hit_is_an_error(inside: Nnfs) -> None:
    assert one_message(inside("guide", "-s", "wibble"), 2) == "error: the guide does not contain 'wibble'\n"


@posix
def test_a_terminal_shows_the_page_rendered_and_paged(terminal: Terminal) -> None:  # noqa: F811
    code, shown = terminal("guide", "glossary", PAGER="cat")
    assert code == 0
    assert "\x1b[" in shown
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "Glossary" in text
    assert "\n# " not in text
    assert "<!--" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_links_name_commands_and_pictures_are_left_out() -> None:
    text = (
        "<!-- c -->\nSee [Tables](tables.md#files), [here](#x), [it](https://a.b).\n![a](b.png)\n```\n[a](b.md)\n```\n"
    )
    shown = "See Tables (`nnfs guide tables`), here, [it](https://a.b).\n```\n[a](b.md)\n```\n"
    assert _for_terminal(text) == shown


@pytest.mark.parametrize("words", [["guide"], ["guide", "glossary"], ["guide", "--search", "net"]], ids=" ".join)
def test_the_guide_imports_nothing_slow(words: list[str]) -> None:
    assert not imported(*words) & {"numpy", "scipy", "sklearn", "pyarrow", "yaml", "rich"}
