"""Columns of every kind, from a file and a config to a net and its answers."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data import encoder
from nnfs_cli.data import table as data_table
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.file_source import source_for
from nnfs_cli.data.parquet import source as parquet_source
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.steps.embedding import Embedding
from nnfs_cli.data.steps.target_mean import TargetMean
from nnfs_cli.data.table import Table
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.experiment import read_data
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.run import Run
from tests.conftest import weights_of

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

Row = dict[str, Any]

CITIES = ("Rome", "Oslo", "Paris", "São Paulo", None)
LABELS = ("low", "mid", "high")


def rows(n: int = 240, seed: int = 0) -> list[Row]:
    """A target that depends on numbers with gaps, words, dates and truth values; and which part each row is of."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        city, grade = rng.integers(len(CITIES)), rng.integers(3)
        area, built = round(float(rng.lognormal(4, 0.6)), 2), int(rng.integers(1900, 2020))
        when = datetime(2020, 1, 1) + timedelta(days=int(rng.integers(1500)), minutes=int(rng.integers(1440)))
        garden = bool(rng.integers(2))
        y = np.log(area) + city / 2 + grade - (built - 1960) / 60 + garden + when.month / 6 + rng.normal() / 10
        found.append(
            {
                "city": CITIES[city],
                "grade": ("C", "B", "A")[grade],
                "shop": f"s{rng.integers(30)}",
                "code": f"{int(rng.integers(12)):05d}",
                "area": area,
                "built": None if i % 9 == 4 else built,
                "rooms": int(rng.integers(1, 6)),
                "when": when if i % 11 != 5 else None,
                "day": when.date(),
                "garden": garden,
                "price": round(float(np.exp(y)), 3),
                "dear": bool(y > 7),
                "class": LABELS[int(np.searchsorted([6.2, 7.8], y))],
                "part": ("train", "train", "train", "validation", "test")[i % 5],
            }
        )
    return found


def text(table: Iterable[Row], names: Iterable[str] | None = None) -> str:
    """CSV."""
    table = list(table)
    file = io.StringIO()
    names = list(names or table[0])
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for row in table:
        cells = ("" if row[name] is None else row[name] for name in names)
        writer.writerow(str(cell).lower() if isinstance(cell, bool) else cell for cell in cells)
    return file.getvalue()


TARGETS = ("price", "dear", "class")
EVERYTHING: dict[str, Any] = {
    "numbers": ["impute", "standardize"],
    "categories": "one_hot",
    "dates": "calendar",
    "columns": {
        "grade": {"ordinal": ["C", "B", "A"]},
        "shop": {"embedding": 3},
        "code": {"target_mean": {"smoothing": 2}},
        "area": ["log1p", "robust"],
        "built": [{"impute": "mean"}, {"clip": {"low": 0.1}}, {"quantile": 20}],
        "rooms": {"hashing": 8},
        "day": {"calendar": ["trend", "weekend"]},
    },
}


def settings(target: str = "price", preprocessing: Any = None, **changes: Any) -> dict[str, Any]:
    """A small net for one of the targets."""
    classes = {"price": 0, "dear": 2, "class": 3}[target]
    preprocessing = EVERYTHING if preprocessing is None else preprocessing
    return {
        "dataset": {"csv": {"path": "t.csv", "target": target, "drop": [name for name in TARGETS if name != target]}},
        "split": {"column": "part"},
        "preprocessing": preprocessing if classes else {**preprocessing, "target": ["log1p", "standardize"]},
        "layers": [{"linear": 8}, "tanh", {"linear": classes or 1}],
        "loss": "cross_entropy" if classes else "mse",
        "optimizer": "adam",
        "lr": 0.02,
        "epochs": 8,
        **changes,
    }


class Folder:
    """A place for a table, a config and runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: str) -> Path:
        (self.path / name).write_text(content, encoding="utf-8", newline="")
        return self.path / name

    def spec(self, table: str | list[Row], **config: Any) -> Config:
        self.write("t.csv", table if isinstance(table, str) else text(table))
        return Config.load(self.write("c.yaml", yaml.safe_dump(config, allow_unicode=True)))

    def train(self, table: str | list[Row], **config: Any) -> Run:
        experiment = workflows.prepare(self.spec(table, **config))
        run = workflows.begin(experiment, self.path / "runs")
        workflows.train(experiment, run)
        return run

    def refused(self, table: str | list[Row], **config: Any) -> str:
        with pytest.raises((DataError, ConfigError)) as caught:
            workflows.prepare(self.spec(table, **config))
        assert not (self.path / "runs").exists()
        return str(caught.value)

    def answers(self, predictor: Predictor, name: str, content: str) -> dict[str, list[Any]]:
        """What a trained net says to the rows of a CSV."""
        path = self.write(name, content)
        dataset = source_of(path, predictor)
        tables = [predictor.predict(table) for table in dataset]
        return {name: [cell for table in tables for cell in table[name].tolist()] for name in tables[0]}


def source_of(path: Path, predictor: Predictor) -> Iterable[Table]:
    return source_for(path, predictor.spec.dataset).chunks(predictor.encoder.kinds)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def piecemeal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows at a time wherever there would be thousands."""
    monkeypatch.setattr(encoder, "ROWS_IN_CACHE", 13)
    monkeypatch.setattr(data_table, "ROWS_AT_ONCE", 29)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(parquet_source, "ROWS", 41)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a config needs so that no table is held in memory, on a machine that is small enough."""
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr(read_data, "_size", lambda source: 10**12)
    return {"memory_limit": "20 MB"}


# --- from training to figures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_columns_of_every_kind_are_learned_from(target: str, folder: Folder) -> None:
    run = folder.train(rows(600), **settings(target, epochs=40))
    held_back = run.metrics()["test"]
    assert held_back["r2" if target == "price" else "accuracy"] > 0.7
    encoder = workflows.restore(run).encoder
    assert encoder.kinds == {
        "city": "category", "grade": "category", "shop": "category", "code": "category", "area": "number",
        "built": "number", "rooms": "category", "when": "date", "day": "date", "garden": "number",
    }  # fmt: skip
    assert list(encoder.names[:5]) == ["city=Oslo", "city=Paris", "city=Rome", "city=São Paulo", "city=(empty)"]
    assert {"when trend", "when is empty", "day weekend", "built is empty", "rooms=bucket 8"} <= set(encoder.names)
    assert "garden is empty" not in encoder.names
    assert weights_of(run, "best")["lookup.shop.weight"].shape == (30, 3)
    widths = len(encoder.names) + 3 - 1
    assert weights_of(run, "best")["0.weight"].shape == (widths, 8)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("split", [{"column": "part"}, {"validation": 0.2, "test": 0.2}], ids=["column", "random"])
def test_evaluation_of_every_part_is_what_training_ended_with(
    target: str, split: dict[str, Any], folder: Folder
) -> None:
    """Of the training rows too, which do not see their own target in the mean of their word."""
    config = settings(target, split=split)
    if "column" not in split:
        config["dataset"]["csv"]["drop"].append("part")
    run = folder.train(rows(), **config)
    reported = {part: run.metrics()[part] for part in ("train", "validation", "test")}
    assert workflows.evaluate(run, ["train", "validation", "test"]) == reported
    (as_new,) = workflows.evaluate(run, input_file=folder.path / "t.csv").values()
    assert as_new["rows"] == 240


@pytest.mark.usefixtures("piecemeal")
def test_pieces_of_any_size_train_and_evaluate_to_the_same(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    small = folder.train(rows(), **settings())
    figures = workflows.evaluate(small, ["train", "validation", "test"])
    of_file = workflows.evaluate(small, input_file=folder.path / "t.csv")["input"]
    monkeypatch.undo()
    large = folder.train(rows(), **settings())
    assert small.records.data() == large.records.data()
    assert {name: array.tobytes() for name, array in weights_of(small, "last").items()} == {
        name: array.tobytes() for name, array in weights_of(large, "last").items()
    }
    assert figures == workflows.evaluate(large, ["train", "validation", "test"])
    assert of_file == pytest.approx(workflows.evaluate(large, input_file=folder.path / "t.csv")["input"], rel=1e-5)


def test_rows_from_the_disk_are_evaluated_as_training_ended(folder: Folder, streamed: dict[str, Any]) -> None:
    run = folder.train(rows(), **settings(**streamed))
    reported = {part: run.metrics()[part] for part in ("train", "validation", "test")}
    assert workflows.evaluate(run, ["train", "validation", "test"]) == reported
    held = folder.train(rows(), **settings())
    assert held.records.data()["fitted"] == run.records.data()["fitted"]


@pytest.mark.parametrize("target", TARGETS)
def test_training_rows_are_left_out_of_the_mean_that_they_get(target: str, folder: Folder) -> None:
    """Closed form: of the rows of the other folds, and for rows that come later of all training rows."""
    table = rows()
    step = TargetMean(smoothing=2.0, folds=4)
    columns = {"code": {"target_mean": {"smoothing": 2, "folds": 4}}}
    config = settings(target, {**EVERYTHING, "columns": columns})
    predictor_of = workflows.prepare(folder.spec(table, **config))
    places = [i for i, name in enumerate(predictor_of.predictor.encoder.names) if name.startswith("code")]
    training = [row for row in table if row["part"] == "train"]
    if target == "price":
        y = np.array([[row["price"]] for row in training])
    elif target == "dear":
        y = np.array([[float(row["dear"])] for row in training])
    else:
        y = np.array([[float(row["class"] == label) for label in sorted(LABELS)] for row in training])
    words = np.array([row["code"] for row in training])
    folds = step.assign_folds(len(training), seed=0)

    def mean(word: str, of: np.ndarray) -> np.ndarray:
        z = (y[of] - y[of].mean(axis=0)) / y[of].std(axis=0)
        own = z[words[of] == word]
        return own.sum(axis=0) / (len(own) + 2)

    expected = [mean(word, folds != fold) for word, fold in zip(words, folds, strict=True)]
    np.testing.assert_allclose(predictor_of.splits["train"].X[:, places], expected, atol=1e-6)
    later = [mean(row["code"], folds >= 0) for row in table if row["part"] == "validation"]
    np.testing.assert_allclose(predictor_of.splits["validation"].X[:, places], later, atol=1e-6)


def test_training_rows_on_the_disk_do_not_know_their_own_target_either(
    folder: Folder, streamed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where statistics are those of some of them: every word stands in two rows, whose targets are drawn apart."""
    monkeypatch.setattr(read_data.Budget, "rows", lambda budget, row_bytes: 1_500)
    rng = np.random.default_rng(0)
    y = rng.normal(size=2_000)
    table = "code,y\n" + "".join(f"w{i // 2},{value}\n" for i, value in enumerate(y.tolist()))
    config = settings(
        "price", {"columns": {"code": {"target_mean": {"smoothing": 0, "folds": 2}}}}, split=0, **streamed
    )
    config["dataset"]["csv"] = {"path": "t.csv", "target": "y"}
    experiment = workflows.prepare(folder.spec(table, **config))
    assert len(experiment.learned) == 2_000
    x, own, _ = experiment.learned.take(slice(0, 2_000))
    assert abs(np.corrcoef(x[:, 0], own[:, 0])[0, 1]) < 0.1  # of 2,000 independent pairs: 4.5 standard deviations


# --- nothing that is held back teaches anything -----------------------------------------------------------------------

EXAMPLES = [
    pytest.param(name, example, id=example)
    for name, member in PreprocessingStep.registered.items()
    for example in [*member.examples, *({f"{name}: {{unseen: other}}"} if "unseen" in member.model_fields else set())]
]


def words_for(example: str) -> tuple[str, ...]:
    """A few, which an order has to name."""
    return tuple(yaml.safe_load(example)["ordinal"]) if example.startswith("ordinal: [") else ("dry", "wet", "icy")


def poisonable(step: type[PreprocessingStep], example: str, poison: bool) -> list[Row]:
    """Rows whose held back ones are as the others are, or poison: of other words, sizes, dates, gaps and targets."""
    rng = np.random.default_rng(1)
    takes = words_for(example)
    found = []
    for i in range(120):
        part = ("train", "train", "validation", "test")[i % 4]
        poisoned = poison and part != "train"
        x: Any
        if issubclass(step, CategoryStep):
            x = takes[int(rng.integers(len(takes)))]
            if poisoned:
                x = "never seen" if "unseen: other" in example or step.name in ("hashing", "target_mean") else takes[0]
        elif issubclass(step, DateStep):
            x = datetime(2020, 1, 1) + timedelta(hours=int(rng.integers(20_000)))
            x = datetime(1820, 2, 29, 23, 59, 59) if poisoned else x
        else:
            x = round(float(rng.normal()), 3)
            x = (None if step.name == "impute" and i % 3 else 1e6) if poisoned else x
        a = round(float(rng.normal()), 3)
        y = round(float(rng.normal()) + a, 3) * (-1e4 if poisoned else 1)
        found.append({"x": x, "a": a * (1e3 if poisoned else 1), "y": y, "part": part})
    return found


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
@pytest.mark.parametrize("where", ["held", "on disk"])
def test_poison_in_rows_that_are_held_back_changes_nothing_that_is_learned(
    name: str, example: str, where: str, folder: Folder, request: pytest.FixtureRequest
) -> None:
    step = PreprocessingStep.registered[name]
    limit = request.getfixturevalue("streamed") if where == "on disk" else {}
    preprocessing: dict[str, Any] = {"columns": {"x": yaml.safe_load(example)}}
    if issubclass(step, NumberStep) and step.invertible:
        preprocessing["target"] = yaml.safe_load(example)
    runs = []
    for poison in (False, True):
        config = settings("price", preprocessing, epochs=2, **limit)
        config["dataset"]["csv"] = {"path": "t.csv", "target": "y"}
        config["preprocessing"] = preprocessing
        runs.append(folder.train(poisonable(step, example, poison), **config))
    clean, poisoned = runs
    assert clean.records.data()["fitted"] == poisoned.records.data()["fitted"]
    assert clean.records.data()["inputs"] == poisoned.records.data()["inputs"]
    assert {key: array.tobytes() for key, array in weights_of(clean, "last").items()} == {
        key: array.tobytes() for key, array in weights_of(poisoned, "last").items()
    }
    assert [row["train_loss"] for row in clean.epochs()] == [row["train_loss"] for row in poisoned.epochs()]
    assert clean.metrics()["test"] != poisoned.metrics()["test"]


def test_poison_in_training_rows_does_change_what_is_learned(folder: Folder) -> None:
    """Else the test above would tell nothing."""
    config = settings()
    for column, value in {
        "city": "Bonn",
        "code": "zz",
        "shop": "s99",
        "area": 1e6,
        "when": datetime(1900, 1, 1),
    }.items():
        fits = []
        for poison in (False, True):
            table = rows()
            if poison:
                table[0][column] = value
            assert table[0]["part"] == "train"
            fits.append(workflows.prepare(folder.spec(table, **config)).description["fitted"])
        assert fits[0] != fits[1], column


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=TARGETS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A net for columns of every kind."""
    place = Folder(tmp_path_factory.mktemp("trained"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return workflows.restore(place.train(rows(), **settings(request.param)))


def inputs(n: int = 40) -> list[Row]:
    """New rows, with words that training rows held."""
    return [{name: cell for name, cell in row.items() if name not in (*TARGETS, "part")} for row in rows(n, seed=5)]


def test_columns_in_200_orders_give_the_same_bits(trained: Predictor, folder: Folder) -> None:
    new, rng = inputs(), np.random.default_rng(0)
    names = list(new[0])
    expected = folder.answers(trained, "rows.csv", text(new))
    for _ in range(200):
        shuffled = [names[i] for i in rng.permutation(len(names))]
        assert folder.answers(trained, "rows.csv", text(new, shuffled)) == expected


def as_arrow(new: list[Row], dictionary: bool) -> pa.Table:
    """The same rows with the types that a database would give them."""
    columns = {name: [row[name] for row in new] for name in new[0]}
    types = {
        "area": pa.float64(), "built": pa.int16(), "rooms": pa.int8(), "when": pa.timestamp("ms"), "day": pa.date32(),
        "garden": pa.bool_(), "price": pa.float64(), "dear": pa.bool_(),
    }  # fmt: skip
    word = pa.dictionary(pa.int32(), pa.string()) if dictionary else pa.large_string()
    return pa.table({name: pa.array(cells, types.get(name, word)) for name, cells in columns.items()})


def assert_alike(found: Mapping[str, list[Any]], expected: Mapping[str, list[Any]]) -> None:
    assert list(found) == list(expected)
    for name, cells in expected.items():
        numbers = isinstance(cells[0], float)
        assert found[name] == (pytest.approx(cells, rel=1e-5, abs=1e-6) if numbers else cells)


def test_rows_alone_are_answered_as_together(trained: Predictor, folder: Folder) -> None:
    new = inputs()
    together = folder.answers(trained, "rows.csv", text(new))
    alone = [folder.answers(trained, "row.csv", text([row])) for row in new]
    assert_alike({name: [answer[name][0] for answer in alone] for name in together}, together)


@pytest.mark.parametrize("size", [1, 2, 7, 39])
def test_chunks_of_any_size_are_answered_as_the_whole(
    size: int, trained: Predictor, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = inputs()
    whole = folder.answers(trained, "rows.csv", text(new))
    parquet.write_table(as_arrow(new, dictionary=False), folder.path / "rows.parquet", row_group_size=size)
    monkeypatch.setattr(encoder, "ROWS_IN_CACHE", size)
    monkeypatch.setattr(parquet_source, "ROWS", size)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 60 * size)
    tables = list(source_of(folder.path / "rows.csv", trained))
    assert len(tables) > 1
    assert_alike(folder.answers(trained, "rows.csv", text(new)), whole)
    pieces = [trained.predict(table) for table in source_of(folder.path / "rows.parquet", trained)]
    assert len(pieces) > 1
    assert_alike({name: [cell for p in pieces for cell in p[name].tolist()] for name in whole}, whole)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.usefixtures("piecemeal")
def test_answers_come_in_blocks_or_all_at_once(target: str, folder: Folder) -> None:
    run, new = folder.train(rows(), **settings(target)), folder.write("rows.csv", text(inputs(100)))
    predictions = workflows.predictions(run, new)
    blocks = list(predictions)
    assert len(blocks) > 1
    assert predictions.rows == 100
    whole = workflows.predict(run, new)
    for name, column in whole.items():
        assert [cell for block in blocks for cell in block[name].tolist()] == column.tolist()


@pytest.mark.parametrize("dictionary", [False, True])
def test_parquet_is_answered_as_csv(dictionary: bool, trained: Predictor, folder: Folder) -> None:
    new = inputs()
    parquet.write_table(as_arrow(new, dictionary), folder.path / "rows.parquet")
    (table,) = source_of(folder.path / "rows.parquet", trained)
    answer = {name: column.tolist() for name, column in trained.predict(table).items()}
    assert_alike(answer, folder.answers(trained, "rows.csv", text(new)))


@pytest.mark.parametrize("target", TARGETS)
def test_training_on_parquet_is_training_on_csv(target: str, folder: Folder) -> None:
    """The text of a number in a CSV is that of a number in Parquet: columns taken for words hold the same ones."""
    from_csv = folder.train(rows(), **settings(target))
    parquet.write_table(as_arrow(rows(), dictionary=True), folder.path / "t.parquet", row_group_size=50)
    config = settings(target)
    config["dataset"] = {"parquet": {**config["dataset"]["csv"], "path": "t.parquet"}}
    from_parquet = folder.train(rows(), **config)
    assert from_parquet.records.data()["fitted"] == from_csv.records.data()["fitted"]
    assert from_parquet.metrics() == from_csv.metrics()


def test_several_files_are_one_table(folder: Folder) -> None:
    whole = folder.train(rows(), **settings())
    header, *lines = text(rows()).splitlines(keepends=True)
    for i, start in enumerate(range(0, len(lines), 100)):
        folder.write(f"part-{i}.csv", header + "".join(lines[start : start + 100]))
    config = settings()
    config["dataset"]["csv"]["path"] = "part-*.csv"
    run = folder.train(rows(), **config)
    assert run.records.data()["fitted"] == whole.data()["fitted"]
    assert run.metrics() == whole.metrics()
    assert workflows.evaluate(run, ["test"])["test"] == whole.metrics()["test"]
    assert_alike(
        {"prediction": workflows.predict(run, folder.path / "part-*.csv")["prediction"].tolist()},
        {"prediction": workflows.predict(run, folder.path / "t.csv")["prediction"].tolist()},
    )


# --- which columns are inputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["group", "hash"])
def test_a_column_that_rows_are_divided_by_is_an_input_only_where_it_is_named(way: str, folder: Folder) -> None:
    column = {"group": "shop", "hash": "code"}[way]
    names = []
    for columns in ({}, {column: "hashing"}):
        config = settings("price", {**EVERYTHING, "columns": columns}, split={"validation": 0.3, way: column})
        config["preprocessing"]["columns"] = columns
        names.append(set(workflows.prepare(folder.spec(rows(), **config)).predictor.encoder.kinds))
    assert names[0] ^ names[1] == {column}


def test_words_in_rows_that_weigh_nothing_are_not_seen(folder: Folder) -> None:
    """Nor do they hinder when such rows are to be evaluated."""
    table = SIMPLE.replace(",y\n", ",y,w\n").replace("\n", ",1\n").replace("y,w,1", "y,w")
    table += "5,5,wild,2024-01-01,5,0\n"
    run = folder.train(table, **plain({"categories": "one_hot", "dates": "calendar"}, csv={"weight": "w"}))
    assert "word=wild" not in workflows.restore(run).encoder.names
    assert run.records.data()["rows"] == {"train": 40}
    assert workflows.evaluate(run, input_file=folder.path / "t.csv")["input"] == pytest.approx(run.metrics()["train"])
    classes = SIMPLE + "5,5,wild,2024-01-01,none\n"
    config = plain(ALL, class_weights={"none": 0}, loss="cross_entropy", layers=[{"linear": 41}])
    run = folder.train(classes, **config | {"preprocessing": ALL})
    assert "word=wild" not in workflows.restore(run).encoder.names
    assert workflows.evaluate(run, input_file=folder.path / "t.csv")["input"] == pytest.approx(run.metrics()["train"])


# --- what an embedding learns -----------------------------------------------------------------------------------------


def test_words_that_act_alike_get_vectors_alike(folder: Folder) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(8)]
    table = [{"x": words[i % 8], "y": (i % 8 < 4) * 3.0 + rng.normal() / 20} for i in range(400)]
    config = settings(
        "price", {"columns": {"x": {"embedding": 2}}}, layers=[{"linear": 1}], epochs=40, lr=0.05, split=0
    )
    config["dataset"]["csv"] = {"path": "t.csv", "target": "y"}
    run = folder.train(table, **config)
    vectors = weights_of(run, "last")["lookup.x.weight"]
    assert vectors.shape == (8, 2)
    between = np.linalg.norm(vectors[:4].mean(axis=0) - vectors[4:].mean(axis=0))
    within = max(np.linalg.norm(half - half.mean(axis=0), axis=1).max() for half in (vectors[:4], vectors[4:]))
    assert between > 3 * within
    assert run.metrics()["train"]["r2"] > 0.98


@pytest.mark.parametrize(
    ("column", "n_words", "width"), [("a.b/c: ü", 5, 4), ("weight", 2, 2), ("_inner", 1, 2), ("x", 900, 50)]
)
def test_the_vectors_are_kept_under_the_name_of_their_column(
    column: str, n_words: int, width: int, folder: Folder
) -> None:
    """Whatever that is; and they are as long as fastai's rule says: min(50, round(1.6 n^0.56))."""
    assert width == min(50, round(1.6 * n_words**0.56))
    table = [{column: f"w{i % n_words}", "a": i % 7, "y": i % 5} for i in range(1000)]
    config = settings("price", {"columns": {column: "embedding"}}, epochs=1, split=0)
    config["dataset"]["csv"] = {"path": "t.csv", "target": "y"}
    run = folder.train(table, **config)
    assert weights_of(run, "best")[f"lookup.{column}.weight"].shape == (n_words, width)
    assert workflows.evaluate(run, ["train"])["train"] == run.metrics()["train"]


def test_a_word_without_a_vector_of_its_own_is_all_zeros(folder: Folder) -> None:
    columns = {"shop": {"embedding": {"size": 3, "unseen": "other"}}, "code": {"embedding": {"min_frequency": 15}}}
    run = folder.train(rows(), **settings("price", {**EVERYTHING, "columns": columns}))
    predictor = workflows.restore(run)
    steps = {group.column: group for group in predictor.encoder.inputs if hasattr(group, "step")}  # type: ignore[union-attr]
    rare = steps["code"]
    assert isinstance(rare.step, Embedding)
    assert rare.fit["other"]
    assert weights_of(run, "best")["lookup.code.weight"].shape[0] == len(rare.fit["levels"]) + 1
    new = inputs(3)
    codes = [
        folder.answers(predictor, "rows.csv", text([row | {"code": word} for row in new])) for word in ("new", "newer")
    ]
    assert codes[0] == codes[1]
    shops = [
        folder.answers(predictor, "rows.csv", text([row | {"shop": word} for row in new])) for word in ("new", "s1")
    ]
    assert shops[0] != shops[1]
    table = predictor.model.parameters.arrays["lookup.shop.weight"]
    table[steps["shop"].fit["levels"].index("s1")] = 0
    assert folder.answers(predictor, "rows.csv", text([row | {"shop": "s1"} for row in new])) == shops[0]


# --- what is refused --------------------------------------------------------------------------------------------------

SIMPLE = "a,b,word,when,y\n" + "".join(f"{i},{i % 7},{'uvw'[i % 3]},2024-01-{i % 28 + 1:02},{i}\n" for i in range(40))
ALL = {"numbers": ["impute", "standardize"], "categories": "one_hot", "dates": "calendar"}


def plain(preprocessing: Any, **changes: Any) -> dict[str, Any]:
    """A config for the table above."""
    dataset = {"csv": {"path": "t.csv", "target": "y", **changes.pop("csv", {})}}
    return settings("price", preprocessing, dataset=dataset, split=0, epochs=1, **changes)


@pytest.mark.parametrize(
    ("preprocessing", "table", "message"),
    [
        pytest.param(
            {"dates": "calendar"}, SIMPLE,
            "t.csv, line 2: column 'word' should hold numbers, found 'u'\n"
            "correct the file, or encode categories with  preprocessing: {categories: one_hot},"
            " or leave columns out with  drop: [word]",
            id="words without a step",
        ),
        pytest.param(
            {"categories": "one_hot"}, SIMPLE,
            "t.csv: column 'when' holds dates\n"
            "correct the file, or encode dates with  preprocessing: {dates: calendar},"
            " or leave columns out with  drop: [when]",
            id="dates without a step",
        ),
        pytest.param(
            {**ALL, "numbers": "standardize"}, SIMPLE.replace("\n7,0,", "\n7,,"),
            "t.csv, line 9: column 'b' is empty\n"
            "correct the file, or fill gaps with  preprocessing: {numbers: [impute, standardize]},"
            " or leave columns out with  drop: [b]",
            id="a gap without a step",
        ),
        pytest.param(
            {**ALL, "columns": {"b": "robust"}}, SIMPLE.replace("\n7,0,", "\n7,,"),
            "t.csv, line 9: column 'b' is empty\n",
            id="a gap in a column whose own step takes none",
        ),
        pytest.param(
            ALL, SIMPLE.replace("\n7,0,", "\n7,O,"),
            "t.csv, line 9: column 'b' should hold numbers, found 'O'\n"
            "correct the file, or leave columns out with  drop: [b]",
            id="a typo among numbers",
        ),
        pytest.param(
            ALL, SIMPLE.replace("\n7,0,", "\n7,NA,").replace("\n14,0,", "\n14,NA,"),
            "t.csv, line 9: column 'b' should hold numbers, found 'NA'; if it means an empty cell, set  null: ['NA']\n",
            id="a token among numbers",
        ),
        pytest.param(
            {**ALL, "columns": {"word": "log1p"}}, SIMPLE, "line 2: column 'word' should hold numbers, found 'u'",
            id="a step for numbers for a column of words",
        ),
        pytest.param(
            {**ALL, "columns": {"word": "calendar"}}, SIMPLE,
            "line 2: column 'word' should hold dates, as in 2026-01-31 or 2026-01-31 12:30:00, found 'u'",
            id="a step for dates for a column of words",
        ),
        pytest.param(
            {**ALL, "columns": {"when": "log1p"}}, SIMPLE,
            "line 2: column 'when' should hold numbers, found '2024-01-01'",
            id="a step for numbers for a column of dates",
        ),
        pytest.param(
            {**ALL, "columns": {"a": "calendar"}}, SIMPLE, "line 2: column 'a' should hold dates",
            id="a step for dates for a column of numbers",
        ),
        pytest.param(
            {**ALL, "columns": {"word": {"ordinal": ["u", "v"]}}}, SIMPLE,
            "column 'word' holds categories missing from its order, such as 'w', in 13 rows",
            id="a word that has no place in its order",
        ),
        pytest.param(
            {**ALL, "columns": {"b": ["impute", "log1p"]}}, "a,b,y\n" + "1,,1\n2,,2\n3,,3\n",
            "column 'b' is empty in every training row, so it has no median to fill in; drop the column",
            id="nothing but gaps",
        ),
        pytest.param(
            ALL, SIMPLE.replace("\n7,0,", "\n7,inf,"), "line 9: column 'b' should hold finite numbers, found 'inf'",
            id="an infinity",
        ),
        pytest.param(
            ALL, "a,b,y\n" + "".join(f"{i},x{i},{i}\n" for i in range(1200)),
            "column 'b' holds 1,200 different categories in 1,200 rows, and one_hot takes at most 1,000; use embedding"
            " or hashing, set max_categories, or drop the column",
            id="too many words",
        ),
        pytest.param(
            {**ALL, "columns": {"wrod": "one_hot"}}, SIMPLE, "t.csv has no column 'wrod'; did you mean 'word'?",
            id="a column that is not there",
        ),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_used_as_they_are_say_why_and_what_helps(
    preprocessing: Any, table: str, message: str, folder: Folder
) -> None:
    assert message in folder.refused(table, **plain(preprocessing))


@pytest.mark.parametrize(
    "remedy",
    [
        {"preprocessing": {**ALL, "columns": {"b": "one_hot"}}},
        {"preprocessing": ALL, "csv": {"null": ["NA"]}},
        {"preprocessing": ALL, "csv": {"drop": ["b"]}},
    ],
    ids=["said to be words", "said to be gaps", "dropped"],
)
def test_what_the_message_suggests_helps(remedy: dict[str, Any], folder: Folder) -> None:
    table = SIMPLE.replace("\n7,0,", "\n7,NA,").replace("\n14,0,", "\n14,NA,")
    folder.train(table, **plain(remedy.pop("preprocessing"), **remedy))


def test_decimal_commas_get_a_hint_that_helps(folder: Folder) -> None:
    table = SIMPLE.replace(",", ";").replace("\n7;0;", "\n7;0,5;")
    refused = folder.refused(table, **plain(ALL, csv={"delimiter": ";"}))
    assert "line 9: column 'b' should hold numbers, found '0,5'; numbers have a decimal point here;" in refused
    assert "if the file has a decimal comma, set  decimal: ','" in refused
    folder.train(table, **plain(ALL, csv={"delimiter": ";", "decimal": ","}))


WORDS = [
    ("one_hot", True), ("ordinal", True), ("embedding", True), ("ordinal: [u, v, w, x]", True), ("hashing", False),
    ("target_mean", False),
]  # fmt: skip


@pytest.mark.parametrize(("example", "refuses"), WORDS)
@pytest.mark.parametrize("cell", ["q", ""], ids=["a word", "a gap"])
def test_what_was_never_seen_is_an_error_unless_it_is_declared(
    example: str, refuses: bool, cell: str, folder: Folder
) -> None:
    run = folder.train(SIMPLE, **plain({**ALL, "categories": yaml.safe_load(example)}))
    new = folder.write("rows.csv", f"a,b,word,when\n1,2,u,2024-01-01\n1,2,{cell},2024-01-01\n")
    if not refuses:
        assert np.isfinite(workflows.predict(run, new)["prediction"]).all()
        return
    found = r"should hold a category of the training rows, such as .*, found 'q'" if cell else "is empty"
    with pytest.raises(DataError, match=rf"^rows\.csv, line 3: column 'word' {found}"):
        workflows.predict(run, new)


@pytest.mark.parametrize("example", ["one_hot", "ordinal", "embedding"])
def test_what_was_never_seen_is_taken_where_others_are(example: str, folder: Folder) -> None:
    """Because it is said, or because rare words have been put together."""
    answers = {}
    table = "a,b,word,when,y\n" + "".join(
        f"{i},{i % 7},{'uvuvw'[i % 5]},2024-01-{i % 28 + 1:02},{i}\n" for i in range(40)
    )
    for key, value in {"unseen": "other", "min_frequency": 10}.items():  # of w there are 8 in 40 rows
        run = folder.train(table, **plain({**ALL, "categories": {example: {key: value}}}))
        cells = ["u", "q", "Q", ""]
        new = folder.write("rows.csv", "a,b,word,when\n" + "".join(f"1,2,{cell},2024-01-01\n" for cell in cells))
        answers[key] = workflows.predict(run, new)["prediction"].tolist()
    for seen, *unseen in answers.values():
        assert len(set(unseen)) == 1
        assert seen != unseen[0]


def test_a_date_that_is_empty_is_refused_unless_training_rows_had_one(folder: Folder) -> None:
    new = folder.write("rows.csv", "a,b,word,when\n1,2,u,\n")
    run = folder.train(SIMPLE, **plain(ALL))
    with pytest.raises(DataError, match=r"^rows\.csv, line 2: column 'when' is empty"):
        workflows.predict(run, new)
    run = folder.train(SIMPLE.replace("2024-01-05", ""), **plain(ALL))
    assert np.isfinite(workflows.predict(run, new)["prediction"]).all()


def test_a_gap_among_numbers_is_filled_also_where_training_rows_had_none(folder: Folder) -> None:
    """Without a column that says so, since none was learned; it is as if the median stood there."""
    run = folder.train(SIMPLE, **plain(ALL))
    rows = folder.write("rows.csv", "a,b,word,when\n,2,u,2024-01-01\n19.5,2,u,2024-01-01\n")
    gap, median = workflows.predict(run, rows)["prediction"].tolist()
    assert gap == median


# --- truth values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "preprocessing", [{"numbers": "none"}, {"columns": {"a": "one_hot"}, "numbers": "none"}], ids=str
)
@pytest.mark.parametrize("words", [("true", "false"), ("True", "False"), ("TRUE", "FALSE")], ids=" ".join)
def test_truth_values_are_numbers_unless_they_are_taken_for_words(
    words: tuple[str, str], preprocessing: dict[str, Any], folder: Folder
) -> None:
    table = "a,b,y\n" + "".join(f"{words[i % 2]},{i},{i % 2 + i / 10}\n" for i in range(20))
    experiment = workflows.prepare(folder.spec(table, **plain(preprocessing)))
    names, X = experiment.predictor.encoder.names, experiment.splits["train"].X
    if "columns" not in preprocessing:
        assert names == ("a", "b")
        assert X[:4, 0].tolist() == [1, 0, 1, 0]
    else:
        assert set(names) == {f"a={words[0]}", f"a={words[1]}", "b"}
        assert X[:2, names.index(f"a={words[0]}")].tolist() == [1, 0]


# --- the record of what was learned -----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_learned_is_plain_json_and_comes_back_the_same(target: str, folder: Folder) -> None:
    experiment = workflows.prepare(folder.spec(rows(), **settings(target)))
    own = experiment.predictor.encoder
    again = type(own).from_json(json.loads(json.dumps(own.to_json(), allow_nan=False)), experiment.config.preprocessing)
    assert again.to_json() == own.to_json()
    assert (again.kinds, again.names, again.lookups, again.facts) == (own.kinds, own.names, own.lookups, own.facts)
    (table,) = source_of(folder.path / "t.csv", experiment.predictor)
    assert again.encode(table, "float64").tobytes() == own.encode(table, "float64").tobytes()


def test_no_input_depends_on_the_rows_around_it(folder: Folder) -> None:
    experiment = workflows.prepare(folder.spec(rows(), **settings()))
    own = experiment.predictor.encoder
    (table,) = source_of(folder.path / "t.csv", experiment.predictor)
    whole = own.encode(table, "float64")
    order = np.random.default_rng(0).permutation(table.n_rows)
    assert own.encode(table.take(order), "float64").tobytes() == whole[order].tobytes()
    for row in range(5):
        assert own.encode(table.take(np.array([row])), "float64").tobytes() == whole[[row]].tobytes()


# --- columns that divide the rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preprocessing", "split", "inputs"),
    [
        ({"dates": "calendar"}, {"time": "when"}, {"when": "date", "n": "number"}),
        ({}, {"time": "when"}, {"n": "number"}),
        ({"dates": "calendar"}, {"time": "n"}, {"when": "date", "n": "number"}),
        ({"dates": "calendar"}, {"group": "n"}, {"when": "date"}),
        ({"dates": "calendar", "columns": {"n": "hashing"}}, {"group": "n"}, {"when": "date", "n": "category"}),
    ],
)
def test_the_time_that_divides_rows_is_an_input_where_a_step_takes_it(
    tmp_path: Path, preprocessing: dict[str, object], split: dict[str, object], inputs: dict[str, str]
) -> None:
    lines = [f"2024-{1 + i % 12:02}-{1 + i % 28:02},{i % 10},{i % 3}" for i in range(80)]
    (tmp_path / "t.csv").write_text("when,n,y\n" + "\n".join(lines) + "\n")
    config = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "preprocessing": preprocessing,
        "split": {"validation": 0.2, **split},
        "layers": [{"linear": 1}],
        "loss": "mse",
        "epochs": 1,
    }
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    experiment = workflows.prepare(Config.load(tmp_path / "c.yaml"))
    assert experiment.predictor.encoder.kinds == inputs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drop": "n", "way": "group"}, "'n' is in drop, so it is not read"),
        ({"drop": "n", "way": "time"}, "'n' is in drop, so it is not read"),
        ({"name": "y", "way": "group"}, "'y' is the target"),
        ({"name": "y", "way": "hash"}, "'y' is the target"),
    ],
)
def test_a_column_that_cannot_divide_rows_is_refused_at_its_place(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    (tmp_path / "t.csv").write_text("a,n,y\n" + "".join(f"{i},{i % 4},{i % 3}\n" for i in range(40)))
    source = {"path": "t.csv", "target": "y", **({"drop": settings["drop"]} if "drop" in settings else {})}
    config = {
        "dataset": {"csv": source},
        "split": {"validation": 0.2, settings["way"]: settings.get("name", "n")},
        "layers": [{"linear": 1}],
        "loss": "mse",
        "epochs": 1,
    }
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match=f"c.yaml:.*{message}"):
        Config.load(tmp_path / "c.yaml")
