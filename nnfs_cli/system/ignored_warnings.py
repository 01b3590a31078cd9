"""Ignore warnings in one thread.

`warnings.catch_warnings` replaces the filters of the whole process. When two threads enter and leave it in turn, a
filter can stay for ever, and meanwhile each thread hides the warnings of the other.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
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


def ignored_warnings(category: type[Warning] = Warning) -> AbstractContextManager[None]:
    """Ignore warnings of a category in a `with` block. Warnings of other threads are not affected."""
    return _Block(category)


class _Block(AbstractContextManager[None]):  # a generator would take twice as long, at the end of every epoch
    def __init__(self, category: type[Warning]) -> None:
        self._category = category

    def __enter__(self) -> None:
        self._before = _ignoring.categories
        _ignoring.categories = (*self._before, self._category)
        _count(1)

    def __exit__(self, *error: object) -> None:
        _count(-1)
        _ignoring.categories = self._before


@contextlib.contextmanager
def kept_filters() -> Iterator[None]:
    """Put the filters of warnings back at the end of a `with` block, in which threads of a library may change them."""
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    before = [*filters]
    try:
        yield
    finally:
        filters[:] = before
        warnings.filters = filters


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
