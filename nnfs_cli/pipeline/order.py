"""The order in which things are computed that need each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def ordered(wanted: Iterable[T], needs: Callable[[T], Sequence[T]]) -> tuple[T, ...]:
    """Return what is wanted with all that it needs, each once and after its own needs."""
    found: dict[int, T] = {}
    stack = [*reversed([*wanted])]
    while stack:  # without recursion: chains may be long
        one = stack[-1]
        waiting = [need for need in reversed(needs(one)) if id(need) not in found]
        if waiting and id(one) not in found:
            stack.extend(waiting)
        else:
            found.setdefault(id(stack.pop()), one)
    return tuple(found.values())
