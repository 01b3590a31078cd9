"""The parameters of the estimators and of `fit`: what they take, their defaults, and what is said about wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from nnfs_cli import InvalidInputError, NetClassifier, NetRegressor

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


def test_labels_that_only_validation_rows_have_are_listed_as_alternatives() -> None:
    with pytest.raises(InvalidInputError, match="no training row has the label 'a' or 'b' of validation_data"):
        NetClassifier(**SMALL).fit(X[:9], list("xyzxyzxyz"), validation_data=(X[:3], ["a", "b", "x"]))


def test_a_set_of_classes_is_called_so_when_it_cannot_be_given() -> None:
    with pytest.raises(InvalidInputError, match="a set of classes needs rows that"):
        NetClassifier(**SMALL).fit(X, y).predict_set(X)
    with pytest.raises(InvalidInputError, match="an interval needs rows that"):
        NetRegressor(**SMALL).fit(X, y).predict_interval(X)
