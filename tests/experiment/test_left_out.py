"""Rows with an empty target, or with a fault, are left out on request: as if the file had never held them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from nnfs_cli import fit, workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.errors import DataError, NnfsWarning
from nnfs_cli.experiment import read_data
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import Nnfs, one_message

N = 80
FAULTS = {  # lines by number, counted from 0 without the header, and why each is left out
    3: ("0.5,u,", "the target 'y' is empty"),
    11: ("many,u,b", "column 'x' should hold numbers"),
    12: ("0.5,u", "2 cells where the header has 3"),
    40: (",v,b", "column 'x' is empty"),
    41: ("inf,v,b", "column 'x' should hold finite numbers"),
    77: ("1,v,b,c", "4 cells where the header has 3"),
}
TARGET_ONLY = {3: FAULTS[3], 60: ("0.5,v,", "the target 'y' is empty")}
Write = Callable[..., Path]


def lines(faults: dict[int, tuple[str, str]], clean: bool, target: str = "class") -> str:
    """The table; `clean` leaves out the faulty lines."""
    x = np.random.default_rng(0).normal(size=N).round(3).tolist()
    texts = [f"{x[i]},{'uv'[i % 2]},{'ab'[x[i] > 0] if target == 'class' else 2 * x[i]}" for i in range(N)]
    wrong = {i: text if target == "class" else text.replace(",b", ",2") for i, (text, _) in faults.items()}
    kept = [wrong.get(i, texts[i]) for i in range(N) if not (clean and i in wrong)]
    return "\n".join(["x,w,y", *kept]) + "\n"


@pytest.fixture
def config(tmp_path: Path) -> Write:
    """Write the config of a table."""

    def write(text: str, name: str = "t", target: str = "class", **settings: Any) -> Path:
        (tmp_path / f"{name}.csv").write_text(text)
        spec = {
            "dataset": {"csv": {"path": f"{name}.csv", "target": "y"}},
            "preprocessing": {"numbers": "standardize", "categories": "one_hot"},
            "layers": [{"linear": 3}, "tanh", {"linear": 1}, *(["sigmoid"] if target == "class" else [])],
            "loss": "binary_cross_entropy" if target == "class" else "mse",
            "epochs": 1,
            "shuffle": False,
            "split": {"validation": 0.25, "test": 0.1},
            **settings,
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(spec))
        return path

    return write


def trained(path: Path) -> RunDirectory:
    experiment = workflows.prepare(Config.load(path))
    run = workflows.begin(experiment, path.parent / "runs")
    workflows.train(experiment, run)
    return run


def weights(run: RunDirectory) -> dict[str, bytes]:
    with np.load(run.path / "weights" / "last.npz") as arrays:
        return {name: arrays[name].tobytes() for name in arrays}


@pytest.mark.parametrize(
    ("target", "streams", "policy"),
    [
        ("class", True, "on_error"),
        ("number", False, "missing_target"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                ("class", False, "on_error"),
                ("class", False, "missing_target"),
                ("class", True, "missing_target"),
                ("number", False, "on_error"),
                ("number", True, "on_error"),
                ("number", True, "missing_target"),
            ]
        ),
    ],
)
def test_what_is_learned_is_what_a_file_without_these_rows_teaches(
    config: Write, monkeypatch: pytest.MonkeyPatch, target: str, streams: bool, policy: str
) -> None:
    faults, setting = (
        (FAULTS, {"on_error": "skip"}) if policy == "on_error" else (TARGET_ONLY, {"missing_target": "drop"})
    )
    more: dict[str, Any] = {}
    if streams:
        monkeypatch.setattr(read_data, "MACHINERY", 0)
        monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 300)
        monkeypatch.setattr(ColumnSource, "table_size", lambda source: 10**12)
        more = {"memory_limit": "20 MB"}
    clean = trained(config(lines(faults, True, target), "clean", target, **more))
    with pytest.warns(NnfsWarning, match=rf"^{len(faults)} of {N} rows are left out \("):
        run = trained(config(lines(faults, False, target), "t", target, **more, **setting))
    assert weights(run) == weights(clean)
    assert run.metrics() == clean.metrics()
    record = run.records.data()["left_out"]
    assert (record["rows"], record["of"]) == (len(faults), N)
    expected: dict[str, int] = {}
    for _, reason in faults.values():
        expected[reason] = expected.get(reason, 0) + 1
    assert record["reasons"] == expected
    assert "left_out" not in clean.records.data()
    assert workflows.evaluate(run)["test"] == workflows.evaluate(clean)["test"]


def test_without_a_word_such_rows_stop_the_training_and_the_message_names_the_key(config: Write) -> None:
    for target in ("class", "number"):
        with pytest.raises(DataError, match=r"^t.csv, line 5: .* 'y' is empty.*; missing_target: drop leaves out such"):
            trained(config(lines({3: FAULTS[3]}, False, target), "t", target))
    with pytest.raises(DataError, match=r"^t.csv, line 14: 2 cells where the header has 3"):
        trained(config(lines(FAULTS, False), missing_target="drop"))


def test_the_preset_sees_the_rows_that_are_left(config: Write, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(lines(FAULTS, False))
    (tmp_path / "clean.csv").write_text(lines(FAULTS, True))
    specs = []
    for name in ("t", "clean"):
        more = "on_error: skip\n" if name == "t" else ""
        (tmp_path / f"{name}.yaml").write_text(f"dataset: {{csv: {{path: {name}.csv, target: y}}}}\n{more}")
        specs.append(workflows.load(tmp_path / f"{name}.yaml").model_dump(exclude={"dataset", "on_error", "name"}))
    assert specs[0] == specs[1]


def test_a_table_of_parquet_or_of_python_loses_its_rows_without_a_target(tmp_path: Path, config: Write) -> None:
    columns = {"x": [float(i) for i in range(20)], "y": [2.0 * i if i % 5 else None for i in range(20)]}
    parquet.write_table(pa.table(columns), tmp_path / "p.parquet")
    dataset = {"parquet": {"path": "p.parquet", "target": "y"}}
    with pytest.warns(NnfsWarning, match=r"^4 of 20 rows are left out \(the target 'y' is empty: 4\)$"):
        run = trained(config("", target="number", dataset=dataset, missing_target="drop", preprocessing={}))
    assert run.records.data()["rows"] == {"train": 10, "validation": 4, "test": 2}
    settings: dict[str, Any] = {"layers": [{"linear": 1}], "loss": "mse", "epochs": 1, "verbose": False}
    with pytest.warns(NnfsWarning, match="4 of 20 rows are left out"):
        fit(pd.DataFrame(columns), "y", missing_target="drop", **settings)


def test_the_command_takes_the_option_and_evaluate_leaves_out_the_same_kind_of_rows(
    config: Write, inside: Nnfs, tmp_path: Path
) -> None:
    config(lines(FAULTS, False))
    assert "line 14: 2 cells" in one_message(inside("train", "t.yaml"), 2)
    done = inside("train", "t.yaml", "--quiet", "--on-error", "skip")
    assert done.stdout == "runs/t-1\n", done.stderr
    assert "6 of 80 rows are left out (" in done.stderr
    done = inside("evaluate", "t-1", "--input", "t.csv", "--quiet", "--json")
    assert json.loads(done.stdout)["metrics"]["input"]["rows"] == N - len(FAULTS)
    assert "6 of 80 rows are left out (" in done.stderr
    assert "; the first: t.csv, line 5: the target 'y' is empty" in done.stderr
    assert inside("verify", "t-1", "--quiet").returncode == 0


def test_a_table_of_which_no_row_is_left_is_refused(config: Write) -> None:
    with pytest.raises(DataError, match=r"t.csv: all rows are left out; .* this: t.csv, line 2: the target"):
        trained(config("x,w,y\n1,u,\n2,v,\n", missing_target="drop"))


@pytest.mark.parametrize("streams", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_held_out_rows_with_a_new_category_are_skipped_wherever_they_are_scored(
    config: Write, monkeypatch: pytest.MonkeyPatch, streams: bool
) -> None:
    whole = lines({}, False).splitlines()
    split = ["part", *(["train"] * 50 + ["validation"] * 20 + ["test"] * 10)]
    new = {55: "never,seen", 75: "w"}  # lines by number, from 1
    rows = [f"{line.replace(',u,', ',w,') if i in new else line},{split[i]}" for i, line in enumerate(whole)]
    rows = [row.replace(",v,", ",w,") if i in new else row for i, row in enumerate(rows)]
    clean = [row for i, row in enumerate(rows) if i not in new]
    more: dict[str, Any] = {"split": {"column": "part"}, "metrics": ["accuracy"]}
    if streams:
        monkeypatch.setattr(read_data, "MACHINERY", 0)
        monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 300)
        monkeypatch.setattr(ColumnSource, "table_size", lambda source: 10**12)
        more |= {"memory_limit": "20 MB"}
    expected = trained(config("\n".join(clean) + "\n", "clean", **more))
    with pytest.raises(DataError, match=r"line 56: column 'w' should hold a category of the training rows"):
        trained(config("\n".join(rows) + "\n", "t", **more))
    with pytest.warns(
        NnfsWarning, match=r"^2 of 80 rows are left out \(column 'w' should hold a category of the train"
    ):
        run = trained(config("\n".join(rows) + "\n", "t", on_error="skip", **more))
    assert run.records.data()["left_out"]["rows"] == 2
    assert run.records.data()["rows"] == {"train": 50, "validation": 19, "test": 9}
    assert (weights(run), run.metrics()) == (weights(expected), expected.metrics())
    assert workflows.evaluate(run)["test"] == workflows.evaluate(expected)["test"]
    if not streams:
        of_both = [list(workflows.compare(one)["test"].values()) for one in (run, expected)]
        assert of_both[0] == of_both[1]


def test_a_fold_of_a_cross_validation_skips_what_its_training_rows_do_not_know(config: Write) -> None:
    whole = lines({}, False).splitlines()
    whole[30] = whole[30].replace(",u,", ",w,").replace(",v,", ",w,")
    path = config("\n".join(whole) + "\n", "t", on_error="skip", split={})
    found = workflows.cross_validate({"t": Config.load(path)}, folds=4)
    assert sorted(found.predictions["row"]) == [row for row in range(1, N + 1) if row != 30]
