"""The check of gradients is itself checked: it finds layers made wrong on purpose, and blames no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import special

from nnfs_cli.nn.differences import derivative, sample
from nnfs_cli.nn.layer_check import check_layer, check_loss
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.net_check import NetCheck, check_net
from nnfs_cli.nn.parameters import Parameters


class Faulty(Linear):
    """A linear layer whose backward pass a test may spoil: `fault(dy, g, dx, p)` returns another dx."""

    fault: Any = None

    def forward(self, p, x, context):
        y, right = super().forward(p, x, context)

        def backward(dy, g, need_dx):
            dx = right(dy, g, True).copy()
            return self.fault(dy, g, dx, p)

        return y, backward


def transposed(dy, g, dx, p):
    g.weight[...] = g.weight.T.copy()
    return dx


def without_bias(dy, g, dx, p):
    g.bias[...] = np.nan  # as if nothing had been written
    return dx


def in_place(dy, g, dx, p):
    dy *= 2
    return dx


def scaled_weight(dy, g, dx, p):
    np.multiply(g.weight, 1.01, out=g.weight)
    return dx


FAULTS: dict[str, tuple[Callable[..., Any], str]] = {
    "wrong dx": (lambda dy, g, dx, p: dy @ p.weight, "x"),
    "scaled dx": (lambda dy, g, dx, p: dx / len(dx), "x"),
    "negative dx": (lambda dy, g, dx, p: -dx, "x"),
    "one entry of dx": (lambda dy, g, dx, p: dx * (np.arange(dx.shape[1]) != 2), "x"),
    "transposed weight": (transposed, "weight"),
    "scaled weight": (scaled_weight, "weight"),
    "no bias": (without_bias, "bias"),
    "in place": (in_place, "dy"),
}


def checked(*layers: Layer, loss: Loss | None = None, rows: int = 8) -> NetCheck:
    rng = np.random.default_rng(1)
    n = 2
    model = Model([*layers, Linear(n)], loss or MSE(), (4,), "float64", rng)
    return check_net(model, rng.normal(size=(rows, 4)), np.eye(n)[rng.integers(n, size=rows)], None, lambda: rng)


@pytest.mark.parametrize(("fault", "what"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_layer_is_found_and_no_other_is_blamed(fault: Callable[..., Any], what: str) -> None:
    found = checked(Linear(4), Tanh(), Faulty(4, fault=fault), ReLU(), Linear(3))
    assert found.wrong
    assert [one.path for one in found.blamed] == ["layers.2"]
    wrong = [array.name for array in found.blamed[0].arrays if array.wrong]
    assert what in [*wrong, *(" ".join(found.blamed[0].faults).split())]


def test_one_wrong_entry_of_thousands_is_found_and_named() -> None:
    def one_entry(dy, g, dx, p):
        dx[11, 37] *= 1.5
        return dx

    found = checked(Linear(64), Faulty(64, fault=one_entry), Tanh(), rows=32)
    assert [one.path for one in found.blamed] == ["layers.1"]
    wrong = [entry.index for entry in found.blamed[0].arrays[0].entries if entry.error > 1e-3]
    assert wrong == [(11, 37)]


def test_a_wrong_layer_inside_others_is_blamed_and_not_those_around_it() -> None:
    wrong = Faulty(4, fault=FAULTS["scaled dx"][0])
    found = checked(Linear(4), Residual([Tanh(), wrong]), Dense(3))
    assert [one.path for one in found.blamed] == ["layers.1.layers.1"]
    assert {one.path for one in found.layers if one.wrong} == {"layers.1", "layers.1.layers.1"}


def test_a_wrong_loss_is_blamed() -> None:
    class Half(MSE):
        def forward(self, y_hat, y, context):
            losses, backward = super().forward(y_hat, y, context)
            return losses, lambda weight: backward(weight) / 2

    found = checked(Linear(3), Tanh(), loss=Half())
    assert [one.path for one in found.blamed] == ["loss"]
    assert all(array.wrong for array in found.parameters if array.error > 1e-3)


def test_a_layer_that_draws_other_numbers_each_time_is_blamed() -> None:
    rng = np.random.default_rng(0)

    class Noisy(Layer):
        def forward(self, p, x, context):
            return x + rng.normal(size=x.shape), lambda dy, g, need_dx: dy

    found = checked(Linear(4), Noisy())
    assert "forward returns other numbers" in found.blamed[0].faults[0]


def test_a_net_at_its_kinks_is_right() -> None:
    model = Model([Linear(4), ReLU(), Linear(3), Softmax()], CrossEntropy(), (4,), "float64")  # all weights are 0
    x, y = np.ones((5, 4)), np.eye(3)[[0, 1, 2, 0, 1]]
    found = check_net(model, x, y)
    relu = next(one for one in found.layers if one.path == "layers.1")
    assert relu.arrays[0].smooth == ()
    assert not found.wrong


@pytest.mark.parametrize("name", sorted({kind.name for kind in Layer.registered.values() if not kind.is_own()}))
def test_every_layer_is_right_also_where_many_inputs_are_0(name: str) -> None:
    for example in Layer.registered[name].examples:
        layer: Layer = Layer.resolve(yaml.safe_load(example))
        rng = np.random.default_rng(7)
        x = rng.normal(size=(5, 4)) * (rng.random((5, 4)) > 0.3)
        parameters = Parameters(layer.build((4,))[1], "float64")
        parameters.initialize(rng)
        found = check_layer("", layer, parameters.views, x, rng, lambda: [np.random.default_rng(3)])
        assert not found.wrong, found
        assert max(array.error for array in found.arrays) < 1e-5


@pytest.mark.parametrize("name", sorted({kind.name for kind in Loss.registered.values() if not kind.is_own()}))
def test_every_loss_is_right(name: str) -> None:
    for example in Loss.registered[name].examples:
        loss: Loss = Loss.resolve(yaml.safe_load(example))
        rng = np.random.default_rng(2)
        classes = loss.task == "classification"
        n_classes = 2 if name.startswith("binary") else 3
        n = loss.n_outputs(n_classes, 1) if classes else loss.n_outputs(None, 2)
        y = loss.encode(np.arange(6) % n_classes if classes else rng.gamma(2.0, size=(6, 2)), n).astype(float)
        for fused in (True, False) if loss.activation else (False,):
            outputs = rng.normal(size=y.shape) if fused or not loss.activation else rng.uniform(0.1, 0.9, y.shape)
            found = check_loss(loss, fused, outputs, y, rng)
            assert not found.wrong, found


@pytest.mark.parametrize(
    ("f", "slope", "at"),
    [
        (np.sin, np.cos, 0.7),
        (np.exp, np.exp, 3.0),
        (special.expit, lambda x: special.expit(x) * special.expit(-x), -20.0),
        (lambda x: 1e6 * x**3, lambda x: 3e6 * x**2, 1e-3),
        (special.gammaln, special.digamma, 2.5),
    ],
)
def test_a_numerical_derivative_is_that_of_calculus(f: Any, slope: Any, at: float) -> None:
    x = np.array([at, 1.0])
    found = derivative(lambda: f(x), np.array([2.0, 5.0]), x, (0,))
    assert not found.kink
    assert found.value == pytest.approx(2 * slope(at), rel=1e-6, abs=1e-12)
    assert x[0] == at


@pytest.mark.parametrize("at", [0.0, 1e-9, -3e-7])
def test_a_kink_is_seen_where_a_step_meets_it(at: float) -> None:
    x = np.array([at])
    found = derivative(lambda: np.abs(x), np.ones(1), x, (0,))
    assert found.kink or found.value == pytest.approx(np.sign(at), rel=1e-6)


def test_a_sample_has_all_entries_of_a_small_array_and_different_ones_of_a_large_one() -> None:
    rng = np.random.default_rng(0)
    assert sample((2, 3), 6, rng) == [*np.ndindex(2, 3)]
    several = sample((100, 100), 30, rng)
    assert len({*several}) == 30
    assert several == sorted(several)
