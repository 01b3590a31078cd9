"""Data and configs with nothing in them, too little of it, or always the same: an error that is clear, or a warning.

Whatever is trained all the same is evaluated, predicts, and is resumed like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nnfs_cli.config.yaml import dump
from tests.conftest import Nnfs

ERROR, TRAINED = 2, 0


def column(n: int, cell: Callable[[int], object]) -> str:
    return "".join(f"{cell(i)}\n" for i in range(n))


def labels(n: int, word: Callable[[int], str]) -> str:
    return "a,y\n" + column(n, lambda i: f"{i},{word(i)}")


def parts(n: int, part: Callable[[int], str], y: Callable[[int], object]) -> str:
    return "a,part,y\n" + column(n, lambda i: f"{i},{part(i)},{y(i)}")


NUMBERS = "a,y\n" + column(20, lambda i: f"{i},{2 * i}")
HALF = ("yes", "no")
NUMBER: dict[str, Any] = {"layers": [{"linear": 2}, "relu", {"linear": 1}], "loss": "mse"}
TWO: dict[str, Any] = {"layers": [{"linear": 2}, "relu", {"linear": 1}, "sigmoid"], "loss": "binary_cross_entropy"}
DEAD: dict[str, Any] = {"linear": {"units": 2, "init": "zeros"}}
BY_PART: dict[str, Any] = {"split": {"column": "part"}}
WEIGHTED: dict[str, Any] = {"dataset": {"csv": {"path": "t.csv", "target": "y", "weight": "w"}}}


class Case(NamedTuple):
    """A table, what is done with it, how that ends, and what is said."""

    table: str
    config: dict[str, Any]
    code: int
    said: str


CASES = {
    "empty_file": Case("", NUMBER, ERROR, "t.csv is empty"),
    "zero_rows": Case("a,y\n", NUMBER, ERROR, "t.csv has a header but no rows"),
    "one_row": Case("a,y\n1,2\n", NUMBER, ERROR, "1 row is too few to hold out 0.2 of them for validation"),
    "one_row_without_validation": Case(
        "a,y\n1,2\n", {**NUMBER, "split": 0}, TRAINED, "'a' is constant in the training rows"
    ),
    "empty_validation": Case(
        NUMBERS, {**NUMBER, "split": {"validation": 0.01}}, ERROR, "20 rows are too few to hold out 0.01 of them"
    ),
    "empty_training": Case(
        parts(20, lambda i: "test", lambda i: i), {**NUMBER, **BY_PART}, ERROR, "the split leaves no row to train"
    ),
    "empty_split_file": Case(
        NUMBERS, {**NUMBER, "split": {"validation": "later.csv"}}, ERROR, "later.csv has a header but no rows"
    ),
    "fractions_of_everything": Case(
        NUMBERS, {**NUMBER, "split": {"validation": 0.5, "test": 0.5}}, ERROR, "take 1 of the rows, which leaves none"
    ),
    "single_group": Case(
        "a,g,y\n" + column(20, lambda i: f"{i},x,{i}"),
        {**NUMBER, "split": {"validation": 0.2, "group": "g"}},
        ERROR,
        "column 'g' has 1 group, but train and validation need at least one each",
    ),
    "single_class": Case(labels(20, lambda i: "yes"), TWO, ERROR, "the target 'y' is always 'yes', but classification"),
    "class_of_one_row": Case(
        labels(20, lambda i: "no" if i == 3 else "yes"),
        TWO,
        TRAINED,
        "no validation row is 'no', so the validation figures",
    ),
    "class_missing_from_training": Case(
        parts(20, lambda i: "train" if i < 14 else "test", lambda i: "c" if i > 13 else "ab"[i % 2]),
        {"layers": [{"linear": 3}, "softmax"], "loss": "cross_entropy", **BY_PART},
        TRAINED,
        "no training row is 'c', so the net does not learn it",
    ),
    "class_missing_from_validation": Case(
        parts(20, lambda i: "train" if i < 14 else "validation", lambda i: "no" if i > 13 else HALF[i % 2]),
        {**TWO, **BY_PART},
        TRAINED,
        "no validation row is 'yes', so the validation figures do not cover it",
    ),
    "every_row_its_own_class": Case(
        labels(40, lambda i: f"c{i}"),
        {"layers": [{"linear": 40}, "softmax"], "loss": "cross_entropy", "split": 0},
        TRAINED,
        "it may overfit",
    ),
    "constant_column": Case(
        "a,b,y\n" + column(20, lambda i: f"{i},7,{i}"), NUMBER, TRAINED, "'b' is constant in the training rows"
    ),
    "constant_columns_only": Case(
        "a,b,y\n" + column(20, lambda i: f"1,7,{i}"), NUMBER, TRAINED, "'a' and 'b' are constant in the training rows"
    ),
    "constant_word": Case(
        "a,b,y\n" + column(20, lambda i: f"{i},x,{i}"),
        {**NUMBER, "preprocessing": {"categories": "one_hot"}},
        TRAINED,
        "'b' is constant in the training rows, so the net learns nothing from it",
    ),
    "constant_target": Case(
        "a,y\n" + column(20, lambda i: f"{i},5"),
        NUMBER,
        TRAINED,
        "the target 'y' is 5 in all training rows; the net can learn nothing else",
    ),
    "empty_column": Case(
        "a,b,y\n" + column(20, lambda i: f"{i},,{i}"), NUMBER, ERROR, "column 'b' is empty, as in 19 more rows of 20"
    ),
    "empty_column_that_is_filled": Case(
        "a,b,y\n" + column(20, lambda i: f"{i},,{i}"),
        {**NUMBER, "preprocessing": {"numbers": ["impute", "standardize"], "columns": {"b": "impute"}}},
        ERROR,
        "column 'b' is empty in every training row, so it has no median to fill in; drop the column",
    ),
    "no_inputs": Case("y\n" + column(20, lambda i: i), NUMBER, ERROR, "has no column left to learn from"),
    "gap_in_the_target": Case(
        "a,y\n" + column(20, lambda i: f"{i},{'' if i == 5 else i}"), NUMBER, ERROR, "line 7: column 'y' is empty"
    ),
    "batch_larger_than_the_data": Case(
        NUMBERS,
        {**NUMBER, "batch_size": 1000},
        TRAINED,
        "so a batch of 1000 holds all of them",
    ),
    "batch_larger_than_the_data_and_dropped": Case(
        NUMBERS,
        {**NUMBER, "batch_size": 1000, "drop_last": True},
        ERROR,
        "16 training rows do not fill one batch of 1000, and drop_last drops it",
    ),
    "batch_norm_of_one_row": Case(
        "a,y\n1,2\n2,3\n",
        {**NUMBER, "layers": [{"linear": 2}, "batch_norm", {"linear": 1}], "split": 0.5},
        ERROR,
        "batch_norm needs batches of at least 2 rows, but there is only 1 training row",
    ),
    "all_weights_zero": Case(
        "a,w,y\n" + column(20, lambda i: f"{i},0,{i}"),
        {**NUMBER, **WEIGHTED},
        ERROR,
        "all train rows have weight 0",
    ),
    "all_class_weights_zero": Case(
        labels(20, lambda i: HALF[i % 2]),
        {**TWO, "class_weights": {"yes": 0, "no": 0}},
        ERROR,
        "all train rows have weight 0, so none of them counts",
    ),
    "negative_weight": Case(
        "a,w,y\n" + column(20, lambda i: f"{i},{1 if i else -1},{i}"),
        {**NUMBER, **WEIGHTED},
        ERROR,
        "line 2: column 'w' should hold numbers of 0 or more, since they are weights, found '-1'",
    ),
    "numbers_too_large": Case(
        "a,y\n" + column(20, lambda i: f"{i}e300,{i}"), NUMBER, ERROR, "holds numbers too large for standardize"
    ),
    "more_outputs_than_classes": Case(
        labels(20, lambda i: HALF[i % 2]),
        {"layers": [{"linear": 5}, "softmax"], "loss": "cross_entropy"},
        ERROR,
        "the net gives 5 outputs; t.csv has 2 classes, for which cross_entropy needs 2",
    ),
    "early_stopping_without_validation": Case(
        NUMBERS, {**NUMBER, "split": 0, "early_stopping": 3}, ERROR, "there are no validation rows, so the log has no"
    ),
    "metric_of_a_single_row": Case(
        "a,y\n" + column(5, lambda i: f"{i},{i}"), {**NUMBER, "metrics": ["r2"]}, TRAINED, "r2 is not defined on the 1"
    ),
    "metric_of_a_single_class": Case(
        parts(20, lambda i: "train" if i < 14 else "validation", lambda i: "no" if i > 13 else HALF[i % 2]),
        {**TWO, **BY_PART, "metrics": ["roc_auc"]},
        TRAINED,
        "roc_auc is not defined on the 6 validation rows",
    ),
    "more_folds_than_rows": Case(
        "a,c,y\n" + column(3, lambda i: f"{i},w{i},{i}"),
        {**NUMBER, "preprocessing": {"categories": {"target_mean": {"folds": 50}}}, "split": 0},
        TRAINED,
        "it may overfit",
    ),
    "word_that_only_validation_has": Case(
        "a,c,part,y\n" + column(20, lambda i: f"{i},{'new' if i > 18 else 'old'},{'test' if i > 15 else 'train'},{i}"),
        {**NUMBER, **BY_PART, "preprocessing": {"categories": "one_hot"}},
        ERROR,
        "line 21: column 'c' should hold a category of the training rows, such as 'old' (with unseen: other, its step",
    ),
    "dead_net": Case(
        NUMBERS,
        {
            **NUMBER,
            "layers": [{"linear": {"units": 2, "init": "zeros"}}, "relu", {"linear": {"units": 1, "init": "zeros"}}],
        },
        TRAINED,
        "",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_nothing_and_too_little_of_anything_are_refused_or_warned_of(case: Case, inside: Nnfs, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(case.table)
    (tmp_path / "later.csv").write_text("a,y\n")
    settings = {"dataset": {"csv": {"path": "t.csv", "target": "y"}}, "epochs": 2, "lr": 0.01, **case.config}
    (tmp_path / "c.yaml").write_text(dump(settings))
    done = inside("train", "c.yaml", "--quiet")
    assert done.returncode == case.code, done.stderr
    assert case.said in done.stderr
    start = re.compile(r"(error|warning|c\.yaml:\d+:\d+: error): |correct the file|  \w+: [{[\w]| +\d* \| ")
    assert all(map(start.match, done.stderr.splitlines()))
    if case.code == ERROR:
        assert not (tmp_path / "runs").exists()  # nothing was begun
        return
    assert done.stdout == "runs/c-1\n"
    for words in (
        ["evaluate", "runs/c-1"],
        ["predict", "--run", "runs/c-1", "--input", "t.csv"],
        ["resume", "runs/c-1", "--epochs", 3, "--quiet"],
        ["verify", "runs/c-1", "--quiet"],
    ):
        done = inside(*words)
        assert done.returncode == 0, (words, done.stderr)
