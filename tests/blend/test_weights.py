"""Weights of models: the best ones out of fold, moved little by few rows, and none where there is nothing to know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brute, nnls
from scipy.special import expit, log_softmax, logit, softmax

from nnfs_cli.arrays import Array
from nnfs_cli.blend.weights import PENALTY, Choice, expected_gain, log_odds, pooled, row_losses

KINDS = ["numbers", "two classes", "four classes"]


def choice(kind: str, n: int, seed: int = 0, weighted: bool = False, models: int = 3, **changes: Any) -> Choice:
    """Outputs of models that are right about a part of the truth each."""
    rng = np.random.default_rng(seed)
    n_classes = {"numbers": 0, "two classes": 2, "four classes": 4}[kind]
    parts = rng.normal(size=(models, n, max(n_classes, 1)))
    z = parts.sum(axis=0)
    weight = rng.exponential(size=n) if weighted else None
    prior = rng.dirichlet(np.ones(models))
    if not n_classes:
        target, outputs = z + 0.5 * rng.normal(size=z.shape), parts + 0.3 * rng.normal(size=parts.shape)
    else:
        target = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
        outputs = softmax(parts, axis=-1)
        outputs = outputs[..., 1:] if n_classes == 2 else outputs
    given_: dict[str, Any] = {"weight": weight, "prior": prior, "probable": bool(n_classes)}
    return Choice(outputs, target, **given_ | changes)


def objective(choice: Choice, w: Array) -> float:
    """What the weights minimize, by its definition."""
    counts, penalty = choice.counts, PENALTY * np.sum((w - choice.prior) ** 2)
    if not choice.probable:
        errors = choice.outputs - choice.target
        least = min((counts @ error**2).sum() / (counts.sum() * error.shape[1]) for error in errors)
        return float((counts @ np.tensordot(w, errors, 1) ** 2).sum() / (2 * least) + penalty)
    p = choice.outputs
    if p.shape[-1] == 1:
        z = np.tensordot(w, logit(np.clip(p[..., 0], 1e-7, 1 - 1e-7)), 1)
        return float(-counts @ np.log(np.where(choice.target == 1, expit(z), expit(-z))) + penalty)
    of_rows = log_softmax(np.tensordot(w, np.log(np.maximum(p, 1e-7)), 1), axis=1)
    return float(-counts @ of_rows[np.arange(len(of_rows)), choice.target] + penalty)


@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.integers(2, 300), st.booleans(), st.integers(2, 5))
def test_no_other_weights_are_better(kind: str, seed: int, n: int, weighted: bool, models: int) -> None:
    given_ = choice(kind, n, seed, weighted, models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nnfs_cli.blend.weights.NEGLIGIBLE", 0)  # even a model that hardly counts is kept
        found = given_.weights()
    least = objective(given_, found)
    assert (found >= 0).all()
    rng = np.random.default_rng(seed)
    for scale in (1e-3, 0.1, 1):
        other = np.abs(found + scale * rng.normal(size=(20, models)))
        other = other if given_.probable else other / other.sum(axis=1, keepdims=True)
        assert min(objective(given_, w) for w in other) > least - 1e-5 * abs(least)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_weights_of_two_models_are_those_of_a_search_by_brute_force(kind: str) -> None:
    given_ = choice(kind, 80, 3, weighted=True, models=2)
    best = brute(lambda w: objective(given_, w), ((0, 2), (0, 2)), Ns=30)
    np.testing.assert_allclose(given_.weights(), best, atol=1e-3)


def test_the_weights_of_numbers_are_those_of_least_squares_that_are_not_negative() -> None:
    given_ = choice("numbers", 200, 4, weighted=True, models=4)
    errors, counts = given_.outputs[..., 0] - given_.target[:, 0], given_.counts
    least = (counts * errors**2).sum(axis=1).min() / counts.sum()
    # A row of great weight makes the weights add up to 1, and a row for each model draws it to its prior.
    A = np.concatenate([(errors * np.sqrt(counts / (2 * least))).T, np.sqrt(PENALTY) * np.eye(4), [[1e5] * 4]])
    expected, _ = nnls(A, np.concatenate([np.zeros(200), np.sqrt(PENALTY) * given_.prior, [1e5]]))
    np.testing.assert_allclose(given_.weights(), expected, atol=1e-4)
    assert expected.min() > 0.02
    assert given_.weights().sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_always_right_wins_and_one_that_says_nothing_loses(kind: str) -> None:
    given_ = choice(kind, 3_000, models=3)
    if kind == "numbers":
        outputs = np.stack([given_.outputs[0], given_.target + 1e-3, np.zeros_like(given_.target)])
        expected = [0, 1, 0]
    else:
        rng = np.random.default_rng(0)
        p = given_.outputs[1]
        whole = np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
        target = (rng.random(len(p))[:, None] > whole.cumsum(axis=1)).sum(axis=1)  # drawn from what the second says
        uniform = np.full_like(p, 1 / whole.shape[1])
        given_ = Choice(given_.outputs, target, None, given_.prior, True)
        outputs, expected = np.stack([given_.outputs[0], p, uniform]), [0, 1, given_.prior[2]]
    found = Choice(outputs, given_.target, None, given_.prior, given_.probable).weights()
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_few_rows_leave_the_weights_near_those_expected_beforehand_and_many_do_not(kind: str) -> None:
    prior = np.array([0.1, 0.1, 0.8])
    far = [np.abs(choice(kind, n, 1, prior=prior).weights() - prior).max() for n in (1, 3_000)]
    assert far[0] < 0.2
    assert far[1] > max(0.15, 1.5 * far[0])


def test_models_that_are_too_sure_together_are_tempered() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2_000, 1))
    target = (rng.random(2_000) < expit(z[:, 0])).astype(int)
    sure = expit(4 * z)
    found = Choice(np.stack([sure, sure]), target, None, np.full(2, 0.5), True).weights()
    assert found.sum() == pytest.approx(0.25, abs=0.03)


# --- The constant ---


def noise(kind: str, seed: int, n: int = 100) -> Choice:
    """A net that has found something in noise, and the constant."""
    rng = np.random.default_rng(seed)
    target: Array
    if kind == "numbers":
        target = rng.normal(size=(n, 1))
        outputs = np.stack([0.3 * rng.normal(size=(n, 1)), np.zeros((n, 1))])
    else:
        target = rng.integers(0, 2 if kind == "two classes" else 4, n)
        p = softmax(0.5 * rng.normal(size=(n, 2 if kind == "two classes" else 4)), axis=1)
        p = p[:, 1:] if kind == "two classes" else p
        outputs = np.stack([p, np.full_like(p, 0.5 if kind == "two classes" else 0.25)])
    return Choice(outputs, target, None, np.array([0.7, 0.3]), kind != "numbers", constant=1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_constant_wins_on_noise(kind: str) -> None:
    weights = np.array([noise(kind, seed).weights() for seed in range(40)])
    alone = (weights == [0, 1]).all(axis=1)
    assert alone.mean() > 0.7
    assert weights[:, 0].mean() < 0.1


def test_the_factor_of_shrinkage_is_that_of_james_and_stein() -> None:
    given_ = choice("numbers", 60, 8, weighted=True)
    outputs = np.concatenate([given_.outputs, np.full((1, 60, 1), 0.1)])
    prior = np.array([0.3, 0.3, 0.3, 0.1])
    settings: dict[str, Any] = {"weight": given_.weight, "prior": prior, "probable": False}
    free = Choice(outputs, given_.target, **settings).weights()
    shrunk = Choice(outputs, given_.target, **settings, constant=3).weights()
    found, share = np.tensordot(free, outputs, 1)[:, 0], given_.counts / given_.counts.sum()
    gain = (0.1 - given_.target[:, 0]) ** 2 - (found - given_.target[:, 0]) ** 2
    t = share @ gain / np.sqrt(share**2 @ (2 * (found - 0.1) * (given_.target[:, 0] - found)) ** 2)
    assert t > 1.5
    np.testing.assert_allclose(shrunk, (1 - 2 / t**2) * free + (2 / t**2) * np.array([0, 0, 0, 1]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_expected_gain_is_the_mean_gain_over_targets_drawn_from_the_outputs(kind: str) -> None:
    given_, rng = choice(kind, 2, models=2), np.random.default_rng(0)
    before, after = np.repeat(given_.outputs, 40_000, axis=1)
    target: Array = after + rng.normal(size=after.shape)
    if given_.probable:
        p = np.concatenate([1 - after, after], axis=1) if kind == "two classes" else after
        target = (rng.random((len(p), 1)) > p.cumsum(axis=1)).sum(axis=1)
    gain = (row_losses(before, target) - row_losses(after, target)).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(gain, expected_gain(before, after, given_.probable)[::40_000], atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_knows_much_is_hardly_shrunk(kind: str) -> None:
    given_ = choice(kind, 2_000, 2, models=2)
    mean = given_.target.mean() if kind == "numbers" else (0.5 if kind == "two classes" else 0.25)
    outputs = np.concatenate([given_.outputs, np.full((1, *given_.outputs.shape[1:]), mean)])
    settings: dict[str, Any] = {"prior": np.array([0.5, 0.4, 0.1]), "weight": None, "probable": given_.probable}
    free = Choice(outputs, given_.target, **settings).weights()
    shrunk = Choice(outputs, given_.target, **settings, constant=2).weights()
    np.testing.assert_allclose(shrunk, free, atol=0.02)


# --- Some rows ---


@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.booleans())
def test_weights_by_some_rows_are_those_of_these_rows_alone(kind: str, seed: int, weighted: bool) -> None:
    given_ = choice(kind, 40, seed, weighted)
    rows = np.random.default_rng(seed).random(40) < 0.5
    rows[0] = True
    weight = None if given_.weight is None else given_.weight[rows]
    alone = Choice(given_.outputs[:, rows], given_.target[rows], weight, given_.prior, given_.probable)
    np.testing.assert_array_equal(given_.weights(rows), alone.weights())


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_weight_3_is_three_rows(kind: str) -> None:
    given_ = choice(kind, 50)
    counts = np.random.default_rng(0).integers(1, 4, 50)
    settings: dict[str, Any] = {"prior": given_.prior, "probable": given_.probable}
    weighted = Choice(given_.outputs, given_.target, counts.astype(float), **settings).weights()
    again = np.repeat(np.arange(50), counts)
    repeated = Choice(given_.outputs[:, again], given_.target[again], None, **settings).weights()
    np.testing.assert_allclose(weighted, repeated, atol=1e-5)


# --- The pool ---


def test_the_pool_of_two_classes_is_the_same_with_one_output_or_two() -> None:
    p, weights = np.random.default_rng(0).random((3, 20, 1)), np.array([0.5, 0.2, 0.7])
    both = pooled(np.concatenate([1 - p, p], axis=-1), weights, True)
    np.testing.assert_allclose(pooled(p, weights, True)[:, 0], both[:, 1], 1e-9)
    np.testing.assert_allclose(both[:, 1], expit(np.tensordot(weights, logit(p[..., 0]), 1)), 1e-9)


@given(st.integers(0, 10**6), st.sampled_from([1, 3]), st.booleans())
def test_certain_and_impossible_classes_pool_to_probabilities(seed: int, outputs: int, sure: bool) -> None:
    rng = np.random.default_rng(seed)
    p = np.round(rng.dirichlet(np.ones(3), (4, 10))[..., :outputs], 0 if sure else 3)
    found = pooled(p, rng.exponential(size=4), True)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert np.isfinite(log_odds(p)).all()
    target = rng.integers(0, 2 if outputs == 1 else 3, 10)
    assert np.isfinite(row_losses(found, target)).all()


def test_one_model_of_weight_1_is_left_as_it_is() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4), 30)
    np.testing.assert_allclose(pooled(p[None], np.ones(1), True), p)
    np.testing.assert_allclose(pooled(p[None], np.ones(1), False), p)
