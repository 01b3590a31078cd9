"""While the compiled engine trains a net, it also evaluates it: as NumPy does, within rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from nnfs_cli import BatchNorm, CrossEntropy, Dropout, Linear, ReLU
from nnfs_cli.arrays import Array
from nnfs_cli.nn import model
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.base import Training as Trained
from nnfs_cli.training.compiled import evaluation
from nnfs_cli.training.progress import LogRow
from tests.conftest import EXAMPLES
from tests.training.compiled.test_engines_agree import ANY
from tests.training.compiled.trainings import TABLES, Training

DEEP = Training((Linear(9), BatchNorm(), ReLU(), Dropout(0.4), Linear(3)), CrossEntropy(), rows=70, weights="rows")
Evaluated = list[tuple[float, Array]]


class Evaluations(Callback):
    """What the model finds in its training rows after each epoch, by the engine that trains it and by NumPy."""

    def __init__(self, training: Training, dtype: str) -> None:
        self.training, self.dtype = training, dtype
        self.compiled: Evaluated = []
        self.numpy: Evaluated = []

    def on_begin(self, training: Trained) -> None:
        X, y, *weight = self.training.arrays(self.dtype, training.model)
        self.rows = X, y, weight[0] if weight and weight[0].ndim == 1 else None

    def on_log(self, training: Trained, row: LogRow) -> None:
        net = training.model
        evaluator = net.evaluator
        self.compiled.append(net.evaluate(*self.rows))
        assert evaluator is not None
        assert evaluator(*self.rows) is not None
        net.evaluator = None
        self.numpy.append(net.evaluate(*self.rows))
        net.evaluator = evaluator


def evaluations(training: Training, dtype: str = "float64", threads: int = 1, rows_of_pass: int = 16) -> Evaluations:
    """Train with the compiled engine and evaluate after each epoch, in blocks."""
    found = Evaluations(training, dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.Model, "rows_of_pass", rows_of_pass)
        patch.setattr(evaluation, "allowed_threads", lambda: threads)
        patch.setattr(evaluation, "SHARED_NUMBERS", 0)
        trainer = training.trainer("compiled", dtype, callbacks=[found])
        trainer.train(training.as_rows(dtype, trainer.model), training.epochs)
    assert trainer.model.evaluator is None
    return found


def check(training: Training, dtype: str = "float64", tolerance: float = 1e-11) -> None:
    """Raise unless the compiled evaluation is NumPy's, and has the same bytes with several threads."""
    found = evaluations(training, dtype)
    assert len(found.compiled) == training.epochs
    for (loss, outputs), (its_loss, its_outputs) in zip(found.compiled, found.numpy, strict=True):
        np.testing.assert_allclose(outputs, its_outputs, rtol=tolerance, atol=tolerance * np.abs(its_outputs).max())
        np.testing.assert_allclose(loss, its_loss, rtol=tolerance, atol=tolerance)
    for (loss, outputs), (its_loss, its_outputs) in zip(
        found.compiled, evaluations(training, dtype, threads=3).compiled, strict=True
    ):
        assert loss == its_loss
        assert outputs.tobytes() == its_outputs.tobytes()


@pytest.mark.parametrize("changes", [{}, {"members": 3, "weights": "none"}, {"tables": TABLES}, {"rows": 64}])
def test_the_figures_of_an_epoch_are_numpys(changes: dict[str, object]) -> None:
    check(replace(DEEP, **changes))  # type: ignore[arg-type]
    check(replace(DEEP, **changes), "float32", 1e-4)  # type: ignore[arg-type]


@pytest.mark.slow
@settings(max_examples=5 * EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_the_figures_of_any_net_are_numpys(training: Training) -> None:
    check(training, tolerance=1e-9)


def test_further_rows_and_rows_of_another_type_are_evaluated_by_numpy() -> None:
    trained = DEEP.trainer("compiled", "float32")
    evaluator = evaluation.Evaluator(trained.model)
    X, y, weight = DEEP.arrays("float32", trained.model)
    assert evaluator(X.astype(float), y, weight) is None
    assert evaluator(X[::2], y[::2], weight[::2]) is None
    assert evaluator(X[:0], y[:0], None) is None
    for _ in range(evaluation.MOST_KNOWN):
        assert evaluator(X.copy(), y, weight) is not None
    assert evaluator(X.copy(), y, weight) is None


def test_an_overflow_is_seen_in_the_loss() -> None:
    trained = DEEP.trainer("compiled", "float32")
    X, y, weight = DEEP.arrays("float32", trained.model)
    X[3] = np.inf
    found = evaluation.Evaluator(trained.model)(X, y, weight)
    assert found is not None
    assert np.isnan(found[0])
    assert np.isfinite(found[1][4:]).all()
