"""The compiled pass against what we did not write: PyTorch's numbers, and differences of the loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose

from nnfs_cli import Linear, Tanh
from nnfs_cli.data.batches import Batches
from nnfs_cli.nn.embedding import EmbeddedSequential, Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.training.compiled.losses import loss_twin_of
from nnfs_cli.training.compiled.passes import recordable
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.schedules import Constant
from nnfs_cli.training.trainer import Trainer
from tests.conftest import EXAMPLES
from tests.nn.test_parity import ACTIVATIONS, LAYERS, LOSSES, reference, resolved
from tests.training.compiled.recorded import buffer_of, run
from tests.training.compiled.trainings import SMOOTH, Training, trainings

each_way = pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["as Python", "as machine code"]
)


def assert_equal(ours: Any, theirs: Any) -> None:
    assert_allclose(ours, np.array(theirs), rtol=1e-9, atol=1e-15)


def recorder_for(rows: int) -> Recorder:
    recorder = Recorder(np.dtype(float))
    recorder.begin(rows)
    return recorder


@each_way
@pytest.mark.parametrize("text", ACTIVATIONS)
def test_the_twin_of_an_activation_equals_pytorch(text: str, compiled: bool) -> None:
    theirs, layer = reference("activations"), resolved(Layer, text)
    x = np.array(theirs["x"])
    p, g = (Parameters(layer.build(x.shape[1:])[1], "float64") for _ in range(2))
    p.initialize(np.random.default_rng(0))
    recorder = recorder_for(len(x))
    y, backward = recordable(layer).forward(p.views, buffer_of(recorder, x), recorder)
    dx = backward(buffer_of(recorder, np.array(theirs["dy"])), g.views, True)
    run(recorder, compiled=compiled)
    assert_equal(y, theirs["answers"][text]["y"])
    assert_equal(dx, theirs["answers"][text]["dx"])


@pytest.mark.slow
@pytest.mark.parametrize("text", LAYERS)
def test_the_twin_of_a_layer_and_its_gradients_equal_pytorch(text: str) -> None:
    theirs, layer = reference("layers")["answers"][text], resolved(Layer, text)
    shape = np.shape(theirs["passes"][0]["x"])
    p, g = (Parameters(layer.build(shape[1:])[1], "float64") for _ in range(2))
    for name, array in p.arrays.items():
        array[...] = theirs["parameters"][name]
    for batch in theirs["passes"]:
        recorder = recorder_for(len(batch["x"]))
        y, backward = recordable(layer).forward(p.views, buffer_of(recorder, np.array(batch["x"])), recorder)
        dx = backward(buffer_of(recorder, np.array(batch["dy"])), g.views, True)
        run(recorder, compiled=True)
        assert_equal(y, batch["y"])
        assert_equal(dx, batch["dx"])
        for name, wanted in batch["gradients"].items():
            assert_equal(g.arrays[name], wanted)
    for name, array in theirs["kept"].items():
        assert_equal(p.arrays[name], array)


@pytest.mark.slow
def test_the_twin_of_an_embedding_and_its_gradients_equal_pytorch() -> None:
    theirs = reference("lookup")
    embedding = Embedding(tables=tuple(EmbeddingTable(*place, name) for name, place in theirs["tables"].items()))
    net, x = EmbeddedSequential(layers=(Linear(units=3), Tanh()), embedding=embedding), np.array(theirs["x"])
    p, g = (Parameters(net.build(x.shape[1:])[1], "float64") for _ in range(2))
    for name, array in p.arrays.items():
        array[...] = theirs["parameters"][name]
    g.vector[:] = 9  # what was there before is overwritten
    recorder = recorder_for(len(x))
    y, backward = recordable(net).forward(p.views, buffer_of(recorder, x), recorder)
    backward(buffer_of(recorder, np.array(theirs["dy"])), g.views, False)
    run(recorder, compiled=True)
    assert_equal(y, theirs["y"])
    for name, array in g.arrays.items():
        assert_equal(array, theirs["gradients"][name])


@each_way
@pytest.mark.parametrize(("side", "i"), LOSSES)
def test_the_twin_of_a_loss_and_its_gradient_equal_pytorch(side: str, i: int, compiled: bool) -> None:
    theirs, weight = reference("losses")[side][i], np.array(reference("losses")["weight"])
    loss, x = resolved(Loss, theirs["loss"]), np.array(theirs["x"])
    y = loss.encode(np.array(theirs["y"]), x.shape[1]).astype("float64")
    recorder = recorder_for(len(x))
    twin = loss_twin_of(loss, side == "from_logits" and loss.activation is not None)
    losses, backward = twin(loss, buffer_of(recorder, x), buffer_of(recorder, y), recorder)
    gradient = backward(buffer_of(recorder, weight))
    run(recorder, compiled=compiled)
    assert_equal(losses, theirs["losses"])
    assert_equal(gradient, theirs["weighted"])


# Whole nets

LOSSES_WITHOUT_CORNERS = [Loss.resolve(name) for name in ("mse", "log_cosh", "binary_cross_entropy", "cross_entropy")]
PLAIN = trainings(SMOOTH, LOSSES_WITHOUT_CORNERS, [Adam()], [Constant()], members=False)


@pytest.mark.slow
@settings(max_examples=2 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN)
def test_the_step_of_gradient_descent_is_the_slope_of_the_loss(training: Training) -> None:
    """By central differences in some random directions, over one batch of all rows."""
    model = replace(training, plan={}).model("float64")
    X, y, *weight = training.arrays("float64", model)
    batches = Batches(len(X), len(X), shuffle=False)
    trainer = Trainer(model, batches, Plan(SGD(), 1.0, engine="compiled", seed=4))
    w = model.parameters.vector
    start = w.copy()
    trainer.fit(X, y, 1, *weight)
    gradient = start - w
    total = len(X) * (float(weight[0].mean()) if weight else 1.0)

    def loss_at(vector: np.ndarray) -> float:
        np.copyto(w, vector)
        loss = model.differentiate(X, y, weight[0] if weight else None, None, total)
        return loss * model.loss.row_weight(total)

    rng, h = np.random.default_rng(0), 1e-5
    for _ in range(3):
        direction = rng.standard_normal(w.shape)
        slope = (loss_at(start + h * direction) - loss_at(start - h * direction)) / (2 * h)
        size = float(np.linalg.norm(gradient)) * float(np.linalg.norm(direction))
        assert slope == pytest.approx(float(gradient @ direction), rel=1e-5, abs=1e-7 * size + 1e-9)
