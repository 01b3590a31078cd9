"""Paths of settings, such as `layers.0.linear`: what they lead to in the values of a config, and how to change that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnfs_cli.config.yaml import Path, YamlError
from nnfs_cli.system.wording import shown

LISTS = {  # keys that hold a list, with an example
    "layers": "'[{linear: 20}, relu, {linear: 1}]'",
    "metrics": "[accuracy]",
    "callbacks": "'[{stop_at: 0.1}]'",
}


def path_in(data: Mapping[str, Any], parts: Sequence[str]) -> Path:
    """Return the parts of a dotted name, with integers for the indices of lists. Raises `YamlError`."""
    path: list[str | int] = []
    node: Any = data
    if len(parts) > 1 and parts[0] in LISTS and data.get(parts[0]) is None:
        chosen = "; a preset chooses them" if parts[0] == "layers" else ""
        whole = f"set the whole list, as in --set {parts[0]}={LISTS[parts[0]]}"
        raise YamlError(f"the config has no {parts[0]} to change{chosen}. To choose them yourself, {whole}")
    for part in parts:
        key: str | int = part
        if isinstance(node, tuple | list):
            if not (part.isascii() and part.isdecimal() and int(part) < len(node)):
                entries = f"a list; its entries are 0 to {len(node) - 1}" if node else "an empty list"
                raise YamlError(f"{dotted(path)} is {entries}, and there is no '{part}'")
            key = int(part)
            node = node[key]
        else:
            node = node.get(part) if isinstance(node, dict) else None
        path.append(key)
    return tuple(path)


def with_value(data: Any, path: Path, value: Any, done: Path = ()) -> Any:
    """Return `data` with the value at `path` replaced. Missing blocks on the way are created. Raises `YamlError`."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, tuple | list):
        return tuple(
            with_value(entry, rest, value, (*done, key)) if i == key else entry for i, entry in enumerate(data)
        )
    if data is None:
        data = {}
    elif data == key:
        data = {key: None}  # the bare name of a component becomes a block of its settings
    elif not isinstance(data, dict):
        whole = f"set all of it, as in {dotted(done)}={{...}}"
        raise YamlError(f"{dotted(done)} is {shown(data)} and has no '{key}'; {whole}")
    return {**data, key: with_value(data.get(key), rest, value, (*done, key))}


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path; None if there is none."""
    for key in path:
        try:
            data = data[key]
        except (LookupError, TypeError):
            return None
    return data


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as people write it, such as `layers.0.linear`."""
    return ".".join(map(str, path)) or "the config"
