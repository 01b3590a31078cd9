"""The twins of losses against the losses themselves: values and gradients, as written and from logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nnfs_cli import (
    MAE,
    MSE,
    BinaryCrossEntropy,
    BinaryFocal,
    CrossEntropy,
    Focal,
    Gamma,
    Hinge,
    Huber,
    LogCosh,
    Ordinal,
    Poisson,
    Quantile,
)
from nnfs_cli.nn.context import Context
from nnfs_cli.nn.losses import Loss
from nnfs_cli.training.compiled.losses import loss_twin_of
from nnfs_cli.training.compiled.recorder import Recorder
from tests.training.compiled.recorded import buffer_of, run

LOSSES = [
    MSE(),
    MSE(factor=0.5),
    MAE(),
    Huber(),
    Huber(delta=0.3),
    LogCosh(),
    Quantile(),
    Quantile(levels=[0.2, 0.9]),
    Poisson(),
    Gamma(),
    BinaryCrossEntropy(),
    BinaryCrossEntropy(label_smoothing=0.2),
    BinaryFocal(),
    BinaryFocal(gamma=0.7),
    CrossEntropy(),
    CrossEntropy(label_smoothing=0.2),
    Focal(),
    Focal(gamma=0.0),
    Focal(gamma=3.3),
    Hinge(),
    Hinge(squared=True),
    Ordinal(),
]


def case(loss: Loss, rows: int, size: int, *, fused: bool, dtype: type) -> tuple[Any, Any]:
    """Return outputs (or logits) and encoded targets of a batch; `size` is the number of classes or of targets."""
    rng = np.random.default_rng(1)
    if loss.task == "classification":
        if isinstance(loss, BinaryCrossEntropy | BinaryFocal):
            size = 2
        n = loss.n_outputs(size, 1)
        y = loss.encode(rng.integers(size, size=rows), n)
    else:
        n = loss.n_outputs(None, size)
        y = loss.encode(rng.gamma(2, size=(rows, size)), n)
    outputs = rng.normal(size=(rows, n), scale=3)
    outputs[0] *= 10  # extreme logits
    if not fused and loss.activation is not None:
        outputs = np.exp(outputs) if loss.task == "regression" else rng.dirichlet(np.ones(n + 1), rows)[:, :n]
        outputs[-1, 0] = 0  # where the logarithm is bounded
    if loss.ordered:
        outputs.sort(axis=1)
    return outputs.astype(dtype), y.astype(dtype)


def compare(loss: Loss, rows: int, size: int, dtype: type, *, fused: bool, compiled: bool) -> None:
    """Raise unless the twin of a loss computes what the loss computes."""
    outputs, y = case(loss, rows, size, fused=fused, dtype=dtype)
    counts = np.random.default_rng(2).random(rows).astype(dtype)
    forward = loss.forward_logits if fused else loss.forward
    losses, backward = forward(outputs, y, Context(dtype, training=True))
    losses = losses.copy()
    gradient = backward(counts[:, None]).copy()

    recorder = Recorder(np.dtype(dtype))
    recorder.begin(rows)
    at, target, weights = (buffer_of(recorder, content) for content in (outputs, y, counts))
    found, twin_backward = loss_twin_of(loss, fused)(loss, at, target, recorder)
    found_gradient = twin_backward(weights)
    run(recorder, compiled=compiled)
    precision = 3e-6 if dtype == np.float32 else 1e-12
    for a, b in ((found, losses), (found_gradient, gradient), (at, outputs), (target, y), (weights, counts)):
        assert a.dtype == b.dtype == dtype
        assert a.shape == b.shape
        assert_allclose(a, b, rtol=precision, atol=precision)


def forms(loss: Loss) -> list[bool]:
    """Return for which forms a loss has mathematics: of outputs, and of logits."""
    return [False] if loss.activation is None else [False, True]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_twin_as_python_computes_what_its_loss_computes(loss: Loss) -> None:
    for fused in forms(loss):
        for rows, size in ((4, 1), (5, 3)):
            compare(
                loss, rows, max(size, 2) if loss.task == "classification" else size, float, fused=fused, compiled=False
            )


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_twin_as_machine_code_computes_what_its_loss_computes(loss: Loss, dtype: type) -> None:
    for fused in forms(loss):
        for rows, size in ((1, 2), (7, 3), (64, 2), (50, 21)):
            compare(loss, rows, size, dtype, fused=fused, compiled=True)
        if loss.task == "regression":
            compare(loss, 33, 1, dtype, fused=fused, compiled=True)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_loss_of_nan_is_nan_so_that_divergence_is_found(loss: Loss) -> None:
    for fused in forms(loss):
        outputs, y = case(loss, 2, 2, fused=fused, dtype=float)
        outputs[:, 0] = np.nan
        recorder = Recorder(np.dtype(float))
        recorder.begin(2)
        losses, _ = loss_twin_of(loss, fused)(loss, buffer_of(recorder, outputs), buffer_of(recorder, y), recorder)
        run(recorder, compiled=False)
        assert np.isnan(losses).all()
