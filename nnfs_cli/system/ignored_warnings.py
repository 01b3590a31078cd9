"""Ignore warnings in one thread.

`warnings.catch_warnings` replaces the filters of the whole process. When two threads enter and leave it in turn, a
filter can stay for ever, and meanwhile each thread hides the warnings of the other.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any


class _Ignoring(threading.local):
    """What the current thread ignores."""

    categories: tuple[type[Warning], ...] = ()


class _Ignored(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return issubclass(category, _ignoring.categories)


class IgnoredHere(Warning, metaclass=_Ignored):
    """Every category that the current thread ignores."""


_ignoring = _Ignoring()
_FILTER: Any = ("ignore", None, IgnoredHere, None, 0)
_lock = threading.Lock()
_blocks = 0  # how many there are, in all threads


@contextlib.contextmanager
def ignored_warnings(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category in a `with` block. Warnings of other threads are not affected."""
    before = _ignoring.categories
    _ignoring.categories = (*before, category)
    _count(1)
    try:
        yield
    finally:
        _count(-1)
        _ignoring.categories = before


def _count(change: int) -> None:
    """Count the blocks, and have the filter in the first place for as long as there are any."""
    global _blocks
    with _lock:
        _blocks += change
        filters: list[Any] = warnings.filters  # type: ignore[assignment]
        if _blocks and filters[:1] == [_FILTER]:
            return
        while _FILTER in filters:
            filters.remove(_FILTER)
        if _blocks:
            filters.insert(0, _FILTER)
