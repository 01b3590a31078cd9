"""Write SVG elements: every text and every attribute is escaped."""

from __future__ import annotations

from html import escape

from nnfs_cli.arrays import Array
from nnfs_cli.system.wording import in_a_line

FONT, TITLE = 12, 14  # pixels
WIDTHS = {"narrow": 0.32, "wide": 0.9}  # of a letter, as a share of the size of the font
MIDDLE = 0.58


def element(tag: str, content: str = "", /, **attributes: object) -> str:
    """Return an element. `content` is SVG already; attributes of None are left out, `class_` is written as `class`.

    >>> element("circle", r=3, stroke_width=2)
    '<circle r="3" stroke-width="2"/>'
    """
    shown = "".join(
        f' {name if name == "viewBox" else name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{shown}>{content}</{tag}>" if content else f"<{tag}{shown}/>"


def _attribute(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return escaped(value) if isinstance(value, str) else str(value)


def text(x: float, y: float, content: str, anchor: str = "start", **attributes: object) -> str:
    """Return a text whose start, middle or end is at a point."""
    anchors = {} if anchor == "start" else {"text_anchor": anchor}
    return element("text", escaped(content), x=round(x, 1), y=round(y, 1), **anchors, **attributes)


def picture(title: str, description: str, content: str, width: float, height: float, **attributes: object) -> str:
    """Return a whole picture with its title above the content, and the description as the text alternative."""
    shown = shortened(title, width, TITLE + 1)
    head = [
        element("title", escaped(title)),
        element("desc", escaped(description)),
        text(0, 19, shown, class_="ch-title", font_size=TITLE, font_weight=600),
    ]
    return element(
        "svg",
        "".join([*head, content]),
        class_="chart",
        role="img",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        font_size=FONT,
        fill="currentColor",
        **attributes,
    )


def escaped(content: str) -> str:
    """Return a text for SVG or HTML, on one line: markup and control characters are shown, not obeyed."""
    return escape(in_a_line(content))


def polyline(x: Array, y: Array) -> str:
    """Return the path through points; it ends in a line of no length, so that a single point shows, too."""
    return "M" + " ".join(f"{a:g},{b:g}" for a, b in zip(x.tolist(), y.tolist(), strict=True)) + "h0"


def text_width(content: str, size: float = FONT) -> float:
    """Return about how many pixels a text is wide; rather too many."""
    narrow = sum(c in " .,:;|!'()[]ijlt-" for c in content)
    wide = sum(c in "mwMW@%" or ord(c) > 0x2E80 for c in content)
    shares = WIDTHS["narrow"] * narrow + WIDTHS["wide"] * wide + MIDDLE * (len(content) - narrow - wide)
    return size * shares


def shortened(content: str, width: float, size: float = FONT) -> str:
    """Return the text, or as much of its beginning as fits into a width, with an ellipsis.

    >>> shortened("a name that is too long", 80)
    'a name that…'
    """
    content = in_a_line(content)
    if text_width(content, size) <= width:
        return content
    kept = content[: max(1, int(width / (size * WIDTHS["narrow"])))]
    while len(kept) > 1 and text_width(f"{kept}\u2026", size) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}\u2026"
