"""Every layer and loss computes the same as operations of a pipeline as it does in NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.errors import ExportError
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.identity import Identity
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.losses.quantile import Quantile
from nnfs_cli.nn.model import Model
from nnfs_cli.pipeline.cells import column
from nnfs_cli.pipeline.elementwise import cast
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import concatenate, reshape, take
from nnfs_cli.pipeline.value import Value, constant

EXAMPLES = [Layer.resolve(yaml.safe_load(example)) for layer in Layer.registered.values() for example in layer.examples]
LOSSES = [Loss.resolve(yaml.safe_load(example)) for loss in Loss.registered.values() for example in loss.examples]
CLOSE = {"float32": 2e-6, "float64": 1e-13}
ALL_SIZES = [(dtype, members) for dtype in CLOSE for members in (1, 3)]


def computed(found: Value, columns: Mapping[str, Value], X: Array) -> Array:
    """Return a value (rows, *features) of a pipeline over columns whose cells are X (rows, columns)."""
    n = int(np.prod(found.features))
    outputs = {str(i): take(reshape(found, [n]), [i]) for i in range(n)}
    cells = dict(zip(columns, X.T.astype(np.float64), strict=True))
    arrays, usable = evaluate(Pipeline(columns, outputs, constant([True])), cells)
    assert usable.all()
    return np.stack([*arrays.values()], axis=1).reshape(len(X), *found.features)


def inputs(n: int) -> tuple[Value, dict[str, Value]]:
    columns = {f"x{i}": column(f"x{i}", "number") for i in range(n)}
    return concatenate([*columns.values()]), columns


def assert_same(model: Model, X: Array) -> None:
    """Assert that the operations of a net compute what it predicts."""
    found, columns = inputs(X.shape[1])
    y = computed(model.operations(found), columns, X)
    expected = model.predict(X.astype(model.dtype))
    assert y.dtype == model.dtype
    scale = np.abs(expected).max() or 1
    np.testing.assert_allclose(y / scale, expected / scale, rtol=0, atol=CLOSE[model.dtype.name])


def shaken(model: Model) -> Model:
    """Return the model with all parameters moved, so that no bias is 0 and no running statistic as it began."""
    model.parameters.vector[...] += np.random.default_rng(3).uniform(0.05, 0.4, model.parameters.vector.shape)
    return model


def net(layers: list[Layer], n: int, dtype: str, members: int, loss: Loss | None = None) -> Model:
    rngs = [np.random.default_rng(seed) for seed in range(members)]
    return shaken(Model(layers, loss or MSE(), (n,), dtype, rngs, None, members))


def rows(n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(scale=2, size=(40, n)).astype(np.float32)


@pytest.mark.parametrize(("dtype", "members"), ALL_SIZES)
@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_a_layer_alone(layer: Layer, dtype: str, members: int) -> None:
    assert_same(net([layer], 4, dtype, members), rows(4))


@pytest.mark.parametrize(("dtype", "members"), ALL_SIZES)
@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_a_layer_inside_a_net(layer: Layer, dtype: str, members: int) -> None:
    assert_same(net([Linear(4), Tanh(), layer, Linear(2)], 3, dtype, members), rows(3))


@pytest.mark.parametrize(("dtype", "members"), ALL_SIZES)
@pytest.mark.parametrize("layer", [one for one in EXAMPLES if one.name not in ("flatten", "reshape")], ids=str)
def test_a_layer_on_rows_of_several_axes(layer: Layer, dtype: str, members: int) -> None:
    assert_same(net([Reshape((3, 4)), layer, Linear(2)], 12, dtype, members), rows(12))


ANY_WIDTH = [one for one in EXAMPLES if one.name not in ("reshape", "cumulative_logits")]


@settings(max_examples=20)
@given(
    layers=st.lists(st.sampled_from(ANY_WIDTH), min_size=1, max_size=4),
    axes=st.lists(st.integers(2, 4), min_size=1, max_size=3),
    members=st.integers(1, 4),
    dtype=st.sampled_from(list(CLOSE)),
)
def test_any_layers_on_rows_of_any_shape(layers: list[Layer], axes: list[int], members: int, dtype: str) -> None:
    n = math.prod(axes)
    assert_same(net([Reshape(axes), *layers, Linear(1), Tanh()], n, dtype, members), rows(n))


@pytest.mark.parametrize(("dtype", "members"), ALL_SIZES)
def test_layers_in_layers(dtype: str, members: int) -> None:
    text = "[residual: [batch_norm, dense: {units: 5, activation: gelu}, dropout], sequential: [layer_norm, prelu]]"
    layers = [Layer.resolve(one) for one in yaml.safe_load(text)]
    assert_same(net([*layers, Linear(1)], 4, dtype, members), rows(4))


@pytest.mark.parametrize(("dtype", "members"), ALL_SIZES)
@pytest.mark.parametrize("places", [(1, 3), (0, 1, 2, 3)])
def test_embedding(dtype: str, members: int, places: tuple[int, ...]) -> None:
    tables = tuple(EmbeddingTable(place, 5, 2 + i, f"c{place}") for i, place in enumerate(places))
    rngs = [np.random.default_rng(seed) for seed in range(members)]
    layers = [Linear(3), Tanh(), Linear(1)]
    model = shaken(Model(layers, MSE(), (4,), dtype, rngs, Embedding(tables=tables), members))
    X = rows(4)
    X[:, places] = np.random.default_rng(1).integers(-1, 5, (len(X), len(places)))
    assert_same(model, X)


@pytest.mark.parametrize("text", ["sigmoid", "softplus", "softmax", "gelu", "{gelu: tanh}", "tanh", "silu", "elu"])
@pytest.mark.parametrize("dtype", CLOSE)
def test_extreme_inputs_do_not_overflow(text: str, dtype: str) -> None:
    X = np.array([[-1e4, 0.0, 1e4], [-1e-9, 1e-9, 40.0], [88.0, -88.0, -700.0], [1e4, 1e4, 1e4]], np.float32)
    assert_same(net([Layer.resolve(yaml.safe_load(text))], 3, dtype, 1), X)


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(("loss", "last"), [(BinaryCrossEntropy(), 1), (CrossEntropy(), 3)])
def test_the_activation_that_belongs_to_the_loss(loss: Loss, last: int, members: int) -> None:
    assert_same(net([Linear(4), Tanh(), Linear(last)], 3, "float64", members, loss), rows(3))


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("n", [1, 2, 6])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_loss(loss: Loss, n: int, dtype: str) -> None:
    """Probabilities cross here, and quantiles, too."""
    n *= len(loss.levels) if isinstance(loss, Quantile) else 1
    found, columns = inputs(n)
    y_hat = np.random.default_rng(n).uniform(size=(20, n)).astype(dtype)
    y = cast(found, "float32" if dtype == "float32" else "float64")
    close = {"rtol": 1e-12 if dtype == "float64" else 1e-6, "atol": 1e-15 if dtype == "float64" else 1e-7}
    np.testing.assert_allclose(computed(loss.answer_operations(y), columns, y_hat), loss.answer(y_hat), **close)
    pool, pooled = loss.to_pool_operations(y), loss.to_pool(y_hat)
    np.testing.assert_allclose(computed(pool, columns, y_hat), pooled, **close)
    back = computed(loss.from_pool_operations(pool), columns, y_hat)
    np.testing.assert_allclose(back, loss.from_pool(pooled), **close)
    quantiles, expected = loss.quantile_operations(y), loss.quantiles(y_hat)
    assert quantiles.keys() == expected.keys()
    for level, value in quantiles.items():
        np.testing.assert_allclose(computed(value, columns, y_hat), expected[level], **close)


@pytest.mark.parametrize("component", [*Layer.registered.values(), *Loss.registered.values()], ids=lambda one: one.name)
def test_every_layer_and_loss_says_what_it_computes(component: type[Component]) -> None:
    example = component.resolve(yaml.safe_load(component.examples[0]))
    example.require_operations()


class Shifted(Tanh):
    """A layer derived from one that has operations, which are not its own."""

    def forward(self, *about: object) -> object:  # type: ignore[override]
        raise NotImplementedError


class Halved(MSE):
    """A loss with an answer of its own."""

    def answer(self, y_hat: Array) -> Array:
        return y_hat / 2


def test_a_layer_without_operations_is_named() -> None:
    class Own(Layer):
        def forward(self, *about: object) -> object:  # type: ignore[override]
            raise NotImplementedError

    Own.name = "own"
    for layer, name in ((Own(), "own"), (Shifted(), "tanh")):
        model = Model([Dropout(), BatchNorm(), layer, Identity()], MSE(), (3,))
        with pytest.raises(ExportError, match=f"the layer {name} has no method `operations`"):
            model.operations(inputs(3)[0])


def test_a_loss_without_operations_is_named() -> None:
    with pytest.raises(ExportError, match="the loss mse has no method `answer_operations`"):
        Halved().require_operations()
