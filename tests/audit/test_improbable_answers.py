"""Numbers that are improbable, given predictions of nets that have not seen them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from nnfs_cli.arrays import Array
from nnfs_cli.audit.improbable_answers import improbable_answers, scaled_errors, tail_of

NOISE: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "t5": lambda rng, n: rng.standard_t(5, n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
}


def test_wrong_numbers_are_found_where_errors_grow_with_the_prediction() -> None:
    rng = np.random.default_rng(0)
    answer = rng.uniform(1, 100, 1000)
    truth = answer * (1 + 0.1 * rng.normal(size=1000))
    wrong = np.flatnonzero(answer < 20)[:5]
    truth[wrong] += 30  # as large as usual errors of large answers
    assert set(improbable_answers(truth, answer).rows) == set(wrong)


def test_scores_fall_and_few_or_equal_rows_are_not_judged() -> None:
    rng = np.random.default_rng(1)
    answer = rng.normal(size=300)
    truth = answer + rng.normal(size=300) * 0.1
    truth[:9] += np.arange(1, 10)
    found = improbable_answers(truth, answer)
    assert len(found.rows) > 5
    assert (np.diff(found.score) <= 0).all()
    assert not len(improbable_answers(truth[:20], answer[:20]).rows)
    assert not len(improbable_answers(answer, answer).rows)


def test_the_tail_of_errors_is_that_of_their_distribution() -> None:
    rng = np.random.default_rng(2)
    freedom, unit = tail_of(np.abs(2 * rng.standard_t(4, 20_000)))
    assert 3 < freedom < 5
    assert unit == pytest.approx(2, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("n", [200, 2000])
def test_noise_alone_gives_hardly_any_improbable_answer(noise: str, n: int) -> None:
    counts = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        answer = rng.normal(size=n)
        counts.append(len(improbable_answers(answer + NOISE[noise](rng, n), answer).rows))
    assert np.mean(counts) <= 1.5
    assert np.median(counts) == 0


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["normal", "t5", "exponential"])
def test_wrong_numbers_are_ranked_at_least_as_well_as_by_cleanlab(noise: str) -> None:
    rank = pytest.importorskip("cleanlab.regression.rank", reason="it needs the extra bench")
    ours, theirs = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        answer = rng.normal(size=1000)
        truth = answer + np.exp(0.5 * answer) * 0.3 * NOISE[noise](rng, 1000)
        wrong = rng.random(1000) < 0.05
        truth[wrong] = rng.permutation(truth)[wrong]
        ours.append(average_precision_score(wrong, np.abs(scaled_errors(truth, answer))))
        theirs.append(average_precision_score(wrong, -rank.get_label_quality_scores(truth, answer)))
    assert np.mean(ours) >= np.mean(theirs)
