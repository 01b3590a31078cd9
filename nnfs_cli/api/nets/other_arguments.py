"""Explain arguments of other tools that have another name here, or do not exist."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def explain_arguments(**hints: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: the function raises `TypeError` with the hint for an argument of that name."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def explained(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name in hints:
                    raise TypeError(f"{function.__name__} has no argument '{name}'; {hints[name]}")
            return function(*args, **kwargs)

        return explained

    return decorate
