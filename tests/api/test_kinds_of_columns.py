"""What a column of a table given in Python is: by its type, in every fold, and with messages in words of Python."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import cross_val_score

import nnfs_cli
from nnfs_cli import DataError, NetClassifier, NetRegressor, NnfsWarning, Run, train
from tests.conftest import Nnfs

N = 24
Y = np.arange(N) % 4 * 10.0
ZIP = ["01067", "20095", "50667", "80331"] * 6
SIZE = np.linspace(0, 1, N)
PREPROCESSING = {"categories": "one_hot", "dates": "calendar"}


def regressor(**parameters: Any) -> NetRegressor:
    return NetRegressor(**{"layers": ["linear: 4", "tanh"], "epochs": 2, "batch_size": 8} | parameters)


def fitted(column: Any, **parameters: Any) -> NetRegressor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnfsWarning)
        return regressor(**parameters).fit(pd.DataFrame({"c": column, "size": SIZE}), Y)


def warned(X: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        regressor().fit(X, Y)
    return [str(one.message) for one in found if "parameters for" not in str(one.message)]


# Texts


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_texts_that_look_like_numbers_are_categories_like_any_texts(dtype: Any) -> None:
    """A net on "z01067" and so on is the reference: one_hot orders these texts in the same way."""
    words = pd.Series(["z" + text for text in ZIP])
    predicted = fitted(pd.Series(ZIP, dtype=dtype)).predict({"c": ZIP[:4], "size": [0.5] * 4})
    assert predicted.tolist() == fitted(words).predict({"c": words[:4], "size": [0.5] * 4}).tolist()


LIKE_NUMBERS = (
    "columns 'mixed' and 'zip' hold texts that look like numbers and are read as categories; convert them to numbers if"
    " they are quantities"
)
LIKE_DATES = "column 'sold' holds dates as texts and is read as categories; convert it "


def test_texts_that_look_like_numbers_or_dates_are_warned_about_once() -> None:
    columns = {"mixed": [1, 2, 3, "x"] * 6, "sold": ["2026-01-31", "2026-02-01 12:00"] * 12, "zip": ZIP}
    assert warned(pd.DataFrame(columns)) == [LIKE_NUMBERS, LIKE_DATES + "with pandas.to_datetime"]
    assert warned(columns) == [LIKE_NUMBERS, LIKE_DATES + "to dates"]
    assert warned(pl.DataFrame(columns, strict=False)) == [LIKE_NUMBERS, LIKE_DATES + "to dates"]


def test_a_column_that_is_declared_as_categories_is_not_warned_about() -> None:
    assert warned(pd.DataFrame({"c": pd.Series(ZIP, dtype="category"), "size": SIZE})) == []
    assert warned(pl.DataFrame({"c": ZIP, "size": SIZE}).with_columns(pl.col("c").cast(pl.Categorical))) == []


@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")
@pytest.mark.parametrize("words", [1, 6])
def test_a_column_of_numbers_and_texts_is_of_categories_in_every_fold(words: int) -> None:
    X = pd.DataFrame({"c": [*([1, 2, "x"] * words), *([1, 2, 3] * 8)[: N - 3 * words - 1], "x"]}, dtype=object)
    assert np.isfinite(cross_val_score(regressor(), X, Y, cv=2, error_score="raise")).all()


# Categories of numbers


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [0.5, 1.5, 2.5, 3.5]])
def test_a_category_of_numbers_is_of_categories(numbers: list[float]) -> None:
    column = pd.Series(numbers * 6, dtype="category")
    words = pd.Series([f"z{number}" for number in numbers] * 6)
    predicted = fitted(column).predict({"c": numbers, "size": [0.5] * 4})
    assert predicted.tolist() == fitted(words).predict({"c": words[:4], "size": [0.5] * 4}).tolist()


def test_a_category_with_steps_for_numbers_is_of_numbers() -> None:
    steps = {"columns": {"c": "standardize"}}
    numbers = pd.Series([1, 2, 3, 4] * 6)
    new = {"c": [1, 2], "size": [0.5, 0.5]}
    predicted = fitted(numbers.astype("category"), preprocessing=steps).predict(new)
    assert predicted.tolist() == fitted(numbers, preprocessing=steps).predict(new).tolist()


def test_a_net_that_knows_numbers_takes_a_category_of_numbers_as_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"c": [1, 2, 3, 4] * 6, "size": SIZE, "y": Y})
    table.to_csv(tmp_path / "t.csv", index=False)
    settings = {"dataset": {"csv": {"path": str(tmp_path / "t.csv"), "target": "y"}}, "split": {"test": 0.5}}
    run = train({**settings, "layers": ["linear: 1"], "loss": "mse", "epochs": 2}, folder=tmp_path)
    declared = table.astype({"c": "category"})
    assert run.predict(declared)["prediction"].tolist() == run.predict(table)["prediction"].tolist()
    assert run.evaluate(declared)["input"] == run.evaluate(table)["input"]


def test_the_rows_of_a_run_may_come_back_with_another_type(tmp_path: Path) -> None:
    table = pd.DataFrame({"c": [1, 2, 3, 4] * 6, "size": SIZE, "y": Y})
    settings = {"dataset": {"table": "y"}, "split": {"test": 0.5}, "layers": ["linear: 1"], "loss": "mse", "epochs": 2}
    run = train(settings, table, folder=tmp_path)
    again = run.evaluate(splits=["test"], data=table.astype({"c": "category"}))
    assert again == run.evaluate(splits=["test"], data=table)


def test_a_fit_takes_a_category_of_numbers_as_categories() -> None:
    levels = [0.5, 1.5, 7.25, 2.5, 9.75, 4.5]
    rng = np.random.default_rng(0)
    column = rng.choice(levels, 120)
    table = pd.DataFrame({"c": pd.Series(column, dtype="category"), "y": column % 2 * 10 + rng.normal(size=120)})
    net = nnfs_cli.fit(table, "y", epochs=2)
    assert dict(net.result_.predictor.encoder.kinds) == {"c": "category"}


# Gaps


@pytest.mark.parametrize("gaps", [[None] * N, [np.nan] * N, pd.Series([None] * N, dtype="string")])
def test_a_column_that_is_empty_in_every_training_row_is_left_out(gaps: Any) -> None:
    assert warned(pd.DataFrame({"c": gaps, "size": SIZE})) == [
        "column 'c' is empty in every training row and is left out"
    ]
    alone = regressor().fit(pd.DataFrame({"size": SIZE}), Y).predict(pd.DataFrame({"size": SIZE}))
    assert fitted(gaps).predict(pd.DataFrame({"c": ZIP, "size": SIZE})).tolist() == alone.tolist()


@pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")
def test_a_net_of_an_array_with_an_empty_column_is_the_same_after_saving(tmp_path: Path) -> None:
    X = np.column_stack([SIZE, np.full(N, np.nan), SIZE**2])
    net = regressor().fit(X, Y)
    net.save(tmp_path / "run")
    assert NetRegressor.load(tmp_path / "run").predict(X).tolist() == net.predict(X).tolist()


def test_an_empty_date_is_refused_with_the_reason_and_a_remedy() -> None:
    days = pd.date_range("2026-01-01", periods=N)
    net = fitted(days)
    new = pd.DataFrame({"c": days, "size": SIZE})
    new.loc[3, "c"] = pd.NaT
    expected = (
        "X, row 4: column 'c' is empty; no training row is empty there, so the net does not know what that means;"
        " fill in the cell, or leave out the row"
    )
    with pytest.raises(ValueError, match="X, row 4") as raised:
        net.predict(new)
    assert str(raised.value) == expected


# Messages

WORDS = pd.DataFrame({"word": ["a", "b"] * 12, "size": SIZE})


@pytest.mark.parametrize(
    ("X", "preprocessing", "message"),
    [
        (
            WORDS, {"categories": None},
            "X, row 1: column 'word' should hold numbers, found 'a'\n"
            "correct the table, leave out the column, or set:\n"
            "  preprocessing={'categories': 'one_hot'}",
        ),
        (
            pd.DataFrame({"zip": ZIP, "size": SIZE}), {"categories": None},
            "X: column 'zip' holds texts that look like numbers; convert it to numbers\n"
            "correct the table, leave out the column, or set:\n"
            "  preprocessing={'categories': 'one_hot'}",
        ),
        (
            pd.DataFrame({"size": ["0,5", "0,6"] * 12}), {"columns": {"size": "standardize"}},
            "X, row 1: column 'size' should hold numbers, found '0,5'; if it has a decimal comma, write a point and"
            " convert the column to numbers",
        ),
        (
            pd.DataFrame({"size": ["n/a", 1] * 12}), {"columns": {"size": "standardize"}},
            "X, row 1: column 'size' should hold numbers, found 'n/a'; if it means an empty cell, replace it with None",
        ),
        (
            pd.DataFrame({"bin": pd.cut(SIZE, 3), "size": SIZE}), PREPROCESSING,
            "X: column 'bin' holds intervals (pandas); convert them with .astype(str)",
        ),
        (
            pd.DataFrame({"month": pd.period_range("2026-01", periods=N, freq="M")}), PREPROCESSING,
            "X: column 'month' holds periods (pandas); convert them with .astype(str)",
        ),
    ],
)  # fmt: skip
def test_a_column_that_cannot_be_used_has_a_remedy_in_python(X: Any, preprocessing: Any, message: str) -> None:
    with pytest.raises(ValueError, match="X") as raised:
        regressor(preprocessing=preprocessing).fit(X, Y)
    assert message in str(raised.value)
    assert "config" not in str(raised.value)
    assert "null:" not in str(raised.value)


def test_the_remedies_work() -> None:
    regressor(preprocessing={"categories": "one_hot"}).fit(WORDS, Y)
    bins = pd.DataFrame({"bin": pd.cut(SIZE, 3)}).astype(str)
    regressor().fit(bins, Y)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "^X has no rows$"),
        (None, "^X should be a pandas, .* or a dict that is one row; found None$"),
        ("rows.csv", "found a str; if that is a file, read it first$"),
        (Path("rows.csv"), "Path; if that is a file, read it first$"),
        (3.5, "found a float$"),
        (pl.LazyFrame({"a": [1.0]}), r"found a LazyFrame; call collect\(\) first$"),
        (pd.Series({"a": 1, "b": "x"}), r"series.to_dict\(\) is one row, series.to_frame\(\) one column$"),
        (pd.DataFrame(index=range(N)), "^X has no columns$"),
        ({}, "^X has no columns$"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(X: Any, message: str) -> None:
    for ask in (lambda: regressor().fit(X, Y), lambda: fitted(ZIP).predict(X)):
        with pytest.raises(nnfs_cli.InvalidInputError, match=message):
            ask()


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, pl.Series])
def test_a_missing_label_is_named(kind: Any) -> None:
    labels = kind(["a", None] * 12) if kind is not np.array else np.array(["a", None] * 12, object)
    with pytest.raises(nnfs_cli.InvalidInputError, match=r"^y, row 2 is missing; leave out the rows without a target$"):
        NetClassifier(layers=["linear: 4"]).fit(WORDS, labels)


def test_a_run_of_python_says_how_to_give_rows_where_it_is_asked(tmp_path: Path, inside: Nnfs) -> None:
    settings = {"dataset": {"table": "y"}, "layers": ["linear: 1"], "loss": "mse", "epochs": 2}
    run = train(settings, {"size": SIZE, "y": Y}, folder=tmp_path)
    with pytest.raises(DataError, match=r"give the same table again in Python, as data=table$"):
        Run.open(run.path).evaluate()
    done = inside("evaluate", run.path)
    assert done.returncode == 2
    assert "does not keep its rows; give rows with --input" in " ".join(done.stderr.split())
