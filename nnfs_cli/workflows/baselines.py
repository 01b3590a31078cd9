"""Baseline models, which a net should beat on the same rows.

They are scikit-learn's, with its default settings. They get the columns of the table, not those that a config has
preprocessed, so this module prepares the columns for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days
from nnfs_cli.data.table import Kind, Table
from nnfs_cli.system.ignored_warnings import ignored_warnings

FREQUENT = 200  # most frequent categories of a column, which get separate numbers; boosting accepts 255


class Baseline(NamedTuple):
    """A model, by its names in scikit-learn."""

    name: str
    classifier: str
    regressor: str


BASELINES = (
    Baseline("constant", "DummyClassifier", "DummyRegressor"),
    Baseline("linear", "LogisticRegression", "Ridge"),
    Baseline("boosting", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
)


class BaselineInputs:
    """The inputs of baselines: tables as matrices, with categories numbered by the training rows."""

    def __init__(self, train: Table, kinds: Mapping[str, Kind]) -> None:
        self.numbers = [name for name, kind in kinds.items() if kind == "number"]
        self.dates = [name for name, kind in kinds.items() if kind == "date"]
        self.numbering: dict[str, dict[str | None, int]] = {}
        for name in (name for name, kind in kinds.items() if kind == "category"):
            counts = train.texts(name).counts()
            categories = sorted(counts, key=lambda category: (-counts[category], category or ""))
            self.numbering[name] = {category: min(rank, FREQUENT) for rank, category in enumerate(categories)}

    def matrix(self, table: Table) -> Array:
        """Return (rows, columns) float64: numbers, then dates in days, then categories; missing cells are NaN.

        A category, or an empty cell, is numbered by its rank among the most frequent ones; rare categories share a
        number, and a new one is NaN.
        """
        columns = [table.numbers(name, gaps=True) for name in self.numbers]
        columns += [days(table.dates(name)) for name in self.dates]
        for name, numbers in self.numbering.items():
            found = table.texts(name).look_up(numbers, -1)
            columns.append(np.where(found < 0, np.nan, found))
        return np.stack(columns, axis=1)

    def model(self, baseline: Baseline, n_classes: int, seed: int) -> Any:
        """Return an unfitted pipeline for such matrices; its last step is called model."""
        from sklearn import dummy, ensemble, linear_model
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline, make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        n_numbers = len(self.numbers) + len(self.dates)
        categories = list(range(n_numbers, n_numbers + len(self.numbering)))
        name = baseline.classifier if n_classes else baseline.regressor
        prepared: Any = "passthrough"
        options: dict[str, Any] = {}
        match baseline.name:
            case "linear":
                filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
                numbers = make_pipeline(filled, StandardScaler())
                indicators = OneHotEncoder(handle_unknown="ignore")
                prepared = ColumnTransformer(
                    [("numbers", numbers, list(range(n_numbers))), ("categories", indicators, categories)]
                )
                options = {"max_iter": 1_000} if n_classes else {}
            case "boosting":
                options = {"categorical_features": categories, "random_state": seed}
        found = next(getattr(module, name) for module in (dummy, linear_model, ensemble) if hasattr(module, name))
        return Pipeline([("prepared", prepared), ("model", found(**options))])


def fit_and_predict(
    model: Any, X: Array, y: Array, weight: Array | None, n_classes: int, new: Mapping[str, Array]
) -> dict[str, Array]:
    """Fit a model to X (rows, columns) and y, and return its predictions for other matrices, by their names.

    `y` are class indices (rows,) or numbers (rows, targets). Predictions are probabilities (rows, n_classes) or numbers
    (rows, targets). Raises `ValueError` if the model cannot be fitted.
    """
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier

    if n_classes and not np.ptp(y) and not isinstance(model[-1], DummyClassifier):
        raise ValueError("all training rows are of one class")
    weights = {} if weight is None else {"model__sample_weight": weight}
    with ignored_warnings():  # for example, about a fit that has not quite converged
        if n_classes:
            model.fit(X, y, **weights)
            found = {name: np.zeros((len(matrix), n_classes)) for name, matrix in new.items()}
            for name, matrix in new.items():
                found[name][:, model.classes_] = model.predict_proba(matrix)  # training rows may lack a class
            return found
        models = [clone(model).fit(X, target, **weights) for target in y.T]
        return {name: np.stack([one.predict(matrix) for one in models], axis=1) for name, matrix in new.items()}
