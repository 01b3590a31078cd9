"""What simple and well-known models make of a net's rows: they are scikit-learn's, on exactly the same rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.data.folds import Folds, deal
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.split import Split
from nnfs_cli.data.steps.calendar import Calendar
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError, NnfsWarning
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.workflows.baselines import BASELINES, FREQUENT, BaselineInputs, fit_and_predict
from nnfs_cli.workflows.boosting import MOST, TreeChoice, folds_for_trees, joined_copies
from tests.conftest import ROOT, Nnfs, one_message
from tests.runs.test_hostile_files import tree

Write = Callable[..., Path]
SPLIT = {"validation": 0.2, "test": 0.2, "stratify": False}
BREAST_CANCER: dict[str, Any] = {
    "dataset": "breast_cancer",
    "split": SPLIT,
    "layers": [{"linear": 1}, "sigmoid"],
    "loss": "binary_cross_entropy",
    "epochs": 2,
}
DIABETES: dict[str, Any] = {
    "dataset": "diabetes",
    "split": SPLIT,
    "preprocessing": {"numbers": "standardize", "target": "standardize"},
    "layers": [{"linear": 1}],
    "loss": "mse",
    "epochs": 2,
}


def trees_for(make: Callable[..., Any], X: np.ndarray, y: np.ndarray, folds: np.ndarray) -> int:
    """The number of trees with the least loss on folds that are held out in turn, with scikit-learn alone."""
    losses = np.zeros(MOST)
    for k in range(folds.max() + 1):
        held_out, truth = X[folds == k], y[folds == k]
        with threadpool_limits(1):
            trees = make(max_iter=MOST, early_stopping=False).fit(X[folds != k], y[folds != k])
        if hasattr(trees, "classes_"):
            rows = np.arange(len(truth))
            losses += [-np.log(p[rows, truth]).sum() for p in trees.staged_predict_proba(held_out)]
        else:
            losses += [float(np.sum((p - truth) ** 2)) for p in trees.staged_predict(held_out)]
    return int(losses.argmin()) + 1


@pytest.fixture
def config(tmp_path: Path) -> Write:
    def write(content: dict[str, Any], table: str = "") -> Path:
        (tmp_path / "t.csv").write_text(table, encoding="utf-8")
        (tmp_path / "c.yaml").write_text(dump(content), encoding="utf-8")
        return tmp_path / "c.yaml"

    return write


def parts_of(spec: Config) -> dict[str, np.ndarray]:
    """The places of the rows of each part."""
    from nnfs_cli.experiment.read_data import load_data

    return dict(load_data(spec).rows)


def test_classifiers_are_those_of_scikit_learn_on_the_same_rows(config: Write) -> None:
    spec = Config.load(config(BREAST_CANCER))
    found, rows = workflows.baselines(spec), parts_of(spec)
    X, y = load_breast_cancer(return_X_y=True)
    assert set(found) == {"validation", "test"}
    train = rows["train"]
    boosting = partial(HistGradientBoostingClassifier, random_state=spec.seed)
    trees = trees_for(boosting, X[train], y[train], deal(len(train), 5, spec.seed, y[train]))
    for part in found:
        for name, model in {
            "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
            "boosting": boosting(max_iter=trees),
        }.items():
            model.fit(X[rows["train"]], y[rows["train"]])
            y_hat = model.predict_proba(X[rows[part]])
            assert found[part][name] == pytest.approx(
                {
                    "log_loss": log_loss(y[rows[part]], y_hat),
                    "accuracy": accuracy_score(y[rows[part]], y_hat.argmax(axis=1)),
                }
            )
        share = y[rows["train"]].mean()
        y_hat = np.tile([1 - share, share], (len(rows[part]), 1))
        assert found[part]["constant"]["log_loss"] == pytest.approx(log_loss(y[rows[part]], y_hat))


def test_regressors_are_those_of_scikit_learn_on_the_same_rows(config: Write) -> None:
    spec = Config.load(config(DIABETES))
    found, rows = workflows.baselines(spec), parts_of(spec)
    X, y = load_diabetes(return_X_y=True)
    train = rows["train"]
    boosting = partial(HistGradientBoostingRegressor, random_state=spec.seed)
    trees = trees_for(boosting, X[train], y[train], deal(len(train), 5, spec.seed))
    assert 1 < trees < 100
    for part in ("validation", "test"):
        for name, model in {
            "linear": make_pipeline(StandardScaler(), Ridge()),
            "boosting": boosting(max_iter=trees),
        }.items():
            y_hat = model.fit(X[rows["train"]], y[rows["train"]]).predict(X[rows[part]])
            truth = y[rows[part]]
            assert found[part][name] == pytest.approx(
                {"rmse": math.sqrt(mean_squared_error(truth, y_hat)), "r2": r2_score(truth, y_hat)}
            )
        constant = found[part]["constant"]["rmse"]
        assert constant == pytest.approx(math.sqrt(np.mean((y[rows[part]] - y[rows["train"]].mean()) ** 2)))


MIXED = "a,when,town,z,part\n" + "".join(
    f"{'' if i % 7 == 0 else i / 10},{'' if i % 9 == 0 else f'2024-01-{1 + i % 28:02d}'},"
    f"{'' if i % 11 == 0 else 'Ulm' if i == 59 else ('Bonn', 'Köln', 'Jena')[i % 3]},{i % 3 * 10 + i / 20},"
    f"{'train' if i < 40 else 'validation'}\n"
    for i in range(60)
)
OF_MIXED: dict[str, Any] = {
    "dataset": {"csv": {"path": "t.csv", "target": "z"}},
    "split": {"column": "part"},
    "preprocessing": {
        "numbers": ["impute", "standardize"],
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
    },
    "layers": [{"linear": 1}],
    "loss": "mse",
    "epochs": 1,
}


def test_gaps_words_and_dates_are_taken_as_they_are(config: Write) -> None:
    """Here by hand: the median and a flag where a number is empty; an empty cell is a word, and a new one is none."""
    found = workflows.baselines(Config.load(config(OF_MIXED, MIXED)))["validation"]
    rows = [line.split(",") for line in MIXED.splitlines()[1:]]
    a = np.array([float(row[0] or "nan") for row in rows])
    days, *calendar = by_pandas([row[1] for row in rows]).T[[0, 1, 2, 5, 6]]  # no time of day
    z = np.array([float(row[3]) for row in rows])
    columns = []
    for column in (a, days):
        filled = np.where(np.isnan(column), np.nanmedian(column[:40]), column)
        columns += [filled, np.isnan(column).astype(float)]
    numbers = np.stack([*columns, *calendar], axis=1)
    words = np.array([[row[2]] for row in rows])
    X = np.concatenate([numbers, OneHotEncoder(handle_unknown="ignore").fit(words[:40]).transform(words).toarray()], 1)
    model = make_pipeline(make_column_transformer((StandardScaler(), [*range(8)]), remainder="passthrough"), Ridge())
    y_hat = model.fit(X[:40], z[:40]).predict(X[40:])
    assert found["linear"]["rmse"] == pytest.approx(math.sqrt(mean_squared_error(z[40:], y_hat)))
    codes = np.array([[{"Köln": 0, "Jena": 1, "Bonn": 2, "": 3}.get(word, np.nan)] for word in words[:, 0]])
    X = np.concatenate([np.stack([a, days, *calendar], axis=1), codes], axis=1)
    boosting = partial(HistGradientBoostingRegressor, categorical_features=[6], random_state=0)
    trees = boosting(max_iter=trees_for(boosting, X[:40], z[:40], deal(40, 5, 0))).fit(X[:40], z[:40])
    assert found["boosting"]["rmse"] == pytest.approx(math.sqrt(mean_squared_error(z[40:], trees.predict(X[40:]))))


def by_pandas(dates: Sequence[str | None]) -> np.ndarray:
    """Days, and the cycles of the year, the month, the week and the day: the sine and cosine of each, 0 in gaps."""
    when = pd.Series(pd.to_datetime([date or None for date in dates], format="ISO8601"))
    of_day = (when - when.dt.normalize()) / pd.Timedelta(days=1)
    year = (when.dt.day_of_year - 1) / (365 + when.dt.is_leap_year)
    month = (when.dt.day - 1) / when.dt.days_in_month
    columns = [(when - pd.Timestamp(0)) / pd.Timedelta(days=1)]
    for phase in (year, month, when.dt.day_of_week / 7, of_day):
        columns += [np.sin(2 * np.pi * phase).fillna(0), np.cos(2 * np.pi * phase).fillna(0)]
    return np.stack(columns, axis=1)


def seasonal(n: int, seed: int = 0) -> tuple[Table, np.ndarray]:
    """A table of moments in three years, some unknown, and numbers that depend on the day of the week and the year."""
    rng = np.random.default_rng(seed)
    when = pd.Series(pd.Timestamp("2022-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 3 * 8760, n)), unit="h"))
    y = 2 * (when.dt.day_of_week >= 5) + 2 * np.sin(2 * np.pi * when.dt.day_of_year / 365) + rng.normal(0, 0.3, n)
    dates = when.to_numpy("datetime64[us]").copy()
    dates[rng.random(n) < 0.05] = np.datetime64("NaT")
    return Table("t", {"when": dates, "x": rng.normal(size=n)}), y.to_numpy()


@pytest.mark.parametrize("parts", [None, ("month_cycle", "weekend")])
def test_dates_are_seen_as_by_pipelines_made_by_hand(parts: Any) -> None:
    table, y = seasonal(400)
    train, new, weight = np.arange(300), np.arange(300, 400), np.random.default_rng(1).integers(1, 4, 300) * 1.0
    kinds: dict[str, Kind] = {"x": "number", "when": "date"}
    preprocessing = Preprocessing(dates=Calendar(parts)) if parts else None
    inputs = BaselineInputs(table.take(train), kinds, preprocessing)
    dates = [None if np.isnat(date) else str(date) for date in table.columns["when"]]
    chosen = by_pandas(dates)[:, [0, 1, 2, 5, 6, 7, 8]]
    if parts:
        weekend = pd.Series(pd.to_datetime(dates)).dt.day_of_week.ge(5).to_numpy(float)
        chosen = np.column_stack([by_pandas(dates)[:, [0, 3, 4]], weekend])
    X = np.column_stack([table.numbers("x"), chosen])
    np.testing.assert_allclose(inputs.matrix(table), X, rtol=0, atol=1e-9)
    days = X[:, 1]
    filled = np.column_stack([X, np.isnan(days)])
    filled[:, 1] = np.where(np.isnan(days), np.nanmedian(days[train]), days)
    scaler = StandardScaler().fit(filled[train], sample_weight=weight)
    by_hand = Ridge().fit(scaler.transform(filled[train]), y[train], sample_weight=weight)
    linear = inputs.model(BASELINES[1], 0, 0)
    found = fit_and_predict(linear, inputs.matrix(table)[train], y[train, None], weight, {"new": X[new]}, 0)
    np.testing.assert_allclose(found["new"][:, 0], by_hand.predict(scaler.transform(filled[new])), rtol=1e-9)
    trees = inputs.model(BASELINES[2], 0, 0).set_params(model__max_iter=20)
    found = fit_and_predict(trees, inputs.matrix(table)[train], y[train, None], weight, {"new": X[new]}, 0)
    by_hand = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X[train], y[train], sample_weight=weight)
    np.testing.assert_allclose(found["new"][:, 0], by_hand.predict(X[new]), rtol=1e-9)


def test_boosting_learns_the_seasons(config: Write, tmp_path: Path) -> None:
    table, y = seasonal(1_200)
    pd.DataFrame({"when": table.columns["when"], "y": y}).to_csv(tmp_path / "seasons.csv", index=False)
    settings = {"dataset": {"csv": {"path": "seasons.csv", "target": "y"}}, "split": {"test": 0.2}}
    found = workflows.baselines(Config.load(config({**OF_MIXED, **settings})))["test"]
    assert found["boosting"]["rmse"] < 0.6  # the noise is 0.3, and 5 % of the dates are unknown
    assert found["linear"]["rmse"] < 1.2 < 1.5 < found["constant"]["rmse"]


@pytest.mark.parametrize(
    ("loss", "levels"),
    [
        ("mse", ()),
        ("poisson", ()),
        ("mae", (0.5,)),
        ("huber", (0.5,)),
        ("log_cosh", (0.5,)),
        ("quantile", (0.1, 0.5, 0.9)),
    ],
)
def test_the_constant_is_the_best_one_for_the_loss(config: Write, loss: str, levels: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    y, weights = rng.exponential(size=101), rng.integers(1, 4, 101)
    table = "x,w,part,y\n" + "".join(
        f"0,{w},{part},{value!r}\n"
        for value, w in zip(y.tolist(), weights.tolist(), strict=True)
        for part in ("train", "validation")
    )
    content = {
        "dataset": {"csv": {"path": "t.csv", "target": "y", "weight": "w"}},
        "split": {"column": "part"},
        "layers": [{"linear": max(1, len(levels))}, *(["exp"] if loss == "poisson" else [])],
        "loss": loss,
        "metrics": ["mae", "rmse", "pinball: 0.1", "pinball: 0.9"],
        "epochs": 1,
    }
    content["metrics"] = ["mae", "rmse", {"pinball": 0.1}, {"pinball": 0.9}]
    found = workflows.baselines(Config.load(config(content, table)))["validation"]["constant"]
    repeated = np.repeat(y, weights)
    candidates = np.linspace(0, 5, 5_001)
    errors = np.abs(repeated[:, None] - candidates)
    best = (errors**2).mean(axis=0).min() ** 0.5 if not levels else errors.mean(axis=0).min()
    assert found["mae" if levels else "rmse"] == pytest.approx(best, rel=1e-4)
    for level in {0.1, 0.9} & set(levels):
        above = repeated[:, None] - candidates
        assert found[f"pinball_{level}"] == pytest.approx(
            np.maximum(level * above, (level - 1) * above).mean(axis=0).min(), rel=1e-4
        )


def test_trees_are_chosen_by_later_rows_where_the_split_is_by_time_and_by_whole_groups() -> None:
    table = Table("t", {"when": np.arange(100.0)[::-1], "who": Texts.of([f"g{i % 7}" for i in range(100)])})
    by_time = folds_for_trees(Split(time="when"), table, None, 0)
    assert np.flatnonzero(by_time.fold == 0).tolist() == list(range(20))
    assert np.flatnonzero(by_time.trains[:, 0]).tolist() == list(range(20, 100))
    by_group = folds_for_trees(Split(group="who"), table, None, 0)
    assert set(by_group.fold.tolist()) == set(range(5))
    assert all(len(set(by_group.fold[i::7].tolist())) == 1 for i in range(7))
    many = folds_for_trees(Split(), Table("t", {"x": np.zeros(2_000)}), None, 0)
    assert np.bincount(many.fold + 1).tolist() == [1_600, 400]
    assert many.trains.sum(axis=0).tolist() == [1_600]
    for split in (Split(time="one"), Split(group="one")):
        one = Table("t", {"one": np.ones(50) if split.time else Texts.of(["a"] * 50)})
        assert folds_for_trees(split, one, None, 0).trains.shape == (50, 0)


def test_boosting_is_the_same_for_weights_and_for_copies_of_rows(config: Write) -> None:
    """Of copies, scikit-learn makes other trees: it counts them where it asks for 20 rows in a leaf."""
    rng = np.random.default_rng(1)
    X, part, times = rng.normal(size=(300, 4)), np.repeat(["train", "test"], [200, 100]), rng.integers(1, 4, 300)
    y = X[:, 0] + np.sin(3 * X[:, 1]) + rng.normal(size=300)
    table = pd.DataFrame(X, columns=list("abcd")).assign(part=part, y=y, w=times)
    content = {
        **DIABETES,
        "dataset": {"csv": {"path": "t.csv", "target": "y", "weight": "w"}},
        "split": {"column": "part"},
    }
    weights, copies = (
        workflows.baselines(Config.load(config(content, rows.to_csv(index=False))))["test"]
        for rows in (table, table.loc[table.index.repeat(table["w"])].assign(w=1))
    )
    for model in ("constant", "linear", "boosting"):
        assert weights[model] == pytest.approx(copies[model], rel=1e-9)


@pytest.mark.parametrize("forward", [False, True])
def test_copies_in_two_folds_are_not_joined(forward: bool) -> None:
    rng = np.random.default_rng(2)
    again, fold = np.repeat(np.arange(30), 3), np.arange(90) % 2
    X, y = rng.normal(size=(30, 2))[again], rng.normal(size=(30, 1))[again]
    rows = EncodedRows(X, y, y, folds=replace(Folds.of(fold, 2), forward=forward))
    joined, places = joined_copies(rows, 2)
    assert len(joined) == 60
    assert joined.weight is not None
    assert joined.weight.sum() == 90
    assert joined.folds is not None
    assert joined.folds.fold.tolist() == fold[places].tolist()
    assert joined.folds.forward == forward
    alone, places = joined_copies(EncodedRows(X[::3], y[::3], y[::3]), 2)
    assert (alone.weight, places.tolist()) == (None, [*range(30)])
    few = rng.integers(0, 3, (90, 2)) * 1.0
    assert len(joined_copies(EncodedRows(few, y, few[:, :1]), 2)[0]) == 90  # equal by chance


def test_the_own_fold_of_rows_out_of_fold_has_no_say_in_their_number_of_trees() -> None:
    rng = np.random.default_rng(0)
    X, fold = rng.normal(size=(90, 2)), np.arange(90) // 30
    y = X[:, :1] + rng.normal(size=(90, 1))
    model = BaselineInputs(Table("t", {}), {}).model(BASELINES[2], 0, 0)
    choice = TreeChoice(model, X, y, None, 0, Folds.of(fold, 3))
    alone = TreeChoice(model, X, y, None, 0, Folds.of(np.where(fold == 2, -1, fold), 2))
    assert choice.best(2) == alone.best()
    assert choice.best() == int(choice.losses.sum(axis=0).argmin()) + 1
    assert TreeChoice(model, X, y, None, 0, Folds.of(np.full(90, -1), 0)).best() == 100
    forward = Folds(fold - 1, np.column_stack([fold < 1, fold < 2]), forward=True)
    poisoned = np.where(fold[:, None] < 2, y, 1e6)
    of_both = [TreeChoice(model, X, target, None, 0, forward) for target in (y, poisoned)]
    assert [choice.best(0) for choice in of_both] == [100, 100]
    assert of_both[0].best(1) == of_both[1].best(1) != 100


def test_words_beyond_number_are_taken_together(config: Write) -> None:
    n = 3 * FREQUENT
    table = "town,y\n" + "".join(f"w{i % (2 * FREQUENT)},{i % 2}\n" for i in range(n))
    content = {
        **BREAST_CANCER,
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "preprocessing": {"categories": {"hashing": 8}},
    }
    assert set(workflows.baselines(Config.load(config(content, table)))["test"]) == {"constant", "linear", "boosting"}


def test_rows_count_by_their_weights(config: Write) -> None:
    """A row of weight 2 is two rows, and one of weight 0, or of a class of weight 0, is none."""
    rng = np.random.default_rng(0)
    rows = [(x, int(x + rng.normal() > 0), p) for x, p in zip(rng.normal(size=90).tolist(), "ttv" * 30, strict=True)]
    name = {"t": "train", "v": "validation"}
    weights = [(0, 1, 2)[i // 3 % 3] for i in range(90)]
    weighted = "x,w,part,y\n" + "".join(
        f"{x!r},{w},{name[p]},{y}\n" for (x, y, p), w in zip(rows, weights, strict=True)
    )
    repeated = "x,part,y\n" + "".join(f"{x!r},{name[p]},{y}\n" * w for (x, y, p), w in zip(rows, weights, strict=True))
    content = {**BREAST_CANCER, "split": {"column": "part"}}
    source = {"path": "t.csv", "target": "y"}
    once = workflows.baselines(
        Config.load(config({**content, "dataset": {"csv": {**source, "weight": "w"}}}, weighted))
    )
    twice = workflows.baselines(Config.load(config({**content, "dataset": {"csv": source}}, repeated)))
    assert once["validation"]["constant"] == pytest.approx(twice["validation"]["constant"])
    assert once["validation"]["linear"] == pytest.approx(twice["validation"]["linear"], rel=1e-4)
    three = weighted + "".join(f"{i},1,{part},2\n" for i in range(5) for part in name.values())
    content = {
        **content,
        "dataset": {"csv": {**source, "weight": "w"}},
        "class_weights": {"2": 0},
        "layers": [{"linear": 3}, "softmax"],
        "loss": "cross_entropy",
    }
    of_two = workflows.baselines(Config.load(config(content, three)))
    assert of_two["validation"]["linear"] == pytest.approx(once["validation"]["linear"], rel=1e-4)


def test_a_class_that_training_rows_lack_has_no_probability(config: Write) -> None:
    table = "x,part,y\n" + "".join(
        f"{i},{'validation' if i > 29 else 'train'},{'abc'[i % 3] if i > 29 else 'ab'[i % 2]}\n" for i in range(40)
    )
    content = {
        **BREAST_CANCER,
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "split": {"column": "part"},
        "layers": [{"linear": 3}, "softmax"],
        "loss": "cross_entropy",
    }
    found = workflows.baselines(Config.load(config(content, table)))["validation"]
    for figures in found.values():
        assert figures["accuracy"] <= 7 / 10
        assert figures["log_loss"] > 3 / 10 * 20


def test_what_cannot_be_fitted_is_said(config: Write) -> None:
    table = "x,part,y\n" + "".join(
        f"{i},{'validation' if i > 29 else 'train'},{i % 2 if i > 29 else 0}\n" for i in range(40)
    )
    content = {
        **BREAST_CANCER,
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "split": {"column": "part"},
    }
    with pytest.warns(NnfsWarning, match="cannot be fitted: all training rows are of one class"):
        found = workflows.baselines(Config.load(config(content, table)))
    assert list(found["validation"]) == ["constant"]


def test_several_targets_are_learned_one_by_one(config: Write) -> None:
    table = "x,y,z\n" + "".join(f"{i},{2 * i},{-i}\n" for i in range(60))
    content = {
        **DIABETES,
        "dataset": {"csv": {"path": "t.csv", "target": ["y", "z"]}},
        "layers": [{"linear": 2}],
        "metrics": ["mae", {"pinball": 0.9}],
    }
    found = workflows.baselines(Config.load(config(content, table)))["test"]
    assert list(found["linear"]) == ["rmse", "mae", "pinball_0.9"]
    assert found["linear"]["rmse"] < 1 < found["constant"]["rmse"]


def test_without_probabilities_there_is_no_log_loss(config: Write) -> None:
    content = {**BREAST_CANCER, "layers": [{"linear": 1}], "loss": "hinge"}
    assert list(workflows.baselines(Config.load(config(content)))["test"]["linear"]) == ["accuracy"]


def test_rows_that_are_not_in_memory_are_refused(config: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnfs_cli.data.csv.source.Csv.table_size", lambda source: 10**9)
    content = {**DIABETES, "dataset": {"csv": {"path": "t.csv", "target": "y"}}, "memory_limit": "250 MB"}
    table = "x,y\n" + "".join(f"{i / 7},{i}\n" for i in range(100))
    with pytest.raises(DataError, match="baselines need all rows in memory"):
        workflows.baselines(Config.load(config(content, table)))


# The commands


def test_baseline_prints_a_table_for_each_split(config: Write, inside: Nnfs) -> None:
    done = inside("baseline", config(DIABETES))
    assert done.returncode == 0
    *models, next_ = done.stderr.splitlines()
    assert next_.startswith("next        nnfs train ")
    assert [line.split() for line in models] == [
        ["constant", "DummyRegressor"],
        ["linear", "Ridge"],
        ["boosting", "HistGradientBoostingRegressor"],
        [],
    ]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines if line] == [
        "validation", "constant", "linear", "boosting", "test", "constant", "linear", "boosting",
    ]  # fmt: skip
    assert lines[0] == ["validation", "rmse", "r2"]
    assert float(lines[2][1]) < float(lines[1][1])


def test_without_held_out_rows_they_are_scored_on_the_training_rows(config: Write, inside: Nnfs) -> None:
    done = inside("baseline", config({**DIABETES, "split": 0}), "--json")
    assert list(json.loads(done.stdout)["baselines"]) == ["train"]


def test_evaluate_puts_them_beside_the_run(config: Write, inside: Nnfs, tmp_path: Path) -> None:
    run = inside("train", config(BREAST_CANCER), "-q").stdout.strip()
    before = tree(tmp_path)
    alone = json.loads(inside("evaluate", run, "--json").stdout)
    done = json.loads(inside("evaluate", run, "--baselines", "--json").stdout)
    beside, verdict, without = done.pop("baselines"), done.pop("verdict"), alone.pop("verdict")
    assert done == alone
    assert verdict[: len(without)] == without
    assert ["baseline" in each["code"] for each in verdict[len(without) :]] == [True]
    of_baselines = json.loads(inside("baseline", tmp_path / "c.yaml", "--json").stdout)["baselines"]
    for part, models in beside.items():
        figures = models.pop("c-1")
        assert figures["accuracy"] == alone["metrics"][part]["accuracy"]
        assert figures["log_loss"] == pytest.approx(alone["metrics"][part]["loss"], rel=1e-6)
        assert models == of_baselines[part]
    shown = inside("evaluate", run, "--baselines", "--split", "test").stdout.splitlines()
    assert [line.split()[0] for line in shown[-5:]] == ["test", "c-1", "constant", "linear", "boosting"]
    assert {path for path in tree(tmp_path) if "evaluation" not in path} == {
        path for path in before if "evaluation" not in path
    }


def test_what_does_not_go_with_them_is_refused(config: Write, inside: Nnfs, tmp_path: Path) -> None:
    run = inside("train", config(OF_MIXED, MIXED), "-q").stdout.strip()
    message = one_message(inside("evaluate", run, "--baselines", "--input", "t.csv"), 2)
    assert "--baselines or --input, not both: baselines are scored on the rows of the run" in message
    message = one_message(inside("evaluate", run, "--baselines", "--split", "test"), 2)
    assert "has no test rows" in message
    (tmp_path / "t.csv").write_text(MIXED.replace("Bonn", "Rom"), encoding="utf-8")
    assert "has changed since" in one_message(inside("evaluate", run, "--baselines"), 2)


NOTEBOOKS = sorted(Path("configs/seeds").glob("*.yaml"))
THOROUGH = [pytest.param(path, marks=pytest.mark.slow) for path in NOTEBOOKS[1:]]


@pytest.mark.parametrize("path", [NOTEBOOKS[0], *THOROUGH], ids=lambda path: path.stem)
def test_they_go_with_every_notebook(path: Path, inside: Nnfs) -> None:
    done = inside("baseline", path, "--json", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for models in json.loads(done.stdout)["baselines"].values():
        best = {name: figures.get("log_loss", figures.get("rmse")) for name, figures in models.items()}
        assert best["linear"] < best["constant"]
        assert best["boosting"] < best["constant"]
