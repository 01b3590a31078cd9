"""What layers compute, against SciPy and closed forms, and what they promise each other."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from scipy import special

from nnfs_cli.initializers import Initializer
from nnfs_cli.layers import Context, Layer
from nnfs_cli.layers.base import ShapeError
from nnfs_cli.layers.dense import Dense
from nnfs_cli.layers.linear import Linear
from nnfs_cli.layers.relu import ReLU
from nnfs_cli.layers.sequential import Sequential
from nnfs_cli.layers.sigmoid import Sigmoid
from nnfs_cli.layers.softmax import Softmax
from nnfs_cli.layers.tanh import Tanh
from nnfs_cli.parameters import Array, Parameters

EXAMPLES = [Layer.resolve(yaml.safe_load(example)) for layer in Layer.members.values() for example in layer.examples]
EXTREME = np.array([[-1000.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 40.0, 1000.0]])


def forward(layer: Layer, x: Array, seed: int = 0) -> tuple[Array, Parameters]:
    _, tree = layer.build(x.shape[1:])
    parameters = Parameters(tree, x.dtype)
    parameters.initialize(np.random.default_rng(seed))
    context = Context(x.dtype)
    context.begin(len(x))
    return layer.forward(parameters.views, x, context)[0], parameters


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


def test_nested_sequences_name_their_parameters_by_place() -> None:
    inner = Sequential(layers=(Linear(units=3), Tanh(), Dense(units=2)))
    _, tree = Sequential(layers=(ReLU(), inner)).build((4,))
    assert list(Parameters(tree, "float32").arrays) == ["1.0.weight", "1.0.bias", "1.2.weight", "1.2.bias"]


def test_a_layer_that_does_not_fit_says_so_with_its_place() -> None:
    with pytest.raises(ShapeError, match="single output") as caught:
        Sequential(layers=(Linear(units=1), Softmax())).build((4,))
    assert caught.value.index == (1,)


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
def test_a_layer_leaves_its_input_alone(layer: Layer) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    before = x.copy()
    forward(layer, x)
    np.testing.assert_array_equal(x, before)


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


def test_members_broadcast_over_a_leading_axis() -> None:
    """The mathematics is written for the last axes: three nets at once give what each gives alone."""
    layer, rng = Dense(units=2, activation=Softmax()), np.random.default_rng(0)
    x, weight, bias = rng.standard_normal((5, 4)), rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 2))
    _, tree = layer.build((4,))
    single = Parameters(tree, "float64")
    alone = []
    for member in range(3):
        single.arrays["weight"][...], single.arrays["bias"][...] = weight[member], bias[member]
        context = Context("float64")
        context.begin(5)
        alone.append(layer.forward(single.views, x, context)[0].copy())
    views = type(single.views)({"weight": weight, "bias": bias, "activation": single.views.activation})
    context = Context("float64")
    context.begin(5)
    together, _ = layer.forward(views, np.broadcast_to(x, (3, 5, 4)), context)
    np.testing.assert_allclose(together, alone, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "std"),
    [
        ("uniform_fan_in", 1 / np.sqrt(3 * 300)),
        ("lecun_normal", 1 / np.sqrt(300)),
        ("lecun_uniform", 1 / np.sqrt(300)),
        ("he_normal", np.sqrt(2 / 300)),
        ("he_uniform", np.sqrt(2 / 300)),
        ("xavier_normal", np.sqrt(2 / 500)),
        ("xavier_uniform", np.sqrt(2 / 500)),
        ("normal", 0.01),
        ("uniform", 0.05 / np.sqrt(3)),
        ("zeros", 0),
    ],
)
def test_initializers_have_their_published_spread(name: str, std: float) -> None:
    values = Initializer.resolve(name).draw(np.random.default_rng(0), (300, 200), 300, 200)
    assert values.std() == pytest.approx(std, rel=0.02)
    assert values.mean() == pytest.approx(0, abs=0.02 * std + 1e-12)


def test_constant_initializer() -> None:
    assert (Initializer.resolve({"constant": 0.3}).draw(None, (2, 2), 2, 2) == 0.3).all()


def test_a_view_cannot_be_rebound() -> None:
    _, tree = Linear(units=2).build((3,))
    parameters = Parameters(tree, "float32")
    with pytest.raises(AttributeError, match="view into the flat vector"):
        parameters.views.weight = np.ones((3, 2))
    parameters.views.weight[...] = 1
    assert parameters.vector.sum() == 6
