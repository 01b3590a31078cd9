"""Effects beside the exact Shapley values of the package shap, on five tables of ten columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.explain.attributions import Attributor
from nnfs_cli.explain.explained_values import explained_values
from tests.explain.trained import trained

BINARY = {"loss": "binary_cross_entropy", "layers": ["linear: 16", "relu", "linear: 1", "sigmoid"]}
CLASSES = {"loss": "cross_entropy", "layers": ["linear: 16", "tanh", "linear: 3", "softmax"], "members": 3}
TABLES = ("diabetes", "friedman", "breast cancer", "wine", "clusters")


def table(name: str) -> tuple[dict[str, Array], dict[str, Any]]:
    from sklearn import datasets

    if name == "diabetes":
        (X, y), settings = datasets.load_diabetes(return_X_y=True), {"members": 2}
    elif name == "friedman":
        (X, y), settings = datasets.make_friedman1(600, 10, noise=1.0, random_state=0), {}
    elif name == "breast cancer":
        (X, y), settings = datasets.load_breast_cancer(return_X_y=True), BINARY
    elif name == "wine":
        (X, y), settings = datasets.load_wine(return_X_y=True), CLASSES
    else:
        (X, y), settings = datasets.make_classification(800, 10, n_informative=6, random_state=1), BINARY
    return {**{f"x{j}": X[:, j] for j in range(10)}, "y": y}, settings


def errors(name: str) -> Iterator[float]:
    """Yield the root of the mean squared error by 4, 16 and 64 samples, divided by that of the effects themselves."""
    shap = pytest.importorskip("shap")
    columns, settings = table(name)
    experiment = trained(columns, "y", **settings)
    predictor, X = experiment.predictor, experiment.splits["train"].X
    background, rows = X[:100], X[100:108]

    def explained(X: Array) -> Array:
        return explained_values(predictor, predictor.outputs_for(X.astype(np.float32)))

    masker = shap.maskers.Independent(background, max_samples=100)
    exact = shap.ExactExplainer(explained, masker)(rows)
    wanted = np.asarray(exact.values).reshape(len(rows), 10, -1)
    for samples in (4, 16, 64):
        attributor = Attributor(predictor, background, samples)
        found = attributor.effects(rows)
        base = np.broadcast_to(np.asarray(exact.base_values).reshape(len(rows), -1), found.explained.shape)
        np.testing.assert_allclose(base, np.broadcast_to(found.base, base.shape), rtol=1e-3, atol=1e-3)
        yield float(np.sqrt(np.square(found.values - wanted).mean() / np.square(wanted).mean()))


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_effects_are_those_of_shap_within_the_error_of_sampling(name: str) -> None:
    few, more, many = errors(name)
    assert few < 0.25
    assert more < 0.12
    assert many < 0.06
    assert many < few
