"""Callbacks that are given in Python: those that a config holds, and those of the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnfs_cli.api.net_training import SECTIONS, checked_callbacks
from nnfs_cli.errors import ConfigError
from nnfs_cli.training.callbacks import Callback, NamedCallback


def sort_callbacks(given: Iterable[Any], settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[Callback]]:
    """Return settings with the callbacks that a config can hold, and the other callbacks.

    A config records its callbacks, so that a resumed training has them too. Raises `ConfigError` for what is no
    callback, and for a callback that `settings` have already.
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
