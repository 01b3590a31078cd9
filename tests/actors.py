"""Threads that act when they are told, so that a test decides the order in which they enter and leave blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


class Actor:
    """A thread of its own, which runs one function after the other."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def do(self, act: Callable[..., Result], *arguments: Any) -> Result:
        return self._pool.submit(act, *arguments).result()

    def enter(self, block: contextlib.AbstractContextManager[None]) -> None:
        self.do(block.__enter__)

    def leave(self, block: contextlib.AbstractContextManager[None]) -> None:
        self.do(block.__exit__, None, None, None)


@contextlib.contextmanager
def actors(n: int) -> Iterator[list[Actor]]:
    with contextlib.ExitStack() as ends:
        yield [Actor(ends.enter_context(ThreadPoolExecutor(1))) for _ in range(n)]
