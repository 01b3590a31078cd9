"""Every layer and every loss against central differences, over the whole flat vector of a net.

A new component joins by declaring its `examples`; nothing here names one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli.arrays import Array
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.gradient_check import gradient_error, numerical_gradient
from nnfs_cli.nn.layers import Backward, Context, Layer
from nnfs_cli.nn.layers.exp import Exp
from nnfs_cli.nn.layers.flatten import Flatten
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.softplus import Softplus
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views

LAYERS = [(name, example) for name, layer in Layer.registered.items() for example in layer.examples]
ENDINGS: tuple[Layer | None, ...] = (None, Sigmoid(), Softmax(), Exp(), Softplus())
TOLERANCE = 1e-7


def resolved(family: Any, example: str) -> Any:
    return family.resolve(yaml.safe_load(example))


def outputs(loss: Loss, size: int) -> int:
    """How many the loss needs for so many classes or targets; 0 if they are not for it."""
    try:
        return loss.n_outputs(*((size, 1) if loss.task == "classification" else (None, size)))
    except ValueError:
        return 0


def can_end(loss: Loss, ending: Layer | None, n_outputs: int) -> bool:
    """Whether the loss takes what this ending gives; softmax of a single output gives nothing."""
    if ending is None:
        return True
    possible = loss.activation is None or ending.output_range == loss.activation.output_range
    return possible and not (n_outputs == 1 and isinstance(ending, Softmax))


def batch(loss: Loss, size: int, rows: int = 7) -> tuple[Array, Array]:
    """Rows of four numbers, and so many classes or targets, which are counts where the loss is for them."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, 4))
    truth: Array = np.arange(rows) % size
    if loss.task == "regression":
        truth = rng.poisson(3, (rows, size)) if loss.target_range else rng.standard_normal((rows, size))
    return x, loss.encode(truth, outputs(loss, size)).astype(np.float64)


def build(layers: list[Layer], loss: Loss) -> Model:
    return Model(layers, loss, (4,), "float64", np.random.default_rng(1))


LOSSES = [
    pytest.param(loss, size, ending, id=f"{example}-{size}-{ending.name if ending else 'logits'}")
    for member in Loss.registered.values()
    for example in member.examples
    for loss in [resolved(Loss, example)]
    for size in (2, 3)
    for ending in ENDINGS
    if outputs(loss, size) and can_end(loss, ending, outputs(loss, size))
]


@pytest.mark.parametrize("family", [Layer, Loss])
def test_every_component_declares_examples(family: Any) -> None:
    assert [name for name, member in family.registered.items() if not member.examples] == []


@pytest.mark.parametrize(("name", "example"), LAYERS)
@pytest.mark.parametrize("place", ["first", "inside", "last"])
def test_layer(name: str, example: str, place: str) -> None:
    layer = resolved(Layer, example)
    layers = {
        "first": [layer, Linear(units=2)],
        "inside": [Linear(units=4), layer, Linear(units=2)],
        "last": [Linear(units=4), layer],
    }[place]
    model = build([*layers, Flatten()], MSE())
    x, y = batch(MSE(), model.output_shape[0])
    assert gradient_error(model, x, y, draws=lambda: np.random.default_rng(5)) < TOLERANCE


@pytest.mark.parametrize(("loss", "size", "ending"), LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_loss(loss: Loss, size: int, ending: Layer | None, weighted: bool, reduction: str) -> None:
    """With its own activation, with that of another, which runs as written, and with none."""
    loss = loss.model_copy(update={"reduction": reduction})
    model = build([Linear(units=5), Tanh(), Linear(units=outputs(loss, size)), *([ending] if ending else [])], loss)
    x, y = batch(loss, size)
    assert gradient_error(model, x, y, np.linspace(0, 2, len(x)) if weighted else None) < TOLERANCE


TABLES = (EmbeddingTable(3, 4, 3, "zip"), EmbeddingTable(1, 3, 2, "city"))  # in any order


def coded(rows: int = 9) -> tuple[Array, Array]:
    """Rows of six inputs, of which the second and the fourth are codes; -1 is for a word that has none."""
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((rows, 6)), rng.standard_normal((rows, 2))
    x[:, 1], x[:, 3] = rng.integers(-1, 3, rows), rng.integers(-1, 4, rows)
    x[0, [1, 3]] = x[1, [1, 3]] = -1, 2  # two rows of one word
    return x, y


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "body", ["[linear: 5, tanh, linear: 2]", "[batch_norm, {dropout: 0.3}, linear: 2]", "[residual: [linear: 2]]"]
)
@pytest.mark.parametrize("tables", [TABLES, TABLES[:1], (EmbeddingTable(5, 2, 1, "one"),)], ids=[2, 1, "width 1"])
def test_embedding(tables: tuple[EmbeddingTable, ...], body: str, weighted: bool) -> None:
    x, y = coded()
    x[:, 5] = np.arange(len(x)) % 2
    layers, embedding = resolved(Layer, f"sequential: {body}").layers, Embedding(tables=tables)
    model = Model(layers, MSE(), (6,), "float64", np.random.default_rng(1), embedding)
    weight = np.linspace(0, 2, len(x)) if weighted else None
    assert gradient_error(model, x, y, weight, draws=lambda: np.random.default_rng(5)) < TOLERANCE
    before = {name: array.copy() for name, array in model.gradients.arrays.items() if name.startswith("lookup")}
    assert set(before) == {f"lookup.{table.name}.weight" for table in tables}
    model.differentiate(x, y, weight, lambda: np.random.default_rng(5))
    for name, array in before.items():  # nothing of the batch before is left in it
        np.testing.assert_array_equal(model.gradients.arrays[name], array)


def test_a_negative_code_gives_zeros_and_has_no_gradient() -> None:
    x, y = coded()
    model = Model([Linear(units=2)], MSE(), (6,), "float64", np.random.default_rng(1), Embedding(tables=TABLES))
    arrays = model.parameters.arrays
    zip_, city = arrays["lookup.zip.weight"], arrays["lookup.city.weight"]
    vectors = [np.where(x[:, [i]] < 0, 0, table[x[:, i].astype(int)]) for i, table in ((3, zip_), (1, city))]
    seen = np.concatenate([x[:, [0, 2, 4, 5]], *vectors], axis=1)
    expected = seen @ arrays["0.weight"] + arrays["0.bias"]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12)
    x[:, 1] = -1
    model.differentiate(x, y)
    assert not model.gradients.arrays["lookup.city.weight"].any()
    assert model.gradients.arrays["lookup.zip.weight"].any()


def test_vectors_of_absent_categories_have_no_gradient() -> None:
    x, y = coded()
    x[:, 1], x[:, 3] = 1, 0
    model = Model([Linear(units=2)], MSE(), (6,), "float64", np.random.default_rng(1), Embedding(tables=TABLES))
    model.gradients.vector[:] = 9
    model.differentiate(x, y)
    moved = {name: array.any(axis=1).tolist() for name, array in model.gradients.arrays.items() if "lookup" in name}
    assert moved == {"lookup.city.weight": [False, True, False], "lookup.zip.weight": [True, False, False, False]}


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
    assert gradient_error(model, *batch(MSE(), 2)) > 1e-3


def test_the_numerical_gradient_is_the_gradient_of_the_mean_loss() -> None:
    model = build([Linear(units=1)], MSE())
    x, y = batch(MSE(), 1)
    error = x @ model.parameters.arrays["0.weight"] + model.parameters.arrays["0.bias"] - y
    closed_form = np.concatenate([2 * x.T @ error, 2 * error.sum(axis=0, keepdims=True)]).ravel() / len(x)
    np.testing.assert_allclose(numerical_gradient(model, x, y), closed_form, rtol=1e-8)


def test_the_numerical_gradient_refuses_float32() -> None:
    model = Model([Linear(units=1)], MSE(), (4,), "float32", np.random.default_rng(0))
    with pytest.raises(ValueError, match="float64"):
        numerical_gradient(model, np.ones((2, 4)), np.ones((2, 1)))
