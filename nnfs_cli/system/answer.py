"""What a worker process says while and after it runs a call."""

from __future__ import annotations

from typing import Any, NamedTuple


class Answer(NamedTuple):
    """The outcome of a call: its result, or nothing if it has failed, and its warnings.

    A warning is its text, its category, and the file and line that gave it.
    """

    result: Any = None
    failed: bool = False
    warnings: tuple[tuple[str, type[Warning], str, int], ...] = ()


class Question(NamedTuple):
    """What a function asks the process that has called it, before it goes on."""

    about: Any
