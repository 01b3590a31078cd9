"""The base class of both estimators: parameters, training, results, saving and loading."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from nnfs_cli.api.callbacks import sort_callbacks
from nnfs_cli.api.config_from import config_from
from nnfs_cli.api.estimators.inputs import InputChecks, value_errors
from nnfs_cli.api.estimators.parameters import (
    DEFAULTS_WITH_LAYERS,
    NAMES,
    NamedParameters,
    as_given,
    early_stopping_as_key,
    epochs_for,
    errors_in_python,
    fill_preprocessing,
    with_config_defaults,
)
from nnfs_cli.api.estimators.training_summary import Summarized
from nnfs_cli.api.estimators.training_table import Rows, TrainingTable
from nnfs_cli.api.history import History
from nnfs_cli.api.runs.run import Run
from nnfs_cli.api.settings import Setting, complete_net, loss_of
from nnfs_cli.api.verdicts import Verdicts
from nnfs_cli.arrays import Array
from nnfs_cli.blend import BlendedModel
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.in_memory import InMemory, rows_for
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.data.table import Label, Table
from nnfs_cli.display.progress import progress_for
from nnfs_cli.errors import ConfigError, DataError, RunError
from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.metrics import Metric
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.prediction.batch_predict import shared_out
from nnfs_cli.prediction.decision import Interval
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.presets import Preset
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.wording import did_you_mean, named
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.workflows.result import TrainingResult

# The parameters that are keys of a config. None leaves a key out.
KEYS = (
    "optimizer", "lr", "schedule", "epochs", "batch_size", "preset", "members", "holdout", "blend", "split",
    "parse", "preprocessing", "penalty", "clip", "accumulate", "averaging", "metrics", "early_stopping", "checkpoint",
    "shuffle", "replacement", "drop_last", "log_every", "max_minutes", "threads", "engine", "dtype",
)  # fmt: skip


class NetEstimator(Summarized, NamedParameters, InputChecks):
    """The base class of `NetClassifier` and `NetRegressor`. Their docstrings describe the parameters."""

    _task: ClassVar[str]  # that of the losses that fit

    def __init__(
        self,
        layers: Sequence[Layer | Setting] | Layer | Setting | None = None,
        *,
        loss: Loss | Setting | None = None,
        optimizer: Optimizer | Setting | None = None,
        lr: float | None = None,
        schedule: Schedule | Setting | None = None,
        epochs: int | None = None,
        batch_size: int | Literal["full"] | None = None,
        preset: Preset | Setting | None = None,
        members: int | None = None,
        holdout: Literal["fold"] | None = None,
        blend: Sequence[BlendedModel | Setting] | None = None,
        split: Split | Mapping[str, Any] | float | None = None,
        parse: Mapping[str, Parser | Setting] | None = None,
        preprocessing: Preprocessing | Setting | Sequence[Any] | None = None,
        penalty: Penalty | Mapping[str, float] | None = None,
        clip: Clip | Mapping[str, float] | float | None = None,
        accumulate: int | None = None,
        averaging: Averaging | Setting | None = None,
        metrics: Sequence[Metric | Setting] | None = None,
        early_stopping: EarlyStopping | Mapping[str, Any] | int | Literal[False] | None = None,
        checkpoint: Checkpoint | Mapping[str, Any] | None = None,
        callbacks: Sequence[Callback | Setting] = (),
        shuffle: bool = True,
        replacement: bool = False,
        drop_last: bool = False,
        log_every: int | None = None,
        max_minutes: float | None = None,
        threads: int | None = None,
        engine: Literal["auto", "numpy", "compiled"] = "auto",
        dtype: Literal["float32", "float64"] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        verbose: bool | None = False,
    ) -> None:
        self.layers = layers
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.epochs, self.batch_size = epochs, batch_size
        self.preset = preset
        self.members, self.holdout, self.blend = members, holdout, blend
        self.split = split
        self.parse, self.preprocessing = parse, preprocessing
        self.penalty, self.clip = penalty, clip
        self.accumulate = accumulate
        self.averaging = averaging
        self.metrics = metrics
        self.early_stopping = early_stopping
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.shuffle, self.replacement, self.drop_last = shuffle, replacement, drop_last
        self.log_every = log_every
        self.max_minutes = max_minutes
        self.threads, self.engine = threads, engine
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    # Training

    def _train(
        self, rows: Rows, validation: Rows | None, target: Sequence[str], labels: Sequence[Label] | None
    ) -> None:
        """Train a net on rows whose target has been checked, and keep the result."""
        table = TrainingTable.of(rows, validation, target, labels)
        given = {key: value for key in KEYS if (value := getattr(self, key)) is not None}
        settings, callbacks = sort_callbacks(self.callbacks, early_stopping_as_key(given))
        n_classes = len(labels) if labels else 2 if self._task == "classification" else None
        facts = Facts(rows.X.num_columns, n_classes, len(target))
        with errors_in_python():
            experiment = prepare(self._config(settings, table, facts))
        # scikit-learn's tools train many nets, so only the summary says that a net is large.
        warnings = [message for message in experiment.warnings if message != experiment.large_net]
        shown = progress_for(self.verbose, experiment.config.checkpoint)
        self._adopt(TrainingResult.of(experiment, [*shown, *callbacks], warnings))

    def _config(self, settings: dict[str, Any], table: TrainingTable, facts: Facts) -> Config:
        """Return the config for the parameters, with the defaults of estimators."""
        if table.split is not None:
            if self.split is not None:
                raise DataError("give either validation_data or the parameter split, not both")
            settings["split"] = table.split
        loss = loss_of(self._default_loss(facts) if self.loss is None else self.loss)
        if loss.task != self._task:
            raise ConfigError(f"loss: {loss.name} is for a {loss.task}; {type(self).__name__} learns a {self._task}")
        settings |= {"loss": loss, "seed": self._seed(), **self._more_settings()}
        defaults = {} if self.layers is None else DEFAULTS_WITH_LAYERS["preprocessing"]
        settings["preprocessing"] = fill_preprocessing(settings.get("preprocessing", {}), defaults)
        if self.layers is not None:
            settings = DEFAULTS_WITH_LAYERS | {"epochs": epochs_for(table.n_rows, self.batch_size)} | settings
            settings["layers"] = complete_net(self.layers, loss, facts)
            if all(settings.get(key) is None for key in ("split", "early_stopping", "holdout")):
                settings["split"] = {"validation": 0}
        return config_from({"name": type(self).__name__, **settings, "dataset": table.dataset})

    def _seed(self) -> int:
        """Return the seed of the training: `random_state` itself, or a number drawn from it."""
        if self.random_state is None or isinstance(self.random_state, np.random.RandomState):
            return int(check_random_state(self.random_state).randint(2**31 - 1))
        return self.random_state

    def _more_settings(self) -> dict[str, Any]:
        """Return the settings of parameters that only one of the estimators has."""
        return {}

    def _default_loss(self, facts: Facts) -> str:
        raise NotImplementedError

    def _adopt(self, result: TrainingResult) -> None:
        """Keep the result of a training."""
        self.result_ = result
        self._report = None

    def _forget(self) -> None:
        """Forget an earlier training, so that an interrupted training leaves an untrained estimator."""
        self.__dict__.pop("result_", None)
        self._report = None

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a trained net."""
        return hasattr(self, "result_")

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may expect: the same net for the same rows, if the seed is given."""
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        return tags

    # Predicting

    def _outputs(self, X: Any) -> Array:
        """Return the outputs for inputs: probabilities (rows, n_classes), or numbers (rows, n_targets)."""
        check_is_fitted(self)
        row = self._single_row(X, self.result_.one_row.only_numbers)
        outputs = None if row is None else self.result_.one_row.outputs(row)
        return self._in_blocks(X, self.result_.predictor.outputs) if outputs is None else outputs

    def _in_blocks(self, X: Any, compute: Callable[[Table], Array]) -> Array:
        """Return what `compute` gives for a table of the inputs; many rows are computed in blocks."""
        with value_errors():
            source = rows_for(self._inputs(X), self.result_.config.dataset, "X")
            tables = source.chunks(self.result_.predictor.encoder.kinds)
            blocks = [found for _, found in shared_out(compute, tables)]
        return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]

    def _calibrated(self, level: float, what: str) -> Predictor:
        """Return the net with intervals or sets. Raises `InvalidInputError` if no rows can calibrate them."""
        check_is_fitted(self)
        with value_errors():
            calibration = self.result_.outcome.calibration
            if calibration is None:
                raise DataError(
                    f"{what} needs rows that the net was not trained on; call fit with validation_data, or set"
                    " split={'validation': 0.2}, or members=8 and holdout='fold'"
                )
            predictor = self.result_.predictor
            return predictor.with_interval(Interval.at(level, calibration, predictor.labels))

    # Results

    @property
    def history_(self) -> History:
        """The log of the training: a row for each logged epoch, with `epoch`, `train_loss`, `val_loss` and so on.

        >>> from nnfs_cli import NetRegressor
        >>> net = NetRegressor(layers=["linear: 4", "relu"], epochs=3).fit([[0.0], [1.0]] * 20, [10, 30] * 20)
        >>> net.history_["epoch"].tolist()
        [1, 2, 3]
        """
        check_is_fitted(self)
        return History.of_rows(self.result_.log)

    @property
    def metrics_(self) -> dict[str, Any]:
        """The final figures by split, the best epoch, and why training stopped early, if it did.

        >>> from nnfs_cli import NetRegressor
        >>> net = NetRegressor(layers=["linear: 4", "relu"], epochs=3).fit([[0.0], [1.0]] * 20, [10, 30] * 20)
        >>> list(net.metrics_), list(net.metrics_["train"])
        (['best_epoch', 'train'], ['rows', 'loss', 'rmse', 'r2'])
        """
        check_is_fitted(self)
        return dict(self.result_.outcome.metrics)

    @property
    def verdict_(self) -> Verdicts:
        """How good the net is, the most important first; empty without held-out rows.

        >>> from nnfs_cli import NetRegressor
        >>> net = NetRegressor(layers=["linear: 4", "relu"], epochs=3, split=0.5)
        >>> net.fit([[0.0], [1.0]] * 20, [10, 30] * 20).verdict_[0].code
        'no_better_than_constant'
        """
        check_is_fitted(self)
        return Verdicts(self.result_.verdict)

    @property
    def config_(self) -> Config:
        """The config of the trained net, with every default and every choice of the preset.

        >>> from nnfs_cli import NetRegressor
        >>> net = NetRegressor(layers=["linear: 4", "relu"], epochs=3).fit([[0.0], [1.0]] * 20, [10, 30] * 20)
        >>> net.config_.layers, net.config_.lr
        ((Linear(4), ReLU(), Linear(1)), 0.001)
        """
        check_is_fitted(self)
        return self.result_.config

    # Saving and loading

    def save(self, path: str | os.PathLike[str]) -> Run:
        """Write a run directory at this path, as `nnfs train` would, and return the run.

        `nnfs predict`, `nnfs evaluate --input` and `load` use it. The training rows are not kept.

        Parameters
        ----------
        path : str or path
            A path where nothing is yet.

        Raises
        ------
        RunError
            If something is there already.

        Examples
        --------
        >>> from nnfs_cli import NetRegressor
        >>> net = NetRegressor(layers=["linear: 4", "relu"], epochs=3).fit([[0.0], [1.0]] * 20, [10, 30] * 20)
        >>> run = net.save("saved")
        >>> run.status
        'finished'
        >>> bool(NetRegressor.load(run).predict([[0.5]]) == net.predict([[0.5]]))
        True

        """
        check_is_fitted(self)
        return Run(self.result_.write(path))

    @classmethod
    def load(cls, run: str | os.PathLike[str] | RunDirectory) -> Self:
        """Return the trained estimator of a run, made by `save` or by `nnfs train`.

        It finds its inputs by name: tables may have them in any order, and other columns besides. After a training on
        an array, it takes an array.

        Parameters
        ----------
        run : str, path or Run
            The run, or the path of its directory.

        Raises
        ------
        RunError
            If there is no run, it is damaged, or its net is for the other estimator.

        Examples
        --------
        >>> from nnfs_cli import NetRegressor
        >>> net = NetRegressor(layers=["linear: 4", "relu"], epochs=3).fit([[0.0], [1.0]] * 20, [10, 30] * 20)
        >>> run = net.save("saved")
        >>> run.status
        'finished'
        >>> bool(NetRegressor.load(run).predict([[0.5]]) == net.predict([[0.5]]))
        True

        """
        directory = run if isinstance(run, RunDirectory) else RunDirectory.open(Path(run))
        result = TrainingResult.read(directory)
        if result.config.loss.task != cls._task:
            other = "NetRegressor" if cls._task == "classification" else "NetClassifier"
            predicts = "numbers" if cls._task == "classification" else "classes"
            raise RunError(f"the net in {directory.path} predicts {predicts}; load it with {other}.load")
        names = cls._names_of_inputs(result)
        settings = as_given(result.config)
        if isinstance(result.config.dataset, InMemory) and result.config.split.column is not None:
            del settings["split"]  # the rows came as validation_data; other tables have no such column
        return cls._of(result, settings, None if names == [f"x{j}" for j in range(len(names))] else names)

    @staticmethod
    def _names_of_inputs(result: TrainingResult) -> list[str]:
        """Return the names of the inputs of a net; those of an array include the columns that were empty."""
        names = list(result.predictor.encoder.kinds)
        whole = {*names, *result.config.dataset.dropped_columns()}
        array = [f"x{j}" for j in range(len(whole))]
        in_array = any(re.fullmatch("x[0-9]+", name) for name in result.config.dataset.target_columns())  # as for `fit`
        return array if whole == {*array} and not in_array else names

    @classmethod
    def _of(cls, result: TrainingResult, settings: Mapping[str, Any], names: Sequence[str] | None) -> Self:
        """Return the estimator of a result, with settings as parameters; it finds inputs by `names`, if it has any."""
        estimator = cls(**cls._parameters(settings))
        if names is not None:
            estimator.feature_names_in_ = np.array(names, object)
            estimator._by_name = True
        estimator.n_features_in_ = len(cls._names_of_inputs(result) if names is None else names)
        estimator._adopt(result)
        return estimator

    @classmethod
    def from_config(cls, path: str | os.PathLike[str]) -> Self:
        """Return an untrained estimator with the settings of a config file, except those of the data set.

        Fitted on the rows of that data set, it learns the same net as `nnfs train`, to the byte.

        Parameters
        ----------
        path : str or path
            A config file.

        Raises
        ------
        ConfigError
            If there is no such file, a key of it is unknown, or its loss is for the other estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from nnfs_cli import NetClassifier
        >>> net = NetClassifier.from_config("configs/breast_cancer.yaml").set_params(epochs=3)
        >>> net.fit(*load_breast_cancer(return_X_y=True)).score(*load_breast_cancer(return_X_y=True)) > 0.8
        True

        """
        given = dict(Document.load(Path(path)).data)
        if unknown := [key for key in given if key not in Config.model_fields]:
            hint = did_you_mean(unknown[0], Config.model_fields)
            raise ConfigError(f"{path}: there is no key {named(unknown[0])}{hint}")
        if given.get("memory_limit") is not None:
            raise ConfigError(f"{path}: memory_limit is for files; a table in Python is in memory already")
        if given.get("class_weights") is not None and cls._task != "classification":
            raise ConfigError(f"{path}: class_weights is for classes; {cls.__name__} predicts numbers")
        if "loss" in given and loss_of(given["loss"]).task != cls._task:
            raise ConfigError(f"{path}: {cls.__name__} is not for the loss {loss_of(given['loss']).name}")
        if given.get("layers"):
            given = with_config_defaults(given)
        return cls(**cls._parameters(given))

    @classmethod
    def _parameters(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters for the keys of a config."""
        parameters = {NAMES.get(key, key): value for key, value in config.items()}
        return {name: value for name, value in parameters.items() if name in cls._get_param_names()}
