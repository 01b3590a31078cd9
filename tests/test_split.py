"""Which rows train, which validate and which test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnfs_cli import tasks
from nnfs_cli.data.split import PARTS, Split
from nnfs_cli.data.table import Table
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.spec import Spec
from nnfs_cli.tasks import Experiment

fractions = st.floats(0.05, 0.45)
seeds = st.integers(0, 2**40)


def table(n: int) -> Table:
    return Table("t.csv", {"a": np.arange(n)}, "")


def divide(split: Split, classes: list[int], seed: int = 0) -> dict[str, np.ndarray]:
    return split.divide(table(len(classes)), np.array(classes), seed)


def prepared(folder: Path, table: str, split: dict[str, Any], **files: str) -> Experiment:
    """The experiment with a table that has the columns a and y, and perhaps s."""
    for name, content in {"t": table, **files}.items():
        (folder / f"{name}.csv").write_text(content)
    config = {
        "dataset": {"csv": {"path": "t.csv", "target": "y"}},
        "split": split,
        "preprocessing": "none",
        "layers": [{"linear": 2}],
        "loss": "cross_entropy",
        "epochs": 1,
    }
    (folder / "c.yaml").write_text(json.dumps(config))
    return tasks.prepare(Spec.load(folder / "c.yaml"))


def ten_rows(column: list[str] | None = None) -> str:
    """Ten rows of two classes; `column` becomes the column s."""
    header = "a,y,s" if column else "a,y"
    return "\n".join([header, *(f"{i},{'uv'[i % 2]}" + (f",{column[i]}" if column else "") for i in range(10))]) + "\n"


# --- by fraction ------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=40, max_size=200), fractions, fractions, st.booleans(), seeds)
def test_parts_are_disjoint_sorted_and_cover_all_rows(
    classes: list[int], validation: float, test: float, stratify: bool, seed: int
) -> None:
    parts = divide(Split(validation=validation, test=test, stratify=stratify), classes, seed)
    assert list(parts) == list(PARTS)
    assert all(np.array_equal(rows, np.sort(rows)) for rows in parts.values())
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(classes)))


@given(st.integers(20, 500), fractions, fractions, seeds)
def test_sizes_are_within_one_row_of_the_fractions(n: int, validation: float, test: float, seed: int) -> None:
    parts = Split(validation=validation, test=test).divide(table(n), None, seed)
    assert abs(len(parts["validation"]) - validation * n) < 1
    assert abs(len(parts["test"]) - test * n) < 1


@given(st.lists(st.integers(20, 60), min_size=2, max_size=8), fractions, fractions, seeds)
def test_stratified_sizes_are_within_one_row_of_the_fractions(
    sizes: list[int], validation: float, test: float, seed: int
) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes).tolist()
    parts = divide(Split(validation=validation, test=test), classes, seed)
    assert abs(len(parts["validation"]) - validation * len(classes)) < 1
    assert abs(len(parts["test"]) - test * len(classes)) < 1


@given(st.lists(st.integers(1, 30), min_size=2, max_size=30), fractions, st.just(0.0) | fractions, seeds)
@example([1] * 40 + [10], 0.2, 0.0, 0)
@example([2] * 20 + [10], 0.45, 0.45, 0)
def test_each_class_has_its_share_within_one_row(sizes: list[int], validation: float, test: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    try:
        parts = divide(Split(validation=validation, test=test), classes.tolist(), seed)
    except DataError:  # too few rows in all
        return
    for part, fraction in (("validation", validation), ("test", test)):
        counts = np.bincount(classes[parts[part]], minlength=len(sizes))
        assert abs(counts - fraction * np.array(sizes)).max() <= 1


@given(st.lists(st.integers(1, 30), min_size=2, max_size=30), fractions, fractions, seeds)
def test_every_class_has_a_row_to_train(sizes: list[int], validation: float, test: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    try:
        parts = divide(Split(validation=validation, test=test), classes.tolist(), seed)
    except DataError:  # too few rows in all
        return
    assert set(classes[parts["train"]]) == set(classes)


def test_class_with_one_row_goes_to_train() -> None:
    for seed in range(20):
        assert 7 in divide(Split(validation=0.4, test=0.4), [0] * 7 + [1] + [2] * 7, seed)["train"]


def test_proportions_are_those_of_the_whole() -> None:
    classes = np.repeat([0, 1, 2], [60, 30, 10])
    parts = divide(Split(validation=0.2, test=0.1), classes.tolist())
    counts = {part: np.bincount(classes[rows]).tolist() for part, rows in parts.items()}
    assert counts == {"train": [42, 21, 7], "validation": [12, 6, 2], "test": [6, 3, 1]}


def test_without_stratify_classes_fall_as_they_may() -> None:
    classes = np.repeat([0, 1], [90, 10])
    counts = {
        int(classes[divide(Split(validation=0.2, stratify=False), classes.tolist(), seed)["validation"]].sum())
        for seed in range(30)
    }
    assert len(counts) > 1
    stratified = {
        int(classes[divide(Split(validation=0.2), classes.tolist(), seed)["validation"]].sum()) for seed in range(30)
    }
    assert stratified == {2}


@given(st.lists(st.integers(0, 4), min_size=40, max_size=100), st.booleans(), seeds)
def test_same_seed_gives_the_same_split(classes: list[int], stratify: bool, seed: int) -> None:
    split = Split(validation=0.2, test=0.2, stratify=stratify)
    first, again = divide(split, classes, seed), divide(split, classes, seed)
    assert all(np.array_equal(first[part], again[part]) for part in PARTS)


@pytest.mark.parametrize("stratify", [True, False])
def test_other_seeds_give_other_splits(stratify: bool) -> None:
    split = Split(validation=0.3, stratify=stratify)
    assert len({tuple(divide(split, [0, 1] * 50, seed)["validation"]) for seed in range(20)}) == 20


def test_no_fraction_keeps_every_row_to_train() -> None:
    assert [len(rows) for rows in divide(Split(validation=0), [0, 1] * 5).values()] == [10, 0, 0]


@pytest.mark.parametrize(
    ("settings", "classes", "message"),
    [
        pytest.param({}, [0, 0], r"^t\.csv.* 2 rows are too few .* 0\.2 .*validation", id="validation"),
        pytest.param(
            {"validation": 0, "test": 0.01}, [0] * 40, r"^t\.csv.* 40 rows are too .* 0\.01 .*test", id="test"
        ),
        pytest.param({}, [0], r"^t\.csv.* 1 row is too few", id="one row"),
        pytest.param({}, [0, 1, 2, 3, 4, 5], r"^t\.csv.* too few .*validation", id="one row a class"),
    ],
)
def test_part_that_would_be_empty_is_an_error(settings: dict[str, float], classes: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        divide(Split(**settings), classes)


# --- by column --------------------------------------------------------------------------------------------------------


def test_column_says_where_each_row_goes(tmp_path: Path) -> None:
    column = ["train", "test", "train", "validation", "validation", "train", "test", "train", "train", "train"]
    experiment = prepared(tmp_path, ten_rows(column), {"column": "s"})
    assert experiment.predictor.encoder.features == ("a",)
    for part in PARTS:
        assert experiment.parts[part].X[:, 0].tolist() == [i for i, word in enumerate(column) if word == part]


def test_column_may_leave_out_what_is_not_needed(tmp_path: Path) -> None:
    experiment = prepared(tmp_path, ten_rows(["train"] * 9 + ["test"]), {"column": "s"})
    assert {part: len(rows) for part, rows in experiment.parts.items()} == {"train": 9, "test": 1}


@pytest.mark.parametrize("word", ["tset", "Train", " train", "0"])
def test_column_with_another_word_is_named_with_its_line(tmp_path: Path, word: str) -> None:
    with pytest.raises(DataError, match=rf"^t\.csv, line 9: column 's' .* found '{word}'"):
        prepared(tmp_path, ten_rows(["train"] * 7 + [word, "test", "oops"]), {"column": "s"})


def test_column_with_a_gap_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^t\.csv, line 9: column 's' .*empty"):
        prepared(tmp_path, ten_rows(["train"] * 7 + ["", "test", "train"]), {"column": "s"})


def test_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml:1:\d+: error: t\.csv has no column 'ss'; did you mean 's'\?"):
        prepared(tmp_path, ten_rows(["train"] * 10), {"column": "ss"})


def test_column_that_leaves_no_row_to_train_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^t\.csv.* no row to train"):
        prepared(tmp_path, ten_rows(["test"] * 10), {"column": "s"})


# --- by files ---------------------------------------------------------------------------------------------------------


def test_file_of_its_own_is_a_part_and_leaves_the_table_to_train(tmp_path: Path) -> None:
    more = "y,a\nv,3\nu,4\n"  # columns in another order
    experiment = prepared(tmp_path, ten_rows(), {"validation": "v.csv", "test": "w.csv"}, v=more, w=more)
    assert {part: len(rows) for part, rows in experiment.parts.items()} == {"train": 10, "validation": 2, "test": 2}
    assert experiment.parts["validation"].X.tolist() == [[3], [4]]
    assert experiment.parts["validation"].truth.tolist() == [1, 0]


def test_file_goes_with_a_fraction(tmp_path: Path) -> None:
    experiment = prepared(tmp_path, ten_rows(), {"validation": 0.2, "test": "w.csv"}, w="a,y\n1,u\n")
    assert {part: len(rows) for part, rows in experiment.parts.items()} == {"train": 8, "validation": 2, "test": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("a,y\n", r"^v\.csv has a header and no rows", id="no rows"),
        pytest.param(
            "a,y\n1,u\n2,w\n", r"^v\.csv, line 3: the target 'y' should hold 'u' or 'v', found 'w'", id="unknown class"
        ),
        pytest.param("a,y\n1,u\nx,v\n", r"^v\.csv, line 3: column 'a' should hold numbers, found 'x'", id="text"),
        pytest.param("b,y\n1,u\n", r"^v\.csv lacks 1 column: 'a'", id="missing column"),
    ],
)
def test_file_that_does_not_fit_is_refused_under_its_own_name(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepared(tmp_path, ten_rows(), {"validation": "v.csv"}, v=content)


def test_file_whose_labels_all_look_like_numbers_still_names_the_classes(tmp_path: Path) -> None:
    training = ten_rows().replace("u", "1").replace("v", "one")
    experiment = prepared(tmp_path, training, {"validation": "v.csv"}, v="a,y\n3,1\n4,1\n")
    assert experiment.parts["validation"].truth.tolist() == [0, 0]
