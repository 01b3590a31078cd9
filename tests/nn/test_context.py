"""The context of a pass: its buffers, and its products and sums."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_cli.nn.initializers import Initializer
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.parameters import Parameters
from tests.nn.passes import learning


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 511, 512, 577, 1_024])
@pytest.mark.parametrize(("n_inputs", "units"), [(1, 1), (4, 3), (3, 16), (16, 17), (20, 40)])
def test_fast_paths_for_many_short_rows_compute_the_same(rows: int, n_inputs: int, units: int, dtype: str) -> None:
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


def test_a_smaller_batch_reuses_the_buffers_of_the_largest() -> None:
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
def test_another_shape_or_dtype_gets_a_new_buffer(other: tuple[tuple[int, ...], type | None]) -> None:
    context = Context("float32")
    context.begin(8)
    buffer = context.empty((8, 3))
    context.begin(5)
    assert not np.shares_memory(buffer, context.empty(*other))


def test_zeros_of_all_shapes_share_memory() -> None:
    context = Context("float64")
    shapes = [(2, 3), (1, 3), (4, 5), (2, 3), (20,), ()]
    for shape in shapes:
        zeros = context.zeros(shape)
        assert zeros.shape == shape
        assert not zeros.any()
    assert np.shares_memory(context.zeros((2, 3)), context.zeros((4, 5)))
