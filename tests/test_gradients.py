"""Every layer and every loss against central differences, over the whole flat vector of a net.

A new component joins by declaring its `examples`; nothing here names one.
"""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from nnfs_cli.gradient_check import gradient_error, numerical_gradient
from nnfs_cli.layers import Backward, Context, Layer
from nnfs_cli.layers.linear import Linear
from nnfs_cli.layers.tanh import Tanh
from nnfs_cli.losses import Loss
from nnfs_cli.losses.mse import MSE
from nnfs_cli.model import Model
from nnfs_cli.parameters import Array, Views

LAYERS = [(name, example) for name, layer in Layer.members.items() for example in layer.examples]
LOSSES = [
    (name, example, ending)
    for name, loss in Loss.members.items()
    for example in loss.examples
    for ending in ("logits", "sigmoid", "softmax")
    if not (name == "binary_cross_entropy" and ending == "softmax")  # which needs two outputs, where the loss has one
]
TOLERANCE = 1e-7


def resolved(family: type, example: str) -> object:
    return family.resolve(yaml.safe_load(example))


def batch(n_outputs: int, loss: Loss, rows: int = 7) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 4))
    if loss.task == "regression":
        return x, rng.standard_normal((rows, n_outputs))
    truth = np.arange(rows) % max(n_outputs, 2)
    return x, loss.encode(truth, n_outputs).astype(np.float64)


def build(layers: list[Layer], loss: Loss) -> Model:
    return Model(layers, loss, (4,), "float64", np.random.default_rng(1))


@pytest.mark.parametrize("family", [Layer, Loss])
def test_every_component_declares_examples(family: type) -> None:
    assert [name for name, member in family.members.items() if not member.examples] == []


@pytest.mark.parametrize(("name", "example"), LAYERS)
@pytest.mark.parametrize("place", ["first", "inside", "last"])
def test_layer(name: str, example: str, place: str) -> None:
    layer = resolved(Layer, example)
    layers = {
        "first": [layer, Linear(units=2)],
        "inside": [Linear(units=5), layer, Linear(units=2)],
        "last": [Linear(units=3), layer],
    }[place]
    loss = MSE()
    model = build(layers, loss)
    x, y = batch(model.output_shape[0], loss)
    assert gradient_error(model, x, y) < TOLERANCE


@pytest.mark.parametrize(("name", "example", "ending"), LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_loss(name: str, example: str, ending: str, reduction: str) -> None:
    """With its own activation, with that of another, which runs as written, and with none."""
    loss = resolved(Loss, example).model_copy(update={"reduction": reduction})
    n_outputs = loss.n_outputs(2 if name == "binary_cross_entropy" else 3, 3)
    final = [] if ending == "logits" else [Layer.members[ending]()]
    model = build([Linear(units=5), Tanh(), Linear(units=n_outputs), *final], loss)
    x, y = batch(n_outputs, loss)
    assert gradient_error(model, x, y) < TOLERANCE


class WrongTanh(Tanh):
    """Its derivative forgets the square: 1 - y instead of 1 - y²."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        y = np.tanh(x)
        return y, lambda dy, g, need_dx: (1 - y) * dy


class WrongLinear(Linear):
    """Its bias gets the mean of the gradients instead of their sum."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        y, right = super().forward(p, x, context)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            dx = right(dy, g, need_dx)
            g.bias[...] = dy.mean(axis=0)
            return dx

        return y, backward


@pytest.mark.parametrize("wrong", [WrongTanh(), WrongLinear(units=5)])
def test_the_checker_notices_a_wrong_layer(wrong: Layer) -> None:
    model = build([Linear(units=5), wrong, Linear(units=2)], MSE())
    assert gradient_error(model, *batch(2, MSE())) > 1e-3


def test_the_numerical_gradient_is_that_of_the_mean() -> None:
    model = build([Linear(units=1)], MSE())
    x, y = batch(1, MSE())
    error = x @ model.parameters.arrays["0.weight"] + model.parameters.arrays["0.bias"] - y
    closed_form = np.concatenate([2 * x.T @ error, 2 * error.sum(axis=0, keepdims=True)]).ravel() / len(x)
    np.testing.assert_allclose(numerical_gradient(model, x, y), closed_form, rtol=1e-8)


def test_differences_refuse_single_precision() -> None:
    model = Model([Linear(units=1)], MSE(), (4,), "float32", np.random.default_rng(0))
    with pytest.raises(ValueError, match="float64"):
        numerical_gradient(model, np.ones((2, 4)), np.ones((2, 1)))
