"""Estimators and the command line: what one saves, the other uses, with the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnfs_cli import ConfigError, NetClassifier, NetRegressor, RunError, workflows
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, one_message

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")

CONFIGS = {
    "classes": (
        NetClassifier,
        "fate",
        """
        dataset: {csv: {path: rows.csv, target: fate, drop: [price]}}
        layers: [{linear: 8}, relu, {linear: 1}, sigmoid]
        loss: binary_cross_entropy
        preprocessing: {numbers: [impute, standardize], categories: one_hot}
        class_weights: {sold: 2}
        epochs: 3
        """,
    ),
    "numbers": (
        NetRegressor,
        "price",
        """
        dataset: {csv: {path: rows.csv, target: price, drop: [fate]}}
        layers: [{linear: 4}, tanh, {linear: 1}]
        loss: mse
        preprocessing: {numbers: [impute, standardize], categories: one_hot}
        split: {test: 0.2}
        epochs: 3
        seed: 7
        """,
    ),
    "preset": (
        NetRegressor,
        "price",
        """
        dataset: {csv: {path: rows.csv, target: price, drop: [fate]}}
        epochs: 2
        """,
    ),
}
INPUTS = ["age", "rooms", "town"]


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age, rooms = rng.normal(50, 10, 200).round(2), rng.integers(1, 6, 200)
    age[3:9] = np.nan
    table = pd.DataFrame({"age": age, "rooms": rooms, "town": rng.choice(["Aa", "Bb", "Cc"], 200)})
    fate = np.where((rooms > 2) ^ (table["town"] == "Aa"), "sold", "kept")
    return table.assign(fate=fate, price=rooms * 2.5 + rng.normal(size=200).round(2))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the file rows.csv and the configs, as the working directory."""
    rows().to_csv(tmp_path / "rows.csv", index=False)
    for name, (_, _, text) in CONFIGS.items():
        (tmp_path / f"{name}.yaml").write_text("\n".join(map(str.strip, text.splitlines())), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_of(name: str) -> RunDirectory:
    experiment = workflows.prepare(workflows.load(f"{name}.yaml"))
    run = workflows.begin(experiment, "runs")
    workflows.train(experiment, run)
    run.release()
    return run


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", CONFIGS)
def test_an_estimator_learns_the_same_bytes_from_a_table_as_the_command_line_from_the_file(name: str) -> None:
    estimator, target, _ = CONFIGS[name]
    table, run = rows(), run_of(name)
    net = estimator.from_config(f"{name}.yaml").fit(table[INPUTS], table[target])
    with np.load(run.path / "weights" / "best.npz") as weights:
        assert set(weights) == set(net.result_.weights)
        assert all(weights[key].tobytes() == array.tobytes() for key, array in net.result_.weights.items())
    of_file = workflows.predict(run, Path("rows.csv"))
    assert net.predict(table[INPUTS]).tolist() == list(of_file["prediction"])
    if estimator is NetClassifier:
        assert net.predict_proba(table[INPUTS])[:, 1].tobytes() == of_file["probability_sold"].tobytes()
    assert net.metrics_ == run.metrics()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_of_the_command_line_is_loaded_and_can_be_learned_again(name: str) -> None:
    estimator, target, _ = CONFIGS[name]
    table, run = rows(), run_of(name)
    net = estimator.load(run.path)
    shuffled = table[["price", "town", "age", "fate", "rooms"]]
    of_file = list(workflows.predict(run, Path("rows.csv"))["prediction"])
    assert net.predict(shuffled).tolist() == of_file
    assert net.history_["epoch"].tolist() == [row["epoch"] for row in run.epochs()]
    with pytest.raises(ValueError, match="X lacks 1 column: 'town'"):
        net.predict(table[["age", "rooms"]])
    assert net.fit(table[INPUTS], table[target]).predict(table[INPUTS]).tolist() == of_file
    with pytest.raises(ValueError, match="feature names should match"):  # it is fitted on a table now
        net.predict(shuffled)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_saved_estimator_predicts_the_same_bytes_everywhere(name: str, folder: Path, inside: Nnfs) -> None:
    estimator, target, _ = CONFIGS[name]
    table = rows()
    net = estimator.from_config(folder / f"{name}.yaml").fit(table[INPUTS], table[target])
    run = net.save(folder / "saved")
    loaded = estimator.load("saved")
    assert loaded.predict(table).tolist() == net.predict(table[INPUTS]).tolist()
    assert loaded.metrics_ == net.metrics_
    assert loaded.get_params() == estimator.load(run).get_params()
    done = inside("predict", "--run", "saved", "--input", "rows.csv", "--output", "out.csv", "--interval", "0.8")
    assert done.returncode == 0, done.stderr
    written = pd.read_csv("out.csv")
    if estimator is NetClassifier:
        sets = net.predict_set(table[INPUTS], level=0.8)
        named = ["|".join(np.array(net.classes_)[inside]) for inside in sets]
        assert (written["set"].tolist(), written["prediction"].tolist()) == (
            named,
            net.predict(table[INPUTS]).tolist(),
        )
    else:
        low, high = net.predict_interval(table[INPUTS], level=0.8).T
        assert written["lower"].to_numpy(low.dtype).tobytes() == low.tobytes()
        assert written["upper"].to_numpy(high.dtype).tobytes() == high.tobytes()
    evaluated = inside("evaluate", "saved", "--input", "rows.csv")
    assert evaluated.returncode == 0, evaluated.stderr


def test_what_needs_the_rows_of_a_saved_estimator_says_that_they_are_not_kept(folder: Path, inside: Nnfs) -> None:
    table = rows()
    NetRegressor(layers=["linear: 2"], epochs=1, split=0.2).fit(table[INPUTS], table["price"]).save(folder / "saved")
    for command in ("verify", "evaluate"):
        assert "a table given in Python" in one_message(inside(command, "saved"), 2)
    assert "`save` of an estimator" in one_message(inside("resume", "saved"), 2)
    (folder / "table.yaml").write_text("dataset: {table: price}\nlayers: [{linear: 1}]\nloss: mse\nepochs: 1\n")
    assert "a table given in Python" in one_message(inside("train", "table.yaml"), 2)


@pytest.mark.usefixtures("folder")
def test_an_estimator_of_an_array_is_loaded_for_arrays() -> None:
    X, y = rows()[["age", "rooms"]].to_numpy(), rows()["price"].to_numpy()
    net = NetRegressor(layers=["linear: 2"], epochs=1).fit(X, y)
    net.save("saved")
    loaded = NetRegressor.load("saved")
    assert not hasattr(loaded, "feature_names_in_")
    assert loaded.predict(X).tobytes() == net.predict(X).tobytes()


@pytest.mark.usefixtures("folder")
def test_several_targets_and_rows_that_validate_survive_saving() -> None:
    table = rows()
    targets = table.assign(half=table["price"] / 2)[["price", "half"]]
    net = NetRegressor(layers=["linear: 2"], epochs=2)
    net.fit(table[INPUTS], targets, np.ones(200), validation_data=(table[INPUTS][:50], targets[:50]))
    net.save("saved")
    loaded = NetRegressor.load("saved")
    assert loaded.predict(table).tobytes() == net.predict(table[INPUTS]).tobytes()
    assert loaded.predict_interval(table, 0.8).shape == (200, 2, 2)
    loaded.fit(table[INPUTS], targets)  # without the column that marked the validation rows


@pytest.mark.usefixtures("folder")
def test_a_threshold_that_was_chosen_on_the_command_line_decides_here_too(inside: Nnfs) -> None:
    run = run_of("classes")
    before = NetClassifier.load(run.path).predict(rows())
    assert inside("decide", run.path, "--threshold", "0.01").returncode == 0
    net = NetClassifier.load(run.path)
    assert (net.predict(rows()) == "sold").all()
    assert not (before == "sold").all()
    net.save("copy")
    assert (NetClassifier.load("copy").predict(rows()) == "sold").all()


@pytest.mark.usefixtures("folder")
def test_a_run_of_the_other_kind_or_none_is_not_loaded() -> None:
    run = run_of("classes")
    with pytest.raises(RunError, match=r"predicts classes; load it with NetClassifier\.load"):
        NetRegressor.load(run.path)
    with pytest.raises(RunError, match="nowhere"):
        NetClassifier.load("nowhere")
    net = NetClassifier.load(run.path)
    with pytest.raises(RunError, match="exists already"):
        net.save(run.path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 3\nlayers: [{linear: 1}]\nloss: mse\n", "no key 'epoch'; did you mean 'epochs'"),
        ("loss: cross_entropy\n", "NetRegressor is not for the loss cross_entropy"),
        ("memory_limit: 2 GB\n", "memory_limit is for files"),
        ("class_weights: balanced\n", "class_weights is for classes"),
    ],
)
def test_a_config_that_is_not_for_the_estimator_is_refused(text: str, message: str, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        NetRegressor.from_config("wrong.yaml")
    with pytest.raises(ConfigError):
        NetRegressor.from_config("nowhere.yaml")


@pytest.mark.usefixtures("folder")
def test_loaded_parameters_are_plain_values() -> None:
    parameters: dict[str, Any] = NetClassifier.load(run_of("classes").path).get_params()
    assert parameters["class_weight"] == {"sold": 2.0}
    assert parameters["random_state"] == 0
    assert parameters["layers"][0] == {"linear": 8}
