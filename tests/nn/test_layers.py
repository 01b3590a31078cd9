"""What layers compute, against SciPy and closed forms, and what they promise each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from nnfs_cli.arrays import Array
from nnfs_cli.nn.gradient_check import gradient_error
from nnfs_cli.nn.initializers import Initializer
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.layers.base import ShapeError
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.flatten import Flatten
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Parameters, ParameterSpec, ParameterTree, Views

EXAMPLES = [Layer.resolve(yaml.safe_load(example)) for layer in Layer.registered.values() for example in layer.examples]
EXTREME = np.array([[-1000.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 40.0, 1000.0]])


def resolved(text: str) -> Layer:
    """The layer that a config would name."""
    return Layer.resolve(yaml.safe_load(text))


def learning(rows: int, seed: int | None = 0, dtype: str = "float64", members: int = 1) -> Context:
    """The context of a training pass, with random generators if there is a seed."""
    context = Context(dtype, training=True, members=members)
    context.begin(rows, None if seed is None else lambda: [np.random.default_rng(seed) for _ in range(members)])
    return context


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 511, 512, 577, 1_024])
@pytest.mark.parametrize(("n_inputs", "units"), [(1, 1), (4, 3), (3, 16), (16, 17), (20, 40)])
def test_many_rows_of_few_numbers_are_added_and_multiplied_like_others(
    rows: int, n_inputs: int, units: int, dtype: str
) -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((rows, n_inputs)).astype(dtype), rng.standard_normal((rows, units)).astype(dtype)
    layer = Linear(units=units, bias_init=Initializer.resolve({"normal": 1.0}))
    _, tree = layer.build((n_inputs,))
    parameters, gradients = Parameters(tree, dtype), Parameters(tree, dtype, gradients=True)
    parameters.initialize(rng)
    weight, bias = (parameters.arrays[name].astype(np.float64) for name in ("weight", "bias"))
    context = learning(rows, dtype=dtype)
    y, backward = layer.forward(parameters.views, x, context)
    dx = backward(dy, gradients.views, True)
    tolerance = 60 * rows * np.finfo(dtype).eps
    np.testing.assert_allclose(y, x @ weight + bias, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(dx, dy @ weight.T, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradients.arrays["weight"], x.T @ dy, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradients.arrays["bias"], dy.sum(axis=0), rtol=tolerance, atol=tolerance)


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
def test_a_backward_pass_leaves_alone_what_it_is_given(layer: Layer) -> None:
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float, dtype: str) -> None:
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
def test_dropout_is_nothing_once_learned_or_at_rate_0(rate: float) -> None:
    x = np.random.default_rng(0).standard_normal((6, 4))
    for context in (Context("float64"), *([learning(6, None)] if rate == 0 else [])):  # neither has random numbers
        y, backward = Dropout(rate=rate).forward(Views({}), x, context)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(backward(2 * x, Views({}), True), 2 * x)


def test_dropout_that_is_to_learn_needs_a_stream() -> None:
    with pytest.raises(ValueError, match="draws random numbers"):
        Dropout().forward(Views({}), np.ones((6, 4)), learning(6, None))


@pytest.mark.parametrize("momentum", [0.1, 0.3, 1.0])
def test_batch_norm_keeps_means_in_which_each_batch_counts_less_than_the_next(momentum: float) -> None:
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


def test_what_batch_norm_keeps_is_saved_but_not_learned() -> None:
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


def normalised(x: Array, axes: tuple[int, ...]) -> Array:
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + 1e-5)


REFERENCES: dict[str, Callable[..., Array]] = {  # of rows x (batch, 2, 3, 4), one number or one sum at a time
    "linear: 5": lambda x, weight, bias: np.einsum("bijk,ku->biju", x, weight) + bias,
    "prelu": lambda x, slope: np.array([v if v > 0 else a * v for v, a in zip(x.flat, itertools.cycle(slope))]),
    "layer_norm": lambda x, weight, bias: normalised(x, (3,)) * weight + bias,
    "batch_norm": lambda x, weight, bias, **kept: normalised(x, (0, 1, 2)) * weight + bias,
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


def test_linear_on_several_axes_learns_the_sum_over_all_of_them() -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((6, 2, 3, 4)), rng.standard_normal((6, 2, 3, 5))
    p, g = (Parameters(Linear(units=5).build((2, 3, 4))[1], "float64") for _ in range(2))
    p.initialize(rng)
    dx = Linear(units=5).forward(p.views, x, learning(6))[1](dy, g.views, True)
    np.testing.assert_allclose(g.arrays["weight"], np.einsum("bijk,biju->ku", x, dy), rtol=1e-12)
    np.testing.assert_allclose(g.arrays["bias"], np.einsum("biju->u", dy), rtol=1e-12)
    np.testing.assert_allclose(dx, np.einsum("biju,ku->bijk", dy, p.arrays["weight"]), rtol=1e-12)


@pytest.mark.parametrize("units", [4, 3])
def test_a_residual_block_adds_its_input_or_a_projection_of_it(units: int) -> None:
    layer, rng = Residual(layers=(Linear(units=5), Tanh(), Linear(units=units))), np.random.default_rng(0)
    x, dy = rng.standard_normal((6, 4)), rng.standard_normal((6, units))
    y, parameters = forward(layer, x)
    inner, _ = forward(Sequential(layers=layer.layers), x)
    p = parameters.arrays
    assert ("projection" in p) == (units != 4)
    projection = p.get("projection", np.eye(4))
    np.testing.assert_allclose(y, inner + x @ projection, rtol=1e-12)
    g = Parameters(parameters.layout.tree, "float64", gradients=True)
    dx = layer.forward(parameters.views, x, learning(6))[1](dy, g.views, True)
    h = np.tanh(x @ p["0.weight"] + p["0.bias"])
    dz = dy @ p["2.weight"].T * (1 - h**2)
    np.testing.assert_allclose(dx, dz @ p["0.weight"].T + dy @ projection.T, rtol=1e-11)
    np.testing.assert_allclose(g.arrays["0.weight"], x.T @ dz, rtol=1e-11)
    if units != 4:
        np.testing.assert_allclose(g.arrays["projection"], x.T @ dy, rtol=1e-12)


def test_blocks_in_blocks_name_their_parameters_by_place_and_learn() -> None:
    text = "residual: [linear: 3, sequential: [tanh, residual: [linear: 2, prelu]], batch_norm, residual: [linear: 2]]"
    layer = resolved(text)
    names = ["0.weight", "0.bias", "1.1.0.weight", "1.1.0.bias", "1.1.1.slope", "1.1.projection"]
    names += [f"2.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
    names += ["3.0.weight", "3.0.bias", "projection"]
    assert list(Parameters(layer.build((4,))[1], "float32").arrays) == names
    rng = np.random.default_rng(0)
    model = Model([layer, Linear(units=1)], MSE(), (4,), "float64", rng)
    assert gradient_error(model, rng.standard_normal((9, 4)), rng.standard_normal((9, 1))) < 1e-7


def test_a_residual_block_shows_in_the_description_of_the_net() -> None:
    block, plain = (resolved(f"{name}: [linear: 4, tanh]") for name in ("residual", "sequential"))
    assert "residual" in block.describe()
    assert block.describe() != plain.describe()


def nested(levels: int, name: str = "residual") -> dict[str, Any]:
    """A linear layer in blocks within blocks, as a config writes them."""
    text: dict[str, Any] = {"linear": 3}
    for _ in range(levels):
        text = {name: [text]}
    return text


@pytest.mark.parametrize("name", ["residual", "sequential"])
def test_building_nested_blocks_costs_the_same_for_every_level(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = dict.fromkeys(("resolve", "build", "forward", "describe"), 0)

    def count(owner: Any, method: str) -> None:
        original = getattr(owner, method)

        def counting(*arguments: Any, **settings: Any) -> Any:
            counts[method] += 1
            return original(*arguments, **settings)

        monkeypatch.setattr(owner, method, counting)

    count(Layer, "resolve")
    for method in ("build", "forward", "describe"):
        count(Linear, method)
    for block in (Sequential, Residual):
        for method in ("build", "forward"):
            count(block, method)

    def cost(levels: int) -> dict[str, int]:
        counts.update(dict.fromkeys(counts, 0))
        layer = Layer.resolve(nested(levels, name))
        model = Model([layer], MSE(), (3,), "float64", np.random.default_rng(0))
        model.differentiate(np.ones((2, 3)), np.ones((2, 3)))
        model.describe()
        assert (layer.bounding.name, layer.neediest.name) == ("residual" if name == "residual" else "linear", name)
        return dict(counts)

    costs = [cost(levels) for levels in (2, 7, 12)]
    assert costs[0]["describe"] == costs[2]["describe"] == 1
    for what in counts:
        assert costs[2][what] - costs[1][what] == costs[1][what] - costs[0][what], what
    assert costs[2]["build"] - costs[1]["build"] <= 20


def test_a_copy_of_a_residual_block_with_other_layers_applies_those() -> None:
    block = Residual(layers=(Tanh(),))
    x = np.ones((2, 3))
    assert forward(block, x)[0][0, 0] == pytest.approx(1 + np.tanh(1))
    copy = block.model_copy(update={"layers": (Tanh(), Tanh())})
    assert forward(copy, x)[0][0, 0] == pytest.approx(1 + np.tanh(np.tanh(1)))
    assert copy.describe() == "residual [tanh -> tanh]"
    assert block == Residual(layers=(Tanh(),)) != copy


def test_a_residual_block_that_changes_the_axes_is_refused() -> None:
    with pytest.raises(ShapeError, match="the axes must match") as caught:
        Sequential(layers=(Linear(units=4), Residual(layers=(Reshape(shape=(2, 2)),)))).build((4,))
    assert caught.value.index == (1,)


specs = st.builds(
    lambda shape, decays, learned: ParameterSpec(shape, Initializer.resolve("zeros"), 1, 1, decays, learned),
    st.lists(st.integers(1, 3), max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
)
names = st.sampled_from(["0", "1", "weight", "bias", "inner"])
branches = st.recursive(specs, lambda inner: st.dictionaries(names, inner, max_size=4))


def leaves(tree: ParameterTree, views: Views, prefix: str = "") -> list[tuple[str, ParameterSpec, Any]]:
    """Every parameter of a tree as a layer comes to it, by attributes; None for what the views do not have."""
    found = []
    for name, item in tree.items():
        view = getattr(views, name, None)
        found += [(prefix + name, item, view)] if isinstance(item, ParameterSpec) else leaves(item, view, f"{name}.")
    return found


@given(st.dictionaries(names, branches, max_size=4))
def test_views_cover_the_vector_exactly_once_in_the_order_of_decayed_learned_and_kept(tree: ParameterTree) -> None:
    parameters, gradients = Parameters(tree, "float64"), Parameters(tree, "float64", gradients=True)
    layout, vector = parameters.layout, parameters.vector
    found = leaves(tree, parameters.views)
    assert vector.size == layout.size == sum(math.prod(spec.shape) for _, spec, _ in found)
    for _, spec, view in found:
        assert view.shape == spec.shape
        assert np.shares_memory(view, vector)
        view += 1
    assert (vector == 1).all()
    assert [part.size for part in (parameters.decayed, parameters.learned)] == [layout.decayed, layout.learned]
    for _, spec, view in found:
        view[...] = 0 if not spec.learned else 1 if not spec.decays else 2
    assert vector.tolist() == sorted(vector, reverse=True)
    assert (parameters.decayed == 2).all()
    assert set(parameters.learned) <= {1, 2}
    assert not vector[layout.learned :].any()
    assert gradients.vector.size == layout.learned
    for (name, spec, view), (same, _, gradient) in zip(found, leaves(tree, gradients.views), strict=True):
        assert name == same
        assert (gradient is not None) == spec.learned
        if spec.learned:
            gradient[...] = view
    np.testing.assert_array_equal(gradients.vector, parameters.learned)
    members = np.arange(3 * layout.size).reshape(3, layout.size)  # three nets at once
    for name, array in layout.arrays(members).items():
        np.testing.assert_array_equal(array.reshape(3, -1), members[:, layout.slices[name]])


# Buffers


def test_a_smaller_batch_writes_into_what_the_largest_has() -> None:
    context = Context("float32")
    context.begin(8)
    large = [context.empty((8, 3)), context.empty((8,)), context.empty((3, 8)), context.empty((), bool)]
    context.begin(5)
    small = [context.empty((5, 3)), context.empty((5,)), context.empty((3, 5)), context.empty((), bool)]
    assert [np.shares_memory(a, b) for a, b in zip(large, small, strict=True)] == [True, True, False, False]
    assert [array.shape for array in small] == [(5, 3), (5,), (3, 5), ()]
    assert all(array.flags.c_contiguous for array in small)
    context.begin(8)
    assert context.empty((8, 3)) is large[0]


@pytest.mark.parametrize("other", [((5, 4), None), ((5, 3), bool), ((9, 3), None)])
def test_what_is_not_alike_gets_a_buffer_of_its_own(other: tuple[tuple[int, ...], type | None]) -> None:
    context = Context("float32")
    context.begin(8)
    buffer = context.empty((8, 3))
    context.begin(5)
    assert not np.shares_memory(buffer, context.empty(*other))


def test_zeros_of_all_shapes_are_parts_of_the_largest() -> None:
    context = Context("float64")
    shapes = [(2, 3), (1, 3), (4, 5), (2, 3), (20,), ()]
    for shape in shapes:
        zeros = context.zeros(shape)
        assert zeros.shape == shape
        assert not zeros.any()
    assert np.shares_memory(context.zeros((2, 3)), context.zeros((4, 5)))
