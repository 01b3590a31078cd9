"""Data sets that need no file: generated ones and those of scikit-learn."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn import datasets

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data import DataSource, builtin
from nnfs_cli.data.column_source import ColumnSource
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.table import Table
from nnfs_cli.errors import UserError

MEMBERS = {
    name: member
    for name, member in DataSource.registered.items()
    if not issubclass(member, FileSource | ColumnSource | InMemory)
}
GENERATED = [name for name, member in MEMBERS.items() if "seed" in member.model_fields]
BUILTIN = [name for name in MEMBERS if name not in GENERATED]
EXAMPLES = [example for member in MEMBERS.values() for example in member.examples]


def source(text: str) -> DataSource:
    """Resolve a data set as a config names it."""
    return DataSource.resolve(yaml.safe_load(text))


def read(text: str) -> Table:
    return source(text).read()


def inputs(table: Table) -> np.ndarray:
    return np.stack([table.numbers("x0"), table.numbers("x1")], axis=1)


@pytest.mark.parametrize("text", [*EXAMPLES, "spirals: {rows: 60, classes: 30}", "blobs: {rows: 60, classes: 30}"])
def test_facts_match_the_table(text: str) -> None:
    facts, targets, table = source(text).facts(), source(text).target_columns(), read(text)
    assert facts is not None
    assert (facts.n_features, facts.n_targets) == (len(table.columns) - len(targets), len(targets))
    assert set(targets) <= set(table.columns)
    if facts.n_classes is None:
        assert table.classes is None
        assert all(np.isfinite(table.numbers(target)).all() for target in targets)
    else:
        assert table.classes is not None
        assert len(table.classes) == facts.n_classes
        assert set(table.column(targets[0]).tolist()) == set(table.classes)


@pytest.mark.parametrize("name", GENERATED)
def test_number_of_rows_is_the_setting(name: str) -> None:
    assert read(f"{name}: 37").n_rows == 37


@pytest.mark.parametrize("name", GENERATED)
def test_seed_determines_the_table(name: str) -> None:
    first, again, other = (read(f"{name}: {{rows: 50, seed: {seed}}}") for seed in (3, 3, 4))
    assert first.sha256 == again.sha256 != other.sha256
    assert all(first.columns[column].tolist() == again.columns[column].tolist() for column in first.columns)
    assert not all(first.columns[column].tolist() == other.columns[column].tolist() for column in first.columns)


@pytest.mark.parametrize("name", GENERATED)
def test_global_random_state_is_neither_used_nor_changed(name: str) -> None:
    np.random.seed(1)
    first, after = read(name).sha256, np.random.random()
    assert read(name).sha256 == first
    np.random.seed(1)
    assert np.random.random() == after


@pytest.mark.parametrize("name", GENERATED)
def test_seed_of_any_size_works_or_is_refused_with_a_message(name: str, tmp_path: Path) -> None:
    member = source(name)
    config: dict[str, Any] = {"dataset": {name: {"rows": 30, "seed": 2**32}}, "epochs": 1}
    facts = member.facts()
    assert facts is not None
    config |= {
        "layers": [{"linear": facts.n_classes or facts.n_targets}],
        "loss": "cross_entropy" if facts.n_classes else "mse",
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    with contextlib.suppress(UserError):
        workflows.prepare(Config.load(tmp_path / "c.yaml"))


@pytest.mark.parametrize("name", ["blobs", "spirals"])
def test_single_class_is_refused(name: str, tmp_path: Path) -> None:
    config = {"dataset": {name: {"classes": 1}}, "layers": [{"linear": 1}], "loss": "cross_entropy", "epochs": 1}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(UserError):
        workflows.prepare(Config.load(tmp_path / "c.yaml"))


@pytest.mark.parametrize("n", [1, 10, 10_000])
def test_arithmetic_equals_the_numbers_of_the_notebook(n: int) -> None:
    table = read(f"arithmetic: {n}")
    a, b = np.random.RandomState(42).rand(2, n) * 100
    expected = {"a": a, "b": b, "a+b": a + b, "a-b": a - b, "abs(a-b)": abs(a - b)}
    assert list(table.columns) == list(expected)
    assert all(np.array_equal(table.columns[name], values) for name, values in expected.items())


def test_xor_labels_say_whether_the_signs_are_equal() -> None:
    table = read("xor: {rows: 500, noise: 0}")
    x = inputs(table)
    expected = np.where(x[:, 0] * x[:, 1] < 0, "different", "same")
    assert table.column("group").tolist() == expected.tolist()
    assert abs(x).max() <= 1
    assert 0.4 < (expected == "same").mean() < 0.6


def test_xor_noise_moves_points_and_not_labels() -> None:
    still, moved = read("xor: {rows: 500, noise: 0}"), read("xor: {rows: 500, noise: 0.1}")
    assert still.column("group").tolist() == moved.column("group").tolist()
    assert 0.08 < (inputs(moved) - inputs(still)).std() < 0.12


@pytest.mark.parametrize("classes", [2, 3, 26, 27])
def test_spirals_are_arms_turned_against_each_other(classes: int) -> None:
    table = read(f"spirals: {{rows: 270, classes: {classes}, noise: 0}}")
    x, labels = inputs(table), list(table.classes or ())
    arm = np.array([labels.index(label) for label in table.column("group")])
    radius = np.hypot(*x.T)
    angle = 3 * np.pi * radius + 2 * np.pi * arm / classes
    np.testing.assert_allclose(x, radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), atol=1e-12)
    assert radius.max() <= 1
    assert np.ptp(np.bincount(arm)) <= 1


def test_circles_lie_one_inside_the_other() -> None:
    table = read("circles: {rows: 100, noise: 0}")
    outer = np.array(table.column("group").tolist()) == "outer"
    np.testing.assert_allclose(np.hypot(*inputs(table).T), np.where(outer, 1, 0.5))
    assert outer.sum() == 50


def test_moons_are_the_upper_and_the_lower_half_circle() -> None:
    table = read("moons: {rows: 100, noise: 0}")
    x, upper = inputs(table), np.array(table.column("group").tolist()) == "upper"
    np.testing.assert_allclose(np.hypot(*x[upper].T), 1)
    np.testing.assert_allclose(np.hypot(*(x[~upper] - [1, 0.5]).T), 1)
    assert x[upper, 1].min() > -1e-9
    assert x[~upper, 1].max() < 0.5 + 1e-9


def test_blobs_differ_in_size_by_at_most_one_row() -> None:
    table = read("blobs: {rows: 100, classes: 3}")
    assert sorted(Counter(table.column("group")).values()) == [33, 33, 34]


@pytest.mark.parametrize("name", BUILTIN)
@pytest.mark.parametrize("shipped", [True, False])
def test_builtin_equals_the_data_set_of_scikit_learn(name: str, shipped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """This also holds if a release of scikit-learn moves its files."""
    if not shipped:
        monkeypatch.setattr(builtin, "_shipped", lambda file: None)
    bunch, table = getattr(datasets, f"load_{name}")(), read(name)
    (target,) = source(name).target_columns()
    assert list(table.columns) == [*map(str, bunch.feature_names), target]
    assert np.array_equal(np.stack([table.numbers(str(n)) for n in bunch.feature_names], axis=1), bunch.data)
    if "target_names" in bunch:
        assert table.classes == tuple(bunch.target_names.tolist())
        assert table.column(target).tolist() == bunch.target_names[bunch.target].tolist()
    else:
        assert np.array_equal(table.column(target), bunch.target)
