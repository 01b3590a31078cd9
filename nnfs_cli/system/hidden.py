"""Hide a package for a moment, so that another one that would import it if it can goes on without it."""

from __future__ import annotations

import contextlib
import importlib.abc
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType


@contextlib.contextmanager
def hidden(package: str) -> Iterator[None]:
    """Let imports of a package fail in a `with` block, unless it is imported already."""
    sys.meta_path.insert(0, finder := _Refusing(package))
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Refusing(importlib.abc.MetaPathFinder):
    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name == self._package:
            raise ModuleNotFoundError(name=name)
