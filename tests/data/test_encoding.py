"""Columns of every kind, from a file and a config to a trained net and its predictions."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from nnfs_cli import workflows
from nnfs_cli.data import encoder
from nnfs_cli.data import table as data_table
from nnfs_cli.data.csv import blocks as csv_blocks
from nnfs_cli.data.csv.source import Csv
from nnfs_cli.data.parquet import source as parquet_source
from nnfs_cli.data.steps import CategoryStep, DateStep, NumberStep, PreprocessingStep
from nnfs_cli.data.steps.embedding import Embedding
from nnfs_cli.data.steps.target_mean import TargetMean
from nnfs_cli.experiment import read_data
from nnfs_cli.prediction.predictor import Predictor
from tests.conftest import weights_of
from tests.data.encoding_helpers import EVERYTHING, LABELS, TARGETS, Folder, Row, rows, settings, source_of, text

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")


@pytest.fixture
def piecemeal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Process a few rows at a time, wherever it would be thousands."""
    monkeypatch.setattr(encoder, "NUMBERS_IN_CACHE", 300)
    monkeypatch.setattr(data_table, "ROWS_AT_ONCE", 29)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(parquet_source, "BATCH_ROWS", 41)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return settings with which no table is held in memory, on a machine that seems small enough."""
    monkeypatch.setattr(read_data, "MACHINERY", 0)
    monkeypatch.setattr(Csv, "table_size", lambda source: 10**12)
    return {"memory_limit": "20 MB"}


# --- training and figures ---


@pytest.mark.parametrize("target", TARGETS)
def test_a_net_learns_from_columns_of_every_kind(target: str, folder: Folder) -> None:
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
def test_evaluation_repeats_the_figures_of_training_for_every_split(
    target: str, split: dict[str, Any], folder: Folder
) -> None:
    """Training rows are included: they must get target means without their own target again."""
    config = settings(target, split=split)
    if "column" not in split:
        config["dataset"]["csv"]["drop"].append("part")
    run = folder.train(rows(), **config)
    reported = {part: run.metrics()[part] for part in ("train", "validation", "test")}
    assert workflows.evaluate(run, ["train", "validation", "test"]) == reported
    (as_new,) = workflows.evaluate(run, rows=folder.path / "t.csv").values()
    assert as_new["rows"] == 240


@pytest.mark.usefixtures("piecemeal")
def test_the_size_of_blocks_changes_no_byte_of_training_and_evaluation(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = folder.train(rows(), **settings())
    figures = workflows.evaluate(small, ["train", "validation", "test"])
    of_file = workflows.evaluate(small, rows=folder.path / "t.csv")["input"]
    monkeypatch.undo()
    large = folder.train(rows(), **settings())
    assert small.records.data() == large.records.data()
    assert {name: array.tobytes() for name, array in weights_of(small, "last").items()} == {
        name: array.tobytes() for name, array in weights_of(large, "last").items()
    }
    assert figures == workflows.evaluate(large, ["train", "validation", "test"])
    assert of_file == pytest.approx(workflows.evaluate(large, rows=folder.path / "t.csv")["input"], rel=1e-5)


def test_evaluation_repeats_the_figures_of_training_from_disk(folder: Folder, streamed: dict[str, Any]) -> None:
    run = folder.train(rows(), **settings(**streamed))
    reported = {part: run.metrics()[part] for part in ("train", "validation", "test")}
    assert workflows.evaluate(run, ["train", "validation", "test"]) == reported
    held = folder.train(rows(), **settings())
    assert held.records.data()["fitted"] == run.records.data()["fitted"]


@pytest.mark.parametrize("target", TARGETS)
def test_target_means_of_training_rows_exclude_their_own_fold(target: str, folder: Folder) -> None:
    """Closed form: means over the other folds for training rows, and over all training rows for any other row."""
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
    codes = np.array([row["code"] for row in training])
    folds = step.assign_folds(len(training), seed=0)

    def mean(code: str, of: np.ndarray) -> np.ndarray:
        z = (y[of] - y[of].mean(axis=0)) / y[of].std(axis=0)
        own = z[codes[of] == code]
        return own.sum(axis=0) / (len(own) + 2)

    expected = [mean(code, folds != fold) for code, fold in zip(codes, folds, strict=True)]
    np.testing.assert_allclose(predictor_of.splits["train"].X[:, places], expected, atol=1e-6)
    later = [mean(row["code"], folds >= 0) for row in table if row["part"] == "validation"]
    np.testing.assert_allclose(predictor_of.splits["validation"].X[:, places], later, atol=1e-6)


def test_target_means_of_training_rows_on_disk_exclude_their_own_fold(
    folder: Folder, streamed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statistics come from a sample here. Each category has two rows with independent targets, so a leak correlates."""
    monkeypatch.setattr(read_data.Budget, "rows", lambda budget, row_bytes: 1_500)
    rng = np.random.default_rng(0)
    y = rng.normal(size=2_000)
    table = "code,y\n" + "".join(f"w{i // 2},{value}\n" for i, value in enumerate(y.tolist()))
    config = settings(
        "price", {"columns": {"code": {"target_mean": {"smoothing": 0, "folds": 2}}}}, split=0, **streamed
    )
    config["dataset"]["csv"] = {"path": "t.csv", "target": "y"}
    experiment = workflows.prepare(folder.spec(table, **config))
    assert len(experiment.training_rows) == 2_000
    x, own, _ = experiment.training_rows.take(slice(0, 2_000))
    assert abs(np.corrcoef(x[:, 0], own[:, 0])[0, 1]) < 0.1  # 4.5 standard deviations for 2,000 independent pairs


# --- held-out rows ---


def has_unseen_category(step: type[PreprocessingStep]) -> bool:
    """Return whether a step may take categories that no training row has."""
    return issubclass(step, CategoryStep) and "unseen" in step.model_fields


EXAMPLES = [
    pytest.param(name, example, id=example)
    for name, member in PreprocessingStep.registered.items()
    for example in [*member.examples, *({f"{name}: {{unseen: other}}"} if has_unseen_category(member) else set())]
]


def categories_for(example: str) -> tuple[str, ...]:
    """Return the categories of an example, which an order must list."""
    return tuple(yaml.safe_load(example)["ordinal"]) if example.startswith("ordinal: [") else ("dry", "wet", "icy")


def poisonable(step: type[PreprocessingStep], example: str, poison: bool) -> list[Row]:
    """Return rows whose held-out ones may be poisoned: with other categories, sizes, dates, gaps and targets."""
    rng = np.random.default_rng(1)
    takes = categories_for(example)
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
            if poisoned:
                x = None if "unseen: empty" in example and i % 3 else datetime(1820, 2, 29, 23, 59, 59)
        else:
            x = round(float(rng.normal()), 3)
            x = (None if step.name == "impute" and i % 3 else 1e6) if poisoned else x
        a = round(float(rng.normal()), 3)
        y = round(float(rng.normal()) + a, 3) * (-1e4 if poisoned else 1)
        found.append({"x": x, "a": a * (1e3 if poisoned else 1), "y": y, "part": part})
    return found


# By default each example is tried in one of the two places.
PLACES = [
    pytest.param(*example.values, where, id=f"{where}-{example.id}", marks=[pytest.mark.slow] if i % 2 != j else [])
    for i, example in enumerate(EXAMPLES)
    for j, where in enumerate(["held", "on disk"])
]


@pytest.mark.parametrize(("name", "example", "where"), PLACES)
def test_poison_in_held_out_rows_changes_nothing_that_is_learned(
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


def test_poison_in_training_rows_changes_what_is_learned(folder: Folder) -> None:
    """Without this, the test above would prove nothing."""
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


# --- predictions ---


@pytest.fixture(scope="module", params=TARGETS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Return a trained net with inputs of every kind."""
    place = Folder(tmp_path_factory.mktemp("trained"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return workflows.restore(place.train(rows(), **settings(request.param)))


def inputs(n: int = 40) -> list[Row]:
    """Return new rows with categories that training rows hold."""
    return [{name: cell for name, cell in row.items() if name not in (*TARGETS, "part")} for row in rows(n, seed=5)]


def test_the_order_of_columns_changes_no_bit_of_predictions(trained: Predictor, folder: Folder) -> None:
    new, rng = inputs(), np.random.default_rng(0)
    names = list(new[0])
    expected = folder.predictions_for(trained, "rows.csv", text(new))
    for _ in range(200):
        shuffled = [names[i] for i in rng.permutation(len(names))]
        assert folder.predictions_for(trained, "rows.csv", text(new, shuffled)) == expected


def as_arrow(new: list[Row], dictionary: bool) -> pa.Table:
    """Return the same rows with the types of a database."""
    columns = {name: [row[name] for row in new] for name in new[0]}
    types = {
        "area": pa.float64(), "built": pa.int16(), "rooms": pa.int8(), "when": pa.timestamp("ms"), "day": pa.date32(),
        "garden": pa.bool_(), "price": pa.float64(), "dear": pa.bool_(),
    }  # fmt: skip
    texts = pa.dictionary(pa.int32(), pa.string()) if dictionary else pa.large_string()
    return pa.table({name: pa.array(cells, types.get(name, texts)) for name, cells in columns.items()})


def assert_alike(found: Mapping[str, list[Any]], expected: Mapping[str, list[Any]]) -> None:
    assert list(found) == list(expected)
    for name, cells in expected.items():
        numbers = isinstance(cells[0], float)
        assert found[name] == (pytest.approx(cells, rel=1e-5, abs=1e-6) if numbers else cells)


def test_rows_get_the_same_predictions_alone_and_together(trained: Predictor, folder: Folder) -> None:
    new = inputs()
    together = folder.predictions_for(trained, "rows.csv", text(new))
    alone = [folder.predictions_for(trained, "row.csv", text([row])) for row in new]
    assert_alike({name: [answer[name][0] for answer in alone] for name in together}, together)


@pytest.mark.parametrize("size", [1, 2, 7, 39])
def test_the_size_of_chunks_does_not_change_predictions(
    size: int, trained: Predictor, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = inputs()
    whole = folder.predictions_for(trained, "rows.csv", text(new))
    parquet.write_table(as_arrow(new, dictionary=False), folder.path / "rows.parquet", row_group_size=size)
    monkeypatch.setattr(encoder, "NUMBERS_IN_CACHE", size * len(trained.encoder.names))
    monkeypatch.setattr(parquet_source, "BATCH_ROWS", size)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 60 * size)
    tables = list(source_of(folder.path / "rows.csv", trained))
    assert len(tables) > 1
    assert_alike(folder.predictions_for(trained, "rows.csv", text(new)), whole)
    pieces = [trained.predict(table) for table in source_of(folder.path / "rows.parquet", trained)]
    assert len(pieces) > 1
    assert_alike({name: [cell for p in pieces for cell in p[name].tolist()] for name in whole}, whole)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.usefixtures("piecemeal")
def test_predictions_come_in_blocks_or_all_at_once(target: str, folder: Folder) -> None:
    run, new = folder.train(rows(), **settings(target)), folder.write("rows.csv", text(inputs(100)))
    predictions = workflows.batch_predictor(run, new)
    blocks = list(predictions)
    assert len(blocks) > 1
    assert predictions.rows == 100
    whole = workflows.predict(run, new)
    for name, column in whole.items():
        assert [cell for block in blocks for cell in block[name].tolist()] == column.tolist()


@pytest.mark.parametrize("dictionary", [False, True])
def test_parquet_rows_get_the_predictions_of_csv_rows(dictionary: bool, trained: Predictor, folder: Folder) -> None:
    new = inputs()
    parquet.write_table(as_arrow(new, dictionary), folder.path / "rows.parquet")
    (table,) = source_of(folder.path / "rows.parquet", trained)
    answer = {name: column.tolist() for name, column in trained.predict(table).items()}
    assert_alike(answer, folder.predictions_for(trained, "rows.csv", text(new)))


@pytest.mark.parametrize("target", TARGETS)
def test_training_on_parquet_equals_training_on_csv(target: str, folder: Folder) -> None:
    """Numbers are written as the same texts in both formats, so categorical columns hold the same categories."""
    from_csv = folder.train(rows(), **settings(target))
    parquet.write_table(as_arrow(rows(), dictionary=True), folder.path / "t.parquet", row_group_size=50)
    config = settings(target)
    config["dataset"] = {"parquet": {**config["dataset"]["csv"], "path": "t.parquet"}}
    from_parquet = folder.train(rows(), **config)
    assert from_parquet.records.data()["fitted"] == from_csv.records.data()["fitted"]
    assert from_parquet.metrics() == from_csv.metrics()


def test_several_files_form_one_table(folder: Folder) -> None:
    whole = folder.train(rows(), **settings())
    header, *lines = text(rows()).splitlines(keepends=True)
    for i, start in enumerate(range(0, len(lines), 100)):
        folder.write(f"part-{i}.csv", header + "".join(lines[start : start + 100]))
    config = settings()
    config["dataset"]["csv"]["path"] = "part-*.csv"
    run = folder.train(rows(), **config)
    assert run.records.data()["fitted"] == whole.records.data()["fitted"]
    assert run.metrics() == whole.metrics()
    assert workflows.evaluate(run, ["test"])["test"] == whole.metrics()["test"]
    assert_alike(
        {"prediction": workflows.predict(run, folder.path / "part-*.csv")["prediction"].tolist()},
        {"prediction": workflows.predict(run, folder.path / "t.csv")["prediction"].tolist()},
    )


# --- embeddings ---


def test_similar_categories_get_similar_vectors(folder: Folder) -> None:
    rng = np.random.default_rng(0)
    categories = [f"w{i}" for i in range(8)]
    table = [{"x": categories[i % 8], "y": (i % 8 < 4) * 3.0 + rng.normal() / 20} for i in range(400)]
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
    ("column", "n_categories", "width"), [("a.b/c: ü", 5, 4), ("weight", 2, 2), ("_inner", 1, 2), ("x", 900, 50)]
)
def test_vectors_are_stored_under_the_name_of_their_column(
    column: str, n_categories: int, width: int, folder: Folder
) -> None:
    """Any column name works, and the length follows the rule of fastai: min(50, round(1.6 n^0.56))."""
    assert width == min(50, round(1.6 * n_categories**0.56))
    table = [{column: f"w{i % n_categories}", "a": i % 7, "y": i % 5} for i in range(1000)]
    config = settings("price", {"columns": {column: "embedding"}}, epochs=1, split=0)
    config["dataset"]["csv"] = {"path": "t.csv", "target": "y"}
    run = folder.train(table, **config)
    assert weights_of(run, "best")[f"lookup.{column}.weight"].shape == (n_categories, width)
    assert workflows.evaluate(run, ["train"])["train"] == run.metrics()["train"]


def test_a_category_without_a_vector_becomes_zeros(folder: Folder) -> None:
    columns = {"shop": {"embedding": {"size": 3, "unseen": "other"}}, "code": {"embedding": {"min_frequency": 15}}}
    run = folder.train(rows(), **settings("price", {**EVERYTHING, "columns": columns}))
    predictor = workflows.restore(run)
    steps = {block.column: block for block in predictor.encoder.inputs if hasattr(block, "step")}  # type: ignore[union-attr]
    rare = steps["code"]
    assert isinstance(rare.step, Embedding)
    assert rare.fit["other"]
    assert weights_of(run, "best")["lookup.code.weight"].shape[0] == len(rare.fit["levels"]) + 1
    new = inputs(3)
    codes = [
        folder.predictions_for(predictor, "rows.csv", text([row | {"code": code} for row in new]))
        for code in ("new", "newer")
    ]
    assert codes[0] == codes[1]
    shops = [
        folder.predictions_for(predictor, "rows.csv", text([row | {"shop": shop} for row in new]))
        for shop in ("new", "s1")
    ]
    assert shops[0] != shops[1]
    table = predictor.model.parameters.arrays["lookup.shop.weight"]
    table[steps["shop"].fit["levels"].index("s1")] = 0
    assert folder.predictions_for(predictor, "rows.csv", text([row | {"shop": "s1"} for row in new])) == shops[0]


# --- the record of the encoder ---


@pytest.mark.parametrize("target", TARGETS)
def test_an_encoder_survives_json(target: str, folder: Folder) -> None:
    experiment = workflows.prepare(folder.spec(rows(), **settings(target)))
    own = experiment.predictor.encoder
    again = type(own).from_json(json.loads(json.dumps(own.to_json(), allow_nan=False)), experiment.config.preprocessing)
    assert again.to_json() == own.to_json()
    assert (again.kinds, again.names, again.lookups, again.facts) == (own.kinds, own.names, own.lookups, own.facts)
    (table,) = source_of(folder.path / "t.csv", experiment.predictor)
    assert again.encode(table, "float64").tobytes() == own.encode(table, "float64").tobytes()


def test_inputs_of_a_row_are_independent_of_other_rows(folder: Folder) -> None:
    experiment = workflows.prepare(folder.spec(rows(), **settings()))
    own = experiment.predictor.encoder
    (table,) = source_of(folder.path / "t.csv", experiment.predictor)
    whole = own.encode(table, "float64")
    order = np.random.default_rng(0).permutation(table.n_rows)
    assert own.encode(table.take(order), "float64").tobytes() == whole[order].tobytes()
    for row in range(5):
        assert own.encode(table.take(np.array([row])), "float64").tobytes() == whole[[row]].tobytes()
