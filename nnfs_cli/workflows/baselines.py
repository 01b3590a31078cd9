"""Simple and well-known models on the rows that a net learns from and is judged by: what it has to be better than.

They are scikit-learn's, with its defaults, and see the columns as they stand in the table, not as a config has them
preprocessed: what they need besides, they get here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days
from nnfs_cli.data.table import Kind, Table

FREQUENT = 200  # words of a column that have a place of their own; boosting takes 255 at most


class Baseline(NamedTuple):
    """A model, by the names that scikit-learn has for it."""

    name: str
    classifier: str
    regressor: str


BASELINES = (
    Baseline("constant", "DummyClassifier", "DummyRegressor"),
    Baseline("linear", "LogisticRegression", "Ridge"),
    Baseline("boosting", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
)


class Inputs:
    """Brings tables into the form that baselines take, by the words of the training rows."""

    def __init__(self, train: Table, kinds: Mapping[str, Kind]) -> None:
        self.numbers = [name for name, kind in kinds.items() if kind == "number"]
        self.dates = [name for name, kind in kinds.items() if kind == "date"]
        self.places: dict[str, dict[str | None, int]] = {}
        for name in (name for name, kind in kinds.items() if kind == "category"):
            counts = train.texts(name).counts()
            words = sorted(counts, key=lambda word: (-counts[word], word or ""))
            self.places[name] = {word: min(place, FREQUENT) for place, word in enumerate(words)}

    def matrix(self, table: Table) -> Array:
        """(rows, columns) float64: numbers and dates, in days, NaN where they are empty, and then words.

        A word, or an empty cell, is its place among the most frequent ones; the rare share one, and a new one is NaN.
        """
        columns = [table.numbers(name, gaps=True) for name in self.numbers]
        columns += [days(table.dates(name)) for name in self.dates]
        for name, places in self.places.items():
            found = table.texts(name).look_up(places, -1)
            columns.append(np.where(found < 0, np.nan, found))
        return np.stack(columns, axis=1)

    def model(self, baseline: Baseline, n_classes: int, seed: int) -> Any:
        """A new model for such matrices: a pipeline of which the last part is called model."""
        from sklearn import dummy, ensemble, linear_model
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline, make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        n_numbers = len(self.numbers) + len(self.dates)
        words = list(range(n_numbers, n_numbers + len(self.places)))
        name = baseline.classifier if n_classes else baseline.regressor
        prepared: Any = "passthrough"
        options: dict[str, Any] = {}
        match baseline.name:
            case "linear":
                filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
                numbers = make_pipeline(filled, StandardScaler())
                indicators = OneHotEncoder(handle_unknown="ignore")
                prepared = ColumnTransformer(
                    [("numbers", numbers, list(range(n_numbers))), ("words", indicators, words)]
                )
                options = {"max_iter": 1_000} if n_classes else {}
            case "boosting":
                options = {"categorical_features": words, "random_state": seed}
        found = next(getattr(module, name) for module in (dummy, linear_model, ensemble) if hasattr(module, name))
        return Pipeline([("prepared", prepared), ("model", found(**options))])


def answers(
    model: Any, X: Array, y: Array, weight: Array | None, n_classes: int, asked: Mapping[str, Array]
) -> dict[str, Array]:
    """Fit to X (rows, columns) and y, class indices (rows,) or numbers (rows, targets), and ask about other matrices.

    The answers are probabilities (rows, n_classes), or numbers (rows, targets). Raises `ValueError` where that cannot
    be done.
    """
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier

    if n_classes and not np.ptp(y) and not isinstance(model[-1], DummyClassifier):
        raise ValueError("all training rows are of one class")
    weights = {} if weight is None else {"model__sample_weight": weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that it has not quite converged
        if n_classes:
            model.fit(X, y, **weights)
            found = {split: np.zeros((len(of_split), n_classes)) for split, of_split in asked.items()}
            for split, of_split in asked.items():
                found[split][:, model.classes_] = model.predict_proba(of_split)  # training rows may lack a class
            return found
        models = [clone(model).fit(X, target, **weights) for target in y.T]
        return {split: np.stack([one.predict(of_split) for one in models], axis=1) for split, of_split in asked.items()}
