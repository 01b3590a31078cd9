"""The user's guide: one Markdown page for each topic, in the order of `ORDER`.

Every page begins with a title (`# Training`) and a paragraph that sums it up. GitHub shows the pages as they are;
`nnfs guide` shows them in a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

ORDER = (
    "first-steps", "tables", "audit", "config", "components", "training", "tracking", "report", "doctor",
    "evaluation", "tuning", "predictions", "explain", "export", "serving", "runs", "guarantees", "accuracy", "speed",
    "python",
    "scikit-learn", "keras", "extending", "learning", "trace", "inside", "glossary",
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """A line of the guide that a search found, with the heading above it."""

    topic: str
    heading: str
    number: int
    text: str


def topics() -> list[str]:
    """Return the topics in reading order; pages that `ORDER` does not list come last."""
    found = {file.name.removesuffix(".md") for file in files(__package__).iterdir() if file.name.endswith(".md")}
    return [*(topic for topic in ORDER if topic in found), *sorted(found - {*ORDER})]


def page(topic: str) -> str:
    """Return the Markdown of a topic."""
    return (files(__package__) / f"{topic}.md").read_text(encoding="utf-8")


def title(topic: str) -> str:
    """Return the title of a topic's page."""
    return _heading(page(topic).partition("\n")[0]) or topic


def summary(topic: str) -> str:
    """Return the first sentence below the title of a topic's page, without Markdown and "This page is about"."""
    paragraphs = (block for block in re.split(r"\n\s*\n", page(topic)) if block[:1].isalnum() or block[:1] in "`*[")
    first = " ".join(next(paragraphs, "").split())
    sentence = _plain(re.split(r"(?<=[.!?]) (?=[A-Z`])", first)[0])
    short = re.sub(r"^This page (is (about )?)?", "", sentence)
    return short[:1].upper() + short[1:]


def search(text: str) -> list[Hit]:
    """Return every line of the guide with words that begin with `text`; if there is none, with all words of `text`.

    Case is ignored. If no single line has all words, the lines of a paragraph that has them are returned.
    """
    words = text.casefold().split()
    lines = [(hit, block, " ".join(hit.text.casefold().split())) for hit, block in _lines()]
    phrase, each = _at_word_start(" ".join(words)), [_at_word_start(word) for word in words]
    if found := [hit for hit, _, line in lines if phrase.search(line)]:
        return found
    if found := [hit for hit, _, line in lines if all(word.search(line) for word in each)]:
        return found
    blocks: dict[int, str] = {}
    for _, block, line in lines:
        blocks[block] = f"{blocks.get(block, '')} {line}"
    whole = {block for block, content in blocks.items() if all(word.search(content) for word in each)}
    return [hit for hit, block, line in lines if block in whole and any(word.search(line) for word in each)]


def _at_word_start(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(text)}" if text[:1].isalnum() else re.escape(text))


def _lines() -> Iterator[tuple[Hit, int]]:
    """Yield every line of the guide but comments, with the number of its paragraph."""
    block = 0
    for topic in topics():
        heading, fenced = topic, False
        for number, line in enumerate(page(topic).splitlines(), 1):
            fenced ^= line.startswith("```")
            heading = (not fenced and _heading(line)) or heading
            block += not line.strip()
            if not line.startswith("<!--"):
                yield Hit(topic, heading, number, line.strip()), block
        block += 1


def _heading(line: str) -> str:
    """Return the text of a Markdown heading, or the empty string."""
    match = re.fullmatch(r"#{1,6} (.+?) *#*", line)
    return _plain(match[1]) if match else ""


def _plain(text: str) -> str:
    """Remove the marks of links, code and emphasis."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text).replace("`", "").replace("**", "")
