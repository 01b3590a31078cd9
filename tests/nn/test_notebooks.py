"""The five notebooks this house grew from, on their own random streams: our parts give the figures they published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from numpy.random import RandomState
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from nnfs_cli.arrays import Array
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.generated import Arithmetic, Moons
from nnfs_cli.data.inputs import NumberInputs
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.metrics.decisions import Accuracy
from nnfs_cli.nn.initializers import LecunNormal, Normal
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax, jacobian, pull_back
from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.trainer import Trainer


class Log(Callback):
    def __init__(self) -> None:
        self.rows: list[LogRow] = []

    def on_log(self, training: Training, row: LogRow) -> None:
        self.rows.append(row)


class Standardized(NamedTuple):
    """Columns (rows, n) with mean 0 and deviation 1 in the training rows, and what it takes to go there and back."""

    train: Array
    test: Array
    fitted: NumberInputs


def standardize(train: Array, test: Array) -> Standardized:
    fitted = NumberInputs.fit({str(j): column for j, column in enumerate(train.T)}, [Standardize()])
    return Standardized(fitted.forward(train), fitted.forward(test), fitted)


def classifier_figures(model: Model, X: Array, y: Array) -> LogRow:
    loss, y_hat = model.evaluate(X, y[:, None])
    return {"loss": loss, "accuracy": Accuracy().score(PredictedRows(y.astype(int), model.loss.answer(y_hat)))}


# --- 000 and 001: two nets on breast cancer, one random stream -------------------------------------------------------

# train loss, validation loss, validation accuracy. 000 prints the first five epochs, 001 all ten.
LOGISTIC = """
0.421 0.263 0.939
0.246 0.198 0.956
0.199 0.169 0.965
0.170 0.152 0.965
0.158 0.140 0.965
0.144 0.132 0.965
0.138 0.125 0.965
0.131 0.120 0.965
0.126 0.116 0.965
0.120 0.112 0.965
"""
TWO_LAYERS_000 = """
0.567 0.485 0.921
0.443 0.361 0.921
0.338 0.273 0.930
0.268 0.220 0.939
0.225 0.187 0.939
0.192 0.165 0.939
0.172 0.150 0.939
0.156 0.138 0.939
0.144 0.130 0.947
0.135 0.123 0.956
"""
TWO_LAYERS_001 = """
0.617 0.496 0.930
0.457 0.352 0.939
0.340 0.258 0.939
0.258 0.204 0.939
0.210 0.173 0.939
0.183 0.153 0.939
0.162 0.139 0.939
0.141 0.128 0.947
0.133 0.120 0.965
0.122 0.114 0.974
"""


class CumulativeShuffle:
    """Whole batches only; every epoch permutes the order that the one before it left, from whichever net."""

    def __init__(self, rows: int, size: int, rng: RandomState) -> None:
        self.order, self.size, self.rng = np.arange(rows), size, rng

    @property
    def steps(self) -> int:
        return len(self.order) // self.size

    def epoch(self, epoch: int) -> Iterator[Array | slice]:
        self.order = self.order[self.rng.permutation(len(self.order))]
        for start in range(0, self.steps * self.size, self.size):
            yield self.order[start : start + self.size]


def breast_cancer() -> tuple[Standardized, Array, Array]:
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=9)
    return standardize(X_train, X_val), y_train.astype(float), y_val.astype(float)


def epoch_table(layers: list[Layer], epochs: int, batches: CumulativeShuffle) -> list[str]:
    X, y_train, y_val = breast_cancer()
    model, log = Model(layers, BinaryCrossEntropy(), (30,), "float64", batches.rng), Log()
    validate = partial(classifier_figures, model, X.test, y_val)
    Trainer(model, batches, Plan(SGD(), 0.1), [log], validate).fit(X.train, y_train[:, None], epochs)
    return [f"{row['train_loss']:.3f} {row['loss']:.3f} {row['accuracy']:.3f}" for row in log.rows]


def logistic_table(epochs: int, batches: CumulativeShuffle) -> list[str]:
    return epoch_table([Linear(units=1), Sigmoid()], epochs, batches)


def two_layer_table(epochs: int, batches: CumulativeShuffle) -> list[str]:
    return epoch_table([Linear(units=20), ReLU(), Linear(units=1), Sigmoid()], epochs, batches)


@pytest.fixture
def shuffle() -> CumulativeShuffle:
    return CumulativeShuffle(455, 64, RandomState(9))


@pytest.mark.parametrize("epochs", [5, 10], ids=["000", "001"])
def test_the_logistic_net_prints_the_published_table(epochs: int, shuffle: CumulativeShuffle) -> None:
    assert logistic_table(epochs, shuffle) == LOGISTIC.split("\n")[1 : epochs + 1]


@pytest.mark.parametrize(
    ("epochs_before", "published"), [(5, TWO_LAYERS_000), (10, TWO_LAYERS_001)], ids=["000", "001"]
)
def test_the_two_layer_net_goes_on_where_the_logistic_one_left_the_stream(
    epochs_before: int, published: str, shuffle: CumulativeShuffle
) -> None:
    logistic_table(epochs_before, shuffle)
    assert two_layer_table(10, shuffle) == published.split("\n")[1:-1]


def test_scikit_learns_logistic_regression_is_as_accurate_as_both_notebooks_say() -> None:
    X, y_train, y_val = breast_cancer()
    reference = LogisticRegression(random_state=9).fit(X.train, y_train)
    assert reference.score(X.test, y_val) == 0.9824561403508771


# --- 002: a+b, a-b and |a-b| by gradient descent on all rows ---------------------------------------------------------


class Regression(NamedTuple):
    X: Standardized
    y: Standardized
    model: Model


def arithmetic_columns() -> list[Array]:
    table = Arithmetic().read()
    return [table.numbers(name) for name in table.columns]


@pytest.fixture
def regression() -> Regression:
    table = np.stack(arithmetic_columns(), axis=1)
    X, y = table[:, :2], table[:, 2:]
    layers = [Linear(units=4), ReLU(), Linear(units=4), ReLU(), Linear(units=3)]
    model = Model(layers, MSE(factor=1.5), (2,), "float64")
    rng = RandomState(42)
    rng.rand(2, 10_000)  # the data, which Arithmetic draws for itself
    for name, array in model.parameters.arrays.items():
        n_inputs = model.parameters.layout.specs[name].fan_in
        array.T[...] = rng.randn(*array.T.shape) * np.sqrt(2 / n_inputs)  # it keeps a unit's weights in a row
    return Regression(standardize(X[:7000], X[7000:]), standardize(y[:7000], y[7000:]), model)


def published_measure(y_hat: Array, y: Array) -> float:
    return float(np.mean(np.linalg.norm(0.5 * (y_hat - y) ** 2, axis=1)))


def descend(regression: Regression, measured_at: Sequence[int]) -> list[float]:
    """Train to the last of these epochs; the notebook's measure at each, taken before that epoch's update."""
    (X, y, model), sgd, measured = regression, SGD(), []
    for epoch in range(1, measured_at[-1] + 1):
        if epoch in measured_at:
            measured.append(published_measure(model.predict(X.train), y.train))
        model.differentiate(X.train, y.train)
        sgd.step(model.parameters.vector, model.gradients.vector, {}, 0.01)
    return measured


def test_the_arithmetic_table_is_the_notebooks() -> None:
    a, b = RandomState(42).rand(2, 10_000) * 100
    np.testing.assert_array_equal(arithmetic_columns(), [a, b, a + b, a - b, np.abs(a - b)])


def test_the_regression_net_has_47_numbers_to_learn(regression: Regression) -> None:
    assert regression.model.n_parameters == 47


def test_gradient_descent_keeps_to_the_notebooks_path(regression: Regression) -> None:
    # What the notebook's own statements gave at epochs 1 and 1,000, run once on this random stream with NumPy 2.4.6.
    reference = [3.7696638604020407, 0.5713401158833803]
    assert descend(regression, [1, 1000]) == pytest.approx(reference, abs=1e-9)


@pytest.mark.slow
def test_a_million_epochs_end_where_the_notebook_did(regression: Regression) -> None:
    measured = descend(regression, range(100_000, 1_000_001, 100_000))
    assert [f"{loss:.4f}" for loss in measured] == ["0.3502"] + 9 * ["0.3450"]

    X, y, model = regression
    assert published_measure(model.predict(X.test), y.test) == pytest.approx(0.3194238845483295, abs=1e-9)

    rows = np.array([[30, 70], [70, 30], [3, 5], [888, 122]])
    y_hat = model.predict(X.fitted.forward(rows))
    published = """
    98.56378114 -26.25088759 48.08520947
    102.63221611 14.80155747 25.18205121
    5.56349031 21.32450240 15.71597463
    562.15335048 221.60597885 -64.01423955
    """
    printed = [f"{value:.8f}" for value in y.fitted.inverse(y_hat).flat]
    assert printed == published.split()


# --- 003: all rows of breast cancer in their own order, the loss summed over a batch ---------------------------------

# At epochs 20, 40, ..., 500.
LOGISTIC_LOSSES = """
0.0601 0.0547 0.0522 0.0507 0.0496 0.0487 0.0479 0.0473 0.0467 0.0462 0.0457 0.0453 0.0449
0.0446 0.0442 0.0439 0.0436 0.0433 0.0431 0.0428 0.0426 0.0424 0.0422 0.0420 0.0418
"""


def small_dense(units: int) -> Dense:
    return Dense(units=units, init=Normal(std=0.01), bias_init=Normal(std=0.01))


def fit_classifier(layers: list[Layer], lr: float, epochs: int, seed: int) -> list[LogRow]:
    """The figures of every twentieth epoch: the loss while it ran, the accuracy after its last step."""
    X, y = load_breast_cancer(return_X_y=True)
    X, y = standardize(X, X).train.astype("float32"), y.astype("float32")
    model, log = Model(layers, BinaryCrossEntropy(reduction="sum"), (30,), "float32", RandomState(seed)), Log()
    in_order = Batches(len(X), 128, shuffle=False)
    figures = partial(classifier_figures, model, X, y)
    fitting = Trainer(model, in_order, Plan(SGD(), lr, log_every=20), [log], figures)
    fitting.fit(X, y[:, None], epochs)
    return log.rows


def test_the_dense_logistic_net_ends_at_the_published_losses_and_accuracy() -> None:
    rows = fit_classifier([small_dense(1)], lr=0.01, epochs=500, seed=0)
    published = [float(loss) for loss in LOGISTIC_LOSSES.split()]
    assert [row["train_loss"] for row in rows] == pytest.approx(published, abs=2e-4)
    assert f"{rows[-1]['accuracy'] * 100:.3f}" == "98.946"


@pytest.mark.parametrize("seed", range(4))
def test_ten_sigmoid_units_reach_the_published_accuracies_from_any_small_init(seed: int) -> None:
    rows = fit_classifier([small_dense(10), small_dense(1)], lr=0.003, epochs=380, seed=seed)
    accuracy = {row["epoch"]: f"{row['accuracy'] * 100:.3f}" for row in rows}
    assert accuracy[80] == "98.594"
    assert accuracy[380] == "98.770"


# --- 004: softmax by its whole Jacobian, and descent on one drawn sample at a time -----------------------------------

# The notebook keeps a sample in a column; we keep it in a row.
OUTPUTS = np.array([[5, 7, 3], [4, 9, 2]])
LABELS = np.array([[1, 0, 0], [0, 0, 1]])


def test_the_softmax_jacobians_are_the_printed_ones() -> None:
    published = [
        [[-20, -35, -15], [-35, -42, -21], [-15, -21, -6]],
        [[-12, -36, -8], [-36, -72, -18], [-8, -18, -2]],
    ]
    np.testing.assert_allclose(jacobian(OUTPUTS), published, rtol=1e-12)


def test_softmax_pulls_the_gradient_back_as_printed() -> None:
    published = np.array([[4, 4], [7, 9], [3, 1]])
    np.testing.assert_allclose(pull_back(OUTPUTS, -LABELS / OUTPUTS).T, published, rtol=1e-12)


def test_descent_on_one_drawn_sample_at_a_time_learns_two_moons() -> None:
    X, y = Moons(rows=300).draw()
    loss = CrossEntropy()
    hidden, classes = Linear(units=10, init=LecunNormal()), Linear(units=2, init=LecunNormal())
    model = Model([hidden, ReLU(), hidden, ReLU(), classes, Softmax()], loss, (2,), "float64", RandomState(0))
    drawn = Batches(len(X), 1, replacement=True)
    Trainer(model, drawn, Plan(SGD(), 0.005)).fit(X, loss.encode(y, 2).astype(float), epochs=100)
    assert Accuracy().score(PredictedRows(y, model.predict(X))) > 0.97
