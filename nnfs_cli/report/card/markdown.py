"""Write blocks of the report as Markdown; charts are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nnfs_cli.display.text import fold
from nnfs_cli.report.blocks import Block, Code, Facts, Folded, Heading, Notice, Rows, Text
from nnfs_cli.system.wording import in_a_line

WIDTH = 100
_CODE = re.compile(r"(`[^`\n]+`)")
# What CommonMark and GitHub obey within a line. An underscore between letters is none of it.
_SPECIAL = re.compile(r"[\\`*\[<|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])|^[#>]|^[+-](?=\s|$)")
_BLOCK = re.compile(r"^(?:[#><|]|:(?=-)|[-+=]+(?=\s|$)|(\d+)(?=[.)](?:\s|$)))")  # begins no paragraph, but a block
_FOLDERS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'\"]+[/\\])+")


def escaped(text: str) -> str:
    r"""Return a text on one line, with the marks of Markdown shown and not obeyed.

    >>> print(escaped("a_b | <c>"))
    a_b \| \<c>
    """
    return _escaped(in_a_line(text).strip())


def prose(text: str) -> str:
    """Return a sentence of ours in lines of about 100 columns; what stands between backticks stays code."""
    parts = _CODE.split(in_a_line(text))
    lines = fold("".join(part if i % 2 else _escaped(part) for i, part in enumerate(parts)), WIDTH)
    return "\n".join(_BLOCK.sub(_shown_mark, line) for line in lines)


def _shown_mark(begin: re.Match[str]) -> str:
    """Return the begin of a line so that it begins no heading, quotation or list."""
    return f"{begin[0]}\\" if begin[1] else f"\\{begin[0]}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def without_folders(text: str) -> str:
    """Return a message with the names of files instead of their absolute paths: a card is passed on.

    >>> without_folders("the data is no longer at /home/ann/houses.csv; put it back")
    'the data is no longer at houses.csv; put it back'
    """
    return _FOLDERS.sub("", text)


def quoted(label: str, text: str) -> str:
    """Return a sentence that stands out, with a word before it."""
    lines = prose(f"{label}: {text}").replace(label, f"**{label}**", 1).splitlines()
    return "\n".join(f"> {line}" for line in lines)


def table(header: Iterable[str], rows: Iterable[Iterable[str]], labels: int = 1) -> str:
    """Return a table, whose first columns `labels` are left-aligned and the others right-aligned."""
    lines = [[escaped(cell) or " " for cell in line] for line in (header, *rows)]
    rule = ["---" if i < labels else "---:" for i in range(len(lines[0]))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return labels with their texts as a list."""
    return "\n".join(f"- **{escaped(label)}:** {escaped(text)}" for label, text in rows)


def paragraphs(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield each block as Markdown, except for pictures and what needs scripts."""
    for block in blocks:
        match block:
            case Text(text):
                yield prose(text)
            case Heading(text):
                yield f"### {escaped(text)}"
            case Facts(rows):
                yield facts(rows)
            case Rows(caption, header, rows, labels):
                yield f"*{escaped(caption)}*"
                yield table(header, rows, labels)
            case Code(text):
                yield f"```sh\n{text}\n```"
            case Notice(_, tag, text):
                yield quoted(tag, without_folders(text))
            case Folded(_, inside):
                yield from paragraphs(inside)
