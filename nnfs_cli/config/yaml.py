"""Read YAML as plain values with their positions, and write plain values as YAML.

Scalars follow the core schema of YAML 1.2: ``1e-3`` is a number, ``no`` and ``off`` are texts. Everything that a config
does not need but an attacker could use is refused: tags, anchors, aliases, merge keys, second documents, more than
1 MB, more than 20 levels and more than 50,000 values.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_VALUES = 50_000  # including keys
MAX_DIGITS = 100  # in one number

Path = tuple[str | int, ...]  # the keys and indices that lead to a value


@dataclass(frozen=True)
class Position:
    """The position of a value or key: line and column, counted from 1, and its length on that line.

    `end` is the line and column behind it; behind a block that is not in brackets, it is where the next one begins.
    """

    line: int
    column: int
    length: int = 1
    end: tuple[int, int] = (0, 0)


@dataclass
class Positions:
    """The positions of all values and keys of a text."""

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)


class YamlError(Exception):
    """The text is not plain YAML. `position` is None where it is unknown."""

    def __init__(self, message: str, position: Position | None = None) -> None:
        super().__init__(message)
        self.position = position


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with the scalars of YAML 1.2. It stops at the first thing that is not plain YAML."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._documents = self._depth = self._values = 0

    def get_event(self) -> Any:
        event = super().get_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise YamlError("a second document begins here; a config has only one", _mark(event.start_mark, 3))
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError("a config cannot use anchors and aliases; write the value out", _mark(event.start_mark))
        elif getattr(event, "tag", None):
            raise YamlError("a config cannot use tags", _mark(event.start_mark))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            self._values += 1
            if self._values > MAX_VALUES:
                raise YamlError(f"a config has at most {MAX_VALUES:,} values", _mark(event.start_mark))
            self._depth += isinstance(event, yaml.CollectionStartEvent)
            if self._depth > MAX_DEPTH:
                raise YamlError(f"a config is nested at most {MAX_DEPTH} levels deep", _mark(event.start_mark))
        return event


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer without aliases. It quotes every text that the reader above would not read as a text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, text: str) -> yaml.ScalarNode:
        # Unless it is quoted, a line end is lost or takes several lines, and a quotation mark confuses some readers.
        style = '"' if re.search("[\n\r\x85\u2028\u2029'\"]", text) else None
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
    """Return the value of a YAML text, with tuples for lists, and the positions of its parts. An empty text is None.

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
            mark = error.context_mark  # where it began is more helpful than where the text ends
        raise YamlError(f"not valid YAML: {problem}", _mark(mark)) from None
    except (ValueError, OverflowError):  # PyYAML does not check the number of an escape
        mark = loader.get_mark() if loader else None
        raise YamlError("not valid YAML: this escape is not a character", _mark(mark)) from None
    positions = Positions()
    return (None if node is None else _plain(node, (), positions)), positions


def dump(data: object) -> str:
    """Return plain values as YAML in block style, which `read` turns back into the same values.

    Raises `YamlError` if they exceed the limits of a config.
    """
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)
    if _values(data) > MAX_VALUES or len(text.encode()) > MAX_BYTES:
        raise YamlError(f"a config has at most {MAX_VALUES:,} values and {MAX_BYTES:,} bytes")
    if _depth(data) > MAX_DEPTH:
        raise YamlError(f"a config is nested at most {MAX_DEPTH} levels deep")
    return text


def _values(data: object) -> int:
    match data:
        case dict():
            return 1 + len(data) + sum(map(_values, data.values()))
        case list() | tuple():
            return 1 + sum(map(_values, data))
        case _:
            return 1


def _depth(data: object) -> int:
    match data:
        case dict():
            return 1 + max(map(_depth, data.values()), default=0)
        case list() | tuple():
            return 1 + max(map(_depth, data), default=0)
        case _:
            return 0


def dump_value(value: object) -> str:
    """Return one plain value as YAML on a single line, with escapes if a character cannot be seen and copied."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)  # the same text, much sooner

    def dumped(allow_unicode: bool) -> str:
        text: str = yaml.dump(
            [value],
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=allow_unicode,
            default_flow_style=True,
            width=1_000_000,
        )
        return text.strip()[1:-1]

    text = dumped(allow_unicode=True)
    return text if text.isprintable() else dumped(allow_unicode=False)


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
                    raise YamlError("a key must be a plain text, not a list or a block", position)
                key = _text(key_node)
                if key in mapping:
                    raise YamlError(f"the key '{key}' is given twice", position)
                positions.keys[(*path, key)] = position
                mapping[key] = _plain(child, (*path, key), positions)
            return mapping
        case yaml.ScalarNode():
            return _scalar(node)


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text = _text(node)
    kind = node.tag.rpartition(":")[2]
    if kind in ("int", "float") and len(text) > MAX_DIGITS:
        raise YamlError(f"this number is too long; the maximum is {MAX_DIGITS} digits", _position(node))
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
        raise YamlError("this escape is only half of a character", _position(node))
    return text


def _position(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    length = end.column - start.column if start.line == end.line else MAX_BYTES  # to the end of the line
    return Position(start.line + 1, start.column + 1, max(length, 1), (end.line + 1, end.column + 1))


def _mark(mark: Any, length: int = 1) -> Position | None:
    return Position(mark.line + 1, mark.column + 1, length) if mark else None


def _at(text: str, position: int) -> Position:
    before = text[:position]
    return Position(before.count("\n") + 1, position - before.rfind("\n"))
