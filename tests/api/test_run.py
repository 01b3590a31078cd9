"""A run in Python gives what the commands give for the same rows, to the byte."""

from __future__ import annotations

import copy
import io
import json
import pickle
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from sklearn.datasets import load_breast_cancer

from nnfs_cli import DataError, Frame, NetClassifier, NetRegressor, Run, RunError, Sequential, UserError, train
from nnfs_cli.data.write_table import writer_for
from nnfs_cli.errors import NnfsWarning
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import CONFIGS, Nnfs, unsealed, weights_of
from tests.data.encoding_helpers import rows
from tests.display.markup import parsed, texts

pytestmark = pytest.mark.filterwarnings("ignore:the net has")

COLUMNS = pa.Table.from_pylist(rows(120))
INPUTS = ["city", "grade", "area", "built", "when", "garden"]
SETTINGS: dict[str, Any] = {
    "preset": None,
    "layers": ["linear: 8", "relu", "linear: 3", "softmax"],
    "loss": "cross_entropy",
    "epochs": 3,
    "optimizer": "adam",
    "lr": 0.03,
    "split": {"validation": 0.3, "test": 0.2},
    "preprocessing": {
        "numbers": ["impute", "standardize"],
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
    },
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the same rows as CSV and Parquet, and a run of each kind of target, trained on the CSV."""
    folder = tmp_path_factory.mktemp("trained")
    table = COLUMNS.select([*INPUTS, "price", "class"])
    pyarrow.csv.write_csv(table, folder / "rows.csv", pyarrow.csv.WriteOptions(quoting_style="needed"))
    pyarrow.parquet.write_table(table, folder / "rows.parquet")
    classes = {"csv": {"path": str(folder / "rows.csv"), "target": "class", "drop": ["price"]}}
    train({**SETTINGS, "dataset": classes, "name": "classes"}, folder=folder / "runs")
    prices = {"csv": {"path": str(folder / "rows.csv"), "target": "price", "drop": ["class"]}}
    layers = ["linear: 8", "relu", "linear: 1"]
    numbers = {**SETTINGS, "dataset": prices, "layers": layers, "loss": "mse"}
    train({**numbers, "name": "prices"}, folder=folder / "runs")
    members = {"members": 2, "holdout": "fold", "split": {"test": 0.2}}
    train({**numbers, "name": "folds", **members}, folder=folder / "runs")
    return folder


def as_csv(frame: Frame) -> bytes:
    file = io.BytesIO()
    with writer_for(".csv", file) as writer:
        writer.write(frame._columns)
    return file.getvalue()


@pytest.mark.parametrize("name", ["classes-1", "prices-1"])
@pytest.mark.parametrize("options", [{}, {"interval": 0.8}, {"weights": "last", "keep": ["grade", "built"]}])
def test_predictions_are_those_of_the_command(
    trained: Path, tmp_path: Path, inside: Nnfs, name: str, options: dict[str, Any]
) -> None:
    words = {"interval": ["--interval", "0.8"], "weights": ["--weights", "last", "--keep", "grade,built"]}
    more = next((words[key] for key in options), [])
    run = Run.open(trained / "runs" / name)
    for suffix in ("csv", "parquet"):
        input, output = trained / f"rows.{suffix}", tmp_path / f"{suffix}.csv"
        done = inside("predict", "--input", input, "--run", run.path, "--output", output, *more)
        assert done.returncode == 0, done.stderr
        assert as_csv(run.predict(input, **options)) == output.read_bytes()
    table = COLUMNS.select([*INPUTS, "price", "class"])
    for given in (table, table.to_pandas(), table.to_pylist(), table.to_pydict()):
        assert as_csv(run.predict(given, **options)) == output.read_bytes()


@pytest.mark.parametrize("on_error", ["skip", "null"])
def test_rows_that_cannot_be_predicted_are_treated_as_by_the_command(
    trained: Path, tmp_path: Path, inside: Nnfs, on_error: Any
) -> None:
    table = COLUMNS.select(INPUTS).to_pandas()
    table.loc[[3, 17], "area"] = np.inf
    pyarrow.parquet.write_table(pa.Table.from_pandas(table, preserve_index=False), tmp_path / "bad.parquet")
    run, output = Run.open(trained / "runs/prices-1"), tmp_path / "out.csv"
    done = inside(
        "predict", "--input", tmp_path / "bad.parquet", "--run", run.path, "--output", output, "--on-error", on_error
    )
    assert done.returncode == 0, done.stderr
    with pytest.warns(NnfsWarning, match="2 of 120 rows cannot be used"):
        frame = run.predict(table, on_error=on_error)
    assert as_csv(frame) == output.read_bytes()
    assert (len(frame), frame.to_polars()["prediction"].null_count()) == ((118, 0) if on_error == "skip" else (120, 2))
    with pytest.raises(DataError, match=r"the table, row 4: column 'area' should hold"):
        run.predict(table)
    with pytest.raises(UserError, match="on_error is stop, skip or null, found 'ignore'"):
        run.predict(table, on_error="ignore")  # type: ignore[arg-type]
    assert run.predict(table[5:7], keep="city").columns == ("city", "prediction")
    assert run.predict(table[5:7], keep="all").columns == (*INPUTS, "prediction")


@pytest.mark.parametrize("name", ["classes-1", "prices-1", "folds-1"])
def test_figures_are_those_of_the_command(
    trained: Path, inside: Nnfs, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    compare = sys.modules["nnfs_cli.workflows.compare"]
    monkeypatch.setattr(compare, "BASELINES", compare.BASELINES[:2])  # boosting takes seconds
    run = Run.open(trained / "runs" / name)
    found = json.loads(inside("evaluate", run.path, "--json", "--baselines").stdout)
    assert run.evaluate() == found["metrics"]
    comparison = run.compare()
    assert comparison == found["baselines"]
    assert ("validation (out of fold)" in repr(comparison)) is (name == "folds-1")
    assert repr(comparison) in inside("evaluate", run.path, "--baselines").stdout
    lines = repr(comparison).replace("\n\n", "\n").splitlines()
    assert len([*parsed(comparison._repr_html_()).iter("tr")]) == len(lines)
    assert run.evaluate(splits="test") == run.evaluate(splits=["test"]) == {"test": run.metrics["test"]}
    found = json.loads(inside("evaluate", run.path, "--json", "--input", trained / "rows.csv").stdout)
    for table in (trained / "rows.parquet", COLUMNS):
        assert run.evaluate(table) == found["metrics"]
    with pytest.warns(NnfsWarning, match="include rows that the net has learned from") as caught:
        assert run.evaluate(trained / "rows.csv") == found["metrics"]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "make", [dict, lambda row: [row], lambda row: pd.DataFrame([row])], ids=["dict", "list", "pandas"]
)
def test_one_row_is_predicted_as_it_is_among_others(trained: Path, make: Callable[[dict[str, Any]], Any]) -> None:
    run = Run.open(trained / "runs/classes-1")
    many = run.predict(COLUMNS.select(INPUTS))
    for i, row in enumerate(COLUMNS.select(INPUTS).to_pylist()[:4]):
        one = run.predict(make(row))
        assert len(one) == 1
        assert one["prediction"][0] == many["prediction"][i]
        np.testing.assert_allclose(one["probability_low"], many["probability_low"][i : i + 1], rtol=1e-5)


def test_a_run_says_what_its_files_say(trained: Path) -> None:
    run = Run.open(str(trained / "runs/classes-1"))
    assert run.status == "finished"
    assert run.config.epochs == 3
    assert [figures["rows"] for figures in run.metrics.values()] == [60, 36, 24]
    log = pd.read_csv(run.path / "epochs.csv")
    pd.testing.assert_frame_equal(run.history.to_pandas(), log)
    saved = weights_of(RunDirectory(run.path), "best")
    assert run.weights.keys() == saved.keys()
    for name, array in run.weights.items():
        np.testing.assert_array_equal(array, saved[name])
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert NetClassifier.load(run).metrics_ == run._directory.metrics()
    assert Run.open(run).path == run.path
    assert NetRegressor.load(Run.newest(trained / "runs")).n_features_in_


def test_the_net_of_a_run_is_a_sequential(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    table = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x.sum(axis=1)}
    settings = {"layers": ["linear: 4", "tanh", "linear: 1"], "loss": "mse", "epochs": 2, "dataset": {"table": "y"}}
    run = train(settings, table, folder=tmp_path, preprocessing={"numbers": "none", "target": "none"})
    net = Sequential(run.config.layers).load(run.weights)
    np.testing.assert_allclose(net.predict(x)[:, 0], run.predict(table)["prediction"], rtol=1e-6)


def test_the_splits_of_a_table_need_the_same_table_again(tmp_path: Path, inside: Nnfs) -> None:
    table = COLUMNS.select([*INPUTS, "price"])
    settings = {**SETTINGS, "layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "price"}, "name": "t"}
    run = train(settings, table, folder=tmp_path)
    assert run.evaluate(data=table.to_pandas()) == {split: run.metrics[split] for split in ("validation", "test")}
    assert run.verify(data=table).exact
    for method in (run.evaluate, run.compare, run.verify, lambda: run.resume(5)):
        with pytest.raises(
            DataError, match="does not keep its rows; give the same table again in Python, as data=table"
        ):
            method()
    with pytest.warns(NnfsWarning, match="include rows that the net has learned from"):
        run.evaluate(table.to_pandas())
    with pytest.raises(DataError, match=r"the table has changed since .*t-1 was trained"):
        run.evaluate(data=table.slice(1))
    with pytest.raises(UserError, match="give either a table to score"):
        run.evaluate(table, splits=["test"])
    done = inside("evaluate", run.path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "was trained on a table given in Python" in done.stderr


def test_a_resumed_run_ends_with_the_bytes_of_one_that_was_not_interrupted(tmp_path: Path) -> None:
    table = COLUMNS.select([*INPUTS, "price"]).to_pandas()
    settings = {**SETTINGS, "layers": ["linear: 8", "relu", "linear: 1"], "loss": "mse", "dataset": {"table": "price"}}
    whole = train(settings, table, folder=tmp_path, epochs=5)
    parts = train(settings, table, folder=tmp_path, epochs=2)
    before = parts.predict(table)
    assert parts.resume(5, data=table) is parts
    assert as_csv(parts.predict(table)) == as_csv(whole.predict(table)) != as_csv(before)
    assert len(parts.history) == 5


def test_what_is_kept_of_a_run_is_read_again_after_a_change(trained: Path, tmp_path: Path, inside: Nnfs) -> None:
    run = train(CONFIGS / "breast_cancer.yaml", folder=tmp_path, epochs=2)
    table = load_breast_cancer(as_frame=True).data
    before = run.predict(table)["prediction"].tolist()
    assert run._restore() is run._restore()
    assert inside("decide", run.path, "--threshold", "0.999999").returncode == 0
    after = run.predict(table)["prediction"].tolist()
    assert before != after
    assert set(after) == {"malignant"}
    assert run.decide("none") is None
    assert run.predict(table)["prediction"].tolist() == before
    with pytest.raises(RunError, match="has no epoch-7 weights"):
        run.predict(table, weights="epoch-7")


def test_several_threads_may_predict_with_one_run(trained: Path) -> None:
    run = Run.open(trained / "runs/classes-1")
    expected, found = as_csv(run.predict(COLUMNS.select(INPUTS))), []
    fresh = copy.copy(run)
    assert fresh._restored == ((), {})
    threads = [
        threading.Thread(target=lambda: found.append(as_csv(fresh.predict(COLUMNS.select(INPUTS))))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
    assert as_csv(pickle.loads(pickle.dumps(run)).predict(COLUMNS.select(INPUTS))) == expected  # noqa: S301 - it is our own


@pytest.mark.slow
def test_one_row_takes_about_a_millisecond(tmp_path: Path) -> None:
    columns = {f"n{i}": np.arange(400.0) % (i + 7) for i in range(6)}
    columns |= {f"c{i}": np.array(["a", "b", "c", "d"], object)[np.arange(400) % (i % 3 + 2)] for i in range(8)}
    table: Any = columns | {"y": columns["n3"] > columns["n4"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = train({"dataset": {"table": "y"}}, table, folder=tmp_path)
    row, times = {name: column[0] for name, column in columns.items()}, []
    for _ in range(300):
        start = time.perf_counter()
        run.predict(row)
        times.append(time.perf_counter() - start)
    assert sorted(times)[100] < 0.003  # 0.001 on a machine with nothing else to do


def test_a_finished_run_shows_its_net_and_its_figures(trained: Path) -> None:
    run = Run.open(trained / "runs/classes-1")
    path, *lines = repr(run).splitlines()
    assert path == str(run.path)
    labels = [line.split()[0] for line in lines if line[2] != " "]
    assert labels == ["data", "net", "best", "validation", "test", *["verdict"] * min(len(run.verdict), 3)]
    assert "60 train, 36 validation, 24 test rows" in lines[0]
    assert f"accuracy {run.metrics['test']['accuracy']:.4f} (24 rows)" in lines[labels.index("test")]
    page = run._repr_html_()
    assert texts(page, "td")[0] == "train"
    (curves,) = parsed(page).iter("svg")
    assert "validation rows: from" in "".join(curves.itertext())


@pytest.mark.parametrize("file", ["spec.yaml", "data.json", "metrics.json", "epochs.csv", "status.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1]", b"\xff", b'{"train": {"loss": "x"}}'])
def test_a_damaged_run_can_be_shown(trained: Path, tmp_path: Path, file: str, content: bytes | None) -> None:
    path = Path(shutil.copytree(trained / "runs/classes-1", tmp_path / "damaged"))
    for sealed in (True, False):
        if not sealed and file != "status.json":
            unsealed(path)
        if content is None:
            (path / file).unlink(missing_ok=True)
        else:
            (path / file).write_bytes(content)
        run = Run(RunDirectory(path))
        assert repr(run).startswith(str(path))
        parsed(run._repr_html_())


def test_a_run_with_a_hostile_best_epoch_can_be_shown(trained: Path, tmp_path: Path) -> None:
    path = unsealed(Path(shutil.copytree(trained / "runs/classes-1", tmp_path / "hostile")))
    metrics = json.loads((path / "metrics.json").read_text())
    (path / "metrics.json").write_text(json.dumps(metrics | {"best_epoch": {}}))
    parsed(Run(RunDirectory(path))._repr_html_())


@pytest.mark.parametrize(
    "changes", [{"rows": 3}, {"rows": {"train": "many"}}, {"name": ["x"]}, {"fitted": {}}, {"inputs": [3]}]
)
def test_a_run_with_a_hostile_record_can_be_shown(trained: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    path = unsealed(Path(shutil.copytree(trained / "runs/classes-1", tmp_path / "hostile")))
    record = json.loads((path / "data.json").read_text())
    (path / "data.json").write_text(json.dumps(record | changes))
    assert repr(Run(RunDirectory(path))).startswith(str(path))
    parsed(Run(RunDirectory(path))._repr_html_())


def test_a_run_may_be_given_by_its_path(trained: Path) -> None:
    path = trained / "runs/classes-1"
    assert Run(str(path)).metrics == Run(path).metrics == Run.open(path).metrics
    with pytest.raises(RunError, match="there is no run directory"):
        Run(trained / "runs/classes-7")


def test_a_run_with_a_wrong_config_is_shown_without_escapes(trained: Path, tmp_path: Path) -> None:
    path = unsealed(Path(shutil.copytree(trained / "runs/classes-1", tmp_path / "wrong")))
    (path / "spec.yaml").write_text((path / "spec.yaml").read_text().replace("tanh", "thna").replace("relu", "rleu"))
    shown = repr(Run(path))
    assert "there is no layer 'rleu'" in shown
    assert "\\n" not in shown


def test_a_run_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run directory"):
        Run.open(tmp_path / "run-1")
    with pytest.raises(RunError, match="there is no trained run in"):
        Run.newest(tmp_path)
