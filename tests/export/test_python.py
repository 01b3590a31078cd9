"""The format `python`: a written file computes what NumPy does, needs nothing else, and can be read."""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import subprocess
import sys
import tokenize
import venv
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import hint_about, is_date, parse_date
from nnfs_cli.data.numbers import parse_number
from nnfs_cli.data.table import text_of
from nnfs_cli.export.format import ExportedModel, Predictions
from nnfs_cli.export.python import frame, runner
from nnfs_cli.export.python.format import PythonFormat, predictions
from nnfs_cli.pipeline.cells import EMPTY_DATE, column, has_entries, look_up
from nnfs_cli.pipeline.elementwise import add, cast, divide, equal, less, logical_and, logical_not, multiply, subtract
from nnfs_cli.pipeline.evaluate import evaluate
from nnfs_cli.pipeline.labels import joined_labels, label_of
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.shapes import argmax_last, concatenate, matmul, softmax, sum_members, take
from nnfs_cli.pipeline.value import Value, constant
from tests.export.parity import assert_close
from tests.pipeline.cases import CASES, HOSTILE

WORST = [*HOSTILE, '"""', "'''", "{x}", "class", "print(1)", "\u2028", "\x85", "\r", "\ud800", "x" * 10_000]


def write(pipeline: Pipeline, folder: Path, stem: str = "model", **more: Any) -> ExportedModel:
    """Write the files of a pipeline into a folder."""
    model = ExportedModel("a run", pipeline, **{"inputs": (), **more})
    for name, content in PythonFormat().files(model, stem).items():
        (folder / name).write_bytes(content)
    return model


def load(path: Path) -> ModuleType:
    """Import a written file."""
    spec = importlib.util.spec_from_file_location("written", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_computed(found: Sequence[Predictions]) -> None:
    """Assert that predictions of all cases are those of NumPy."""
    for case, one in zip(CASES, found, strict=True):
        expected, usable = evaluate(case.pipeline, case.cells)
        assert one.usable.tolist() == usable.tolist(), case.name
        assert [*one.outputs] == [*expected]
        for name, values in expected.items():
            assert_close(one.outputs[name], values, 1e-12)


def write_cases(folder: Path) -> list[tuple[Path, ExportedModel, Any]]:
    models = [write(case.pipeline, folder, f"model{i}") for i, case in enumerate(CASES)]
    jobs = zip(models, CASES, strict=True)
    return [(folder / f"model{i}.py", model, case.cells) for i, (model, case) in enumerate(jobs)]


def test_every_operation_is_computed_as_in_numpy(tmp_path: Path) -> None:
    jobs = write_cases(tmp_path)
    assert_computed(predictions(jobs))
    for path, _, _ in jobs:
        ast.parse(path.read_text("utf-8"), feature_version=(3, 9))


@pytest.mark.slow
def test_a_venv_with_numpy_alone_computes_every_operation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "numpy"], check=True)
    monkeypatch.setattr(sys, "executable", str(python))
    assert_computed(predictions(write_cases(tmp_path)))


@pytest.fixture(scope="module")
def species(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A written file with columns of each kind, one of which must not be empty."""
    x, z, city, day = column("x", "number"), column("z", "number"), column("city", "category"), column("day", "date")
    with part("standardize: x, z", {"mean": (mean := np.array([1.0, 2.0])), "scale": (scale := np.array([2.0, 4.0]))}):
        numbers = divide(subtract(concatenate([x, z]), mean), scale)
    with part("one_hot: city"):
        code = look_up(city, ("Paris", "Rome"), 2, 3)
    with part("layer 1: linear 3"):
        inputs = concatenate([numbers, cast(equal(code, np.arange(2)), "float64")])
        weight = constant(np.arange(24.0).reshape(2, 4, 3) / 10, members=True, name="weight")
        bias = constant(np.arange(6.0).reshape(2, 3), members=True, name="bias")
        y = sum_members(softmax(add(matmul(inputs, weight), bias)))
    usable = logical_and(less(x, 1e6), logical_not(equal(code, 3)))
    outputs = {
        "prediction": label_of(argmax_last(y), ("a", "b", "c")),
        "probability_a": take(y, [0]),
        "day": day,
    }
    columns = {"x": x, "z": z, "city": city, "day": day}
    folder = tmp_path_factory.mktemp("species")
    write(Pipeline(columns, outputs, usable), folder)
    return load(folder / "model.py")


ROW = {"x": 1.5, "z": -3.0, "city": "Rome", "day": "1970-01-02"}


@pytest.mark.parametrize(
    "rows",
    [
        ROW,
        [ROW],
        {name: [value] for name, value in ROW.items()},
        {"x": np.array([1.5]), "z": (-3,), "city": np.array(["Rome"]), "day": np.array(["1970-01-02"], "M8[D]")},
        pd.DataFrame([ROW]),
        pd.DataFrame([ROW]).astype({"x": "Float64", "city": "category", "day": "datetime64[ns]"}),
        pl.DataFrame([ROW]),
        {**ROW, "x": "1.5", "z": Decimal(-3), "day": datetime(1970, 1, 2, tzinfo=timezone(timedelta(hours=5)))},
        {**ROW, "x": " +15e-1", "day": date(1970, 1, 2), "other": 7},
        {**ROW, "day": "1970-01-02T00:00:00+05:00"},
    ],
)
def test_rows_may_come_in_many_forms(species: ModuleType, rows: Any) -> None:
    found, expected = species.predict(rows), species.predict(ROW)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    assert found["day"].tolist() == [86_400_000_000]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"x": None}, "row 2 of 2: the column 'x' is empty"),
        ({"x": float("nan")}, "row 2 of 2: the column 'x' is empty"),
        ({"x": ""}, "row 2 of 2: the column 'x' is empty"),
        ({"x": 1e7}, "row 2 of 2: the model cannot use '10000000.0' in the column 'x'"),
        ({"x": float("inf")}, "row 2 of 2: the column 'x' should hold a finite number, found 'inf'"),
        ({"x": "1e999"}, "row 2 of 2: the column 'x' should hold a finite number, found '1e999'"),
        ({"x": "1_0"}, "row 2 of 2: the column 'x' should hold a finite number, found '1_0'"),
        ({"x": [1]}, "row 2 of 2: the column 'x' should hold a finite number, found '[1]'"),
        ({"x": 10**400}, "row 2 of 2: the column 'x' should hold a finite number, found '10000000"),
        ({"city": "Oslo"}, "row 2 of 2: the model cannot use 'Oslo' in the column 'city'"),
        ({"day": "1970-02-30"}, "row 2 of 2: the column 'day' should hold a date, as in 2026-01-31 or"),
        ({"day": 5}, "row 2 of 2: the column 'day' should hold a date"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(species: ModuleType, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        species.predict([ROW, {**ROW, **row}])
    found = species.predict([ROW, {**ROW, **row}], on_error="null")
    assert found["prediction"][1] is None
    assert np.isnan(found["probability_a"][1])
    assert {name: values[0] for name, values in found.items()} == {
        name: values[0] for name, values in species.predict(ROW).items()
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROW, {"x": 1}], "row 2: there is no column 'z'"),
        ([ROW, 7], "row 2 should be a dict, found int"),
        ({"x": [1, 2]}, "there is no column 'z'"),
        ({**{name: [value] for name, value in ROW.items()}, "x": [1, 2]}, "all columns should have the same number of"),
    ],
)
def test_rows_of_another_form_are_refused(species: ModuleType, rows: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        species.predict(rows)


def test_an_unknown_treatment_of_errors_is_refused(species: ModuleType) -> None:
    with pytest.raises(ValueError, match="'skip'"):
        species.predict(ROW, on_error="skip")


def test_rows_may_come_one_after_the_other(species: ModuleType) -> None:
    assert len(species.predict(iter([ROW, ROW]))["prediction"]) == 2


def test_no_rows_have_no_predictions(species: ModuleType) -> None:
    assert {name: values.shape for name, values in species.predict([]).items()} == {
        "prediction": (0,),
        "probability_a": (0,),
        "day": (0,),
    }


def test_the_file_predicts_a_csv_file(tmp_path: Path, species: ModuleType) -> None:
    (tmp_path / "rows.csv").write_text("city,x,z,day\nRome,1.5,-3,1970-01-02\n")
    path = str(species.__file__)
    done = subprocess.run([sys.executable, "-I", path, str(tmp_path / "rows.csv")], capture_output=True, text=True)
    expected = {name: values[0] for name, values in species.predict(ROW).items()}
    assert done.stdout.splitlines() == [",".join(expected), ",".join(map(str, expected.values()))]
    (tmp_path / "rows.csv").write_text("city,x,z,day\nRome,1.5,-3,1970-01-02\nOslo,1,2,\n")
    done = subprocess.run([sys.executable, "-I", path, str(tmp_path / "rows.csv")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("rows.csv: row 2 of 2: the model cannot use 'Oslo' in the column 'city'\n")


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("nowhere.csv", "nowhere.csv: No such file or directory\n"),
        ("latin.csv", "latin.csv is no CSV file in UTF-8: "),
        ("-h", "usage: python model.py rows.csv\n"),
    ],
)
def test_the_file_says_in_a_line_why_it_predicts_no_csv_file(
    tmp_path: Path, species: ModuleType, argument: str, says: str
) -> None:
    (tmp_path / "latin.csv").write_bytes(b"city,x,z,day\nK\xf6ln,1.5,-3,1970-01-02\n")
    command = [sys.executable, "-I", str(species.__file__), argument]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.datetimes(), st.dates(), st.none()))
def test_cells_are_read_as_in_a_run(value: Any) -> None:
    cell = None if frame.is_empty(value) else value
    assert (frame.text_of(cell) or "") == (value if isinstance(value, str) else text_of(value))
    if isinstance(value, str) and value:
        numbers, wrong = frame.read([value], "number")
        expected = parse_number(value)
        assert bool(wrong) == (expected is None)
        assert expected is None or numbers.tolist() == [expected]


TIME = r"[ T][0-2]\d(:[0-5]\d(:[0-6]\d(\.\d{1,9})?)?)?"


@given(st.from_regex(rf"\A[0-2]\d{{3}}-[01]\d-[0-3]\d({TIME}(Z|[+-]\d\d:?\d\d)?)?\Z"))
def test_dates_are_read_as_in_a_run(text: str) -> None:
    dates, wrong = frame.read([text], "date")
    if is_date(text):
        assert not wrong
        assert dates.tolist() == [parse_date(text)[1].astype(np.int64)]
    elif not hint_about(text):
        assert wrong


def hostile_pipeline() -> tuple[Pipeline, dict[str, Array]]:
    """Return a pipeline in which columns, parts, words and labels have the worst names, and cells for it."""
    columns: dict[str, Value] = {}
    for i, name in enumerate(WORST):
        columns[name] = column(name, "category" if i % 2 else "number")
    outputs: dict[str, Value] = {}
    for i, (name, value) in enumerate(columns.items()):
        with part(f"{name}: {name}", {name: (array := np.array([1.0 + i, 2.0]))}):
            if i % 2:
                code = look_up(value, WORST, 0, 1)
                outputs[f"prediction_{name}"] = label_of(code, WORST)
                outputs[f"set_{name}"] = joined_labels(has_entries(value, ";", WORST), [*WORST, "else"])
            else:
                outputs[f"prediction_{name}"] = take(multiply(concatenate([value, value]), array), [1])
    words = np.empty(len(WORST), object)
    words[:] = WORST
    cells = {name: words if i % 2 else np.arange(float(len(WORST))) for i, name in enumerate(WORST)}
    return Pipeline(columns, outputs, constant([True])), cells


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    pipeline, cells = hostile_pipeline()
    about = {name: name for name in WORST}
    inputs = [{"name": name, "counts": dict.fromkeys(WORST, 1)} for name in WORST]
    model = write(pipeline, tmp_path, about=about, inputs=inputs)
    found = predictions([(tmp_path / "model.py", model, cells)])[0]
    expected, _ = evaluate(pipeline, cells)
    assert {name: values.tolist() for name, values in found.outputs.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    module = load(tmp_path / "model.py")
    assert about == module.ABOUT
    text = (tmp_path / "model.py").read_text("utf-8")
    assert not {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} & {"eval", "exec", "print"}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    assert all(comment.isprintable() and len(comment) < 140 for comment in comments)


def test_many_numbers_lie_in_a_file_beside_it(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(2, 40_000))
    columns = {"x": column("x", "number"), "z": column("z", "number")}
    y = matmul(concatenate([*columns.values()]), constant(weight))
    pipeline = Pipeline(columns, {"prediction": take(y, [39_999])}, constant([True]))
    model = write(pipeline, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.npz", "model.py"]
    cells = {"x": np.array([1.0, 2.0]), "z": np.array([0.5, -0.5])}
    found = PythonFormat().predict(tmp_path, "model", model, cells)
    np.testing.assert_allclose(found.outputs["prediction"], evaluate(pipeline, cells)[0]["prediction"])


def test_the_same_model_is_written_in_the_same_bytes() -> None:
    model = ExportedModel("a run", CASES[-1].pipeline, ())
    assert PythonFormat().files(model, "model") == PythonFormat().files(model, "model")


def test_a_model_reads_as_formulas(species: ModuleType) -> None:
    text = Path(str(species.__file__)).read_text()
    assert ' = (standardize - W["standardize.mean"]) / W["standardize.scale"]\n    # layer 1: linear 3\n' in text
    assert ' = softmax(layer_1_2 @ W["layer_1.weight"] + W["layer_1.bias"]).mean(axis=0)\n' in text
    assert "look_up(" in text
    assert "tree_sums" not in text
    assert len(text.splitlines()) < 260


def test_empty_dates_are_the_smallest_number() -> None:
    assert frame.date_of(None) == EMPTY_DATE
    assert runner.column([EMPTY_DATE], "date").tolist() == [None]
    assert frame.read([datetime(2026, 1, 31, tzinfo=UTC)], "date")[0].tolist() == [1_769_817_600_000_000]
