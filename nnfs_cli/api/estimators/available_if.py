"""scikit-learn's `available_if`, with types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from sklearn.utils import metaestimators

Method = TypeVar("Method", bound=Callable[..., Any])


def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """Return a decorator for a method that an estimator only has if `check` of the estimator is true."""
    return cast(Callable[[Method], Method], metaestimators.available_if(check))
