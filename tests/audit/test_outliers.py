"""Cells and rows that are far from others, and rows that are nearly the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from nnfs_cli.arrays import Array
from nnfs_cli.audit.coordinates import coordinates
from nnfs_cli.audit.near_duplicates import close_pairs
from nnfs_cli.audit.neighbours import NEAREST, neighbours
from nnfs_cli.audit.outliers import FAR_CELL, FAR_ROW, RANK, deviations_above, excess
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.data.texts import Texts

TABLES: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "normal": lambda rng, n, d: rng.normal(size=(n, d)),
    "correlated": lambda rng, n, d: rng.normal(size=(n, d)) @ rng.normal(size=(d, d)),
    "two dimensions": lambda rng, n, d: rng.normal(size=(n, 2)) @ rng.normal(size=(2, d)) + rng.normal(size=(n, d)) / 9,
    "uniform": lambda rng, n, d: rng.random((n, d)),
    "lognormal": lambda rng, n, d: rng.lognormal(size=(n, d)),
    "rounded": lambda rng, n, d: np.round(rng.normal(size=(n, d)), 1),
    "exponential": lambda rng, n, d: rng.exponential(size=(n, d)),
}


def numbers(X: Array) -> tuple[Table, dict[str, Kind]]:
    return Table("t", {f"x{i}": x for i, x in enumerate(X.T)}), {f"x{i}": "number" for i in range(X.shape[1])}


def test_neighbours_are_those_of_scikit_learn() -> None:
    Z = np.random.default_rng(0).random((200, 4)).astype(np.float32)
    distance, place = NearestNeighbors(n_neighbors=NEAREST + 1).fit(Z.astype(float)).kneighbors(Z.astype(float))
    found = neighbours(Z)
    assert found.distance == pytest.approx(distance[:, 1:], abs=1e-12)
    assert (found.place == place[:, 1:]).all()


def test_coordinates_do_not_depend_on_units_and_tails() -> None:
    X = np.random.default_rng(1).lognormal(size=(101, 2))
    one, kinds = numbers(X)
    other, _ = numbers(np.stack([np.log(X[:, 0]), 1000 * X[:, 1]], axis=1))
    assert coordinates(one, kinds).values == pytest.approx(coordinates(other, kinds).values, abs=0.01)


def test_a_gap_and_another_category_are_half_apart() -> None:
    table = Table("t", {"x": np.array([1.0, 2.0, np.nan]), "c": Texts.of(["a", "b", None])})
    Z = coordinates(table, {"c": "category"}).values
    assert np.linalg.norm(Z[0] - Z[1]) == pytest.approx(0.5)
    assert np.linalg.norm(Z[0] - Z[2]) == pytest.approx(0.5)
    assert coordinates(table, {"x": "number"}).values[:, 1].tolist() == [0, 0, 0.5]


def test_a_lost_decimal_mark_is_far_and_a_long_tail_is_not() -> None:
    rng = np.random.default_rng(2)
    heights = rng.normal(170, 10, 500)
    heights[7] = 1712
    assert np.flatnonzero(np.abs(excess(heights)) > FAR_CELL).tolist() == [7]
    assert (excess(rng.lognormal(sigma=1.5, size=5000)) < FAR_CELL).all()
    assert not excess(np.ones(40)).any()


def test_a_row_whose_cells_are_rare_together_is_far() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(400, 1))
    X = shared + 0.05 * rng.normal(size=(400, 5))
    X[9] = [1.5, -1.5, 1.5, -1.5, 1.5]
    found = neighbours(coordinates(*numbers(X)).values)
    assert np.flatnonzero(deviations_above(found.distance[:, RANK]) > FAR_ROW).tolist() == [9]


def test_near_copies_are_told_from_rows_that_are_close_by_chance() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(400, 6))
    X[30] = X[300] + 1e-4
    X[60] = X[200] + 1e-4
    equal = np.zeros(400, np.uint64)
    equal[60] = 1  # another category
    later, earlier, clear = close_pairs(neighbours(coordinates(*numbers(X)).values), equal)
    assert [later.tolist(), earlier.tolist()] == [[300], [30]]
    assert clear[0] > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_tables_without_faults_hardly_have_any(kind: str) -> None:
    cells = rows = pairs = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = TABLES[kind](rng, 400, 6)
        found = neighbours(coordinates(*numbers(X)).values)
        cells += sum(int((np.abs(excess(x)) > FAR_CELL).sum()) for x in X.T)
        rows += int((deviations_above(found.distance[:, RANK]) > FAR_ROW).sum())
        pairs += len(close_pairs(found, np.zeros(len(X), np.uint64))[0])
    assert cells <= 1
    assert rows <= 1
    assert pairs <= 3  # 1 of 20 tables is expected to have one
