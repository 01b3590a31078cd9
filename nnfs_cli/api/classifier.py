"""The classifier: a scikit-learn estimator that predicts classes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from nnfs_cli.api.estimator import NetEstimator, value_errors
from nnfs_cli.api.training_table import Rows
from nnfs_cli.arrays import Array
from nnfs_cli.data.source import Facts
from nnfs_cli.data.table import Label, text_of
from nnfs_cli.errors import DataError
from nnfs_cli.metrics import decide
from nnfs_cli.system.wording import listing, shown
from nnfs_cli.workflows.result import TrainingResult


class NetClassifier(ClassifierMixin, NetEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A neural net that predicts classes."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: tuple[Any, ...] | None = None) -> Self:
        """Train on inputs X (rows, n_features) and labels y (rows,)."""
        with value_errors():
            inputs, labels = self._inputs(X, reset=True), self._labels(y)
            classes, indices = np.unique(labels, return_inverse=True)
            if len(classes) < 2:
                raise DataError(f"y holds one class, {shown(text_of(classes[0]))}; a classifier needs at least two")
            weight = self._weight(sample_weight, inputs)
            rows = Rows(inputs, self._of_equal_length(indices, inputs, "y"), weight)
            validation = None
            if validation_data is not None:
                X_val, y_val, weight_val = self._validation(validation_data)
                places = np.searchsorted(classes, y_val := self._labels(y_val)).clip(max=len(classes) - 1)
                if (classes[places] != y_val).any():
                    unknown = sorted({text_of(label) for label in y_val[classes[places] != y_val].tolist()})
                    raise DataError(f"no training row has the label {listing(map(shown, unknown))} of validation_data")
                validation = Rows(X_val, self._of_equal_length(places, X_val, "y"), weight_val)
            self._train(rows, validation, [self._name_of(y)], [_label(value) for value in classes.tolist()])
            self.classes_ = classes
        return self

    def _labels(self, y: Any) -> Array:
        """Return labels (rows,), checked as scikit-learn checks them."""
        labels = self._target(y)
        check_classification_targets(labels)
        return labels

    def _loss(self, facts: Facts) -> str:
        return "binary_cross_entropy" if facts.n_classes == 2 else "cross_entropy"

    def _adopt(self, result: TrainingResult) -> None:
        super()._adopt(result)
        self.classes_ = np.array(result.predictor.encoder.classes)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (rows, n_classes), in the order of `classes_`."""
        return self._outputs(X)

    def predict(self, X: Any) -> Array:
        """Return the label of each row, (rows,)."""
        outputs = self._outputs(X)
        labels: Array = self.classes_[decide(outputs, self.result_.predictor.decision.threshold)]
        return labels


def _label(value: Any) -> Label:
    """Return a label as a config knows it: a text, a whole number or a truth value."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | bool):
        return value
    raise DataError(f"labels should be texts, whole numbers or truth values, found {type(value).__name__}")
