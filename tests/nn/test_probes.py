"""Probes: an observer sees every layer of a pass, and changes no number in it."""

from __future__ import annotations

import doctest
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import yaml

import nnfs_cli.nn.model
from nnfs_cli.arrays import Array, Shape
from nnfs_cli.errors import ConfigError
from nnfs_cli.nn.check_layers import check_layers
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import ParameterTree, Views
from nnfs_cli.nn.probes import Observer
from tests.nn.passes import resolved

EXAMPLES = [example for layer in Layer.registered.values() for example in layer.examples]
DEEP = "sequential: [linear: 4, residual: [dense: {units: 3, activation: tanh}, dropout], sequential: [relu, prelu]]"


class Both(Layer):
    """An own layer that holds two others and caches one of them: y = first(x) + second(x)."""

    first: Layer
    second: Layer

    @cached_property
    def kept(self) -> Layer:
        return self.second

    def build(self, input_shape: Shape) -> tuple[Shape, ParameterTree]:
        (shape, first), (_, second) = self.first.build(input_shape), self.kept.build(input_shape)
        return shape, {"first": first, "second": second}

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        (y, back), (other, other_back) = (
            self.first.forward(p.first, x, context),
            self.kept.forward(p.second, x, context),
        )
        return y + other, lambda dy, g, need_dx: back(dy, g.first, True) + other_back(dy, g.second, True)


class Diary(Observer):
    """Copies of all that an observer is shown, by path."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.layers: dict[str, Layer] = {}
        self.x: dict[str, Array] = {}
        self.y: dict[str, Array] = {}
        self.dy: dict[str, Array] = {}
        self.dx: dict[str, Array | None] = {}
        self.g: dict[str, dict[str, Array]] = {}

    def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        assert path not in self.layers
        self.order.append(path)
        self.layers[path], self.x[path], self.y[path] = layer, x.copy(), y.copy()

    def backward(self, path: str, layer: Layer, dy: Array, dx: Array | None, g: Views) -> None:
        assert self.layers[path] is layer
        assert path not in self.dy
        self.dy[path], self.dx[path] = dy.copy(), None if dx is None else dx.copy()
        self.g[path] = {name: array.copy() for name, array in vars(g).items() if isinstance(array, np.ndarray)}


def net(text: str, loss: str = "mse", members: int = 1, **options: Any) -> Model:
    layers = resolved(f"sequential: {text}").layers
    rngs = [np.random.default_rng(seed) for seed in range(members)]
    rng = rngs if members > 1 else rngs[0]
    return Model(layers, Loss.resolve(loss), (4,), "float64", rng, members=members, **options)


def differentiate(model: Model, weighted: bool = False) -> tuple[float, bytes, bytes]:
    """The loss, the bytes of the gradients, and the bytes of the parameters after a pass."""
    rng = np.random.default_rng(7)
    x, y = rng.random((6, *model.input_shape)), rng.random((6, *model.output_shape))
    rngs = [np.random.default_rng(seed) for seed in range(model.members)]
    weight = rng.random(6) if weighted else None
    total = model.differentiate(x, y, weight, lambda: [np.random.default_rng(8) for _ in rngs])
    return total, model.gradients.vector.tobytes(), model.parameters.vector.tobytes()


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("example", [*EXAMPLES, DEEP])
def test_observing_changes_no_number(example: str, weighted: bool, members: int) -> None:
    text = f"[linear: 4, {example}, flatten, linear: 2]"
    expected = differentiate(net(text, members=members), weighted)
    model, diary = net(text, members=members), Diary()
    with model.observed(diary):
        assert differentiate(model, weighted) == expected
    assert set(diary.dy) == set(diary.layers)
    model, order = net(text, members=members), len(diary.order)
    with model.observed(diary := Diary()):
        pass
    assert differentiate(model, weighted) == expected
    assert (order > 3, diary.order) == (True, [])  # outside the block nothing is told


def test_observer_is_forgotten_after_an_error() -> None:
    model, diary = net("[linear: 1]"), Diary()
    with pytest.raises(ZeroDivisionError), model.observed(diary):
        raise ZeroDivisionError
    differentiate(model)
    assert not diary.order


def paths(value: Any, place: str) -> list[str]:
    """The paths of the layers in a config, inner ones before those around them."""
    found = []
    if isinstance(value, list):
        return [path for i, item in enumerate(value) for path in paths(item, f"{place}.{i}")]
    if isinstance(value, dict):
        (settings,) = value.values()
        settings = settings if isinstance(settings, dict) else {"layers": settings}
        found = [path for key, item in settings.items() if key in ("layers", "activation")
                 for path in paths(item, f"{place}.{key}") if item is not None]  # fmt: skip
    return [*found, place] if isinstance(value, str | dict) else []


def test_layers_are_told_by_their_place_in_the_config() -> None:
    text = f"[{DEEP}, dense: {{units: 2, activation: relu}}, linear: 1]"
    model, diary = net(text), Diary()
    with model.observed(diary):
        differentiate(model)
    nested = ["layers.0.layers.1.layers.0.activation", "layers.1.activation"]
    assert set(nested) < set(diary.order)
    assert sorted(diary.order) == sorted(paths(yaml.safe_load(text), "layers"))
    assert diary.layers["layers.0.layers.1.layers.0"] == resolved("dense: {units: 3, activation: tanh}")
    assert diary.order[-1] == "layers.2"


def test_what_is_told_is_what_the_layers_compute() -> None:
    """For x -> linear -> tanh -> linear and the mean squared error, by hand."""
    model, diary = net("[linear: 3, tanh, linear: 1]", "mse"), Diary()
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 1))
    with model.observed(diary):
        model.differentiate(x, y)
    p = model.parameters.arrays
    a = x @ p["0.weight"] + p["0.bias"]
    y_hat = np.tanh(a) @ p["2.weight"] + p["2.bias"]
    d_hat = 2 / 5 * (y_hat - y)
    expected = {
        "layers.0": (x, a, (d_hat @ p["2.weight"].T) * (1 - np.tanh(a) ** 2), None),
        "layers.1": (a, np.tanh(a), d_hat @ p["2.weight"].T, (d_hat @ p["2.weight"].T) * (1 - np.tanh(a) ** 2)),
        "layers.2": (np.tanh(a), y_hat, d_hat, d_hat @ p["2.weight"].T),
    }
    for path, arrays in expected.items():
        seen = diary.x[path], diary.y[path], diary.dy[path], diary.dx[path]
        for found, array in zip(seen, arrays, strict=True):
            if array is None:
                assert found is None  # nobody needs the gradient by the data
            else:
                np.testing.assert_allclose(found, array, rtol=1e-10)
    np.testing.assert_allclose(diary.g["layers.2"]["weight"], np.tanh(a).T @ d_hat, rtol=1e-10)


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(
    ("last", "loss", "seen"),
    [
        ("sigmoid", "binary_cross_entropy", False),
        ("softmax", "cross_entropy", False),
        ("sigmoid", "mse", True),
        ("identity", "binary_cross_entropy", True),
        ("dense: {units: 2, activation: sigmoid}", "binary_cross_entropy", False),
    ],
)
def test_final_activation_is_told_unless_the_loss_includes_it(last: str, loss: str, seen: bool, members: int) -> None:
    text = f"[linear: 2, {last}]"
    expected = differentiate(net(text, loss, members))
    model, diary = net(text, loss, members), Diary()
    with model.observed(diary):
        assert differentiate(model) == expected
    place = "layers.1.activation" if "dense" in last else "layers.1"
    assert (place in diary.order) == seen
    assert "layers.0" in diary.order


@pytest.mark.parametrize("members", [1, 3])
def test_embedding_is_told_as_embedding(members: int) -> None:
    rngs = [np.random.default_rng(seed) for seed in range(members)]
    embedding = Embedding(tables=(EmbeddingTable(1, 5, 3, "city"),))
    layers = resolved("sequential: [tanh, linear: 1]").layers
    results = []
    for diary in (None, Diary()):
        rngs = [np.random.default_rng(seed) for seed in range(members)]
        model = Model(
            layers, Loss.resolve("mse"), (2,), "float64", rngs if members > 1 else rngs[0], embedding, members
        )
        x, y = np.array([[0.5, 1.0], [0.2, 4.0], [0.1, -1.0]]), np.ones((3, 1))
        if diary is None:
            results.append((model.differentiate(x, y), model.gradients.vector.tobytes()))
            continue
        with model.observed(diary):
            results.append((model.differentiate(x, y), model.gradients.vector.tobytes()))
        assert diary.order == ["embedding", "layers.0", "layers.1"]
        assert diary.y["embedding"].shape[-2:] == (3, 4)
        np.testing.assert_array_equal(diary.x["layers.0"], diary.y["embedding"])
        assert diary.dx["embedding"] is None
    assert results[0] == results[1]


def test_layers_inside_an_own_layer_are_told_even_if_it_caches_them() -> None:
    layer = Both(first=resolved("linear: 3"), second=resolved("sequential: [linear: 3, relu]"))
    results = []
    for observe in (False, True):
        model = Model([layer], Loss.resolve("mse"), (4,), "float64", np.random.default_rng(0))
        diary = Diary()
        if observe:
            with model.observed(diary):
                results.append(differentiate(model))
            inside = ["layers.0.first", "layers.0.second.layers.0", "layers.0.second.layers.1", "layers.0.second"]
            assert diary.order == [*inside, "layers.0"]
            assert diary.layers["layers.0"] is layer
        else:
            results.append(differentiate(model))
    assert results[0] == results[1]


class Doubled(Layer):
    """An own layer that breaks the contract: it returns y alone."""

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        return 2 * x  # type: ignore[return-value]


def test_contract_is_checked_inside_an_own_layer_too() -> None:
    layer = Both(first=resolved("linear: 4"), second=Doubled())
    model = Model([layer], Loss.resolve("mse"), (4,), "float64", np.random.default_rng(0))
    with pytest.raises(ConfigError, match="the layer Doubled: forward should return two things"):
        check_layers(model)


def test_predictions_can_be_observed_too() -> None:
    model, diary = net("[linear: 2, softmax]", "cross_entropy"), Diary()
    x = np.random.default_rng(0).random((3, 4))
    expected = model.predict(x)
    with model.observed(diary):
        np.testing.assert_array_equal(model.predict(x), expected)
    assert (diary.order, diary.dy) == (["layers.0"], {})


def test_example_of_the_documentation_runs() -> None:
    text = nnfs_cli.nn.model.Model.observed.__doc__ or ""
    example = doctest.DocTestParser().get_doctest(text, {}, "observed", None, 0)
    said: list[str] = []
    assert (doctest.DocTestRunner().run(example, out=said.append).failed, said) == (0, [])


def test_an_observer_is_shown_the_parameters_of_a_layer_before_those_inside_it() -> None:
    class Before(Observer):
        def __init__(self) -> None:
            self.seen: dict[str, tuple[Views, Array]] = {}

        def before(self, path: str, layer: Layer, p: Views, x: Array) -> None:
            self.seen[path] = p, x.copy()

        def forward(self, path: str, layer: Layer, x: Array, y: Array) -> None:
            np.testing.assert_array_equal(self.seen[path][1], x)

    layers = [resolved("dense: {units: 3, activation: prelu}"), resolved("residual: [linear: 3]")]
    model = Model(layers, Loss.resolve("mse"), (2,), "float64", np.random.default_rng(0))
    observer = Before()
    with model.observed(observer):
        model.differentiate(np.ones((4, 2)), np.ones((4, 3)))
    assert [*observer.seen] == ["layers.0", "layers.0.activation", "layers.1", "layers.1.layers.0"]
    arrays = model.parameters.arrays
    assert np.shares_memory(observer.seen["layers.0"][0].weight, arrays["0.weight"])
    assert np.shares_memory(observer.seen["layers.1.layers.0"][0].weight, arrays["1.0.weight"])
