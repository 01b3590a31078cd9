"""Training and cross-validation from Python give what `nnfs train` and `nnfs cv` give."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli import (
    Adam,
    Callback,
    Config,
    ConfigError,
    DataError,
    EarlyStopping,
    Linear,
    NetRegressor,
    ReLU,
    Run,
    StopAt,
    UserError,
    cross_validate,
    train,
)
from nnfs_cli.api.settings import plain
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import CONFIGS, Nnfs, weights_of
from tests.display.markup import parsed, texts

pytestmark = pytest.mark.filterwarnings("ignore:the net has")

FLOWERS = CONFIGS / "examples" / "flowers.csv"
SETTINGS: dict[str, Any] = {
    "layers": [{"linear": 8}, "relu", {"linear": 3}, "softmax"],
    "loss": "cross_entropy",
    "preprocessing": {"numbers": "standardize"},
    "epochs": 2,
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a config file for the flowers."""
    target = pd.read_csv(FLOWERS).columns[-1]
    path = tmp_path / "flowers.yaml"
    path.write_text(yaml.safe_dump({**SETTINGS, "dataset": {"csv": {"path": str(FLOWERS), "target": target}}}))
    return path


def best(run: Run) -> dict[str, Any]:
    return {name: array.tobytes() for name, array in weights_of(RunDirectory(run.path), "best").items()}


def test_every_way_to_give_a_config_trains_the_net_of_the_command(config: Path, tmp_path: Path, inside: Nnfs) -> None:
    assert inside("train", config, "--runs", tmp_path / "runs", "--set", "lr=0.05").returncode == 0
    expected = best(Run.newest(tmp_path / "runs"))
    text = yaml.safe_load(config.read_text())
    layers = [Linear(8), ReLU(), "linear: 3", "softmax"]
    ways: dict[str, Any] = {
        "path": train(config, folder=tmp_path / "a", lr=0.05),
        "text": train(str(config), folder=tmp_path / "a", lr=0.05),
        "dict": train({**text, "lr": 0.05}, folder=tmp_path / "a"),
        "objects": train({**text, "layers": layers, "lr": np.float64(0.05)}, folder=tmp_path / "a"),
        "config": train(Config.load(config), folder=tmp_path / "a", lr=0.05),
        "config as it is": train(Config.load(config, ["lr=0.05"]), folder=tmp_path / "a"),
        "table": train(config, pd.read_csv(FLOWERS), folder=tmp_path / "a", lr=0.05),
        "polars": train(config, pl.read_csv(FLOWERS), folder=tmp_path / "a", lr=0.05),
        "another file": train(config, FLOWERS, folder=tmp_path / "a", lr=0.05),
    }
    assert {way: best(run) == expected for way, run in ways.items()} == dict.fromkeys(ways, True)
    assert ways["path"].path == tmp_path / "a" / "flowers-1"
    assert (ways["path"].path / "config.yaml").read_bytes() == config.read_bytes()
    assert ways["dict"].path == tmp_path / "a" / "run-1"
    assert not (ways["dict"].path / "config.yaml").exists()


def test_a_table_takes_the_place_of_a_file_that_need_not_exist(config: Path, tmp_path: Path) -> None:
    table = pd.read_csv(FLOWERS)
    moved = config.read_text().replace(str(FLOWERS), "nowhere/flowers.csv")
    config.write_text(moved)
    run = train(config, table, folder=tmp_path)
    assert run.config.dataset.target_columns() == (table.columns[-1],)
    assert len(run.predict(table)) == len(table)
    with pytest.raises(ConfigError, match=r"there is no file .*nowhere"):
        train(config, folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["flowers-1"]


def test_the_preset_looks_at_the_table(tmp_path: Path) -> None:
    table = {"x": np.arange(60.0), "city": ["Rome", "Oslo", None] * 20, "y": ["a", "b"] * 30}
    run = train({"dataset": {"table": {"target": "y", "drop": ["city"]}}}, table, folder=tmp_path, epochs=6)
    assert run.config.preset is not None
    assert run.config.preset.name == "tabular"
    assert run.config.loss.name == "binary_cross_entropy"
    assert [one["name"] for one in json.loads((run.path / "data.json").read_text())["inputs"]] == ["x"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, r"^epoch: error: there is no key 'epoch'; did you mean 'epochs'\?$"),
        ({"lr": "fast"}, r"^lr: error: "),
        ({"layers": ["linear: x"]}, r"^layers: error: "),
        ({"layers": [Linear(2)], "loss": "mse", "epochs": 0}, r"epochs: error: "),
    ],
)
def test_a_wrong_setting_is_named_as_it_was_given(config: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train(config, **settings)


def test_a_config_without_a_data_set_needs_a_target() -> None:
    with pytest.raises(ConfigError, match=r"names the target, as in dataset=\{'table': 'price'\}"):
        train(SETTINGS, {"x": [1, 2]})
    with pytest.raises(ConfigError, match="the key 'dataset' is missing"):
        train(SETTINGS)
    with pytest.raises(ConfigError, match="there is no such file"):
        train("flowers.yaml")
    with pytest.raises((ConfigError, DataError), match="'price'"):
        train({**SETTINGS, "dataset": {"table": "price"}}, {"x": [1, 2]})


@given(st.text(min_size=1, max_size=20))
def test_the_name_of_a_column_is_never_read_as_yaml(name: str) -> None:
    given = {"table": {"target": name, "drop": [name], "weight": name}}
    assert plain(given, "dataset") == {"table": {"target": name, "drop": (name,), "weight": name}}
    assert plain({"columns": {name: "standardize"}}, "preprocessing") == {"columns": {name: "standardize"}}


def test_an_interrupted_training_keeps_what_was_learned(config: Path, tmp_path: Path) -> None:
    class CtrlC(Callback):
        def on_log(self, training: Any, row: Any) -> None:
            if training.progress.epoch == 2:
                os.kill(os.getpid(), signal.SIGINT)

    whole = train(config, folder=tmp_path, epochs=4)
    with pytest.raises(KeyboardInterrupt, match=r"Run\.open\('.*flowers-2'\)\.resume\(\) continues"):
        train(config, folder=tmp_path, epochs=4, callbacks=[CtrlC()])
    run = Run.open(tmp_path / "flowers-2")
    assert run.status == "interrupted"
    assert "interrupted" in repr(run)
    parsed(run._repr_html_())
    assert best(run.resume()) == best(whole)
    assert run.status == "finished"


def test_callbacks_that_a_config_can_hold_are_recorded_in_it(config: Path, tmp_path: Path) -> None:
    class Count(Callback):
        def __init__(self) -> None:
            self.rows: list[float] = []

        def on_log(self, training: Any, row: Any) -> None:
            self.rows.append(row["train_loss"])

    own, estimators = Count(), Count()
    run = train(config, folder=tmp_path, callbacks=[own, EarlyStopping(3), "stop_at: 0.0001"], epochs=4)
    assert own.rows == run.history["train_loss"].tolist()
    assert (run.config.early_stopping, run.config.callbacks) == (
        EarlyStopping(3, monitor="val_loss", mode="min"),
        (StopAt(0.0001, monitor="val_loss", mode="min"),),
    )
    run.resume(6, callbacks=[own])
    assert own.rows == run.history["train_loss"].tolist()
    X, y = np.arange(20.0)[:, None], np.arange(20.0)
    NetRegressor(layers=["linear: 1"], epochs=3, callbacks=[estimators, EarlyStopping(2)]).fit(X, y)
    assert len(estimators.rows) == 3
    with pytest.raises(ConfigError, match="early_stopping: a resumed run keeps its config"):
        run.resume(7, callbacks=[EarlyStopping(3)])


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([Callback], r"callbacks\.0: Callback is a class; write Callback\(\.\.\.\)"),
        (Callback, "callbacks: expected a list of callbacks, found the class Callback"),
        ([3], r"callbacks\.0: expected the name of a callback, found 3"),
        ([EarlyStopping(1), EarlyStopping(2)], "early_stopping: give it either as a setting or among the callbacks"),
    ],
)
def test_what_is_no_callback_is_refused(config: Path, callbacks: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        train(config, callbacks=callbacks)


def test_progress_is_shown_only_if_it_is_wanted(config: Path, tmp_path: Path, capsys: Any) -> None:
    run = train(config, folder=tmp_path)
    run.resume(3)
    cross_validate(config, folds=2)
    assert tuple(capsys.readouterr()) == ("", "")
    train(config, folder=tmp_path, verbose=True)
    assert "val_loss" in capsys.readouterr().err
    cross_validate(config, folds=2, verbose=True)
    assert "fold 2 of 2" in capsys.readouterr().err


def test_a_cross_validation_is_that_of_the_command(config: Path, tmp_path: Path, inside: Nnfs) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(config.read_text() + "lr: 0.3\n")
    words = ["--folds", "3", "--repeats", "2", "--output", tmp_path / "cv.csv"]
    done = inside("cv", config, other, *words)
    assert done.returncode == 0, done.stderr
    found = cross_validate({"flowers": config, "other": other}, folds=3, repeats=2)
    assert done.stdout.strip() == repr(found).partition("\n\n")[2]
    assert repr(found).startswith("150 rows in 3 folds, 2 times")
    assert texts(found._repr_html_(), "th").count("95 % interval") == 3
    predictions = pd.read_csv(tmp_path / "cv.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(found.predictions.to_pandas(), predictions, check_dtype=False)
    configs = {"flowers": config, "other": yaml.safe_load(other.read_text())}
    again = cross_validate(configs, pd.read_csv(FLOWERS), folds=3)
    for name in found.figures["other"]:
        np.testing.assert_array_equal(again.figures["other"][name], found.figures["other"][name][:3])


def test_a_single_config_is_called_by_its_name(config: Path) -> None:
    assert [*cross_validate(config, folds=2).figures] == ["flowers"]
    table, target = pd.read_csv(FLOWERS), pd.read_csv(FLOWERS).columns[-1]
    settings = {**SETTINGS, "dataset": {"table": target}, "optimizer": Adam()}
    assert [*cross_validate(settings, table, folds=2, epochs=1).figures] == ["run"]
    with pytest.raises(UserError, match="2 folds or more"):
        cross_validate(config, folds=1)


def test_a_cross_validation_writes_nothing(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cross_validate(config, folds=2)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_config_may_hold_callbacks_of_any_kind(tmp_path: Path) -> None:
    epochs: list[int] = []

    class Seen(Callback):
        def on_log(self, training: Any, row: Any) -> None:
            epochs.append(training.progress.epoch)

    settings: dict[str, Any] = {"dataset": "iris", "layers": ["linear: 3"], "loss": "cross_entropy"}
    settings |= {"epochs": 50, "lr": 9}
    for stopping in (EarlyStopping(2), "early_stopping: 2", {"early_stopping": {"patience": 2}}):
        epochs.clear()
        run = train({**settings, "callbacks": [stopping, Seen()]}, folder=tmp_path)
        assert run.config.early_stopping is not None
        assert run.config.early_stopping.patience == 2
        assert [*run.history["epoch"]] == epochs
    with pytest.raises(ConfigError, match="there is no callback 'early_stoping'"):
        train({**settings, "callbacks": ["early_stoping: 2"]}, folder=tmp_path)
    with pytest.raises(ConfigError, match=r"callbacks\.0: must be greater than 0, found 0"):
        train(settings, folder=tmp_path, callbacks=["early_stopping: 0"])
