"""Callbacks that are given in Python: those that a config can hold, and the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nnfs_cli.api.settings import plain
from nnfs_cli.errors import ConfigError, Fault
from nnfs_cli.system.wording import type_of
from nnfs_cli.training.callbacks import Callback, NamedCallback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping

# Callbacks that have a key of their own in a config.
SECTIONS: Mapping[str, type[EarlyStopping | Checkpoint]] = {"early_stopping": EarlyStopping, "checkpoint": Checkpoint}
_NAMED: TypeAdapter[Any] = TypeAdapter(NamedCallback)


def checked_callbacks(given: Iterable[Any]) -> tuple[Callback, ...]:
    """Return callbacks as objects; those written as in YAML are built. Raises `ConfigError` for anything else."""
    if isinstance(given, Callback | str | Mapping | type) or not isinstance(given, Iterable):
        found = f"the class {given.__name__}" if isinstance(given, type) else type_of(given)
        raise ConfigError(f"callbacks: expected a list of callbacks, found {found}")
    made: list[Callback] = []
    for i, callback in enumerate(given):
        if isinstance(callback, type):
            raise ConfigError(f"callbacks.{i}: {callback.__name__} is a class; write {callback.__name__}(...)")
        if isinstance(callback, Callback):
            made.append(callback)
            continue
        value = plain(callback, "callbacks")
        name, settings = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else (value, {})
        try:
            section = SECTIONS.get(name) if isinstance(name, str) else None
            made.append(section.model_validate(settings) if section else _NAMED.validate_python(value))
        except ValidationError as error:
            faults = [Fault(("callbacks", i, *found["loc"]), found["msg"]) for found in error.errors()]
            raise ConfigError.of(faults) from None
    return tuple(made)


def sort_callbacks(given: Iterable[Any], settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[Callback]]:
    """Return settings with the callbacks that a config can hold, and the other callbacks.

    A config records its callbacks, so that a resumed training has them too. Raises `ConfigError` for
    anything that is not a callback, and for a callback that `settings` already have.
    """
    found, others = dict(settings), list[Callback]()
    for callback in checked_callbacks(given):
        key = next((key for key, section in SECTIONS.items() if type(callback) is section), None)
        if key is not None:
            if found.get(key) is not None:
                raise ConfigError(f"{key}: give it either as a setting or among the callbacks, and once")
            found[key] = callback
        elif isinstance(callback, NamedCallback):
            found["callbacks"] = (*found.get("callbacks", ()), callback)
        else:
            others.append(callback)
    return found, others
