"""Ordered classes: the loss, the layer with the cut points, and the nets that they make."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import Ascending, ConfigError, CumulativeLogits, Layer, Linear, NetClassifier, Ordinal, train
from nnfs_cli.api.estimators.inputs import InvalidInputError
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.nn.class_frequencies import start_at_frequencies
from nnfs_cli.nn.layers import Context
from nnfs_cli.nn.model import Model

with_each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def context(rows: int, dtype: str) -> Context:
    fresh = Context(dtype)
    fresh.begin(rows)
    return fresh


@given(st.integers(2, 9), st.booleans(), st.integers(0, 2**32 - 1))
def test_cumulative_probabilities_ascend_whatever_the_weights(n_classes: int, proportional: bool, seed: int) -> None:
    rng, units = np.random.default_rng(seed), n_classes - 1
    layers = [Linear(4), CumulativeLogits(units)] if proportional else [Linear(units), Ascending()]
    model = Model(layers, Ordinal(), (3,), "float64", rng)
    model.parameters.vector[...] = rng.normal(scale=3, size=model.parameters.vector.shape)
    probabilities = model.loss.answer(model.predict(rng.normal(size=(20, 3))))
    assert probabilities.shape == (20, n_classes)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)


@with_each_dtype
def test_extreme_scores_stay_finite_and_cost_what_they_should(dtype: str) -> None:
    """A row whose score lies 1,000 beyond the cut points of its class costs 1,000, and one between far ones nothing."""
    z = np.array([[1000, 1001], [-1001, -1000], [-500, 500], [0, 1e-12], [1000, 1001]], dtype)
    y = Ordinal().encode(np.array([2, 0, 1, 1, 1]), 2).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses, backward = Ordinal().forward_logits(z, y, context(5, dtype))
        dz = backward(1.0)
    assert losses[:3] == pytest.approx([1001, 1001, 0], rel=1e-6)
    assert losses[4] == pytest.approx(1000 - math.log1p(-math.exp(-1)), rel=1e-6)
    assert np.isfinite(losses).all()
    assert np.isfinite(dz).all()


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("last", [CumulativeLogits(3), Ascending()], ids=str)
def test_training_starts_at_the_frequencies_of_the_classes(members: int, last: Layer) -> None:
    """Each member at those of the rows that it trains on; a class without rows counts as one."""
    rng = np.random.default_rng(0)
    rngs: Any = rng if members == 1 else [rng] * members
    model = Model([last], Ordinal(), (3,), "float64", rngs, None, members)
    classes = np.repeat([0, 1, 2], [100, 500, 398])
    weight = rng.integers(0, 2, (len(classes), members)).astype(float) if members > 1 else None
    start_at_frequencies(model, model.loss.encode(classes, 3).astype(float), weight)
    for k in range(members):
        own = np.ones(len(classes)) if weight is None else weight[:, k]
        shares = (np.bincount(classes, own, 4) / own.sum() * len(classes) + 1) / (len(classes) + 4)
        rows = np.zeros((1, 3))
        found = model.loss.answer(model.predict(rows, member=np.array([k]) if members > 1 else None))
        np.testing.assert_allclose(found[0], shares, rtol=1e-10)


def grades(n: int = 300) -> tuple[Array, Array]:
    """Two numbers, and four ordered classes that depend on them."""
    i = np.arange(float(n))
    X = np.stack([np.sin(i), np.cos(i * i)], axis=1)
    return X, np.searchsorted([-1.0, 0.2, 1.1], 1.5 * X[:, 0] - 0.8 * X[:, 1] + 1.2 * np.sin(7 * i + 1))


def test_a_net_without_hidden_layers_is_the_proportional_odds_model() -> None:
    """The figures are those of statsmodels 0.15.

    They were printed by ``OrderedModel(y, X, distr="logit").fit(method="bfgs", gtol=1e-10)`` on the same rows.
    """
    X, y = grades()
    net = NetClassifier(["cumulative_logits: 3"], loss="ordinal", optimizer="lbfgs", epochs=300, preprocessing="none")
    model = net.fit(X, y).result_.predictor.model
    weight, spacing = (model.parameters.arrays[f"0.{name}"] for name in ("weight", "spacing"))
    assert weight.ravel() == pytest.approx([2.86671763, -1.28493211], rel=1e-4)
    cuts = np.cumsum([spacing[0], *np.exp(spacing[1:])])
    assert cuts == pytest.approx([-2.02341452, 0.34499267, 2.29730667], rel=1e-4)
    assert net.metrics_["train"]["loss"] == pytest.approx(0.95534321, rel=1e-6)


def test_classes_are_in_the_declared_order_everywhere() -> None:
    X, y = grades()
    names = np.array(["poor", "fair", "good", "best"])
    net = NetClassifier(["linear: 4", "tanh"], loss={"ordinal": names.tolist()}, epochs=30, lr=0.02).fit(X, names[y])
    assert net.classes_.tolist() == names.tolist()
    numbers = NetClassifier(["linear: 4", "tanh"], loss="ordinal", epochs=30, lr=0.02).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), numbers.predict_proba(X))
    assert (net.predict(X) == names[numbers.predict(X)]).all()
    assert [*net.metrics_["train"]] == ["rows", "loss", "accuracy", "rank_mae", "quadratic_kappa"]
    assert net.metrics_["train"]["quadratic_kappa"] > 0.6
    assert isinstance(net.config_.layers[-1], CumulativeLogits)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("ordinal", "holds texts; name them from lowest to highest"),
        ({"ordinal": ["poor", "good", "bets"]}, "has no class 'bets'; did you mean 'best'"),
        ({"ordinal": ["poor", "good"]}, "has the class 'best', which is not in the order"),
        ({"ordinal": ["poor", "good", "poor"]}, "each once"),
        ({"ordinal": ["poor"]}, "each once"),
    ],
)
def test_an_order_that_does_not_fit_is_refused(loss: Any, message: str) -> None:
    X, y = grades(60)
    with pytest.raises(InvalidInputError, match=message):
        NetClassifier(loss=loss).fit(X, np.array(["poor", "good", "best", "best"])[y])


def test_the_last_layer_must_keep_the_order() -> None:
    settings = {"dataset": "iris", "loss": "ordinal", "epochs": 1}
    linear, cumulative = {"linear": 2}, {"cumulative_logits": 2}
    for layers in ([linear], [linear, "sigmoid"], [cumulative, linear]):
        with pytest.raises(ConfigError, match="ordinal needs cumulative_logits or ascending as the last layer"):
            Config.model_validate({**settings, "layers": layers})
    with pytest.raises(ConfigError, match=r"gives 3 outputs; iris has 3 classes, for which ordinal needs 2"):
        Config.model_validate({**settings, "layers": [{"cumulative_logits": 3}]})


def test_the_preset_trains_an_ordinal_net(tmp_path: Path) -> None:
    X, y = grades()
    rows = {"a": X[:, 0], "b": X[:, 1], "grade": y}
    settings = {"loss": "ordinal", "preset": {"tabular": "fast"}, "dataset": {"table": "grade"}}
    run = train(settings, rows, epochs=3, members=2, folder=tmp_path / "runs")
    found = run.predict({"a": X[:5, 0], "b": X[:5, 1]})
    assert [*found] == ["prediction", *(f"probability_{k}" for k in range(4))]
    probabilities = np.stack([found[f"probability_{k}"] for k in range(4)], axis=1)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert [model.name for model in run.config.blend] == ["trees", "forest", "linear", "constant"]
    figures = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))
    assert figures["validation"]["loss"] < min(part["loss"] for part in figures["blend"])
    assert any(isinstance(layer, Ascending) for layer in run.config.layers)
    assert run.verify(data=rows).exact
