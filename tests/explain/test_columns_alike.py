"""Which columns tell the same: against SciPy's correlation, Cramér's V and average linkage."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from nnfs_cli.arrays import Array
from nnfs_cli.explain.columns_alike import _linked, associations, columns_alike
from nnfs_cli.explain.inputs_by_column import inputs_by_column
from tests.explain.trained import trained


def mixed(n: int = 300) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    height = rng.normal(170, 10, n)
    city = rng.integers(0, 4, n)
    table: dict[str, Any] = {
        "height": height,
        "weight": np.exp(height / 40) + rng.normal(0, 4, n),
        "city": np.array(["Bonn", "Kiel", "Ulm", "Hof"], object)[city],
        "zone": np.array(["a", "b", "c"], object)[np.minimum(city, 2)],
        "rent": city**2 + 0.1 * rng.standard_normal(n),
        "noise": rng.standard_normal(n),
    }
    return {**table, "y": height + city}


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, Any], list[str], Array, list[tuple[str, ...]]]:
    table = mixed()
    settings: Any = {"preprocessing": {"numbers": "standardize", "categories": "one_hot"}}
    experiment = trained(table, "y", epochs=1, split={"validation": 0}, **settings)
    encoder, X, inputs = (
        experiment.predictor.encoder,
        experiment.splits["train"].X,
        inputs_by_column(experiment.predictor),
    )
    return table, list(inputs), associations(encoder, X, inputs), columns_alike(encoder, X, inputs)


def test_numbers_have_the_rank_correlation_of_scipy(found: Any) -> None:
    table, columns, matrix, _ = found
    for one, other in itertools.combinations(["height", "weight", "rent", "noise"], 2):
        theirs = abs(stats.spearmanr(table[one], table[other]).statistic)
        assert matrix[columns.index(one), columns.index(other)] == pytest.approx(theirs, abs=1e-6)


def test_categories_have_cramers_v(found: Any) -> None:
    table, columns, matrix, _ = found
    counts = stats.contingency.crosstab(table["city"], table["zone"]).count
    theirs = stats.contingency.association(counts, method="cramer")
    assert matrix[columns.index("city"), columns.index("zone")] == pytest.approx(theirs, abs=1e-6)


def test_a_number_and_categories_have_the_correlation_ratio_of_the_ranks(found: Any) -> None:
    table, columns, matrix, _ = found
    ranks = stats.rankdata(table["rent"])
    groups = [ranks[table["city"] == city] for city in np.unique(table["city"].astype(str))]
    between = sum(len(group) * (group.mean() - ranks.mean()) ** 2 for group in groups)
    theirs = (between / np.square(ranks - ranks.mean()).sum()) ** 0.5
    assert matrix[columns.index("rent"), columns.index("city")] == pytest.approx(theirs, abs=1e-6)


def test_columns_that_tell_the_same_are_in_a_group(found: Any) -> None:
    assert {frozenset(group) for group in found[3]} == {
        frozenset({"height", "weight"}),
        frozenset({"city", "zone", "rent"}),
    }


@given(st.integers(2, 12), st.integers(0, 1000))
def test_groups_are_those_of_average_linkage_in_scipy(n: int, seed: int) -> None:
    draws = np.random.default_rng(seed).random((n, n))
    matrix = np.triu(draws, 1) + np.triu(draws, 1).T + np.eye(n)
    label = fcluster(linkage(squareform(1 - matrix, checks=False), "average"), 0.3, "distance")
    theirs = [np.flatnonzero(label == k).tolist() for k in range(1, n + 1) if (label == k).sum() > 1]
    assert sorted(_linked(matrix)) == sorted(theirs)
