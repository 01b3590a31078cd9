"""What losses compute, against scikit-learn and SciPy, on both sides of the final activation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import special
from sklearn import metrics

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.binary_focal import BinaryFocal
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.focal import Focal
from nnfs_cli.nn.losses.gamma import Gamma
from nnfs_cli.nn.losses.hinge import Hinge
from nnfs_cli.nn.losses.huber import Huber
from nnfs_cli.nn.losses.log_cosh import LogCosh
from nnfs_cli.nn.losses.mae import MAE
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.losses.poisson import Poisson
from nnfs_cli.nn.losses.quantile import Quantile

EXAMPLES = [Loss.resolve(yaml.safe_load(example)) for loss in Loss.registered.values() for example in loss.examples]
PROBABILISTIC = [
    *((loss, 1) for loss in (BinaryCrossEntropy(), *(BinaryFocal(gamma=gamma) for gamma in (0, 0.5, 2)))),
    *((loss, 2) for loss in (CrossEntropy(), *(Focal(gamma=gamma) for gamma in (0, 0.5, 2)))),
]
with_each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def context(rows: int, dtype: str = "float64") -> Context:
    fresh = Context(dtype)
    fresh.begin(rows)
    return fresh


def encoded(loss: Loss, truth: object, n_outputs: int, dtype: str = "float64") -> Array:
    return loss.encode(np.array(truth), n_outputs).astype(dtype)


def no_overflow() -> np.errstate:
    return np.errstate(over="raise", invalid="raise", divide="raise")


def usual(loss: Loss) -> Callable[..., Any]:
    """How the loss is computed in a net that ends as it should."""
    return loss.forward_logits if loss.activation else loss.forward


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


@pytest.mark.parametrize("n_classes", [2, 4])
def test_hinge_is_the_hinge_loss(logits: Array, n_classes: int) -> None:
    n_outputs = Hinge().n_outputs(n_classes, 1)
    z, y = logits[:, :n_outputs], np.arange(50) % n_classes
    losses, _ = Hinge().forward(z, encoded(Hinge(), y, n_outputs), context(50))
    assert losses.mean() == pytest.approx(metrics.hinge_loss(y, z if n_classes > 2 else z[:, 0]), rel=1e-12)
    squared, _ = Hinge(squared=True).forward(z, encoded(Hinge(), y, n_outputs), context(50))
    np.testing.assert_allclose(squared, losses**2, rtol=1e-12)
    assert Hinge().answer(z).shape == (50, n_classes)
    assert (Hinge().answer(z).argmax(axis=1)[losses < 1] == y[losses < 1]).all()


def test_quantile_is_the_pinball_loss(logits: Array) -> None:
    loss, y = Quantile(levels=(0.2, 0.9)), np.cos(logits[:, :2]) * 3
    losses, _ = loss.forward(logits, loss.encode(y, 4), context(50))
    each = [metrics.mean_pinball_loss(y, logits[:, i::2], alpha=level) for i, level in enumerate(loss.levels)]
    assert losses.mean() == pytest.approx(np.mean(each), rel=1e-12)


def test_poisson_is_half_the_deviance_but_for_a_constant(logits: Array) -> None:
    y_hat, y = np.exp(logits), np.random.default_rng(1).poisson(3, logits.shape).astype(float)
    losses, _ = Poisson().forward_logits(logits, y, context(50))
    perfect = y - special.xlogy(y, y)
    deviance = metrics.mean_poisson_deviance(y.ravel(), y_hat.ravel())
    assert 2 * (losses.mean() - perfect.mean()) == pytest.approx(deviance, rel=1e-12)
    np.testing.assert_allclose(Poisson().forward(y_hat, y, context(50))[0], losses, rtol=1e-12)


def test_gamma_is_half_the_deviance_but_for_a_constant(logits: Array) -> None:
    y_hat, y = np.exp(logits), np.random.default_rng(1).exponential(3, logits.shape)
    losses, _ = Gamma().forward_logits(logits, y, context(50))
    deviance = metrics.mean_gamma_deviance(y.ravel(), y_hat.ravel())
    assert 2 * (losses.mean() - (1 + np.log(y)).mean()) == pytest.approx(deviance, rel=1e-12)
    np.testing.assert_allclose(Gamma().forward(y_hat, y, context(50))[0], losses, rtol=1e-12)


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
def test_robust_losses_are_their_definition(loss: Loss, function: Callable[[Array], Array]) -> None:
    losses, _ = loss.forward(Y_HAT, Y_TRUE, context(2))
    np.testing.assert_allclose(losses, function(Y_HAT - Y_TRUE).mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize(("focal", "plain"), [(Focal, CrossEntropy), (BinaryFocal, BinaryCrossEntropy)])
def test_focal_is_cross_entropy_with_less_weight_on_right_rows(focal: Any, plain: Any, logits: Array) -> None:
    z = logits if plain is CrossEntropy else logits[:, :1]
    y = encoded(plain(), np.arange(50) % 2, z.shape[1])
    entropy, backward = plain().forward_logits(z, y, context(50))
    same, same_backward = focal(gamma=0).forward_logits(z, y, context(50))
    np.testing.assert_array_equal(same, entropy)
    np.testing.assert_array_equal(same_backward(1.0), backward(1.0))
    turned_down, _ = focal().forward_logits(z, y, context(50))
    np.testing.assert_allclose(turned_down, (1 - np.exp(-entropy)) ** 2 * entropy, rtol=1e-9)


@pytest.mark.parametrize(("loss", "width"), [(BinaryCrossEntropy(), 1), (CrossEntropy(), 4)])
def test_fused_and_written_out_are_the_same_mathematics(loss: Loss, width: int, logits: Array) -> None:
    """The loss from logits equals the loss of probabilities, and its gradient is y_hat - y."""
    z = logits[:, :width]
    y = encoded(loss, np.arange(50) % max(width, 2), width)
    y_hat = special.expit(z) if width == 1 else special.softmax(z, axis=1)
    fused, fused_backward = loss.forward_logits(z, y, context(50))
    written, _ = loss.forward(y_hat, y, context(50))
    np.testing.assert_allclose(fused, written, rtol=1e-9)
    np.testing.assert_allclose(fused_backward(1.0), y_hat - y, atol=1e-14)


@with_each_dtype
@pytest.mark.parametrize(("loss", "width"), PROBABILISTIC)
def test_confidently_wrong_costs_its_logit_and_no_overflow(loss: Loss, width: int, dtype: str) -> None:
    z = np.array([[1000.0]] if width == 1 else [[0.0, 1000.0]], dtype)
    with no_overflow():
        losses, backward = loss.forward_logits(z, encoded(loss, [0], width, dtype), context(1, dtype))
        dz = backward(1.0)
    assert losses.tolist() == [1000.0]
    assert dz[0, -1] == 1.0


@with_each_dtype
@pytest.mark.parametrize(("loss", "width"), PROBABILISTIC)
def test_confidently_right_costs_nothing(loss: Loss, width: int, dtype: str) -> None:
    z = np.array([[1000.0]] if width == 1 else [[0.0, 1000.0]], dtype)
    with no_overflow():
        losses, backward = loss.forward_logits(z, encoded(loss, [1], width, dtype), context(1, dtype))
        dz = backward(1.0)
    assert not losses.any()
    assert not dz.any()


@with_each_dtype
@pytest.mark.parametrize(("loss", "width"), PROBABILISTIC)
def test_written_out_certainty_stays_finite(loss: Loss, width: int, dtype: str) -> None:
    y_hat = np.array([[1.0]] if width == 1 else [[0.0, 1.0]], dtype)
    losses, backward = loss.forward(y_hat, encoded(loss, [0], width, dtype), context(1, dtype))
    assert np.isfinite(losses).all()
    assert np.isfinite(backward(1.0)).all()


@with_each_dtype
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e30])
@pytest.mark.parametrize("loss", [MAE(), Huber(), LogCosh(), Quantile(), Hinge()], ids=str)
def test_errors_of_any_size_count_without_overflow(loss: Loss, size: float, dtype: str) -> None:
    y_hat, y = np.array([[size, -size, 0.0]], dtype), np.array([[0.0, 1.0, 0.0]], dtype)
    with no_overflow():
        losses, backward = loss.forward(y_hat, y, context(1, dtype))
        assert np.isfinite(losses).all()
        assert (np.abs(backward(1.0)) <= 1).all()


@with_each_dtype
def test_poisson_of_a_rate_of_zero_and_of_a_huge_rate(dtype: str) -> None:
    none, five, huge = (np.array([[number]], dtype) for number in (0, 5, 1000))
    with no_overflow():
        losses, backward = Poisson().forward(none, five, context(1, dtype))
        assert np.isfinite([losses.item(), backward(1.0).item()]).all()
        assert Poisson().forward_logits(-huge, none, context(1, dtype))[0] == 0
    with np.errstate(over="ignore"):
        assert np.isposinf(Poisson().forward_logits(huge, five, context(1, dtype))[0])  # shows as divergence


@with_each_dtype
def test_gamma_of_a_mean_of_zero_and_of_a_tiny_mean(dtype: str) -> None:
    none, five, huge = (np.array([[number]], dtype) for number in (0, 5, 1000))
    with no_overflow():
        losses, backward = Gamma().forward(none, five, context(1, dtype))
        assert np.isfinite([losses.item(), backward(1.0).item()]).all()
        assert Gamma().forward_logits(huge, five, context(1, dtype))[0] == 1000
    with np.errstate(over="ignore"):
        assert np.isposinf(Gamma().forward_logits(-huge, five, context(1, dtype))[0])  # shows as divergence


@pytest.mark.parametrize("loss", EXAMPLES, ids=str)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_row_twice_is_a_row_of_weight_two(loss: Loss, seed: int, data: st.DataObject) -> None:
    """Its gradient is as long, and the sum of all losses as large."""
    rng, rows = np.random.default_rng(seed), data.draw(st.integers(1, 6))
    if loss.task == "classification":
        size = 2 if loss.name.startswith("binary") else data.draw(st.integers(2, 4))
        n_outputs, truth = loss.n_outputs(size, 1), rng.integers(0, size, rows)
    else:
        size = data.draw(st.integers(1, 3))
        n_outputs, truth = loss.n_outputs(None, size), rng.poisson(2, (rows, size))
    z, y = rng.standard_normal((rows, n_outputs)) * 3, encoded(loss, truth, n_outputs)
    again = data.draw(st.integers(0, rows - 1))
    twice = np.append(np.arange(rows), again)
    weight = np.ones((rows, 1))
    weight[again] = 2
    losses, backward = usual(loss)(z, y, context(rows))
    more, more_backward = usual(loss)(z[twice], y[twice], context(rows + 1))
    assert losses @ weight[:, 0] == pytest.approx(more.sum(), rel=1e-12, abs=1e-12)
    dz, more_dz = backward(weight), more_backward(1.0)
    more_dz[again] += more_dz[-1]
    np.testing.assert_allclose(dz, more_dz[:-1], rtol=1e-12, atol=1e-15)


@given(smoothing=st.floats(0, 0.99), n=st.integers(2, 20))
def test_smoothed_classes_still_add_up_to_one(smoothing: float, n: int) -> None:
    rows = CrossEntropy(label_smoothing=smoothing).encode(np.arange(n), n)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-14)
    assert (rows.argmax(axis=1) == np.arange(n)).all()
    second = BinaryCrossEntropy(label_smoothing=smoothing).encode(np.arange(2), 1)
    np.testing.assert_allclose(
        second, CrossEntropy(label_smoothing=smoothing).encode(np.arange(2), 2)[:, 1:], rtol=1e-14
    )


@pytest.mark.parametrize(
    ("levels", "answer"),
    [
        ((0.05, 0.4, 0.9), 2.2),
        ((0.05, 0.5, 0.9), 2),
        ((0.2, 0.25, 0.75), 2.5),
        ((0.6, 0.7, 0.9), 1),
        ((0.1, 0.2, 0.3), 3),
    ],
)
def test_the_prediction_of_quantiles_is_their_interpolated_median(levels: tuple[float, ...], answer: float) -> None:
    loss = Quantile(levels=levels)
    np.testing.assert_allclose(loss.answer(np.array([[3.0, 1.0, 2.0]])), [[answer]], rtol=1e-12)
    np.testing.assert_array_equal(Quantile(levels=(0.9,)).answer(np.array([[7.0]])), [[7]])


def test_quantiles_come_back_in_order() -> None:
    loss = Quantile(levels=(0.05, 0.4, 0.9))
    assert loss.n_outputs(None, 2) == 6
    np.testing.assert_array_equal(loss.encode(np.array([[1.0, 2.0]]), 6), [[1, 1, 1, 2, 2, 2]])
    y_hat = np.array([[3.0, 1.0, 2.0, 10.0, 20.0, 30.0]])
    found = {level: values.tolist() for level, values in loss.quantiles(y_hat).items()}
    assert found == {0.05: [[1, 10]], 0.4: [[2, 20]], 0.9: [[3, 30]]}
    assert MSE().quantiles(y_hat) == {}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (1.5, "must be less than 1, found 1.5"),
        (0, "must be greater than 0, found 0"),
        ("half", "expected a number, found 'half'"),
        ([], "expected at least one entry, found an empty list"),
        ([0.9, 0.1], r"expected levels in ascending order, each once, found \[0.9, 0.1\]"),
        ([0.5, 0.5], r"expected levels in ascending order, each once, found \[0.5, 0.5\]"),
    ],
)
def test_wrong_levels_are_refused(setting: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Loss.resolve({"quantile": setting})


@pytest.mark.parametrize("loss", EXAMPLES, ids=str)
def test_a_loss_survives_a_round_trip_through_yaml(loss: Loss) -> None:
    assert Loss.resolve(yaml.safe_load(yaml.safe_dump(loss.plain()))) == loss


@pytest.mark.parametrize(("loss", "instead"), [(BinaryCrossEntropy(), "cross_entropy"), (BinaryFocal(), "focal")])
def test_binary_losses_refuse_three_classes(loss: Loss, instead: str) -> None:
    with pytest.raises(ValueError, match=f"{loss.name} is for 2 classes; use {instead} after softmax"):
        loss.n_outputs(3, 1)


@pytest.mark.parametrize("loss", EXAMPLES, ids=str)
def test_a_second_pass_allocates_no_batch(loss: Loss) -> None:
    rows = 5000
    size = 2 if loss.name.startswith("binary") else 6
    n_outputs = loss.n_outputs(*((size, 1) if loss.task == "classification" else (None, size)))
    y = encoded(loss, np.zeros(rows, int) if loss.task == "classification" else np.zeros((rows, size)), n_outputs)
    z, buffers = np.zeros((rows, n_outputs)), Context("float64")
    for _ in range(2):
        buffers.begin(rows)
        tracemalloc.start()
        usual(loss)(z, y, buffers)[1](1.0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < z.nbytes
