"""Groups of rows in which a net is worse: planted ones are found, and chance finds hardly any."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nnfs_cli.audit.exchange import Exchange
from nnfs_cli.audit.find_slices import JudgedRows, find_slices
from nnfs_cli.audit.search import normal_score, search
from nnfs_cli.audit.slices import Slice
from nnfs_cli.audit.strata import Strata
from nnfs_cli.data.division import divisions_of
from nnfs_cli.data.table import Table
from nnfs_cli.metrics import PredictedRows
from tests.audit.judged import Case

SHIFTS = {"numbers": 1.0, "classes": 0.5, "three classes": 0.6, "weights": 1.2, "groups": 2.5}
KINDS = (
    "numbers", "classes", "rare classes", "three classes", "heavy tails", "unlike noise", "overconfident", "groups",
    "weights",
)  # fmt: skip


def found(case: Case) -> list[Slice]:
    return find_slices(case.rows(), case.divisions, case.divisions, np.random.default_rng(0))[0]


def agreement(case: Case, one: Slice) -> float:
    """Return the rows that a slice and the planted group share, over those that either has."""
    here = np.zeros(case.n, bool)
    here[one.places] = True
    return float((here & case.bad).sum() / (here | case.bad).sum())


@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_a_planted_group_is_found_first(kind: str) -> None:
    case = Case(kind, 1, shift=SHIFTS[kind])
    first, *others = found(case)
    assert set(first.columns) == {"age", "city"}
    assert "city = Bonn" in first.condition
    assert agreement(case, first) > 0.6
    assert len(others) <= 1


@pytest.mark.parametrize("kind", ["numbers", "classes", "rare classes"])
def test_no_group_is_found_where_there_is_none(kind: str) -> None:
    assert found(Case(kind, 1)) == []


def test_a_score_is_the_t_statistic_of_a_regression_on_the_strata() -> None:
    case = Case("numbers", 3, shift=0.4)
    rows, weight, rng = case.rows(), np.ones(case.n), np.random.default_rng(0)
    strata = Strata.of(rows.predicted.y_hat, False, rng)
    residual = (rows.predicted.y - rows.predicted.y_hat)[:, 0]
    exchange = Exchange.of(strata, None, rng)
    found = search([strata.centred(residual)], [True], weight, exchange, case.divisions, case.divisions)
    (group,) = found.groups
    in_stratum = strata.stratum[:, None] == np.arange(strata.stratum.max() + 1)
    design = np.concatenate([group.rows[:, None], in_stratum, in_stratum * strata.height[:, None]], axis=1)
    coefficients, (squares,), *_ = np.linalg.lstsq(design.astype(np.float64), residual, rcond=None)
    variance = squares / (case.n - design.shape[1]) * np.linalg.inv(design.T @ design)[0, 0]
    np.testing.assert_allclose(group.scores[0], coefficients[0] / np.sqrt(variance), rtol=0.15)


def test_every_pair_of_conditions_is_looked_at() -> None:
    case = Case("numbers", 2, n=400)
    strata = Strata.of(case.rows().predicted.y_hat, False, np.random.default_rng(0))
    errors = strata.centred(np.random.default_rng(1).normal(size=case.n))
    exchange = Exchange.of(strata, None, np.random.default_rng(2))
    divisions = [one for one in case.divisions if one.column in ("gaps", "city", "old")]
    found = search([errors], [True], np.ones(case.n), exchange, divisions, divisions)
    largest, looked_at = 0.0, 0
    conditions = [(one.column, one.rows(i)) for one in divisions for i in range(len(one.holds))]
    pairs = [both for both in itertools.combinations(conditions, 2) if both[0][0] != both[1][0]]
    for rows in [rows for _, rows in conditions] + [one & other for (_, one), (_, other) in pairs]:
        if 30 <= rows.sum() <= case.n / 2:
            looked_at += 1
            copies = exchange.copies(errors)[rows].sum(axis=0)
            largest = max(largest, abs(copies[1]) / np.delete(copies, 1).std())
    assert found.looked_at == looked_at
    assert found.chance[0] == pytest.approx(largest, rel=0.1)


@pytest.mark.parametrize(("skew", "z"), [(0.5, 3.0), (1.0, 4.0), (2.0, 6.0)])
def test_a_score_is_as_rare_as_a_sum_of_skewed_errors(skew: float, z: float) -> None:
    # scipy.stats.norm.isf(scipy.stats.pearson3.sf(z, skew))
    exact = {0.5: 2.5474, 1.0: 2.8349, 2.0: 3.1175}[skew]
    assert normal_score(np.array([z]), skew)[0] == pytest.approx(exact, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHIFTS)
def test_a_planted_group_is_found_first_in_nearly_all_of_50_tables(kind: str) -> None:
    right = 0
    for seed in range(50):
        case = Case(kind, seed, shift=SHIFTS[kind])
        slices = found(case)
        right += bool(slices) and agreement(case, slices[0]) > 0.4
    print(kind, right)
    assert right >= 47


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_chance_finds_a_group_in_at_most_five_of_100_tables(kind: str) -> None:
    n = sum(bool(found(Case(kind, seed))) for seed in range(100))
    print(kind, n)
    assert n <= 5


@pytest.mark.slow
def test_pairs_of_20_columns_are_looked_at_in_20000_rows() -> None:
    rng = np.random.default_rng(0)
    table = Table("rows", {f"x{i}": rng.normal(size=20_000) for i in range(20)})
    divisions = [one for name in table.columns for one in divisions_of(table, name, "number")]
    y_hat, noise = table.numbers("x0")[:, None], rng.normal(size=(20_000, 1))
    rows = JudgedRows(PredictedRows(y_hat + noise, y_hat), np.square(noise[:, 0]))
    _, looked_at = find_slices(rows, divisions, divisions, rng)
    assert looked_at > 50_000
