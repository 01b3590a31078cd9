"""The twins of layers against the layers themselves: outputs and gradients, over shapes and settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nnfs_cli import (
    ELU,
    GELU,
    SELU,
    Ascending,
    CumulativeLogits,
    Dense,
    Exp,
    Flatten,
    Identity,
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    Reshape,
    Residual,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.training.compiled.passes import recordable
from nnfs_cli.training.compiled.recorder import Recorder
from tests.training.compiled.recorded import buffer_of, run

BY_ENTRY = [
    ReLU(),
    LeakyReLU(),
    LeakyReLU(slope=0.0),
    LeakyReLU(slope=1.7),
    ELU(),
    ELU(alpha=0.3),
    SELU(),
    GELU(),
    GELU(form="tanh"),
    SiLU(),
    Sigmoid(),
    Tanh(),
    Exp(),
    Softplus(),
    Softmax(),
    PReLU(),
    Identity(),
    Flatten(),
    Ascending(),
]
OF_PRODUCTS = [
    Linear(units=4),
    CumulativeLogits(units=1),
    CumulativeLogits(units=6),
    Dense(units=3),
    Dense(units=5, activation=PReLU(), bias=False),
    Residual(layers=[Linear(units=4), Tanh()]),
    Residual(layers=[ReLU()]),
    Residual(layers=[Dense(units=3, activation=GELU())]),
    Residual(layers=[Identity()]),
    Sequential(layers=[Linear(units=6), Sequential(layers=[SiLU(), Residual(layers=[Dense(units=6)])]), ELU()]),
    Sequential(layers=[Reshape(shape=[2, 2]), Residual(layers=[Linear(units=3), PReLU()]), Flatten(), Softmax()]),
]
PLACES = np.array([0.0, -0.0, 1e-30, -1e-30, 30.0, -30.0, 1.0, -1.0])  # where formulas change or are hard


def compare(layer: Layer, shape: tuple[int, ...], dtype: type, *, compiled: bool, need_dx: bool = True) -> None:
    """Raise unless the twin of a layer computes what the layer computes, for a batch of this shape."""
    rng = np.random.default_rng(0)
    tree = layer.build(shape[1:])[1]
    p, g, twin_g = (Parameters(tree, dtype) for _ in range(3))
    p.vector[...] = rng.normal(size=p.vector.shape)
    x = rng.normal(size=shape, scale=2).astype(dtype)
    x.reshape(-1)[: len(PLACES)] = PLACES[: x.size]
    y, backward = layer.forward(p.views, x, Context(dtype, training=True))
    y, dy = y.copy(), rng.normal(size=y.shape).astype(dtype)
    dx = backward(dy, g.views, need_dx).copy()

    recorder = Recorder(np.dtype(dtype))
    recorder.begin(shape[0])
    at, twin_dy = buffer_of(recorder, x), buffer_of(recorder, dy)
    twin_y, twin_backward = recordable(layer).forward(p.views, at, recorder)
    twin_dx = twin_backward(twin_dy, twin_g.views, need_dx)
    run(recorder, compiled=compiled)

    precision = 2e-6 if dtype == np.float32 else 1e-13
    wanted: list[tuple[Any, Any]] = [(twin_y, y), (twin_g.vector, g.vector), (twin_dy, dy), (at, x)]
    for found, want in [*wanted, *([(twin_dx, dx)] if need_dx else [])]:
        assert found.dtype == want.dtype == dtype
        assert found.shape == want.shape
        assert_allclose(found, want, rtol=precision, atol=precision * max(1.0, np.abs(want).max(initial=0)))


@pytest.mark.parametrize("layer", BY_ENTRY, ids=Layer.describe)
@pytest.mark.parametrize("shape", [(3, 5), (2, 2, 4)], ids=str)
def test_a_twin_as_python_computes_what_its_layer_computes(layer: Layer, shape: tuple[int, ...]) -> None:
    compare(layer, shape, np.float64, compiled=False)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", [*BY_ENTRY, *OF_PRODUCTS], ids=Layer.describe)
def test_a_twin_as_machine_code_computes_what_its_layer_computes(layer: Layer, dtype: type) -> None:
    shapes = [(7, 4), (1, 4), (65, 4)]
    if layer in BY_ENTRY:
        shapes += [(1, 2), (33, 7), (6, 3, 5), (300, 40)]
    for shape in shapes:
        compare(layer, shape, dtype, compiled=True)
        compare(layer, shape, dtype, compiled=True, need_dx=False)


@pytest.mark.parametrize("layer", BY_ENTRY, ids=Layer.describe)
def test_nan_stays_nan_so_that_divergence_is_found(layer: Layer) -> None:
    recorder = Recorder(np.dtype(float))
    recorder.begin(2)
    p = Parameters(layer.build((3,))[1], float)
    y, _ = recordable(layer).forward(p.views, buffer_of(recorder, np.full((2, 3), np.nan)), recorder)
    run(recorder, compiled=False)
    assert np.isnan(y).all()
