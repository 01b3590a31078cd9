"""Fill a template into the one base page: self-contained, with a policy that lets it load and run nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nnfs_cli.charts.svg import escaped
from nnfs_cli.system.wording import in_a_line

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STYLE = "page.css"
COMMAND = re.compile("`(nnfs [^`]*)`")
MADE_BY = '<meta name="generator" content="nnfs">'  # in every page, near its beginning
HALVES = range(0xD800, 0xE000)  # of pairs of UTF-16, which no file in UTF-8 holds
UNSAFE = {c: f"\\u{c:04x}" for c in [*map(ord, "<>&\u2028\u2029"), *HALVES]}  # in JSON: no markup can begin


def page(
    title: str,
    template: str,
    scripts: Sequence[str] = (),
    styles: Sequence[str] = (),
    connects: bool = False,
    early: Sequence[str] = (),
    folder: Path = TEMPLATES,
    **values: object,
) -> str:
    """Return a page of HTML made from a file in a folder, by default `report/templates/`, which extends `base.html`.

    `scripts` are files in that folder; they run in this order when the page is read, and those of `early` before
    anything is shown. `styles` are style sheets there that add to that of all pages. With `connects`, scripts may ask
    the server of the page.
    `values` are the variables of the template. Texts in them are escaped. Charts are shown as pictures.
    """
    style = _source(TEMPLATES / STYLE) + "".join(_source(folder / name) for name in styles)
    first, codes = ([_source(folder / name) for name in names] for names in (early, scripts))
    policy = "; ".join(
        [
            "default-src 'none'",
            "script-src " + (" ".join(map(_hash, [*first, *codes])) or "'none'"),
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            *(["connect-src 'self'"] if connects else []),
        ]
    )
    own = {"title": title, "made_by": MADE_BY, "policy": policy, "style": style, "scripts": codes, "early": first}
    return _environment(folder).get_template(template).render(**own, **values)


def json_text(value: object) -> str:
    r"""Return a value as JSON that is safe inside of a script element: no markup can begin in it.

    >>> json_text({"name": "</script>"})
    '{"name": "\\u003c/script\\u003e"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(UNSAFE)


class Prose:
    """A sentence for a template, in which a command such as `nnfs evaluate`, between backticks, looks like code."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __html__(self) -> str:
        """Return the sentence. Backticks around anything else stay, since they may come from data."""
        parts = [escaped(part) for part in COMMAND.split(self._text)]
        return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


@cache
def _environment(folder: Path) -> Environment:
    """Return the environment that compiles the templates of a folder."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader([folder, TEMPLATES]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_in_a_line,
    )
    environment.globals["json_block"] = JsonBlock
    environment.filters["prose"] = Prose
    return environment


class JsonBlock:
    """Data for the scripts of a page: a template prints it as a script element of this id that holds JSON."""

    def __init__(self, id: str, value: object) -> None:
        self._id, self._text = id, json_text(value)

    def __html__(self) -> str:
        """Return the element."""
        return f'<script type="application/json" id="{escaped(self._id)}">{self._text}</script>'


@cache
def _source(path: Path) -> str:
    """Return a style sheet or a script, as it stands between its tags."""
    return "\n" + path.read_text(encoding="utf-8")


def _in_a_line(value: object) -> object:
    """Return what a template prints: a text from data stands on one line, with control characters shown."""
    return in_a_line(value) if type(value) is str else value


def _hash(source: str) -> str:
    """Return the hash of a style sheet or a script, as a Content-Security-Policy names it."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"
