"""YAML as plain values, and where each of them stands.

The scalars are those of YAML 1.2's core schema: ``1e-3`` is a number, ``no`` and ``off`` are words. What a config has
no use for and an attacker has, is refused: tags, anchors, aliases, merge keys, second documents, more than 1 MB, more
than 20 levels, more than 50,000 values.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_VALUES = 50_000  # keys count, too
MAX_DIGITS = 100  # of a number

Path = tuple[str | int, ...]  # the keys and indices that lead to a value


@dataclass(frozen=True)
class Position:
    """A stretch of one line of a text; line and column count from 1."""

    line: int
    column: int
    length: int = 1


@dataclass
class Positions:
    """Where each value and each key of a text stands."""

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)


class YamlError(Exception):
    """The text is not plain YAML: says why and, where known, at which position."""

    def __init__(self, message: str, position: Position | None = None) -> None:
        super().__init__(message)
        self.position = position


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with the scalars of YAML 1.2, which refuses what is not plain as soon as it comes to it."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._documents = self._depth = self._values = 0

    def get_event(self) -> Any:
        event = super().get_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise YamlError("a second document begins here; a config is one", _mark(event.start_mark, 3))
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError("anchors and aliases are not used in a config; write it out", _mark(event.start_mark))
        elif getattr(event, "tag", None):
            raise YamlError("tags are not used in a config", _mark(event.start_mark))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            self._values += 1
            if self._values > MAX_VALUES:
                raise YamlError(f"a config has at most {MAX_VALUES:,} values", _mark(event.start_mark))
            self._depth += isinstance(event, yaml.CollectionStartEvent)
            if self._depth > MAX_DEPTH:
                raise YamlError(f"nested more than {MAX_DEPTH} levels deep", _mark(event.start_mark))
        return event


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, which quotes what the reader above would take for something else, and writes no aliases."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, text: str) -> yaml.ScalarNode:
        # Line ends that only YAML 1.1 knows would be folded away, unless they are escaped.
        style = '"' if re.search("[\x85\u2028\u2029]", text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.text)
for _class in (_Loader, _Dumper):
    for _tag, _pattern, _first in (
        ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
        ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
    ):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def read(source: bytes) -> tuple[Any, Positions]:
    """The value that a text holds, with tuples for lists, and the positions of its parts. None where there is nothing.

    Raises `YamlError`.
    """
    text = _decode(source)
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        raise YamlError(
            f"the character #x{error.character:04x} is not allowed in YAML", _at(text, error.position)
        ) from None
    except yaml.MarkedYAMLError as error:
        problem = " ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark
        if error.context_mark and (mark is None or mark.index >= len(text.rstrip()) or "could not find" in problem):
            mark = error.context_mark  # where it began tells more than where the text ends
        raise YamlError(f"not valid YAML: {problem}", _mark(mark)) from None
    except (ValueError, OverflowError):  # PyYAML does not look at how large a number an escape gives
        mark = loader.get_mark() if loader else None
        raise YamlError("not valid YAML: an escape that is no character", _mark(mark)) from None
    positions = Positions()
    return (None if node is None else _plain(node, (), positions)), positions


def dump(data: object) -> str:
    """Plain values as a text in block style that reads back as the same values.

    Raises `YamlError` where they are more than can be read.
    """
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)
    if _values(data) > MAX_VALUES or len(text.encode()) > MAX_BYTES:
        raise YamlError(f"a config has at most {MAX_VALUES:,} values and {MAX_BYTES:,} bytes")
    return text


def _values(data: object) -> int:
    match data:
        case dict():
            return 1 + len(data) + sum(map(_values, data.values()))
        case list() | tuple():
            return 1 + sum(map(_values, data))
        case _:
            return 1


def dump_value(value: object) -> str:
    """One plain value as it would stand behind a key, in a single line."""
    return yaml.dump([value], Dumper=_Dumper, default_flow_style=True, width=1_000_000).strip()[1:-1]


def _decode(source: bytes) -> str:
    if len(source) > MAX_BYTES:
        raise YamlError(f"a config is at most {MAX_BYTES:,} bytes long")
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise YamlError("this is UTF-16; save the file as UTF-8", Position(1, 1))
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8-sig")
        raise YamlError("this is not UTF-8; save the file with that encoding", _at(before, len(before))) from None


def _plain(node: yaml.Node, path: Path, positions: Positions) -> Any:
    positions.values[path] = _position(node)
    match node:
        case yaml.SequenceNode():
            return tuple(_plain(child, (*path, i), positions) for i, child in enumerate(node.value))
        case yaml.MappingNode():
            mapping: dict[str, Any] = {}
            for key_node, child in node.value:
                position = _position(key_node)
                if not isinstance(key_node, yaml.ScalarNode):
                    raise YamlError("a key is a single word", position)
                key = _text(key_node)
                if key in mapping:
                    raise YamlError(f"the key '{key}' stands here a second time", position)
                positions.keys[(*path, key)] = position
                mapping[key] = _plain(child, (*path, key), positions)
            return mapping
        case yaml.ScalarNode():
            return _scalar(node)


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text = _text(node)
    kind = node.tag.rpartition(":")[2]
    if kind in ("int", "float") and len(text) > MAX_DIGITS:
        raise YamlError(f"this number is too long; {MAX_DIGITS} digits are the most", _position(node))
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            return text


def _text(node: yaml.ScalarNode) -> str:
    text: str = node.value
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise YamlError("an escape that is half a character", _position(node))
    return text


def _position(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    length = end.column - start.column if start.line == end.line else MAX_BYTES  # to the end of the line
    return Position(start.line + 1, start.column + 1, max(length, 1))


def _mark(mark: Any, length: int = 1) -> Position | None:
    return Position(mark.line + 1, mark.column + 1, length) if mark else None


def _at(text: str, position: int) -> Position:
    before = text[:position]
    return Position(before.count("\n") + 1, position - before.rfind("\n"))
