"""Small pieces of HTML for notebooks: they take the colours of any theme, and escape all text.

Every style is inline, since notebooks drop style sheets from outputs that they do not trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from nnfs_cli.system.wording import in_a_line

CELL = "padding:1px 10px;vertical-align:top"
TABLE = "border-collapse:collapse;margin:4px 0;font-variant-numeric:tabular-nums"
FACTS = "display:grid;grid-template-columns:max-content auto;gap:1px 12px;margin:4px 0;width:auto"
FACT = "float:none;width:auto;margin:0;padding:0"


def escaped(text: str) -> str:
    """Return a text for HTML, on one line: markup and control characters are shown, not obeyed.

    >>> escaped("a < b")
    'a &lt; b'
    """
    return escape(in_a_line(text))


def titled_html(title: str, *blocks: str) -> str:
    """Return blocks of HTML below a title; the title is escaped, the blocks are not."""
    return f'<div><div style="font-weight:600;margin:4px 0">{escaped(title)}</div>{"".join(blocks)}</div>'


def table_html(header: Sequence[str], rows: Iterable[Sequence[str]], labels: int = 1, bold: int | None = None) -> str:
    """Return a table. The first `labels` columns are left-aligned, the others right-aligned; row `bold` is bold."""

    def line(tag: str, cells: Sequence[str], style: str = "") -> str:
        aligns = ["left"] * labels + ["right"] * (len(cells) - labels)
        shown = "".join(
            f'<{tag} style="text-align:{align};{CELL}{style}">{escaped(cell)}</{tag}>'
            for align, cell in zip(aligns, cells, strict=False)
        )
        return f"<tr>{shown}</tr>"

    head = line("th", header, ";border-bottom:1px solid currentColor")
    body = "".join(line("td", cells, ";font-weight:600" if i == bold else "") for i, cells in enumerate(rows))
    return (
        f'<div style="overflow-x:auto"><table style="{TABLE}"><thead>{head}</thead><tbody>{body}</tbody></table></div>'
    )


def facts_html(facts: Iterable[tuple[str, str]]) -> str:
    """Return labels with their texts, as a list of definitions."""
    items = "".join(
        f'<dt style="{FACT};opacity:0.7;font-weight:normal">{escaped(label)}</dt>'
        f'<dd style="{FACT};overflow-wrap:anywhere">{escaped(text)}</dd>'
        for label, text in facts
    )
    return f'<dl style="{FACTS}">{items}</dl>'


def bar_html(share: float, label: str) -> str:
    """Return a bar of which a share between 0 and 1 is filled, with a label beside it."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    return (
        '<div style="display:flex;align-items:center;gap:12px;margin:4px 0">'
        f'<div role="progressbar" aria-valuenow="{percent}" aria-label="{escaped(label)}"'
        ' style="width:200px;height:6px;border:1px solid currentColor;border-radius:4px;opacity:0.7">'
        f'<div style="width:{percent}%;height:100%;background:currentColor"></div></div>'
        f"<span>{escaped(label)}</span></div>"
    )
