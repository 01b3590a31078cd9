"""Copies of rows are found, and rows that are equal by chance are not called copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from nnfs_cli.arrays import Array
from nnfs_cli.data.copies import equal_rows, units_of_copies


def in_order_of_first(codes: Array) -> list[int]:
    """Number codes by their first occurrence, as pandas does."""
    seen = dict[int, int]()
    return [seen.setdefault(code, len(seen)) for code in codes.tolist()]


@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.5, float("nan")]), st.integers(0, 2)), min_size=1))
def test_equal_rows_are_those_of_numpy(rows: list[tuple[float, int]]) -> None:
    X = np.array(rows, np.float64)
    codes = np.unique(np.nan_to_num(X + 0.0, nan=9), axis=0, return_inverse=True)[1].reshape(-1)
    assert equal_rows(X).tolist() == in_order_of_first(codes)


@given(st.lists(st.integers(0, 9), min_size=1), st.integers(0, 99))
def test_copies_of_rows_of_fractions_share_a_unit(which: list[int], seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(10, 3))[which]
    assert units_of_copies([*table.T[:2]], [table[:, 2]]).tolist() == in_order_of_first(np.array(which))


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_real_tables_that_are_repeated_consist_of_copies_and_others_of_none(load: object) -> None:
    X, y = load(return_X_y=True)  # type: ignore[operator]
    assert units_of_copies([*X.T], [y]).tolist() == [*range(len(X))]
    again = np.random.default_rng(0).permutation(np.repeat(np.arange(len(X)), 6))
    units = units_of_copies([*X[again].T], [y[again]])
    assert len(np.unique(units)) < 1.5 * len(X)


@pytest.mark.parametrize("n", [100, 400, 3_000])
def test_rows_of_few_different_values_are_no_copies(n: int) -> None:
    rng = np.random.default_rng(n)
    truth, age, town = rng.random(n) < 0.3, rng.normal(40, 12, n).round(), rng.integers(0, 12, n)
    answers, of_site = rng.integers(1, 6, (4, n)) * 1.0, rng.normal(size=(2, 30))[:, rng.integers(0, 30, n)]
    sparse = np.where(rng.random((5, n)) < 0.8, 0, rng.poisson(2, (5, n))) * 1.0
    for numbers, others in (
        ([age], [truth]),
        ([age], [town, truth]),
        ([*answers], [truth]),
        ([*answers[:2]], [truth]),
        ([*sparse], [truth]),
        ([*of_site], [truth]),
        ([], [town, town % 3]),
    ):
        equal = n - len(np.unique(np.stack([*numbers, *others]), axis=1).T)
        assert n - len(np.unique(units_of_copies(numbers, others))) <= 0.05 * n, equal
