"""Tables that are larger than memory: trained on within a limit, and answered in a memory that does not grow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.parquet.source import Parquet
from nnfs_cli.data.training_rows import RowsInMemory, RowsOnDisk
from nnfs_cli.errors import ConfigError
from nnfs_cli.experiment import read_data
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import weights_of

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

WORDS = ["north", "south", "east", "west", None]


def rows(n: int, seed: int = 0, columns: int = 6) -> pa.Table:
    """Numbers, words with gaps, and two targets that depend on both."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    place = rng.integers(len(WORDS), size=n)
    y = X[:, 0] - 2 * X[:, 1] * X[:, 2] + place + 0.1 * rng.normal(size=n)
    data: dict[str, Any] = {f"x{j}": X[:, j] for j in range(columns)}
    data |= {"where": pa.array([WORDS[i] for i in place]), "y": y, "label": pa.array(np.where(y > 2, "high", "low"))}
    return pa.table(data)


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Write a config for t.csv or t.parquet beside it."""

    def write(kind: str = "csv", target: str = "y", **settings: Any) -> Path:
        other = {"y": "label", "label": "y"}[target]
        layers = [{"linear": 16}, "relu", {"linear": 1}] if target == "y" else [{"linear": 16}, "relu", {"linear": 2}]
        spec = {
            "dataset": {kind: {"path": f"t.{kind}", "target": target, "drop": [other]}},
            "preprocessing": {"categories": "one_hot"},
            "layers": layers,
            "loss": "mse" if target == "y" else "cross_entropy",
            "optimizer": "adam",
            "epochs": 3,
            "split": {"validation": 0.2, "test": 0.1},
            **settings,
        }
        path = tmp_path / "c.yaml"
        path.write_text(dump(spec))
        return path

    return write


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program takes nothing by itself, so that a limit of a few megabytes is one, and files are never held."""
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr(ColumnSource, "table_size", lambda source: 10**12)
    return


def trained(path: Path, folder: Path) -> RunDirectory:
    experiment = workflows.prepare(Config.load(path))
    run = workflows.begin(experiment, folder / "runs")
    workflows.train(experiment, run)
    return run


def write_table(table: pa.Table, folder: Path, kind: str) -> None:
    if kind == "csv":
        arrow_csv.write_csv(table, folder / "t.csv")
    else:
        parquet.write_table(table, folder / "t.parquet", row_group_size=1_000)


SPLITS: dict[str, Any] = {
    "random": {"validation": 0.2, "test": 0.1},
    "group": {"validation": 0.2, "group": "where"},
    "hash": {"validation": 0.2, "hash": "x0"},
    "time": {"validation": 0.2, "test": 0.2, "time": "x1"},
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("target", ["y", "label"])
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.usefixtures("small_machine")
def test_what_is_streamed_in_order_gives_the_bytes_of_what_is_held(
    tmp_path: Path, config: Callable[..., Path], kind: str, target: str, split: str
) -> None:
    table = rows(3_000)
    if split == "group":
        table = table.set_column(6, "where", pa.array([str(i % 40) for i in range(len(table))]))
    write_table(table, tmp_path, kind)
    settings = {"shuffle": False, "split": SPLITS[split]}
    held = trained(config(kind, target, **settings), tmp_path)
    streamed = trained(config(kind, target, memory_limit="20 MB", **settings), tmp_path)
    for which in ("best", "last"):
        expected, found = weights_of(held, which), weights_of(streamed, which)
        assert {name: array.tobytes() for name, array in found.items()} == {
            name: array.tobytes() for name, array in expected.items()
        }
    assert streamed.metrics() == held.metrics()
    assert streamed.records.data() == held.records.data()


@pytest.mark.usefixtures("small_machine")
def test_rows_are_on_disk_and_in_no_more_memory_than_the_limit_leaves(
    tmp_path: Path, config: Callable[..., Path]
) -> None:
    write_table(rows(30_000), tmp_path, "csv")
    experiment = workflows.prepare(Config.load(config(memory_limit="1 MB")))
    learned = experiment.training_rows
    assert isinstance(learned, RowsOnDisk)
    assert len(learned) == 21_000
    assert learned._window.nbytes < 300_000
    assert sum(len(part) for part in experiment.splits.values()) < 10_000
    assert experiment.description["rows"] == {"train": 21_000, "validation": 6_000, "test": 3_000}


@pytest.mark.parametrize(("bins", "kept"), [(2, True), (40, False)])
def test_a_table_that_fits_is_encoded_to_disk_if_its_inputs_do_not_fit(
    tmp_path: Path, config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, bins: int, kept: bool
) -> None:
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    write_table(rows(5_000), tmp_path, "parquet")  # 5,000 x 6 cells of 8 bytes; encoded, 40 bins of 4 bytes for each
    steps = {"numbers": {"piecewise_linear": bins}, "categories": "one_hot"}
    limit = {"memory_limit": "2 MB", "preprocessing": steps}
    experiment = workflows.prepare(Config.load(config("parquet", **limit)))
    assert isinstance(experiment.training_rows, RowsInMemory if kept else RowsOnDisk)
    assert experiment.description["rows"] == {"train": 3_500, "validation": 1_000, "test": 500}
    drawn = sum(map(len, experiment.splits.values()))
    assert drawn == 5_000 if kept else drawn < 5_000


def test_a_parquet_file_of_repeated_cells_takes_their_size_in_memory(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": np.zeros(100_000), "y": np.zeros(100_000)}), tmp_path / "t.parquet")
    assert Parquet(path=tmp_path / "t.parquet", target="y").table_size() == 1_600_000
    assert (tmp_path / "t.parquet").stat().st_size < 160_000


@pytest.mark.usefixtures("small_machine")
def test_shuffled_in_windows_it_is_as_accurate(tmp_path: Path, config: Callable[..., Path]) -> None:
    table = rows(20_000).sort_by("y")  # as badly sorted as can be
    write_table(table, tmp_path, "csv")
    settings = {"epochs": 5, "lr": 0.01}
    held = trained(config(**settings), tmp_path)
    streamed = trained(config(memory_limit="2 MB", **settings), tmp_path)
    r2 = [run.metrics()["test"]["r2"] for run in (held, streamed)]
    assert r2[0] > 0.9
    assert r2[1] == pytest.approx(r2[0], abs=0.03)


@pytest.mark.usefixtures("small_machine")
def test_streamed_training_is_reproducible_and_evaluated_again_as_it_ended(
    tmp_path: Path, config: Callable[..., Path]
) -> None:
    write_table(rows(5_000), tmp_path, "csv")
    path = config(memory_limit="1 MB", target="label")
    one, other = trained(path, tmp_path), trained(path, tmp_path)
    assert weights_of(one, "last")["0.weight"].tobytes() == weights_of(other, "last")["0.weight"].tobytes()
    for part in ("train", "validation", "test"):
        assert workflows.evaluate(one, [part])[part] == one.metrics()[part]


@pytest.mark.usefixtures("small_machine")
def test_a_word_that_no_drawn_row_holds_has_a_place_of_its_own(tmp_path: Path, config: Callable[..., Path]) -> None:
    table = rows(30_000)
    words = ["a"] * 29_999 + ["once"]
    write_table(table.set_column(6, "where", pa.array(words)), tmp_path, "csv")
    experiment = workflows.prepare(Config.load(config(memory_limit="1 MB", split={"validation": 0.1, "time": "x0"})))
    training = {"once"} if float(table["x0"][29_999].as_py()) < np.quantile(table["x0"], 0.89) else set()
    assert training
    assert set(experiment.predictor.encoder.inputs[1].fit["levels"]) == {"a", "once"}


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize(
    ("settings", "key"),
    [({"batch_size": "full"}, "batch_size"), ({"replacement": True}, "replacement"), ({"optimizer": "lbfgs"}, "batch")],
)
def test_what_needs_all_rows_at_once_is_refused(
    tmp_path: Path, config: Callable[..., Path], settings: dict[str, Any], key: str
) -> None:
    write_table(rows(30_000), tmp_path, "csv")
    with pytest.raises(ConfigError, match=rf"(?s)memory_limit.*{key}"):
        workflows.prepare(Config.load(config(memory_limit="1 MB", **settings)))


def test_a_limit_that_the_program_itself_exceeds_is_refused(tmp_path: Path, config: Callable[..., Path]) -> None:
    write_table(rows(50), tmp_path, "csv")
    with pytest.raises(ConfigError, match=r"250 MB or more(?s:.)*memory_limit"):
        workflows.prepare(Config.load(config(memory_limit="100 MB")))
    trained(config(memory_limit="1 GB"), tmp_path)  # that holds it


@pytest.mark.parametrize("amount", ["2", "-1 GB", "0 MB", "many", "1 gb", True, 0, -5, 1.5])
def test_amounts_of_memory_that_are_none_are_refused(
    tmp_path: Path, config: Callable[..., Path], amount: object
) -> None:
    write_table(rows(50), tmp_path, "csv")
    with pytest.raises(ConfigError, match="amount of memory"):
        Config.load(config(memory_limit=amount))


# --- peaks of whole commands ------------------------------------------------------------------------------------------


def peak_of(*words: object, cwd: Path) -> int:
    """The most memory, in bytes, that a command had at any moment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nnfs_cli", *map(str, words)], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    complaints = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode == 0, complaints
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def write_long_csv(path: Path, n: int, columns: int = 20) -> None:
    """So many rows, of which a hundred thousand are made anew each time."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, n, 100_000):
            block = pa.table({f"x{j}": rng.normal(size=100_000).round(6) for j in range(columns)})
            arrow_csv.write_csv(block.slice(0, n - start), file, arrow_csv.WriteOptions(include_header=start == 0))


def run_for_long_files(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, 20))
    table = pa.table({f"x{j}": X[:, j] for j in range(20)} | {"y": X[:, 0] + X[:, 1] * X[:, 2]})
    arrow_csv.write_csv(table, folder / "t.csv")
    spec = {"dataset": {"csv": {"path": "t.csv", "target": "y"}}, "loss": "mse", "epochs": 2}
    (folder / "c.yaml").write_text(dump({**spec, "layers": [{"linear": 32}, "relu", {"linear": 1}]}))
    return trained(folder / "c.yaml", folder).path


def assert_flat(folder: Path, few: int, many: int) -> None:
    run = run_for_long_files(folder)
    peaks = []
    for n in (few, many):
        write_long_csv(folder / "long.csv", n)
        peaks.append(peak_of("predict", "--run", run, "--input", "long.csv", "--output", "out.csv", cwd=folder))
        with (folder / "out.csv").open() as file:
            assert sum(1 for _ in file) == n + 1
    assert peaks[1] <= 1.1 * peaks[0]


@pytest.mark.slow
def test_ten_times_the_rows_take_the_same_memory_to_predict(tmp_path: Path) -> None:
    assert_flat(tmp_path, 120_000, 1_200_000)


@pytest.mark.slow
def test_five_million_rows_take_the_memory_of_half_a_million(tmp_path: Path) -> None:
    assert_flat(tmp_path, 500_000, 5_000_000)


@pytest.mark.slow
def test_a_table_four_times_its_memory_limit_trains_within_it(tmp_path: Path) -> None:
    limit, n, columns = 300_000_000, 7_500_000, 20
    rng = np.random.default_rng(0)
    names = [f"x{j}" for j in range(columns)]
    schema = pa.schema([(name, pa.float64()) for name in [*names, "y"]])
    with parquet.ParquetWriter(tmp_path / "t.parquet", schema, compression="none", use_dictionary=False) as writer:
        for _ in range(n // 250_000):
            X = rng.normal(size=(250_000, columns))
            data = {name: X[:, j] for j, name in enumerate(names)} | {"y": X[:, 0] - X[:, 1] * X[:, 2]}
            writer.write_table(pa.table(data), row_group_size=50_000)
    assert (tmp_path / "t.parquet").stat().st_size > 4 * limit
    spec = {
        "dataset": {"parquet": {"path": "t.parquet", "target": "y"}},
        "split": {"validation": 0.05, "test": 0.05},
        "layers": [{"linear": 32}, "relu", {"linear": 1}],
        "loss": "mse",
        "optimizer": "adam",
        "batch_size": 512,
        "epochs": 1,
    }
    (tmp_path / "c.yaml").write_text(dump({**spec, "memory_limit": limit}))
    peak = peak_of("train", "c.yaml", "--quiet", cwd=tmp_path)
    assert peak <= limit
    assert RunDirectory.open(tmp_path / "runs" / "c-1").metrics()["test"]["r2"] > 0.97
