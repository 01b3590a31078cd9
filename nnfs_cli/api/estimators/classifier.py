"""The classifier: a scikit-learn estimator that predicts classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from nnfs_cli.api.estimators.available_if import available_if
from nnfs_cli.api.estimators.estimator import NetEstimator
from nnfs_cli.api.estimators.inputs import ValidationData, value_errors
from nnfs_cli.api.estimators.training_table import Rows
from nnfs_cli.api.settings import Setting, class_loss, loss_of
from nnfs_cli.api.tables import TableLike
from nnfs_cli.arrays import Array
from nnfs_cli.blend import BlendedModel
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.data.table import Label, text_of
from nnfs_cli.errors import DataError
from nnfs_cli.metrics import Metric, decide
from nnfs_cli.metrics.base import decide_labels
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.presets import Preset
from nnfs_cli.system.wording import listing, shown
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.workflows.result import TrainingResult


def _gives_probabilities(estimator: NetClassifier) -> bool:
    return estimator.loss is None or loss_of(estimator.loss).probabilistic


def _gives_scores(estimator: NetClassifier) -> bool:
    return not _gives_probabilities(estimator)


class NetClassifier(ClassifierMixin, NetEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A neural net that predicts classes, as a scikit-learn estimator.

    Without `layers` it trains the preset, an ensemble of small nets that needs no tuning. With `layers` it trains the
    net that they describe. Inputs may be arrays or tables, and hold numbers, texts, booleans, dates and gaps.

    There is no `partial_fit`: the preprocessing and the folds need all rows at once.

    Parameters
    ----------
    layers : list of layers, default=None
        The layers of the net: objects such as ``Linear(16)``, or what a config holds, such as ``"linear: 16"``,
        ``"relu"`` or ``{"linear": {"units": 16, "bias": False}}``. Hidden layers are enough: if the last one does not
        give one output for each class (or a single one for two classes), a linear layer that does is added. By default
        the preset chooses the layers and every other setting that is not given.
    loss : loss, default="cross_entropy", or "binary_cross_entropy" for two classes
        The loss to minimize; others are ``"focal"``, ``{"cross_entropy": {"label_smoothing": 0.1}}`` or ``"hinge"``.
    class_weight : "balanced" or dict, default=None
        The weight of the rows of each class: a number of 0 or more by label, or "balanced" for the same total weight of
        every class. It multiplies `sample_weight`.
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
        default, gaps in numbers are imputed and marked, numbers are standardized, categories are one-hot, and dates
        become calendar features; the preset does more. Keys that you leave out keep these defaults.
    penalty : dict, default=None
        The penalty on large weights: ``{"l2": 0.001}``, ``{"l1": 0.001}`` or both.
    clip : float or dict, default=None
        The upper limit on the norm of the gradient, or ``{"value": 1.0}`` for each of its entries.
    accumulate : int, default=1
        The number of batches per step, at least 1.
    averaging : averaging, default=None with `layers`, else that of the preset
        Predict with an average of the weights over training: ``"ema"`` or ``"swa"``.
    metrics : list of metrics, default=["accuracy"]
        What `metrics_` and `history_` report besides the loss.
    early_stopping : int, dict or False, default=None with `layers`, else that of the preset
        Stop after this number of logged epochs without improvement, False for never, or
        ``{"patience": 10, "monitor": "val_accuracy"}``.
    checkpoint : dict, default=None
        The figure that chooses the best epoch: ``{"monitor": "val_accuracy"}``. By default, the validation loss.
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
    classes_ : array (n_classes,)
        The labels, sorted, or from lowest to highest with the loss `ordinal`. Of several targets, their indices.
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
    >>> from nnfs_cli import NetClassifier
    >>> X = [{"size": 4.1, "color": "red"}, {"size": 1.2, "color": "green"}, {"size": None, "color": "red"}] * 10
    >>> y = ["ripe", "raw", "ripe"] * 10
    >>> net = NetClassifier(layers=["linear: 8", "relu"], epochs=40, lr=0.01).fit(X, y)
    >>> net.predict([{"size": 3.9, "color": "red"}, {"size": 1.0, "color": "green"}]).tolist()
    ['ripe', 'raw']
    >>> net.predict_proba(X).shape
    (30, 2)

    """

    _task: ClassVar[str] = "classification"

    def __init__(
        self,
        layers: Sequence[Layer | Setting] | Layer | Setting | None = None,
        *,
        loss: Loss | Setting | None = None,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
        parameters = {
            name: value for name, value in locals().items() if name not in ("self", "class_weight", "__class__")
        }
        super().__init__(**parameters)
        self.class_weight = class_weight

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
            The label of each row: texts, whole numbers or booleans, of at least two classes. Or several columns of 0
            and 1: labels that may be true together.
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
        >>> from nnfs_cli import NetClassifier
        >>> table = {"size": [1.0, 2.0, 8.0, 9.0] * 8, "town": ["A", "B", "A", None] * 8}
        >>> labels = ["small", "small", "large", "large"] * 8
        >>> net = NetClassifier(layers=["linear: 4", "tanh"], epochs=3)
        >>> net.fit(table, labels, validation_data=({"size": [3.0], "town": ["B"]}, ["small"]))
        NetClassifier(epochs=3, layers=['linear: 4', 'tanh'])
        >>> net.metrics_["validation"]["rows"]
        1

        """
        with value_errors():
            self._forget()
            inputs = self._inputs(X, reset=True)
            if is_several(y):
                return self._fit_several(inputs, y, sample_weight, validation_data)
            classes, indices = np.unique(self._labels(y), return_inverse=True)
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
                    either = listing(map(shown, unknown), "or")
                    raise DataError(f"no training row has the label {either} of validation_data")
                validation = Rows(X_val, self._of_equal_length(places, X_val, "y"), weight_val)
            labels = [_label(value) for value in classes.tolist()]
            self._train(rows, validation, [self._name_of(y)], labels)
            self.classes_ = classes[[labels.index(label) for label in self.result_.predictor.encoder.classes or ()]]
        return self

    def _fit_several(self, inputs: Any, y: Any, sample_weight: Any, validation_data: ValidationData | None) -> Self:
        """Train the net on several targets of 0 and 1."""
        indicators = self._indicators(y)
        weight = self._weight(sample_weight, inputs)
        rows, validation = Rows(inputs, self._of_equal_length(indicators, inputs, "y"), weight), None
        if validation_data is not None:
            X_val, y_val, weight_val = self._validation(validation_data)
            validation = Rows(X_val, self._of_equal_length(self._indicators(y_val), X_val, "y"), weight_val)
        names = [str(name) for name in getattr(y, "columns", ())] or [f"y{i}" for i in range(indicators.shape[1])]
        self._train(rows, validation, names, None)
        return self

    def _indicators(self, y: Any) -> Array:
        """Return targets (rows, targets) of 0 and 1, checked as scikit-learn checks them."""
        found = self._target(y, numeric=True)
        if found.ndim != 2 or type_of_target(found) != "multilabel-indicator":
            raise DataError("y should hold one label for each row, or, for several targets, columns of 0 and 1")
        return found.astype(np.int64)

    def _labels(self, y: Any) -> Array:
        """Return labels (rows,), checked as scikit-learn checks them."""
        labels = self._target(y)
        check_classification_targets(labels)
        return labels

    def _default_loss(self, facts: Facts) -> str:
        return class_loss(self.layers, facts)

    def _more_settings(self) -> dict[str, Any]:
        if not isinstance(self.class_weight, Mapping):
            return {"class_weights": self.class_weight}
        return {"class_weights": {text_of(_label(key)): value for key, value in self.class_weight.items()}}

    def _adopt(self, result: TrainingResult) -> None:
        super()._adopt(result)
        encoder = result.predictor.encoder
        self.classes_ = np.arange(len(encoder.targets)) if encoder.pairs else np.array(encoder.classes)

    def predict(self, X: TableLike) -> Array:
        """Predict the label of each row.

        Categories that the net has not seen, and numbers far outside the training rows, raise no warning, since tools
        of scikit-learn predict many times. `Run.predict`, as in ``net.save("runs/a").predict(X)``, warns of them.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.

        Returns
        -------
        array (rows,), or (rows, n_targets) of several targets of two classes
            The most probable label of each row. After `load`, the threshold that was saved with the run, if there is
            one, decides between two classes.

        Examples
        --------
        >>> from nnfs_cli import NetClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, ["low", "low", "high", "high"] * 8
        >>> net = NetClassifier(layers=["linear: 4", "tanh"], epochs=20, lr=0.05).fit(X, y)
        >>> net.predict([[0.2], [0.8]]).tolist()
        ['low', 'high']

        """
        outputs = self._outputs(X)
        if pairs := self.result_.predictor.encoder.pairs:
            decided = decide_labels(outputs, self.result_.predictor.label_thresholds)
            columns = [np.array(pair)[decided[:, i]] for i, pair in enumerate(pairs)]
            return np.stack(columns, axis=1)
        labels: Array = self.classes_[decide(outputs, self.result_.predictor.decision.threshold)]
        return labels

    def score(self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy on rows with known labels.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.
        y : array-like (rows,)
            The true labels.
        sample_weight : array-like (rows,), default=None
            The weight of each row.

        Returns
        -------
        float
            The share of the rows whose label is predicted, from 0 to 1.

        Examples
        --------
        >>> from nnfs_cli import NetClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, ["low", "low", "high", "high"] * 8
        >>> net = NetClassifier(layers=["linear: 4", "tanh"], epochs=20, lr=0.05).fit(X, y)
        >>> net.score(X, y)
        1.0

        """
        return float(super().score(X, y, sample_weight))

    @available_if(_gives_probabilities)
    def predict_proba(self, X: TableLike) -> Array:
        """Predict the probability of each class. Only available if the loss gives probabilities.

        These are the probabilities of the net, which are not calibrated; `predict_set` calibrates them first.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.

        Returns
        -------
        array (rows, n_classes), or (rows, n_targets) of several targets of two classes
            Probabilities from 0 to 1, in the order of `classes_`. They sum up to 1 in each row. Of several targets,
            they are those of 1, as in scikit-learn's `MLPClassifier`.

        Examples
        --------
        >>> from nnfs_cli import NetClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, ["low", "low", "high", "high"] * 8
        >>> net = NetClassifier(layers=["linear: 4", "tanh"], epochs=20, lr=0.05).fit(X, y)
        >>> net.classes_.tolist(), net.predict_proba([[0.2], [0.8]]).round().tolist()
        (['high', 'low'], [[0.0, 1.0], [1.0, 0.0]])

        """
        return self._outputs(X)

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: TableLike) -> Array:
        """Predict the natural logarithm of the probability of each class.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.

        Returns
        -------
        array (rows, n_classes)
            Logarithms, at most 0, in the order of `classes_`; minus infinity for a probability of 0.

        Examples
        --------
        >>> import numpy as np
        >>> from nnfs_cli import NetClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, ["low", "low", "high", "high"] * 8
        >>> net = NetClassifier(layers=["linear: 4", "tanh"], epochs=20, lr=0.05).fit(X, y)
        >>> np.allclose(np.exp(net.predict_log_proba(X)), net.predict_proba(X))
        True

        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_gives_scores)
    def decision_function(self, X: TableLike) -> Array:
        """Predict the score of each class. Only available if the loss gives scores, such as `hinge`.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.

        Returns
        -------
        array (rows,) for two classes, or (rows, n_classes)
            Scores; the highest wins. Of two classes, the second one wins where the score is above 0.

        Examples
        --------
        >>> from nnfs_cli import NetClassifier
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]] * 8, ["low", "low", "high", "high"] * 8
        >>> net = NetClassifier(layers=["linear: 4", "tanh"], loss="hinge", epochs=20, lr=0.05).fit(X, y)
        >>> (net.decision_function([[0.2], [0.8]]) > 0).tolist()
        [True, False]
        >>> hasattr(net, "predict_proba")
        False

        """
        scores = self._outputs(X)
        return scores[:, 1] if len(self.classes_) == 2 else scores

    @available_if(_gives_probabilities)
    def predict_set(self, X: TableLike, level: float = 0.9) -> Array:
        """Predict for each row the set of classes that holds the true one with a given probability.

        The probability holds for the rows of each class, also of a rare one: each class has a threshold of its own for
        its calibrated probability.

        Parameters
        ----------
        X : table or array (rows, n_features)
            The inputs, with the columns that the estimator was fitted on.
        level : float, default=0.9
            The probability, between 0 and 1, that the set of a row holds its class.

        Returns
        -------
        array (rows, n_classes) of bool
            Whether each class of `classes_` is in the set. The prediction and the most probable class always are.

        Raises
        ------
        InvalidInputError
            If no rows were held out to calibrate on, or too few for this level.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> net = NetClassifier(layers=["linear: 16", "relu"], epochs=40, split=0.2).fit(X, y)
        >>> net.predict_set(X, level=0.8).shape
        (150, 3)

        """
        return self._in_blocks(X, self._calibrated(level, "a set of classes").class_sets)


def is_several(y: Any) -> bool:
    """Return whether targets have several columns."""
    shape: tuple[int, ...] = getattr(y, "shape", None) or (np.shape(y) if isinstance(y, list | tuple) else ())
    return len(shape) == 2 and shape[-1] > 1


def _label(value: Any) -> Label:
    """Return a label as a config knows it: a text, a whole number or a boolean."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | bool):
        return value
    raise DataError(f"labels should be texts, whole numbers or booleans, found {type(value).__name__}")
