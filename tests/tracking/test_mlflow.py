"""MLflow's own client finds every figure of a run, and its pyfunc predicts as the run does."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from nnfs_cli import Run, workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, NnfsWarning
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.tracking import mlflow as module
from nnfs_cli.tracking.base import Ending
from nnfs_cli.tracking.mlflow import MLflow
from nnfs_cli.tracking.mlflow_names import Names, cleaned
from nnfs_cli.workflows.tracking import tracking
from nnfs_cli.workflows.tracking.follower import Follower
from tests.conftest import CONFIGS
from tests.tracking.readers import Figures, figures_of
from tests.tracking.runs import ROWS, no_columns, passed_on, tracked
from tests.tracking.test_tracking import Stop

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MLflowRun

HOSTILE = [
    'a"b/c\\',
    "</script>\n'; drop table runs --",
    "\u00e9\U0001f600",
]  # labels, which are parts of names of figures
CONFIG = """\
name: houses
dataset: {csv: {path: houses.csv, target: label}}
split: {validation: 0.3}
preprocessing: {categories: one_hot, dates: calendar}
layers: [linear: 6, relu, linear: 3]
loss: cross_entropy
metrics: [accuracy, f1: per_class]
epochs: 4
"""

pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow and the packages that it needs


def rows(n: int) -> pd.DataFrame:
    """Rows with whole numbers, words, dates and gaps."""
    i = np.arange(n)
    return pd.DataFrame(
        {
            "size (m2)": 40 + 7 * i % 90,
            'kind "x"': np.array(["old", "new", "it's"])[i % 3],
            "sold": pd.Timestamp("2024-03-01") + pd.to_timedelta(i, "D"),
            "label": np.array(HOSTILE)[(i // 2) % 3],
        }
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of a database of MLflow, which is told to be quick."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
            patch.delenv(name)
        for name, value in module.DEFAULTS.items():
            patch.setenv(name, value)
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        yield tmp_path_factory.mktemp("store") / "mlflow.db"


@pytest.fixture
def tracker(store: Path) -> MLflow:
    """A tracker that writes to the database."""
    return MLflow(f"sqlite:///{store.as_posix()}")


@pytest.fixture
def client(store: Path) -> MlflowClient:
    """A client of MLflow."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{store.as_posix()}")


def runs_in(client: MlflowClient, experiment: str) -> list[MLflowRun]:
    """The runs of an experiment, the newest first."""
    found = client.get_experiment_by_name(experiment)
    return [*client.search_runs([found.experiment_id])] if found else []


def in_mlflow(client: MlflowClient, run: MLflowRun, changed: dict[str, str] | None = None) -> Figures:
    """The figures of epochs that MLflow has for a run, by their names in nnfs."""
    found: Figures = {}
    for key in client.get_run(run.info.run_id).data.metrics:
        if not key.startswith("final/") and key != "epoch":
            for metric in client.get_metric_history(run.info.run_id, key):
                found.setdefault((metric.step, (changed or {}).get(key, key)), []).append(metric.value)
    return found


def test_a_run_that_was_resumed_is_found_whole_and_its_model_predicts(
    tmp_path: Path, tracker: MLflow, client: MlflowClient
) -> None:
    rows(60).to_csv(tmp_path / "houses.csv", index=False)
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    experiment = workflows.prepare(workflows.load(tmp_path / "config.yaml", ["engine=numpy"]))
    run = workflows.begin(experiment, tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        workflows.train(experiment, run, [Stop(2)])
    first = Follower(run.path, tracker)
    assert [first(True), first(True)] == [(True, ""), (False, "")]
    (stopped,) = runs_in(client, "houses")
    assert stopped.info.status == "KILLED"
    assert {epoch for epoch, _ in in_mlflow(client, stopped)} == {1, 2}
    workflows.resume(workflows.reopen(run), run)
    second = Follower(run.path, tracker)
    assert [second(True), second(True)] == [(True, ""), (False, "")]

    (found,) = runs_in(client, "houses")
    assert (found.info.run_id, found.info.run_name, found.info.status) == (stopped.info.run_id, "houses-1", "FINISHED")
    import mlflow

    changed = mlflow.artifacts.load_dict(f"{found.info.artifact_uri}/figures.json")
    assert in_mlflow(client, found, changed) == figures_of(run.epochs())
    assert {f"val_f1_{label}" for label in HOSTILE} <= {*changed.values(), *found.data.metrics}
    assert found.data.params["layers.0.linear.units"] == "6"
    assert found.data.params["epochs"] == "4"
    assert found.data.metrics["final/validation/accuracy"] == run.metrics()["validation"]["accuracy"]
    model = loaded(client, found)
    assert model.metadata.signature.inputs.input_names() == ["size (m2)", 'kind "x"', "sold"]
    new = rows(90).drop(columns="label")
    expected = Run(run.path).predict(new).to_pandas()
    assert [*expected.columns] == model.metadata.signature.outputs.input_names()
    pd.testing.assert_frame_equal(model.predict(new), expected)
    run.path.rename(tmp_path / "elsewhere")  # the model is a copy
    pd.testing.assert_frame_equal(loaded(client, found).predict(new), expected)


def loaded(client: MlflowClient, run: MLflowRun) -> Any:
    """The model of a run."""
    import mlflow

    mlflow.set_tracking_uri(client.tracking_uri)
    return mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")


def test_epochs_that_the_run_has_lost_stay_in_a_run_of_their_own(
    tmp_path: Path, tracker: MLflow, client: MlflowClient
) -> None:  # as when a minimizer, which has no state, begins again
    spec = {"name": "lost"}
    passed_on(tracker, replace(tracked(tmp_path / "x-1"), settings=spec), ROWS)
    again = [{**row, "seconds": row["seconds"] + 1} for row in ROWS]
    passed_on(tracker, replace(tracked(tmp_path / "x-1"), settings=spec), again)
    new, old = sorted(runs_in(client, "lost"), key=lambda run: run.info.status, reverse=True)
    assert (new.info.status, old.info.status) == ("RUNNING", "KILLED")
    assert in_mlflow(client, new) == figures_of(again)
    assert in_mlflow(client, old) == figures_of(ROWS)
    more = [*again, {**again[-1], "epoch": 5}]
    passed_on(tracker, replace(tracked(tmp_path / "x-1", epoch=5), settings=spec), more)
    assert len(runs_in(client, "lost")) == 2
    assert in_mlflow(client, new) == figures_of(more)
    assert in_mlflow(client, old) == figures_of(ROWS)


@pytest.mark.slow
def test_many_figures_and_params_are_written_in_parts(tmp_path: Path, tracker: MLflow, client: MlflowClient) -> None:
    row = {"epoch": 1, "seconds": 1.0, **{f"val_f1_{i}": i / 7 for i in range(1_100)}}
    run = replace(tracked(tmp_path / "x-1"), settings={"name": "many", **{f"k{i}": "v" * 9_000 for i in range(250)}})
    passed_on(MLflow(tracker.uri, experiment="many"), run, [row], ending=Ending("diverged", {}, no_columns))
    (found,) = runs_in(client, "many")
    assert found.data.metrics == row
    assert len(found.data.params) == 251
    assert found.info.status == "FAILED"


def test_names_are_such_that_mlflow_accepts_them_and_are_never_mixed_up() -> None:
    names = Names()
    hostile = ["a/b", "a\\b", "a_b", "..", ".", "", "\n", "x" * 300, "x" * 301, "val_loss", "a b", "\u00e9"]
    given = [names.of(name) for name in hostile]
    assert len({*given}) == len(given)
    assert given == [names.of(name) for name in hostile]
    assert {given: name for given, name in zip(given, hostile, strict=True) if given != name} == names.changed
    from mlflow.utils.validation import _validate_metric_name

    for name in given:
        _validate_metric_name(name)
        _validate_metric_name(f"final/{cleaned('validation')}/{cleaned(name)}")
    assert names.of("val_loss") == "val_loss"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mlflow.db", "expected the URL of a server or a database, such as http://localhost:5000"),
        ("http://ann:sesame@host", "this URL holds a password"),
        ("3", "expected the URL"),
        ("''", "expected the URL"),
    ],
)
def test_a_wrong_url_is_an_error(write: Callable[[str, str], Path], uri: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:7:17: error: ") as caught:
        Config.load(write("config.yaml", IRIS + f"track: {{mlflow: {uri}}}\n"))
    assert message in str(caught.value)
    assert "sesame" not in str(caught.value)


IRIS = """\
name: iris
dataset: iris
layers: [linear: 3]
loss: cross_entropy
engine: numpy
epochs: 3
"""


def test_a_file_of_sqlite_is_found_from_the_folder_of_the_config(
    write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    config = Config.load(write("config.yaml", IRIS + "track: {mlflow: 'sqlite:///a/m.db'}\n"))
    assert config.track == (MLflow(f"sqlite:///{tmp_path.as_posix()}/a/m.db"),)
    assert "uri: sqlite:///../../a/m.db\n" in config.to_yaml(tmp_path / "runs" / "iris-1")
    for uri in ("http://${USER}:${PASSWORD}@host:5000", "databricks", "postgresql://host/db"):
        assert Config.load(write("config.yaml", IRIS + f"track: {{mlflow: '{uri}'}}\n")).track == (MLflow(uri),)


@pytest.mark.slow
def test_a_training_is_tracked_by_a_process(tmp_path: Path, tracker: MLflow, client: MlflowClient) -> None:
    config = workflows.load(CONFIGS / "iris.yaml", ["epochs=3", "name=whole"])
    experiment = workflows.prepare(config.model_copy(update={"track": (tracker,)}))
    run = workflows.begin(experiment, tmp_path / "runs")
    workflows.train(experiment, run)
    (found,) = runs_in(client, "whole")
    assert found.info.status == "FINISHED"
    assert in_mlflow(client, found) == figures_of(run.epochs())


@pytest.mark.slow
@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.filterwarnings("default::nnfs_cli.errors.NnfsWarning")
def test_a_server_that_does_not_answer_fails_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    monkeypatch.setattr(tracking, "PATIENCE", 5.0)
    with socket.socket() as server:  # it refuses connections unless it listens; then it accepts them, and says nothing
        server.bind(("127.0.0.1", 0))
        if silent:
            server.listen(50)
        tracker = MLflow(f"http://127.0.0.1:{server.getsockname()[1]}")
        experiment = workflows.prepare(workflows.load(CONFIGS / "iris.yaml", ["epochs=3"]))
        experiment = replace(experiment, config=experiment.config.model_copy(update={"track": (tracker,)}))
        run = workflows.begin(experiment, tmp_path / "runs")
        began = time.monotonic()
        with pytest.warns(NnfsWarning, match="mlflow does not get everything of .*iris-1: "):
            workflows.train(experiment, run)
        assert time.monotonic() - began < 60
    assert RunDirectory(run.path).status()["state"] == "finished"
