"""What a section of a page is made of. Each kind of block has a macro of its name in `templates/blocks.html`.

Texts are escaped by the template, so blocks hold them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

Tone = Literal["good", "bad", "warn", "plain"]


class Picture(Protocol):
    """A picture: a chart or a matrix."""

    def __html__(self) -> str:
        """Return the SVG."""


class Block:
    """A part of a section. `kind` names its macro."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Text(Block):
    """A paragraph; a `soft` one stands back."""

    kind = "text"
    text: str
    soft: bool = False


@dataclass(frozen=True)
class Heading(Block):
    """A heading within a section."""

    kind = "heading"
    text: str


@dataclass(frozen=True)
class Facts(Block):
    """Labels with their texts."""

    kind = "facts"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Figures(Block):
    """A few large numbers, each a value with a label below it."""

    kind = "figures"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Rows(Block):
    """A table. The first `labels` columns hold texts, the others numbers; the rows in `strong` are bold.

    The caption says what the table shows, also to those who do not see it.
    """

    kind = "rows"
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int = 1
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Charts(Block):
    """Charts side by side, each with a sentence below it on what to look for ("": none)."""

    kind = "charts"
    charts: Sequence[tuple[Picture, str]]
    small: bool = False


@dataclass(frozen=True)
class Code(Block):
    """Lines of a file or a terminal; `label` names them for those who do not see them."""

    kind = "code"
    text: str
    label: str


@dataclass(frozen=True)
class Notice(Block):
    """A sentence that stands out, with a word before it, such as "warning"."""

    kind = "notice"
    tone: Tone
    tag: str
    text: str


@dataclass(frozen=True)
class Folded(Block):
    """Blocks that are shown on demand."""

    kind = "folded"
    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Widget(Block):
    """A template of its own, with `values` as its variable `values`, and the scripts that it needs."""

    kind = "widget"
    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    scripts: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading, which the navigation links to. `id` is unique in the page."""

    id: str
    title: str
    blocks: Sequence[Block]

    def scripts(self) -> list[str]:
        """Return the scripts that the blocks need."""
        return _scripts(self.blocks)


def _scripts(blocks: Sequence[Block]) -> list[str]:
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Widget):
            found.extend(block.scripts)
        elif isinstance(block, Folded):
            found.extend(_scripts(block.blocks))
    return found
