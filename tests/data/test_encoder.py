"""The encoder: inputs and targets as arrays, predictions in the target's units, and the figures of both."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference
from sklearn.preprocessing import StandardScaler

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.csv.writer import write_csv
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.runs.directory import RunDirectory
from tests.conftest import weights_of

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

STANDARDIZE = Preprocessing(numbers=(Standardize(),), target=(Standardize(),))
columns = arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e9, 1e9))


def encoder(X: np.ndarray, y: np.ndarray, rows: np.ndarray | None = None) -> tuple[Encoder, Table]:
    """An encoder of numbers with the inputs x0, x1, ... and the targets y0, y1, ..., and the table it was fitted to."""
    features, targets = [[f"{letter}{j}" for j in range(Z.shape[1])] for letter, Z in (("x", X), ("y", y))]
    table = Table("t.csv", dict(zip([*features, *targets], [*X.T, *y.T], strict=True)), "")
    rows = np.arange(len(X)) if rows is None else rows
    return Encoder.fit(table, rows, dict.fromkeys(features, "number"), targets, None, STANDARDIZE), table


Train = Callable[..., RunDirectory]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Train a linear net on a CSV whose target is y, or are y and z."""

    def run(content: str, outputs: int = 1, target: Any = "y", **settings: Any) -> RunDirectory:
        (tmp_path / "t.csv").write_text(content, encoding="utf-8")
        config = {
            "dataset": {"csv": {"path": "t.csv", "target": target}},
            "layers": [{"linear": outputs}],
            "loss": "mse",
            "epochs": 5,
            "split": 0,
            **settings,
        }
        (tmp_path / "c.yaml").write_text(json.dumps(config))
        experiment = workflows.prepare(Config.load(tmp_path / "c.yaml"))
        run = workflows.begin(experiment, tmp_path / "runs")
        workflows.train(experiment, run)
        return run

    return run


def classes_table(labels: list[str]) -> str:
    """Four rows a label, whose input tells the labels apart."""
    return "a,y\n" + "".join(f"{i + 0.1 * j},{label}\n" for i, label in enumerate(labels) for j in range(4))


def predicted(run: RunDirectory, folder: Path, content: str) -> dict[str, np.ndarray]:
    (folder / "new.csv").write_text(content, encoding="utf-8")
    return workflows.predict(run, folder / "new.csv")


def evaluated(run: RunDirectory, folder: Path, content: str) -> dict[str, float]:
    (folder / "new.csv").write_text(content, encoding="utf-8")
    return workflows.evaluate(run, rows=folder / "new.csv")["input"]


# --- standardisation --------------------------------------------------------------------------------------------------


def test_standardisation_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6)) * [1, 1e-6, 1e6, 3, 5, 1] + [0, 1e-3, -1e6, 4, 0, 7]
    X[:, 5] = 7  # constant
    rows = np.arange(0, 200, 2)
    fitted, table = encoder(X, X[:, :1], rows)
    expected = StandardScaler().fit(X[rows])
    np.testing.assert_allclose(fitted.encode(table, "float64"), expected.transform(X), rtol=1e-9, atol=1e-9)
    assert fitted.encode(table, "float32").dtype == np.float32


def test_large_tables_are_transformed_like_small_ones() -> None:
    X = np.random.default_rng(0).normal(size=(150_000, 2))
    fitted, table = encoder(X, X[:, :1])
    np.testing.assert_allclose(fitted.encode(table, "float64"), StandardScaler().fit_transform(X), atol=1e-9)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(np.full(100, 3.0), id="constant"),
        pytest.param(np.zeros(100), id="zero"),
        pytest.param(np.full(100, 0.1), id="constant that binary fractions miss"),
        pytest.param(np.full(1, 5.0), id="one row"),
        pytest.param(1e9 + 1e-7 * np.arange(100), id="1e9 with rounding noise"),
        pytest.param(-1e15 + 0.125 * np.arange(100), id="-1e15 with rounding noise"),
        pytest.param(1e-9 * (1 + np.finfo(float).eps * np.arange(100)), id="1e-9 with rounding noise"),
    ],
)
def test_constant_columns_are_only_centred(column: np.ndarray) -> None:
    fitted, table = encoder(column[:, None], column[:, None])
    assert abs(fitted.encode(table, "float64")).max() < 20
    one_more = Table("t.csv", {"x0": column + 1}, "")  # a row that was held back may differ
    assert abs(fitted.encode(one_more, "float64")).max() < 20


@given(columns)
def test_inverse_undoes_transform(column: np.ndarray) -> None:
    step = Standardize()
    statistics = {key: np.array([value]) for key, value in step.fit(column).items()}
    back = step.inverse(step.transform(column[:, None], statistics), statistics)[:, 0]
    np.testing.assert_allclose(back, column, rtol=1e-9, atol=1e-9 * abs(column).max())


@given(st.integers(1, 4), st.integers(1, 3), st.data())
def test_unscale_target_undoes_scale_target(n_features: int, n_targets: int, data: st.DataObject) -> None:
    y = data.draw(arrays(np.float64, (10, n_targets), elements=st.floats(-1e9, 1e9)))
    fitted, table = encoder(np.ones((10, n_features)), y)
    truth = fitted.truth(table)
    assert np.array_equal(truth, y)
    np.testing.assert_allclose(
        fitted.unscale_target(fitted.scale_target(truth)), y, rtol=1e-9, atol=1e-9 * abs(y).max()
    )


def test_none_leaves_the_numbers_as_they_are() -> None:
    X = np.array([[1.0, 1e6], [2.0, -5.0]])
    table = Table("t.csv", {"a": X[:, 0], "b": X[:, 1], "y": X[:, 0]}, "")
    fitted = Encoder.fit(
        table, np.arange(2), dict.fromkeys(["a", "b"], "number"), ["y"], None, Preprocessing(numbers=(Unchanged(),))
    )
    assert np.array_equal(fitted.encode(table, "float64"), X)
    assert np.array_equal(fitted.unscale_target(fitted.scale_target(fitted.truth(table))), X[:, :1])


def poisoned(factor: float, labels: str) -> str:
    """Return rows of three splits; held-out ones are multiplied by a factor and get other labels."""
    rng = np.random.default_rng(0)
    lines = ["a,b,y,z,part"]
    for i in range(60):
        part = ("train", "validation", "test")[i % 3]
        a, b = rng.normal(size=2) * (1 if part == "train" else factor)
        y, z = ("uv"[i % 2], a + b) if part == "train" else (labels[i % 2], (a - b) * factor)
        lines.append(f"{a},{b},{y},{z},{part}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"target": "z", "loss": "mse", "outputs": 1, "drop": "y"}, id="regression"),
        pytest.param({"target": "y", "loss": "cross_entropy", "outputs": 2, "drop": "z"}, id="classification"),
    ],
)
def test_held_out_rows_do_not_affect_training(train: Train, settings: dict[str, Any]) -> None:
    dataset = {"csv": {"path": "t.csv", "target": settings["target"], "drop": settings["drop"]}}
    learned, validated = [], []
    for factor, labels in ((1, "uv"), (-1e5, "vu")):
        table = poisoned(factor, labels)
        run = train(table, settings["outputs"], loss=settings["loss"], dataset=dataset, split={"column": "part"})
        weights = {name: array.tobytes() for name, array in weights_of(run, "last").items()}
        learned.append((run.records.data()["fitted"], weights, [row["train_loss"] for row in run.epochs()]))
        validated.append(run.metrics()["validation"]["loss"])
    assert learned[0] == learned[1]
    assert validated[0] != validated[1]


# --- as JSON ----------------------------------------------------------------------------------------------------------


@given(columns, columns)
def test_json_round_trip_is_exact(x: np.ndarray, y: np.ndarray) -> None:
    n = min(len(x), len(y))
    fitted, table = encoder(x[:n, None], y[:n, None])
    back = Encoder.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)), STANDARDIZE)
    assert back.to_json() == fitted.to_json()
    assert (back.kinds, back.targets, back.classes) == (fitted.kinds, fitted.targets, fitted.classes)
    assert back.encode(table, "float64").tobytes() == fitted.encode(table, "float64").tobytes()
    truth = fitted.truth(table)
    assert back.scale_target(truth).tobytes() == fitted.scale_target(truth).tobytes()
    assert back.unscale_target(truth).tobytes() == fitted.unscale_target(truth).tobytes()


@pytest.mark.parametrize("classes", [("u", "ü v"), (False, True), (-1, 3, 10**12)], ids=str)
def test_json_round_trip_keeps_the_classes(classes: tuple[Any, ...]) -> None:
    column = Texts.of(classes * 2) if isinstance(classes[0], str) else np.array(classes * 2)
    table = Table("t.csv", {"a": np.arange(len(column)), "y": column}, "")
    fitted = Encoder.fit(table, np.arange(len(column)), dict.fromkeys(["a"], "number"), ["y"], classes, Preprocessing())
    back = Encoder.from_json(json.loads(json.dumps(fitted.to_json())), Preprocessing())
    assert back.classes == classes
    assert list(map(type, back.classes or ())) == list(map(type, classes))
    assert back.truth(table).tolist() == [*range(len(classes))] * 2


# --- predictions ------------------------------------------------------------------------------------------------------

LINE = "a,y\n" + "".join(f"{a},{5000 + 100 * a}\n" for a in range(20))
PLANE = "a,b,y,z\n" + "".join(f"{a},{b},{5000 + 100 * a},{0.01 * b}\n" for a in range(6) for b in range(6))


def test_regression_predicts_in_the_units_of_the_target(train: Train, tmp_path: Path) -> None:
    run = train(LINE, epochs=200, lr=0.1)
    answer = predicted(run, tmp_path, "a\n0\n10\n19\n")
    assert list(answer) == ["prediction"]
    np.testing.assert_allclose(answer["prediction"], [5000, 6000, 6900], rtol=1e-3)


def test_several_targets_are_each_predicted_in_their_units(train: Train, tmp_path: Path) -> None:
    run = train(PLANE, 2, ["y", "z"], epochs=200, lr=0.1)
    answer = predicted(run, tmp_path, "b,a\n0,0\n5,2\n")
    assert list(answer) == ["prediction_y", "prediction_z"]
    np.testing.assert_allclose(answer["prediction_y"], [5000, 5200], rtol=1e-3)
    np.testing.assert_allclose(answer["prediction_z"], [0, 0.05], atol=1e-4)


def test_metrics_of_a_regression_are_in_the_units_of_the_target(train: Train, tmp_path: Path) -> None:
    run = train(PLANE, 2, ["y", "z"], metrics=["mae", "rmse", "r2"])
    found = evaluated(run, tmp_path, PLANE)
    answer = predicted(run, tmp_path, PLANE)
    y_hat = np.stack([answer["prediction_y"], answer["prediction_z"]], axis=1)
    y = np.array([row.split(",")[2:] for row in PLANE.splitlines()[1:]], float)
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(y, y_hat))
    assert found["rmse"] == pytest.approx(np.sqrt(reference.mean_squared_error(y, y_hat)))
    assert found["r2"] == pytest.approx(reference.r2_score(y, y_hat))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        pytest.param(["u", "v"], ["u", "v"], id="text"),
        pytest.param(["grün", '"p, q"', '"say ""x"""'], ["grün", "p, q", 'say "x"'], id="text in need of quotes"),
        pytest.param(["3", "10"], ["3", "10"], id="whole numbers"),
        pytest.param(["3.0", "-1.0"], ["3", "-1"], id="whole numbers with a point"),
        pytest.param(["false", "true"], ["false", "true"], id="booleans"),
        pytest.param(["2020-01-01", "2021-01-01"], ["2020-01-01", "2021-01-01"], id="dates"),
        pytest.param(["3", "ten"], ["3", "ten"], id="numbers among texts"),
    ],
)
def test_predictions_are_written_with_the_labels_of_the_data(
    train: Train, tmp_path: Path, labels: list[str], words: list[str]
) -> None:
    run = train(classes_table(labels), len(labels), loss="cross_entropy", epochs=300, lr=1.0)
    answer = predicted(run, tmp_path, "a\n" + "".join(f"{i + 0.15}\n" for i in range(len(labels))))
    file = io.BytesIO()
    write_csv(answer, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))
    assert [row["prediction"] for row in rows] == words
    assert set(rows[0]) == {"prediction", *(f"probability_{word}" for word in words)}
    for row in rows:
        probabilities = {name: float(p) for name, p in row.items() if name != "prediction"}
        assert max(probabilities, key=lambda name: probabilities[name]) == f"probability_{row['prediction']}"
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_order_and_further_columns_change_no_byte(train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names, X = "abcdefg", rng.normal(size=(50, 7)).round(3)
    rows = "\n".join(",".join(map(str, row)) for row in X)
    run = train(f"{','.join(names)}\n{rows}\n", 3, target="g", layers=[{"linear": 9}, "tanh", {"linear": 1}])
    order = rng.permutation(7)
    shuffled = "\n".join(",".join(map(str, row)) + ",text" for row in X[:, order])
    first = predicted(run, tmp_path, f"{','.join(names)}\n{rows}\n")
    other = predicted(run, tmp_path, f"{','.join(names[i] for i in order)},note\n{shuffled}\n")
    assert first["prediction"].tobytes() == other["prediction"].tobytes()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param("lenght,width", r"'length'.*'lenght'", id="swapped letters"),
        pytest.param("LENGTH,width", r"'length'.*'LENGTH'", id="other case"),
        pytest.param("p,q", r"2 columns: 'length' and 'width'$", id="nothing near"),
    ],
)
def test_a_missing_column_is_named_with_the_nearest_one(
    train: Train, tmp_path: Path, header: str, message: str
) -> None:
    run = train("length,width,y\n1,2,0\n2,3,1\n")
    with pytest.raises(DataError, match=rf"^new\.csv lacks .*{message}"):
        predicted(run, tmp_path, f"{header}\n1,2\n")


def test_of_many_missing_columns_only_some_are_listed(train: Train, tmp_path: Path) -> None:
    names = ",".join(f"column{i}" for i in range(20))
    run = train(f"{names},y\n{','.join('1' * 21)}\n{','.join('2' * 21)}\n")
    with pytest.raises(DataError, match=r"^new\.csv lacks 20 columns: .* and 15 more$"):
        predicted(run, tmp_path, "y\n1\n")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        pytest.param("", "empty", id="gap"),
        pytest.param("five", "'five'", id="text"),
        pytest.param("inf", "inf", id="infinity"),
        pytest.param("1e300", r"1e\+?300", id="number beyond the net's dtype"),
    ],
)
def test_an_unusable_input_is_refused_with_its_line(train: Train, tmp_path: Path, cell: str, found: str) -> None:
    run = train(LINE)
    with pytest.raises(DataError, match=rf"^new\.csv, line 3: column 'a' .*{found}"):
        predicted(run, tmp_path, f"a,b\n1,0\n{cell},0\n")


@pytest.mark.parametrize(
    ("labels", "cells", "found"),
    [
        pytest.param(["u", "v"], ["u", "w"], "should hold .*found 'w'", id="text"),
        pytest.param(["u", "v"], ["u", ""], "is empty", id="gap among texts"),
        pytest.param(["1", "2"], ["1", "3"], "should hold .*found '3'", id="number"),
        pytest.param(["1", "2"], ["1", "2.5"], "should hold .*found '2.5'", id="fraction"),
        pytest.param(["1", "2"], ["1", ""], "is empty", id="gap among numbers"),
        pytest.param(["1", "2"], ["1", "two"], "should hold .*found 'two'", id="text among numbers"),
        pytest.param(["true", "false"], ["true", "maybe"], "should hold .*found 'maybe'", id="text among booleans"),
        pytest.param(["true", "false"], ["true", ""], "is empty", id="gap among booleans"),
    ],
)
def test_an_unknown_label_is_named_with_its_line(
    train: Train, tmp_path: Path, labels: list[str], cells: list[str], found: str
) -> None:
    run = train(classes_table(labels), 2, loss="cross_entropy")
    with pytest.raises(DataError, match=rf"^new\.csv, line 3: the target 'y' {found}"):
        evaluated(run, tmp_path, "a,y\n" + "".join(f"0,{cell}\n" for cell in cells))


@pytest.mark.parametrize(
    ("labels", "cells"),
    [
        pytest.param(["1", "2", "other"], ["2", "1"], id="that look like numbers"),
        pytest.param(["true", "false", "other"], ["true", "false"], id="that look like booleans"),
        pytest.param(["1", "2", "3"], ["2.0", "1"], id="that are written with a point"),
        pytest.param(["u", "v", "w"], ["v"], id="of a single class"),
    ],
)
def test_labels_of_rows_to_evaluate_may_be_written_differently(
    train: Train, tmp_path: Path, labels: list[str], cells: list[str]
) -> None:
    run = train(classes_table(labels), 3, loss="cross_entropy")
    assert evaluated(run, tmp_path, "a,y\n" + "".join(f"0,{cell}\n" for cell in cells))["rows"] == len(cells)


def test_evaluation_repeats_the_figures_of_training(train: Train, tmp_path: Path) -> None:
    run = train(classes_table(["u", "v"]), 2, loss="cross_entropy")
    assert evaluated(run, tmp_path, classes_table(["u", "v"])) == run.metrics()["train"]
