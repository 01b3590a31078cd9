"""Write settings as the keyword arguments that they are in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_arguments(settings: Mapping[str, Any]) -> str:
    """Return settings, values of YAML by key, as arguments of a call, such as ``drop=['id'], epochs=20``."""
    return ", ".join(f"{key}={_with_lists(value)!r}" for key, value in settings.items())


def _with_lists(value: Any) -> Any:
    """Return a value of YAML with lists for tuples."""
    if isinstance(value, Mapping):
        return {key: _with_lists(entry) for key, entry in value.items()}
    return [_with_lists(entry) for entry in value] if isinstance(value, tuple | list) else value
