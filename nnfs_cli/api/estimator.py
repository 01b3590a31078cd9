"""What both estimators share: settings, training on arrays or tables, saving and loading."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator

from nnfs_cli.errors import UserError
from nnfs_cli.workflows.result import TrainingResult


class InvalidInputError(UserError, ValueError):
    """Input that an estimator cannot use. It is a ValueError too, as scikit-learn's tools expect."""


@contextlib.contextmanager
def value_errors() -> Iterator[None]:
    """Turn the errors of this package about the user's input into a `ValueError` of the same text."""
    try:
        yield
    except InvalidInputError:
        raise
    except UserError as error:
        raise InvalidInputError(str(error)) from error


# The parameters that are keys of a config under the same name.
CONFIG_KEYS = (
    "layers", "loss", "optimizer", "lr", "schedule", "epochs", "batch_size", "preset", "members", "holdout", "split",
    "preprocessing", "penalty", "clip", "accumulate", "averaging", "metrics", "early_stopping", "checkpoint",
    "callbacks", "shuffle", "log_every", "max_minutes", "threads", "dtype",
)  # fmt: skip


class NetEstimator(BaseEstimator):
    """The base class of `NetClassifier` and `NetRegressor`."""

    result_: TrainingResult

    def __init__(
        self,
        layers: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = None,
        lr: float | None = None,
        epochs: int | None = None,
        batch_size: Any = None,
        random_state: int | None = 0,
        verbose: bool = False,
    ) -> None:
        self.layers = layers
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose
