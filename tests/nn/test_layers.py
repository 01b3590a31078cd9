"""Layers: their formulas, and the contract that all of them keep."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import yaml
from scipy import special

from nnfs_cli.arrays import Array
from nnfs_cli.nn.gradient_check import gradient_error
from nnfs_cli.nn.initializers import Initializer
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.flatten import Flatten
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Parameters, Views
from tests.nn.passes import forward, learning, resolved

EXAMPLES = [Layer.resolve(yaml.safe_load(example)) for layer in Layer.registered.values() for example in layer.examples]
EXTREME = np.array([[-1000.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 40.0, 1000.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "reference"),
    [
        (Sigmoid(), special.expit),
        (Tanh(), np.tanh),
        (ReLU(), lambda x: np.where(x > 0, x, 0)),
        (Softmax(), lambda x: special.softmax(x, axis=-1)),
    ],
)
def test_activation_equals_reference_without_overflow(layer: Layer, reference: object, dtype: str) -> None:
    x = EXTREME.astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, _ = forward(layer, x)
    np.testing.assert_allclose(y, reference(x), rtol=4 * np.finfo(dtype).eps, atol=0)


def test_sigmoid_keeps_small_probabilities() -> None:
    y, _ = forward(Sigmoid(), np.array([[-700.0]]))
    assert y.item() == pytest.approx(np.exp(-700.0), rel=1e-12)


def test_linear_is_the_affine_map() -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    y, parameters = forward(Linear(units=3, bias_init=Initializer.resolve({"normal": 1.0})), x)
    np.testing.assert_allclose(y, x @ parameters.arrays["weight"] + parameters.arrays["bias"], rtol=1e-14)


def test_dense_is_linear_and_activation() -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    dense, _ = forward(Dense(units=3, activation=Tanh()), x)
    sequence, _ = forward(Sequential(layers=(Linear(units=3), Tanh())), x)
    np.testing.assert_array_equal(dense, sequence)


@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_gradients_are_overwritten_not_added(layer: Layer) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    shape, tree = layer.build((4,))
    p, g = Parameters(tree, "float64"), Parameters(tree, "float64")
    p.initialize(np.random.default_rng(1))
    context, gradients = Context("float64"), []
    for _ in range(2):
        context.begin(len(x))
        _, backward = layer.forward(p.views, x, context)
        dx = backward(np.ones((6, *shape)), g.views, True)
        gradients.append((dx.copy(), g.vector.copy()))
    np.testing.assert_array_equal(gradients[0][0], gradients[1][0])
    np.testing.assert_array_equal(gradients[0][1], gradients[1][1])


@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_a_forward_pass_does_not_change_its_input(layer: Layer) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    before = x.copy()
    forward(layer, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_a_backward_pass_does_not_change_its_arguments(layer: Layer) -> None:
    """Someone else may still need it: a residual block gives the same dy to its layers and to its shortcut."""
    x = np.random.default_rng(0).standard_normal((6, 4))
    shape, tree = layer.build((4,))
    p, g = Parameters(tree, "float64"), Parameters(tree, "float64")
    p.initialize(np.random.default_rng(1))
    dy = np.random.default_rng(2).standard_normal((6, *shape))
    _, backward = layer.forward(p.views, x, learning(6))
    given = x, dy, p.vector
    before = [array.copy() for array in given]
    backward(dy, g.views, True)
    for array, expected in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_a_second_pass_uses_the_buffers_of_the_first(layer: Layer) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    shape, tree = layer.build((4,))
    p, g, context = Parameters(tree, "float64"), Parameters(tree, "float64"), Context("float64")
    shelves = []
    for _ in range(2):
        context.begin(len(x))
        _, backward = layer.forward(p.views, x, context)
        backward(np.ones((6, *shape)), g.views, True)
        shelves.append([id(buffer) for buffer in context._shelf])
    assert shelves[0] == shelves[1]


@pytest.mark.parametrize("layer", EXAMPLES, ids=str)
def test_members_broadcast_over_a_leading_axis(layer: Layer) -> None:
    """The mathematics is written for the last axes: three nets at once give what each gives alone."""
    rng = np.random.default_rng(0)
    shape, tree = layer.build((4,))
    layout = Parameters(tree, "float64").layout
    weights, x, dy = (np.abs(rng.standard_normal((3, *axes))) for axes in ((layout.size,), (6, 4), (6, *shape)))

    def passes(weights: Array, x: Array, dy: Array) -> list[Array]:
        """The output, the gradients, and what is kept in the end."""
        kept, gradient = weights.copy(), np.zeros((*weights.shape[:-1], layout.learned))
        y, backward = layer.forward(layout.views(kept), x, learning(6, members=3 if weights.ndim > 1 else 1))
        return [y.copy(), backward(dy, layout.views(gradient), True).copy(), gradient, kept]

    alone = [passes(*each) for each in zip(weights, x, dy, strict=True)]
    for together, each in zip(passes(weights, x, dy), zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(together, each, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_at_its_rate_and_keeps_the_mean(rate: float, dtype: str) -> None:
    x = np.ones((1000, 100), dtype)
    y, backward = Dropout(rate=rate).forward(Views({}), x, learning(1000, dtype=dtype))
    assert y.dtype == dtype
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)
    deviation = math.sqrt(rate * (1 - rate) / x.size)
    assert (y == 0).mean() == pytest.approx(rate, abs=5 * deviation)
    assert y.mean() == pytest.approx(1, abs=5 * deviation / (1 - rate))
    dy = np.random.default_rng(1).standard_normal(x.shape).astype(dtype)
    np.testing.assert_array_equal(backward(dy, Views({}), True), dy * y)  # the same numbers are missing


def test_dropout_draws_from_the_stream_of_its_pass() -> None:
    context = Context("float64", training=True)

    def masks(seed: int) -> list[Array]:
        context.begin(50, lambda: np.random.default_rng(seed))
        return [Dropout().forward(Views({}), np.ones((50, 8)), context)[0].copy() for _ in range(2)]

    (first, second), again, other = masks(1), masks(1), masks(2)
    np.testing.assert_array_equal([first, second], again)
    for mask in (second, other[0]):  # neither another layer nor another stream drops the same numbers
        assert 0.3 < (mask == first).mean() < 0.7


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_dropout_changes_nothing_in_prediction_or_at_rate_0(rate: float) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    for context in (Context("float64"), *([learning(6, None)] if rate == 0 else [])):  # neither has random numbers
        y, backward = Dropout(rate=rate).forward(Views({}), x, context)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(backward(2 * x, Views({}), True), 2 * x)


def test_dropout_in_training_needs_a_random_stream() -> None:
    with pytest.raises(ValueError, match="draws random numbers"):
        Dropout().forward(Views({}), np.ones((6, 4)), learning(6, None))


@pytest.mark.parametrize("momentum", [0.1, 0.3, 1.0])
def test_running_statistics_of_batch_norm_are_exponential_averages(momentum: float) -> None:
    layer, rng = BatchNorm(momentum=momentum, eps=1e-3), np.random.default_rng(0)
    parameters = Parameters(layer.build((3,))[1], "float64")
    parameters.initialize(rng)
    p = parameters.arrays
    p["weight"][...], p["bias"][...] = rng.standard_normal((2, 3))
    batches = [rng.normal(5, 2, (rows, 3)) for rows in (8, 2, 31, 8, 7)]
    for x in batches:
        y, _ = layer.forward(parameters.views, x, learning(len(x)))
        expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3) * p["weight"] + p["bias"]
        np.testing.assert_allclose(y, expected, rtol=1e-11)
    shares = momentum * (1 - momentum) ** np.arange(len(batches))[::-1]
    before = (1 - momentum) ** len(batches)  # what is left of mean 0 and variance 1
    mean = shares @ [x.mean(axis=0) for x in batches]
    var = before + shares @ [x.var(axis=0, ddof=1) for x in batches]
    np.testing.assert_allclose(p["running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(p["running_var"], var, rtol=1e-12)
    kept, context = parameters.vector.copy(), Context("float64")
    for x in batches:  # once learned, every row stands for itself
        context.begin(len(x))
        y, _ = layer.forward(parameters.views, x, context)
        np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-3) * p["weight"] + p["bias"], rtol=1e-11)
    np.testing.assert_array_equal(parameters.vector, kept)


def test_running_statistics_are_saved_but_not_learned() -> None:
    model = Model([Linear(units=2), BatchNorm(), Linear(units=1)], MSE(), (4,), "float64", np.random.default_rng(0))
    learned = ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]
    assert [name for name, spec in model.parameters.layout.specs.items() if spec.learned] == learned
    assert list(model.gradients.arrays) == learned
    assert set(model.parameters.arrays) == {*learned, "1.running_mean", "1.running_var"}
    assert (model.n_parameters, model.parameters.vector.size) == (8 + 2 + 2 + 2 + 2 + 1, 17 + 4)
    x = np.random.default_rng(1).standard_normal((9, 4))
    model.differentiate(x, np.ones((9, 1)))
    other = Model(model.layers.layers, MSE(), (4,), "float64")
    other.load(model.parameters.arrays)
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def normalized(x: Array, axes: tuple[int, ...]) -> Array:
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + 1e-5)


REFERENCES: dict[str, Callable[..., Array]] = {  # of rows x (batch, 2, 3, 4), one number or one sum at a time
    "linear: 5": lambda x, weight, bias: np.einsum("bijk,ku->biju", x, weight) + bias,
    "prelu": lambda x, slope: np.array([v if v > 0 else a * v for v, a in zip(x.flat, itertools.cycle(slope))]),
    "layer_norm": lambda x, weight, bias: normalized(x, (3,)) * weight + bias,
    "batch_norm": lambda x, weight, bias, **kept: normalized(x, (0, 1, 2)) * weight + bias,
    "flatten": lambda x: np.array([[x[b, i, j, k] for i, j, k in np.ndindex(2, 3, 4)] for b in range(len(x))]),
    "reshape: [4, 6]": lambda x: np.array([[row.flat[6 * i : 6 * i + 6] for i in range(4)] for row in x]),
    "residual: [linear: 5]": lambda x, weight, bias, projection: x @ weight + bias + x @ projection,
}


@pytest.mark.parametrize("text", REFERENCES)
def test_rows_of_several_axes(text: str) -> None:
    """What stands on the last axis is learned from all the others as if they were more rows."""
    layer, rng = resolved(text), np.random.default_rng(0)
    x = rng.standard_normal((6, 2, 3, 4))
    shape, tree = layer.build((2, 3, 4))
    p = Parameters(tree, "float64")
    p.vector[:] = rng.standard_normal(p.vector.size)
    given = {name.rpartition(".")[2]: array.copy() for name, array in p.arrays.items()}
    y, _ = layer.forward(p.views, x, learning(6))
    assert y.shape == (6, *shape)
    np.testing.assert_allclose(y, REFERENCES[text](x, **given).reshape(y.shape), rtol=1e-12, atol=1e-12)
    around = [Linear(units=24), Reshape(shape=(2, 3, 4)), layer, Flatten()]  # the first learns by what comes back
    model = Model(around, MSE(), (4,), "float64", rng)
    assert gradient_error(model, rng.standard_normal((6, 4)), rng.standard_normal((6, *model.output_shape))) < 1e-7


def test_gradients_of_linear_sum_over_all_inner_axes() -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((6, 2, 3, 4)), rng.standard_normal((6, 2, 3, 5))
    p, g = (Parameters(Linear(units=5).build((2, 3, 4))[1], "float64") for _ in range(2))
    p.initialize(rng)
    dx = Linear(units=5).forward(p.views, x, learning(6))[1](dy, g.views, True)
    np.testing.assert_allclose(g.arrays["weight"], np.einsum("bijk,biju->ku", x, dy), rtol=1e-12)
    np.testing.assert_allclose(g.arrays["bias"], np.einsum("biju->u", dy), rtol=1e-12)
    np.testing.assert_allclose(dx, np.einsum("biju,ku->bijk", dy, p.arrays["weight"]), rtol=1e-12)
