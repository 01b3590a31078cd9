"""Steps, columns and fits that the tests of preprocessing steps share."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nnfs_cli.arrays import Array
from nnfs_cli.config import yaml
from nnfs_cli.data.steps import NumberStep, PreprocessingStep
from nnfs_cli.data.steps.base import Fit
from nnfs_cli.data.texts import Texts

NUMBERS = [
    "robust", "quantile", "quantile: 7", "min_max", "log1p", "clip", "clip: {low: 0.2, high: 1.0}", "smooth_clip",
    "smooth_clip: 0.5",
]  # fmt: skip
INVERTIBLE = ["none", "standardize", "robust", "quantile", "min_max", "log1p"]
WIDENING = ["piecewise_linear", "piecewise_linear: 4", "views: [[robust, smooth_clip], piecewise_linear: 3, log1p]"]
CATEGORIES = [
    "one_hot", "one_hot: {min_frequency: 2, unseen: other}", "ordinal", "ordinal: {max_categories: 2}", "hashing",
    "hashing: 5", "target_mean", "target_mean: {smoothing: 0.0, folds: 2}", "embedding", "embedding: {unseen: other}",
    "multi_hot: a", "multi_hot: {delimiter: a, min_frequency: 2, unseen: other}",
]  # fmt: skip
OTHERS = ["calendar", "clamp", "impute"]
KNOWN_CATEGORIES = ["one_hot", "ordinal", "embedding"]

random = np.random.default_rng(0)
SKEWED = np.stack([random.normal(5, 2, 300), random.exponential(1e-9, 300), random.lognormal(20, 3, 300)], axis=1)
NO_TARGET = np.zeros((0, 1))

numbers = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40).map(lambda column: np.array(column, np.float64))
categories = st.lists(st.none() | st.sampled_from("abcd") | st.text(max_size=3), min_size=1, max_size=30)
instants = st.lists(st.none() | st.datetimes(), min_size=1, max_size=20).filter(any)


def step(text: str) -> Any:
    return PreprocessingStep.resolve(yaml.read(text.encode())[0])


def stored(fit: Fit) -> Fit:
    """Return the fit as it comes back from a JSON file."""
    again: Fit = json.loads(json.dumps(fit, allow_nan=False))
    return again


def statistics(of: NumberStep, columns: Array) -> dict[str, Array]:
    fits = [stored(of.fit(column)) for column in columns.T]
    return {key: np.array([fit[key] for fit in fits], np.float64) for key in fits[0]}


def fit_transform(text: str, columns: Array) -> Array:
    return step(text).transform(columns, statistics(step(text), columns))  # type: ignore[no-any-return]


def encoded(text: str, trained: Sequence[str | None], asked: Sequence[str | None] | None = None) -> list[list[float]]:
    texts = Texts.of(trained)
    fit = stored(step(text).fit(texts, np.zeros((len(texts), 1)), 0))
    found: list[list[float]] = step(text).transform(Texts.of(trained if asked is None else asked), fit).tolist()
    return found


def dates(*texts: str | datetime.datetime | None) -> Array:
    return np.array([np.datetime64(text or "NaT", "us") for text in texts], "datetime64[us]")


def some_categories(*, n: int = 400, n_categories: int = 9) -> tuple[Texts, Array]:
    """Return categories, and a target of two columns that depends on them."""
    codes = random.integers(n_categories, size=n)
    y = np.stack([codes * 3.0, codes % 2], axis=1) + random.normal(0, 1, (n, 2))
    return Texts.of([f"category {code}" if code else None for code in codes.tolist()]), y
