"""Random trainings, and what they leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nnfs_cli import (
    ELU,
    GELU,
    SELU,
    BatchNorm,
    Dense,
    Dropout,
    Exp,
    Flatten,
    Identity,
    LayerNorm,
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    Reshape,
    Residual,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nnfs_cli.arrays import Array
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.training_rows import RowsInMemory, RowsOnDisk, TrainingRows
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.losses.quantile import Quantile
from nnfs_cli.nn.model import Model
from nnfs_cli.training.averaging import EMA, SWA
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.compiled.loop import CompiledLoop
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.training.trainer import Trainer

N_INPUTS = 5
TABLES = EmbeddingTable(1, 4, 2, "a"), EmbeddingTable(4, 3, 3, "b")
SMOOTH = [Tanh(), Sigmoid(), SiLU(), GELU(), GELU(form="tanh"), Softplus(), SELU(), ELU(alpha=0.5)]
ACTIVATIONS = [ReLU(), LeakyReLU(), PReLU(), Identity(), *SMOOTH]
OTHERS = [BatchNorm(), LayerNorm(), Dropout(0.3), Sequential(layers=[Linear(3), Softmax()])]
ENDS = {  # what may end a net, by loss; the others need no activation
    "binary_cross_entropy": [Sigmoid()],
    "binary_focal": [Sigmoid()],
    "cross_entropy": [Softmax()],
    "focal": [Softmax()],
    "poisson": [Exp(), Softplus()],
    "gamma": [Exp(), Softplus()],
}


@dataclass(frozen=True)
class Training:
    """A net, its rows and a plan."""

    layers: tuple[Layer, ...] = (Linear(6), ReLU(), Linear(2))
    loss: Loss = field(default_factory=MSE)
    tables: tuple[EmbeddingTable, ...] = ()
    members: int = 1
    rows: int = 30
    batches: dict[str, Any] = field(default_factory=lambda: {"size": 7})
    weights: str = "none"
    plan: dict[str, Any] = field(default_factory=dict)
    optimizer: Stepper = field(default_factory=Adam)
    lr: float = 0.02
    epochs: int = 2
    scale: float = 1.0  # of the inputs

    def model(self, dtype: str, nudged: bool = False) -> Model:
        """The net before training."""
        rngs = [np.random.default_rng(j) for j in range(self.members)]
        embedding = Embedding(tables=self.tables) if self.tables else None
        rng = rngs if self.members > 1 else rngs[0]
        model = Model(self.layers, self.loss, (N_INPUTS,), dtype, rng, embedding, self.members)
        if nudged:
            _round_otherwise(model)
        return model

    def arrays(self, dtype: str, model: Model) -> list[Array]:
        """X, y and the weights of the rows, if there are any."""
        rng = np.random.default_rng(2)
        X = rng.normal(size=(self.rows, N_INPUTS)) * self.scale
        for table in self.tables:
            X[:, table.place] = rng.integers(-1, table.rows, self.rows)
        (n,), loss = model.output_shape, self.loss
        if loss.task == "classification":
            several = isinstance(loss, BinaryCrossEntropy) and n > 1  # labels, each of two classes
            y = loss.encode(
                rng.integers(2, size=(self.rows, n)) if several else rng.integers(max(2, n), size=self.rows), n
            )
        else:
            y = loss.encode(rng.gamma(2.0, size=(self.rows, 1 if isinstance(loss, Quantile) else n)), n)
        weights = {
            "none": [],
            "rows": [rng.random(self.rows)],
            "often 0": [np.where(rng.random(self.rows) < 0.8, 0, rng.random(self.rows))],
            "members": [rng.integers(0, 3, (self.rows, self.members)).astype(float)],
        }[self.weights]
        return [array.astype(dtype) for array in (X, y, *weights)]

    def trainer(
        self, engine: Any, dtype: str = "float64", *, nudged: bool = False, callbacks: Sequence[Callback] = ()
    ) -> Trainer:
        """A trainer that has not begun."""
        model = self.model(dtype, nudged)
        plan = Plan(self.optimizer, self.lr, engine=engine, seed=4, **self.plan)
        return Trainer(model, Batches(self.rows, seed=3, **self.batches), plan, callbacks, lambda: {"val_loss": 1.0})

    def train(self, engine: Any, dtype: str = "float64", *, nudged: bool = False, staged: bool = False) -> Trainer:
        """The trainer after training; `staged` puts the rows on disk."""
        trainer = self.trainer(engine, dtype, nudged=nudged)
        trainer.train(self.as_rows(dtype, trainer.model, staged), self.epochs)
        assert isinstance(trainer._loop, CompiledLoop) == (engine == "compiled")
        return trainer

    def as_rows(self, dtype: str, model: Model, staged: bool = False) -> TrainingRows:
        """The rows to train on."""
        X, y, *weight = self.arrays(dtype, model)
        if not staged:
            return RowsInMemory(X, y, *weight)
        rows = RowsOnDisk(X.shape[1], y.shape[1], bool(weight), dtype, self.rows)
        for start in range(0, self.rows, 13):
            part = slice(start, start + 13)
            rows.append(X[part], y[part], weight[0][part] if weight else None)
        return rows


def _round_otherwise(model: Model) -> None:
    """Change half of the weights by one bit, and every gradient by what rounding may change."""
    rng, w, differentiate = np.random.default_rng(1), model.parameters.learned, model.differentiate
    w[...] = np.where(rng.random(w.shape) < 0.5, np.nextafter(w, w.dtype.type(np.inf)), w)

    def inexactly(*arguments: Any) -> float:
        loss, gradient = differentiate(*arguments), model.gradients.vector
        noise = rng.uniform(-1, 1, gradient.shape) * np.finfo(gradient.dtype).eps
        gradient += (noise * np.abs(gradient).max()).astype(gradient.dtype)
        return loss

    vars(model)["differentiate"] = inexactly


def left_behind(trainer: Trainer) -> dict[str, Array]:
    """All numbers that a training leaves behind: weights, optimizer states, averages, losses."""
    numbers = {f"weights.{name}": array for name, array in trainer.model.parameters.arrays.items()}
    numbers |= {f"optimizer.{name}": array for name, array in trainer.optimizer_state.items() if name != "buffer"}
    progress = trainer.progress
    counts = [progress.step, progress.batch, progress.loss, progress.weight, progress.lr or 0.0]
    numbers |= {f"progress.{i}": np.array(count, float) for i, count in enumerate(counts)}
    return numbers | {"raw": np.array(trainer.average.raw)}


def some_layers(pool: Sequence[Layer], depth: int = 2) -> st.SearchStrategy[tuple[Layer, ...]]:
    """Layers that can follow any shape, blocks among them."""
    widths = st.integers(1, 6)
    simple = st.sampled_from(pool)
    activation = st.sampled_from([layer for layer in pool if not isinstance(layer, Dropout | Sequential)])
    kinds = [
        simple,
        st.builds(Linear, widths, bias=st.booleans()),
        st.builds(Dense, widths, activation=activation, bias=st.booleans()),
    ]
    if depth:
        inside = some_layers(pool, depth - 1)
        kinds += [
            inside.map(lambda layers: Sequential(layers=layers)),
            inside.map(lambda layers: Residual(layers=layers)),
        ]
    return st.lists(st.one_of(kinds), min_size=1, max_size=4).map(tuple)


@st.composite
def trainings(
    draw: st.DrawFn,
    pool: Sequence[Layer],
    losses: Sequence[Loss],
    optimizers: Sequence[Stepper],
    schedules: Sequence[Schedule],
    *,
    everything: bool = True,
    members: bool = True,
) -> Training:
    """A training of parts from these pools."""
    body = draw(some_layers(pool))
    if everything and draw(st.booleans()):
        body = (Linear(6), Reshape(shape=draw(st.sampled_from([[2, 3], [3, 2], [1, 3, 2]]))), *body, Flatten())
    loss = draw(st.sampled_from(losses))
    classes = 2 if loss.name.startswith("binary") else draw(st.integers(2, 4))
    targets = 1 if isinstance(loss, Quantile) else draw(st.integers(1, 3))
    n_outputs = loss.n_outputs(classes if loss.task == "classification" else None, targets)
    end = draw(st.sampled_from([(), *[(each,) for each in ENDS.get(loss.name, [])]]))
    if end and loss.task == "regression":
        body = (*body, LayerNorm())  # so that the exponential stays small
    optimizer = draw(st.sampled_from(optimizers))
    n_members = draw(st.integers(1, 5 if everything else 3)) if members else 1
    size = draw(st.integers(4, 40))
    replacement = draw(st.booleans())
    # Two rows normalized by batch_norm are 1 and -1 whatever they were, which leaves gradients of nothing but rounding.
    batches = {
        "size": size,
        "smallest": 4,
        "replacement": replacement,
        "shuffle": draw(st.booleans()),
        "drop_last": draw(st.booleans()),
    }
    rows = draw(st.integers(max(20, size), 60))
    weights = draw(st.sampled_from(["none", "rows", "often 0", *(["members"] if n_members > 1 else [])]))
    plan: dict[str, Any] = {
        "accumulate": draw(st.sampled_from([1, 1, 2, 3])),
        "averaging": draw(st.sampled_from([None, EMA(0.9), SWA(0.4)])),
        "clip": draw(st.sampled_from([None, Clip(norm=0.5), Clip(value=0.1), Clip(norm=1.0, value=0.2)])),
        "penalty": draw(st.sampled_from([Penalty(), Penalty(l1=0.1), Penalty(l2=0.1), Penalty(l1=0.1, l2=0.01)])),
        "schedule": draw(st.sampled_from(schedules)),
        "edition": draw(st.sampled_from([1, 2])),
    }
    return Training(
        layers=(*body, Linear(n_outputs), *end),
        loss=loss.model_copy(update={"reduction": draw(st.sampled_from(["mean", "mean", "sum"]))}),
        tables=TABLES if everything and draw(st.booleans()) else (),
        members=n_members,
        rows=rows,
        batches=batches,
        weights=weights,
        plan=plan,
        optimizer=optimizer.model_copy(update={"weight_decay": draw(st.sampled_from([0.0, 0.0, 0.1]))}),
        lr=draw(st.sampled_from([0.001, 0.01])),
        epochs=draw(st.integers(1, 3)),
    )
