"""Baseline models, which a net should beat on the same rows.

They are scikit-learn's: the best constant for the loss, a linear model with the default penalty (choosing it by
cross-validation gains nothing on 22 tables), and boosted trees, as many as `boosting` chooses. They get the columns of
the table, not those that a config has preprocessed, so this module prepares the columns for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.dates import days, utc
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.steps.base import Fit
from nnfs_cli.data.steps.calendar import Calendar
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
    """The inputs of baselines: tables as matrices, with categories numbered by the training rows.

    A date gets the columns of the net's `calendar` step, or of a default one, with the days since 1970 as its trend.
    """

    def __init__(self, train: Table, kinds: Mapping[str, Kind], preprocessing: Preprocessing | None = None) -> None:
        self.numbers = [name for name, kind in kinds.items() if kind == "number"]
        self.calendars: dict[str, tuple[Calendar, Fit]] = {}
        for name in (name for name, kind in kinds.items() if kind == "date"):
            steps = preprocessing.steps(name, "date") if preprocessing else ()
            step = next((step for step in steps if isinstance(step, Calendar)), Calendar())
            fit = step.fit(train.zoned_dates(name))
            parts = [part for part in fit["parts"] if part != "trend"]
            self.calendars[name] = step, {**fit, "parts": parts, "gaps": False}  # days show gaps
        self.numbering: dict[str, dict[str | None, int]] = {}
        for name in (name for name, kind in kinds.items() if kind == "category"):
            counts = train.texts(name).counts()
            categories = sorted(counts, key=lambda category: (-counts[category], category or ""))
            self.numbering[name] = {category: min(rank, FREQUENT) for rank, category in enumerate(categories)}

    @property
    def n_numbers(self) -> int:
        """The number of columns before those of categories."""
        return len(self.numbers) + sum(1 + len(step.names(fit)) for step, fit in self.calendars.values())

    def matrix(self, table: Table) -> Array:
        """Return (rows, columns) float64: numbers, then days and calendar columns of each date, then categories.

        Missing cells are NaN, in calendar columns 0. A category, or an empty cell, is numbered by its rank among the
        most frequent ones; rare categories share a number, and a new one is NaN.
        """
        columns = [table.numbers(name, gaps=True) for name in self.numbers]
        for name, (step, fit) in self.calendars.items():
            dates = table.zoned_dates(name)
            columns += [days(utc(dates)), *(step.transform(dates, fit).T if fit["parts"] else ())]
        for name, numbers in self.numbering.items():
            found = table.texts(name).look_up(numbers, -1)
            columns.append(np.where(found < 0, np.nan, found))
        return np.stack(columns, axis=1)

    def model(self, baseline: Baseline, n_classes: int, seed: int, levels: Sequence[float] = ()) -> Any:
        """Return an unfitted pipeline for such matrices; its last step is called model.

        With `levels`, the constant is a quantile. Weights count wherever scikit-learn takes them, which is everywhere
        but in the median that fills gaps of the linear model.
        """
        from sklearn import config_context, dummy, ensemble, linear_model
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import Pipeline, make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        n_numbers = self.n_numbers
        categories = list(range(n_numbers, n_numbers + len(self.numbering)))
        name = baseline.classifier if n_classes else baseline.regressor
        prepared: Any = "passthrough"
        options: dict[str, Any] = {}
        found = next(getattr(module, name) for module in (dummy, linear_model, ensemble) if hasattr(module, name))
        with config_context(enable_metadata_routing=True):
            match baseline.name:
                case "constant":
                    options = {"strategy": "quantile"} if levels else {}
                case "linear":
                    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
                    numbers = make_pipeline(filled, StandardScaler().set_fit_request(sample_weight=True))
                    indicators = OneHotEncoder(handle_unknown="ignore")
                    prepared = ColumnTransformer(
                        [("numbers", numbers, list(range(n_numbers))), ("categories", indicators, categories)]
                    )
                    options = {"max_iter": 1_000} if n_classes else {}
                case "boosting":
                    options = {"categorical_features": categories, "random_state": seed, "early_stopping": False}
            return Pipeline([("prepared", prepared), ("model", found(**options).set_fit_request(sample_weight=True))])


def fit_and_predict(
    model: Any,
    X: Array,
    y: Array,
    weight: Array | None,
    new: Mapping[str, Array],
    n_classes: int,
    levels: Sequence[float] = (),
) -> dict[str, Array]:
    """Fit a model to X (rows, columns) and y, and return its predictions for other matrices, by their names.

    `y` are class indices (rows,) or numbers (rows, targets). Predictions are probabilities (rows, n_classes) or numbers
    (rows, targets), with `levels` (rows, targets · levels), a quantile of each level for each target. Raises
    `ValueError` if the model cannot be fitted.
    """
    from sklearn import config_context
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier

    if n_classes and not np.ptp(y) and not isinstance(model[-1], DummyClassifier):
        raise ValueError("all training rows are of one class")
    if weight is None and levels:  # scikit-learn computes other quantiles without weights than with equal ones
        weight = np.ones(len(X))
    weights = {} if weight is None else {"sample_weight": weight}
    with ignored_warnings(), config_context(enable_metadata_routing=True):  # such as that a fit has not quite converged
        if n_classes:
            model.fit(X, y, **weights)
            found = {name: np.zeros((len(matrix), n_classes)) for name, matrix in new.items()}
            for name, matrix in new.items():
                found[name][:, model.classes_] = model.predict_proba(matrix)  # training rows may lack a class
            return found
        each = [{"model__quantile": level} for level in levels] or [{}]
        models = [clone(model).set_params(**one).fit(X, target, **weights) for target in y.T for one in each]
        return {name: np.stack([one.predict(matrix) for one in models], axis=1) for name, matrix in new.items()}
