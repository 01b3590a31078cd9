"""Change keys in the text of a config, and keep its comments and its order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nnfs_cli.config import yaml
from nnfs_cli.config.yaml import Path, Positions, YamlError

_ENDS = re.compile(r"\.\.\.(\s|$)")  # the line after which YAML reads nothing more


class _Change(NamedTuple):
    """The change of the value at a path: the lines of the text, and the data before and after it."""

    lines: list[str]
    path: Path
    before: Any
    after: Any
    positions: Positions


def edited(text: str, edits: Mapping[str, Any] | Mapping[Path, Any], main: Mapping[str, str]) -> str:
    """Return the text of a config with other values for some keys, by their paths or dotted names; None removes a key.

    Only the lines of a changed key differ: comments, order and quotes stay, a list that grows keeps its entries, and a
    new key stands behind its neighbours. Only where that is not possible, a whole section is written anew, without its
    comments. `main` maps keys to the setting that a bare value stands for, such as `numbers` for `preprocessing`.
    Raises `YamlError` if the text is not plain YAML, or a name leads nowhere.
    """
    for name, value in edits.items():
        text = _edited(text if text.endswith("\n") else f"{text}\n", name, value, main)
    return text


def _edited(text: str, name: str | Path, value: Any, main: Mapping[str, str]) -> str:
    data, positions = yaml.read(text.encode())
    parts = name.split(".") if isinstance(name, str) else map(str, name)
    path: Path = tuple(int(part) if part.isdecimal() else part for part in parts)
    expected, path = _set(data, path, value, main)
    if expected == data:
        return text
    wanted, _ = yaml.read(yaml.dump(expected).encode())
    change = _Change(text.splitlines(keepends=True), path, data, wanted, positions)
    for candidates in (_removed, _appended, _inserted, _replaced, _rewritten):
        for candidate in candidates(change):
            if _means(candidate, wanted):
                return candidate
    raise YamlError(f"{'.'.join(map(str, path))} cannot be changed")


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


def _removed(change: _Change) -> Iterator[str]:
    """Yield the text without the lines of a key or of an entry of a list."""
    lines, path, positions = change.lines, change.path, change.positions
    at = positions.keys.get(path) or positions.values.get(path)
    if at is None or (_has(change.after, path) and not isinstance(path[-1], int)):
        return
    first = at.line - 1
    yield "".join([*lines[:first], *lines[_end(lines, first, _indent(lines[first])) :]])


def _appended(change: _Change) -> Iterator[str]:
    """Yield the text with more entries at the end of a list."""
    lines, path, positions = change.lines, change.path, change.positions
    if path not in positions.values or not _has(change.after, path):
        return
    old, new = _at(change.before, path), _at(change.after, path)
    if not isinstance(old, tuple) or not isinstance(new, tuple) or not old or new[: len(old)] != old:
        return
    entries = [yaml.dump_value(value) for value in new[len(old) :]]
    yield from _before_bracket(change, path, entries)
    last = positions.values[(*path, len(old) - 1)].line - 1
    indent = _indent(lines[last])
    end = _end(lines, last, indent)
    yield "".join([*lines[:end], *(f"{' ' * indent}- {entry}\n" for entry in entries), *lines[end:]])


def _inserted(change: _Change) -> Iterator[str]:
    """Yield the text with a new key, with the blocks that it needs: behind the last key of the block that it is in."""
    lines, path, positions = change.lines, change.path, change.positions
    if path in positions.values or not all(isinstance(key, str) for key in path):
        return
    start = len(path) - 1  # the first part of the path that is new
    while start and path[:start] not in positions.values:
        start -= 1
    value = yaml.dump_value(_at(change.after, path[: start + 1]))
    yield from _before_bracket(change, path[:start], [f"{yaml.dump_value(path[start])}: {value}"])
    inside = [key for key in positions.keys if key[:-1] == path[:start]]
    first = min((positions.keys[key] for key in inside), key=lambda at: at.line, default=None)
    if first is None and start:
        return
    indent = first.column - 1 if first else 0
    if first and lines[first.line - 1][:indent].strip(" "):
        return
    bottom = next((i for i, line in enumerate(lines) if _ENDS.match(line)), len(lines))
    last = max((positions.keys[key].line for key in inside), default=bottom)
    end = _end(lines, last - 1, indent) if start else bottom
    keys = [f"{' ' * (indent + 2 * i)}{yaml.dump_value(key)}:" for i, key in enumerate(path[start:])]
    new = [*keys[:-1], f"{keys[-1]} {yaml.dump_value(_at(change.after, path))}"]
    yield "".join([*lines[:end], *(f"{line}\n" for line in new), *lines[end:]])


def _before_bracket(change: _Change, path: Path, entries: Sequence[str]) -> Iterator[str]:
    """Yield the text with more entries before the closing bracket of the list or block at a path, if it has one."""
    at = change.positions.values.get(path)
    if at is None or change.lines[at.line - 1][at.column - 1 : at.column] not in ("[", "{"):
        return
    line = change.lines[at.end[0] - 1]
    inside, bracket = line[: at.end[1] - 2].rstrip(), line[at.end[1] - 2 :]
    for comma in (", ", " " if inside else "", ""):  # there may be one already, or nothing that needs one
        new = f"{inside}{comma}{', '.join(entries)}{bracket}"
        yield "".join([*change.lines[: at.end[0] - 1], new, *change.lines[at.end[0] :]])


def _replaced(change: _Change) -> Iterator[str]:
    """Yield the text with another value in the place of the old one, or of a block around it, innermost first."""
    lines, path, expected, positions = change.lines, change.path, change.after, change.positions
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


def _rewritten(change: _Change) -> Iterator[str]:
    """Yield the text with a whole section written anew, or without it."""
    lines, key, at = change.lines, change.path[0], change.positions.keys.get(change.path[:1])
    section = yaml.dump({key: change.after[key]}) if key in change.after else ""
    if at is not None:
        yield "".join([*lines[: at.line - 1], section, *lines[_end(lines, at.line - 1, 0) :]])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _end(lines: list[str], first: int, indent: int) -> int:
    """Return the line after a block: of its own lines, the last ones are neither empty nor comments."""
    end = at = first + 1
    while at < len(lines):
        line = lines[at]
        depth = _indent(line)
        if line.strip() and not line.lstrip().startswith("#"):
            list_of_key = (
                depth == indent and line.lstrip().startswith("- ") and not lines[first].lstrip().startswith("- ")
            )
            if depth <= indent and not list_of_key:
                break
            end = at + 1
        at += 1
    return end
