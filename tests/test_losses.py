"""What losses compute, against scikit-learn and SciPy, on both sides of the final activation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from nnfs_cli.layers import Context
from nnfs_cli.losses import Loss
from nnfs_cli.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.losses.cross_entropy import CrossEntropy
from nnfs_cli.losses.huber import Huber
from nnfs_cli.losses.log_cosh import LogCosh
from nnfs_cli.losses.mae import MAE
from nnfs_cli.losses.mse import MSE
from nnfs_cli.parameters import Array


def context(rows: int, dtype: str = "float64") -> Context:
    fresh = Context(dtype)
    fresh.begin(rows)
    return fresh


@pytest.fixture
def logits() -> Array:
    return np.random.default_rng(0).standard_normal((50, 4)) * 3


def test_cross_entropy_is_the_log_loss(logits: Array) -> None:
    y = np.arange(50) % 4
    losses, _ = CrossEntropy().forward_logits(logits, np.eye(4)[y], context(50))
    assert losses.mean() == pytest.approx(metrics.log_loss(y, special.softmax(logits, axis=1)), rel=1e-12)


def test_binary_cross_entropy_is_the_log_loss(logits: Array) -> None:
    z, y = logits[:, :1], np.arange(50) % 2
    losses, _ = BinaryCrossEntropy().forward_logits(z, y[:, None].astype(float), context(50))
    assert losses.mean() == pytest.approx(metrics.log_loss(y, special.expit(z[:, 0])), rel=1e-12)


@pytest.mark.parametrize("factor", [1.0, 0.5, 1.5])
def test_mse_is_the_mean_squared_error(logits: Array, factor: float) -> None:
    y = np.cos(logits)
    losses, _ = MSE(factor=factor).forward(logits, y, context(50))
    assert losses.mean() == pytest.approx(factor * metrics.mean_squared_error(y, logits), rel=1e-12)


Y_HAT, Y_TRUE = np.array([[-3.0, -0.4, 0.0], [0.2, 1.0, 900.0]]), np.array([[0.0, 0.1, 0.0], [-0.3, 0.0, -100.0]])


@pytest.mark.parametrize(
    ("loss", "function"),
    [
        (MAE(), np.abs),
        (Huber(), lambda e: special.huber(1.0, np.abs(e))),
        (Huber(delta=0.25), lambda e: special.huber(0.25, np.abs(e))),
        (LogCosh(), lambda e: np.logaddexp(e, -e) - np.log(2)),
    ],
)
def test_robust_losses_are_their_definition(loss: Loss, function: object) -> None:
    losses, _ = loss.forward(Y_HAT, Y_TRUE, context(2))
    np.testing.assert_allclose(losses, function(Y_HAT - Y_TRUE).mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize(("loss", "width"), [(BinaryCrossEntropy(), 1), (CrossEntropy(), 4)])
def test_fused_and_written_out_are_the_same_mathematics(loss: Loss, width: int, logits: Array) -> None:
    """The loss from logits equals the loss of probabilities, and its gradient is y_hat - y."""
    z = logits[:, :width]
    y = loss.encode(np.arange(50) % max(width, 2), width).astype(float)
    y_hat = special.expit(z) if width == 1 else special.softmax(z, axis=1)
    fused, fused_backward = loss.forward_logits(z, y, context(50))
    written, _ = loss.forward(y_hat, y, context(50))
    np.testing.assert_allclose(fused, written, rtol=1e-9)
    np.testing.assert_allclose(fused_backward(1.0), y_hat - y, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "width"), [(BinaryCrossEntropy(), 1), (CrossEntropy(), 2)])
def test_confidently_wrong_costs_its_logit_and_no_overflow(loss: Loss, width: int, dtype: str) -> None:
    z = np.array([[1000.0]] if width == 1 else [[0.0, 1000.0]], dtype)
    y = loss.encode(np.array([0]), width).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses, backward = loss.forward_logits(z, y, context(1, dtype))
        dz = backward(1.0)
    assert losses.tolist() == [1000.0]
    assert dz[0, -1] == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "width"), [(BinaryCrossEntropy(), 1), (CrossEntropy(), 2)])
def test_written_out_certainty_stays_finite(loss: Loss, width: int, dtype: str) -> None:
    y_hat = np.array([[1.0]] if width == 1 else [[0.0, 1.0]], dtype)
    losses, backward = loss.forward(y_hat, loss.encode(np.array([0]), width).astype(dtype), context(1, dtype))
    assert np.isfinite(losses).all()
    assert np.isfinite(backward(1.0)).all()


def test_a_weight_for_each_row_scales_its_gradient(logits: Array) -> None:
    weight = np.linspace(0, 2, 50)[:, None]
    for loss, z in ((CrossEntropy(), logits), (BinaryCrossEntropy(), logits[:, :1])):
        y = loss.encode(np.arange(50) % 2, z.shape[1]).astype(float)
        plain = loss.forward_logits(z, y, context(50))[1](1.0).copy()
        np.testing.assert_allclose(loss.forward_logits(z, y, context(50))[1](weight), plain * weight, rtol=1e-12)
    y = np.sin(logits)
    plain = MSE().forward(logits, y, context(50))[1](1.0).copy()
    np.testing.assert_allclose(MSE().forward(logits, y, context(50))[1](weight), plain * weight, rtol=1e-12)
