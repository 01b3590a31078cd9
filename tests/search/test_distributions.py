"""Distributions draw what they say, from any source of draws, and each drawn value can be drawn again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nnfs_cli.config import yaml
from nnfs_cli.search import Distribution
from nnfs_cli.search.base import Scalar

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text(max_size=3))
BLOCKS = st.recursive(
    SCALARS, lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=2) | st.lists(inner, max_size=2)
)


class Drawer:
    """Draws by a fraction of each range, and remembers what it drew."""

    def __init__(self, fraction: float) -> None:
        self.fraction = fraction
        self.drawn: dict[str, Scalar] = {}

    def number(self, name: str, low: float, high: float, log: bool) -> float:
        a, b = (math.log(low), math.log(high)) if log else (low, high)
        value = a + self.fraction * (b - a)
        return self._note(name, min(max(math.exp(value) if log else value, low), high))

    def whole(self, name: str, low: int, high: int, step: int, log: bool) -> int:
        assert (high - low) % step == 0
        return self._note(name, low + step * round(self.fraction * ((high - low) // step)))

    def option(self, name: str, labels: Sequence[Scalar]) -> int:
        assert len({(type(label), label) for label in labels}) == len(labels)
        i = min(int(self.fraction * len(labels)), len(labels) - 1)
        self._note(name, labels[i])
        return i

    def _note(self, name: str, value: Any) -> Any:
        assert name not in self.drawn
        self.drawn[name] = value
        return value


class Again:
    """Draws what was drawn before, and nothing else."""

    def __init__(self, drawn: Mapping[str, Scalar]) -> None:
        self.drawn = drawn

    def number(self, name: str, low: float, high: float, log: bool) -> Any:
        return self.drawn[name]

    def whole(self, name: str, low: int, high: int, step: int, log: bool) -> Any:
        return self.drawn[name]

    def option(self, name: str, labels: Sequence[Scalar]) -> int:
        return [(type(label), label) for label in labels].index((type(self.drawn[name]), self.drawn[name]))


def plain(text: str) -> Any:
    return yaml.read(text.encode())[0]


def resolved(value: Any) -> Distribution:
    return Distribution.resolve(value)


@st.composite
def numbers(draw: Any) -> dict[str, Any]:
    """A plain distribution of numbers."""
    kind = draw(st.sampled_from(["uniform", "log", "whole", "step", "whole log"]))
    if kind == "uniform":
        low, high = sorted(draw(st.tuples(FINITE, FINITE).filter(lambda pair: pair[0] != pair[1])))
        return {"uniform": (low, high)}
    if kind == "log":
        low = draw(st.floats(1e-9, 1e3))
        return {"log": (low, low * draw(st.floats(1.1, 1e6)))}
    low = draw(st.integers(1, 100))
    high = low + draw(st.integers(1, 1000))
    settings = {"whole": {}, "step": {"step": draw(st.integers(1, high - low))}, "whole log": {"log": True}}[kind]
    return {"whole": {"between": (low, high), **settings}}


@st.composite
def choices(draw: Any) -> dict[str, Any]:
    """A choice of options, some of which are blocks with distributions inside."""
    options = draw(st.lists(BLOCKS | st.fixed_dictionaries({"a": numbers(), "b": SCALARS}), min_size=1, max_size=4))
    return {"choice": tuple(options)}


@given(numbers() | choices(), st.floats(0, 1))
def test_what_is_drawn_can_be_drawn_again(given_: dict[str, Any], fraction: float) -> None:
    try:
        distribution = resolved(given_)
    except (ValidationError, ValueError):  # an option that is given twice, or looks like a distribution
        return
    drawer = Drawer(fraction)
    value = distribution.draw(drawer, "x")
    assert {*drawer.drawn} <= {*distribution.names("x")}
    found = distribution.draws_of("x", value)
    assert found is not None
    assert distribution.draw(Again(found), "x") == value
    assert distribution.ends()
    for end in distribution.ends():
        again = distribution.draws_of("x", end)
        assert again is not None
        assert distribution.draw(Again(again), "x") == end


@given(numbers() | choices())
def test_a_distribution_is_the_same_after_it_was_written(given_: dict[str, Any]) -> None:
    try:
        distribution = resolved(given_)
    except (ValidationError, ValueError):
        return
    for form in (distribution.brief(), distribution.plain()):
        text = yaml.dump({"search": {"lr": form}})
        again = resolved(plain(text)["search"]["lr"])
        assert (again.ends(), again.names("lr")) == (distribution.ends(), distribution.names("lr"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log: [0, 1]", "must be greater than 0, found 0"),
        ("log: [2, 1]", "expected the smaller end first, as in [1, 2]"),
        ("log: [1]", "expected the smallest and the largest value"),
        ("uniform: [1, 1]", "expected the smaller end first"),
        ("uniform: [.nan, 1]", "expected a finite number"),
        ("uniform: [0, .inf]", "expected a finite number"),
        ("uniform: ['0', 1]", "expected a number"),
        ("uniform: [true, 2]", "expected a number"),
        ("whole: [1.5, 3]", "expected a whole number"),
        ("whole: {between: [0, 8], log: true}", "the smallest is 0"),
        ("whole: {between: [1, 8], log: true, step: 2}", "the step is 2"),
        ("whole: {between: [1, 8], step: 9}", "a step of 9 leaves only 1"),
        ("whole: {between: [1, 99999999999]}", "must be at most 1,000,000,000"),
        ("choice: []", "expected at least one entry"),
        ("choice: [1, 2, 1]", "the option 1 is given twice"),
        ("choice: [{a: 1}, {a: 1}]", "is given twice"),
        ("choice: [{sgd: {momentum: {uniform: [1, 0]}}}]", "expected the smaller end first"),
        ("lg: [1, 2]", "there is no distribution 'lg'; did you mean 'log'?"),
        ("{}", "expected one distribution, found an empty block"),
    ],
)
def test_a_wrong_distribution_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises((ValidationError, ValueError)) as caught:
        resolved(plain(text))
    assert message in str(caught.value)


def test_options_that_look_alike_keep_their_types() -> None:
    distribution = resolved(plain("choice: [1, true, '1', 'true', null, 'null']"))
    values = [distribution.draw(Again({"x": label}), "x") for label in distribution.labels]  # type: ignore[attr-defined]
    assert values == [1, True, "1", "true", None, "null"]
    assert list(map(type, values)) == [int, bool, str, str, type(None), str]


def test_settings_inside_options_have_names_of_their_own() -> None:
    text = "choice: [{sgd: {lr: {uniform: [0, 1]}}}, {sgd: {lr: {log: [1, 2]}, nesterov: true}}, adamw]"
    distribution = resolved(plain(text))
    assert distribution.names("optimizer") == ["optimizer", "optimizer.1.sgd.lr", "optimizer.2.sgd.lr"]
    assert distribution.draws_of("optimizer", {"sgd": {"lr": 0.5}}) == {
        "optimizer": "{sgd: {lr: ...}}",
        "optimizer.1.sgd.lr": 0.5,
    }
    assert distribution.draws_of("optimizer", {"sgd": {"lr": 7.0}}) is None
    assert distribution.draws_of("optimizer", "lion") is None


def test_an_initializer_of_the_same_name_is_no_distribution() -> None:
    distribution = resolved(plain("choice: [{linear: {units: 4, init: {uniform: 0.1}}}, {linear: 4}]"))
    assert distribution.names("layers.0") == ["layers.0"]
