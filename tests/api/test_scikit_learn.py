"""The estimators inside the tools of scikit-learn."""

from __future__ import annotations

import io
import pickle
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingRegressor, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnfs_cli import NetClassifier, NetRegressor
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.training.optimizers.adam import Adam

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")

X, y = load_iris(return_X_y=True)
TABLE = pd.DataFrame(X, columns=["a", "b", "c", "d"]).assign(kind=np.array(list("xyz"))[y])


def classifier(**parameters: Any) -> NetClassifier:
    return NetClassifier(**{"layers": ["linear: 8", "relu"], "epochs": 10, "lr": 0.01} | parameters)


def regressor(**parameters: Any) -> NetRegressor:
    return NetRegressor(**{"layers": ["linear: 8", "relu"], "epochs": 10, "lr": 0.01} | parameters)


def test_a_grid_search_finds_the_best_of_all_settings() -> None:
    grid = {"lr": np.array([1e-5, 0.01], np.float32), "layers": [["linear: 4"], [Linear(8), "relu"]]}
    search = GridSearchCV(classifier(), grid, cv=StratifiedKFold(2)).fit(X, y)
    assert search.best_params_["lr"] == np.float32(0.01)
    assert search.best_score_ > 0.7
    assert search.best_estimator_.config_.layers[0] == Linear(8 if len(search.best_params_["layers"]) > 1 else 4)


def test_a_cross_validation_gives_what_its_folds_give_one_by_one() -> None:
    folds = StratifiedKFold(3)
    by_hand = []
    for train, test in folds.split(X, y):
        by_hand.append(accuracy_score(y[test], classifier().fit(X[train], y[train]).predict(X[test])))
    assert cross_val_score(classifier(), X, y, cv=folds).tolist() == by_hand


@pytest.mark.slow
def test_two_processes_give_the_same_predictions_as_one() -> None:
    folds = KFold(2, shuffle=True, random_state=0)
    serial = cross_val_predict(regressor(), TABLE, y, cv=folds)
    assert cross_val_predict(regressor(), TABLE, y, cv=folds, n_jobs=2).tobytes() == serial.tobytes()


@pytest.mark.parametrize("loss", ["cross_entropy", "hinge"])
def test_probabilities_can_be_calibrated(loss: str) -> None:
    calibrated = CalibratedClassifierCV(classifier(loss=loss), cv=2).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    assert calibrated.score(X, y) > 0.7


def test_the_importance_of_an_input_is_what_its_permutation_costs() -> None:
    noise = np.random.default_rng(0).normal(size=150)
    table = pd.DataFrame({"noise": noise, "petal": X[:, 2]})
    found = permutation_importance(classifier(epochs=30).fit(table, y), table, y, n_repeats=3, random_state=0)
    assert found.importances_mean[1] > 0.3 > 0.1 > found.importances_mean[0]


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_a_pipeline_passes_its_columns_on(output: str) -> None:
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), (StandardScaler(), ["a"]), remainder="passthrough"
    ).set_output(transform=output)
    net = make_pipeline(encode, classifier()).fit(TABLE, y)
    assert net.score(TABLE, y) > 0.9
    assert hasattr(net[-1], "feature_names_in_") == (output != "default")


def test_a_pipeline_passes_weights_on() -> None:
    weight = np.where(y == 1, 5.0, 1.0)
    pipeline = Pipeline([("scale", StandardScaler()), ("net", classifier())]).fit(X, y, net__sample_weight=weight)
    alone = classifier().fit(StandardScaler().fit_transform(X), y, weight)
    assert (pipeline.predict_proba(X) == alone.predict_proba(StandardScaler().fit_transform(X))).all()


def test_metadata_routing_passes_weights_on() -> None:
    weight = 1.0 + np.arange(150) % 3
    folds = StratifiedKFold(2)
    with sklearn.config_context(enable_metadata_routing=True):
        net = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        routed = cross_val_score(net, X, y, cv=folds, params={"sample_weight": weight})
    by_hand = [
        classifier().fit(X[train], y[train], weight[train]).score(X[test], y[test], weight[test])
        for train, test in folds.split(X, y)
    ]
    assert routed.tolist() == by_hand


def test_nets_vote_with_others() -> None:
    nets = [("a", classifier()), ("b", classifier(random_state=1))]
    votes = VotingClassifier(nets, voting="soft").fit(X, y)
    mean = np.mean([net.fit(X, y).predict_proba(X) for _, net in nets], axis=0)
    np.testing.assert_allclose(votes.predict_proba(X), mean, rtol=1e-6)


@pytest.mark.parametrize(
    ("tool", "target"),
    [
        (BaggingClassifier(classifier(), n_estimators=2, random_state=0), y),
        (StackingRegressor([("net", regressor())], cv=2), y.astype(float)),
        (MultiOutputClassifier(classifier()), np.column_stack([y, y > 0])),
        (TransformedTargetRegressor(regressor(), func=np.log1p, inverse_func=np.expm1), y.astype(float)),
    ],
)
def test_nets_are_part_of_other_estimators(tool: Any, target: Any) -> None:
    assert tool.fit(X, target).score(X, target) > 0.5


def test_a_clone_has_the_same_parameters_and_learns_the_same() -> None:
    net = classifier(layers=[Linear(8), "relu"], optimizer=Adam(beta1=0.8), class_weight={0: 2}).fit(X, y)
    copy = clone(net)
    assert copy.get_params() == net.get_params()
    assert not hasattr(copy, "classes_")
    assert copy.fit(X, y).predict_proba(X).tobytes() == net.predict_proba(X).tobytes()


@pytest.mark.parametrize("net", [classifier(split=0.2), regressor(split=0.2), NetRegressor(epochs=2)])
def test_a_pickle_predicts_the_same_bytes(net: Any) -> None:
    net.fit(TABLE, y)
    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    for copy in (pickle.loads(pickle.dumps(net)), joblib.load(file)):  # noqa: S301 - its own bytes
        assert copy.predict(TABLE).tobytes() == net.predict(TABLE).tobytes()
        assert copy.history_["epoch"].tolist() == net.history_["epoch"].tolist()
    trees = len(pickle.dumps(net.result_.predictor.blend))
    assert len(pickle.dumps(net)) < 100_000 + trees  # the trees are there once, and no rows or scratch memory


def test_the_diagram_of_a_notebook_shows_the_parameters() -> None:
    assert "linear: 8" in make_pipeline(StandardScaler(), classifier())._repr_html_()
