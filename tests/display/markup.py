"""Read markup that the display wing wrote with a parser that is not ours."""

from __future__ import annotations

from xml.etree import ElementTree


def parsed(markup: str) -> ElementTree.Element:
    """Return the elements of one or more blocks of HTML or SVG, below one root. Malformed markup is an error."""
    return ElementTree.XML(f"<root>{markup}</root>")


def texts(markup: str, tag: str) -> list[str]:
    """Return the text of each element of a kind."""
    return ["".join(element.itertext()) for element in parsed(markup).iter(tag)]
