"""How often intervals hold the truth: simulations of 30 sets each, with standard errors, on made and real tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from nnfs_cli import NetRegressor
from nnfs_cli.arrays import Array

LEVEL, WITHIN, SETS, NEW = 0.9, 0.02, 30, 2_000


class Made(NamedTuple):
    """Rows of which the truth is known: inputs, numbers, and the standard deviation of the noise of each number."""

    X: Array
    y: Array
    deviation: Array


Maker = Callable[[Array, Any], tuple[Array, Array]]


def f(X: Array) -> Array:
    y: Array = X[:, 0] + np.sin(2 * X[:, 1])
    return y


def noisy(deviation: Callable[[Array], Array], draw: Callable[[Any, int], Array]) -> Maker:
    return lambda X, rng: (f(X) + deviation(X) * draw(rng, len(X)), deviation(X))


def normal(rng: Any, n: int) -> Array:
    return np.asarray(rng.normal(size=n))


def constant(value: float) -> Callable[[Array], Array]:
    return lambda X: np.full(len(X), value)


def two_kinds(X: Array) -> Array:
    return np.where(X[:, 2] > 0, 2, 0.2)


def factor(X: Array, rng: Any) -> tuple[Array, Array]:
    mean = np.exp(1 + f(X) / 2)
    return mean * np.exp(0.4 * rng.normal(size=len(X))), mean


def counts(X: Array, rng: Any) -> tuple[Array, Array]:
    mean = np.exp(1.5 + f(X) / 3)
    return rng.poisson(mean).astype(float), np.sqrt(mean)


def rounded(X: Array, rng: Any) -> tuple[Array, Array]:
    return np.round(f(X) + rng.normal(size=len(X))), np.ones(len(X))


def clamped(X: Array, rng: Any) -> tuple[Array, Array]:
    return np.clip(f(X) + rng.normal(size=len(X)), -1, 1.5), np.ones(len(X))


ALIKE: Mapping[str, Maker] = {
    "normal": noisy(constant(1), normal),
    "little": noisy(constant(0.2), normal),
    "much": noisy(constant(5), normal),
    "uniform": noisy(constant(1), lambda rng, n: np.asarray(rng.uniform(-2, 2, n))),
    "heavy tails": noisy(constant(1), lambda rng, n: np.asarray(rng.standard_t(3, n))),
    "skewed": noisy(constant(1), lambda rng, n: np.asarray(rng.exponential(size=n))),
    "double exponential": noisy(constant(1), lambda rng, n: np.asarray(rng.laplace(size=n))),
    "rounded": rounded,
    "clamped": clamped,
}
UNLIKE: Mapping[str, Maker] = {
    "two kinds": noisy(two_kinds, normal),
    "by an input": noisy(lambda X: 0.1 + np.abs(X[:, 2]), normal),
    "growing": noisy(lambda X: np.exp(X[:, 2] / 2), normal),
    "much for few": noisy(lambda X: np.exp(1.2 * X[:, 2]), normal),
    "growing, heavy tails": noisy(lambda X: np.exp(0.7 * X[:, 2]), lambda rng, n: np.asarray(rng.standard_t(3, n))),
    "two kinds, skewed": noisy(two_kinds, lambda rng, n: np.asarray(rng.exponential(size=n) - 1)),
    "factor": factor,
    "counts": counts,
}
SHARP = {"two kinds": 2.5, "two kinds, skewed": 2, "by an input": 2, "factor": 2, "counts": 2, "much for few": 2}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "factor": {"preprocessing": {"target": ["log1p", "standardize"]}},
    "counts": {"loss": "poisson"},
}


def made(maker: Maker, n: int, seed: int, columns: int = 4) -> Made:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    return Made(X, *maker(X, rng))


class Held(NamedTuple):
    """Whether intervals hold the truth, (rows,), and how wide they are."""

    inside: Array
    width: Array


def held(net: NetRegressor, X: Array, y: Array) -> Held:
    low, high = net.predict_interval(X, level=LEVEL).T
    return Held((low <= y) & (y <= high), high - low)


def by_fifths(inside: Array, by: Array) -> list[float]:
    """The shares inside for five equal parts of the rows, from the lowest to the highest value in `by`."""
    order = np.argsort(by, kind="stable")
    return [float(part.mean()) for part in np.array_split(inside[order], 5)]


def assert_near_level(shares: Sequence[Any], within: float = WITHIN) -> None:
    """Over the sets, mean shares must be within so much of the level, as far as their standard errors tell."""
    values = np.array(shares)
    error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
    apart = np.abs(values.mean(axis=0) - LEVEL)
    assert (apart <= within + 2 * error).all(), f"{values.mean(axis=0).round(3)} ± {error.round(3)}"


@pytest.mark.slow
@pytest.mark.parametrize("noise", [*ALIKE, *UNLIKE])
def test_coverage_is_within_two_points(noise: str) -> None:
    shares = []
    for seed in range(SETS):
        data = made({**ALIKE, **UNLIKE}[noise], 400 + NEW, seed)
        net = NetRegressor(epochs=40, random_state=seed, **SETTINGS.get(noise, {})).fit(data.X[:400], data.y[:400])
        shares.append(held(net, data.X[400:], data.y[400:]).inside.mean())
    assert_near_level(shares)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [*UNLIKE, "normal"])
def test_coverage_is_the_same_where_it_is_difficult(noise: str) -> None:
    """By fifths of the rows: by the true noise, and by the predicted width.

    Up to three points more are wrong beside a jump or a bend of the noise, where rows are mistaken for their
    neighbours, and where the hardest rows are those with the largest numbers, which the net underestimates. Where there
    is hardly any noise, intervals hold up to four points too many: errors there are those of the trees, whose tails
    are light.
    """
    within = SHARP.get(noise, 1) * WITHIN
    by_noise, by_width = [], []
    for seed in range(SETS):
        data = made({**ALIKE, **UNLIKE}[noise], 2_000 + NEW, seed)
        net = NetRegressor(epochs=25, random_state=seed, **SETTINGS.get(noise, {})).fit(data.X[:2_000], data.y[:2_000])
        found = held(net, data.X[2_000:], data.y[2_000:])
        by_noise.append(by_fifths(found.inside, data.deviation[2_000:]))
        by_width.append(by_fifths(found.inside, found.width))
    assert_near_level(by_noise, within)
    assert_near_level(by_width, within)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "columns"), [(60, 4), (100, 4), (100, 40), (300, 4)])
@pytest.mark.parametrize("noise", ["normal", "heavy tails", "growing"])
def test_few_rows_are_enough(n: int, columns: int, noise: str) -> None:
    shares = []
    for seed in range(2 * SETS):
        data = made({**ALIKE, **UNLIKE}[noise], n + NEW, seed, columns)
        net = NetRegressor(epochs=60, random_state=seed).fit(data.X[:n], data.y[:n])
        shares.append(held(net, data.X[n:], data.y[n:]).inside.mean())
    assert_near_level(shares)


@pytest.mark.slow
def test_coverage_of_weighted_rows_is_weighted() -> None:
    """Rows where x2 > 0 are rare among the training rows, and weigh as much as they are frequent among new rows."""
    shares = []
    for seed in range(SETS):
        data = made(UNLIKE["two kinds"], 1_000 + NEW, seed)
        rng = np.random.default_rng(seed)
        kept = np.flatnonzero((data.X[:1_000, 2] < 0) | (rng.random(1_000) < 0.25))
        weight = np.where(data.X[kept, 2] > 0, 4.0, 1.0)
        net = NetRegressor(epochs=30, random_state=seed).fit(data.X[kept], data.y[kept], sample_weight=weight)
        shares.append(held(net, data.X[1_000:], data.y[1_000:]).inside.mean())
    assert_near_level(shares)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["width", "prediction"])
def test_coverage_on_diabetes(by: str) -> None:
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    overall, fifths = [], []
    for seed in range(SETS):
        order = np.random.default_rng(seed).permutation(len(X))
        train, new = order[:300], order[300:]
        net = NetRegressor(epochs=40, random_state=seed).fit(X[train], y[train])
        found = held(net, X[new], y[new])
        overall.append(found.inside.mean())
        fifths.append(by_fifths(found.inside, found.width if by == "width" else net.predict(X[new])))
    assert_near_level(overall)
    # Splits of one table share rows, so that errors are larger than they look.
    assert_near_level(fifths, 0.04 if by == "width" else 0.08)


@pytest.mark.slow
def test_intervals_are_narrower_where_rows_differ_and_no_wider_elsewhere() -> None:
    """Beside the narrowest equal width that covers as many of the new rows, which needs their numbers."""
    ratios: dict[str, list[float]] = {"two kinds": [], "normal": []}
    for noise, found in ratios.items():
        for seed in range(SETS):
            data = made({**ALIKE, **UNLIKE}[noise], 2_000 + NEW, seed)
            net = NetRegressor(epochs=25, random_state=seed).fit(data.X[:2_000], data.y[:2_000])
            X, y = data.X[2_000:], data.y[2_000:]
            intervals = held(net, X, y)
            equal = 2 * np.quantile(np.abs(y - net.predict(X)), intervals.inside.mean())
            found.append(float(intervals.width.mean() / equal))
    means = {noise: float(np.mean(found)) for noise, found in ratios.items()}
    assert means["two kinds"] < 0.78, means  # 0.71 if the noise were known
    assert means["normal"] < 1.02, means
