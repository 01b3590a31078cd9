"""The steps of the compiled engine are those of the NumPy engine, whatever a plan asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nnfs_cli import BatchNorm, Dropout, Exp, LayerNorm, Linear, ReLU
from nnfs_cli.data.batches import Batches
from nnfs_cli.errors import DivergedError
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.training.averaging import EMA, SWA
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.compiled.loop import CompiledLoop
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.nadam import NAdam
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.schedules import Cosine
from nnfs_cli.training.trainer import Trainer

ROWS = 50
SHALLOW = Linear(7), ReLU(), Linear(2)
DEEP = Linear(7, bias=False), BatchNorm(), ReLU(), Dropout(0.3), Linear(6), LayerNorm(), Dropout(0.1), Linear(2)
RNG = np.random.default_rng(1)
CODES = RNG.integers(-1, 4, ROWS)
UNEQUAL = RNG.random(ROWS)
MOSTLY_ZERO = np.where(np.arange(ROWS) < 30, 0, UNEQUAL)
OF_MEMBERS = RNG.integers(0, 3, (ROWS, 3)).astype(float)
EVERYTHING: dict[str, Any] = {
    "accumulate": 3,
    "averaging": EMA(0.9),
    "clip": Clip(norm=0.5, value=0.4),
    "optimizer": NAdam(weight_decay=0.1),
    "penalty": Penalty(l1=0.1, l2=0.01),
    "schedule": Cosine(),
    "weight": UNEQUAL,
}


def trained(
    engine: Any,
    layers: tuple[Any, ...],
    dtype: str,
    members: int = 1,
    optimizer: Stepper = Adam(),  # noqa: B008
    loss: Loss = MSE(),  # noqa: B008
    weight: np.ndarray | None = None,
    size: int = 8,
    tables: tuple[EmbeddingTable, ...] = (),
    lr: float = 0.01,
    **plan: Any,
) -> Trainer:
    """Return a trainer that has trained a net of these layers."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(ROWS, 5)).astype(dtype), rng.normal(size=(ROWS, 2)).astype(dtype)
    X[:, [table.place for table in tables]] = CODES[:, None]
    rngs = [np.random.default_rng(j) for j in range(members)]
    embedding = Embedding(tables=tables) if tables else None
    model = Model(layers, loss, (5,), dtype, rngs if members > 1 else rngs[0], embedding, members)
    trainer = Trainer(model, Batches(ROWS, size, seed=3), Plan(optimizer, lr, engine=engine, seed=3, **plan))
    trainer.fit(X, y, 3, None if weight is None else weight.astype(dtype))
    assert isinstance(trainer._loop, CompiledLoop) == (engine == "compiled")
    return trainer


def compare(layers: tuple[Any, ...], dtype: str = "float64", **plan: Any) -> None:
    """Raise unless both engines lead to the same weights, optimizer states, averages and losses."""
    numpy, compiled = (trained(engine, layers, dtype, **plan) for engine in ("numpy", "compiled"))
    precision = 1e-12 if dtype == "float64" else 3e-5
    pairs = [(numpy.model.parameters.vector, compiled.model.parameters.vector)]
    states = numpy.optimizer_state, compiled.optimizer_state
    pairs += [(states[0][name], states[1][name]) for name in states[0].keys() - {"buffer"}]
    pairs += [(numpy.average.raw, compiled.average.raw), (numpy.progress.mean_loss, compiled.progress.mean_loss)]
    for want, found in pairs:
        assert_allclose(found, want, rtol=0, atol=precision * max(1.0, float(np.abs(want).max())))
    assert (numpy.progress.step, numpy.progress.batch) == (compiled.progress.step, compiled.progress.batch)


def test_everything_that_a_plan_can_ask_for_at_once() -> None:
    compare(DEEP, "float32", **EVERYTHING | {"optimizer": SGD(0.9)})  # others divide by tiny numbers


@pytest.mark.slow
@pytest.mark.parametrize("layers", [SHALLOW, DEEP], ids=["shallow", "deep"])
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"optimizer": SGD()},
        {"clip": Clip(norm=0.1)},
        {"penalty": Penalty(l1=0.1, l2=0.01)},
        {"averaging": EMA(0.9)},
        {"averaging": SWA(0.3)},
        {"accumulate": 3},
        {"accumulate": 7},
        {"accumulate": 100, "weight": UNEQUAL},
        {"accumulate": 3, "weight": UNEQUAL, "optimizer": SGD(0.9)},
        {"weight": UNEQUAL},
        {"loss": MSE(reduction="sum"), "clip": Clip(norm=1.0)},
        {"loss": MSE(reduction="sum"), "accumulate": 2, "optimizer": SGD()},
        {"optimizer": NAdam(weight_decay=0.1), "schedule": Cosine()},
        {"edition": 1},
        {"tables": (EmbeddingTable(1, 4, 2, "a"), EmbeddingTable(4, 5, 3, "b"))},
        EVERYTHING,
    ],
    ids=lambda plan: " ".join(plan) or "plain",
)
def test_what_a_plan_can_ask_for(layers: tuple[Any, ...], members: int, plan: dict[str, Any]) -> None:
    compare(layers, members=members, **plan)


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 3])
def test_members_weight_the_rows_by_themselves(accumulate: int) -> None:
    compare(DEEP, members=3, weight=OF_MEMBERS, accumulate=accumulate)


@pytest.mark.slow
@pytest.mark.parametrize("plan", [{}, {"accumulate": 2, "averaging": EMA(0.9)}, {"optimizer": NAdam(weight_decay=0.1)}])
def test_batches_of_weight_0_change_nothing(plan: dict[str, Any]) -> None:
    compare(SHALLOW, weight=MOSTLY_ZERO, size=2, **plan)


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("members", [1, 3])
def test_both_engines_say_where_a_training_diverges(accumulate: int, members: int) -> None:
    layers, messages = (Linear(7), BatchNorm(), Exp(), Dropout(0.3), Linear(2)), []
    for engine in ("numpy", "compiled"):
        with pytest.raises(DivergedError) as error:
            trained(engine, layers, "float64", members, SGD(), lr=30.0, accumulate=accumulate)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert "the output of layers.2 (exp)" in messages[0]
