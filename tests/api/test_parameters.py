"""The parameters of the estimators and of `fit`: what they take, their defaults, and what is said about wrong ones."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError

from nnfs_cli import (
    BinaryCrossEntropy,
    Callback,
    CrossEntropy,
    Dense,
    InvalidInputError,
    Layer,
    Linear,
    NetClassifier,
    NetRegressor,
)
from nnfs_cli.api.settings import plain

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")

X, y = load_breast_cancer(return_X_y=True)
SMALL: dict[str, Any] = {"layers": ["linear: 8", "relu"], "epochs": 3, "lr": 0.01}


# Predictions


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_log_probabilities_are_the_logarithms_of_probabilities(load: Any) -> None:
    inputs, labels = load(return_X_y=True)
    net = NetClassifier(**SMALL).fit(inputs, labels)
    logs = net.predict_log_proba(inputs)
    np.testing.assert_array_equal(logs, np.log(net.predict_proba(inputs)))
    assert (np.logaddexp.reduce(logs.astype(float), axis=1) < 1e-5).all()


def test_a_loss_without_probabilities_has_no_logarithms_of_them() -> None:
    assert not hasattr(NetClassifier(loss="hinge"), "predict_log_proba")


def test_a_set_of_classes_is_called_so_when_it_cannot_be_given() -> None:
    with pytest.raises(InvalidInputError, match="a set of classes needs rows that"):
        NetClassifier(**SMALL).fit(X, y).predict_set(X)
    with pytest.raises(InvalidInputError, match="an interval needs rows that"):
        NetRegressor(**SMALL).fit(X, y).predict_interval(X)


# The net


@pytest.mark.parametrize(
    "layers",
    [["linear: 2", "softmax"], ["linear: 16", "relu", "linear: 2"], [Linear(4), Dense(2, activation="softmax")]],
)
def test_a_net_with_an_output_for_each_of_two_classes_is_kept(layers: Any) -> None:
    net = NetClassifier(layers, epochs=2).fit(X, y)
    assert [layer.name for layer in net.config_.layers] == [Layer.resolve(plain(one, "layers")).name for one in layers]
    assert net.config_.loss == CrossEntropy()
    given = NetClassifier(layers, epochs=2, loss="cross_entropy").fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), given.predict_proba(X))


@pytest.mark.parametrize(
    "layers", [["linear: 2", "relu"], ["linear: 2", "gelu"], ["linear: 2", "dropout: 0.1"], "relu"]
)
def test_two_hidden_units_are_no_outputs(layers: Any) -> None:
    net = NetClassifier(layers, epochs=1).fit(X[:, :2], y)
    assert net.config_.layers[-1] == Linear(1)
    assert net.config_.loss == BinaryCrossEntropy()


@pytest.mark.parametrize(
    ("layers", "found"),
    [(10, "10"), (5.5, "5.5"), ((10,), "10"), ([10, 5], "10 and 5"), (np.array([7]), "7"), (len, "")],
)
def test_sizes_of_layers_are_answered_with_layers(layers: Any, found: str) -> None:
    with pytest.raises(InvalidInputError, match=r'^layers: expected a list of layers, such as .*"linear: ') as raised:
        NetRegressor(layers).fit(X, y)
    example = yaml.safe_load(re.findall(r"\[.*\]", str(raised.value))[0])
    assert NetRegressor(example, epochs=1).fit(X, y).config_.layers[-1] == Linear(1)
    assert str(raised.value).endswith(found)


# Interrupted trainings


class Interrupt(Callback):
    """What a user does after the second epoch."""

    def on_log(self, training: Any, row: Any) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_an_interrupted_training_leaves_an_untrained_estimator_that_can_be_fitted(kind: Any) -> None:
    net = kind(**SMALL).fit(X, y)
    expected = net.predict(X)
    net.set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        net.fit(X[:, :2], y)
    with pytest.raises(NotFittedError):
        net.predict(X)
    repr(net)
    np.testing.assert_array_equal(net.set_params(callbacks=()).fit(X, y).predict(X), expected)
