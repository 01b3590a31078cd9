"""Several targets of two classes each, learned together: labels that may be true at the same time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from nnfs_cli import BinaryCrossEntropy, ConfigError, DataError, Linear, Metric, NetClassifier, Run, Tanh, train
from nnfs_cli.arrays import Array
from nnfs_cli.data.labels import combinations
from nnfs_cli.errors import RunError
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.nn.gradient_check import gradient_error
from nnfs_cli.nn.model import Model
from tests.conftest import Nnfs

TARGETS = ["rain", "storm", "hail"]
SETTINGS: dict[str, Any] = {
    "dataset": {"table": TARGETS},
    "layers": [{"linear": 3}],
    "loss": "binary_cross_entropy",
    "preprocessing": "standardize",
    "epochs": 8,
    "lr": 1.0,
    "split": {"test": 0.2},
    "metrics": ["accuracy", "subset_accuracy", {"f1": "per_class"}],
}


def weather(n: int = 400) -> dict[str, Any]:
    """Two numbers, and three labels that depend on them; the last one is rare."""
    rng = np.random.default_rng(0)
    a, b, noise = rng.normal(size=(3, n))
    words = np.array(["dry", "wet"], object)
    return {
        "a": a,
        "b": b,
        "rain": words[(a + noise > 0).astype(int)],
        "storm": words[(b > 0.5).astype(int)],
        "hail": (a - b + noise > 2.2).astype(int),
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(SETTINGS, weather(), folder=tmp_path_factory.mktemp("weather"))


def test_gradients_of_several_labels_are_right() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4)), rng.integers(0, 2, (7, 3)).astype(float)
    model = Model([Linear(4), Tanh(), Linear(3)], BinaryCrossEntropy(), (4,), "float64", rng)
    assert gradient_error(model, x, y, np.linspace(0, 2, 7)) < 1e-7


def indicators(n: int = 300, labels: int = 3) -> PredictedRows:
    rng = np.random.default_rng(1)
    y = (rng.random((n, labels)) < [0.5, 0.2, 0.05][:labels]).astype(int)
    y_hat = 1 / (1 + np.exp(2 - 3 * y - rng.normal(size=y.shape)))
    return PredictedRows(y, y_hat, rng.random(n), np.array([0.5, 0.4, 0.2][:labels]))


@pytest.mark.parametrize("labels", [2, 3])
def test_metrics_are_those_of_scikit_learn(labels: int) -> None:
    rows = indicators(labels=labels)
    w, decided = rows.weight, (rows.y_hat >= rows.threshold).astype(int)
    np.testing.assert_array_equal(rows.decided, decided)
    each = range(labels)
    expected = {
        "accuracy": np.mean([sk.accuracy_score(rows.y[:, k], decided[:, k], sample_weight=w) for k in each]),
        "subset_accuracy": sk.accuracy_score(rows.y, decided, sample_weight=w),
        "log_loss": np.mean([sk.log_loss(rows.y[:, k], rows.y_hat[:, k], sample_weight=w) for k in each]),
        "brier": np.mean([sk.brier_score_loss(rows.y[:, k], rows.y_hat[:, k], sample_weight=w) for k in each]),
        "roc_auc": sk.roc_auc_score(rows.y, rows.y_hat, sample_weight=w),
        "average_precision": sk.average_precision_score(rows.y, rows.y_hat, sample_weight=w),
    }
    for name, figure in expected.items():
        assert Metric.resolve(name).score(rows) == pytest.approx(figure, rel=1e-9), name
    for name in ("precision", "recall", "f1"):
        score = getattr(sk, f"{name}_score")
        for average in ("macro", "micro", "weighted"):
            theirs = score(rows.y, decided, average=average, sample_weight=w)
            assert Metric.resolve({name: average}).score(rows) == pytest.approx(theirs, rel=1e-9)
        found = Metric.resolve({name: "per_class"}).figures(rows)
        assert [*found.values()] == pytest.approx(score(rows.y, decided, average=None, sample_weight=w), rel=1e-9)


def test_figures_by_label_are_those_of_scikit_learn(run: Run) -> None:
    found = run.evaluate(data=weather(), splits="test")
    (by_label,) = found.labels.values()
    rows = found.scored["test"].predicted
    assert len(rows.y) == 80
    for k, target in enumerate(TARGETS):
        figures, y, decided = by_label[target], rows.y[:, k], rows.y_hat[:, k] >= 0.5
        assert figures["accuracy"] == pytest.approx(sk.accuracy_score(y, decided))
        assert figures["f1"] == pytest.approx(sk.f1_score(y, decided))
        assert figures["roc_auc"] == pytest.approx(sk.roc_auc_score(y, rows.y_hat[:, k]))
        counts = [[*of_truth.values()] for of_truth in figures["confusion"].values()]
        assert counts == sk.confusion_matrix(y, decided).tolist()
        assert found["test"][f"f1_{target}"] == pytest.approx(figures["f1"])
    assert [*by_label["rain"]["confusion"]] == ["dry", "wet"]
    assert found["test"]["subset_accuracy"] <= min(each["accuracy"] for each in by_label.values())


def test_a_prediction_has_a_label_and_a_probability_for_each_target(run: Run) -> None:
    found = run.predict({"a": [2.5, -2.5], "b": [-2.5, 2.5]})
    assert [*found] == [*(f"prediction_{t}" for t in TARGETS), *(f"probability_{t}" for t in TARGETS)]
    assert [found[f"prediction_{t}"].tolist() for t in TARGETS] == [["wet", "dry"], ["dry", "wet"], [1, 0]]
    assert found["probability_hail"][0] > 0.5 > found["probability_hail"][1]


def test_each_label_has_a_threshold_of_its_own(run: Run) -> None:
    rows = {"a": np.linspace(-3, 3, 50), "b": np.zeros(50)}
    usual = run.predict(rows)
    assert run.decide(0.1, target="hail") == {"hail": 0.1}
    moved = run.predict(rows)
    assert (moved["prediction_rain"] == usual["prediction_rain"]).all()
    np.testing.assert_array_equal(moved["prediction_hail"], (usual["probability_hail"] >= 0.1).astype(int))
    chosen = run.decide("best_accuracy", data=weather())
    assert isinstance(chosen, dict)
    assert [*chosen] == TARGETS
    assert run.decide(0.9, target="rain") == {**chosen, "rain": 0.9}
    assert run.evaluate(data=weather(), splits="test").labels["test"]["rain"]["threshold"] == 0.9
    with pytest.raises(RunError, match="no target 'hial'; did you mean 'hail'"):
        run.decide(0.5, target="hial")
    assert run.decide("none") is None
    assert (run.predict(rows)["prediction_hail"] == usual["prediction_hail"]).all()


def test_splits_hold_the_same_share_of_each_label_and_of_each_combination(run: Run) -> None:
    data = weather(2000)
    labels = np.stack([data["rain"] == "wet", data["storm"] == "wet", data["hail"] == 1], axis=1).astype(int)
    strata = combinations(labels)
    assert np.bincount(strata)[np.unique(strata)].min() >= 2
    described = json.loads((run.path / "data.json").read_text(encoding="utf-8"))["targets"]
    second = [
        [[*by_split[split].values()][1] for split in by_split] for by_split in (one["counts"] for one in described)
    ]
    for train_rows, validation, test in second:
        assert test == pytest.approx((train_rows + validation + test) / 5, abs=2)


def test_the_preset_learns_labels_without_a_blend(tmp_path: Path) -> None:
    run = train({"dataset": {"table": TARGETS}, "preset": "tabular"}, weather(), epochs=2, members=2, folder=tmp_path)
    assert (run.config.loss.name, run.config.blend) == ("binary_cross_entropy", ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrics": ["balanced_accuracy"]}, "balanced_accuracy is for a single target of classes"),
        ({"class_weights": "balanced"}, "class_weights is for a single target of classes"),
        ({"blend": ["trees"], "holdout": "fold", "members": 2}, "blended models learn a single target of classes"),
        ({"layers": [{"linear": 2}]}, "gives 2 outputs"),
        ({"loss": "binary_focal", "layers": [{"linear": 1}]}, "binary_focal needs one target"),
        ({"dataset": {"table": ["rain", "a"]}}, "a"),
    ],
)
def test_what_is_for_a_single_target_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        train({**SETTINGS, **changes}, weather(), folder=tmp_path)


def test_the_estimator_predicts_labels_as_scikit_learn_does() -> None:
    data = weather()
    X, y = np.stack([data["a"], data["b"]], axis=1), np.stack([data["a"] > 0, data["b"] > 0.5, data["hail"]], axis=1)
    net = NetClassifier(["linear: 8", "tanh"], epochs=30, lr=0.02, metrics=["subset_accuracy"]).fit(X, y.astype(int))
    probabilities: Array = net.predict_proba(X)
    assert probabilities.shape == (400, 3)
    np.testing.assert_array_equal(net.predict(X), (probabilities >= 0.5).astype(int))
    assert net.score(X, y.astype(int)) == pytest.approx(net.metrics_["train"]["subset_accuracy"])
    assert net.score(X, y.astype(int)) > 0.8


def test_the_commands_show_figures_by_label(nnfs: Nnfs, run: Run, tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame(weather()).to_csv(tmp_path / "weather.csv", index=False)
    done = nnfs("decide", run.path, "--threshold", "0.2", "--target", "hail")
    assert done.stdout == "hail: predict '1' at probability 0.2000 or more\n"
    done = nnfs("evaluate", run.path, "--input", tmp_path / "weather.csv", "--json")
    found = json.loads(done.stdout)
    assert [*found["labels"]["input"]] == TARGETS
    assert found["labels"]["input"]["hail"]["threshold"] == 0.2
    text = nnfs("evaluate", run.path, "--input", tmp_path / "weather.csv").stdout
    assert "input, hail: true class (rows), predicted class (columns)" in text
    run.decide("none")
