"""`nnfs guide`: read the user's guide in the terminal."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated

import typer

from nnfs_cli import guide as pages
from nnfs_cli.cli.commands import NAMES, function_of
from nnfs_cli.cli.completion import complete_topic
from nnfs_cli.cli.help import MANUALS, manual
from nnfs_cli.cli.terminal import styled, suggest, width_of
from nnfs_cli.display.text import fold
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import did_you_mean

WIDEST = 100  # columns; longer lines of prose are hard to read


@manual("nnfs guide training", "nnfs guide --search 'learning rate'", guide="first-steps")
def guide(
    topic: Annotated[
        str | None,
        typer.Argument(metavar="TOPIC", help="Page to read.", autocompletion=complete_topic),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", "-s", metavar="TEXT", help="List the lines that contain TEXT.")
    ] = None,
) -> None:
    """Read the guide; without TOPIC, list the topics.

    A page opens in the pager of the terminal. In a pipe it is printed as Markdown.
    """
    if topic is not None:
        topic = _resolve(topic)
    if search is not None:
        _print_hits(search, topic)
    elif topic is None:
        _print_topics()
    elif sys.stdout.isatty():
        _page(pages.page(topic))
    else:
        print(pages.page(topic).rstrip("\n"))


def _resolve(topic: str) -> str:
    """Return the topic with this name, else the only one that begins with it, else the topic of the command."""
    topics = pages.topics()
    name = topic.lower().removesuffix(".md").replace("_", "-").replace(" ", "-")
    beginning = [known for known in topics if known.startswith(name)]
    if name in topics or len(beginning) == 1:
        return name if name in topics else beginning[0]
    if name in NAMES:
        function_of(name)  # registers its manual
        return MANUALS[name].guide
    hint = did_you_mean(name, topics) or "; `nnfs guide` lists the topics"
    raise UserError(f"the guide has no topic '{topic}'{hint}")


def _print_topics() -> None:
    """Print a line for each topic: its name and what its page is about."""
    topics = pages.topics()
    left, width = max(map(len, topics), default=0), width_of(sys.stdout)
    for topic in topics:
        first, *others = fold(pages.summary(topic), min(width - 1, WIDEST) - left - 2 if width else 10_000)
        print(f"{styled('label', topic, sys.stdout)}{' ' * (left - len(topic))}  {first}")
        for line in others:
            print(" " * (left + 2) + line)
    suggest("nnfs guide TOPIC, or nnfs guide --search TEXT")


def _print_hits(text: str, topic: str | None) -> None:
    """Print the topic, the heading and the text of each line that contains the text."""
    hits = [hit for hit in pages.search(text) if topic in (None, hit.topic)]
    if not hits:
        where = f"the topic '{topic}'" if topic else "the guide"
        raise UserError(f"{where} does not contain '{text}'")
    above = ""
    for hit in hits:
        place = f"{hit.topic}: {hit.heading}"
        if place != above:
            print(styled("label", place, sys.stdout))
        above = place
        width = width_of(sys.stdout)
        shown = hit.text if width is None or len(hit.text) < width - 8 else f"{hit.text[: width - 12]} ..."
        print(f"{hit.number:>5}  {shown}")
    suggest(f"nnfs guide {hits[0].topic}")


def _page(text: str) -> None:
    """Show Markdown in the pager of the terminal, with styles if the pager can show them."""
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    os.environ.setdefault("LESS", "-RFX")
    theme = Theme({"markdown.code": "bold cyan", "markdown.h2": "bold", "markdown.h3": "bold italic"})
    # A line that ends at the edge of the terminal may continue on the next one, so the last column stays empty.
    console = Console(width=min((width_of(sys.stdout) or 80) - 1, WIDEST), highlight=False, theme=theme)
    with console.pager(styles=os.environ.get("TERM") != "dumb"):
        console.print(Markdown(_for_terminal(text), code_theme="ansi_dark", hyperlinks=False))


def _for_terminal(text: str) -> str:
    """Remove comments and pictures from Markdown, and let links to other pages name the command that shows them."""
    blocks = re.split(r"(?ms)(^```.*?^```$)", text)
    for i in range(0, len(blocks), 2):  # between blocks of code
        prose = re.sub(r"(?s)<!--.*?-->\n?", "", blocks[i])
        prose = re.sub(r"!\[[^\]]*\]\([^)]*\)\n?", "", prose)
        prose = re.sub(r"\[([^\]]+)\]\(([\w-]+)\.md(?:#[^)]*)?\)", r"\1 (`nnfs guide \2`)", prose)
        blocks[i] = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", prose)
    return "".join(blocks)
