"""The JSON Schema of a config, with which an editor completes, explains and checks what the user types.

It is generated from the declarations of the components. Every config that `Config.load` accepts is valid, and every
fault of a single value is invalid. Faults between several values are left to `Config.load`.
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
from nnfs_cli.system.wording import plural

Schema = dict[str, Any]


def config_schema() -> Schema:
    """Return the schema in draft 2020-12, with one definition for each family of components."""
    definitions: Schema = {}

    def linked(node: Any) -> Any:
        """Return the node with families and shared types replaced by references. Define each when it first occurs."""
        match node:
            case {"family": str(family), **rest}:
                key = family.replace(" ", "_")
                if key not in definitions:
                    definitions[key] = {}  # a family may contain itself, so it must be known before it is expanded
                    definitions[key] = linked(_family(Component.families[family]))
                return {**rest, "$ref": f"#/$defs/{key}"}
            case {"family_by_name": str(family), **rest}:
                return linked({**rest, "named": plural(family), **_by_name(Component.families[family])})
            case {"named": str(name), **rest}:
                about = {word: rest.pop(word) for word in ("description", "default") if word in rest}
                definitions[name] = linked(rest)
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
    root = _section(Config)
    root["required"] = [key for key in root["required"] if key not in Config.FILLED]
    return {**head, **linked(root), "$defs": definitions}


def setting_schema(field: FieldInfo) -> Schema:
    """Return the schema of one setting, in which a family is represented by its name."""
    return TypeAdapter(field.rebuild_annotation()).json_schema(schema_generator=_Generator)


def default_of(field: FieldInfo) -> Any:
    """Return the default of a setting as plain values for a config, as short as possible."""
    default = field.get_default()
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    found = adapter.dump_python(default, mode="json", exclude_defaults=True)
    if found == {} and isinstance(default, Section) and default.main:
        return default_of(type(default).model_fields[default.main])  # the bare value
    return found


def as_json(schema: Any, step: str = "", newline: str = "\n") -> str:
    """Return JSON text in which everything that fits on one line is on one line. `step` is the indentation."""
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
    """pydantic's generator, with blocks of settings described by `_section`."""

    def model_schema(self, schema: ModelSchema) -> Schema:
        """Describe a block of settings."""
        return _section(schema["cls"])

    def sort(self, value: Schema, parent_key: str | None = None) -> Schema:
        """Keep the order of the declarations."""
        return value


def _family(family: type[Component]) -> Schema:
    """Describe a family: the bare name of a component, or a block with one name and its settings."""
    components = dict(sorted(family.registered.items()))
    bare = [name for name, component in components.items() if not _required(component)]
    named = {name: _settings_of(component) for name, component in components.items()}
    single = {"minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    return {"anyOf": [{"enum": bare}, {"type": "object", "properties": named, **single}]}


def _by_name(family: type[Component]) -> Schema:
    """Describe several components of a family: a block with their names and settings, or the name of one."""
    bare, block = _family(family)["anyOf"]
    return {"anyOf": [bare, {**block, "minProperties": 0, "maxProperties": len(family.registered)}]}


def _settings_of(component: type[Component]) -> Schema:
    """Describe what may follow the name of a component: its settings, or nothing if none are required."""
    if not component.model_fields:
        return {"description": component.headline(), "enum": [None, {}]}
    section = _section(component)
    return section if component.main or _required(component) else {**section, "type": ["object", "null"]}


def _section(section: type[Section]) -> Schema:
    """Describe a block of settings, or the bare value of its main setting."""
    fields, texts, required = section.model_fields, section.descriptions(), _required(section)
    values = {key: setting_schema(field) for key, field in fields.items()}
    settings: Schema = {}
    for key, value in values.items():
        about = {"description": texts.get(key), "default": None if key in required else default_of(fields[key])}
        about = {word: found for word, found in about.items() if found is not None}
        settings[key] = about | value | about  # `about` comes first, and wins over the description of a nested section
    block: Schema = {"type": "object", "properties": settings, "additionalProperties": False}
    if required:
        block["required"] = required
    if section.main and {section.main}.issuperset(required):
        block = {"anyOf": [_no_block(values[section.main]), block]}
    return {"description": section.headline(), **block}


def _no_block(bare: Schema) -> Schema:
    """Allow only the bare name of a family, because a block would be read as the settings."""
    if "anyOf" in bare:
        return {**bare, "anyOf": [_no_block(choice) for choice in bare["anyOf"]]}
    return {**bare, "type": "string"} if "family" in bare else bare


def _required(section: type[Section]) -> list[str]:
    return [key for key, field in section.model_fields.items() if field.is_required()]


def _merged(choices: list[Schema]) -> Schema:
    """Allow any of the choices. Merge choices of different types, so that editors explain only one fault."""
    types = [kind for choice in choices for kind in _types(choice)]
    apply_to_all = {"$ref", "anyOf", "const", "enum"}
    distinct = len({kind.replace("integer", "number") for kind in types}) == len(types)
    if distinct and all("type" in choice and not apply_to_all & choice.keys() for choice in choices):
        return {word: value for choice in choices for word, value in choice.items()} | {"type": types}
    return {"anyOf": choices}


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else types
