"""Schedules: their formulas, PyTorch's numbers, and what holds for any setting."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import itertools
import json
import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from nnfs_cli.metrics.direction import Mode
from nnfs_cli.training.schedules import Constant, Cosine, ReduceOnPlateau, Schedule
from tests.conftest import ROOT

COMMITTED = json.loads((ROOT / "tests" / "reference" / "schedules.json").read_text(encoding="utf-8"))
SOURCES = ["committed", "live"] if importlib.util.find_spec("torch") else ["committed"]
EXAMPLES = [example for member in Schedule.registered.values() for example in member.examples]


def schedule(text: str) -> Schedule:
    """The schedule that a config would name."""
    return Schedule.resolve(yaml.safe_load(text))


@functools.cache
def reference(source: str) -> dict[str, Any]:
    """PyTorch's numbers: those that are committed, or those of the PyTorch that is here."""
    if source == "committed":
        return COMMITTED
    from tests.reference.schedules import answers  # needs torch, and a second

    return answers()


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("text", COMMITTED["factors"])
def test_an_epoch_begins_where_pytorch_is(text: str, source: str) -> None:
    ours, theirs = schedule(text), reference(source)
    steps = 1 if ours.warmup else 7  # they climb once an epoch here, we once a step
    found = [ours.at(epoch * steps, steps, theirs["epochs"], ours.begin()) for epoch in range(theirs["epochs"])]
    assert found == pytest.approx(theirs["factors"][text], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("text", COMMITTED["plateaus"])
def test_a_plateau_leads_down_as_in_pytorch(text: str, mode: Mode, source: str) -> None:
    ours, theirs = schedule(text).model_copy(update={"mode": mode}), reference(source)
    state, found = ours.begin(), []
    for figure in theirs["figures"]:
        ours.observe({"epoch": 9e9, "val_loss": figure}, state)
        found.append(ours.at(0, 1, 1, state))
    assert found == pytest.approx(theirs["plateaus"][text][mode], rel=1e-9)


def test_every_example_that_pytorch_knows_has_a_reference() -> None:
    known = {text for text in EXAMPLES if not text.startswith(("inverse_time", "coslog4", "cosine: {hold"))}
    assert known <= {*COMMITTED["factors"], *COMMITTED["plateaus"]}


@pytest.mark.parametrize(
    ("text", "t", "factor"),  # out of 60 epochs
    [
        ("constant", 60, 1),
        ("step: 20", 19.99, 1),
        ("step: 20", 20, 0.1),
        ("step: {every: 20, factor: 0.5}", 60, 0.125),
        ("exponential: 0.81", 0.5, 0.9),
        ("inverse_time: 0.5", 2, 0.5),
        ("inverse_time: 0.5", 4, 1 / 3),
        ("linear", 45, 0.25),
        ("linear: 0.2", 30, 0.6),
        ("linear: 0.2", 60, 0.2),
        ("linear: 2.0", 30, 1.5),
        ("cosine", 20, 0.75),
        ("cosine", 60, 0),
        ("cosine: {end: 0.5}", 30, 0.75),
        ("cosine: 1", 10, 0.75),
        ("cosine: 1", 30, 1),
        ("cosine: 1", 60, 0),
        ("cosine: {hold: 0.4}", 24, 1),
        ("cosine: {hold: 0.4}", 42, 0.5),
        ("cosine: {hold: 0.4, end: 0.2}", 60, 0.2),
        ("cosine: {hold: 0.5, restarts: 1}", 15, 1),
        ("cosine: {hold: 0.5, restarts: 1}", 22.5, 0.5),
        ("cosine: {hold: 0.5, restarts: 1}", 45, 1),
        ("cosine: {restarts: 1, growth: 2.0}", 10, 0.5),
        ("cosine: {restarts: 1, growth: 2.0}", 20, 1),
        ("cosine: {restarts: 1, growth: 2.0}", 40, 0.5),
        ("one_cycle", 0, 0.04),
        ("one_cycle", 9, 0.52),
        ("one_cycle", 18, 1),
        ("one_cycle", 39, (1 + 4e-6) / 2),
        ("one_cycle", 60, 4e-6),
        ("one_cycle: {peak: 0.0}", 0, 1),
        ("coslog4", 0, 0),
        ("coslog4", 60 * (2**0.5 - 1) / 15, 1),
        ("coslog4", 60 * (2**3.25 - 1) / 15, 0.5),
        ("coslog4", 60 * (2**3.5 - 1) / 15, 1),
        ("coslog4", 60, 0),
    ],
)
def test_a_formula_gives_what_it_says(text: str, t: float, factor: float) -> None:
    assert schedule(text).curve(t, 60, {}) == pytest.approx(factor, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "linear: 0.1",
        "cosine: {restarts: 3, end: 0.1, growth: 1.3}",
        "cosine: {hold: 0.3, end: 0.1}",
        "one_cycle: {end: 0.1}",
    ],
)
def test_the_end_is_exact(text: str) -> None:
    assert schedule(text).curve(0.7, 0.7, {}) == 0.1


def test_each_restart_is_on_time() -> None:
    """Also where its epoch is no whole number, as it is of steps: no rounding takes it for the end of a cycle."""
    for cycles, epochs in itertools.product(range(1, 50), range(1, 10)):
        cosine = Cosine(restarts=cycles - 1)
        starts = [cosine.at(cycle * epochs, cycles, epochs, {}) for cycle in range(cycles)]
        assert starts == pytest.approx([1] * cycles)


def test_nan_on_a_plateau_is_no_new_best_and_the_first_number_after_it_is() -> None:
    plateau = ReduceOnPlateau(patience=1, factor=0.5)
    state = plateau.begin()
    for figure, factor in [(math.nan, 1), (math.nan, 0.5), (3.0, 0.5), (math.nan, 0.5), (math.nan, 0.25), (2.0, 0.25)]:
        plateau.observe({"epoch": 9e9, "val_loss": figure}, state)
        assert plateau.curve(1, 2, state) == factor


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("step", "needs the setting 'every'"),
        ("exponential: 1.5", "must be at most 1"),
        ("cosine: -1", "must be at least 0"),
        ("cosine: {hold: 1.0}", "must be less than 1"),
        ("cosine: {growth: 0.5}", "must be at least 1"),
        ("one_cycle: {peak: 1.0}", "must be less than 1"),
        ("linear: {warmup: -1.0}", "must be at least 0"),
        ("cosin", "did you mean 'cosine'?"),
    ],
)
def test_what_cannot_be_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        schedule(text)


def values(field: FieldInfo) -> st.SearchStrategy[Any]:
    """Any valid value of a setting, out of its declared range."""
    bounds = {key: getattr(m, key) for m in field.metadata for key in ("gt", "ge", "lt", "le") if hasattr(m, key)}
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if field.annotation is int:
        return st.integers(low + 1 if "gt" in bounds else low, high)
    if field.annotation is float:
        open_ends = {"exclude_min": "gt" in bounds, "exclude_max": "lt" in bounds}
        return st.floats(low, high, allow_nan=False, allow_infinity=False, **open_ends)
    return st.none()


def with_any_settings(member: type[Schedule]) -> st.SearchStrategy[Schedule]:
    settings = {name: values(field) for name, field in member.model_fields.items()}
    needed = {name: value for name, value in settings.items() if member.model_fields[name].is_required()}
    others = {name: value for name, value in settings.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=others).map(member.model_validate)


SCHEDULES = st.one_of(
    st.sampled_from(EXAMPLES).map(schedule), *(with_any_settings(member) for member in Schedule.registered.values())
)


@given(SCHEDULES, st.integers(1, 6), st.integers(1, 6), st.lists(st.floats(), max_size=6))
def test_no_factor_is_negative_or_not_finite(
    any_schedule: Schedule, epochs: int, steps: int, figures: list[float]
) -> None:
    state = any_schedule.begin()
    for figure in [1.0, *figures]:
        factors = [any_schedule.at(step, steps, epochs, state) for step in range(epochs * steps + 3)]
        assert all(math.isfinite(factor) and factor >= 0 for factor in factors)
        any_schedule.observe({"epoch": 9e9, "val_loss": figure}, state)


@given(SCHEDULES, st.integers(1, 10**9), st.integers(1, 10**9), st.floats(0, 1))
def test_nor_is_it_in_the_longest_training(any_schedule: Schedule, epochs: int, steps: int, done: float) -> None:
    factor = any_schedule.at(int(done * epochs * steps), steps, epochs, any_schedule.begin())
    assert math.isfinite(factor)
    assert factor >= 0


@given(SCHEDULES, st.floats(0, 8), st.integers(1, 6), st.integers(1, 6))
def test_a_warmup_climbs_evenly_to_the_full_lr(cold: Schedule, warmup: float, epochs: int, steps: int) -> None:
    warm, n = cold.model_copy(update={"warmup": warmup}), round(warmup * steps)
    climb = [warm.at(step, steps, epochs, warm.begin()) for step in range(n)]
    assert climb == [(step + 1) / n for step in range(n)]
    assert climb == sorted(climb)


@given(SCHEDULES, st.integers(0, 5), st.integers(1, 6), st.integers(1, 6))
def test_after_the_warmup_the_schedule_has_what_is_left(cold: Schedule, warmup: int, epochs: int, steps: int) -> None:
    cold = cold.model_copy(update={"warmup": 0.0})
    warm, state = cold.model_copy(update={"warmup": float(warmup)}), cold.begin()
    for step in range(epochs * steps + 1):
        found = warm.at(warmup * steps + step, steps, warmup + epochs, state)
        assert found == cold.at(step, steps, epochs, state)


def test_a_warmup_longer_than_the_training_is_all_there_is() -> None:
    warm = Constant(warmup=10)
    assert [warm.at(step, 2, 3, {}) for step in range(6)] == [k / 20 for k in range(1, 7)]


@pytest.mark.parametrize("member", Schedule.registered.values(), ids=lambda member: member.name)
def test_a_schedule_gives_its_formula_and_its_source_and_shows_itself(member: type[Schedule]) -> None:
    assert "Source: " in (inspect.getdoc(member) or "")
    assert "lr(t)" in member.headline() or "lr <-" in member.headline()
    assert 10 < len(member.headline()) <= 120
    for example in member.examples:
        assert isinstance(schedule(example), member)
        assert Schedule.resolve(schedule(example).plain()) == schedule(example)
