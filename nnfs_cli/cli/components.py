"""`nnfs components`: list the components of a config, and describe each one from its declaration."""

from __future__ import annotations

import itertools
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from nnfs_cli.cli.completion import complete_component
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Quiet, load
from nnfs_cli.cli.terminal import styled, suggest, width_of
from nnfs_cli.display.text import fold, markdown_table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import did_you_mean, listing, plural

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from nnfs_cli.components.component import Component
    from nnfs_cli.components.section import Section

UNFOLDED = 10_000  # columns; no line is wider
SETTINGS = ("setting", "default", "allowed", "what it is")
NOUNS = {"integer": "whole number", "number": "number", "string": "text", "object": "block of settings"}
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
# The order of the lists; other families follow.
ORDER = (
    "layer", "initializer", "loss", "optimizer", "schedule", "averaging", "callback", "metric", "dataset",
    "parser", "preprocessing step",
)  # fmt: skip


@manual("nnfs components", "nnfs components linear", "nnfs components config", guide="components")
def components(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A family (layers), a component (linear), a block of settings (split), or config for all keys.",
            autocompletion=complete_component,
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """List the layers, losses, optimizers and other components that a config can use.

    With NAME, list the components of a family, or describe one component with its formula, its source and its settings.
    """
    load(code)
    families = _families()
    sections: list[tuple[str, type[Section]]] = [
        *((component.name, component) for family in families.values() for component in family.registered.values()),
        *_blocks().items(),
    ]
    lists = [
        (_markdown_list if markdown else _list)(heading, family)
        for heading, family in families.items()
        if name in (None, family.family, heading, heading.split()[0])
    ]
    pages = [(_markdown_page if markdown else _page)(title, section) for title, section in sections if title == name]
    if not (lists or pages):
        hint = did_you_mean(str(name), [*dict(sections), *families])
        raise UserError(f"there is no component '{name}'{hint or '; nnfs components lists them all'}")
    if len(pages) > 1 and not markdown:
        kinds = [getattr(section, "family", "") or "block of settings" for title, section in sections if title == name]
        print(f"{name} is the name of {listing(f'{_article(kind)} {kind}' for kind in kinds)}\n\n")
    print("\n\n\n".join(["\n\n".join(lists)] * bool(lists) + pages))
    if not pages:
        suggest("nnfs components NAME describes one of them", quiet or markdown)


def _families() -> dict[str, type[Component]]:
    """Return every family of components by the heading of its list."""
    import nnfs_cli.config.config  # noqa: F401 - registers all components
    from nnfs_cli.components.component import Component

    families = {**dict.fromkeys(ORDER), **Component.families}
    return {plural(name): family for name, family in families.items() if family and family.registered}


def _blocks() -> dict[str, type[Section]]:
    """Return the config, and every block of settings in it that is not a component, by its key."""
    from nnfs_cli.components.component import Component
    from nnfs_cli.components.section import Section
    from nnfs_cli.config.config import Config

    blocks: dict[str, type[Section]] = {"config": Config}
    for key, field in Config.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section) and not issubclass(kind, Component):
                blocks[key] = kind
    return blocks


# Lists and pages


def _list(heading: str, family: type[Component]) -> str:
    rows = [(f"  {name}", component.headline()) for name, component in sorted(family.registered.items())]
    return f"{_title(heading)}\n{_table(rows, _width(UNFOLDED))}"  # one line for each component suits `grep`


def _markdown_list(heading: str, family: type[Component]) -> str:
    rows = [("name", "settings", "what it is")]
    for name, component in sorted(family.registered.items()):
        fields = component.model_fields.items()
        settings = ", ".join(key if field.is_required() else f"{key}: {_default(field)}" for key, field in fields)
        rows.append((f"`{name}`", f"`{settings}`" if settings else "", component.headline()))
    return f"## {heading.capitalize()}\n\n{markdown_table(rows)}"


def _page(name: str, section: type[Section]) -> str:
    """Return the formula and the source of a component, its settings and examples."""
    kind = getattr(section, "family", "settings")
    paragraphs = section.about().split("\n\n")
    about_yaml = "\n\n".join(paragraph for paragraph in paragraphs if not paragraph.startswith(">>>"))
    parts = [f"{_title(name)} ({kind})", _prose(about_yaml)]
    if rows := _settings(section):
        parts.append(_table([SETTINGS, *rows], _width()))
    if examples := getattr(section, "examples", ()):
        parts.append("\n".join([_title("examples"), *(f"  {example}" for example in examples)]))
    return "\n\n".join(parts)


def _markdown_page(name: str, section: type[Section]) -> str:
    plain = {"required": "required", "null": ""}
    rows = [(f"`{key}`", plain.get(default, f"`{default}`"), *others) for key, default, *others in _settings(section)]
    return markdown_table([SETTINGS, *rows])


def _settings(section: type[Section]) -> list[tuple[str, ...]]:
    from nnfs_cli.config.json_schema import setting_schema

    texts = section.descriptions()
    return [
        (key, _default(field), describe_schema(setting_schema(field)), texts.get(key, ""))
        for key, field in section.model_fields.items()
    ]


def _default(field: FieldInfo) -> str:
    from nnfs_cli.config.json_schema import default_of
    from nnfs_cli.config.yaml import dump_value

    return "required" if field.is_required() else dump_value(default_of(field))


# Layout


def _title(text: str) -> str:
    return styled("heading", text, sys.stdout)


def _table(rows: Sequence[Sequence[str]], width: int) -> str:
    """Lay out columns and fold the text of each; the last column takes the rest of the width."""
    limits = [width // 3] if len(rows[0]) == 2 else [width // 4, width // 5, width // 4]
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths = [min(length, max(limit, 8)) for length, limit in zip(longest, [*limits, width], strict=True)]
    widths[-1] = max(width - sum(taken + 2 for taken in widths[:-1]), 20)
    lines = []
    for row in rows:
        cells = [_fold(cell, room) for cell, room in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            first, *others = (f"{part:<{room}}" for part, room in zip(parts, widths, strict=True))
            if row is SETTINGS:
                lines.append(_title("  ".join([first, *others]).rstrip()))
            else:
                lines.append("  ".join([styled("label", first, sys.stdout), *others]).rstrip())
    return "\n".join(lines)


def _prose(text: str) -> str:
    """Fold text that is too wide; keep the line breaks at the ends of sentences, and the items of lists."""
    if max(map(len, text.splitlines()), default=0) <= _width():
        return text
    text = re.sub(r"(?m)^(- .*(?:\n  \S.*)+)", lambda item: item[1].replace("\n  ", " "), text)
    text = re.sub(r"(?<=[^.\n])\n(?=[^\n -])", " ", text)
    folded = (fold(line, _width(), "  " if line.startswith("- ") else "") for line in text.splitlines())
    return "\n".join("\n".join(lines) for lines in folded)


def _fold(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]


def _width(piped: int = 0) -> int:
    """Return the width of the terminal; for a pipe or a file, the given width, else COLUMNS, else 120."""
    columns = os.environ.get("COLUMNS", "")
    return width_of(sys.stdout) or piped or (int(columns) if columns.isdecimal() else 120)


# Allowed values


def describe_schema(schema: dict[str, Any]) -> str:
    """Describe what a JSON Schema allows, as in "a number, at least 0 and below 1"; leave out null."""
    match schema:
        case {"anyOf": _}:
            choices = list(dict.fromkeys(describe_schema(choice) for choice in _choices(schema)))
            return ", or ".join(choices) if any("," in choice for choice in choices) else listing(choices, "or")
        case {"enum": [*values]}:
            return listing(map(str, values), "or")
        case {"const": value}:
            return str(value)
        case {"named": "switch"}:
            return "true or false"
        case {"type": [*kinds]}:
            return describe_schema({"anyOf": [{**schema, "type": kind} for kind in kinds]})
        case {"type": "array", "items": {"enum": _} as items}:
            return f"a list of {describe_schema(items)}"
        case {"type": "array", "items": items}:
            return f"a list of {_noun(items, many=True)}"
        case _:
            return _noun(schema)


def _choices(schema: dict[str, Any], blocks: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Yield all choices except null, including nested ones; "$defs" holds blocks of settings by name."""
    blocks = blocks or schema.get("$defs", {})
    match schema:
        case {"anyOf": [*choices]}:
            for choice in choices:
                yield from _choices(choice, blocks)
        case {"$ref": str(name)}:
            yield from _choices(blocks[name.rpartition("/")[2]], blocks)
        case {"type": "null"}:
            pass
        case _:
            yield schema


def _noun(schema: dict[str, Any], *, many: bool = False) -> str:
    from nnfs_cli.components.field_types import MAX_INT

    noun = schema.get("family") or schema.get("format") or NOUNS[schema.get("type", "object")]
    if schema.get("maxLength") == 1:
        noun = "character"
    if noun == "whole number" and "exclusiveMinimum" in schema:
        schema = {**schema, "minimum": schema["exclusiveMinimum"] + 1}
        del schema["exclusiveMinimum"]
    given = {key: bound for key, bound in BOUNDS.items() if schema.get(key, MAX_INT) != MAX_INT}
    bounds = " and ".join(f"{bound} {schema[key]:.15g}" for key, bound in given.items())
    nouns = plural(noun) if many else f"{_article(noun)} {noun}"
    return f"{nouns}, {'each ' * many}{bounds}" if bounds else nouns


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
