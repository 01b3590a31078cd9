"""Blocks of layers, `sequential` and `residual`: their formulas, the names of their parameters, and their costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnfs_cli.nn.gradient_check import gradient_error
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.base import ShapeError
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.nn.places import layers_within
from tests.nn.passes import forward, learning, resolved


def test_nested_sequences_name_their_parameters_by_index() -> None:
    inner = Sequential(layers=(Linear(units=3), Tanh(), Dense(units=2)))
    _, tree = Sequential(layers=(ReLU(), inner)).build((4,))
    assert list(Parameters(tree, "float32").arrays) == ["1.0.weight", "1.0.bias", "1.2.weight", "1.2.bias"]


def test_layers_are_found_at_any_depth_with_their_places_in_the_config() -> None:
    layers = (Dense(units=2, activation=Tanh()), Sequential(layers=(ReLU(), Residual(layers=(Linear(units=2),)))))
    found = {path: type(layer) for path, layer in layers_within("layers", layers)}
    assert found == {
        "layers.0": Dense,
        "layers.0.activation": Tanh,
        "layers.1": Sequential,
        "layers.1.layers.0": ReLU,
        "layers.1.layers.1": Residual,
        "layers.1.layers.1.layers.0": Linear,
    }


def test_a_shape_error_gives_the_place_of_the_layer() -> None:
    with pytest.raises(ShapeError, match="single output") as caught:
        Sequential(layers=(Linear(units=1), Softmax())).build((4,))
    assert caught.value.index == (1,)


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


def test_nested_blocks_name_their_parameters_by_index_and_have_right_gradients() -> None:
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
        assert (layer.bounding_layer.name, layer.min_batch_layer.name) == (
            "residual" if name == "residual" else "linear",
            name,
        )
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
