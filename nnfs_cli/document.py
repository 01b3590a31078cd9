"""A YAML file as plain values, and the place of each of them.

The YAML is the 1.2 core schema: ``1e-3`` is a number, ``no`` and ``off`` are words. What a config has no use for and an
attacker has, is refused: tags, anchors, aliases, merge keys, second documents, more than 1 MB, more than 20 levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from nnfs_cli.errors import ConfigError, Fault

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

PlainPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, which quotes what the reader above would take for something else."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


for _class in (_Loader, _Dumper):
    for _tag, _pattern, _first in (
        ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
        ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
    ):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


@dataclass(frozen=True)
class Place:
    """A stretch of one line of a text; line and column count from 1."""

    line: int
    column: int
    length: int


class _RefusedError(Exception):
    """The text is not a config; says why and, where known, at which place."""

    def __init__(self, message: str, mark: Any = None, length: int = 1) -> None:
        super().__init__(message)
        self.place = Place(mark.line + 1, mark.column + 1, max(length, 1)) if mark else None


@dataclass
class Document:
    """Plain values read from a text, where each stands, and how to say that one is wrong.

    `name` is what messages call the text, `folder` is what relative paths in it are relative to.
    """

    name: str
    folder: Path
    source: bytes = b""
    data: dict[str, Any] = field(default_factory=dict)
    _values: dict[PlainPath, Place] = field(default_factory=dict)
    _keys: dict[PlainPath, Place] = field(default_factory=dict)
    _overrides: dict[PlainPath, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read a file. Raises `ConfigError` when it is not there or is not a plain YAML mapping."""
        try:
            with path.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except IsADirectoryError:
            raise ConfigError(f"{path}: error: this is a folder; expected a YAML file") from None
        except FileNotFoundError:
            raise ConfigError(f"{path}: error: there is no such file") from None
        document = cls(str(path), path.absolute().parent, source)
        document._read()
        return document

    def _read(self) -> None:
        try:
            self.data = self._parse(self.source, (), track=True)
            if not isinstance(self.data, dict):
                raise _RefusedError("expected settings such as 'dataset: iris', found something else")
        except _RefusedError as refused:
            raise ConfigError(self._message(refused.place, str(refused))) from None

    def _parse(self, source: bytes, path: PlainPath, *, track: bool) -> Any:
        if len(source) > MAX_BYTES:
            raise _RefusedError(f"a config is at most {MAX_BYTES:,} bytes long")
        try:
            text = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = source[: error.start].count(b"\n")
            raise _RefusedError(f"line {line + 1} is not UTF-8; save the file with that encoding") from None
        try:
            self._refuse_extras(text)
            node = yaml.compose(text, _Loader)
        except yaml.reader.ReaderError as error:
            raise _RefusedError(f"the character #x{error.character:04x} is not allowed in YAML") from None
        except yaml.MarkedYAMLError as error:
            problem = " ".join(filter(None, [error.context, error.problem]))
            raise _RefusedError(f"not valid YAML: {problem}", error.problem_mark or error.context_mark) from None
        if node is None:
            raise _RefusedError("the file is empty; the smallest config names dataset, layers, loss and epochs")
        return self._plain(node, path, track)

    @staticmethod
    def _refuse_extras(text: str) -> None:
        depth = documents = 0
        for event in yaml.parse(text, _Loader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _RefusedError("a second document begins here; a config is one", event.start_mark, 3)
            elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _RefusedError("anchors and aliases are not used in a config; write it out", event.start_mark)
            elif getattr(event, "tag", None):
                raise _RefusedError("tags are not used in a config", event.start_mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _RefusedError(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _plain(self, node: yaml.Node, path: PlainPath, track: bool) -> Any:
        if track:
            self._values[path] = _place(node)
        match node:
            case yaml.SequenceNode():
                return tuple(self._plain(child, (*path, i), track) for i, child in enumerate(node.value))
            case yaml.MappingNode():
                mapping: dict[str, Any] = {}
                for key_node, child in node.value:
                    if not isinstance(key_node, yaml.ScalarNode):
                        raise _RefusedError("a key is a single word", key_node.start_mark)
                    key = key_node.value
                    if key in mapping:
                        raise _RefusedError(f"the key '{key}' stands here a second time", key_node.start_mark, len(key))
                    if track:
                        self._keys[(*path, key)] = _place(key_node)
                    mapping[key] = self._plain(child, (*path, key), track)
                return mapping
            case yaml.ScalarNode():
                return _scalar(node)

    def override(self, assignment: str) -> None:
        """Change one value, given as ``key.sub=value`` with the value in YAML. List entries are counted from 0."""
        dotted, equals, text = assignment.partition("=")
        where = f"--set {assignment}: error:"
        if not equals or not all(dotted.split(".")):
            raise ConfigError(f"{where} expected key=value, such as --set lr=0.05")
        path = tuple(int(part) if part.isdecimal() else part for part in dotted.split("."))
        try:
            value = self._parse(text.encode(), path, track=False) if text.strip() else None
        except _RefusedError as refused:
            raise ConfigError(f"{where} {refused}") from None
        try:
            self.data = _with(self.data, path, value)
        except LookupError as error:
            raise ConfigError(f"{where} {error.args[0]}") from None
        self._overrides[path] = assignment

    def error(self, faults: Iterable[Fault]) -> ConfigError:
        """One error for all the faults, each with its place and the line it stands on, in the order of the file."""
        located = sorted(
            ((self._override_at(fault.path), self._place_of(fault), fault.message) for fault in faults),
            key=lambda item: (item[0] is not None, item[1].line, item[1].column),
        )
        blocks = [
            f"--set {override}: error: {message}" if override else self._message(place, message)
            for override, place, message in dict.fromkeys(located)
        ]
        if len(blocks) > 1:
            blocks.append(f"{len(blocks)} errors")
        return ConfigError("\n".join(blocks))

    def _override_at(self, path: PlainPath) -> str | None:
        for end in range(len(path), 0, -1):
            if path[:end] in self._overrides:
                return self._overrides[path[:end]]
        return None

    def _place_of(self, fault: Fault) -> Place:
        if fault.at_key and fault.path in self._keys:
            return self._keys[fault.path]
        for end in range(len(fault.path), -1, -1):
            if fault.path[:end] in self._values:
                place = self._values[fault.path[:end]]
                # What is missing from a block is best shown at the block's name.
                return self._keys.get(fault.path[:end], place) if end < len(fault.path) and fault.at_key else place
        return Place(1, 1, 1)

    def _message(self, place: Place | None, message: str) -> str:
        if place is None:
            return f"{self.name}: error: {message}"
        lines = self.source.decode("utf-8-sig", "replace").splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        carets = "^" * max(1, min(place.length, len(line) - place.column + 1))
        return (
            f"{self.name}:{place.line}:{place.column}: error: {message}\n"
            f"{place.line:5} | {line}\n"
            f"      | {' ' * (place.column - 1)}{carets}"
        )


def dump(data: object) -> str:
    """Plain values as the text of a config, in block style, that reads back as the same values."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def dump_value(value: object) -> str:
    """One plain value as it would stand behind a key, in a single line."""
    return yaml.dump([value], Dumper=_Dumper, default_flow_style=True, width=10_000).strip()[1:-1]


def _place(node: yaml.Node) -> Place:
    start, end = node.start_mark, node.end_mark
    same_line = start.line == end.line
    return Place(start.line + 1, start.column + 1, max(end.column - start.column, 1) if same_line else 1 << 20)


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            try:
                return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            except ValueError:  # Python reads no more than 4,300 digits
                raise _RefusedError("this number is too long", node.start_mark, len(text)) from None
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            return text


def _with(data: Any, path: Sequence[str | int], value: Any, seen: str = "the config") -> Any:
    """Return `data` with the value at `path` replaced; blocks that are not there yet are made on the way."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, tuple):
        if not isinstance(key, int) or key >= len(data):
            raise LookupError(f"{seen} is a list; its entries are 0 to {len(data) - 1}, there is no '{key}'")
        changed = list(data)
        changed[key] = _with(data[key], rest, value, f"{seen}.{key}")
        return tuple(changed)
    key = str(key)
    if data is None:
        data = {}
    elif isinstance(data, str) and data == key:
        data = {key: None}  # a component by its bare name becomes one with settings
    elif not isinstance(data, dict):
        raise LookupError(f"{seen} is {data!r}, which has no '{key}'; set the whole of it")
    return {**data, key: _with(data.get(key), rest, value, f"{seen}.{key}" if seen != "the config" else key)}
