"""A config as the user gave it: the values of the file, the overrides of the command line, and error messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nnfs_cli.config import yaml
from nnfs_cli.config.edit import edited
from nnfs_cli.config.paths import path_in, value_at, with_value
from nnfs_cli.config.yaml import Position, Positions, YamlError
from nnfs_cli.errors import MAX_FAULTS, ConfigError, Fault
from nnfs_cli.system.files import attach_path
from nnfs_cli.system.secrets import without_secrets
from nnfs_cli.system.wording import shown

EXCERPT = 100  # characters shown of a line


@dataclass
class Document:
    """Plain values read from a file, with the position of each.

    `name` is the name of the file in messages. Relative paths in it are relative to `folder`.
    """

    name: str
    folder: Path
    source: bytes = b""
    data: dict[str, Any] = field(default_factory=dict)
    _positions: Positions = field(default_factory=Positions)
    _overrides: list[tuple[yaml.Path, str]] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path, overrides: Iterable[str] = ()) -> Document:
        """Read a file and apply ``key.sub=value`` overrides.

        Raises `ConfigError` if the file is missing or does not hold plain settings.
        """
        try:
            with path.open("rb") as file, attach_path(path):
                source = file.read(yaml.MAX_BYTES + 1)
        except IsADirectoryError:
            raise ConfigError(f"{path}: error: this is a folder; expected a YAML file") from None
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigError(f"{path}: error: there is no such file") from None
        document = cls.parse(source, str(path), path.absolute().parent)
        for assignment in overrides:
            document.override(assignment)
        return document

    @classmethod
    def parse(cls, source: bytes, name: str, folder: Path) -> Document:
        """Read the text of a config. Raises `ConfigError` if it does not hold plain settings."""
        document = cls(name, folder, source)
        try:
            document.data, document._positions = yaml.read(source)
            if document.data is None:
                raise YamlError("the file is empty; the smallest config names a dataset, as in dataset: iris")
            if not isinstance(document.data, dict):
                found = f"expected settings, such as dataset: iris, found {shown(document.data)}"
                raise YamlError(found, document._positions.values[()])
        except YamlError as error:
            raise ConfigError(document._message(error.position, str(error))) from None
        return document

    def override(self, assignment: str) -> None:
        """Change one value, given as ``key.sub=value`` with the value in YAML. List indices start at 0."""
        name, equals, text = assignment.partition("=")
        where = f"--set {without_secrets(assignment)}: error:"
        if not equals or not all(name.split(".")):
            raise ConfigError(f"{where} expected key=value, such as --set lr=0.05")
        try:
            value, _ = yaml.read(text.encode())
            if value is None and text.strip().lower() not in ("", "null", "~"):
                raise YamlError("expected a value after the =")
            path = path_in(self.data, name.split("."))
            if any(path == earlier for earlier, _ in self._overrides):
                raise YamlError(f"{name} is set twice; set it once")
            self.data = with_value(self.data, path, value)
        except UnicodeEncodeError:
            raise ConfigError(f"{where} the value is not valid UTF-8") from None
        except YamlError as error:
            raise ConfigError(f"{where} {error}") from None
        self._overrides.append((path, f"--set {assignment}"))

    def replaced(self, values: Mapping[str, Any]) -> Document:
        """Return a copy in which some keys have other values, which were given in Python."""
        overrides: list[tuple[yaml.Path, str]] = [((key,), key) for key in values]
        return replace(self, data={**self.data, **values}, _overrides=[*self._overrides, *overrides])

    def filled(self, values: Mapping[str, Any], main: Mapping[str, str]) -> Document:
        """Return a copy with values for keys that are not given, at any depth.

        `main` maps keys to the setting that a bare value stands for, such as `numbers` for `preprocessing`.
        """
        data = {
            key: {main[key]: value} if key in main and not isinstance(value, dict) else value
            for key, value in self.data.items()
        }
        return replace(self, data=_filled(data, values))

    def text(self, main: Mapping[str, str]) -> str:
        """Return the text of the file with what was changed since: comments stay where they can.

        The values must be plain. `main` is that of `edited`. Raises `YamlError` if the text is too large.
        """
        text = self.source.decode("utf-8-sig")
        try:
            for path, _ in self._overrides:
                text = edited(text, {path: value_at(self.data, path)}, main)
            same = yaml.read(text.encode())[0] == yaml.read(yaml.dump(self.data).encode())[0]
        except YamlError:
            same = False
        return text if same else yaml.dump(self.data)

    def error(self, faults: Iterable[Fault]) -> ConfigError:
        """Return one error for all the faults, in the order of the file and then of the overrides."""
        located = []
        faults = list(faults)
        for fault in faults[:MAX_FAULTS]:
            override, position = self._override_at(fault.path), self._position_of(fault)
            order = (-1, position.line, position.column) if override is None else (override, 0, 0)
            start = f"{without_secrets(self._overrides[override][1])}: error: " if override is not None else ""
            located.append((order, start + fault.message if start else self._message(position, fault.message)))
        blocks = list(dict.fromkeys(text for _, text in sorted(located)))
        if len(faults) > MAX_FAULTS:
            blocks.append(f"{len(faults):,} errors, of which these are the first {MAX_FAULTS}")
        elif len(blocks) > 1:
            blocks.append(f"{len(blocks)} errors")
        return ConfigError("\n".join(blocks))

    def _override_at(self, path: yaml.Path) -> int | None:
        """Return the index of the override that caused a fault at `path`, or None if the file did."""
        for i, (overridden, _) in reversed(list(enumerate(self._overrides))):
            shared = min(len(path), len(overridden))
            if shared and path[:shared] == overridden[:shared]:
                return i
            block = path[:-1]  # the override may have created the block that now lacks a setting
            if block and block == overridden[: len(block)] and block not in self._positions.values:
                return i
        return None

    def _position_of(self, fault: Fault) -> Position:
        values, keys = self._positions.values, self._positions.keys
        if fault.at_key and fault.path in keys:
            return keys[fault.path]
        for end in range(len(fault.path), -1, -1):
            if fault.path[:end] in values:
                # A missing setting is reported at the name of its block.
                name = keys.get(fault.path[:end]) if fault.at_key and end < len(fault.path) else None
                return name or values[fault.path[:end]]
        return Position(1, 1)

    def _message(self, position: Position | None, message: str) -> str:
        """Return the message with its position, and below it the line (or a part of it) with carets."""
        if position is None:
            return f"{self.name}: error: {message}"
        lines = self.source.decode("utf-8-sig", "replace").splitlines()
        line = lines[position.line - 1] if position.line <= len(lines) else ""
        skipped = max(0, position.column - EXCERPT // 2) if len(line) > EXCERPT else 0
        shown = without_secrets(line)[skipped : skipped + EXCERPT].replace("\t", " ")
        column = position.column - 1 - skipped
        carets = "^" * max(1, min(position.length, len(shown) - column))
        return (
            f"{self.name}:{position.line}:{position.column}: error: {message}\n"
            f"{position.line:5} | {shown}\n"
            f"      | {' ' * column}{carets}"
        )


def _filled(given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given values, completed with `values` where keys are missing."""
    merged = {**values, **given}
    both = [key for key in given if isinstance(given[key], dict) and isinstance(values.get(key), dict)]
    return merged | {key: _filled(given[key], values[key]) for key in both}
