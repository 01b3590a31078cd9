"""Warnings are ignored in one thread, and all filters are as before afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from nnfs_cli.errors import NnfsWarning
from nnfs_cli.system.ignored_warnings import ignored_warnings
from tests.actors import actors


@pytest.fixture(autouse=True)
def filters_stay() -> Iterator[None]:
    before = list(warnings.filters)
    yield
    assert list(warnings.filters) == before


def warned(category: type[Warning] = UserWarning) -> bool:
    """Whether a warning would reach the user."""
    try:
        warnings.warn("look", category, stacklevel=2)
    except Warning:
        return True
    return False


def both() -> tuple[bool, bool]:
    return warned(), warned(NnfsWarning)


@pytest.fixture(autouse=True)
def raise_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_only_the_category_is_ignored_and_only_inside() -> None:
    assert both() == (True, True)
    with ignored_warnings(NnfsWarning):
        assert both() == (True, False)
        with ignored_warnings():
            assert both() == (False, False)
        assert both() == (True, False)
    assert both() == (True, True)


def test_an_error_ends_it() -> None:
    with pytest.raises(ValueError, match="no"), ignored_warnings():
        raise ValueError("no")
    assert warned()


def test_another_thread_is_not_affected_in_whatever_order_they_leave() -> None:
    with actors(2) as (first, second):
        one, other = ignored_warnings(), ignored_warnings(NnfsWarning)
        first.enter(one)
        assert (first.do(both), second.do(both)) == ((False, False), (True, True))
        second.enter(other)
        first.leave(one)
        assert (first.do(both), second.do(both)) == ((True, True), (True, False))
        second.leave(other)
        assert (first.do(both), second.do(both)) == ((True, True), (True, True))


@pytest.mark.parametrize("ours_first", [True, False])
def test_it_may_overlap_with_filters_that_someone_else_changes(ours_first: bool) -> None:
    ours, theirs = ignored_warnings(), warnings.catch_warnings()
    with actors(1) as (actor,):
        if ours_first:
            actor.enter(ours)
        theirs.__enter__()
        warnings.simplefilter("error", UserWarning)
        if not ours_first:
            actor.enter(ours)
        assert (warned(), actor.do(warned)) == (True, ours_first)  # the filter that was set last decides
        if ours_first:
            actor.leave(ours)
        theirs.__exit__()
        if not ours_first:
            actor.leave(ours)
        assert (warned(), actor.do(warned)) == (True, True)
        with ignored_warnings():
            assert not warned()
