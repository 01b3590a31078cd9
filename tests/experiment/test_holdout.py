"""Members that each leave one fold out of their training and are scored on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.folds import deal, deal_groups
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.system.random import random_stream
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.trainer import Trainer
from tests.nn.test_members import parsed

SPEC: dict[str, Any] = {
    "dataset": "wine",
    "split": {"test": 0.2},
    "layers": [{"linear": 8}, "relu", {"linear": 3}, "softmax"],
    "members": 4,
    "holdout": "fold",
    "loss": "cross_entropy",
    "optimizer": "adamw",
    "lr": 0.01,
    "epochs": 8,
}


def spec(tmp_path: Path, **changes: Any) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({**SPEC, **changes}))
    return Config.load(path)


# --- Folds ---


@given(st.integers(1, 300), st.integers(2, 12), st.integers(0, 2**31), st.integers(1, 5))
def test_folds_are_of_equal_size_in_every_class(n_rows: int, n_folds: int, seed: int, n_classes: int) -> None:
    classes = np.random.default_rng(seed).integers(0, n_classes, n_rows)
    folds = deal(n_rows, n_folds, seed, classes)
    for rows in (np.ones(n_rows, bool), *(classes == j for j in range(n_classes))):
        sizes = np.bincount(folds[rows], minlength=n_folds)
        assert len(sizes) == n_folds
        assert np.ptp(sizes) <= 1
    np.testing.assert_array_equal(folds, deal(n_rows, n_folds, seed, classes))
    assert np.ptp(np.bincount(deal(n_rows, n_folds, seed), minlength=n_folds)) <= 1


@given(st.lists(st.integers(0, 20), min_size=1, max_size=200), st.integers(2, 6), st.integers(0, 1000))
def test_groups_stay_together(groups: list[int], n_folds: int, seed: int) -> None:
    table = Table("t", {"g": Texts(np.array(groups), np.array([f"g{i}" for i in range(21)], object))})
    rows = np.arange(0, len(groups), 2)
    sizes = np.bincount(np.array(groups)[rows], minlength=21)
    if np.count_nonzero(sizes) < n_folds:
        with pytest.raises(DataError, match="column 'g' has"):
            deal_groups(table, rows, "g", n_folds, seed)
        return
    folds = deal_groups(table, rows, "g", n_folds, seed)
    assert len(folds) == len(rows)
    for group in set(groups):
        assert len(set(folds[np.array(groups)[rows] == group])) <= 1
    loads = np.bincount(folds, minlength=n_folds)
    assert loads.min() > 0
    assert np.ptp(loads) <= sizes.max()  # what is dealt to the emptiest fold, largest first


# --- what members learn ---


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_member_equals_a_net_trained_without_its_fold(weighted: bool, reduction: str, accumulate: int) -> None:
    rng, k, n = np.random.default_rng(0), 3, 30
    X, y = rng.normal(size=(n, 4)), rng.normal(size=(n, 2))
    folds = deal(n, k, 0)
    weight, of_fold = np.ones(n), rng.random(n // k)
    for j in range(k if weighted else 0):
        weight[folds == j] = of_fold  # a net alone goes by the mean weight of its own rows
    counts = weight[:, None] * (folds[:, None] != np.arange(k))

    def trained(members: int, seeds: list[int], weight: Array) -> Model:
        rngs = [random_stream(seed, "weights") for seed in seeds]
        loss = Loss.resolve({"mse": {"reduction": reduction}})
        layers = parsed(("linear: 6", "tanh", "dropout: 0.2", "linear: 2"))
        model = Model(layers, loss, (4,), "float64", rngs, None, members)
        optimizer = Optimizer.resolve("adamw")
        batches = Batches(n, 10, seed=0)  # no batch lies within one fold: a single net would make no step
        trainer = Trainer(model, batches, Plan(optimizer, 0.01, seed=seeds[0], edition=1, accumulate=accumulate))
        trainer.fit(X, y, 20, weight)
        return model

    together = trained(k, [0, 1, 2], counts)
    for j in range(k):
        alone = trained(1, [j], counts[:, j])
        for name, array in together.parameters.arrays.items():
            np.testing.assert_allclose(array[j], alone.parameters.arrays[name], 1e-6, 1e-9)


@pytest.mark.parametrize("poison", ["inputs", "targets"])
def test_no_member_sees_its_fold(poison: str) -> None:
    rng, k, n = np.random.default_rng(0), 4, 40
    X, y = rng.normal(size=(n, 5)), rng.normal(size=(n, 1))
    folds = deal(n, k, 0)
    counts = (folds[:, None] != np.arange(k)) * (k / (k - 1))

    def vectors(X: Array, y: Array) -> Array:
        rngs = [random_stream(j, "weights") for j in range(k)]
        model = Model(parsed(("linear: 6", "relu", "linear: 1")), Loss.resolve("mse"), (5,), "float64", rngs, None, k)
        Trainer(model, Batches(n, 8, seed=0), Plan(Optimizer.resolve("adam"), 0.01)).fit(X, y, 5, counts)
        return model.parameters.vector.copy()

    before = vectors(X, y)
    for j in range(k):
        Z, t = X.copy(), y.copy()
        (Z if poison == "inputs" else t)[folds == j] += 100.0
        after = vectors(Z, t)
        np.testing.assert_array_equal(after[j], before[j])
        for other in set(range(k)) - {j}:
            assert not np.array_equal(after[other], before[other])


@pytest.mark.parametrize("n", [1, 5, 30, 700])
def test_each_row_is_predicted_by_the_member_of_its_fold(n: int) -> None:
    rng, k = np.random.default_rng(0), 3
    layers = parsed(("linear: 6", "relu", "linear: 3", "softmax"))
    model = Model(
        layers, Loss.resolve("cross_entropy"), (4,), "float64", [random_stream(j, "weights") for j in range(k)], None, k
    )
    X, member = rng.normal(size=(n, 4)), rng.integers(0, k, n)
    alone = []
    for j in range(k):
        one = Model(layers, model.loss, (4,), "float64", random_stream(j, "weights"))
        alone.append(one.predict(X))
    expected = np.stack(alone)[member, np.arange(n)]
    np.testing.assert_allclose(model.predict(X, member=member), expected, 1e-9)
    y, weight = np.eye(3)[rng.integers(0, 3, n)], rng.random(n) + 0.1
    found, y_hat = model.evaluate(X, y, weight, member=member)
    np.testing.assert_allclose(y_hat, expected, 1e-9)
    losses = -np.log((expected * y).sum(1))
    assert found == pytest.approx(np.average(losses, weights=weight))


# --- In a config ---


def test_figures_are_out_of_fold(tmp_path: Path) -> None:
    experiment = workflows.prepare(spec(tmp_path))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    metrics = run.metrics()
    assert [part for part in metrics if part != "best_epoch"] == ["train", "validation", "test"]
    assert metrics["validation"]["rows"] == metrics["train"]["rows"] == experiment.description["rows"]["train"]
    held_out = experiment.splits["validation"]
    assert held_out.X is experiment.splits["train"].X
    assert held_out.member is not None
    model = experiment.predictor.model
    y_hat = np.empty((len(held_out), 3))
    for j in range(4):
        alone = Model(parsed(("linear: 8", "relu", "linear: 3", "softmax")), model.loss, model.input_shape)
        for name, array in alone.parameters.arrays.items():
            array[...] = model.parameters.arrays[name][j]
        y_hat[held_out.member == j] = alone.predict(held_out.X[held_out.member == j])
    loss = -np.log(y_hat[np.arange(len(y_hat)), held_out.truth]).mean()
    assert metrics["validation"]["loss"] == pytest.approx(loss, rel=1e-5)
    log = run.epochs()
    best = min(log, key=lambda row: row["val_loss"])
    assert metrics["best_epoch"] == best["epoch"]
    assert metrics["validation"]["loss"] == pytest.approx(best["val_loss"])
    again = workflows.evaluate(run, ["validation"])
    assert again["validation"] == metrics["validation"]
    workflows.verify(run)
    others = workflows.compare(run)
    assert set(others["validation"]) == {run.path.name, "constant", "linear", "boosting"}


@pytest.mark.slow
def test_baselines_are_scored_out_of_fold_too(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    resolved = spec(tmp_path)
    found = workflows.baselines(resolved)["validation"]["linear"]
    experiment = workflows.prepare(resolved)
    rows = experiment.splits["validation"]
    assert rows.member is not None
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    X = experiment.predictor.encoder.inputs[0].inverse(rows.X.astype(float))  # type: ignore[union-attr]
    said = cross_val_predict(model, X, rows.truth, cv=PredefinedSplit(rows.member), method="predict_proba")
    assert found["log_loss"] == pytest.approx(log_loss(rows.truth, said), rel=2e-2)  # standardized over all rows there


def test_holdout_works_with_weights_of_rows_and_classes(tmp_path: Path) -> None:
    experiment = workflows.prepare(spec(tmp_path, class_weights={"class_0": 0, "class_1": 2}, members=3))
    train = experiment.splits["train"]
    _, _, weight = experiment.training_rows.take(slice(None))
    assert weight is not None
    assert weight.shape == (len(train), 3)
    assert train.weight is not None
    np.testing.assert_allclose(weight.mean(axis=1), train.weight, 1e-6)
    np.testing.assert_array_equal((weight == 0).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": 1}, "a single net would have no rows to train on; set members to 2 or more"),
        ({"split": {"validation": 0.2}}, "leave holdout or validation out"),
        ({"memory_limit": "1 GB"}, "holdout needs all rows in memory"),
        ({"layers": [{"linear": 8}, "batch_norm", {"linear": 3}]}, "layer_norm does not"),
        ({"preprocessing": {"categories": "target_mean"}}, "one_hot or embedding does not"),
        ({"preprocessing": {"columns": {"ash": "target_mean"}}}, "one_hot or embedding does not"),
        ({"holdout": "folds"}, "expected fold"),
    ],
)
def test_incompatible_settings_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        spec(tmp_path, **changes)


def test_more_members_than_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="142 training rows cannot be divided into 200 folds, one per member"):
        workflows.prepare(spec(tmp_path, members=200))


def test_holdout_works_with_groups_and_with_a_split_column_without_validation_rows(tmp_path: Path) -> None:
    lines = [f"{i % 7},{i % 5},{('train', 'test', 'train')[i % 3]},g{i % 6}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y,part,g", *lines]))
    base = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "loss": "mse",
        "layers": [{"linear": 1}],
        "members": 3,
    }
    grouped = workflows.prepare(
        spec(tmp_path, **base, split={"group": "g"}, preprocessing={"columns": {"part": "one_hot"}})
    )
    member = grouped.splits["validation"].member
    assert member is not None
    groups = np.arange(60) % 6
    assert all(len(set(member[groups == g])) == 1 for g in range(6))
    assert "test" not in grouped.splits
    by_column = {
        **base,
        "dataset": {"csv": {"path": "t.csv", "target": "y", "drop": ["g"]}},
        "split": {"column": "part"},
    }
    assert len(workflows.prepare(spec(tmp_path, **by_column)).splits["validation"]) == 40
    (tmp_path / "t.csv").write_text("\n".join(["x,y,part,g", *lines, "1,1,validation,g1"]))
    with pytest.raises(ConfigError, match="the split names separate validation rows"):
        workflows.prepare(spec(tmp_path, **by_column))
