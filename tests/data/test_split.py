"""Which rows train, which validate and which test."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.split import SPLITS, Split
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ConfigError, DataError
from nnfs_cli.experiment.experiment import Experiment

fractions = st.floats(0.05, 0.45)
seeds = st.integers(0, 2**40)


def table(n: int) -> Table:
    return Table("t.csv", {"a": np.arange(n)}, "")


def divide(setting: Split, classes: list[int], seed: int = 0) -> dict[str, np.ndarray]:
    return setting.divide(table(len(classes)), np.array(classes), seed)


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
    return workflows.prepare(Config.load(folder / "c.yaml"))


def refused(folder: Path, dataset: object, split: dict[str, Any]) -> str:
    """Return the error of a config with this split."""
    config = {"dataset": dataset, "split": split, "layers": [{"linear": 3}], "loss": "cross_entropy", "epochs": 1}
    (folder / "c.yaml").write_text(json.dumps(config))
    with pytest.raises(ConfigError) as caught:
        Config.load(folder / "c.yaml")
    return str(caught.value)


def of(name: str, values: Any) -> Table:
    """A table of one column: texts, numbers or dates."""
    texts = isinstance(values, list) and all(isinstance(value, str | None) for value in values)
    return Table("t.csv", {name: Texts.of(values) if texts else np.asarray(values)})


def assert_divided(splits: dict[str, np.ndarray], n: int) -> None:
    """Assert that every row is in one split, and that the rows of each split are sorted."""
    assert list(splits) == list(SPLITS)
    assert all((np.diff(rows) > 0).all() for rows in splits.values())
    assert sorted(np.concatenate(list(splits.values())).tolist()) == list(range(n))


def split_of_each(splits: dict[str, np.ndarray], n: int) -> list[str]:
    """Return the split of each row."""
    found = np.empty(n, object)
    for split, rows in splits.items():
        found[rows] = split
    return found.tolist()


def ten_rows(column: list[str] | None = None) -> str:
    """Ten rows of two classes; `column` becomes the column s."""
    header = "a,y,s" if column else "a,y"
    return "\n".join([header, *(f"{i},{'uv'[i % 2]}" + (f",{column[i]}" if column else "") for i in range(10))]) + "\n"


# --- by fraction ------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=40, max_size=200), fractions, fractions, st.booleans(), seeds)
def test_splits_are_disjoint_sorted_and_cover_all_rows(
    classes: list[int], validation: float, test: float, stratify: bool, seed: int
) -> None:
    splits = divide(Split(validation=validation, test=test, stratify=stratify), classes, seed)
    assert_divided(splits, len(classes))


@given(st.integers(20, 500), fractions, fractions, seeds)
def test_sizes_are_within_one_row_of_the_fractions(n: int, validation: float, test: float, seed: int) -> None:
    splits = Split(validation=validation, test=test).divide(table(n), None, seed)
    assert abs(len(splits["validation"]) - validation * n) < 1
    assert abs(len(splits["test"]) - test * n) < 1


@given(st.lists(st.integers(20, 60), min_size=2, max_size=8), fractions, fractions, seeds)
def test_stratified_sizes_are_within_one_row_of_the_fractions(
    sizes: list[int], validation: float, test: float, seed: int
) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes).tolist()
    splits = divide(Split(validation=validation, test=test), classes, seed)
    assert abs(len(splits["validation"]) - validation * len(classes)) < 1
    assert abs(len(splits["test"]) - test * len(classes)) < 1


@given(st.lists(st.integers(1, 30), min_size=2, max_size=30), fractions, st.just(0.0) | fractions, seeds)
@example([1] * 40 + [10], 0.2, 0.0, 0)
@example([2] * 20 + [10], 0.45, 0.45, 0)
def test_each_class_has_its_share_within_one_row(sizes: list[int], validation: float, test: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    try:
        splits = divide(Split(validation=validation, test=test), classes.tolist(), seed)
    except DataError:  # too few rows in all
        return
    for split, fraction in (("validation", validation), ("test", test)):
        counts = np.bincount(classes[splits[split]], minlength=len(sizes))
        assert abs(counts - fraction * np.array(sizes)).max() <= 1


@given(st.lists(st.integers(1, 30), min_size=2, max_size=30), fractions, fractions, seeds)
def test_every_class_has_a_row_to_train(sizes: list[int], validation: float, test: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(sizes)), sizes)
    try:
        splits = divide(Split(validation=validation, test=test), classes.tolist(), seed)
    except DataError:  # too few rows in all
        return
    assert set(classes[splits["train"]]) == set(classes)


def test_a_class_with_one_row_goes_to_train() -> None:
    for seed in range(20):
        assert 7 in divide(Split(validation=0.4, test=0.4), [0] * 7 + [1] + [2] * 7, seed)["train"]


def test_classes_keep_their_proportions() -> None:
    classes = np.repeat([0, 1, 2], [60, 30, 10])
    splits = divide(Split(validation=0.2, test=0.1), classes.tolist())
    counts = {split: np.bincount(classes[rows]).tolist() for split, rows in splits.items()}
    assert counts == {"train": [42, 21, 7], "validation": [12, 6, 2], "test": [6, 3, 1]}


def test_without_stratify_classes_may_lose_their_proportions() -> None:
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
    setting = Split(validation=0.2, test=0.2, stratify=stratify)
    first, again = divide(setting, classes, seed), divide(setting, classes, seed)
    assert all(np.array_equal(first[split], again[split]) for split in SPLITS)


@pytest.mark.parametrize("stratify", [True, False])
def test_different_seeds_give_different_splits(stratify: bool) -> None:
    setting = Split(validation=0.3, stratify=stratify)
    assert len({tuple(divide(setting, [0, 1] * 50, seed)["validation"]) for seed in range(20)}) == 20


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
def test_an_empty_split_is_an_error(settings: dict[str, float], classes: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        divide(Split(**settings), classes)


# --- by column --------------------------------------------------------------------------------------------------------


def test_a_column_assigns_each_row(tmp_path: Path) -> None:
    column = ["train", "test", "train", "validation", "validation", "train", "test", "train", "train", "train"]
    experiment = prepared(tmp_path, ten_rows(column), {"column": "s"})
    assert experiment.predictor.encoder.kinds == {"a": "number"}
    for split in SPLITS:
        assert experiment.splits[split].X[:, 0].tolist() == [i for i, word in enumerate(column) if word == split]


def test_a_column_need_not_name_every_split(tmp_path: Path) -> None:
    experiment = prepared(tmp_path, ten_rows(["train"] * 9 + ["test"]), {"column": "s"})
    assert {split: len(rows) for split, rows in experiment.splits.items()} == {"train": 9, "test": 1}


@pytest.mark.parametrize("word", ["tset", "Train", " train", "0"])
def test_an_unknown_split_in_the_column_is_named_with_its_line(tmp_path: Path, word: str) -> None:
    with pytest.raises(DataError, match=rf"^t\.csv, line 9: column 's' .* found '{word}'"):
        prepared(tmp_path, ten_rows(["train"] * 7 + [word, "test", "oops"]), {"column": "s"})


def test_an_empty_cell_in_the_column_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^t\.csv, line 9: column 's' .*empty"):
        prepared(tmp_path, ten_rows(["train"] * 7 + ["", "test", "train"]), {"column": "s"})


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml:1:\d+: error: t\.csv has no column 'ss'; did you mean 's'\?"):
        prepared(tmp_path, ten_rows(["train"] * 10), {"column": "ss"})


def test_a_column_without_training_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^t\.csv.* no row to train"):
        prepared(tmp_path, ten_rows(["test"] * 10), {"column": "s"})


# --- by group ---------------------------------------------------------------------------------------------------------


def rows_of_groups(sizes: list[int], seed: int = 0) -> list[str]:
    """Return the groups of rows, in random order."""
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    return np.random.default_rng(seed).permutation(groups).tolist()


group_sizes = st.lists(st.integers(1, 30) | st.integers(1, 3), min_size=3, max_size=40)


@given(group_sizes, fractions, fractions, seeds)
def test_no_group_is_in_two_splits(sizes: list[int], validation: float, test: float, seed: int) -> None:
    groups = rows_of_groups(sizes, seed)
    splits = Split(validation=validation, test=test, group="g").divide(of("g", groups), None, seed)
    assert_divided(splits, len(groups))
    kept = {split: {groups[row] for row in rows} for split, rows in splits.items()}
    assert all(kept.values())
    assert sum(len(group) for group in kept.values()) == len(sizes)


@given(group_sizes, fractions, fractions, seeds)
@example([1, 1, 98], 0.45, 0.45, 0)
def test_splits_miss_their_fraction_by_less_than_the_largest_group(
    sizes: list[int], validation: float, test: float, seed: int
) -> None:
    setting = Split(validation=validation, test=test, group="g")
    splits = setting.divide(of("g", rows_of_groups(sizes)), None, seed)
    for split, fraction in setting.fractions.items():
        assert abs(len(splits[split]) - fraction * sum(sizes)) < max(sizes)


@given(st.integers(10, 200), fractions, fractions, seeds)
def test_groups_of_one_row_are_within_half_a_row_of_the_fractions(
    n: int, validation: float, test: float, seed: int
) -> None:
    setting = Split(validation=validation, test=test, group="g")
    assume(min(validation, test) * n >= 1)
    splits = setting.divide(of("g", np.arange(n)), None, seed)
    for split, fraction in setting.fractions.items():
        assert abs(len(splits[split]) - fraction * n) <= 0.5 + 1e-9


def test_small_groups_fill_the_rest_of_a_split() -> None:
    groups = rows_of_groups([40, 30, 13, 7, 5, 3, 1, 1])
    for seed in range(50):
        splits = Split(validation=0.2, group="g").divide(of("g", groups), None, seed)
        assert len(splits["validation"]) in (19, 20, 21)


def test_a_group_too_large_for_any_fraction_trains() -> None:
    groups = rows_of_groups([90, 5, 5])
    for seed in range(20):
        splits = Split(validation=0.05, test=0.05, group="g").divide(of("g", groups), None, seed)
        assert [len(splits[split]) for split in SPLITS] == [90, 5, 5]


@given(group_sizes, seeds)
def test_the_draw_of_groups_does_not_depend_on_how_texts_are_stored(sizes: list[int], seed: int) -> None:
    texts = Texts.of(rows_of_groups(sizes))
    order = np.random.default_rng(seed).permutation(len(texts.distinct))
    words = np.append(texts.distinct, "never used")  # as after some rows were taken
    words[order] = texts.distinct
    kept_otherwise = Texts(order[texts.codes].astype(np.int32), words)
    assert kept_otherwise.tolist() == texts.tolist()
    setting = Split(group="g", validation=0.3)
    first = setting.divide(Table("t", {"g": texts}), None, seed)
    again = setting.divide(Table("t", {"g": kept_otherwise}), None, seed)
    assert all(np.array_equal(first[split], again[split]) for split in SPLITS)


def test_groups_of_equal_size_are_held_out_equally_often() -> None:
    groups = rows_of_groups([3] * 10)
    setting, table = Split(group="g", validation=0.2), of("g", groups)
    drawn = Counter(
        group
        for seed in range(500)
        for group in {groups[row] for row in setting.divide(table, None, seed)["validation"]}
    )
    assert len(drawn) == 10
    assert sum(drawn.values()) == 1000
    assert chisquare(list(drawn.values())).pvalue > 1e-4


@pytest.mark.parametrize(
    ("n_groups", "settings", "message"),
    [
        (1, {}, r"^t\.csv: column 'g' has 1 group, but train and validation need at least one each$"),
        (2, {"test": 0.2}, r"^t\.csv: column 'g' has 2 groups, but train, validation and test need at least one each$"),
    ],
)
def test_fewer_groups_than_splits_are_an_error(n_groups: int, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Split(group="g", **settings).divide(of("g", rows_of_groups([5] * n_groups)), None, 0)


def test_groups_stay_together_whatever_their_classes() -> None:
    splits = Split(group="g", validation=0.5).divide(of("g", ["a", "a", "b", "b"]), np.array([0, 1, 0, 1]), 0)
    assert sorted(map(list, (splits["train"], splits["validation"]))) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("way", ["group", "hash"])
def test_an_empty_cell_in_the_split_column_is_named_with_its_place(way: str) -> None:
    with pytest.raises(DataError, match=r"^t\.csv, row 3: column 'g' is empty$"):
        Split(**{way: "g"}).divide(of("g", ["a", "b", None, "c"]), None, 0)


# --- by time ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-40, 40), min_size=20, max_size=200), fractions, fractions, st.sampled_from("ifdt"))
def test_training_rows_are_earlier_than_validation_rows_and_these_than_test_rows(
    times: list[int], validation: float, test: float, kind: str
) -> None:
    numbers = np.array(times)
    days = numbers.astype("datetime64[D]")
    column = {"i": numbers, "f": numbers / 7, "d": days.astype("datetime64[us]"), "t": [str(day) for day in days]}[kind]
    setting = Split(validation=validation, test=test, time="when")
    try:
        splits = setting.divide(of("when", column), None, 0)
    except DataError:  # too many rows of one instant
        assume(False)
    assert_divided(splits, len(times))
    assert numbers[splits["train"]].max() < numbers[splits["validation"]].min()
    assert numbers[splits["validation"]].max() < numbers[splits["test"]].min()
    for split, fraction in setting.fractions.items():  # the requested rows, and ties with the earliest
        earliest = (numbers == numbers[splits[split]].min()).sum()
        assert -0.5 <= len(splits[split]) - fraction * len(times) < earliest + 0.5


@given(st.integers(10, 200), fractions, fractions, seeds)
def test_sizes_by_time_are_within_half_a_row_where_instants_differ(
    n: int, validation: float, test: float, seed: int
) -> None:
    assume(min(validation, test) * n >= 1)
    setting = Split(validation=validation, test=test, time="when")
    splits = setting.divide(of("when", np.random.default_rng(seed).permutation(n)), None, 0)
    for split, fraction in setting.fractions.items():
        assert abs(len(splits[split]) - fraction * n) <= 0.5


def test_equal_instants_go_to_the_later_split() -> None:
    splits = Split(validation=0.2, test=0.2, time="year").divide(
        of("year", [2020, 2020, 2021, 2021, 2021, 2021, 2022, 2022, 2022, 2022]), None, 0
    )
    assert {split: rows.tolist() for split, rows in splits.items()} == {
        "train": [0, 1],
        "validation": [2, 3, 4, 5],
        "test": [6, 7, 8, 9],
    }


def test_large_whole_numbers_stay_different_instants() -> None:
    times = 2**60 + np.arange(10)
    assert np.unique(times.astype(np.float64)).size == 1
    splits = Split(validation=0.2, test=0.2, time="ns").divide(of("ns", times), None, 0)
    assert [len(splits[split]) for split in SPLITS] == [6, 2, 2]


def test_instants_of_one_day_are_distinguished() -> None:
    times = np.array(["2026-01-01T12:00:01", "2026-01-01T12:00:00", "2025-12-31T23:59:59"], "datetime64[us]")
    splits = Split(validation=0.34, test=0.33, time="at").divide(of("at", times), None, 0)
    assert [splits[split].tolist() for split in SPLITS] == [[2], [1], [0]]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        pytest.param([1.0, np.nan, 3.0], r"^t\.csv, row 2: column 'when' is empty", id="gap in numbers"),
        pytest.param(
            np.array(["2026-01-01", "NaT"], "M8[us]"), r"^t\.csv, row 2: column 'when' is empty", id="gap in dates"
        ),
        pytest.param(["2026-01-01", None], r"^t\.csv, row 2: column 'when' is empty", id="gap in texts"),
        pytest.param(
            ["2026-01-01", "2 May"], r"^t\.csv, row 2: column 'when' should hold dates.* found '2 May'", id="no date"
        ),
        pytest.param([2020] * 9, r"^t\.csv: too many rows share one value of 'when'; .*0\.2 .*valid", id="equal"),
        pytest.param([2020, 2021], r"^t\.csv: 2 rows are too few to hold out 0\.2 of them for validation", id="few"),
    ],
)
def test_an_unusable_time_column_is_an_error(column: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Split(time="when").divide(of("when", column), None, 0)


# --- by hash ----------------------------------------------------------------------------------------------------------

ids = st.lists(st.text(min_size=1), min_size=60, max_size=120, unique=True)


@given(ids, fractions, fractions, st.integers(0, 2**32 - 1), st.data())
def test_the_split_of_an_id_does_not_depend_on_other_rows(
    names: list[str], validation: float, test: float, seed: int, data: st.DataObject
) -> None:
    setting = Split(validation=max(validation, 0.2), test=max(test, 0.2), hash="id")
    first = setting.divide(of("id", names), None, seed)
    assert_divided(first, len(names))
    split = dict(zip(names, split_of_each(first, len(names)), strict=True))
    others = data.draw(st.permutations([*names[:50], *names[10:40], *(f"new {i}" for i in range(60))]))
    again = split_of_each(setting.divide(of("id", others), None, seed), len(others))
    for name, now in zip(others, again, strict=True):
        assert split.setdefault(name, now) == now


def test_the_hash_depends_on_the_text_and_the_seed() -> None:
    names, setting = [f"käufer {i}" for i in range(200)], Split(hash="id", validation=0.25, test=0.25)
    for seed in (0, 1, 2**32 - 1):
        expected = []
        for name in names:
            digest = hashlib.blake2b(name.encode(), digest_size=8, salt=seed.to_bytes(8, "little")).hexdigest()
            place = int(digest[0], 16)  # the first of 16 hexadecimal digits tells quarters apart
            expected.append("test" if place < 4 else "validation" if place >= 12 else "train")
        assert split_of_each(setting.divide(of("id", names), None, seed), len(names)) == expected


def test_an_id_is_hashed_alike_as_a_number_and_as_a_text() -> None:
    setting = Split(hash="id", test=0.2)
    as_numbers = setting.divide(of("id", np.arange(100)), None, 0)
    as_texts = setting.divide(of("id", [str(i) for i in range(100)]), None, 0)
    assert all(np.array_equal(as_numbers[split], as_texts[split]) for split in SPLITS)


def test_a_hash_meets_the_fractions_in_expectation() -> None:
    n, setting = 20_000, Split(hash="id", validation=0.1, test=0.3)
    splits = setting.divide(of("id", [f"{i}" for i in range(n)]), None, 3)
    for split, fraction in (("train", 0.6), ("validation", 0.1), ("test", 0.3)):
        low, high = binom.interval(1 - 1e-6, n, fraction)
        assert low <= len(splits[split]) <= high


def test_a_larger_fraction_takes_rows_from_train_only() -> None:
    table = of("id", [f"{i}" for i in range(500)])
    before = Split(hash="id", validation=0.1, test=0.1).divide(table, None, 0)
    for more in ({"validation": 0.3, "test": 0.1}, {"validation": 0.1, "test": 0.3}):
        after = Split(hash="id", **more).divide(table, None, 0)
        assert all(set(before[split]) <= set(after[split]) for split in ("validation", "test"))


def test_different_seeds_group_ids_differently() -> None:
    table = of("id", [f"{i}" for i in range(100)])
    assert len({tuple(Split(hash="id").divide(table, None, seed)["validation"]) for seed in range(20)}) == 20


def test_a_split_without_ids_is_an_error() -> None:
    message = r"^t\.csv: none of the 1 different value of 'id' falls into (train|validation); "
    for seed in range(10):
        with pytest.raises(DataError, match=message):
            Split(hash="id").divide(of("id", ["a", "a"]), None, seed)


# --- one way at a time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "columns"),
    [
        ({}, {}),
        ({"column": "a"}, {"a": "category"}),
        ({"group": "a"}, {"a": "category"}),
        ({"hash": "a"}, {"a": "category"}),
        ({"time": "a"}, {"a": None}),
    ],
)
def test_a_split_names_the_columns_that_it_needs(settings: dict[str, str], columns: dict[str, str | None]) -> None:
    assert Split(**settings).columns == columns


@pytest.mark.parametrize(
    ("way", "column"),
    [
        ("group", ["1", "1", "2", "2", "3", "3", "4", "4", "5", "5"]),
        ("time", [f"2026-01-{31 - i}" for i in range(10)]),
        ("hash", [f"0{i}" for i in range(10)]),
    ],
)
def test_the_split_column_is_not_an_input(tmp_path: Path, way: str, column: list[str]) -> None:
    experiment = prepared(tmp_path, ten_rows(column), {way: "s", "validation": 0.4})
    assert experiment.predictor.encoder.kinds == {"a": "number"}
    splits = Split(**{way: "s", "validation": 0.4}).divide(
        of("s", column if way != "time" else np.arange(10, 0, -1)), None, 0
    )
    for split, encoded in experiment.splits.items():
        assert encoded.X[:, 0].tolist() == splits[split].tolist()


@pytest.mark.parametrize("way", ["column", "group", "time", "hash"])
@pytest.mark.parametrize("other", ["column", "group", "time", "hash"])
def test_two_split_columns_are_refused(tmp_path: Path, way: str, other: str) -> None:
    if way != other:
        message = refused(tmp_path, "iris", {way: "a", other: "b"})
        assert "error: only one column can divide the rows; set one of " in message
        assert {way, other} <= set(message.split())


@pytest.mark.parametrize("way", ["column", "group", "time", "hash"])
def test_a_builtin_data_set_has_no_split_column(tmp_path: Path, way: str) -> None:
    assert "iris has no such column; give fractions" in refused(tmp_path, "iris", {way: "a"})


@pytest.mark.parametrize("way", ["group", "time", "hash"])
@pytest.mark.parametrize("files", [{"validation": "v.csv"}, {"validation": "v.csv", "test": "v.csv"}])
def test_a_split_column_without_rows_to_divide_is_refused(tmp_path: Path, way: str, files: dict[str, str]) -> None:
    for name in ("t.csv", "v.csv"):
        (tmp_path / name).write_text("a,b,y\n")
    message = refused(tmp_path, {"csv": {"path": "t.csv", "target": "y"}}, {way: "b", **files})
    assert f"with {' and '.join(files)} from files, {way} has no rows to divide; leave {way} out" in message


@pytest.mark.parametrize("way", ["group", "time", "hash"])
def test_one_split_can_be_a_file_and_the_other_come_from_a_column(tmp_path: Path, way: str) -> None:
    (tmp_path / "v.csv").write_text("")
    setting = Split(**{way: "a", "validation": tmp_path / "v.csv", "test": 0.3})
    splits = setting.divide(of("a", np.arange(50)), None, 0)
    assert_divided(splits, 50)
    assert not len(splits["validation"])
    assert 5 <= len(splits["test"]) <= 25


# --- by files ---------------------------------------------------------------------------------------------------------


def test_a_split_file_leaves_the_whole_table_to_train(tmp_path: Path) -> None:
    more = "y,a\nv,3\nu,4\n"  # columns in another order
    experiment = prepared(tmp_path, ten_rows(), {"validation": "v.csv", "test": "w.csv"}, v=more, w=more)
    assert {split: len(rows) for split, rows in experiment.splits.items()} == {"train": 10, "validation": 2, "test": 2}
    assert experiment.splits["validation"].X.tolist() == [[3], [4]]
    assert experiment.splits["validation"].truth.tolist() == [1, 0]


def test_one_split_can_be_a_file_and_the_other_a_fraction(tmp_path: Path) -> None:
    experiment = prepared(tmp_path, ten_rows(), {"validation": 0.2, "test": "w.csv"}, w="a,y\n1,u\n")
    assert {split: len(rows) for split, rows in experiment.splits.items()} == {"train": 8, "validation": 2, "test": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("a,y\n", r"^v\.csv has a header but no rows", id="no rows"),
        pytest.param(
            "a,y\n1,u\n2,w\n", r"^v\.csv, line 3: the target 'y' should hold 'u' or 'v', found 'w'", id="unknown class"
        ),
        pytest.param("a,y\n1,u\nx,v\n", r"^v\.csv, line 3: column 'a' should hold numbers, found 'x'", id="text"),
        pytest.param("b,y\n1,u\n", r"^v\.csv lacks 1 column: 'a'", id="missing column"),
    ],
)
def test_an_unsuitable_split_file_is_refused_by_name(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepared(tmp_path, ten_rows(), {"validation": "v.csv"}, v=content)


def test_labels_of_a_split_file_may_all_look_like_numbers(tmp_path: Path) -> None:
    training = ten_rows().replace("u", "1").replace("v", "one")
    experiment = prepared(tmp_path, training, {"validation": "v.csv"}, v="a,y\n3,1\n4,1\n")
    assert experiment.splits["validation"].truth.tolist() == [0, 0]
