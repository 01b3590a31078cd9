"""A config whose settings can be replaced, by the text of its file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnfs_cli.components.component import Component
from nnfs_cli.components.section import Section
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.config.edit import edited
from nnfs_cli.config.paths import path_in, value_at, with_value
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import DataSource
from nnfs_cli.errors import UserError
from nnfs_cli.inspection.load_config import facts_of, fill_in, is_filled_in
from nnfs_cli.presets import TableFacts
from nnfs_cli.search import Distribution

MAIN = {"preprocessing": Preprocessing.main or ""}
WITH_PATHS = ("dataset", "split", "track")  # keys whose values may hold paths of files
NO_SPACE = (
    "the config does not say what to vary, and no preset does; add a block such as\n"
    "  search:\n    lr: {log: [1e-4, 1e-2]}"
)


@dataclass(frozen=True)
class Recipe:
    """A config whose settings can be replaced.

    `whole` is its text with the block `search`, and `document` the config without it; both have a name. `space` are the
    distributions of the settings that vary, and `filled` the values of the config with what its preset fills in. `rows`
    is the data set if its rows were given in Python, which no text can hold.
    """

    whole: str
    document: Document
    space: Mapping[str, Distribution]
    filled: Document
    facts: TableFacts | None
    rows: DataSource | None = None

    @classmethod
    def of(cls, document: Document) -> Recipe:
        """Return the recipe of a config. Raises `ConfigError` with every fault, and `UserError` if nothing varies."""
        given = document.data.get("dataset")
        plain = {key: _plain(value, document.folder) for key, value in document.data.items() if value is not None}
        rows = given if isinstance(given, InMemory) and given.has_rows else None
        text_of = replace(document, data=plain)
        document = replace(document, data={**plain, "dataset": given}) if rows is not None else text_of
        facts = facts_of(document)
        filled = fill_in(document, facts)
        config = Config.read(filled)
        space = config.search
        if not (given_space := space):
            brought = config.preset.space(document.data, filled.data) if config.preset is not None else {}
            space = {name: Distribution.resolve(one) for name, one in brought.items()}
        if not space:
            raise UserError(NO_SPACE)
        text = text_of.text(MAIN)
        added: dict[yaml.Path, Any] = {} if "name" in document.data else {("name",): config.name}
        if not given_space:
            added[("search",)] = {name: one.brief() for name, one in space.items()}
        whole = edited(text, added, MAIN)
        text = edited(whole, {"search": None}, MAIN)
        settled = Document.parse(text.encode(), document.name, document.folder)
        return cls(whole, settled, space, replace(filled, data=_without_search(filled.data)), facts, rows)

    def text(self, values: Mapping[str, Any]) -> str:
        """Return the text of the config with other values of settings, by their paths. Comments stay."""
        data, expected = self.document.data, self.document.data
        whole: dict[str, None] = {}  # keys that the text does not have, and that are written as a whole
        edits: dict[yaml.Path, Any] = {}
        for name, value in values.items():
            path = path_in(self.filled.data, name.split("."))
            key = str(path[0])
            if len(path) > 1 and key not in data:
                whole[key] = None
                expected = expected if key in expected else {**expected, key: self.filled.data[key]}
            else:
                edits[path] = value
            expected = with_value(expected, path, value)
        edits |= {(key,): expected[key] for key in whole}
        try:
            text = edited(self.document.source.decode("utf-8-sig"), edits, MAIN)
            if self._means(text, expected):
                return text
        except YamlError:
            pass
        return yaml.dump(expected)

    def _means(self, text: str, expected: Mapping[str, Any]) -> bool:
        """Return whether a text holds some values. A key that is left out is null, unless a preset fills it in."""
        found = [yaml.read(text.encode())[0], yaml.read(yaml.dump(expected).encode())[0]]
        if not is_filled_in(self.document):
            found = [{key: value for key, value in one.items() if value is not None} for one in found]
        return bool(found[0] == found[1])

    def config(self, values: Mapping[str, Any]) -> Config:
        """Return the complete config with other values of settings. Raises `ConfigError` if they do not go together."""
        document = Document.parse(self.text(values).encode(), self.document.name, self.document.folder)
        if self.rows is not None:
            document = replace(document, data={**document.data, "dataset": self.rows})
        facts = None if "loss" in values else self.facts
        return Config.read(fill_in(document, facts))

    def value_of(self, name: str, config: Config) -> Any:
        """Return the value that the config itself has for a setting; `config` is the complete one."""
        path = path_in(self.filled.data, name.split("."))
        given = value_at(self.filled.data, path)
        if given is not None:
            return given
        spelled, _ = yaml.read(config.to_yaml(self.document.folder).encode())
        return value_at(spelled, path)

    def moved_text(self, values: Mapping[str, Any], folder: Path) -> str:
        """Return the text with other values for a file in another folder, from which its paths lead."""
        text, config = self.text(values), self.config(values)
        edits: dict[yaml.Path, Any] = {}
        for key in WITH_PATHS if self.rows is None else ():
            old, new = ({key: _dumped(config, key, one)} for one in (self.document.folder, folder))
            moves = dict(_differences(old, new))
            leaves = dict(_leaves(self.document.data.get(key), (key,)))
            edits |= {
                path: moves[where]
                for path, leaf in leaves.items()
                if (where := _relative(leaf, self.document.folder)) in moves
            }
        return edited(text, edits, MAIN)


def _plain(value: Any, folder: Path) -> Any:
    """Return a value that may hold components as plain values."""
    if isinstance(value, Component):
        return value.plain({"folder": folder}) if isinstance(value, DataSource) else value.brief()
    if isinstance(value, Section):
        return value.model_dump(mode="json", exclude_defaults=True, context={"folder": folder})
    if isinstance(value, Mapping):
        return {key: _plain(entry, folder) for key, entry in value.items()}
    return tuple(_plain(entry, folder) for entry in value) if isinstance(value, tuple | list) else value


def _without_search(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "search"}


def _dumped(config: Config, key: str, folder: Path) -> Any:
    return config.model_dump(mode="json", include={key}, context={"folder": folder})[key]


def _differences(old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts that differ between two values of the same form."""
    if isinstance(old, dict):
        for key in old:
            yield from _differences(old[key], new[key])
    elif isinstance(old, list):
        for one, other in zip(old, new, strict=True):
            yield from _differences(one, other)
    elif isinstance(old, str) and old != new:
        yield old, new


def _leaves(value: Any, path: yaml.Path) -> Iterator[tuple[yaml.Path, str]]:
    """Yield the texts in a plain value with their places."""
    if isinstance(value, dict | tuple):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(entry, (*path, key))
    elif isinstance(value, str):
        yield path, value


def _relative(text: str, folder: Path) -> str:
    """Return a path of a config as `relative_path` writes it, or the text itself if it is none."""
    try:
        return Path(os.path.relpath(Path(folder, Path(text).expanduser()), folder)).as_posix()
    except (OSError, ValueError, RuntimeError):
        return text
