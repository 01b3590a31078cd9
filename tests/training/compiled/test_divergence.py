"""Both engines say the same about a training that diverges, wherever in a chunk that is, and leave the same net."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_cli import BatchNorm, Dropout, Linear, ReLU, Tanh
from nnfs_cli.data.training_rows import RowsInMemory
from nnfs_cli.errors import DivergedError
from nnfs_cli.training.averaging import EMA
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.compiled import loop
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.nadam import NAdam
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.schedules import Cosine
from tests.conftest import EXAMPLES
from tests.training.compiled.trainings import Training, left_behind

SHALLOW = Linear(6), ReLU(), Linear(2)
DEEP = Linear(6, bias=False), BatchNorm(), Tanh(), Dropout(0.2), Linear(2)


def diverged(training: Training, engine: Any, row: int, value: float, seconds: float) -> tuple[str, dict[str, Any]]:
    """The message of a training one of whose rows has a target of this size, and what it leaves behind."""
    trainer = training.trainer(engine)
    X, y, *weight = training.arrays("float64", trainer.model)
    y[row % len(y)] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "SECONDS", seconds)
        with pytest.raises(DivergedError) as caught:
            trainer.train(RowsInMemory(X, y, *weight), training.epochs)
    return str(caught.value), left_behind(trainer)


def compare(training: Training, row: int, value: float = 1e200) -> None:
    """Raise unless both engines find the same batch, with chunks of all lengths."""
    message, numbers = diverged(training, "numpy", row, value, 0.0)
    for seconds in (1e-9, 1e9):
        found, same = diverged(training, "compiled", row, value, seconds)
        assert found == message
        for name, want in numbers.items():
            assert np.isfinite(same[name]).all()
            if "running" in name or name == "raw":  # the passes that look for the place count once more
                continue
            difference = np.abs(same[name] - want).max(initial=0)
            assert difference <= 1e-9 * np.abs(want).max(initial=0) + 1e-15, name


@pytest.mark.parametrize("row", [0, 17, 29])
def test_a_row_that_no_net_can_fit_is_found_in_its_batch(row: int) -> None:
    compare(Training(SHALLOW, batches={"size": 7, "shuffle": row > 0}), row)


OPTIMIZERS: list[Stepper] = [SGD(), SGD(0.9), Adam(), NAdam(weight_decay=0.1)]


@pytest.mark.slow
@settings(max_examples=2 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(
    row=st.integers(0, 59),
    layers=st.sampled_from([SHALLOW, DEEP]),
    members=st.integers(1, 4),
    size=st.integers(4, 20),
    rows=st.integers(20, 60),
    optimizer=st.sampled_from(OPTIMIZERS),
    accumulate=st.integers(1, 3),
    averaging=st.sampled_from([None, EMA(0.9)]),
    clip=st.sampled_from([None, Clip(norm=1.0)]),
    weights=st.sampled_from(["none", "rows"]),
)
def test_any_training_diverges_in_the_same_batch(
    row: int, layers: Any, members: int, size: int, rows: int, optimizer: Stepper, weights: str, **plan: Any
) -> None:
    training = Training(layers, members=members, rows=rows, batches={"size": size, "smallest": 2}, weights=weights)
    compare(replace(training, optimizer=optimizer, plan={**plan, "schedule": Cosine()}), row)


@pytest.mark.slow
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("lr", [0.3, 1.0, 3.0, 30.0])
def test_a_rate_that_is_too_high_ends_in_the_same_batch(lr: float, members: int) -> None:
    training = Training(SHALLOW, members=members, optimizer=SGD(), lr=lr, epochs=500, scale=30.0)
    messages = []
    for engine, seconds in [("numpy", 0.0), ("compiled", 1e-9), ("compiled", 1e9)]:
        messages.append(diverged(training, engine, 0, 1.0, seconds)[0])
    assert len(set(messages)) == 1, messages
