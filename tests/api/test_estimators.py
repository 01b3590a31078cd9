"""The estimators by themselves: what they take, what they answer, and what they say when they cannot."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nnfs_cli import NetClassifier, NetRegressor, NnfsWarning
from nnfs_cli.api.estimators.inputs import InvalidInputError
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.training.optimizers.adam import Adam

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")

X, y = load_iris(return_X_y=True)
LABELS = np.array(["setosa", "versicolor", "virginica"])[y]
SMALL: dict[str, Any] = {"layers": ["linear: 8", "relu"], "epochs": 10, "lr": 0.01}
MIXED = pd.DataFrame(
    {
        "length": np.where(X[:, 0] > 7, np.nan, X[:, 0]),
        "kind": np.array(list("abc"))[y],
        "day": pd.date_range("2026-01-01", periods=150),
        "wild": pd.array([True, False, None] * 50, dtype="boolean"),
    }
)


def classifier(**parameters: Any) -> NetClassifier:
    return NetClassifier(**SMALL | parameters)


def regressor(**parameters: Any) -> NetRegressor:
    return NetRegressor(**SMALL | parameters)


# Targets


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (LABELS, ["setosa", "versicolor", "virginica"]),
        (LABELS.tolist(), ["setosa", "versicolor", "virginica"]),
        (pd.Series(LABELS, dtype="category"), ["setosa", "versicolor", "virginica"]),
        (pd.Series(LABELS, dtype="string"), ["setosa", "versicolor", "virginica"]),
        (pl.Series("species", LABELS), ["setosa", "versicolor", "virginica"]),
        (pa.array(LABELS.tolist()), ["setosa", "versicolor", "virginica"]),
        (-y, [-2, -1, 0]),
        (y.astype(float), [0.0, 1.0, 2.0]),
        (y > 0, [False, True]),
    ],
)
def test_labels_of_any_library_come_back_as_they_were(labels: Any, classes: list[Any]) -> None:
    net = classifier().fit(X, labels)
    assert net.classes_.tolist() == classes
    assert set(net.predict(X)) <= set(classes)
    assert net.score(X, labels) > 0.6


@pytest.mark.parametrize("numbers", [pd.Series(y, name="t"), pl.Series("t", y), pa.array(y), y.tolist(), y > 1])
def test_numbers_of_any_library_are_learned(numbers: Any) -> None:
    net = regressor().fit(X, numbers)
    assert net.predict(X).shape == (150,)
    assert net.score(X, np.asarray(numbers, float)) > 0.6


@pytest.mark.parametrize("targets", [X[:, :2], pd.DataFrame(X[:, :2], columns=["a", "b"]), pl.DataFrame(X[:, :2])])
def test_several_targets_are_learned_together(targets: Any) -> None:
    assert regressor(split=0.3).fit(X, targets).predict(X[:5]).shape == (5, 2)
    assert regressor(split=0.3).fit(X, targets).predict_interval(X[:5], level=0.8).shape == (5, 2, 2)


@pytest.mark.parametrize(
    ("net", "target", "message"),
    [
        (classifier(), ["a"] * 150, "y holds one class, 'a'; a classifier needs at least two"),
        (regressor(), y[:9], "inconsistent numbers of rows: X has 150, y has 9"),
        (classifier(), np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[D]")[y], "found date"),
        (regressor(), np.array([*y[:149], "x"], object), r"y\[149\] is 'x'; NetRegressor learns numbers"),
        (regressor(), pd.Series(LABELS), r"y\[0\] is 'setosa'; NetRegressor learns numbers"),
        (regressor(), LABELS, r"y\[0\] is 'setosa'; NetRegressor learns numbers, NetClassifier learns classes"),
        (regressor(), None, "requires y to be passed, but the target y is None"),
        (classifier(loss="mse"), y, "loss: mse is for a regression; NetClassifier learns a classification"),
        (regressor(loss="hinge"), y, "loss: hinge is for a classification; NetRegressor learns a regression"),
        (classifier(class_weight={"rose": 2}), LABELS, "there is no class 'rose'"),
        (classifier(class_weight="balance"), y, "did you mean 'balanced'?"),
        (classifier(layers=["linear: 4", "rleu"]), y, "there is no layer 'rleu'; did you mean 'relu'?"),
        (classifier(loss="cross_entrpy"), y, "loss: there is no loss 'cross_entrpy'; did you mean"),
        (classifier(loss={"cross_entropy": {"smooth": 1}}), y, "loss: .*smooth"),
        (classifier(lr="fast"), y, "lr: expected a number, found 'fast'"),
        (classifier(random_state=-1), y, "random_state: must be at least 0, found -1"),
    ],
)
def test_what_cannot_be_learned_is_a_value_error_in_a_sentence(net: Any, target: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        net.fit(X, target)


# Inputs


@pytest.mark.parametrize(
    "convert",
    [pl.from_pandas, pa.Table.from_pandas, lambda frame: frame.to_dict("list"), lambda frame: frame.to_dict("records")],
)
def test_a_table_of_any_library_gives_the_same_net(convert: Any) -> None:
    net = classifier().fit(MIXED, LABELS)
    other = classifier().fit(convert(MIXED), LABELS)
    assert list(other.feature_names_in_) == ["length", "kind", "day", "wild"]
    assert other.predict_proba(MIXED).tobytes() == net.predict_proba(MIXED).tobytes()
    assert net.predict_proba(convert(MIXED)).tobytes() == net.predict_proba(MIXED).tobytes()


def test_an_estimator_fitted_on_a_table_checks_the_columns_as_scikit_learn_does() -> None:
    net = classifier().fit(MIXED, LABELS)
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        net.predict(MIXED[["kind", "length", "day", "wild"]])
    with pytest.raises(ValueError, match="yet now missing"):
        net.predict(MIXED[["length", "kind", "day"]])


def test_an_array_after_a_table_and_a_table_after_an_array_are_taken_by_position() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    by_name, by_place, unnamed = (classifier().fit(inputs, y) for inputs in (frame, X, pd.DataFrame(X)))
    assert not hasattr(unnamed, "feature_names_in_")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert (by_name.predict_proba(X) == by_name.predict_proba(frame)).all()
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        assert (by_place.predict_proba(frame) == by_place.predict_proba(X)).all()
    assert (unnamed.predict_proba(X) == by_place.predict_proba(X)).all()


def test_a_cell_that_is_no_value_is_a_type_error() -> None:
    cells = X.astype(object)
    cells[0, 0] = {"a": 1}
    with pytest.raises(TypeError, match="a cell of this argument must be a string, a number or a date"):
        classifier().fit(cells, y)


def test_a_failed_training_leaves_an_estimator_unfitted() -> None:
    net = classifier(layers=["rleu"])
    with pytest.raises(InvalidInputError):
        net.fit(X, y)
    for ask in (lambda: net.predict(X), lambda: net.history_, lambda: net.config_, lambda: net.save("x")):
        with pytest.raises(NotFittedError):
            ask()


# Weights

AS_GIVEN: dict[str, Any] = {
    "preprocessing": {"numbers": "none"}
}  # weights of rows move a mean, those of classes do not


def test_class_weights_and_sample_weights_multiply() -> None:
    by_class = classifier(class_weight={"setosa": 1, "versicolor": 3, "virginica": 1}, **AS_GIVEN).fit(X, LABELS)
    by_row = classifier(**AS_GIVEN).fit(X, LABELS, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), rtol=1e-5)
    numbered = classifier(class_weight={np.int64(0): 1, 1: np.float64(3)}, **AS_GIVEN).fit(X, y)
    assert (numbered.predict_proba(X) == by_class.predict_proba(X)).all()
    rounded = classifier(class_weight={1.0: 3}, **AS_GIVEN).fit(X, y.astype(float))
    assert (rounded.predict_proba(X) == by_class.predict_proba(X)).all()
    assert classifier(class_weight={True: 3}).fit(X, y > 0).config_.class_weights == {"true": 3}


def test_balanced_class_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    few = y[:120]
    balanced = classifier(class_weight="balanced", **AS_GIVEN).fit(X[:120], few)
    by_row = classifier(**AS_GIVEN).fit(X[:120], few, sample_weight=compute_sample_weight("balanced", few))
    np.testing.assert_allclose(balanced.predict_proba(X), by_row.predict_proba(X), rtol=1e-4)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(3), "X has 150, sample_weight has 3"),
        (np.zeros(150), "every sample_weight is zero"),
        (np.append(np.ones(149), -1), r"sample_weight\[149\] is negative, -1; a weight is 0 or more"),
        (np.full(150, np.nan), "sample_weight contains NaN"),
        (np.ones((150, 1)), "1D"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y, weight)


# Validation


def test_validation_data_choose_the_best_epoch_and_calibrate_the_intervals() -> None:
    train, test = np.arange(150) % 3 > 0, np.arange(150) % 3 == 0
    net = regressor(epochs=30).fit(X[train], y[train], validation_data=(X[test], y[test]))
    assert net.metrics_["validation"]["rows"] == 50
    assert net.metrics_["best_epoch"] == 1 + int(np.argmin(net.history_["val_loss"]))
    low, high = net.predict_interval(X[test], level=0.8).T
    assert 0.8 <= ((low <= y[test]) & (y[test] <= high)).mean() <= 0.86
    weighted = regressor(epochs=30).fit(X[train], y[train], validation_data=(X[test], y[test], 1.0 + test[test]))
    assert (weighted.predict(X) == net.predict(X)).all()


@pytest.mark.parametrize(
    ("parameters", "data", "message"),
    [
        ({}, X, "validation_data should be"),
        ({}, (X, y + 2), "no training row has the label '3' or '4' of validation_data"),
        ({}, (X[:, :3], y), "X has 3 features"),
        ({"split": 0.2}, (X, y), "give either validation_data or the parameter split"),
    ],
)
def test_validation_data_that_do_not_fit_are_refused(parameters: dict[str, Any], data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**parameters).fit(X, y, validation_data=data)


@pytest.mark.parametrize("net", [classifier(), regressor()])
def test_an_interval_without_rows_to_calibrate_on_says_what_to_do(net: Any) -> None:
    ask = net.fit(X, y).predict_set if isinstance(net, NetClassifier) else net.fit(X, y).predict_interval
    with pytest.raises(InvalidInputError, match=r"call fit with validation_data, or set split=\{'validation': 0.2\}"):
        ask(X)


def test_an_interval_needs_a_probability_and_enough_rows() -> None:
    net = regressor(split=0.3).fit(X, y)
    with pytest.raises(InvalidInputError, match=r"between 0 and 1, such as 0\.9, found 90"):
        net.predict_interval(X, level=90)
    with pytest.raises(InvalidInputError, match="needs 999 rows that the net was not trained on, but there are only"):
        net.predict_interval(X, level=0.999)


def test_sets_hold_the_true_class_about_as_often_as_promised() -> None:
    train = np.arange(150) % 2 > 0
    net = classifier(epochs=30).fit(X[train], y[train], validation_data=(X[~train], y[~train]))
    sets = net.predict_set(X[~train], level=0.8)
    assert sets.shape == (75, 3)
    assert sets.dtype == bool
    assert sets[np.arange(75), net.predict_proba(X[~train]).argmax(axis=1)].all()
    assert sets[np.arange(75), y[~train]].mean() >= 0.8


def test_a_set_is_that_of_split_conformal_prediction_in_each_class_on_calibrated_probabilities() -> None:
    rng = np.random.default_rng(0)
    noisy, truth = (np.where(rng.random(150) < noise, rng.integers(0, 3, 150), y) for noise in (0.3, 0.2))
    train = np.arange(150) % 2 > 0
    net = classifier(epochs=30).fit(X[train], noisy[train], validation_data=(X[~train], truth[~train]))
    calibration = net.result_.outcome.calibration
    assert calibration is not None
    temperature = calibration.temperature
    assert temperature < 0.97  # the noise in training made the net unsure

    def calibrated(rows: Any) -> Any:
        scores = np.exp(np.log(net.predict_proba(rows).astype(float)) / temperature)
        return scores / scores.sum(axis=1, keepdims=True)

    p, truth = calibrated(X[~train]), truth[~train]
    errors = np.where(p.argmax(axis=1) == truth, 0, 1 - p[np.arange(75), truth])
    bounds = np.array([np.quantile(errors[truth == k], 0.9, method="weibull") for k in range(3)])
    assert (bounds > 0.4).all()
    others = X + rng.normal(size=X.shape)
    expected = calibrated(others) >= 1 - bounds
    expected[np.arange(150), net.predict_proba(others).argmax(axis=1)] = True
    assert (net.predict_set(others, level=0.9) == expected).all()


# Losses


def test_quantiles_are_only_predicted_by_a_net_that_learned_them() -> None:
    net = regressor(loss={"quantile": [0.1, 0.5, 0.9]}, epochs=30).fit(X, y)
    quantiles = net.predict_quantiles(X)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles[:, 1] == net.predict(X)).all()
    assert not hasattr(regressor(), "predict_quantiles")
    assert regressor(loss="quantile").fit(X, X[:, :2]).predict_quantiles(X).shape == (150, 2, 3)


@pytest.mark.parametrize("labels", [y, y > 0])
def test_a_loss_of_scores_gives_a_decision_function_and_no_probabilities(labels: Any) -> None:
    net = classifier(loss="hinge").fit(X, labels)
    scores, classes = net.decision_function(X), net.classes_
    decided = classes[(scores > 0).astype(int)] if scores.ndim == 1 else classes[scores.argmax(axis=1)]
    assert (decided == net.predict(X)).all()
    for missing in ("predict_proba", "predict_set"):
        assert not hasattr(net, missing)
    assert not hasattr(classifier(), "decision_function")


# Parameters


def test_objects_and_texts_say_the_same() -> None:
    texts = classifier(optimizer="adam", loss="cross_entropy").fit(X, y)
    objects = classifier(layers=[Linear(8), ReLU(), Linear(3)], optimizer=Adam()).fit(X, y)
    mappings = classifier(layers=({"linear": {"units": np.int64(8)}}, "relu"), epochs=np.int64(10)).fit(X, y)
    assert texts.predict_proba(X).tobytes() == objects.predict_proba(X).tobytes()
    assert texts.predict_proba(X).tobytes() == mappings.predict_proba(X).tobytes()
    assert classifier(layers="linear: 8").fit(X, y).config_.layers == (Linear(8), Linear(3))


def test_the_same_seed_gives_the_same_net_and_no_seed_another_one() -> None:
    assert (classifier().fit(X, y).predict_proba(X) == classifier().fit(X, y).predict_proba(X)).all()
    drawn = [classifier(random_state=None).fit(X, y) for _ in range(2)]
    assert (drawn[0].predict_proba(X) != drawn[1].predict_proba(X)).any()
    states = [classifier(random_state=np.random.RandomState(3)).fit(X, y) for _ in range(2)]
    assert (states[0].predict_proba(X) == states[1].predict_proba(X)).all()


@pytest.mark.parametrize("estimator", [NetClassifier, NetRegressor])
def test_the_docstring_describes_every_parameter_and_no_other(estimator: Any) -> None:
    sections = re.split(r"\n(\w+)\n-+\n", inspect.getdoc(estimator) or "")
    described = re.findall(r"^(\w+) : ", sections[sections.index("Parameters") + 1], re.MULTILINE)
    assert described == list(inspect.signature(estimator).parameters)


def test_both_estimators_describe_a_parameter_that_means_the_same_in_the_same_words() -> None:
    ours = {"layers", "loss", "preprocessing", "metrics", "early_stopping", "checkpoint"}  # these have examples of each
    texts = []
    for estimator in (NetClassifier, NetRegressor):
        found = re.split(r"^(\w+) : ", inspect.getdoc(estimator) or "", flags=re.MULTILINE)
        texts.append(dict(zip(found[1::2], found[2::2], strict=True)))
    shared = texts[0].keys() & texts[1].keys() - ours - {"result_"}
    assert len(shared) > 20
    assert {name: texts[0][name] for name in shared} == {name: texts[1][name] for name in shared}


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.data())
def test_any_rows_give_finite_predictions_or_an_error_in_a_sentence(data: st.DataObject) -> None:
    cells = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.sampled_from(["a", "b", "7", ""]), st.booleans())
    rows = data.draw(st.lists(st.fixed_dictionaries({"p": cells, "q": cells}), min_size=2, max_size=12))
    labels = data.draw(st.lists(st.sampled_from(["no", "yes"]), min_size=len(rows), max_size=len(rows)))
    try:
        net = NetClassifier(layers=["linear: 2"], epochs=1).fit(rows, labels)
    except InvalidInputError as error:
        assert str(error)  # noqa: PT017 - most rows are fine
        return
    assert np.isfinite(net.predict_proba(rows)).all()


# Around it


def test_a_warning_names_the_line_of_the_user() -> None:
    with pytest.warns(NnfsWarning, match="is constant") as found:
        classifier().fit(X * [0, 1, 1, 1], y)
    assert found[0].filename == __file__


def test_the_log_is_a_frame_with_a_row_for_each_epoch() -> None:
    history = classifier(split=0.2).fit(X, y).history_
    assert history["epoch"].tolist() == [*range(1, 11)]
    assert {"train_loss", "val_loss", "val_accuracy"} <= set(history.columns)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_the_defaults_are_as_good_as_those_of_scikit_learn(kind: str) -> None:
    rows, other = np.arange(150) % 3 > 0, np.arange(150) % 3 == 0
    theirs = (MLPClassifier if kind == "classifier" else MLPRegressor)(random_state=0, max_iter=200)
    ours = (NetClassifier if kind == "classifier" else NetRegressor)(layers=["linear: 100", "relu"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        their_score = make_pipeline(StandardScaler(), theirs).fit(X[rows], y[rows]).score(X[other], y[other])
    assert ours.fit(X[rows], y[rows]).score(X[other], y[other]) > their_score - 0.05


def test_the_metrics_are_those_of_the_config() -> None:
    metrics = classifier(metrics=["accuracy", "log_loss"]).fit(X, y).metrics_
    assert isinstance(metrics["train"], Mapping)
    assert {"accuracy", "log_loss"} <= metrics["train"].keys()


@pytest.mark.parametrize(("n", "batch", "epochs"), [(20, None, 1000), (40, None, 500), (40, 4, 100), (40, "full", 100)])
def test_a_small_table_gets_enough_steps_by_default(n: int, batch: Any, epochs: int) -> None:
    X = np.arange(n, dtype=float)[:, None]
    assert NetRegressor(layers=["linear: 2"], batch_size=batch).fit(X, X[:, 0]).config_.epochs == epochs
