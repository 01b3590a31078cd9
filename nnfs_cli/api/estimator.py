"""What both estimators share: settings, training on arrays or tables, saving and loading."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import _check_y, check_is_fitted, validate_data

from nnfs_cli.api.frame import Frame
from nnfs_cli.api.settings import complete_net, config_of, plain
from nnfs_cli.api.training_table import Rows, TrainingTable, has_names
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.python_tables import to_arrow_table
from nnfs_cli.data.source import Facts
from nnfs_cli.data.table import Label
from nnfs_cli.display.progress import progress_for
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import CHUNK_ROWS
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.system.wording import counted, listing, named
from nnfs_cli.workflows.result import TrainingResult


class InvalidInputError(UserError, ValueError):
    """Input that an estimator cannot use. It is also a `ValueError`, as scikit-learn's tools expect."""


class InvalidTypeError(UserError, TypeError):
    """Input of a type that an estimator cannot use. It is also a `TypeError`, as scikit-learn's tools expect."""


@contextlib.contextmanager
def value_errors() -> Iterator[None]:
    """Turn errors about the user's input into `InvalidInputError` with the same text."""
    try:
        yield
    except (InvalidInputError, InvalidTypeError):
        raise
    except UserError as error:
        raise InvalidInputError(str(error)) from error


# The parameters that are keys of a config. None leaves a key out.
KEYS = (
    "optimizer", "lr", "schedule", "epochs", "batch_size", "preset", "members", "holdout", "split", "preprocessing",
    "penalty", "clip", "accumulate", "averaging", "metrics", "early_stopping", "checkpoint", "log_every", "max_minutes",
    "threads", "dtype",
)  # fmt: skip
DEFAULTS_WITH_LAYERS: dict[str, Any] = {
    "optimizer": "adam",
    "epochs": 100,
    "preprocessing": {
        "numbers": ("impute", "standardize"),
        "categories": {"one_hot": {"unseen": "other"}},
        "dates": "calendar",
    },
}


class NetEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The base class of `NetClassifier` and `NetRegressor`. Their docstrings describe the parameters."""

    _by_name = False  # whether the inputs are found by name in a wider table, in any order

    def __init__(
        self,
        layers: Any = None,
        *,
        loss: Any = None,
        optimizer: Any = None,
        lr: float | None = None,
        schedule: Any = None,
        epochs: int | None = None,
        batch_size: int | str | None = None,
        preset: Any = None,
        members: int | None = None,
        holdout: str | None = None,
        split: Any = None,
        preprocessing: Any = None,
        penalty: Any = None,
        clip: Any = None,
        accumulate: int | None = None,
        averaging: Any = None,
        metrics: Any = None,
        early_stopping: Any = None,
        checkpoint: Any = None,
        callbacks: Sequence[Any] = (),
        shuffle: bool = True,
        log_every: int | None = None,
        max_minutes: float | None = None,
        threads: int | None = None,
        dtype: str | None = None,
        random_state: int | None = 0,
        verbose: bool = False,
    ) -> None:
        self.layers = layers
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.preset = preset
        self.members = members
        self.holdout = holdout
        self.split = split
        self.preprocessing = preprocessing
        self.penalty = penalty
        self.clip = clip
        self.accumulate = accumulate
        self.averaging = averaging
        self.metrics = metrics
        self.early_stopping = early_stopping
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.shuffle = shuffle
        self.log_every = log_every
        self.max_minutes = max_minutes
        self.threads = threads
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    # Training

    def _train(
        self, rows: Rows, validation: Rows | None, target: Sequence[str], labels: Sequence[Label] | None
    ) -> None:
        """Train a net on rows whose target has been checked, and keep the result."""
        table = TrainingTable.of(rows, validation, target, labels)
        config = self._config(table, Facts(rows.X.num_columns, len(labels) if labels else None, len(target)))
        self._adopt(TrainingResult.of(prepare(config), progress_for(self.verbose, config.checkpoint)))

    def _config(self, table: TrainingTable, facts: Facts) -> Config:
        """Return the config for the parameters, with the defaults of estimators."""
        settings = {key: value for key in KEYS if (value := getattr(self, key)) is not None}
        if table.split is not None:
            if self.split is not None:
                raise DataError("give either validation_data or the parameter split")
            settings["split"] = table.split
        settings |= {"shuffle": self.shuffle, "callbacks": tuple(self.callbacks), **self._more_settings()}
        if self.random_state is not None:
            settings["seed"] = self.random_state
        loss = Loss.resolve(plain(self._loss(facts) if self.loss is None else self.loss, "loss"))
        settings["loss"] = loss
        if self.layers is not None:
            settings = DEFAULTS_WITH_LAYERS | settings
            settings["layers"] = complete_net(self.layers, loss, facts)
            if "split" not in settings and self.early_stopping is None and self.holdout is None:
                settings["split"] = {"validation": 0}
        return config_of(settings, table.dataset, type(self).__name__)

    def _more_settings(self) -> dict[str, Any]:
        """Return the settings of parameters that only one of the estimators has."""
        return {}

    def _loss(self, facts: Facts) -> str:
        """Return the default loss."""
        raise NotImplementedError

    def _adopt(self, result: TrainingResult) -> None:
        """Keep what a training has left."""
        self.result_ = result

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may expect: gaps are welcome, sparse matrices are not.

        Texts are welcome, too, but the tag `string` would promise that a cell may hold any object.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.non_deterministic = self.random_state is None
        return tags

    # Inputs

    def _inputs(self, X: Any, reset: bool = False) -> Any:
        """Return inputs as an Arrow table, checked as scikit-learn checks them."""
        if not has_names(X):
            array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
            try:
                return to_arrow_table(array, "X")
            except DataError as error:
                if array.dtype.kind != "O":
                    raise
                cells = "a cell of this argument must be a string, a number or a date"
                raise InvalidTypeError(f"{error}; {cells}") from None
        table = to_arrow_table(X, "X")
        if self._by_name and not reset:
            missing = [name for name in self.feature_names_in_ if name not in table.column_names]
            if missing:
                raise DataError(f"X lacks {counted(len(missing), 'column')}: {listing(map(named, missing))}")
            return table.select(list(self.feature_names_in_))
        validate_data(self, X if hasattr(X, "shape") else table, reset=reset, skip_check_array=True)
        return table

    def _outputs(self, X: Any) -> Array:
        """Return the outputs for inputs: probabilities (rows, n_classes), or numbers (rows, n_targets)."""
        check_is_fitted(self)
        predictor = self.result_.predictor
        with value_errors(), thread_limit(predictor.threads(CHUNK_ROWS)):
            source = InMemory(target=self.result_.config.dataset.target_columns()).of(self._inputs(X), "X")
            blocks = [predictor.outputs(table) for table in source.chunks(predictor.encoder.kinds)]
        return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]

    def _target(self, y: Any, numeric: bool = False) -> Array:
        """Return the target (rows,), or also (rows, n_targets) if `numeric`, checked as scikit-learn checks it."""
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        if not isinstance(y, np.ndarray) and hasattr(y, "__arrow_c_stream__") and not hasattr(y, "__array__"):
            y = np.column_stack([column.to_numpy() for column in to_arrow_table(y, "y").columns])
        found: Array = _check_y(y, multi_output=numeric, y_numeric=numeric, estimator=self)
        return found

    def _weight(self, sample_weight: Any, inputs: Any) -> Array | None:
        """Return weights (rows,), if there are any."""
        if sample_weight is None:
            return None
        weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
        if weight.ndim > 1:
            raise DataError(f"sample_weight should have the shape (rows,), found {weight.shape}: it must be 1D")
        if not weight.any():
            raise DataError("every sample_weight is zero, so no row counts")
        return self._of_equal_length(weight, inputs, "sample_weight")

    @staticmethod
    def _of_equal_length(values: Array, inputs: Any, name: str) -> Array:
        """Return the values if there is one for each row. Raises `DataError` otherwise."""
        if len(values) != inputs.num_rows:
            raise DataError(f"inconsistent numbers of rows: X has {inputs.num_rows:,}, {name} has {len(values):,}")
        return values

    def _validation(self, validation_data: tuple[Any, ...]) -> tuple[Any, Any, Array | None]:
        """Return the inputs, the unchecked target and the weights of `validation_data`."""
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise DataError("validation_data should be (X, y) or (X, y, sample_weight)")
        X, y, *weight = validation_data
        inputs = self._inputs(X)
        return inputs, y, self._weight(weight[0] if weight else None, inputs)

    @staticmethod
    def _name_of(y: Any) -> str:
        """Return the name of the target: that of a series, else y."""
        name = getattr(y, "name", None)
        return name if isinstance(name, str) and name.strip() else "y"

    @staticmethod
    def _names_of(y: Any, n: int) -> list[str]:
        """Return the names of several targets: those of a table, else y0, y1, ..."""
        names = [name for name in getattr(y, "columns", ()) if isinstance(name, str)]
        return names if len(names) == n else [f"y{j}" for j in range(n)]

    # What is known after training

    @property
    def history_(self) -> Frame:
        """The log of the training: a row for each logged epoch, with `epoch`, `train_loss`, `val_loss` and so on."""
        check_is_fitted(self)
        return Frame.of_rows(self.result_.log)

    @property
    def metrics_(self) -> dict[str, Any]:
        """The final figures by split, the best epoch, and why training stopped early, if it did."""
        check_is_fitted(self)
        return dict(self.result_.outcome.metrics)

    @property
    def config_(self) -> Config:
        """The config of the trained net, with every default and every choice of the preset."""
        check_is_fitted(self)
        return self.result_.config

    # Saving and loading

    def save(self, path: str | os.PathLike[str]) -> RunDirectory:
        """Write a run directory at this path, as `nnfs train` would, and return it.

        `nnfs predict --run PATH` uses it. Raises `RunError` if something is there already.
        """
        check_is_fitted(self)
        return self.result_.write(path)

    @classmethod
    def load(cls, run: str | os.PathLike[str] | RunDirectory) -> Self:
        """Return the estimator of a run, made by `save` or by `nnfs train`.

        Raises `RunError` if the run is damaged, or its net is for the other estimator.
        """
        directory = run if isinstance(run, RunDirectory) else RunDirectory.open(os.fspath(run))
        result = TrainingResult.read(directory)
        config = result.config.model_dump(mode="json")
        estimator = cls(
            **{key: config[key] for key in KEYS},
            callbacks=config["callbacks"],
            shuffle=config["shuffle"],
            random_state=config["seed"],
        )
        names = list(result.predictor.encoder.kinds)
        if names != [f"x{j}" for j in range(len(names))]:
            estimator.feature_names_in_ = np.array(names, object)
            estimator._by_name = True
        estimator.n_features_in_ = len(names)
        estimator._adopt(result)
        return estimator

    @classmethod
    def from_config(cls, path: str | os.PathLike[str]) -> Self:
        """Return an untrained estimator with the settings of a config file, except those of the data set.

        Raises `ConfigError` if there is no such file or a key of it is unknown.
        """
        given = dict(Document.load(Path(path)).data)
        given.pop("dataset", None)
        given.pop("name", None)
        if "seed" in given:
            given["random_state"] = given.pop("seed")
        return cls(**given)
