"""What a JSON Schema allows, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_cli.components.field_types import MAX_INT
from nnfs_cli.system.wording import listing, plural

NOUNS = {"integer": "whole number", "number": "number", "string": "text", "object": "block of settings"}
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def in_words(schema: dict[str, Any]) -> str:
    """As in "a number, at least 0 and below 1". That null stands for nothing goes without saying."""
    match schema:
        case {"anyOf": _}:
            words = list(dict.fromkeys(in_words(choice) for choice in _choices(schema)))
            return ", or ".join(words) if any("," in word for word in words) else listing(words, "or")
        case {"enum": [*values]}:
            return listing(map(str, values), "or")
        case {"const": value}:
            return str(value)
        case {"named": "switch"}:
            return "true or false"
        case {"type": [*kinds]}:
            return in_words({"anyOf": [{**schema, "type": kind} for kind in kinds]})
        case {"type": "array", "items": {"enum": _} as items}:
            return f"a list of {in_words(items)}"
        case {"type": "array", "items": items}:
            return f"a list of {_noun(items, many=True)}"
        case _:
            return _noun(schema)


def _choices(schema: dict[str, Any], blocks: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Those that are not null, of choices within choices; a block of settings stands in "$defs" by its name."""
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
    noun = schema.get("family") or schema.get("format") or NOUNS[schema.get("type", "object")]
    if schema.get("maxLength") == 1:
        noun = "character"
    if noun == "whole number" and "exclusiveMinimum" in schema:
        schema = {**schema, "minimum": schema["exclusiveMinimum"] + 1}
        del schema["exclusiveMinimum"]
    given = {key: bound for key, bound in BOUNDS.items() if schema.get(key, MAX_INT) != MAX_INT}
    bounds = " and ".join(f"{bound} {schema[key]:.15g}" for key, bound in given.items())
    words = plural(noun) if many else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    return f"{words}, {'each ' * many}{bounds}" if bounds else words
