"""The net as a whole."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Backward, Context, Layer
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Views


def net(*layers: object, loss: object = None, dtype: str = "float64") -> Model:
    return Model(layers, loss or MSE(), (4,), dtype, np.random.default_rng(0))


@pytest.fixture
def X() -> Array:
    return np.random.default_rng(1).standard_normal((100, 4))


def test_one_vector_holds_everything() -> None:
    model = net(Linear(units=3), ReLU(), Linear(units=2))
    assert model.n_parameters == 4 * 3 + 3 + 3 * 2 + 2 == model.parameters.vector.size
    for array in model.parameters.arrays.values():
        assert np.shares_memory(array, model.parameters.vector)


@pytest.mark.parametrize(
    "ending", [(Linear(units=1), Sigmoid()), (Dense(units=1),), (Sequential(layers=(Linear(units=1), Sigmoid())),)]
)
def test_final_activation_is_fused_however_deep_it_lies(ending: tuple[object, ...], X: Array) -> None:
    model = net(Linear(units=3), *ending, loss=BinaryCrossEntropy())
    assert model.fused
    y_hat = model.predict(X)
    assert ((y_hat > 0) & (y_hat < 1)).all()
    assert model.layers.final == Sigmoid()


def test_without_its_activation_the_loss_supplies_it(X: Array) -> None:
    with_it, without = net(Linear(units=3), Softmax(), loss=CrossEntropy()), net(Linear(units=3), loss=CrossEntropy())
    np.testing.assert_array_equal(with_it.predict(X), without.predict(X))
    np.testing.assert_allclose(without.predict(X).sum(axis=1), 1)


def test_fused_and_as_written_give_the_same_gradient(X: Array) -> None:
    """Sigmoid's own backward under a cross-entropy that cannot fuse with it: two outputs that need not add up to 1."""
    y = np.eye(2)[np.arange(100) % 2]
    model = net(Linear(units=2), Sigmoid(), loss=CrossEntropy())
    assert not model.fused
    model.differentiate(X, y)
    weight, bias = model.parameters.arrays["0.weight"], model.parameters.arrays["0.bias"]
    y_hat = 1 / (1 + np.exp(-(X @ weight + bias)))
    np.testing.assert_allclose(model.gradients.arrays["0.bias"], (-y * (1 - y_hat)).mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 100, 1000])
def test_evaluation_does_not_depend_on_the_batch_size(batch_size: int, X: Array) -> None:
    model, y = net(Linear(units=5), ReLU(), Linear(units=3), loss=CrossEntropy()), np.eye(3)[np.arange(100) % 3]
    loss, y_hat = model.evaluate(X, y, batch_size=batch_size)
    expected_loss, expected = model.evaluate(X, y)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    np.testing.assert_allclose(y_hat, expected, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X, batch_size), expected, rtol=1e-12)


def test_sum_is_the_mean_times_the_rows(X: Array) -> None:
    y = np.ones((100, 2))
    mean, total = net(Linear(units=2), loss=MSE()), net(Linear(units=2), loss=MSE(reduction="sum"))
    assert mean.differentiate(X, y) == total.differentiate(X, y)
    np.testing.assert_allclose(total.gradients.vector, 100 * mean.gradients.vector, rtol=1e-12)


def test_a_step_in_between_other_batch_sizes_changes_nothing(X: Array) -> None:
    model, y = net(Linear(units=5), ReLU(), Linear(units=2)), np.ones((100, 2))
    model.differentiate(X, y)
    expected = model.gradients.vector.copy()
    model.differentiate(X[:7], y[:7])
    model.evaluate(X, y, batch_size=9)
    model.predict(X)
    model.differentiate(X, y)
    np.testing.assert_array_equal(model.gradients.vector, expected)


def test_training_may_end_and_go_on(X: Array) -> None:
    model = Model([Linear(4), ReLU(), Linear(1)], MSE(), (X.shape[1],), "float64", np.random.default_rng(0))
    y = X[:, :1]
    loss, gradient = model.differentiate(X, y), model.gradients.vector.copy()
    model.end_training()
    assert model.differentiate(X, y) == loss
    np.testing.assert_array_equal(model.gradients.vector, gradient)


def test_predict_after_evaluate_gets_clean_buffers(X: Array) -> None:
    model, y = net(Linear(units=1), Sigmoid(), loss=BinaryCrossEntropy()), np.ones((100, 1))
    before = model.predict(X)
    model.evaluate(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.evaluate(X, y)[0] == model.evaluate(X, y)[0]


def test_load_takes_exactly_the_nets_arrays() -> None:
    model = net(Linear(units=2))
    arrays = {name: array + 1 for name, array in model.parameters.arrays.items()}
    model.load(arrays)
    np.testing.assert_array_equal(model.parameters.arrays["0.bias"], [1, 1])
    for wrong in ({"0.weight": arrays["0.weight"]}, {**arrays, "more": arrays["0.bias"]}):
        with pytest.raises(
            ValueError,
            match=r"there is no array '0.bias'|the net has no array 'more'; its arrays are 0.weight and 0.bias",
        ):
            model.load(wrong)
    with pytest.raises(ValueError, match="has the shape"):
        model.load({**arrays, "0.bias": np.zeros(3)})


def test_description() -> None:
    model = net(Linear(units=20), ReLU(), Dense(units=1))
    assert model.describe() == "4 -> linear 20 -> relu -> dense 1 sigmoid"


class Meeting(Layer):
    """Passes rows on once the other thread has come as far."""

    place: ClassVar[threading.Barrier]

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        self.place.wait(timeout=60)
        return x, lambda dy, g, need_dx: dy


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("rows", [1, 100])
def test_two_threads_in_the_middle_of_a_pass_do_not_disturb_each_other(members: int, rows: int) -> None:
    layers = [Linear(units=5), Meeting(), Tanh(), Meeting(), Linear(units=3)]
    rngs = [np.random.default_rng(j) for j in range(members)]
    embedding = Embedding(tables=(EmbeddingTable(1, 4, 2, "city"),))
    model = Model(layers, CrossEntropy(), (4,), "float64", rngs, embedding, members)
    X = np.random.default_rng(1).integers(0, 4, (2, rows, 4)).astype(float)
    y = np.eye(3)[np.arange(rows) % 3]
    Meeting.place = threading.Barrier(1)  # one after another
    model.evaluate(X[0], y)  # the next pass reuses its buffers
    expected = [(model.predict(x), *model.evaluate(x, y)) for x in X]
    Meeting.place = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        predicted = list(pool.map(model.predict, X))
        scored = list(pool.map(lambda x: model.evaluate(x, y), X))
    for (before, loss, y_hat), now, (loss_now, y_hat_now) in zip(expected, predicted, scored, strict=True):
        np.testing.assert_array_equal(now, before)
        np.testing.assert_array_equal(y_hat_now, y_hat)
        assert loss_now == loss


@pytest.mark.slow
def test_many_threads_predict_what_one_thread_does() -> None:
    model = net(Linear(units=16), ReLU(), Linear(units=3), loss=CrossEntropy())
    tables = [np.random.default_rng(n).standard_normal((n, 4)) for n in range(1, 60)]
    expected = [model.predict(X) for X in tables]
    with ThreadPoolExecutor(16) as pool:
        for i, found in enumerate(pool.map(lambda i: model.predict(tables[i % 59]), range(59 * 400))):
            np.testing.assert_array_equal(found, expected[i % 59])


def test_one_thread_reuses_its_buffers(X: Array) -> None:
    model, y = net(Linear(units=2)), np.ones((100, 2))
    for _ in range(3):
        model.predict(X)
        model.evaluate(X, y)
    (context,) = model._idle
    assert context._shelves
