"""The parts of a model, such as `layer 1: linear 20`, after which its operations and arrays are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Part:
    """A part of a model, with the arrays that it is known to use, by name."""

    name: str = ""
    arrays: Mapping[str, Any] = field(default_factory=dict)

    def name_of(self, array: Any) -> str:
        """Return the name of an array of the part, or "" for any other."""
        return next((name for name, known in self.arrays.items() if known is array), "")


_NO_PART = Part()
_current: ContextVar[Part] = ContextVar("part", default=_NO_PART)


def current_part() -> Part:
    """Return the part of the model whose operations are being declared."""
    return _current.get()


@contextmanager
def part(name: str, arrays: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Let the values that are made in the block belong to a part of the model, which may lie within another one.

    A constant that is made of one of the `arrays` takes its name.
    """
    outer = _current.get().name
    token = _current.set(Part(f"{outer}, {name}" if outer else name, arrays or {}))
    try:
        yield
    finally:
        _current.reset(token)
