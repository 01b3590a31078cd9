"""How good a net is on the test rows, and a scikit-learn MLP beside it: what decides whether a training is healthy."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.runs.directory import RunDirectory

SURE = 2.5  # standard errors
SHARE = 0.05  # of what the reference gains over a constant; a smaller difference does not count


@dataclass(frozen=True)
class Judged:
    """The loss of each test row (rows,): log loss or squared error in units of the variance, capped at `CAP`."""

    losses: Array
    constant: Array  # of the best constant prediction
    last_is_worse: bool = False  # whether the last weights are clearly worse than the best ones
    worst_recall: float = 1.0  # share of the rows of a class that are found, of the class with the least

    @property
    def gain(self) -> float:
        """How much lower the mean loss is than that of the constant."""
        return float((self.constant - self.losses).mean())


CAP = 50.0


def judge(experiment: Experiment, run: RunDirectory) -> Judged:
    """Judge a net with its best weights; one that diverged is as bad as can be."""
    rows = experiment.splits["test"]
    classes = bool(experiment.predictor.encoder.classes)
    constant = _constant_losses(experiment)
    if run.status()["state"] != "finished":
        return Judged(np.full(len(rows), CAP), constant)
    model = experiment.predictor.model
    losses = _losses(rows, model.predict(rows.X), classes)
    recall = 1.0
    if classes:
        answer = experiment.config.loss.answer(model.predict(rows.X)).argmax(axis=1)
        recall = min(float((answer[rows.truth == k] == k).mean()) for k in np.unique(rows.truth))
    run.arrays.read_weights("last", model.parameters.arrays)
    last = _losses(rows, model.predict(rows.X), classes)
    return Judged(losses, constant, _clearly_below(losses, last, float((constant - losses).mean())), recall)


def reference(experiment: Experiment) -> Judged:
    """Judge the best of a few scikit-learn MLPs, trained on the same encoded rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    train, test = experiment.splits["train"], experiment.splits["test"]
    classes = bool(experiment.predictor.encoder.classes)
    kind = MLPClassifier if classes else MLPRegressor
    tried = []
    for settings in ({"alpha": 1e-3}, {"alpha": 1e-1}, {"alpha": 1e-3, "early_stopping": True}):
        model = kind(hidden_layer_sizes=(64,), random_state=0, max_iter=200, learning_rate_init=0.003, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(train.X, train.truth if classes else train.y[:, 0])
        y_hat = model.predict_proba(test.X) if classes else model.predict(test.X)[:, None]
        tried.append(Judged(_losses(test, y_hat, classes), _constant_losses(experiment)))
    return max(tried, key=lambda one: one.gain)


def as_good(judged: Judged, best: Judged) -> bool:
    """Return whether a net is as good as the reference, but for noise, and clearly better than a constant."""
    learns = _clearly_below(judged.losses, judged.constant, 0.0)
    return learns and not _clearly_below(best.losses, judged.losses, best.gain)


def clearly_better(one: Judged, other: Judged) -> bool:
    """Return whether the gain of a net over its constant is clearly larger than that of another, on the test rows.

    The rows of both must be the same, though their targets may differ.
    """
    if len(one.losses) != len(other.losses):
        return one.gain > other.gain + SHARE * abs(one.gain)
    return _clearly_below(one.losses - one.constant, other.losses - other.constant, max(one.gain, other.gain))


def _clearly_below(low: Array, high: Array, gain: float) -> bool:
    difference = high - low
    error = float(difference.std()) / math.sqrt(len(difference))
    return float(difference.mean()) > max(SURE * error, SHARE * gain)


def _losses(rows: object, y_hat: Array, classes: bool) -> Array:
    """Return the loss of each row from outputs: one or more columns of probabilities, or numbers."""
    y_hat = np.nan_to_num(np.asarray(y_hat, np.float64), nan=1e9, posinf=1e9, neginf=-1e9)
    if not classes:
        return np.minimum(np.square(rows.y[:, 0] - y_hat[:, 0]), CAP)  # type: ignore[attr-defined]
    if y_hat.shape[1] == 1:
        y_hat = np.concatenate([1 - y_hat, y_hat], axis=1)
    p = y_hat[np.arange(len(y_hat)), rows.truth]  # type: ignore[attr-defined]
    return np.minimum(-np.log(np.clip(p, 1e-12, 1)), CAP)


def _constant_losses(experiment: Experiment) -> Array:
    train, test = experiment.splits["train"], experiment.splits["test"]
    if not experiment.predictor.encoder.classes:
        return _losses(test, np.full((len(test), 1), train.y.mean()), False)
    share = np.bincount(train.truth, minlength=len(experiment.predictor.encoder.classes)) / len(train)
    return _losses(test, np.tile(share, (len(test), 1)), True)
