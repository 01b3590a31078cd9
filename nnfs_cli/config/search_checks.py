"""Check what a config says about a search: each path, and the values at the ends of each distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nnfs_cli.config.paths import dotted, path_in, value_at, with_value
from nnfs_cli.config.yaml import Path, YamlError, dump_value
from nnfs_cli.errors import Fault
from nnfs_cli.search import Distribution
from nnfs_cli.system.wording import shown

SAME_ROWS = "the trials of a search are scored on the same rows, with the same weights"
FIXED = {  # keys that a search cannot vary, and why
    **dict.fromkeys(("dataset", "split", "missing_target", "on_error", "parse", "class_weights"), SAME_ROWS),
    "holdout": SAME_ROWS,
    "seed": "it decides which rows are held out; a lucky seed is no better setting",
    "preset": "the keys that it fills in would not be known; vary these keys",
    "edition": "it belongs to the release",
    **dict.fromkeys(("checkpoint", "metrics"), "it decides how trials are scored"),
    **dict.fromkeys(
        ("name", "search", "track", "threads", "engine", "memory_limit", "log_every", "probes", "background"),
        "it makes no net better",
    ),
}

Faults = Callable[[Mapping[str, Any]], list[Fault]]  # what finds the faults of a whole config


def search_faults(
    space: Mapping[str, Distribution], data: Mapping[str, Any], faults_of: Faults, at: str = "search"
) -> list[Fault]:
    """Return the faults of the distributions of a search, each at its place in the block `search`.

    `data` are the values of the whole config, with what a preset has filled in. Each end of each distribution is put
    into them, and `faults_of` says what is wrong with the result.
    """
    found = []
    settled = {key: value for key, value in data.items() if key != "search"}
    for name, distribution in space.items():
        for message in dict.fromkeys(_messages(name, distribution, settled, faults_of)):
            found.append(Fault((at, name), message, at_key=True))
    paths = [*space]
    for i, name in enumerate(paths):
        for other in paths[:i]:
            if name.startswith(f"{other}.") or other.startswith(f"{name}."):
                message = f"it is varied together with {other}, and one of them replaces the other; leave one out"
                found.append(Fault((at, name), message, at_key=True))
    return found


def _messages(name: str, distribution: Distribution, data: Mapping[str, Any], faults_of: Faults) -> Iterator[str]:
    """Yield what is wrong with a distribution for a path."""
    key = name.partition(".")[0]
    if key in FIXED:
        yield f"a search cannot vary {key}: {FIXED[key]}"
        return
    for value in distribution.ends():
        try:
            path = path_in(data, name.split("."))
            if isinstance(value, int | float) and isinstance(held := value_at(data, path), dict):
                inside = f", such as {name}.{next(iter(held))}" if held else ""
                yield f"{name} is a block of settings; name the one to vary{inside}"
                return
            changed = with_value(data, path, value)
        except YamlError as error:
            yield str(error).partition("; set ")[0] + _hint(name, data)
            return
        if faults := faults_of(changed):
            yield from (_message(value, path, fault) for fault in faults)
            return


def _hint(name: str, data: Mapping[str, Any]) -> str:
    """Return what was probably meant by a path that leads into a bare value, such as `layers.0.linear.units`."""
    parent = name.rpartition(".")[0]
    path = tuple(int(part) if part.isdecimal() else part for part in parent.split("."))
    return f"; did you mean {parent}?" if isinstance(value_at(data, path), int | float) else ""


def _message(value: object, path: Path, fault: Fault) -> str:
    """Say what is wrong with the config if the setting at a path has a value."""
    if fault.at_key and fault.path == path:
        return fault.message
    where = "" if fault.path[: len(path)] == path[: len(fault.path)] else f"{dotted(fault.path)}: "
    return f"with {shown(value) if isinstance(value, dict) else dump_value(value)}, {where}{fault.message}"
