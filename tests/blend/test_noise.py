"""What the preset predicts where there is nothing to predict: simulations of noise, with standard errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from nnfs_cli import NetClassifier, NetRegressor
from nnfs_cli.arrays import Array

NEW = 2_000
SETS = {60: 40, 200: 12, 700: 5, 2_000: 5}  # simulations of each kind of target, by training rows
SHARES = {"numbers": (), "two classes": (0.5, 0.5), "15 %": (0.85, 0.15), "three classes": (0.5, 0.3, 0.2)}


class Ratio(NamedTuple):
    """Losses on new rows and out of fold, each divided by that of the constant for the same rows."""

    new: float
    out_of_fold: float


def loss(truth: Array, outputs: Array) -> float:
    """Return the mean squared error, or the mean negative log-likelihood of classes."""
    if outputs.ndim == 1:
        return float(np.mean((truth - outputs) ** 2))
    return float(-np.mean(np.log(outputs[np.arange(len(truth)), truth])))


def ratio(kind: str, n: int, seed: int) -> Ratio:
    """Train the preset on `n` rows whose target is noise."""
    rng, shares = np.random.default_rng([seed, n, len(kind)]), SHARES[kind]
    X = rng.normal(size=(n + NEW, 8))
    y = rng.choice(len(shares), n + NEW, p=shares) if shares else rng.normal(size=n + NEW)
    if shares:
        y[: len(shares)] = range(len(shares))  # each class occurs
        net = NetClassifier().fit(X[:n], y[:n])
        found, constant = net.predict_proba(X[n:]), np.tile(np.bincount(y[:n]) / n, (NEW, 1))
    else:
        net = NetRegressor().fit(X[:n], y[:n])
        found, constant = net.predict(X[n:]), np.full(NEW, y[:n].mean())
    blend = net.result_.outcome.blend
    assert blend is not None
    parts = dict(zip(blend.names, blend.losses[1:], strict=True))
    out_of_fold = net.metrics_["validation"]["loss"] / parts["constant"]
    return Ratio(loss(y[n:], found) / loss(y[n:], constant), out_of_fold)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARES)
@pytest.mark.parametrize("n", SETS)
def test_noise_is_predicted_as_the_constant_does_and_told_so_out_of_fold(n: int, kind: str) -> None:
    found = np.array([ratio(kind, n, seed) for seed in range(SETS[n])])
    (new, out_of_fold), error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(SETS[n])
    print(
        f"\n{n} rows, {kind}: new {new:.4f} ± {error[0]:.4f}, at most {found[:, 0].max():.4f}; "
        f"out of fold {out_of_fold:.4f} ± {error[1]:.4f}"
    )
    assert new <= 1.005
    assert out_of_fold >= new - 0.01
