"""Effects of columns on predictions: closed forms, the axioms of Shapley values, and those of the package shap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.api.config_from import config_from
from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.explain import attributions
from nnfs_cli.explain.attributions import Attributor, nearest_to_mean
from nnfs_cli.explain.coalitions import Coalitions
from nnfs_cli.explain.explained_values import explained_class, explained_values
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from nnfs_cli.explain.mixed_rows import MixedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.fit import fit


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose samples among fewer, which takes less time and makes them less exact."""
    monkeypatch.setattr(attributions, "CANDIDATES", 6)


NUMBERS = {"loss": "mse", "layers": ["linear: 6", "tanh", "linear: 1"]}
NETS: dict[str, dict[str, Any]] = {
    "linear": {"loss": "mse", "layers": ["linear: 1"]},
    "one hidden layer": NUMBERS,
    "an ensemble": {**NUMBERS, "members": 3},
    "two classes": {"loss": "binary_cross_entropy", "layers": ["dense: 5", "linear: 1", "sigmoid"]},
    "three classes": {"loss": "cross_entropy", "layers": ["linear: 5", "relu", "dropout", "linear: 3"]},
    "an ordered target": {"loss": "ordinal", "layers": ["linear: 4", "relu", "linear: 2", "ascending", "sigmoid"]},
    "scores": {"loss": "hinge", "layers": ["linear: 4", "relu", "linear: 3"]},
    "quantiles": {"loss": "quantile", "layers": ["linear: 4", "relu", "linear: 3"]},
    "a shortcut": {
        "loss": "mse",
        "members": 2,
        "layers": [{"residual": ["dropout", "linear: 6", "relu", "linear: 1"]}],
        "preprocessing": {"numbers": "standardize", "categories": "one_hot", "target": ["clamp", "standardize"]},
    },
    "a norm first": {"loss": "mse", "layers": ["layer_norm", "linear: 4", "relu", "linear: 1"]},
    "learned vectors": {
        **NUMBERS,
        "members": 2,
        "preprocessing": {"numbers": "standardize", "categories": "embedding"},
    },
    "a shortcut without weights": {"loss": "mse", "layers": [{"residual": ["linear: 6", "relu"]}, "linear: 1"]},
}


def table(n: int = 60, seed: int = 0, loss: str = "mse", layers: Sequence[Any] = ()) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3))
    kind = rng.integers(0, 3, n)
    y: Any = x[:, 0] * x[:, 1] + x[:, 2] + kind
    if loss not in ("mse", "quantile"):
        y = np.digitize(y, np.quantile(y, [0.5] if loss == "binary_cross_entropy" else [0.3, 0.6]))
    return {**{f"x{j}": x[:, j] for j in range(3)}, "kind": np.array(["a", "b", "c"])[kind], "y": y}


def drawn(table: Mapping[str, Any], **changes: Any) -> Experiment:
    """Return an experiment whose net has its first weights, which are as good as any here."""
    usual: dict[str, Any] = {
        "dataset": {"table": "y"},
        "optimizer": "adam",
        "epochs": 1,
        "split": 0,
        "engine": "numpy",
        "preprocessing": {"numbers": "standardize", "categories": "one_hot"},
    }
    return prepare(config_from({**usual, **changes}, dict(table), {}))


def of_kind(kind: str) -> tuple[Predictor, Array]:
    experiment = drawn(table(loss=NETS[kind]["loss"]), **NETS[kind])
    return experiment.predictor, experiment.splits["train"].X


def sums(predictor: Predictor, X: Array, attributor: Attributor) -> None:
    """Check that effects add up to what is explained, which is what `predict` computes."""
    effects = attributor.effects(X)
    wanted = explained_values(predictor, predictor.outputs_for(X))
    tolerance = 1e-5 * max(1.0, np.abs(wanted).max())
    np.testing.assert_allclose(effects.values.sum(axis=1) + effects.base, wanted, rtol=0, atol=tolerance)
    np.testing.assert_allclose(effects.explained, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
def test_effects_of_a_linear_net_are_its_closed_form(members: int, loss: str) -> None:
    final = [] if loss == "mse" else ["sigmoid"]
    members = members if loss == "mse" else 1  # a mean of probabilities is not linear in the log-odds
    experiment = drawn(table(loss=loss), loss=loss, layers=["linear: 1", *final], members=members)
    predictor, X = experiment.predictor, experiment.splits["train"].X
    predictor.model.parameters.arrays["0.weight"][...] *= 0.3
    background, rows = X[:37], X[37:]
    weight = predictor.model.parameters.arrays["0.weight"].astype(np.float64).reshape(members, -1).mean(axis=0)
    if loss == "mse":  # the target is standardized
        weight *= np.std(experiment.splits["train"].truth, dtype=np.float64)
    by_input = (rows - background.astype(np.float64).mean(axis=0)) * weight
    wanted = np.stack([by_input[:, inputs].sum(axis=1) for inputs in inputs_by_column(predictor).values()], axis=1)
    found = Attributor(predictor, background).effects(rows)
    np.testing.assert_allclose(found.values[:, :, 0], wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", NETS)
def test_effects_of_every_net_add_up_to_the_prediction_minus_the_base_value(kind: str) -> None:
    predictor, X = of_kind(kind)
    attributor = Attributor(predictor, X[:23], 2)
    sums(predictor, X, attributor)
    background = attributor.effects(X[:23])
    assert np.abs(background.values.mean(axis=0)).max() < 1e-12
    np.testing.assert_allclose(background.explained.mean(axis=0), background.base)


@pytest.mark.parametrize("kind", NETS)
def test_mixed_rows_are_predicted_as_if_they_were_rows_of_a_table(kind: str) -> None:
    predictor, X = of_kind(kind)
    columns = [*inputs_by_column(predictor).values()]
    coalitions = Coalitions.along_walks(np.array([[2, 0, 3, 1], [0, 1, 2, 3]]))
    found = MixedRows(predictor, columns, coalitions, X[:2]).outputs(X[2:9])
    for mask, other, of_coalition in zip(coalitions.mask, coalitions.other, found.swapaxes(0, 1), strict=True):
        mixed = np.repeat(X[other][None], 7, axis=0)
        for j in np.flatnonzero(mask):
            mixed[:, columns[j]] = X[2:9][:, columns[j]]
        np.testing.assert_allclose(of_coalition, predictor.outputs_for(mixed), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["an ensemble", "a shortcut", "a norm first", "learned vectors", "three classes"])
def test_a_row_has_the_same_bytes_wherever_it_stands_and_whatever_stands_beside_it(kind: str) -> None:
    predictor, X = of_kind(kind)
    attributor = Attributor(predictor, X[:30])
    whole = attributor.effects(X).values
    assert (attributor.effects(X[::-1]).values == whole[::-1]).all()
    for start, end in ((0, 1), (1, 4), (17, 50), (59, 60)):
        assert (attributor.effects(X[start:end]).values == whole[start:end]).all()
    with thread_limit(2):
        assert (attributor.effects(X).values == whole).all()


def blended(**changes: Any) -> Experiment:
    experiment = drawn(
        table(80, loss=changes.get("loss", "mse")),
        **{**NUMBERS, **changes},
        members=2,
        holdout="fold",
        blend=[{"trees": {"most": 5, "min_rows": 3}}, {"forest": 3}, "linear", "constant"],
    )
    fit(experiment)
    return experiment


def test_effects_on_a_blend_add_up_and_have_the_same_bytes_anywhere() -> None:
    for changes in ({}, {"loss": "cross_entropy", "layers": ["linear: 4", "relu", "linear: 3"]}):
        experiment = blended(**changes)
        predictor, X = experiment.predictor, experiment.splits["train"].X
        assert predictor.blend is not None
        assert np.count_nonzero(predictor.blend.weights[0]) > 1
        attributor = Attributor(predictor, X[:30], 2)
        sums(predictor, X, attributor)
        assert (attributor.effects(X[::-1]).values[::-1] == attributor.effects(X).values).all()
        assert (attributor.effects(X[5:7]).values == attributor.effects(X).values[5:7]).all()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3))
def test_a_column_without_a_say_gets_nothing_and_alike_columns_get_the_same(
    seed: int, samples: int, members: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 40))
    experiment = drawn({"a": a, "b": a, "none": b, "y": a}, **NUMBERS, members=members, seed=seed)
    predictor, X = experiment.predictor, experiment.splits["train"].X
    weight = predictor.model.parameters.arrays["0.weight"]
    weight[..., 2, :], weight[..., 1, :] = 0, weight[..., 0, :]
    attributor = Attributor(predictor, X[:25], samples)
    effects = attributor.effects(X).values[:, :, 0]
    assert attributor.columns == ("a", "b", "none")
    largest = max(np.abs(effects).max(), 1e-3)
    assert np.abs(effects[:, 2]).max() < 1e-6 * largest
    np.testing.assert_allclose(effects[:, 0], effects[:, 1], rtol=0, atol=1e-5 * largest)


def test_walks_in_all_orders_are_exact_shapley_values() -> None:
    # Shapley's own formula, over all orders, of the game v(S) = 2^|S| · (1 where column 0 is in it) + |S|².
    orders = np.array([*permutations(range(4))])

    def game(mask: Array) -> Array:
        size = mask.sum(axis=-1)
        return np.asarray(2.0**size * mask[..., 0] + size**2)

    wanted = np.zeros(4)
    for order in orders:
        known = np.zeros(4, bool)
        for column in order:
            before = game(known)
            known[column] = True
            wanted[column] += (game(known) - before) / len(orders)
    coalitions = Coalitions.along_walks(orders)
    value = game(coalitions.mask)
    found = coalitions.shares @ value
    # `shares` leave out the empty coalition, which has the value 0 here.
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert coalitions.mask[0].all()


def fixed_net() -> tuple[Predictor, Array]:
    """Return a net of four columns with fixed weights, and rows; y = tanh(x A + b) · c."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((34, 4))
    columns = {f"x{j}": X[:, j] for j in range(4)}
    preprocessing = {"numbers": "none", "target": "none"}
    predictor = drawn({**columns, "y": X[:, 0]}, **NUMBERS, dtype="float64", preprocessing=preprocessing).predictor
    for name, shape in (("0.weight", (4, 6)), ("0.bias", (6,)), ("2.weight", (6, 1)), ("2.bias", (1,))):
        predictor.model.parameters.arrays[name][...] = rng.standard_normal(shape)
    return predictor, X


# Made with shap 0.51.0, where f is `predictor.outputs_for` of `fixed_net`:
# shap.ExactExplainer(f, shap.maskers.Independent(X[:30], max_samples=30))(X[30:]).values.round(6)
SHAP = np.array(
    [
        [-3.774684, 1.648997, -0.798736, 0.016822],
        [2.423121, 1.872393, -0.018379, 0.271468],
        [0.966394, -0.849544, -1.349313, 0.204986],
        [-1.623099, -0.984021, -0.919637, 0.565202],
    ]
)


def test_effects_are_those_of_the_package_shap_within_the_error_of_sampling() -> None:
    predictor, X = fixed_net()
    spread = SHAP.std()
    for samples, most in ((4, 0.4), (1_000, 0.01)):
        found = Attributor(predictor, X[:30], samples).effects(X[30:]).values[:, :, 0]
        assert np.sqrt(np.square(found - SHAP).mean()) < most * spread


def test_the_chosen_arrays_have_nearly_the_mean_of_all() -> None:
    rng = np.random.default_rng(0)
    each = rng.standard_normal((50, 4, 5))
    each[[7, 20, 41]] = each.mean(axis=0) + np.array([-1, 0.5, 0.5])[:, None, None]
    for n in (1, 2, 3, 8):
        chosen = nearest_to_mean(each, n)
        assert len({*chosen}) == n
        away = [np.square(each[some].mean(axis=0) - each.mean(axis=0)).sum() for some in (chosen, [*range(n)])]
        assert away[0] <= away[1]


def test_one_column_explains_all() -> None:
    experiment = drawn({"x": np.arange(20.0), "y": np.arange(20.0) ** 2}, **NUMBERS)
    predictor, X = experiment.predictor, experiment.splits["train"].X
    effects = Attributor(predictor, X).effects(X)
    np.testing.assert_allclose(effects.values[:, 0], effects.explained - effects.base)
    assert Attributor(predictor, X).effects(X[:0]).values.shape == (0, 1, 1)


def test_effects_on_the_predicted_class_are_chosen_by_row() -> None:
    predictor, X = of_kind("three classes")
    effects, y_hat = Attributor(predictor, X).effects(X), predictor.outputs_for(X)
    chosen = explained_class(predictor, y_hat)
    assert chosen is not None
    assert set(chosen) == set(predictor.answer(y_hat).argmax(axis=1))
    of_class = effects.of_class(chosen)
    np.testing.assert_allclose(of_class.values[:, :, 0].sum(axis=1) + of_class.base[:, 0], of_class.explained[:, 0])
    p = predictor.answer(y_hat)[np.arange(len(X)), chosen].astype(np.float64)
    np.testing.assert_allclose(of_class.explained[:, 0], np.log(p / (1 - p)), atol=1e-5)


@pytest.mark.parametrize("samples", [0, -1, 1001])
def test_unusable_numbers_of_samples_are_refused(samples: int) -> None:
    predictor, X = of_kind("linear")
    with pytest.raises(UserError, match="1 to 1,000 samples"):
        Attributor(predictor, X, samples)
