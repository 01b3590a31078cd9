"""Penalties and clipping of the compiled engine against those of the NumPy engine."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nnfs_cli import Linear
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.compiled.gradient import BLOCK, record_clip, record_penalty
from nnfs_cli.training.compiled.recorder import Recorder
from nnfs_cli.training.penalty import Penalty
from tests.training.compiled.recorded import run

CLIPS = [Clip(norm=0.5), Clip(value=0.3), Clip(norm=2.0, value=0.7), Clip(norm=1e3)]
SIZES = [1, 63, 64, 65, 1000]
LARGE = [BLOCK - 1, BLOCK, BLOCK + 65, 3 * BLOCK + 7]
SCALES = [1.0, 1e-20, 1e30]  # 1e30 squared overflows in float32
NET = Sequential(layers=[Linear(units=5, l1=0.3), Linear(units=4, l2=0.0), Linear(units=3)])


def compare_clip(clip: Clip, g: np.ndarray, *, compiled: bool) -> None:
    """Raise unless the twin clips a gradient as `Clip.apply` does."""
    want = g.copy()
    with np.errstate(over="ignore"):
        clip.apply(want)
    recorder = Recorder(g.dtype)
    recorder.begin(1)
    record_clip(clip, g, recorder)
    run(recorder, compiled=compiled)
    precision = 1e-6 if g.dtype == np.float32 else 1e-13
    assert_allclose(g, want, rtol=precision, atol=0)


@pytest.mark.parametrize("clip", CLIPS, ids=repr)
def test_clipping_as_python_is_that_of_numpy(clip: Clip) -> None:
    rng = np.random.default_rng(0)
    for n in SIZES:
        for scale in (1.0, 1e200):
            compare_clip(clip, rng.normal(size=n, scale=scale), compiled=False)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("clip", CLIPS, ids=repr)
def test_clipping_as_machine_code_is_that_of_numpy(clip: Clip, dtype: type) -> None:
    rng = np.random.default_rng(0)
    for n in SIZES + LARGE:
        for scale in SCALES:
            compare_clip(clip, rng.normal(size=n, scale=scale).astype(dtype), compiled=True)


@pytest.mark.parametrize("penalty", [Penalty(l2=0.1), Penalty(l1=0.2), Penalty(l1=0.2, l2=0.3), Penalty()], ids=repr)
@pytest.mark.parametrize(
    ("dtype", "compiled"), [(np.float64, False), *(pytest.param(d, True, marks=pytest.mark.slow) for d in ("f4", "f8"))]
)
def test_penalties_are_those_of_numpy(penalty: Penalty, dtype: type, compiled: bool) -> None:
    p = Parameters(NET.build((7,))[1], dtype)
    rng = np.random.default_rng(0)
    p.vector[...] = rng.normal(size=p.vector.shape) * rng.integers(0, 2, p.vector.shape)
    g = rng.normal(size=p.vector.shape).astype(dtype)
    want, factors = g.copy(), penalty.begin(p)
    penalty.add_gradient(p.learned, want, factors)
    recorder = Recorder(p.vector.dtype)
    record_penalty(factors, p.learned, g, recorder)
    run(recorder, compiled=compiled)
    assert_allclose(g, want, rtol=1e-6 if dtype == "f4" else 1e-14)
