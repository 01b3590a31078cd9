"""The twins of layers that draw, normalize or look up, against the layers themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nnfs_cli import BatchNorm, Dropout, LayerNorm, Linear, ReLU
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.embedding import EmbeddedSequential, Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.system.random import random_stream
from nnfs_cli.training.compiled import lookup
from nnfs_cli.training.compiled.passes import recordable
from nnfs_cli.training.compiled.random_numbers import Stream
from nnfs_cli.training.compiled.recorder import Recorder
from tests.training.compiled.recorded import buffer_of, run

TABLES = (EmbeddingTable(0, 5, 2, "a"), EmbeddingTable(3, 7, 3, "b"))
EMBEDDED = EmbeddedSequential(layers=[Linear(units=3), ReLU()], embedding=Embedding(tables=TABLES))
EPOCH, BATCH, MEMBER, SEED = 3, 8, 2, 7


def compare(layer: Layer, x: np.ndarray, dtype: type, *, compiled: bool, passes: int = 2) -> None:
    """Raise unless the twin of a layer computes what the layer computes, in several passes in a row."""
    rng = np.random.default_rng(0)
    tree = layer.build(x.shape[1:])[1]
    p, twin_p = (Parameters(tree, dtype) for _ in range(2))
    g, twin_g = (Parameters(tree, dtype, gradients=True) for _ in range(2))
    p.vector[...] = twin_p.vector[...] = rng.normal(size=p.vector.shape) ** 2 + 0.1
    x = x.astype(dtype)
    context, recorder = Context(dtype, training=True), Recorder(np.dtype(dtype))
    recorder.stream = stream = Stream(SEED, "dropout", MEMBER, np.zeros(1, np.int64))
    recorder.begin(len(x))
    at = buffer_of(recorder, x)
    twin_y, twin_backward = recordable(layer).forward(twin_p.views, at, recorder)
    dy = rng.normal(size=twin_y.shape).astype(dtype)
    twin_dx = twin_backward(buffer_of(recorder, dy), twin_g.views, True)
    instructions = recorder.instructions
    precision = 3e-6 if dtype == np.float32 else 3e-13
    for i in range(passes):
        context.begin(len(x), lambda: random_stream(SEED, "dropout", EPOCH, BATCH + i, MEMBER))  # noqa: B023
        y, backward = layer.forward(p.views, x, context)
        y = y.copy()
        dx = backward(dy, g.views, True)
        stream.begin(EPOCH, BATCH + i)
        recorder.instructions = [*instructions]
        run(recorder, compiled=compiled)
        wanted = [(twin_y, y), (twin_p.vector, p.vector), (twin_g.vector, g.vector), (at, x)]
        for found, want in [*wanted, *([] if isinstance(layer, EmbeddedSequential) else [(twin_dx, dx)])]:
            assert found.shape == want.shape
            assert_allclose(found, want, rtol=precision, atol=precision * max(1.0, np.abs(want).max(initial=0)))


def coded(rows: int) -> np.ndarray:
    """Return rows of inputs for `EMBEDDED`: two columns of codes, of which some are negative, and three of numbers."""
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, 5))
    for table in TABLES:
        x[:, table.place] = rng.integers(-2, table.rows, rows)
    return x


@pytest.mark.parametrize("layer", [BatchNorm(), BatchNorm(momentum=0.3, eps=0.1), LayerNorm(), LayerNorm(eps=0.1)])
@pytest.mark.parametrize("shape", [(3, 5), (2, 2, 4), (9, 17)], ids=str)
def test_a_normalization_as_python_computes_what_its_layer_computes(layer: Layer, shape: tuple[int, ...]) -> None:
    compare(layer, np.random.default_rng(1).normal(2, 3, shape), np.float64, compiled=False)


def test_an_embedding_as_python_computes_what_its_layer_computes() -> None:
    net = EmbeddedSequential(layers=[ReLU()], embedding=EMBEDDED.embedding)
    compare(net, coded(9), np.float64, compiled=False)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm(), EMBEDDED, Dropout(0.4)], ids=Layer.describe)
def test_a_twin_as_machine_code_computes_what_its_layer_computes(layer: Layer, dtype: type) -> None:
    for shape in [(2, 1), (7, 4), (65, 4), (33, 7), (6, 3, 5), (300, 40), (4, 1000)]:
        x = coded(shape[0]) if layer is EMBEDDED else np.random.default_rng(1).normal(2, 3, shape)
        compare(layer, x, dtype, compiled=True)


def test_layers_that_draw_one_after_the_other_share_a_stream() -> None:
    layers = [Dropout(0.4), Dropout(0.1), Dropout(0.0), Sequential(layers=[Dropout(0.9), Dropout(0.2)])]
    for shape in [(3, 5), (1, 1), (40, 33)]:
        compare(Sequential(layers=layers), np.ones(shape), np.float32, compiled=True)


@pytest.mark.parametrize("code", [3.0, 1e30, np.inf])
def test_a_code_beyond_the_table_is_the_last_one(code: float) -> None:
    table, dtable, y = np.arange(6.0), np.zeros(6), np.zeros(2)
    lookup.look_up(0, 1, y, np.array([code]), table, 0, 0, 2, 1, 2, 3)
    assert y.tolist() == [4, 5]
    lookup.look_up_back(0, 2, dtable, y, np.array([code]), 0, 0, 2, 1, 2, 3, 1)
    assert dtable.tolist() == [0, 0, 0, 0, 4, 5]
