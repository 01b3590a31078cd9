"""Sets of trained nets hold each class of new rows as often as they say, on made and on real tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from nnfs_cli import NetClassifier
from nnfs_cli.arrays import Array

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # of classes with few rows

SETS = 30
LEVEL = 0.9
NET: dict[str, Any] = {"layers": ["linear: 16", "relu"], "epochs": 40, "lr": 0.01, "log_every": 4, "threads": 1}
ENSEMBLE = {**NET, "members": 5, "holdout": "fold"}


class Made:
    """Classes as normal clouds, with rows as frequent as `shares`; a part of the labels is drawn anew."""

    def __init__(self, shares: list[float], apart: float, noise: float = 0.0) -> None:
        self.shares, self.noise = np.array(shares) / sum(shares), noise
        self.means = np.random.default_rng(7).normal(size=(len(shares), 5)) * apart

    def draw(self, n: int, rng: Any) -> tuple[Array, Array]:
        """Return n rows; the first ones belong to each class in turn, so that none is missing."""
        y = rng.choice(len(self.shares), n, p=self.shares)
        y[: 2 * len(self.shares)] = np.arange(2 * len(self.shares)) % len(self.shares)
        X = self.means[y] + rng.normal(size=(n, 5))
        return X, np.where(rng.random(n) < self.noise, rng.permutation(y), y)


MADE = {
    "two classes": Made([0.5, 0.5], 0.5),
    "a class of 10 %": Made([0.9, 0.1], 0.6),
    "three classes": Made([1, 1, 1], 0.6),
    "the third of three has 10 %": Made([0.6, 0.3, 0.1], 0.7),
    "ten classes": Made([1] * 10, 0.9),
    "label noise": Made([0.5, 0.5], 1.5, 0.4),
}
REAL: dict[str, Callable[..., Any]] = {
    "iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer, "digits": load_digits
}  # fmt: skip


def shares_held(net: NetClassifier, X: Array, y: Array) -> Array:
    """Return how often sets hold the truth, how often they should, and how frequent classes are: (3, 1 + classes).

    The first column is of all rows. Sets should hold a class as often as they say, or as often as the prediction is
    right, which every set holds.
    """
    members, predicted, rows = net.predict_set(X, LEVEL), net.predict(X), np.arange(len(y))
    assert members.any(axis=1).all()
    assert members[rows, predicted].all()
    of_class = [y == k for k in range(members.shape[1])]
    frequent = [some.mean() for some in of_class]
    right = [np.mean(predicted[some] == k) for k, some in enumerate(of_class)]
    held = [members[rows, y].mean(), *(members[some, k].mean() for k, some in enumerate(of_class))]
    return np.array([held, [np.nan, *right], [1.0, *frequent]])


def check(found: list[Array], above: float = 0.02) -> None:
    """Assert coverage within two points of what it should be; three standard errors, as there are many figures."""
    held, right, frequent = np.mean(found, axis=0)
    error = np.std(found, axis=0)[0] / len(found) ** 0.5
    wanted = np.maximum(LEVEL, right[1:])
    wanted = np.array([wanted @ frequent[1:], *wanted])
    assert (wanted - held < 0.02 + 3 * error).all()
    assert (held - wanted < above + 3 * error).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "n"), [("out of fold", 60), ("out of fold", 120), ("out of fold", 300), ("validation", 300)]
)
@pytest.mark.parametrize("table", MADE)
def test_sets_of_made_tables(table: str, how: str, n: int) -> None:
    found = []
    settings = ENSEMBLE if how == "out of fold" else {**NET, "split": 0.5}
    for seed in range(SETS):
        rng = np.random.default_rng([seed, n])
        net = NetClassifier(**settings, random_state=seed).fit(*MADE[table].draw(n, rng))
        found.append(shares_held(net, *MADE[table].draw(2_000, rng)))
    few = n < 9 * len(MADE[table].shares)  # rows of a class for a level of 0.9: then sets are larger than need be
    check(found, above=0.04 if few else 0.02)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* constant in the training rows")
@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("table", REAL)
def test_sets_of_real_tables(table: str, noise: float) -> None:
    X, y = REAL[table](return_X_y=True)
    found = []
    for seed in range(SETS):
        rng = np.random.default_rng(seed)
        order, truth = rng.permutation(len(y)), np.where(rng.random(len(y)) < noise, rng.permutation(y), y)
        train, new = np.split(order, [min(len(y) // 2, 300)])
        net = NetClassifier(**ENSEMBLE, random_state=seed).fit(X[train], truth[train])
        found.append(shares_held(net, X[new], truth[new]))
    check(found)


@pytest.mark.slow
def test_sets_with_row_weights() -> None:
    """New rows are as frequent as the weights say, and those of weight 4 are noisier."""
    found = []
    for seed in range(SETS):
        rng = np.random.default_rng(seed)

        def draw(n: int, frequent: bool, rng: Any = rng) -> tuple[Array, Array, Array]:
            X, y = MADE["a class of 10 %"].draw(n, rng)
            hard = rng.random(n) < (0.8 if frequent else 0.5)
            y = np.where(hard & (rng.random(n) < 0.3), rng.permutation(y), y)
            return np.column_stack([X, hard]), y, np.where(hard, 4.0, 1.0)

        X, y, weight = draw(300, frequent=False)
        net = NetClassifier(**ENSEMBLE, random_state=seed).fit(X, y, sample_weight=weight)
        found.append(shares_held(net, *draw(3_000, frequent=True)[:2]))
    check(found)


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [30, 60])
def test_sets_of_new_groups(n_groups: int) -> None:
    """Each group of 6 rows has a shift of its own, so its rows are right or wrong together."""

    def draw(n: int, rng: Any) -> tuple[dict[str, Array], Array]:
        X, y = MADE["three classes"].draw(6 * n, rng)
        X += rng.normal(size=(n, 5)).repeat(6, axis=0)
        return {**{f"x{i}": X[:, i] for i in range(5)}, "group": np.arange(n).repeat(6).astype(str)}, y

    found = []
    for seed in range(SETS):
        rng = np.random.default_rng(seed)
        net = NetClassifier(**ENSEMBLE, split={"group": "group"}, random_state=seed).fit(*draw(n_groups, rng))
        assert net.result_.outcome.calibration.scores[0].weight <= n_groups
        found.append(shares_held(net, *draw(300, rng)))
    check(found)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["balanced", {0: 1, 1: 5, 2: 0.5}])
def test_sets_with_class_weights(weights: Any) -> None:
    """Probabilities are as good as those of a net without class weights; uncalibrated ones are far from it."""
    found, losses = [], []
    for seed in range(SETS):
        rng = np.random.default_rng(seed)
        (X, y), (X_new, y_new) = (MADE["the third of three has 10 %"].draw(n, rng) for n in (300, 2_000))
        nets = [NetClassifier(**ENSEMBLE, class_weight=w, random_state=seed).fit(X, y) for w in (None, weights)]
        found.append(shares_held(nets[1], X_new, y_new))
        p = [net.predict_proba(X_new).astype(float) for net in nets]
        calibrated = [net.result_.outcome.calibration.scale(each) for net, each in zip(nets, p, strict=True)]
        losses.append([-np.log(each[np.arange(len(y_new)), y_new]).mean() for each in (p[1], *calibrated)])
    check(found)
    weighted, plain, divided = np.mean(losses, axis=0)
    assert abs(divided - plain) < 0.02
    assert weighted > plain + 0.04
