"""`nnfs_cli.fit`: the table is inspected as by `nnfs init`, and the net is that of `nnfs train`, to the byte."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, log_loss

import nnfs_cli
from nnfs_cli import ConfigError, DataError, NetClassifier, NetRegressor, NnfsError, UserError
from nnfs_cli.api.config_from import config_from
from nnfs_cli.api.estimators.findings import Findings, remedy
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.suggestion import Suggestion
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import ROOT, Nnfs, weights_of

HOUSES = ROOT / "configs" / "examples" / "houses.csv"
SMALL: dict[str, Any] = {"epochs": 5, "members": 2}
QUICK: dict[str, Any] = {**SMALL, "blend": []}  # without trees, which take longer than the nets here
Columns = dict[str, Any]


def people(n: int = 120, seed: int = 0) -> Columns:
    """Columns of every nature: an id, a copy, a leak, a constant, a date, categories, gaps, and the target `bought`."""
    rng = np.random.default_rng(seed)
    days = np.datetime64("2025-01-01") + rng.integers(0, 365, n)
    age = np.round(rng.normal(40, 10, n), 1)
    town = rng.choice(["Ulm", "Köln", "Bonn"], n)
    bought = np.where(age + 5 * (town == "Ulm") + rng.normal(0, 8, n) > 41, "yes", "no")
    return {
        "id": np.arange(n) + 1,
        "age": np.where(rng.random(n) < 0.1, np.nan, age),
        "town": town,
        "town_name": [f"{name} am Fluss" for name in town],
        "joined": days.astype(str),
        "same": np.full(n, 3),
        "code": [{"yes": "J", "no": "N"}[word] for word in bought],
        "bought": bought,
    }  # fmt: skip


def prices(n: int = 160, seed: int = 1) -> Columns:
    """Columns that decide a skewed price, some of them hardly."""
    rng = np.random.default_rng(seed)
    area, rooms = rng.normal(100, 20, n).round(1), rng.integers(1, 6, n)
    price = np.exp(area / 15 + rng.normal(0, 0.1, n)).round(2)
    return {"area": area, "area_in_feet": area * 10.76, "rooms": rooms, "price": price}


def grades(n: int = 90, seed: int = 2) -> Columns:
    """A few rows of three classes, without any category or gap."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=n).round(3), rng.normal(size=n).round(3)
    return {"x": x, "y": y, "flag": rng.random(n) < 0.5, "grade": np.digitize(x + y, [-0.7, 0.7])}


def visits(n: int = 240, seed: int = 3) -> Columns:
    """Several rows of each patient, who must not be in two splits."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n // 6), 6)
    weight = rng.normal(80, 10, n // 6).round(1)[patient]
    sex = rng.choice(["f", "m"], n // 6)[patient]
    return {
        "patient_id": [f"P{code:03}" for code in patient],
        "weight": weight,
        "sex": sex,
        "dose": rng.normal(size=n).round(2),
        "pressure": (weight + rng.normal(0, 3, n)).round(1),
    }


TABLES: dict[str, tuple[Callable[[], Columns], str]] = {
    "people": (people, "bought"),
    "prices": (prices, "price"),
    "grades": (grades, "grade"),
    "visits": (visits, "pressure"),
}


def quick_fit(table: Any, target: str, **more: Any) -> NetClassifier | NetRegressor:
    return nnfs_cli.fit(table, target, **{**QUICK, **more})


def about(found: Findings, what: str) -> dict[str | None, Finding]:
    return {finding.column: finding for finding in found if finding.what == what}


@pytest.fixture(scope="module")
def buyers() -> NetClassifier | NetRegressor:
    """The estimator for `people`."""
    return quick_fit(pd.DataFrame(people()), "bought")


# The same as the command line


def check_that_the_command_line_agrees(inside: Nnfs, path: Path, target: str, **more: Any) -> None:
    """Train on a file by `nnfs init` and `nnfs train`, and on its rows by `fit`; compare everything."""
    config = path.with_suffix(".yaml")
    assert inside("init", path.name, "--target", target, "--output", config.name).returncode == 0
    changes = [word for key, value in more.items() for word in ("--set", f"{key}={value}")]
    done = inside("train", config.name, "--quiet", *changes)
    assert done.returncode == 0
    run = path.parent / done.stdout.strip()
    estimator = nnfs_cli.fit(pd.read_csv(path), target, **more)
    theirs, ours = (yaml.safe_load(text) for text in (config.read_text("utf-8"), estimator.config_text))
    (columns,), (ours_columns,) = theirs.pop("dataset").values(), ours.pop("dataset").values()
    assert columns.get("drop") == ours_columns.get("drop")
    texts_that_are_dates = (
        {"joined": {"calendar": {"unseen": "empty"}}} if "joined" in pd.read_csv(path).columns else {}
    )
    assert ours.pop("preprocessing", {}) == (
        {"columns": texts_that_are_dates} if texts_that_are_dates else theirs.get("preprocessing", {})
    )
    theirs.pop("preprocessing", None)
    assert ours == theirs
    weights = weights_of(RunDirectory(run), "best")
    assert {*weights} == {*estimator.result_.weights}
    for name, values in estimator.result_.weights.items():
        np.testing.assert_array_equal(weights[name], values)
    assert yaml.safe_load((run / "metrics.json").read_text("utf-8")) == estimator.metrics_


def test_the_net_is_that_of_init_and_train(inside: Nnfs, tmp_path: Path) -> None:
    pd.DataFrame(people()).to_csv(tmp_path / "people.csv", index=False)
    check_that_the_command_line_agrees(inside, tmp_path / "people.csv", "bought", **SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_the_net_is_that_of_init_and_train_on_any_table(inside: Nnfs, tmp_path: Path, name: str) -> None:
    make, target = TABLES[name]
    pd.DataFrame(make()).to_csv(tmp_path / f"{name}.csv", index=False)
    check_that_the_command_line_agrees(inside, tmp_path / f"{name}.csv", target)


def test_a_path_is_read_as_init_reads_it() -> None:
    from_path, from_table = quick_fit(HOUSES, "price"), quick_fit(pd.read_csv(HOUSES), "price")
    rows = pd.read_csv(HOUSES).head(20)
    np.testing.assert_array_equal(from_path.predict(rows), from_table.predict(rows))
    assert "houses.csv" in from_path.config_text
    assert "nnfs_cli.fit" in from_table.config_text


def test_tables_of_any_library_give_the_same_net() -> None:
    columns = {name: values.tolist() for name, values in grades().items()}
    tables = [pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns), columns]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    first, *others = [quick_fit(table, "grade").predict_proba(columns) for table in [*tables, rows]]
    for other in others:
        np.testing.assert_array_equal(first, other)


# What was found out


def test_each_choice_has_a_sentence(buyers: NetClassifier) -> None:
    assert str(buyers.findings[0]) == "'bought' calls for binary classification: it holds 'no' and 'yes'"
    left_out = {name: str(one) for name, one in about(buyers.findings, "left_out").items()}
    assert left_out == {
        "id": "'id' is left out, since it numbers the rows",
        "town_name": "'town_name' is left out, since it repeats 'town'",
        "same": "'same' is left out, since it is always 3",
        "code": "'code' is left out, since it leaks the target: it has exactly one value for each class",
    }
    assert "imputed" in about(buyers.findings, "missing")["age"].message
    assert remedy(about(buyers.findings, "time")["joined"]) == "split={'test': 0.2, 'time': 'joined'}"


def test_a_remedy_can_be_given_to_fit(buyers: NetClassifier) -> None:
    estimator = quick_fit(people(), "bought", split={"test": 0.2, "time": "joined"})
    assert not about(estimator.findings, "time")
    assert estimator.config_.split.time == "joined"


def test_rows_of_one_owner_stay_in_one_split() -> None:
    estimator = quick_fit(visits(), "pressure")
    assert "(it determines" in about(estimator.findings, "grouped")["patient_id"].message
    assert "patient_id" not in estimator.feature_names_in_
    dataset = estimator.config_.dataset.of(visits())  # type: ignore[attr-defined]
    loaded = load_data(estimator.config_.model_copy(update={"dataset": dataset}))
    owners = {split: {*np.asarray(visits()["patient_id"])[rows]} for split, rows in loaded.rows.items()}
    assert owners["test"]
    assert not owners["test"] & owners["train"]
    at_random = quick_fit(visits(), "pressure", split={"test": 0.2})
    assert remedy(about(at_random.findings, "group")["patient_id"]) == "split={'group': 'patient_id'}"


def test_findings_are_shown_with_their_remedies_and_escaped() -> None:
    found = Findings(
        [Finding("leak", "<b>", "leaks", Suggestion("drop", ("drop",), ("<b>",))), Finding("rows", None, "are few")]
    )
    assert str(found) == "- '<b>' leaks\n    drop=['<b>']\n- are few"
    assert repr(found) == str(found)
    assert "<b>" not in found._repr_html_()
    assert str(Findings()) == "no findings"
    owner = Finding("group", "who", "names the owner", Suggestion("split", ("split", "group"), "who"))
    assert remedy(owner) == "split={'group': 'who'}"
    assert max(map(len, str(Findings([Finding("leak", "x", "leaks the target " * 20)])).splitlines())) <= 80


def test_the_text_of_the_config_is_the_whole_config_but_for_the_rows() -> None:
    columns = people()
    estimator = nnfs_cli.fit(columns, "bought", epochs=5)
    proposed = yaml.safe_load(estimator.config_text)
    dataset = InMemory(**proposed.pop("dataset")["table"]).of(columns)
    again = config_from({**proposed, "epochs": 5, "engine": estimator.config_.engine, "dataset": dataset})
    expected, found = (one.model_dump(mode="json") for one in (again, estimator.config_))
    assert expected == found


# What a person reads first


def test_the_summary_has_figures_and_simple_models_on_the_same_rows(buyers: NetClassifier) -> None:
    columns, summary = people(), buyers.summary()
    dataset = buyers.config_.dataset.of(columns)  # type: ignore[attr-defined]
    rows = load_data(buyers.config_.model_copy(update={"dataset": dataset})).rows
    truth = np.asarray(columns["bought"])
    dummy = DummyClassifier().fit(rows["train"][:, None], truth[rows["train"]])
    expected = {
        "log_loss": log_loss(truth[rows["test"]], dummy.predict_proba(rows["test"][:, None])),
        "accuracy": accuracy_score(truth[rows["test"]], dummy.predict(rows["test"][:, None])),
        "roc_auc": 0.5,
    }
    assert list(summary.comparison) == ["test"]
    assert list(summary.comparison["test"]) == ["net", "constant", "linear"]
    assert summary.comparison["test"]["constant"] == pytest.approx(expected)
    net = accuracy_score(truth[rows["test"]], buyers.predict(pd.DataFrame(columns).iloc[rows["test"]]))
    assert summary.comparison["test"]["net"]["accuracy"] == pytest.approx(net)
    text = str(summary)
    assert text.startswith("NetClassifier for 'bought'\ndata        120 rows: 96 to train, 24 to test\n")
    assert "left out    'id', 'same', 'town_name' and 'code'" in text
    assert repr(buyers) == text
    html = buyers._repr_mimebundle_()["text/html"]
    assert "test rows" in html
    assert "roc_auc" in html


def test_an_estimator_that_was_fitted_otherwise_has_no_findings_but_a_summary(buyers: NetClassifier) -> None:
    columns = grades()
    X = np.stack([columns["x"], columns["y"]], axis=1)
    estimator = NetClassifier(layers=["linear: 4", "relu"], epochs=2).fit(X, columns["grade"])
    assert str(estimator.summary()).startswith("NetClassifier for 'y'\ndata        90 rows: 90 to train")
    assert repr(estimator) == "NetClassifier(epochs=2, layers=['linear: 4', 'relu'])"
    assert not hasattr(estimator, "findings")
    assert repr(clone(buyers)).startswith("NetClassifier(")
    again = pickle.loads(pickle.dumps(buyers))  # noqa: S301 - its own bytes
    assert again.findings == buyers.findings
    table = pd.DataFrame(people())
    assert not hasattr(again.fit(table[["age", "town", "joined"]], table["bought"]), "findings")


# Predictions


def test_inputs_are_found_by_name_in_any_order_and_other_columns_are_ignored(buyers: NetClassifier) -> None:
    table = pd.DataFrame(people(seed=5))
    expected = buyers.predict_proba(table)
    assert list(buyers.feature_names_in_) == ["age", "town", "joined"]
    np.testing.assert_array_equal(buyers.predict_proba(table[["joined", "town", "age"]]), expected)
    np.testing.assert_array_equal(buyers.predict_proba(pl.DataFrame(people(seed=5))), expected)
    assert {*buyers.predict(table)} <= {"yes", "no"}
    with pytest.raises(UserError, match="X lacks 1 column: 'town'"):
        buyers.predict(table.drop(columns="town"))


def test_a_copy_of_the_estimator_trains_the_same_kind_of_net(buyers: NetClassifier) -> None:
    table = pd.DataFrame(people())
    again = clone(buyers).fit(table[["age", "town", "joined"]], table["bought"])
    assert again.config_.layers == buyers.config_.layers


@pytest.mark.parametrize("name", ["a: b", "[x", "{y}", "- z", "null", "1", "#", "'", "two\nlines", " spaces ", "Größe"])
def test_a_column_may_have_any_name(name: str) -> None:
    owner = f"{name} patient_id"
    columns = {
        owner: visits()["patient_id"],
        name: np.arange(240) * 7 % 11,
        "x: y": visits()["weight"],
        "target [kg]": visits()["pressure"],
    }
    columns |= {"note: id": list(range(240)), "sex": visits()["sex"]}
    estimator = quick_fit(columns, "target [kg]")
    assert estimator.config_.split.column_by_key == {"group": owner}
    assert about(estimator.findings, "left_out").keys() == {"note: id"}
    assert len(estimator.predict(columns)) == 240
    again = quick_fit(columns, "target [kg]", drop=["note: id"], split={"test": 0.2, "group": owner})
    np.testing.assert_array_equal(again.predict(columns), estimator.predict(columns))


def test_a_net_of_an_array_takes_arrays() -> None:
    X = np.stack([grades()["x"], grades()["y"]], axis=1)
    estimator = quick_fit(np.column_stack([X, grades()["grade"]]), "x2")
    assert estimator.predict(X).shape == (90,)  # without a warning about names
    assert estimator.predict([[0.5, 0.5]]).tolist()[0] in (0, 1, 2)


# What the user settles


def test_settings_override_what_is_proposed() -> None:
    estimator = quick_fit(
        grades(),
        "grade",
        epochs=8,
        drop="flag",
        loss="mse",
        layers=["linear: 4", "relu"],
        split={"test": 0.3},
        random_state=5,
    )
    assert isinstance(estimator, NetRegressor)
    assert list(estimator.feature_names_in_) == ["x", "y"]
    assert estimator.metrics_["test"]["rows"] == 27
    assert {"rmse", "r2"} <= {*estimator.metrics_["test"]}
    assert estimator.config_.seed == 5
    assert [layer.name for layer in estimator.config_.layers] == ["linear", "relu", "linear"]
    assert str(estimator.findings[0]) == "'grade' is learned by regression, since the loss is mse"
    assert not about(estimator.findings, "left_out")


def test_a_regression_can_become_a_classification() -> None:
    columns = {"x": grades()["x"], "count": grades()["grade"] + 1}
    assert isinstance(quick_fit(columns, "count"), NetRegressor)
    estimator = quick_fit(columns, "count", loss="cross_entropy", layers=["linear: 4", "relu"])
    assert isinstance(estimator, NetClassifier)
    assert estimator.predict_proba(columns).shape == (90, 3)


def test_a_skewed_target_is_learned_by_its_logarithm_and_given_in_its_own_units() -> None:
    estimator = quick_fit(prices(), "price", epochs=60)
    assert [step.name for step in estimator.config_.preprocessing.target or ()] == ["clamp", "log1p", "standardize"]
    errors = np.log(estimator.predict(prices()) / prices()["price"])
    assert np.median(np.abs(errors)) < 0.3  # the logarithm of a price has a standard deviation of 1.3


def test_a_column_of_weights_is_no_input_and_counts() -> None:
    columns = {**grades(), "w": np.where(np.arange(90) < 80, 1.0, 0.0)}
    estimator = quick_fit(columns, "grade", weight="w")
    assert "w" not in estimator.feature_names_in_
    assert sum(estimator.result_.data["rows"].values()) == 80
    assert "weight: w" in estimator.config_text


# Errors


def without(columns: Columns, *names: str) -> Columns:
    return {name: values for name, values in columns.items() if name not in names}


@pytest.mark.parametrize(
    ("table", "target", "more", "message"),
    [
        (people(), "bougt", {}, "the table has no column 'bougt'; did you mean 'bought'?"),
        (people(), "bought", {"drop": ["twon"]}, "the table has no column 'twon'; did you mean 'town'?"),
        (people(), "bought", {"weight": "wheight"}, "the table has no column 'wheight'"),
        (people(), "age", {}, "the target 'age' is empty, as in"),
        (people(), "joined", {}, "the target 'joined' holds dates"),
        (people(1), "bought", {}, "the table has 1 row; training needs at least two"),
        ({"y": [1.5, 2.5, 3.5] * 5}, "y", {}, "the table has no usable input: it has no other column"),
        ({"x": [1] * 20, "y": list(range(20))}, "y", {}, "the table has no usable input: 'x' is always 1"),
        (pd.DataFrame({"x": [], "y": []}), "y", {}, "the table has no rows"),
        (7, "y", {}, "the table should be a pandas, polars or pyarrow table"),
        (people(), people()["bought"], {}, "target should be the name of a column, as a text, found ndarray"),
        (people(), "", {}, "target should be the name of a column, as a text, found an empty one"),
        ("nowhere.csv", "y", {}, "there is no file nowhere.csv"),
    ],
)  # fmt: skip
def test_an_unusable_table_is_one_sentence(table: Any, target: Any, more: Columns, message: str) -> None:
    with pytest.raises(DataError) as caught:
        quick_fit(table, target, **more)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"epoch": 3}, "there is no key 'epoch'; did you mean 'epochs'?"),
        ({"loss": "crossentropy"}, "did you mean 'cross_entropy'?"),
        ({"layers": ["linear: 3"], "loss": "crossentropy"}, "did you mean 'cross_entropy'?"),
        ({"layers": ["linear: 3", "rleu"]}, "did you mean 'relu'?"),
        ({"epochs": 0}, "epochs: "),
        ({"random_state": -1}, "random_state: "),
        ({"dataset": "iris"}, "fit trains on its table; leave out dataset"),
        ({"drop": ["grade"]}, "'grade' is the target and is in drop"),
    ],
)
def test_a_wrong_setting_is_an_error_of_the_config(more: Columns, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        quick_fit(grades(), "grade", **more)
    assert message in str(caught.value)


CELLS = st.sampled_from(["a", "b", "NA", "", None, 0, 1, 2.5, -3, True, float("nan"), float("inf"), "1", "2025-01-31"])
COLUMN = st.one_of(
    st.lists(CELLS, min_size=18, max_size=18),
    st.lists(st.floats(-1e6, 1e6), min_size=18, max_size=18),
    st.lists(st.sampled_from(["x", "y"]), min_size=18, max_size=18),
)


TABLE = st.dictionaries(st.text(min_size=1, max_size=5), COLUMN, min_size=2, max_size=4)


def check_that_it_is_learned_or_refused(columns: Mapping[str, list[Any]]) -> None:
    """Train on columns, of which the first is the target; an error must be one of the tool's own."""
    target = next(iter(columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nnfs_cli.NnfsWarning)
        try:
            estimator = nnfs_cli.fit(columns, target, epochs=1, members=1)
        except NnfsError:
            return
    assert len(estimator.predict(columns)) == 18
    inputs = {*columns} - {target, *estimator.config_.dataset.dropped_columns(), *estimator.config_.split.columns}
    assert {*estimator.feature_names_in_} == inputs
    assert str(estimator.summary())
    assert estimator.findings[0].what == "task"


@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck), derandomize=True)
@given(TABLE)
def test_any_table_is_learned_or_refused_with_a_reason(columns: Mapping[str, list[Any]]) -> None:
    check_that_it_is_learned_or_refused(columns)


@pytest.mark.slow
@settings(deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(TABLE)
def test_any_of_many_tables_is_learned_or_refused_with_a_reason(columns: Mapping[str, list[Any]]) -> None:
    check_that_it_is_learned_or_refused(columns)


# Parameters


class Counting(nnfs_cli.Callback):
    """A callback of one's own, which counts logged epochs."""

    rows = 0

    def on_log(self, training: Any, row: Any) -> None:
        self.rows += 1


def test_own_callbacks_watch_the_training() -> None:
    own = Counting()
    fitted = quick_fit(grades(), "grade", callbacks=[own, {"stop_at": 0.0001}])
    assert own.rows == len(fitted.history_)
    assert [callback.name for callback in fitted.config_.callbacks] == ["stop_at"]


def test_a_clone_is_an_estimator_for_any_table() -> None:
    fitted = quick_fit(people(), "bought", drop="code")
    given = {"random_state": 0, **QUICK}
    assert clone(fitted).get_params() == NetClassifier(**given).get_params()
    X, y = np.random.default_rng(0).normal(size=(300, 3)), np.arange(300) % 3
    again = clone(fitted).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), NetClassifier(**given).fit(X, y).predict_proba(X))


def test_class_weights_of_a_config_are_the_parameter_of_the_estimator() -> None:
    assert quick_fit(people(), "bought", class_weights="balanced").class_weight == "balanced"


def test_the_number_of_a_column_of_pandas_names_the_target() -> None:
    frame = pd.DataFrame(np.column_stack([grades()["x"], grades()["y"], grades()["grade"]]))
    by_number, by_text = quick_fit(frame, 2), quick_fit(frame, "2")
    np.testing.assert_array_equal(by_number.predict(frame), by_text.predict(frame))
    with pytest.raises(DataError, match="should be the name of a column, as a text, found int"):
        quick_fit(frame, 3)


def test_names_of_inputs_are_in_the_order_of_the_table() -> None:
    fitted = quick_fit(visits(), "pressure")
    assert fitted.feature_names_in_.tolist() == ["weight", "sex", "dose"]
    table = pd.DataFrame(visits())
    np.testing.assert_array_equal(fitted.predict(table[["dose", "sex", "weight"]]), fitted.predict(table))


def test_a_net_for_two_classes_with_two_outputs_is_kept() -> None:
    fitted = quick_fit(people(), "bought", layers=["linear: 4", "relu", "linear: 2"])
    assert [layer.name for layer in fitted.config_.layers] == ["linear", "relu", "linear"]
    assert fitted.config_.loss.name == "cross_entropy"


def test_a_tiny_table_has_no_advice_to_change_what_the_preset_chose() -> None:
    tiny = {"x": np.arange(10.0), "y": [0, 1] * 5}
    with pytest.warns(nnfs_cli.NnfsWarning) as caught:
        fitted = nnfs_cli.fit(tiny, "y", epochs=1)
    assert not [warning for warning in caught if "averages over" in str(warning.message)]
    (rare,) = [finding for finding in fitted.findings if finding.what == "rare"]
    assert str(rare) == "'y' has 2 rare classes: '0' (5 to train) and '1' (5 to train)"
    with pytest.warns(nnfs_cli.NnfsWarning, match="may overfit"):
        nnfs_cli.fit(tiny, "y", epochs=1, layers=["linear: 8", "relu"])
