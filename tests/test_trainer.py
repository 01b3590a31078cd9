"""The loop, and what watches it."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_cli.callbacks import Checkpoint
from nnfs_cli.data.batches import Batches
from nnfs_cli.errors import DivergedError
from nnfs_cli.layers.linear import Linear
from nnfs_cli.losses.mse import MSE
from nnfs_cli.model import Model
from nnfs_cli.optimizers.sgd import SGD
from nnfs_cli.parameters import Array
from nnfs_cli.runs import Run
from nnfs_cli.trainer import Callback, LogRow, Trainer

ROWS = 50


class Witness(Callback):
    """Remembers what it saw."""

    def __init__(self) -> None:
        self.rows: list[LogRow] = []
        self.steps: list[int] = []
        self.ended = 0

    def on_step(self, trainer: Trainer) -> None:
        self.steps.append(trainer.step)

    def on_log(self, trainer: Trainer, row: LogRow) -> None:
        self.rows.append(row)

    def on_end(self, trainer: Trainer) -> None:
        self.ended += 1


@pytest.fixture
def data() -> tuple[Array, Array]:
    X = np.random.default_rng(0).standard_normal((ROWS, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]])


def trainer(lr: float = 0.1, size: int = 16, **options: object) -> tuple[Trainer, Witness]:
    model = Model([Linear(units=1)], MSE(), (3,), "float64", np.random.default_rng(1))
    witness = Witness()
    callbacks = [*options.pop("callbacks", []), witness]
    drop_last = options.pop("drop_last", False)
    batches = Batches(ROWS, size, drop_last=drop_last)
    return Trainer(model, SGD(), lr, batches, callbacks=callbacks, **options), witness


def test_gradient_descent_finds_the_line(data: tuple[Array, Array]) -> None:
    fitted, _ = trainer()
    fitted.fit(*data, 200)
    np.testing.assert_allclose(fitted.model.parameters.arrays["0.weight"][:, 0], [1, -2, 0.5], atol=1e-6)


def test_full_batch_is_textbook_gradient_descent(data: tuple[Array, Array]) -> None:
    X, y = data
    fitted, witness = trainer(size=ROWS)
    w = fitted.model.parameters.arrays["0.weight"].copy()
    b = fitted.model.parameters.arrays["0.bias"].copy()
    losses = []
    for _ in range(5):
        error = X @ w + b - y
        losses.append(float((error**2).mean()))
        w, b = w - 0.1 * 2 * X.T @ error / ROWS, b - 0.1 * 2 * error.mean(axis=0)
    fitted.fit(X, y, 5)
    np.testing.assert_allclose(fitted.model.parameters.arrays["0.weight"], w, rtol=1e-12)
    np.testing.assert_allclose([row["train_loss"] for row in witness.rows], losses, rtol=1e-12)


def test_epoch_loss_weighs_every_row_alike(data: tuple[Array, Array]) -> None:
    """With a step of next to nothing the epoch's loss is the mean over all rows, the short last batch included."""
    X, y = data
    fitted, witness = trainer(lr=1e-12)
    expected, _ = fitted.model.evaluate(X, y)
    fitted.fit(X, y, 1)
    assert witness.rows[0]["train_loss"] == pytest.approx(expected, rel=1e-9)
    assert witness.steps == [1, 2, 3, 4]


def test_drop_last_leaves_the_short_batch_out(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(drop_last=True)
    fitted.fit(*data, 2)
    assert witness.steps == [1, 2, 3, 4, 5, 6]


def test_rows_of_the_log(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(log_every=3, evaluate=lambda: {"val_loss": 1.0})
    fitted.fit(*data, 7)
    assert [row["epoch"] for row in witness.rows] == [3, 6, 7]
    assert list(witness.rows[0]) == ["epoch", "step", "seconds", "lr", "train_loss", "val_loss"]
    assert [row["step"] for row in witness.rows] == [12, 24, 28]
    assert witness.ended == 1


def test_every_callback_is_ended_whatever_another_does(data: tuple[Array, Array]) -> None:
    class Broken(Callback):
        def on_end(self, trainer: Trainer) -> None:
            raise OSError("no space")

    fitted, witness = trainer(callbacks=[Broken()])
    with pytest.raises(OSError, match="no space"):
        fitted.fit(*data, 1)
    assert witness.ended == 1


def test_divergence_stops_within_a_batch(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(lr=1e6)
    with pytest.raises(DivergedError, match=r"epoch \d+, after \d+ steps, at lr 1e\+06; try a smaller lr"):
        fitted.fit(*data, 1000)
    assert witness.ended == 1
    assert all(np.isfinite(row["train_loss"]) for row in witness.rows)


def checkpointed(
    tmp_path: object, data: tuple[Array, Array], val_losses: list[float]
) -> tuple[Run, list[Array], Model]:
    run, vectors = Run.create(tmp_path, "x"), []
    answers = iter(val_losses)

    class Copy(Callback):
        def on_log(self, trainer: Trainer, row: LogRow) -> None:
            vectors.append(trainer.model.parameters.vector.copy())

    checkpoint = Checkpoint(run)
    fitted, _ = trainer(callbacks=[checkpoint, Copy()], evaluate=lambda: {"val_loss": next(answers)})
    fitted.fit(*data, len(val_losses))
    np.testing.assert_array_equal(fitted.model.parameters.vector, vectors[-1])
    checkpoint.restore(fitted.model)
    return run, vectors, fitted.model


@pytest.mark.parametrize(
    ("val_losses", "best"),
    [([3.0, 1.0, 2.0], 1), ([np.nan, 2.0, 3.0], 1), ([1.0, 1.0], 0), ([np.inf, np.nan, 5.0], 2), ([2.0, np.nan], 0)],
)
def test_best_is_the_lowest_validation_loss(
    tmp_path: object, data: tuple[Array, Array], val_losses: list[float], best: int
) -> None:
    run, vectors, model = checkpointed(tmp_path, data, val_losses)
    for which, epoch in (("best", best), ("last", -1)):
        kept = np.concatenate([array.ravel() for array in run.weights(which).values()])
        np.testing.assert_array_equal(kept, vectors[epoch])
    np.testing.assert_array_equal(model.parameters.vector, vectors[best])


def test_checkpoints_between_leave_training_alone(
    tmp_path: object, data: tuple[Array, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain, _ = checkpointed(tmp_path, data, [3.0, 1.0, 2.0, 5.0])
    monkeypatch.setattr(Checkpoint, "seconds_between_writes", -1.0)
    _, interrupted, _ = checkpointed(tmp_path, data, [3.0, 1.0, 2.0, 5.0])
    np.testing.assert_array_equal(plain, interrupted)
