"""Change keys in the text of a config, and keep its comments and its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnfs_cli.config import yaml
from nnfs_cli.config.yaml import Path, Positions, YamlError


def edited(text: str, edits: Mapping[str, Any], main: Mapping[str, str]) -> str:
    """Return the text of a config with other values for some keys, by their dotted names; None removes a key.

    A changed line keeps its comment, and a new key stands beside its neighbours. Only where that is not possible, a
    whole section is written anew, without its comments. `main` maps keys to the setting that a bare value stands for,
    such as `numbers` for `preprocessing`. Raises `YamlError` if the text is not plain YAML, or a name leads nowhere.
    """
    for name, value in edits.items():
        text = _edited(text if text.endswith("\n") else f"{text}\n", name, value, main)
    return text


def _edited(text: str, name: str, value: Any, main: Mapping[str, str]) -> str:
    data, positions = yaml.read(text.encode())
    path: Path = tuple(int(part) if part.isdecimal() else part for part in name.split("."))
    expected, path = _set(data, path, value, main)
    if expected == data:
        return text
    wanted, _ = yaml.read(yaml.dump(expected).encode())
    for change in (_removed, _inserted, _replaced, _rewritten):
        for candidate in change(text, path, expected, positions):
            if _means(candidate, wanted):
                return candidate
    raise YamlError(f"{name} cannot be changed")


def _means(text: str, data: Any) -> bool:
    """Return whether a text is YAML that holds these values."""
    try:
        return bool((yaml.read(text.encode())[0] or {}) == data)  # an empty text has no keys
    except YamlError:
        return False


def _set(data: Any, path: Path, value: Any, main: Mapping[str, str]) -> tuple[Any, Path]:
    """Return `data` with a value at a path, or without it, and the path that was changed in the end."""
    key, rest = path[0] if isinstance(data, tuple) else str(path[0]), path[1:]
    if isinstance(data, tuple):
        if not isinstance(key, int) or key >= len(data):
            raise YamlError(f"there is no entry {key}")
        if not rest and value is None:
            return (*data[:key], *data[key + 1 :]), path
        inner, below = _set(data[key], rest, value, main) if rest else (value, ())
        return (*data[:key], inner, *data[key + 1 :]), (key, *below)
    key = str(key)
    data = {} if data is None else {data: None} if data == key else data
    if not isinstance(data, dict):
        raise YamlError(f"there is no key {key}")
    if not rest:
        others = {name: entry for name, entry in data.items() if name != key or value is not None}
        return (others if value is None else {**others, key: value}), (key,)
    held = data.get(key)
    if held is not None and not isinstance(held, dict | tuple) and main.get(str(key)):
        held = {main[str(key)]: held}
        if rest == (main[str(key)],):  # the bare value itself is changed
            return {**data, key: value}, (key,)
    if held is None and value is None:
        return data, path
    inner, below = _set(held, rest, value, main)
    return {**data, key: inner}, (key, *below)


def _at(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data


def _has(data: Any, path: Path) -> bool:
    try:
        _at(data, path)
    except (LookupError, TypeError):
        return False
    return True


def _removed(text: str, path: Path, expected: Any, positions: Positions) -> Iterator[str]:
    """Yield the text without the lines of a key or of an entry of a list."""
    at = positions.keys.get(path) or positions.values.get(path)
    if at is None or (_has(expected, path) and not isinstance(path[-1], int)):
        return
    lines = text.splitlines(keepends=True)
    first = at.line - 1
    indent = len(lines[first]) - len(lines[first].lstrip())
    yield "".join([*lines[:first], *lines[_end(lines, first, indent) :]])


def _inserted(text: str, path: Path, expected: Any, positions: Positions) -> Iterator[str]:
    """Yield the text with a new key: at the end, or before the first key of the block that it belongs to."""
    if path in positions.values or not isinstance(path[-1], str):
        return
    start = len(path) - 1  # the first part of the path that is new
    while start and path[:start] not in positions.values:
        start -= 1
    line = f"{yaml.dump_value(path[start])}: {yaml.dump_value(_at(expected, path[: start + 1]))}\n"
    lines = text.splitlines(keepends=True)
    if not start:
        yield "".join([*lines, line])
        return
    first = min(
        (at for key, at in positions.keys.items() if key[:-1] == path[:start]), key=lambda at: at.line, default=None
    )
    if first is not None and not lines[first.line - 1][: first.column - 1].strip(" "):
        yield "".join([*lines[: first.line - 1], " " * (first.column - 1), line, *lines[first.line - 1 :]])


def _replaced(text: str, path: Path, expected: Any, positions: Positions) -> Iterator[str]:
    """Yield the text with another value in the place of the old one, or of a block around it, innermost first."""
    lines = text.splitlines(keepends=True)
    for end in range(len(path), 0, -1):
        place = path[:end]
        at, length = positions.values.get(place), _length(place, positions)
        if at is None or not _has(expected, place):
            continue
        value, first = _at(expected, place), at.line - 1
        if length:
            before, after = lines[first][: at.column - 1], lines[first][at.column - 1 + length :]
            forms = [yaml.dump_value(value)]
            if isinstance(value, dict) and len(value) == 1 and lines[first][at.column - 1] != "{":
                forms.insert(0, forms[0][1:-1])  # the key stands there without braces
            yield from ("".join([*lines[:first], before, form, after, *lines[first + 1 :]]) for form in forms)
        elif end == len(path) and (key := positions.keys.get(place)):
            first, before = key.line - 1, " " * (key.column - 1)
            line = f"{before}{yaml.dump_value(place[-1])}: {yaml.dump_value(value)}\n"
            yield "".join([*lines[:first], line, *lines[_end(lines, first, len(before)) :]])


def _length(path: Path, positions: Positions) -> int:
    """Return how many characters a value takes on its line; 0 if it takes more than one line."""
    at = positions.values.get(path)
    if at is None or at.length < yaml.MAX_BYTES:
        return at.length if at else 0
    inside = [key for key in positions.values if key[:-1] == path]
    last = positions.values[inside[0]] if len(inside) == 1 else at
    length = _length(inside[0], positions) if len(inside) == 1 and last.line == at.line else 0
    return last.column - at.column + length if length else 0


def _rewritten(text: str, path: Path, expected: Any, positions: Positions) -> Iterator[str]:
    """Yield the text with a whole section written anew, or without it."""
    lines, at = text.splitlines(keepends=True), positions.keys.get(path[:1])
    section = yaml.dump({path[0]: expected[path[0]]}) if path[0] in expected else ""
    if at is not None:
        yield "".join([*lines[: at.line - 1], section, *lines[_end(lines, at.line - 1, 0) :]])


def _end(lines: list[str], first: int, indent: int) -> int:
    """Return the line after a block: of its own lines, the last ones are neither empty nor comments."""
    end = at = first + 1
    while at < len(lines):
        line = lines[at]
        depth = len(line) - len(line.lstrip())
        if line.strip() and not line.lstrip().startswith("#"):
            list_of_key = (
                depth == indent and line.lstrip().startswith("- ") and not lines[first].lstrip().startswith("- ")
            )
            if depth <= indent and not list_of_key:
                break
            end = at + 1
        at += 1
    return end
