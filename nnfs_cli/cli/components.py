"""`nnfs components`: what a config can name, from the declarations themselves."""

from __future__ import annotations

import inspect
import itertools
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from nnfs_cli.cli.options import Code, load
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import did_you_mean

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from nnfs_cli.components.component import Component
    from nnfs_cli.components.section import Section

SETTINGS = ("setting", "default", "allowed", "what it is")
# Any other families follow.
ORDER = (
    "layer", "initializer", "loss", "optimizer", "schedule", "averaging", "metric", "dataset", "preprocessing step",
)  # fmt: skip


def components(
    name: Annotated[
        str | None, typer.Argument(help="A family, as layers, or a component, as linear; config, or one of its blocks.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the tables of the README.")] = False,
    code: Code = None,
) -> None:
    """List what a config can name: layers, losses, data sets and the rest."""
    load(code)
    families = _families()
    sections: list[tuple[str, type[Section]]] = [
        *((member.name, member) for family in families.values() for member in family.registered.values()),
        *_blocks().items(),
    ]
    lists = [
        (_markdown_list if markdown else _list)(heading, family)
        for heading, family in families.items()
        if name in (None, family.family, heading, heading.split()[0])
    ]
    pages = [(_markdown_page if markdown else _page)(word, section) for word, section in sections if word == name]
    if not (lists or pages):
        hint = did_you_mean(str(name), [*dict(sections), *families])
        raise UserError(f"there is no component '{name}'{hint or '; nnfs components lists them all'}")
    print("\n\n\n".join(["\n\n".join(lists)] * bool(lists) + pages))


def _families() -> dict[str, type[Component]]:
    """Each by the heading of its list."""
    import nnfs_cli.config.config  # noqa: F401 - registers them all
    from nnfs_cli.components.component import Component
    from nnfs_cli.system.wording import plural

    families = {**dict.fromkeys(ORDER), **Component.families}
    return {plural(name): family for name, family in families.items() if family and family.registered}


def _blocks() -> dict[str, type[Section]]:
    """The config, and those of its keys that hold settings and are no components."""
    from nnfs_cli.components.component import Component
    from nnfs_cli.components.section import Section
    from nnfs_cli.config.config import Config

    blocks: dict[str, type[Section]] = {"config": Config}
    for key, field in Config.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section) and not issubclass(kind, Component):
                blocks[key] = kind
    return blocks


def _list(heading: str, family: type[Component]) -> str:
    rows = [(f"  {name}", member.summary()) for name, member in sorted(family.registered.items())]
    return f"{heading}\n{_table(rows)}"


def _markdown_list(heading: str, family: type[Component]) -> str:
    rows = [("name", "settings", "what it is")]
    for name, member in sorted(family.registered.items()):
        fields = member.model_fields.items()
        settings = ", ".join(key if field.is_required() else f"{key}: {_default(field)}" for key, field in fields)
        rows.append((f"`{name}`", f"`{settings}`" if settings else "", member.summary()))
    return f"**{heading}**\n\n{_markdown_table(rows)}"


def _page(name: str, section: type[Section]) -> str:
    """What it computes, its settings, examples."""
    parts = [f"{name} ({getattr(section, 'family', 'settings')})", _prose(inspect.getdoc(section) or "")]
    if rows := _settings(section):
        parts.append(_table([SETTINGS, *rows]))
    if examples := getattr(section, "examples", ()):
        parts.append("\n".join(["examples", *(f"  {example}" for example in examples)]))
    return "\n\n".join(parts)


def _markdown_page(name: str, section: type[Section]) -> str:
    plain = {"required": "required", "null": ""}
    rows = [(f"`{key}`", plain.get(default, f"`{default}`"), *others) for key, default, *others in _settings(section)]
    return _markdown_table([SETTINGS, *rows])


def _settings(section: type[Section]) -> list[tuple[str, ...]]:
    from nnfs_cli.cli.words import in_words
    from nnfs_cli.config.json_schema import setting_schema

    texts = section.descriptions()
    return [
        (key, _default(field), in_words(setting_schema(field)), texts.get(key, ""))
        for key, field in section.model_fields.items()
    ]


def _default(field: FieldInfo) -> str:
    from nnfs_cli.config.json_schema import default_of
    from nnfs_cli.config.yaml import dump_value

    return "required" if field.is_required() else dump_value(default_of(field))


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns, each folded within itself; the last one takes what is left of the width."""
    widths = [min(max(map(len, column)), _width() // 3) for column in zip(*rows, strict=True)]
    widths[-1] = max(_width() - sum(width + 2 for width in widths[:-1]), 20)
    lines = []
    for row in rows:
        cells = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            lines.append("  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip())
    return "\n".join(lines)


def _prose(text: str) -> str:
    """Folded where it is too wide. Only a line that ends a sentence ends there too."""
    if max(map(len, text.splitlines()), default=0) <= _width():
        return text
    text = re.sub(r"(?<=[^.\n])\n(?=[^\n ])", " ", text)
    return "\n".join("\n".join(_fold(line, _width())) for line in text.splitlines())


def _fold(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]


def _width() -> int:
    """That of the terminal; what goes elsewhere is left whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
