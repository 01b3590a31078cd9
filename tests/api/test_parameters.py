"""The parameters of the estimators and of `fit`: what they take, their defaults, and what is said about wrong ones."""

from __future__ import annotations

import inspect
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor

import nnfs_cli
from nnfs_cli import (
    BinaryCrossEntropy,
    Callback,
    Config,
    ConfigError,
    CrossEntropy,
    Dense,
    InvalidInputError,
    Layer,
    Linear,
    NetClassifier,
    NetRegressor,
    NnfsWarning,
)
from nnfs_cli.api.estimators.parameters import as_given
from nnfs_cli.api.settings import plain
from nnfs_cli.config.document import Document
from nnfs_cli.data.preprocessing import Preprocessing
from tests.conftest import ROOT

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


# Names and values


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
@pytest.mark.parametrize("other", [MLPClassifier, MLPRegressor, LogisticRegression])
def test_names_of_scikit_learn_are_parameters_or_are_refused(kind: Any, other: Any) -> None:
    ours = inspect.signature(kind.__init__).parameters
    for name in inspect.signature(other.__init__).parameters:
        if name != "self" and name not in ours:
            with pytest.raises(TypeError, match=f"{kind.__name__} has no parameter '{name}'"):
                kind(**{name: 1})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("hidden_layer_sizes", 'layers=["linear: 16", "relu"]'),
        ("max_iter", "epochs"),
        ("learning_rate", "lr"),
        ("learning_rate_init", "lr"),
        ("alpha", 'penalty={"l2": ...}'),
        ("solver", "optimizer"),
        ("activation", 'layers=["linear: 16", "relu"]'),
        ("validation_split", 'split={"validation": ...}'),
        ("seed", "random_state"),
        ("class_weights", "class_weight"),
        ("epoch", "epochs"),
    ],
)
def test_the_parameter_is_named_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(TypeError) as raised:
        NetClassifier(**{name: 1})
    assert str(raised.value) == f"NetClassifier has no parameter '{name}'; did you mean {meant}?"


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_every_setting_in_the_docstring_of_an_estimator_is_accepted(kind: Any) -> None:
    names = {name: getattr(nnfs_cli, name) for name in nnfs_cli.__all__}
    parameters = re.findall(r"^(\w+) : .*\n((?:    .*\n)+)", inspect.getdoc(kind) or "", re.MULTILINE)
    written = [(name, code) for name, text in parameters for code in re.findall('``(["{A-Z].+?)``', text)]
    assert len(written) > 15
    rows, counts = np.linspace(-1, 1, 60).reshape(-1, 1), np.arange(60) // 20
    for name, code in written:
        setting = eval(code, {**names})  # noqa: S307
        lists = {"layers": [setting, "linear: 4"], "callbacks": [setting]}
        small = {"layers": ["linear: 4", "tanh"], "epochs": 1, "split": 0.2}
        net = kind(**small | {name: lists.get(name, setting)})
        assert len(net.fit(rows, counts).history_) == 1, code


def test_the_signature_lists_the_parameters() -> None:
    for kind in (NetClassifier, NetRegressor):
        assert {"layers", "lr", "random_state"} < {*inspect.signature(kind).parameters}
        assert {*inspect.signature(kind).parameters} == {*kind().get_params()}


def test_a_subclass_has_parameters_of_its_own() -> None:
    class Wide(NetRegressor):
        def __init__(self, width: int = 8) -> None:
            super().__init__([f"linear: {width}", "relu"], epochs=2)
            self.width = width

    assert clone(Wide(width=3)).fit(X, y).config_.layers[0] == Linear(3)
    with pytest.raises(TypeError, match="Wide has no parameter 'with'; did you mean width"):
        Wide(**{"with": 3})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"random_state": "x"}, "random_state: expected a whole number, found 'x'"),
        (
            {"class_weight": "auto"},
            "class_weight: expected 'balanced', or a number for each class, as in {'malignant': 3}, found 'auto'",
        ),
        (
            {"early_stopping": True},
            "early_stopping: expected a number of logged epochs without improvement, as in early_stopping=10, or False;"
            " found True",
        ),
        ({"holdout": "folds"}, "holdout: expected 'fold', found 'folds'; did you mean 'fold'?"),
        ({"batch_size": "auto"}, "batch_size: expected a number of rows, such as 32, or 'full', found 'auto'"),
        ({"accumulate": True}, "accumulate: expected a whole number, found True"),
        ({"layers": "linear"}, "layers.0.linear.units: linear needs the setting 'units', as in 'linear: 20'"),
        ({"lr": "{a: b}"}, "lr: expected a number, found a dict"),
        (
            {"checkpoint": {"monitor": "{a: b}"}},
            "checkpoint.monitor: the log has no figure '{a: b}'; it has train_loss, val_loss and val_accuracy",
        ),
        (
            {"metrics": ["recall: none"]},
            "metrics.0.recall: expected 'macro', 'micro', 'weighted' or 'per_class', found 'none'",
        ),
        ({"class_weight": {"{a: b}": 2}}, "class_weight.{a: b}: there is no class '{a: b}'; there are 0 and 1"),
        ({"callbacks": 5}, "callbacks: expected a list of callbacks, found an int"),
        ({"callbacks": Callback()}, "callbacks: expected a list of callbacks, found a Callback"),
    ],
)
def test_errors_are_in_the_words_of_python(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        NetClassifier(**SMALL | parameters).fit(X, y)
    assert str(raised.value) == message


def test_a_monitor_can_be_the_figure_of_a_class_whose_label_looks_like_yaml() -> None:
    labels = np.array(["a: b", "[c]", "d"])[np.arange(60) % 3]
    stopping = {"patience": 1, "monitor": "val_recall_a: b"}
    net = NetClassifier(**SMALL, split=0.2, metrics=["recall: per_class"], early_stopping=stopping)
    assert "val_recall_a: b" in net.fit(X[:60], labels).history_.columns


def test_errors_of_fit_are_in_the_words_of_python() -> None:
    table = {"x": X[:, 0], "y": y}
    for name, value, message in (
        ("random_state", "x", "random_state: expected a whole number, found 'x'"),
        ("holdout", "folds", "holdout: expected 'fold', found 'folds'"),
        ("early_stopping", True, "early_stopping: expected a number of logged epochs"),
        ("layers", 10, r'layers: expected a list of layers, such as \["linear: 10", "relu"\], found 10'),
    ):
        with pytest.raises(ConfigError, match=f"^{message}"):
            nnfs_cli.fit(table, "y", **{name: value})


def test_a_false_early_stopping_is_none() -> None:
    with_layers = NetClassifier(**SMALL, early_stopping=False).fit(X, y)
    assert with_layers.config_.early_stopping is None
    assert list(with_layers.metrics_) == ["best_epoch", "train"]  # no rows were held out for it
    assert NetClassifier(epochs=1, members=2).fit(X, y).config_.early_stopping is not None
    assert NetClassifier(epochs=1, members=2, early_stopping=False).fit(X, y).config_.early_stopping is None
    assert (
        nnfs_cli.fit({"x": X[:, 0], "y": y}, "y", epochs=1, members=2, early_stopping=False).config_.early_stopping
        is None
    )


# Preprocessing


MIXED = pd.DataFrame({"a": np.where(X[:, 0] > 15, np.nan, X[:, 0]), "b": np.where(X[:, 1] > 20, "p", None), "c": y})


def test_steps_for_one_column_leave_the_others_as_they_are() -> None:
    plain_net = NetClassifier(**SMALL).fit(MIXED[["a", "b"]], y)
    net = NetClassifier(**SMALL, preprocessing={"columns": {"c": "one_hot"}}).fit(MIXED, y)
    for key in ("numbers", "categories", "dates"):
        assert getattr(net.config_.preprocessing, key) == getattr(plain_net.config_.preprocessing, key)
    assert [step.name for step in net.config_.preprocessing.columns["c"]] == ["one_hot"]


@pytest.mark.parametrize("layers", [None, ["linear: 4", "relu"]])
@pytest.mark.parametrize("given", ["quantile", ["quantile"], {"numbers": "quantile"}, Preprocessing("quantile")])
def test_steps_for_numbers_leave_categories_as_they_are(layers: Any, given: Any) -> None:
    net = NetRegressor(layers, epochs=1, preprocessing=given).fit(MIXED[["b", "c"]], X[:, 3])
    assert [step.name for step in net.config_.preprocessing.numbers] == ["quantile"]
    assert net.config_.preprocessing.categories is not None
    assert net.config_.preprocessing.categories.name == "one_hot"


def test_what_is_turned_off_stays_off() -> None:
    with pytest.raises(InvalidInputError, match="'b'"):
        NetClassifier(**SMALL, preprocessing={"categories": None}).fit(MIXED[["b", "c"]], y)


# Warnings and summaries


def test_estimators_do_not_warn_of_large_nets_but_their_summaries_tell() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = GridSearchCV(NetClassifier(["linear: 90", "relu"], epochs=1), {"lr": [0.001, 0.01]}, cv=2).fit(X, y)
    sentence = "the net has 2,881 parameters for 569 training rows; it may overfit"
    assert sentence in " ".join(str(search.best_estimator_.summary()).split())
    assert "overfit" not in str(NetClassifier(["linear: 9", "relu"], epochs=1).fit(X, y).summary())
    with pytest.warns(NnfsWarning, match="'x0' is constant"):
        NetClassifier(**SMALL).fit(np.ones((9, 1)), list("ababababa"))


def test_a_log_without_validation_rows_says_what_it_has() -> None:
    history = NetClassifier(**SMALL).fit(X, y).history_
    with pytest.raises(KeyError, match=r"there are 'epoch', 'step', .* and 'train_accuracy'; .* as with split=0.2"):
        history["val_loss"]
    with pytest.raises(KeyError, match="no column 'trian_loss'; there are"):
        history["trian_loss"]


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


# Loaded estimators


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_parameters_for_a_config_say_all_of_it_and_no_default(path: Path) -> None:
    config = Config.load(path)
    settings = as_given(config)
    given = {**settings, "dataset": config.dataset, "preset": config.preset}
    assert Config.read(Document(path.name, path.parent, data=given)) == config
    for key in settings.keys() - {"name", "optimizer", "split", "preprocessing", "epochs"}:
        assert getattr(config, key) != Config.model_fields[key].get_default()


def test_a_loaded_estimator_is_shown_briefly_and_learns_the_same(tmp_path: Path) -> None:
    net = NetClassifier(**SMALL).fit(X, y)
    net.save(tmp_path / "run")
    loaded = NetClassifier.load(tmp_path / "run")
    assert "layers=[{'linear': 8}, 'relu', {'linear': 1}]" in " ".join(repr(loaded).split())
    np.testing.assert_array_equal(clone(loaded).fit(X, y).predict_proba(X), net.predict_proba(X))
