"""Which columns are inputs, and which columns and cells are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, DataError
from tests.data.encoding_helpers import ALL, EVERYTHING, SIMPLE, Folder, plain, rows, settings

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")

# --- which columns are inputs ---


@pytest.mark.parametrize("way", ["group", "hash"])
def test_a_split_column_is_an_input_only_if_preprocessing_names_it(way: str, folder: Folder) -> None:
    column = {"group": "shop", "hash": "code"}[way]
    names = []
    for columns in ({}, {column: "hashing"}):
        config = settings("price", {**EVERYTHING, "columns": columns}, split={"validation": 0.3, way: column})
        config["preprocessing"]["columns"] = columns
        names.append(set(workflows.prepare(folder.spec(rows(), **config)).predictor.encoder.kinds))
    assert names[0] ^ names[1] == {column}


def test_categories_in_rows_of_weight_zero_are_unknown(folder: Folder) -> None:
    """Rows of weight zero can be evaluated all the same."""
    table = SIMPLE.replace(",y\n", ",y,w\n").replace("\n", ",1\n").replace("y,w,1", "y,w")
    table += "5,5,wild,2024-01-01,5,0\n"
    run = folder.train(table, **plain({"categories": "one_hot", "dates": "calendar"}, csv={"weight": "w"}))
    assert "word=wild" not in workflows.restore(run).encoder.names
    assert run.records.data()["rows"] == {"train": 40}
    assert workflows.evaluate(run, rows=folder.path / "t.csv")["input"] == pytest.approx(run.metrics()["train"])
    classes = SIMPLE + "5,5,wild,2024-01-01,none\n"
    config = plain(ALL, class_weights={"none": 0}, loss="cross_entropy", layers=[{"linear": 41}])
    run = folder.train(classes, **config | {"preprocessing": ALL})
    assert "word=wild" not in workflows.restore(run).encoder.names
    assert workflows.evaluate(run, rows=folder.path / "t.csv")["input"] == pytest.approx(run.metrics()["train"])


# --- columns that divide the rows ---


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
def test_the_time_column_of_a_split_is_an_input_if_a_step_takes_it(
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
def test_an_unusable_split_column_is_refused_at_its_place(
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


# --- truth values ---


@pytest.mark.parametrize(
    "preprocessing", [{"numbers": "none"}, {"columns": {"a": "one_hot"}, "numbers": "none"}], ids=str
)
@pytest.mark.parametrize("texts", [("true", "false"), ("True", "False"), ("TRUE", "FALSE")], ids=" ".join)
def test_truth_values_are_numbers_unless_a_step_takes_them_as_categories(
    texts: tuple[str, str], preprocessing: dict[str, Any], folder: Folder
) -> None:
    table = "a,b,y\n" + "".join(f"{texts[i % 2]},{i},{i % 2 + i / 10}\n" for i in range(20))
    experiment = workflows.prepare(folder.spec(table, **plain(preprocessing)))
    names, X = experiment.predictor.encoder.names, experiment.splits["train"].X
    if "columns" not in preprocessing:
        assert names == ("a", "b")
        assert X[:4, 0].tolist() == [1, 0, 1, 0]
    else:
        assert set(names) == {f"a={texts[0]}", f"a={texts[1]}", "b"}
        assert X[:2, names.index(f"a={texts[0]}")].tolist() == [1, 0]


# --- refused columns and cells ---


@pytest.mark.parametrize(
    ("preprocessing", "table", "message"),
    [
        pytest.param(
            {"dates": "calendar"}, SIMPLE,
            "t.csv, line 2: column 'word' should hold numbers, found 'u'\n"
            "correct the file, or change the config in one of these ways:\n"
            "  preprocessing: {categories: one_hot}\n"
            "  preset: tabular  # also chooses every other key that you leave out\n"
            "  drop: [word]  # inside csv",
            id="categories without a step",
        ),
        pytest.param(
            {"categories": "one_hot"}, SIMPLE,
            "t.csv: column 'when' holds dates\n"
            "correct the file, or change the config in one of these ways:\n"
            "  preprocessing: {dates: calendar}\n",
            id="dates without a step",
        ),
        pytest.param(
            {**ALL, "numbers": "standardize"}, SIMPLE.replace("\n7,0,", "\n7,,"),
            "t.csv, line 9: column 'b' is empty\n"
            "correct the file, or change the config in one of these ways:\n"
            "  preprocessing: {numbers: [impute, standardize]}\n"
            "  drop: [b]  # inside csv",
            id="a gap without a step",
        ),
        pytest.param(
            {**ALL, "columns": {"b": "robust"}}, SIMPLE.replace("\n7,0,", "\n7,,"),
            "t.csv, line 9: column 'b' is empty\n"
            "correct the file, or change the config in one of these ways:\n"
            "  preprocessing: {columns: {b: [impute, robust]}}\n"
            "  drop: [b] ",
            id="a gap in a column whose own step takes none",
        ),
        pytest.param(
            ALL, SIMPLE.replace("\n7,0,", "\n7,O,"),
            "t.csv, line 9: column 'b' should hold numbers, found 'O'\n"
            "correct the file, or change the config in one of these ways:\n"
            "  parse: {b: {number: {invalid: empty, unit: one, decimal: .}}}\n"
            "  drop: [b]  # inside csv",
            id="a typo among numbers",
        ),
        pytest.param(
            ALL, SIMPLE.replace("\n7,0,", "\n7,NA,").replace("\n14,0,", "\n14,NA,"),
            "t.csv, line 9: column 'b' should hold numbers, found 'NA'; if it means an empty cell, set  null: ['NA']\n",
            id="a token among numbers",
        ),
        pytest.param(
            {**ALL, "columns": {"word": "log1p"}}, SIMPLE, "line 2: column 'word' should hold numbers, found 'u'",
            id="a step for numbers for a column of categories",
        ),
        pytest.param(
            {**ALL, "columns": {"word": "calendar"}}, SIMPLE,
            "line 2: column 'word' should hold dates, as in 2026-01-31 or 2026-01-31 12:30:00, found 'u'",
            id="a step for dates for a column of categories",
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
            id="a category missing from its order",
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
            id="too many categories",
        ),
        pytest.param(
            {**ALL, "columns": {"wrod": "one_hot"}}, SIMPLE, "t.csv has no column 'wrod'; did you mean 'word'?",
            id="a column that is not there",
        ),
    ],
)  # fmt: skip
def test_an_unusable_column_is_refused_with_a_remedy(
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
    ids=["read as categories", "read as gaps", "dropped"],
)
def test_the_suggested_remedies_work(remedy: dict[str, Any], folder: Folder) -> None:
    table = SIMPLE.replace("\n7,0,", "\n7,NA,").replace("\n14,0,", "\n14,NA,")
    folder.train(table, **plain(remedy.pop("preprocessing"), **remedy))


def test_each_remedy_can_be_pasted(folder: Folder) -> None:
    table = SIMPLE.replace("\n7,0,", "\n7,,").replace("a,b,", "a,b'c,")
    refused = folder.refused(table, **plain({}))
    assert "2 errors" not in refused
    remedies = [yaml.safe_load(line) for line in refused.splitlines() if line.startswith("  ")]
    steps = {"numbers": ["impute", "standardize"], "categories": "one_hot", "dates": "calendar"}
    assert remedies == [{"preprocessing": steps}, {"preset": "tabular"}, {"drop": ["b'c", "word", "when"]}]
    for remedy in remedies:
        config = plain({}, csv=remedy) if "drop" in remedy else {**plain({}), **remedy}
        workflows.prepare(workflows.load(folder.write("pasted.yaml", yaml.safe_dump(config))))


def test_a_remedy_keeps_the_dropped_columns_and_the_steps(folder: Folder) -> None:
    table = SIMPLE.replace("\n7,0,", "\n7,,")
    refused = folder.refused(table, **plain({"numbers": ["log1p", "robust"]}, csv={"drop": ["word"]}))
    assert "  preprocessing: {numbers: [impute, log1p, robust], dates: calendar}\n" in refused
    assert "  drop: [word, b, when] " in refused
    assert "preset" not in refused  # it would keep the steps for numbers


def test_decimal_commas_get_a_hint_that_works(folder: Folder) -> None:
    table = SIMPLE.replace(",", ";").replace("\n7;0;", "\n7;0,5;")
    refused = folder.refused(table, **plain(ALL, csv={"delimiter": ";"}))
    assert "line 9: column 'b' should hold numbers, found '0,5'; numbers have a decimal point here;" in refused
    assert "if the file has a decimal comma, set  decimal: ','" in refused
    folder.train(table, **plain(ALL, csv={"delimiter": ";", "decimal": ","}))


REFUSES_UNKNOWN = [
    ("one_hot", True), ("ordinal", True), ("embedding", True), ("ordinal: [u, v, w, x]", True), ("hashing", False),
    ("target_mean", False),
]  # fmt: skip


@pytest.mark.parametrize(("example", "refuses"), REFUSES_UNKNOWN)
@pytest.mark.parametrize("cell", ["q", ""], ids=["a category", "a gap"])
def test_unknown_categories_and_new_gaps_are_refused_by_default(
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
def test_unknown_categories_are_accepted_as_other(example: str, folder: Folder) -> None:
    """They are accepted with `unseen: other`, and where rare categories share a place."""
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


def test_an_empty_date_is_refused_unless_training_rows_have_one(folder: Folder) -> None:
    new = folder.write("rows.csv", "a,b,word,when\n1,2,u,\n")
    run = folder.train(SIMPLE, **plain(ALL))
    with pytest.raises(DataError, match=r"^rows\.csv, line 2: column 'when' is empty"):
        workflows.predict(run, new)
    run = folder.train(SIMPLE.replace("2024-01-05", ""), **plain(ALL))
    assert np.isfinite(workflows.predict(run, new)["prediction"]).all()


def test_a_gap_among_numbers_is_filled_even_if_training_rows_have_none(folder: Folder) -> None:
    """No column marks the gap, since training rows had none; the cell counts as the median."""
    run = folder.train(SIMPLE, **plain(ALL))
    rows = folder.write("rows.csv", "a,b,word,when\n,2,u,2024-01-01\n19.5,2,u,2024-01-01\n")
    gap, median = workflows.predict(run, rows)["prediction"].tolist()
    assert gap == median
