"""Compiled loops give the same bytes as the NumPy code that they replace, and nothing depends on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.batches import Batches
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.environment import describe_environment
from nnfs_cli.system import jit as compiling
from nnfs_cli.system.jit import compile_loop, worth_compiling
from nnfs_cli.training.optimizers import Optimizer, StepFunction, Stepper
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.adamw import AdamW
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.trainer import Trainer

STEPPERS = [
    pytest.param(member.resolve(yaml.safe_load(text)), id=text)
    for member in Optimizer.registered.values()
    if issubclass(member, Stepper)
    for text in member.examples
]
DTYPES = [np.dtype("float32"), np.dtype("float64")]


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What one test compiles, or cannot, is nothing to the next."""
    compile_loop.cache_clear()
    yield
    compile_loop.cache_clear()


def gradients(n: int, dtype: np.dtype[Any]) -> Iterator[Array]:
    """Of all sizes, from below the smallest normal number up to overflow, with zeros, infinities and NaN among them."""
    rng, largest = np.random.default_rng(0), np.finfo(dtype).maxexp
    for step in range(60):
        g = np.ldexp(rng.standard_normal(n), rng.integers(-largest, largest, n) // (1 + step % 4)).astype(dtype)
        g[rng.integers(n, size=n // 10)] = 0
        if step > 40:
            g[:3] = np.inf, -np.inf, np.nan
        yield g


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("optimizer", STEPPERS)
def test_a_compiled_step_gives_the_bytes_of_the_step(optimizer: Stepper, dtype: np.dtype[Any]) -> None:
    step = optimizer.compiled(dtype)
    if step is None:
        assert not isinstance(optimizer, AdamW)
        return
    n = 1_003
    start = np.random.default_rng(1).standard_normal(n).astype(dtype)
    plain, fast = start.copy(), start.copy()
    of_plain, of_fast = optimizer.begin(plain), optimizer.begin(fast)
    with np.errstate(all="ignore"):
        for t, g in enumerate(gradients(n, dtype)):
            optimizer.step(plain, g.copy(), of_plain, 0.01 / (1 + t))
            step(fast, g.copy(), of_fast, 0.01 / (1 + t))
            assert plain.tobytes() == fast.tobytes(), t
            for name in of_plain:
                assert of_plain[name].tobytes() == of_fast[name].tobytes(), (t, name)
    assert np.isfinite(plain).mean() > 0.9
    assert (plain != start).mean() > 0.5  # where squares overflow, steps are zero


def test_adam_and_its_subclasses_are_compiled() -> None:
    found = {o.values[0].name for o in STEPPERS if o.values[0].compiled(DTYPES[0]) is not None}
    assert found == {"adam", "adamw"}


def test_an_optimizer_that_steps_otherwise_is_not_compiled_as_adam() -> None:
    class Slower(Adam):
        def step(self, parameters: Array, gradient: Array, state: dict[str, Array], lr: float) -> None:
            super().step(parameters, gradient, state, lr / 2)

    assert Slower().compiled(DTYPES[0]) is None


def test_a_loop_is_compiled_once() -> None:
    def loop(x: Array, factor: float) -> None:
        for i in range(x.size):
            x[i] *= factor

    fast = compile_loop(loop, 1, 1, DTYPES[1])
    assert fast is not None
    assert fast is compile_loop(loop, 1, 1, DTYPES[1])
    x = np.ones(3)
    fast(x, 2.0)
    np.testing.assert_array_equal(x, 2)


def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)


def with_an_idle_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)


def with_a_numba_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise numba.core.errors.TypingError("not today")

    monkeypatch.setattr(numba, "njit", refuse)


WITHOUT = [without_numba, with_an_idle_numba, with_a_numba_that_fails]


@pytest.mark.parametrize("without", WITHOUT)
def test_nothing_needs_numba(without: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    assert AdamW().compiled(DTYPES[0]) is None


class Spy(Adam):
    """Adam which says when it is compiled. Its step is adam's own."""

    def compiled(self, dtype: np.dtype[Any]) -> StepFunction | None:
        fast = super().compiled(dtype)
        COMPILED.append(fast is not None)
        return fast


COMPILED: list[bool] = []


def trained(monkeypatch: pytest.MonkeyPatch, start: float, compiles: bool = True) -> bytes:
    COMPILED.clear()
    monkeypatch.setattr(compiling, "START", start)
    rng = np.random.default_rng(0)
    model = Model([Linear(units=8), Tanh(), Linear(units=1)], MSE(), (3,), "float32", rng)
    X, y = rng.standard_normal((100, 3), np.float32), rng.standard_normal((100, 1), np.float32)
    Trainer(model, Batches(100, 8), Plan(Spy(), 0.01, compiles=compiles)).fit(X, y, 6)
    return model.parameters.vector.tobytes()


def test_training_gives_the_same_bytes_whenever_it_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    never = trained(monkeypatch, 1.0)
    assert COMPILED == []
    per_step = compiling.PER_CALL + 41 * compiling.PER_ENTRY
    assert trained(monkeypatch, 30 * per_step) == never
    assert COMPILED == [True] * 3  # after two of six epochs of 13 steps are 26 done, after three 39
    assert trained(monkeypatch, -1.0) == never
    assert COMPILED == [True] * 6


def test_training_with_little_memory_does_not_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    never = trained(monkeypatch, 1.0)
    assert trained(monkeypatch, -1.0, compiles=False) == never
    assert COMPILED == []


@pytest.mark.parametrize("without", WITHOUT)
def test_training_without_numba_gives_the_same_bytes(without: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    never = trained(monkeypatch, 1.0)
    without(monkeypatch)
    assert trained(monkeypatch, -1.0) == never
    assert COMPILED == [False] * 6


def test_compiling_is_worth_it_for_many_steps_of_large_nets() -> None:
    assert not worth_compiling(0, 10**9)
    assert not worth_compiling(100, 670_000)
    assert worth_compiling(2_000, 670_000)
    assert not worth_compiling(10_000, 641)
    assert worth_compiling(1_000_000, 641)


@pytest.mark.parametrize("window", [None, 1_024])
def test_a_memory_limit_that_is_felt_leaves_no_room_for_a_compiler(window: int | None) -> None:
    experiment = workflows.prepare(
        Config(name="x", dataset="iris", layers=[{"linear": 3}], loss="cross_entropy", epochs=1)
    )
    limited = replace(experiment, batches=replace(experiment.batches, window=window))
    assert limited.plan.compiles == (window is None)


def test_the_compiler_is_named_in_the_environment() -> None:
    assert describe_environment()["packages"]["numba"] == numba.__version__
