"""The net itself: layers in a row that are trained on arrays, for those who learn how nets work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import Field, PrivateAttr, field_validator

from nnfs_cli.api.callbacks import checked_callbacks
from nnfs_cli.api.frame import Frame
from nnfs_cli.api.history import History
from nnfs_cli.api.nets.other_arguments import explain_arguments
from nnfs_cli.api.nets.rows import net_inputs, net_rows
from nnfs_cli.api.nets.summary import NetSummary
from nnfs_cli.api.nets.tables import column_names, table_numbers
from nnfs_cli.api.nets.training import (
    Settings,
    checked_settings,
    count_outputs,
    figures_of,
    train,
    trainer_for,
    with_figures,
)
from nnfs_cli.api.nets.weights import NamedArrays, count_features, named_arrays
from nnfs_cli.api.settings import Setting, plain
from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import PositiveInt, Seed
from nnfs_cli.components.section import Section
from nnfs_cli.display.progress import progress_for
from nnfs_cli.errors import ConfigError, DataError, UserError
from nnfs_cli.experiment.warnings import net_warnings
from nnfs_cli.metrics import Metric
from nnfs_cli.nn.check_layers import check_layers
from nnfs_cli.nn.gradient_check import gradient_errors
from nnfs_cli.nn.layers import Layer, sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.workflows.result import EpochRows

DType: TypeAlias = Literal["float32", "float64"] | type[np.float32] | type[np.float64] | np.dtype[Any]


class Start(Section):
    """The arguments of `initialize`, checked."""

    main = "n_features"

    n_features: PositiveInt = Field(kw_only=False)
    """Number of inputs."""
    seed: Seed = 0
    """Seed of the weights."""
    dtype: Literal["float32", "float64"] = "float32"
    """Number format of the net."""

    @classmethod
    def title(cls) -> str:
        """Return the name of the method whose arguments these are."""
        return "initialize"


class Sequential(sequential.Sequential):
    """A net: layers that are applied one after the other, with weights of its own.

    It is a layer itself, so it can stand inside another net, an estimator or a config; there its weights are not used.

    The net takes arrays of numbers as they are: nothing is scaled, encoded or held out. `NetClassifier` and
    `NetRegressor` take tables and do all of that.

    `layers` holds layers, or texts as in a config. Raises `ConfigError` for a layer that does not exist or a wrong
    setting.

    >>> import numpy as np
    >>> from nnfs_cli import Linear, Sequential, Tanh
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])
    >>> net = Sequential([Linear(8), Tanh(), Linear(1)])
    >>> history = net.fit(X, y, loss="binary_cross_entropy", lr=0.1, epochs=100)
    >>> net.predict(X).round()[:, 0]
    array([0., 1., 1., 0.], dtype=float32)
    """

    _model: Model | None = PrivateAttr(None)
    _metrics: tuple[Metric, ...] | None = PrivateAttr(None)  # of the last fit; None before it
    _columns: tuple[str, ...] | None = PrivateAttr(None)  # names of the inputs, if it was trained on a table
    _history: History | None = PrivateAttr(None)  # of the last fit

    if TYPE_CHECKING:

        def __init__(self, layers: Layer | Sequence[Layer | Setting]) -> None: ...

    @field_validator("layers", mode="before")
    @classmethod
    def _from_texts(cls, layers: object) -> object:
        return plain(layers, "layers")

    # Layers

    def __iter__(self) -> Iterator[Layer]:  # type: ignore[override]
        return iter(self.layers)

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self.layers)

    def __getitem__(self, index: int) -> Layer:
        """Return a layer by its index."""
        return self.layers[index]

    # Weights

    def initialize(self, n_features: int, seed: int = 0, dtype: DType = "float32") -> Self:
        """Make the net for rows of `n_features` numbers, draw its weights, and return the net.

        `fit` does this by itself. Earlier weights are lost. The same seed draws the same weights. Raises `ConfigError`
        if the layers do not fit together.
        """
        start = Start(n_features=n_features, seed=seed, dtype=_dtype_name(dtype))
        self._model = self._new_model(start.n_features, MSE(), np.dtype(start.dtype))
        self._metrics = self._columns = self._history = None
        return self.reset(start.seed)

    def reset(self, seed: int = 0) -> Self:
        """Draw new weights, as if the net had never been trained, and return the net.

        Raises `UserError` if the net has no weights yet.
        """
        model = self._built()
        model.parameters.initialize(random_stream(_checked_seed(seed), "weights"))
        return self

    @property
    def weights(self) -> Mapping[str, Array]:
        """The parameters by name, such as `0.weight` (n_inputs, units) and `0.bias` (units,).

        The number is the index of the layer. The arrays are those of the net: writing into one changes the net. The
        mapping itself is read-only. Raises `UserError` if the net has no weights yet.

        >>> from nnfs_cli import Linear, Sequential
        >>> net = Sequential([Linear(2)]).initialize(3)
        >>> {name: array.shape for name, array in net.weights.items()}
        {'0.weight': (3, 2), '0.bias': (2,)}
        """
        return MappingProxyType(self._built().parameters.arrays)

    def load(self, arrays: NamedArrays, *, loss: Loss | Setting | None = None) -> Self:
        """Copy parameters by name into the net, from a mapping or an npz file, and return the net.

        The file may be one that `numpy.savez` wrote, or the weights of a run. Parameters do not include the loss. Give
        the `loss` of the training, and `predict` and `evaluate` do what they did there: with cross-entropy, `predict`
        returns probabilities. Without it, the loss stays as it is; a net that has none predicts the outputs of its last
        layer. A net without weights is made for the number of features that fits the arrays.

        Raises `DataError` unless names and shapes are exactly those of the net and all numbers are finite, and
        `ConfigError` for an unusable loss; then the net stays as it was.

        >>> import numpy as np
        >>> from nnfs_cli import Linear, Sequential
        >>> X, y = np.linspace(-1, 1, 20).reshape(-1, 1), np.arange(20) // 10
        >>> net = Sequential([Linear(2)])
        >>> history = net.fit(X, y, loss="cross_entropy")
        >>> other = Sequential(net.layers).load(net.weights, loss="cross_entropy")
        >>> bool((other.predict(X) == net.predict(X)).all())
        True
        """
        given, model, metrics = named_arrays(arrays), self._model, self._metrics
        dtype = model.dtype if model is not None else np.result_type(np.float32, *map(_float_type, given.values()))
        made: Loss = MSE()
        if loss is not None:
            settings = checked_settings({"layers": self.layers, "loss": loss, "epochs": 1}, validated=False)
            made, metrics = settings["loss"], settings["metrics"]
        if model is None:
            model = self._new_model(count_features(self.layers, given), made, dtype)
        elif loss is not None:
            model = self._model_for(made, dtype)
        try:
            model.load(given)
        except ValueError as error:
            raise DataError(f"these arrays are not the weights of this net: {error}") from None
        self._model, self._metrics = model, metrics
        return self

    # Training

    @explain_arguments(
        class_weight="give sample_weight, a number for each row, or class_weight to an estimator",
        clipnorm="give clip, such as clip=1.0",
        early_stopping="give callbacks=[EarlyStopping(5)]",
        learning_rate="give lr",
        patience="give callbacks=[EarlyStopping(5)]",
        random_state="give seed",
        validation_split="give validation_data=(X, y), or split to an estimator",
    )
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        loss: Loss | Setting,
        optimizer: Optimizer | Setting = "adam",
        lr: float | None = None,
        epochs: int = 10,
        batch_size: int | Literal["full"] | None = None,
        validation_data: tuple[Any, ...] | None = None,
        sample_weight: Any = None,
        metrics: Metric | Setting | Iterable[Metric | Setting] | None = None,
        callbacks: Iterable[Callback | Setting] = (),
        schedule: Schedule | Setting = "constant",
        clip: Clip | Mapping[str, float] | float | None = None,
        seed: int = 0,
        shuffle: bool = True,
        dtype: DType | None = None,
        threads: int | None = None,
        engine: Literal["auto", "numpy", "compiled"] = "auto",
        verbose: bool | None = None,
    ) -> Frame:
        """Train the net, and return the log: a column for each figure, a row for each epoch.

        The net goes on from its current weights; `reset` draws new ones. The optimizer starts anew in every call, and
        the order of the rows is the same unless the `seed` changes. At the end the net has the weights of the last
        epoch, or those of the best one if a `Checkpoint` is among the callbacks; so it has after Ctrl-C, too, and
        `history` has the epochs so far.

        `train_loss` is the mean over the steps of the epoch, while the weights change. All other figures are those of
        the weights at its end. They are means over the rows, even if the `reduction` of the loss is `sum`.

        - `X` (rows, n_features): finite numbers. The columns of a table are known by name from then on: a later table
          may have them in another order.
        - `y`: for a loss of classes the index of each row's class (rows,), from 0; otherwise numbers, (rows,) or
          (rows, targets).
        - `loss`, `optimizer`, `schedule`, `metrics`: as in a config, such as `"cross_entropy"`, `"sgd: 0.9"` or
          `SGD(0.9)`. By default the metrics are accuracy for classes, RMSE and R² for numbers.
        - `lr`: the learning rate; each optimizer has its own default.
        - `batch_size`: rows of a step, or `"full"` for all rows. By default 32, or all rows for lbfgs.
        - `validation_data`: `(X, y)` or `(X, y, sample_weight)`, evaluated after each epoch: `val_loss` and so on.
          Without it, the metrics are those of the training rows: `train_accuracy` and so on.
        - `clip`: the largest norm of the gradient, or `{"value": 1.0}` for the largest absolute value of each entry.
        - `sample_weight` (rows,): how much each row counts, 0 or more.
        - `callbacks`: `EarlyStopping()`, `StopAt(...)`, `Checkpoint()` or a `Callback` of your own. Built-in ones are
          copied, so one of them can be used in several trainings.
        - `seed`: of the first weights, the order of the rows and dropout.
        - `dtype`: by default that of the net; at first float32, or float64 for lbfgs.
        - `threads`: the maximum number of threads, which changes no byte of the net. By default, the number of cores.
        - `engine`: what makes the steps: `"compiled"`, `"numpy"`, or `"auto"` for compiled steps if Numba is installed
          (the extra `fast`) and every part of the net has a compiled form. Each engine rounds in its own way.
        - `verbose`: show the progress. None shows it in notebooks and interactive sessions only.

        Raises `ConfigError` for a wrong setting and `DataError` for unusable arrays; then the net is as before. Raises
        `DivergedError` if a loss or a gradient is not finite; without a `Checkpoint` the weights are then of no use.
        Warns with `NnfsWarning` if the last layers do not match the loss.

        >>> import numpy as np
        >>> from nnfs_cli import EarlyStopping, Linear, Sequential
        >>> X = np.linspace(-1, 1, 64).reshape(-1, 1)
        >>> net = Sequential([Linear(1)])
        >>> history = net.fit(X[::2], 3 * X[::2] + 1, loss="mse", lr=0.1, epochs=500,
        ...                   validation_data=(X[1::2], 3 * X[1::2] + 1), callbacks=[EarlyStopping(5, min_delta=1e-6)])
        >>> history.columns
        ('epoch', 'step', 'seconds', 'lr', 'train_loss', 'val_loss', 'val_rmse', 'val_r2')
        >>> len(history) < 500
        True
        """
        made = checked_callbacks(callbacks)
        given = {
            "layers": self.layers, "loss": loss, "optimizer": optimizer, "lr": lr, "epochs": epochs,
            "batch_size": batch_size, "metrics": _listed(metrics), "schedule": schedule, "clip": clip, "seed": seed,
            "shuffle": shuffle, "dtype": _dtype_name(dtype) or (self._model and self._model.dtype.name),
            "threads": threads, "engine": engine,
        }  # fmt: skip
        settings = checked_settings(given, validated=validation_data is not None)
        validation, columns = None, self._columns or column_names(X)
        rows = self._rows(X, y, sample_weight, settings)
        if validation_data is not None:
            validation = self._validation_rows(validation_data, settings, rows.X.shape[1], columns)
        model, log = self._model_to_train(rows.X.shape[1], settings), EpochRows()
        watching = with_figures(made, settings, model, validated=validation is not None)
        checkpoint = next((one for one in watching if isinstance(one, Checkpoint)), None)
        shown = progress_for(verbose, checkpoint)
        trainer = trainer_for(model, rows, validation, settings, [*watching, log, *shown])
        for message in net_warnings(self.layers, settings["loss"]):
            warn(message)
        self._model, self._metrics, self._columns = model, settings["metrics"], columns  # every argument is accepted
        try:
            train(trainer, rows, settings["epochs"])
        finally:
            self._history = History.of_rows(log.rows)
        return self._history

    @property
    def history(self) -> Frame:
        """The log of the last fit, as `fit` returns it, even if that fit was interrupted or diverged.

        Raises `UserError` if there was no fit yet.
        """
        if self._history is None:
            raise UserError("there was no fit yet, so there is no history")
        return self._history

    # A trained net

    def predict(self, X: Any) -> Array:
        """Return the outputs for X (rows, n_features), (rows, n_outputs).

        After a fit with a loss such as cross-entropy these are probabilities, whether or not the net ends with the
        activation that belongs to the loss. With binary cross-entropy there is one output, the probability of class 1.
        Before the first fit they are the outputs of the last layer.
        Raises `UserError` if the net has no weights yet, and `DataError` for unusable inputs.
        """
        model = self._built()
        return model.predict(self._inputs(X, model.dtype))

    def evaluate(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        loss: Loss | Setting | None = None,
        metrics: Metric | Setting | Iterable[Metric | Setting] | None = None,
    ) -> dict[str, float]:
        """Return the mean loss and every metric on X (rows, n_features) and y, by name.

        Loss and metrics are those of the last fit unless given; y and `sample_weight` are as for `fit`. Raises
        `UserError` if the net has no weights yet, and the errors of `fit` for unusable arrays and settings.
        """
        model, rows, settings = self._scored(X, y, sample_weight, loss, metrics)
        return figures_of(model, rows, settings["metrics"])

    def gradients(
        self, X: Any, y: Any, *, sample_weight: Any = None, loss: Loss | Setting | None = None, seed: int = 0
    ) -> dict[str, Array]:
        """Return the gradient of the loss over all rows, by the names and in the shapes of the learned `weights`.

        The net does not change. The loss is that of the last fit unless given, the mean over the rows unless its
        `reduction` is `sum`. Layers such as dropout work as in training, with random numbers of the `seed`. Raises what
        `evaluate` raises.

        >>> from nnfs_cli import Linear, Sequential
        >>> net = Sequential([Linear(1)]).initialize(1, dtype="float64")
        >>> net.weights["0.weight"][...] = 3.0
        >>> net.gradients([[1.0], [2.0]], [0.0, 0.0], loss="mse")["0.weight"]  # the mean of 2 (3 x) x
        array([[15.]])
        """
        model, rows, _ = self._scored(X, y, sample_weight, loss, None)
        seed = _checked_seed(seed)
        before = model.parameters.vector.copy()
        model.differentiate(rows.X, rows.y, rows.weight, lambda: random_stream(seed, "dropout", 1))
        np.copyto(model.parameters.vector, before)  # batch_norm has updated its running statistics
        return {name: gradient.copy() for name, gradient in model.gradients.arrays.items()}

    def check_gradient(
        self, X: Any, y: Any, *, sample_weight: Any = None, loss: Loss | Setting | None = None, seed: int = 0
    ) -> dict[str, float]:
        """Return the error of the gradient of each array, by the names of the learned `weights`.

        `gradients` is compared with central differences of the loss, in float64. The error of an array is its largest
        absolute difference, divided by the largest entry of the whole numerical gradient: about 1e-9 if `backward` is
        right, and above 1e-3 if not. Each parameter takes two passes over X, so check small nets on a few rows. The net
        does not change. Arguments and errors are those of `gradients`.

        >>> from nnfs_cli import Linear, Sequential, Tanh
        >>> net = Sequential([Linear(3), Tanh(), Linear(1)]).initialize(2)
        >>> errors = net.check_gradient([[1.0, 2.0], [0.5, -1.0]], [0.0, 1.0], loss="mse")
        >>> max(errors.values()) < 1e-7
        True
        """
        current, rows, settings = self._scored(X, y, sample_weight, loss, None, np.float64)
        seed = _checked_seed(seed)
        model = self._new_model(current.input_shape[0], settings["loss"], np.dtype(np.float64))
        np.copyto(model.parameters.vector, current.parameters.vector)
        return gradient_errors(model, rows.X, rows.y, rows.weight, lambda: random_stream(seed, "dropout", 1))

    def summary(self, n_features: int | None = None) -> NetSummary:
        """Return a table of the layers, their output shapes and their numbers of parameters.

        Until the net has weights, shapes are known only with `n_features`. Raises `ConfigError` if the layers do not
        fit together.

        >>> from nnfs_cli import Linear, ReLU, Sequential
        >>> print(Sequential([Linear(16), ReLU(), Linear(3)]).summary(4))
        layer        output shape  parameters
        inputs          (rows, 4)           0
        0 linear 16    (rows, 16)          80
        1 relu         (rows, 16)           0
        2 linear 3      (rows, 3)          51
        <BLANKLINE>
        parameters  131
        """
        if self._model is not None:
            own = self._model.input_shape[0]
            if n_features not in (None, own):
                raise ConfigError(f"the net has weights for {counted(own, 'feature')}, not for {n_features}")
            n_features = own
        elif n_features is not None:
            count_outputs(self.layers, MSE(), n_features, "float32")
        return NetSummary.of(self.layers, n_features)

    # The model

    def _built(self) -> Model:
        if self._model is None:
            raise UserError("this net has no weights yet; call fit(X, y, ...) or initialize(n_features) first")
        return self._model

    def _new_model(self, n_features: int, loss: Loss, dtype: np.dtype[Any]) -> Model:
        """Return a model whose parameters are all 0. Raises `ConfigError` if layers, inputs and loss do not fit."""
        count_outputs(self.layers, loss, n_features, dtype)
        return Model(self.layers, loss, (n_features,), dtype)

    def _model_to_train(self, n_features: int, settings: Settings) -> Model:
        """Return a model with the current weights, or with new ones if there are none."""
        loss, dtype = settings["loss"], np.dtype(settings["dtype"])
        if self._model is not None:
            return self._model_for(loss, dtype)
        model = self._new_model(n_features, loss, dtype)
        model.parameters.initialize(random_stream(settings["seed"], "weights"))
        check_layers(model)
        return model

    def _model_for(self, loss: Loss, dtype: np.dtype[Any]) -> Model:
        """Return the net with a loss and a dtype. It shares the current weights if the dtype is theirs."""
        current = self._built()
        if (current.loss, current.dtype) == (loss, dtype):
            return current
        model = self._new_model(current.input_shape[0], loss, dtype)
        if current.dtype == dtype:
            model.parameters = current.parameters
        else:
            np.copyto(model.parameters.vector, current.parameters.vector, casting="same_kind")
        return model

    def _scored(
        self,
        X: Any,
        y: Any,
        weight: Any,
        loss: Loss | Setting | None,
        metrics: Metric | Setting | Iterable[Metric | Setting] | None,
        dtype: Any = None,
    ) -> tuple[Model, EncodedRows, Settings]:
        """Return the net with a loss, and rows to measure it on, in the dtype of the net unless another is given."""
        current = self._built()
        if loss is None and self._metrics is None:
            raise ConfigError("there was no fit yet; name the loss, as in loss='mse'")
        given = {
            "layers": self.layers, "loss": loss or current.loss, "epochs": 1,
            "dtype": np.dtype(dtype or current.dtype).name,
            "metrics": (self._metrics if loss is None else None) if metrics is None else _listed(metrics),
        }  # fmt: skip
        settings = checked_settings(given, validated=False)
        rows = self._rows(X, y, weight, settings)
        return self._model_for(settings["loss"], current.dtype), rows, settings

    # Arrays

    def _inputs(self, X: Any, dtype: np.dtype[Any], name: str = "X", n_features: int | None = None) -> Array:
        expected = self._model.input_shape[0] if self._model is not None else n_features
        inputs = net_inputs(table_numbers(X, self._columns, name), dtype, name, expected)
        if expected not in (None, inputs.shape[1]):
            raise DataError(f"{name} has {counted(inputs.shape[1], 'feature')}; the net takes {expected:,}")
        return inputs

    def _rows(
        self, X: Any, y: Any, weight: Any, settings: Settings, where: str = "", n_features: int | None = None
    ) -> EncodedRows:
        loss, dtype = settings["loss"], np.dtype(settings["dtype"])
        inputs = self._inputs(X, dtype, f"{where}X", n_features)
        n_outputs = count_outputs(self.layers, loss, inputs.shape[1], dtype)
        return net_rows(inputs, y, weight, loss, n_outputs, where)

    def _validation_rows(
        self, data: Sequence[Any], settings: Settings, n_features: int, columns: Sequence[str] | None
    ) -> EncodedRows:
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise ConfigError("validation_data should be (X, y) or (X, y, sample_weight)")
        X, y, *weight = data
        X = table_numbers(X, columns, "validation X")
        return self._rows(X, y, weight[0] if weight else None, settings, "validation ", n_features)


def _listed(metrics: Metric | Setting | Iterable[Metric | Setting] | None) -> tuple[Metric | Setting, ...] | None:
    """Return metrics as a tuple; a single one needs no list."""
    if isinstance(metrics, str | Mapping | Metric):
        return (metrics,)
    return None if metrics is None else tuple(metrics)


def _checked_seed(seed: int) -> int:
    """Return a seed that `random_stream` takes. Raises `ConfigError` for any other value."""
    return Start(n_features=1, seed=seed).seed


def _dtype_name(dtype: Any) -> Any:
    """Return the name of a type of NumPy, such as `numpy.float64`; anything else is returned as it is."""
    return np.dtype(dtype).name if isinstance(dtype, type | np.dtype) else dtype


def _float_type(array: Array) -> Any:
    """Return the type that a net needs for an array: float64 only if the array has it."""
    return np.float64 if array.dtype == np.float64 else np.float32
