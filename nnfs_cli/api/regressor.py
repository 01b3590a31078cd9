"""The regressor: a scikit-learn estimator that predicts numbers."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import RegressorMixin

from nnfs_cli.api.estimator import NetEstimator, value_errors
from nnfs_cli.api.training_table import Rows
from nnfs_cli.arrays import Array
from nnfs_cli.data.source import Facts
from nnfs_cli.errors import DataError


class NetRegressor(RegressorMixin, NetEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A neural net that predicts numbers."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: tuple[Any, ...] | None = None) -> Self:
        """Train on inputs X (rows, n_features) and numbers y (rows,) or (rows, n_targets)."""
        with value_errors():
            inputs, numbers = self._inputs(X, reset=True), self._target(y, numeric=True)
            rows = Rows(inputs, self._of_equal_length(numbers, inputs, "y"), self._weight(sample_weight, inputs))
            validation = None
            if validation_data is not None:
                X_val, y_val, weight_val = self._validation(validation_data)
                y_val = self._of_equal_length(self._target(y_val, numeric=True), X_val, "y")
                if y_val.shape[1:] != numbers.shape[1:]:
                    raise DataError(f"validation_data has targets of the shape {y_val.shape}, y has {numbers.shape}")
                validation = Rows(X_val, y_val, weight_val)
            names = [self._name_of(y)] if numbers.ndim == 1 else self._names_of(y, numbers.shape[1])
            self._train(rows, validation, names, None)
            self._several = numbers.ndim > 1
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may expect: there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _loss(self, facts: Facts) -> str:
        return "mse"

    def predict(self, X: Any) -> Array:
        """Return the number predicted for each row, (rows,) or (rows, n_targets)."""
        numbers = self._outputs(X)
        return numbers if self._several else numbers[:, 0]
