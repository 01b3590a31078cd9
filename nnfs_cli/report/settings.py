"""Every setting of a config, with where its value comes from."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from nnfs_cli.components.component import Component
from nnfs_cli.components.section import Section
from nnfs_cli.config import yaml
from nnfs_cli.config.assignments import assignments
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.errors import ConfigError
from nnfs_cli.system.wording import cut

Origin = Literal["config file", "command line", "preset", "derived", "default"]
LONGEST = 160  # characters of a value


class Setting(NamedTuple):
    """One setting: its key, its value as YAML and where that comes from.

    "derived" is a default that depends on other settings, such as the lr of the optimizer.
    """

    key: str
    value: str
    origin: Origin


class _Missing:
    """The place of a setting that was not given."""


MISSING = _Missing()


class _Found(NamedTuple):
    key: str
    value: str
    given: object  # what the document holds there, or MISSING
    usual: bool  # whether the value is the default of the class


def settings(config: Config, source: bytes, command: str) -> list[Setting]:
    """Return all settings of a config in their order, a component before its settings.

    `source` is the config file as it was given, and `command` the command line, whose --set options count.
    """
    in_file = _parsed(source)
    together = _with_overrides(in_file, command)
    found = zip(_walk("", config, in_file), _walk("", config, together), strict=True)
    return [Setting(one.key, one.value, _origin(one, other, config)) for one, other in found]


def _origin(in_file: _Found, given: _Found, config: Config) -> Origin:
    if given.given is not MISSING:
        return "config file" if in_file.given == given.given else "command line"
    if given.usual:
        return "default"
    return "derived" if config.preset is None else "preset"


def _parsed(source: bytes) -> dict[str, Any]:
    """Return what a config file holds; nothing if it cannot be read."""
    with contextlib.suppress(YamlError, ConfigError):
        data, _ = yaml.read(source)
        if isinstance(data, dict):
            return data
    return {}


def _with_overrides(data: dict[str, Any], command: str) -> dict[str, Any]:
    """Return the settings with the --set options of a command line applied."""
    document = Document("the config", Path(), data=data)
    with contextlib.suppress(ValueError):
        for assignment in assignments(shlex.split(command)):
            with contextlib.suppress(ConfigError):
                document.override(assignment)
    return document.data


def _walk(key: str, value: object, given: object, usual: bool = False) -> Iterator[_Found]:
    """Yield the settings within a value, each with what was given for it."""
    if key == "track" and isinstance(value, tuple):
        yield from _trackers(value, given, usual)
    elif isinstance(value, Component):
        named = next(iter(given)) if isinstance(given, dict) and len(given) == 1 else given
        yield _Found(key, value.name, named, usual)
        yield from _fields(f"{key}.{value.name}", value, _inner(given, value.name))
    elif isinstance(value, Section):
        yield from _fields(key, value, given)
    elif isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], PreprocessingStep):
        alone = given[0] if isinstance(given, tuple | list) and len(given) == 1 else given
        yield from _walk(key, value[0], alone, usual)  # one step stands without a list
    elif isinstance(value, tuple | list) and any(isinstance(one, Section | tuple | list) for one in value):
        items = given if isinstance(given, tuple | list) and len(given) == len(value) else [MISSING] * len(value)
        for i, (one, of_one) in enumerate(zip(value, items, strict=True)):
            yield from _walk(f"{key}.{i}", one, of_one, usual)
    elif isinstance(value, Mapping) and any(isinstance(one, Section | tuple | list) for one in value.values()):
        for name, one in value.items():
            yield from _walk(f"{key}.{name}", one, given.get(name, MISSING) if isinstance(given, dict) else MISSING)
    else:
        yield _Found(key, _shown(value), given, usual)


def _trackers(trackers: tuple[Component, ...], given: object, usual: bool) -> Iterator[_Found]:
    """Yield the settings of the block of trackers, each of which has its settings below its name."""
    if not trackers:
        yield _Found("track", "{}", given, usual)
    for tracker in trackers:
        inner = given.get(tracker.name, MISSING) if isinstance(given, dict) else MISSING
        yield from _fields(f"track.{tracker.name}", tracker, inner)


def _fields(key: str, section: Section, given: object) -> Iterator[_Found]:
    """Yield the settings of a section; a bare value stands for its main setting."""
    if given is not MISSING and not isinstance(given, dict):
        given = {section.main: given} if section.main else {}
    for name, field in type(section).model_fields.items():
        value, of_name = getattr(section, name), given.get(name, MISSING) if isinstance(given, dict) else MISSING
        usual = not field.is_required() and value == field.get_default(call_default_factory=True)
        yield from _walk(f"{key}.{name}" if key else name, value, of_name, usual)


def _inner(given: object, name: str) -> object:
    """Return what was given for the settings of a component: `relu`, `linear: 20` or `linear: {units: 20}`."""
    if isinstance(given, dict) and [*given] == [name]:
        return MISSING if given[name] is None else given[name]
    return MISSING


def _shown(value: object) -> str:
    """Return a value as YAML, cut if it is long."""
    with contextlib.suppress(YamlError, TypeError, ValueError):
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else _plain(value)
        return cut(yaml.dump_value(plain), LONGEST)
    return str(value)[:LONGEST]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
