"""The JSON Schema of a config: with it an editor completes, explains and checks what one types.

It says what the declarations say: what `Config.load` accepts is valid, and what is wrong with one value is not.
What only shows when several values are seen together is left to `Config.load`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import ModelSchema

from nnfs_cli.components.component import Component
from nnfs_cli.components.section import Section
from nnfs_cli.config.config import Config

Schema = dict[str, Any]


def config_schema() -> Schema:
    """The whole of it, in draft 2020-12, with one definition for each family that a config can name."""
    definitions: Schema = {}

    def linked(node: Any) -> Any:
        """The same, with references to what is defined once. A family is defined when it is first met."""
        match node:
            case {"family": str(family), **rest}:
                key = family.replace(" ", "_")
                if key not in definitions:
                    definitions[key] = {}  # it is met from here on, for it may hold itself
                    definitions[key] = linked(_family(Component.families[family]))
                return {**rest, "$ref": f"#/$defs/{key}"}
            case {"named": str(name), **rest}:
                about = {word: rest.pop(word) for word in ("description", "default") if word in rest}
                definitions[name] = rest
                return {**about, "$ref": f"#/$defs/{name}"}
            case {"$defs": dict(blocks), **rest}:
                definitions.update(linked(blocks))
                return linked(rest)
            case {"anyOf": [*choices], **rest}:
                return {**rest, **_merged([linked(choice) for choice in choices])}
            case dict():
                return {key: linked(value) for key, value in node.items()}
            case list():
                return [linked(entry) for entry in node]
            case _:
                return node

    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    spec = _section(Config)
    spec["required"] = [key for key in spec["required"] if key not in Config.FILLED]
    return {**head, **linked(spec), "$defs": definitions}


def setting_schema(field: FieldInfo) -> Schema:
    """What a setting may be; a family stands there by its name."""
    return TypeAdapter(field.rebuild_annotation()).json_schema(schema_generator=_Generator)


def default_of(field: FieldInfo) -> Any:
    """What a setting is unless it is set, in the fewest words of a config."""
    default = field.get_default()
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    found = adapter.dump_python(default, mode="json", exclude_defaults=True)
    if found == {} and isinstance(default, Section) and default.main:
        return default_of(type(default).model_fields[default.main])  # the bare value
    return found


def as_json(schema: Any, step: str = "", newline: str = "\n") -> str:
    """A text with a line for whatever fits on one, and what is inside something indented by `step`."""
    line = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    if len(newline) + len(line) <= 120 or not isinstance(schema, dict | list):
        return line
    inside = newline + step
    if isinstance(schema, dict):
        parts = [f"{json.dumps(key)}:{as_json(value, step, inside)}" for key, value in schema.items()]
    else:
        parts = [as_json(entry, step, inside) for entry in schema]
    return line[0] + inside + f",{inside}".join(parts) + newline + line[-1]


class _Generator(GenerateJsonSchema):
    """pydantic's, but for blocks of settings."""

    def model_schema(self, schema: ModelSchema) -> Schema:
        """Ours, below."""
        return _section(schema["cls"])

    def sort(self, value: Schema, parent_key: str | None = None) -> Schema:
        """In the order of the declarations."""
        return value


def _family(family: type[Component]) -> Schema:
    """The name of a member that needs no settings, or the name of any member and below it its settings."""
    members = dict(sorted(family.registered.items()))
    bare = [name for name, member in members.items() if not _required(member)]
    named = {name: _member(member) for name, member in members.items()}
    one = {"minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    return {"anyOf": [{"enum": bare}, {"type": "object", "properties": named, **one}]}


def _member(member: type[Component]) -> Schema:
    """What stands below its name: nothing at all, where that leaves no question open."""
    if not member.model_fields:
        return {"description": member.summary(), "enum": [None, {}]}
    section = _section(member)
    return section if member.main or _required(member) else {**section, "type": ["object", "null"]}


def _section(section: type[Section]) -> Schema:
    """A block of settings, or the bare value of the main one."""
    fields, texts, required = section.model_fields, section.descriptions(), _required(section)
    values = {key: setting_schema(field) for key, field in fields.items()}
    settings: Schema = {}
    for key, value in values.items():
        about = {"description": texts.get(key), "default": None if key in required else default_of(fields[key])}
        about = {word: found for word, found in about.items() if found is not None}
        settings[key] = about | value | about  # it comes first, and says more than the block of a section
    block: Schema = {"type": "object", "properties": settings, "additionalProperties": False}
    if required:
        block["required"] = required
    if section.main and {section.main}.issuperset(required):
        block = {"anyOf": [_no_block(values[section.main]), block]}
    return {"description": section.summary(), **block}


def _no_block(bare: Schema) -> Schema:
    """A family by its name alone: a block would be taken for the settings."""
    if "anyOf" in bare:
        return {**bare, "anyOf": [_no_block(choice) for choice in bare["anyOf"]]}
    return {**bare, "type": "string"} if "family" in bare else bare


def _required(section: type[Section]) -> list[str]:
    return [key for key, field in section.model_fields.items() if field.is_required()]


def _merged(choices: list[Schema]) -> Schema:
    """Any of the choices. Those of different types are one, so that an error is about the value and not about them."""
    types = [kind for choice in choices for kind in _types(choice)]
    speak_of_all = {"$ref", "anyOf", "const", "enum"}
    distinct = len({kind.replace("integer", "number") for kind in types}) == len(types)
    if distinct and all("type" in choice and not speak_of_all & choice.keys() for choice in choices):
        return {word: value for choice in choices for word, value in choice.items()} | {"type": types}
    return {"anyOf": choices}


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else types
