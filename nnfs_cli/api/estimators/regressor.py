"""The regressor: a scikit-learn estimator that predicts numbers."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from nnfs_cli.api.estimators.available_if import available_if
from nnfs_cli.api.estimators.estimator import NetEstimator
from nnfs_cli.api.estimators.inputs import ValidationData, value_errors
from nnfs_cli.api.estimators.training_table import Rows
from nnfs_cli.api.settings import loss_of
from nnfs_cli.api.tables import TableLike
from nnfs_cli.arrays import Array
from nnfs_cli.data.source import Facts
from nnfs_cli.errors import DataError
from nnfs_cli.nn.losses.quantile import Quantile
from nnfs_cli.system.wording import shown
from nnfs_cli.workflows.result import TrainingResult


def _learns_quantiles(estimator: NetRegressor) -> bool:
    return estimator.loss is not None and isinstance(loss_of(estimator.loss), Quantile)


class NetRegressor(RegressorMixin, NetEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A neural net that predicts numbers, as a scikit-learn estimator.

    Without `layers` it trains the preset, an ensemble of small nets that needs no tuning. With `layers` it trains the
    net that they describe. Inputs may be arrays or tables, and hold numbers, texts, booleans, dates and gaps. Targets
    and predictions are in their own units; the net learns them standardized.

    There is no `partial_fit`: the preprocessing and the folds need all rows at once.

    Parameters
    ----------
    layers : list of layers, default=None
        The layers of the net: objects such as ``Linear(16)``, or what a config holds, such as ``"linear: 16"``,
        ``"relu"`` or ``{"linear": {"units": 16, "bias": False}}``. Hidden layers are enough: if the last one does not
        give one output for each target, a linear layer that does is added. By default the preset chooses the layers
        and every other setting that is not given.
    loss : loss, default="mse"
        The loss to minimize, such as ``"mae"``, ``{"huber": 1.0}``, ``"poisson"`` or ``{"quantile": [0.1, 0.5, 0.9]}``.
    optimizer : optimizer, default="adam" with `layers`, else that of the preset
        The rule that updates the weights, such as ``"sgd"``, ``{"sgd": {"momentum": 0.9}}``, ``"lbfgs"`` or
        ``AdamW(0.01)``.
    lr : float, default=None
        The learning rate, above 0. Each optimizer has its own default; that of Adam is 0.001.
    schedule : schedule, default="constant" with `layers`, else that of the preset
        The rule that changes the learning rate during training, such as ``"cosine"``.
    epochs : int, default=that of the preset, or at least 100 with `layers`
        The number of passes over the training rows, at least 1. For a minimizer such as lbfgs, the most iterations.
        With `layers`, the default makes at least 1,000 steps, so tables of under 300 rows get more than 100 epochs.
    batch_size : int or "full", default=32 with `layers`, else that of the preset
        The rows of a batch, at least 1, or all of them. Minimizers such as lbfgs take all by default.
    preset : preset, default="tabular" without `layers`
        The preset that fills in whatever is not given.
    members : int, default=1 with `layers`, else that of the preset
        The number of nets, 1 to 1000, whose predictions are averaged. They are trained as one.
    holdout : "fold", default=None with `layers`, else that of the preset
        With "fold", each member trains without one fold of the rows, and its predictions on that fold choose the best
        epoch and calibrate the intervals.
    blend : list of models, default=None with `layers`, else that of the preset
        The models to blend with the nets, such as ``["trees", {"forest": 100}, "linear"]``; an empty list for the nets
        alone. It needs `holdout`.
    split : dict or float, default=None
        The rows to hold out: ``{"validation": 0.2, "test": 0.1}``, or just the fraction for validation. Validation rows
        choose the best epoch and calibrate the intervals; test rows are only measured. By default a net with `layers`
        trains on all rows, unless it has `early_stopping`, which holds out a fifth.
    parse : dict, default=None
        The parsers of columns whose texts are numbers or dates, as in ``parse={"size": "number", "sold": "date"}``.
    preprocessing : dict, step or list of steps, default=None
        The steps for all ``numbers``, ``categories`` and ``dates``, for single ``columns``, and for the ``target``. By
        default, gaps in numbers are imputed and marked, numbers and the target are standardized, categories are
        one-hot, and dates become calendar features; the preset does more. Keys that you leave out keep these defaults.
    penalty : dict, default=None
        The penalty on large weights: ``{"l2": 0.001}``, ``{"l1": 0.001}`` or both.
    clip : float or dict, default=None
        The upper limit on the norm of the gradient, or ``{"value": 1.0}`` for each of its entries.
    accumulate : int, default=1
        The number of batches per step, at least 1.
    averaging : averaging, default=None with `layers`, else that of the preset
        Predict with an average of the weights over training: ``"ema"`` or ``"swa"``.
    metrics : list of metrics, default=["rmse", "r2"]
        What `metrics_` and `history_` report besides the loss.
    early_stopping : int, dict or False, default=None with `layers`, else that of the preset
        Stop after this number of logged epochs without improvement, False for never, or
        ``{"patience": 10, "monitor": "val_rmse"}``.
    checkpoint : dict, default=None
        The figure that chooses the best epoch: ``{"monitor": "val_rmse"}``. By default, the validation loss.
    callbacks : list of callbacks, default=()
        What watches the training: objects of your own subclasses of `Callback`, or built-in ones such as
        ``{"stop_at": 0.1}``.
    shuffle : bool, default=True
        Whether the rows are shuffled in every epoch.
    replacement : bool, default=False
        Whether the rows of each batch are drawn with replacement.
    drop_last : bool, default=False
        Whether the last batch of an epoch is left out if it is not full.
    log_every : int, default=1 with `layers`, else that of the preset
        Measure and log only every n-th epoch. Only a logged epoch can be the best one.
    max_minutes : float, default=None
        Stop training after this number of minutes.
    threads : int, default=None
        The maximum number of threads or processes. By default, the number of cores.
    engine : "auto", "numpy" or "compiled", default="auto"
        What makes the training steps. "auto" is "compiled", which is faster, if Numba is installed (the extra `fast`)
        and every part of the net has a compiled form, else "numpy". Each engine rounds in its own way.
    dtype : "float32" or "float64", default="float32", or "float64" for a minimizer such as lbfgs
        The number format that the net computes with.
    random_state : int, RandomState or None, default=0
        The seed of all random numbers. The same rows, settings and seed give the same net, to the byte. None draws a
        new seed for each training.
    verbose : bool or None, default=False
        Whether the training shows its progress. None shows it in notebooks and interactive sessions.

    Attributes
    ----------
    n_features_in_ : int
        The number of inputs.
    feature_names_in_ : array (n_features,) of str
        The names of the inputs, if they came as a table with names.
    history_ : Frame
        The log: a row for each logged epoch, with `epoch`, `train_loss`, `val_loss` and so on.
    metrics_ : dict
        The final figures by split, and the best epoch.
    config_ : Config
        The config of the net, with every default and every choice of the preset.
    result_ : TrainingResult
        The trained net with its config, log and figures, but without the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_cli import NetRegressor
    >>> X = np.linspace(-1, 1, 200).reshape(-1, 1)
    >>> y = 100 * X[:, 0] ** 2
    >>> net = NetRegressor(layers=["linear: 16", "tanh"], optimizer="lbfgs", epochs=50).fit(X, y)
    >>> bool(abs(net.predict([[0.5]])[0] - 25) < 1)
    True
    >>> net.score(X, y) > 0.99
    True

    """

    _task: ClassVar[str] = "regression"
    _several = False  # whether predictions have an axis for the targets

    def fit(
        self,
        X: TableLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: ValidationData | None = None,
    ) -> Self:
        """Train the net.

        Every call begins anew. After Ctrl-C the estimator is untrained, and can be fitted again.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs: a table of pandas, polars or pyarrow, a dict of columns, a list of rows as dicts, or an array.
        y : array-like (rows,) or (rows, n_targets)
            The numbers to predict, in any unit.
        sample_weight : array-like (rows,), default=None
            The weight of each row, 0 or more. A row of weight 2 counts as two rows in the loss and in the figures.
        validation_data : (X, y) or (X, y, sample_weight), default=None
            Validation rows, instead of a part of X: they choose the best epoch and calibrate the intervals.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        InvalidInputError
            If rows or settings cannot be used. It is a `ValueError`.
        DivergedError
            If a loss or gradient is not finite.

        Examples
        --------
        >>> from nnfs_cli import NetRegressor
        >>> table = {"size": [1.0, 2.0, 8.0, 9.0] * 8, "town": ["A", "B", "A", None] * 8}
        >>> net = NetRegressor(layers=["linear: 4", "tanh"], epochs=3)
        >>> net.fit(table, [10, 20, 80, 90] * 8, sample_weight=[1, 1, 2, 2] * 8)
        NetRegressor(epochs=3, layers=['linear: 4', 'tanh'])
        >>> list(net.feature_names_in_)
        ['size', 'town']

        """
        with value_errors():
            self._forget()
            inputs, numbers = self._inputs(X, reset=True), self._numbers(y)
            rows = Rows(inputs, self._of_equal_length(numbers, inputs, "y"), self._weight(sample_weight, inputs))
            validation = None
            if validation_data is not None:
                X_val, y_val, weight_val = self._validation(validation_data)
                y_val = self._of_equal_length(self._numbers(y_val), X_val, "y")
                if y_val.shape[1:] != numbers.shape[1:]:
                    raise DataError(f"validation_data has targets of the shape {y_val.shape}, y has {numbers.shape}")
                validation = Rows(X_val, y_val, weight_val)
            names = [self._name_of(y)] if numbers.ndim == 1 else self._names_of(y, numbers.shape[1])
            self._train(rows, validation, names, None)
            self._several = numbers.ndim > 1
        return self

    def _numbers(self, y: Any) -> Array:
        """Return numbers (rows,) or (rows, n_targets), checked as scikit-learn checks them."""
        numbers = self._target(y, numeric=True)
        if numbers.dtype.kind in "biuf":
            return numbers
        places = (place for place, cell in enumerate(numbers.flat) if not isinstance(cell, Real | Decimal))
        if (wrong := next(places, None)) is not None:
            found = f"y[{wrong}] is {shown(str(numbers.flat[wrong]))}"
            raise DataError(f"{found}; NetRegressor learns numbers, NetClassifier learns classes")
        return numbers.astype(np.float64)

    @staticmethod
    def _names_of(y: Any, n: int) -> list[str]:
        """Return the names of several targets: those of a table, else y0, y1, ..."""
        names = [name for name in getattr(y, "columns", ()) if isinstance(name, str)]
        return names if len(names) == n else [f"y{j}" for j in range(n)]

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may expect: there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _default_loss(self, facts: Facts) -> str:
        return "mse"

    def _adopt(self, result: TrainingResult) -> None:
        super()._adopt(result)
        self._several = len(result.predictor.encoder.targets) > 1

    def predict(self, X: TableLike) -> Array:
        """Predict the number, or the numbers, of each row.

        Categories that the net has not seen, and numbers far outside the training rows, raise no warning, since tools
        of scikit-learn predict many times. `Run.predict`, as in ``net.save("runs/a").predict(X)``, warns of them.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.

        Returns
        -------
        array (rows,) or (rows, n_targets)
            Numbers in the units of y, with the shape of y.

        Examples
        --------
        >>> from nnfs_cli import NetRegressor
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, [10, 12, 28, 30] * 8
        >>> net = NetRegressor(layers=["linear: 4", "tanh"], epochs=40, lr=0.05).fit(X, y)
        >>> net.predict([[0.0], [1.0]]).round(-1).tolist()
        [10.0, 30.0]

        """
        return self._shaped(self._outputs(X))

    def predict_interval(self, X: TableLike, level: float = 0.9) -> Array:
        """Predict for each row the interval that holds the true number with a given probability.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.
        level : float, default=0.9
            The probability, between 0 and 1, that an interval holds the truth.

        Returns
        -------
        array (rows, 2) or (rows, n_targets, 2)
            The lower and the upper bound, in the units of y. The harder a row is, the farther they are apart.

        Raises
        ------
        InvalidInputError
            If no rows were held out to calibrate on, or too few for this level.

        Examples
        --------
        >>> from nnfs_cli import NetRegressor
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> net = NetRegressor(layers=["linear: 16", "relu"], epochs=20, split=0.2).fit(X, y)
        >>> low, high = net.predict_interval(X, level=0.8).T
        >>> 0.7 < ((low <= y) & (y <= high)).mean() < 0.9
        np.True_

        """
        return self._shaped(self._in_blocks(X, self._calibrated(level, "an interval").bounds))

    def score(self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return R², the share of the variance that is explained, on rows with known numbers.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.
        y : array-like (rows,) or (rows, n_targets)
            The true numbers.
        sample_weight : array-like (rows,), default=None
            The weight of each row.

        Returns
        -------
        float
            At most 1; 0 is as good as always predicting the mean of y. Several targets are averaged.

        Examples
        --------
        >>> from nnfs_cli import NetRegressor
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, [10, 12, 28, 30] * 8
        >>> net = NetRegressor(layers=["linear: 4", "tanh"], epochs=40, lr=0.05).fit(X, y)
        >>> net.score(X, y) > 0.95
        True

        """
        return float(super().score(X, y, sample_weight))

    @available_if(_learns_quantiles)
    def predict_quantiles(self, X: TableLike) -> Array:
        """Predict the quantiles of each row. Only available with the loss `quantile`.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.

        Returns
        -------
        array (rows, n_levels) or (rows, n_targets, n_levels)
            Quantiles in the units of y, in the order of the levels of the loss; higher levels are never lower.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> net = NetRegressor(layers=["linear: 16", "relu"], epochs=20, loss={"quantile": [0.1, 0.9]}).fit(X, y)
        >>> net.predict_quantiles(X).shape
        (442, 2)

        """
        check_is_fitted(self)
        return self._shaped(self._in_blocks(X, self.result_.predictor.quantiles))

    def _shaped(self, numbers: Array) -> Array:
        """Return numbers (rows, n_targets, ...) without the axis of targets if y had none."""
        return numbers if self._several else numbers[:, 0]
