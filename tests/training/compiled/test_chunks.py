"""How long the chunks of the compiled engine are, and which arrays it takes."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_cli import Linear, ReLU
from nnfs_cli.arrays import Array
from nnfs_cli.data.batches import Batches
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.compiled import loop
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.trainer import Trainer

ROWS = 400
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(ROWS, 3)).astype(np.float32), RNG.normal(size=(ROWS, 2)).astype(np.float32)
WEIGHTS = RNG.random((ROWS, 2)).astype(np.float32)


class Looking(Callback):
    """Remembers the steps at which it can look."""

    def __init__(self) -> None:
        self.steps = [0]

    def next_stop(self, training: Training) -> float:
        return np.inf

    def on_step(self, training: Training) -> None:
        self.steps.append(training.progress.step)


def trained(x: Array, y: Array, weight: Array | None = None, callback: Callback | None = None) -> Array:
    """The weights of two members of a small net after an epoch."""
    rngs = [np.random.default_rng(j) for j in range(2)]
    model = Model((Linear(4), ReLU(), Linear(2)), MSE(), (3,), "float32", rngs, None, 2)
    plan = Plan(SGD(), 0.01, engine="compiled", seed=1)
    Trainer(model, Batches(ROWS, 2, seed=3), plan, [callback] if callback else []).fit(x, y, 1, weight)
    return model.parameters.vector


def test_the_first_chunk_is_one_step_and_the_next_ones_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SECONDS", 1e9)
    looking = Looking()
    trained(X, Y, callback=looking)
    assert np.diff(looking.steps).tolist() == [1, 8, 64, 127]


def test_arrays_may_lie_in_memory_in_any_way() -> None:
    want = trained(X, Y, WEIGHTS).tobytes()
    wide = np.repeat(X, 2, axis=1)
    assert trained(wide[:, ::2], np.asfortranarray(Y), WEIGHTS[::-1][::-1]).tobytes() == want
    assert trained(np.asfortranarray(X), Y[:, ::-1].copy()[:, ::-1], np.asfortranarray(WEIGHTS)).tobytes() == want
