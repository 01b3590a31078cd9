"""The loop, and what watches it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from nnfs_cli import workflows
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.batches import Batches
from nnfs_cli.errors import DivergedError
from nnfs_cli.nn.layers import Draws, Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.random import random_stream
from nnfs_cli.training.averaging import EMA, SWA, Averaging
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.callbacks.limits import TimeLimit
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Minimizer, Optimizer, Stepper
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.schedules import ReduceOnPlateau, Schedule
from nnfs_cli.training.trainer import Trainer
from tests.conftest import weights_of

ROWS = 50
NET = ("linear: 4", "tanh", "linear: 1")
EVERYTHING = (  # every kind of parameter; those of WEIGHTS decay
    "linear: 4",
    "batch_norm",
    "prelu",
    "layer_norm",
    "residual: [linear: 3, tanh]",
    "linear: 1",
)
WITH_OWN = (  # two layers have penalties of their own
    *EVERYTHING[:4],
    "residual: [linear: {units: 3, l1: 0, l2: 0.7}, tanh]",
    "linear: {units: 1, l1: 0.3, l2: 0}",
)
PENALTIES = {"4.0.weight": (0, 0.7), "5.weight": (0.3, 0)}
WEIGHTS = {"0.weight", "4.0.weight", "4.projection", "5.weight"}
STEPPERS = [text for member in Optimizer.registered.values() if issubclass(member, Stepper) for text in member.examples]


class Witness(Callback):
    """Remembers what it saw."""

    def __init__(self) -> None:
        self.rows: list[LogRow] = []
        self.steps: list[int] = []
        self.lrs: list[float | None] = []
        self.weights: list[Array] = []  # the whole vector after each step
        self.logged: list[Array] = []  # and whenever an epoch is logged
        self.ended = 0

    def on_step(self, training: Training) -> None:
        self.steps.append(training.progress.step)
        self.lrs.append(training.progress.lr)
        self.weights.append(training.model.parameters.vector.copy())

    def on_log(self, training: Training, row: LogRow) -> None:
        self.rows.append(row)
        self.logged.append(training.model.parameters.vector.copy())

    def on_end(self, training: Training) -> None:
        self.ended += 1

    def column(self, name: str) -> list[float]:
        return [row[name] for row in self.rows]


@pytest.fixture
def data() -> tuple[Array, Array]:
    X = np.random.default_rng(0).standard_normal((ROWS, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]])


@pytest.fixture
def weight() -> Array:
    """How much each row counts, some of them nothing."""
    return np.random.default_rng(5).integers(0, 4, ROWS).astype(np.float64)


def resolved(family: Any, text: str) -> Any:
    """The part that a config would name."""
    return family.resolve(yaml.safe_load(text))


def net(layers: Sequence[str], loss: str | Loss = "mse", dtype: str = "float64") -> Model:
    loss = resolved(Loss, loss) if isinstance(loss, str) else loss
    return Model([resolved(Layer, text) for text in layers], loss, (3,), dtype, np.random.default_rng(1))


def trainer(
    lr: float | None = 0.1,
    size: int = 16,
    *,
    layers: Sequence[str] = ("linear: 1",),
    loss: str = "mse",
    optimizer: str | Optimizer = "sgd",
    rows: int = ROWS,
    callbacks: Sequence[Callback] = (),
    **options: Any,
) -> tuple[Trainer, Witness]:
    batches = Batches(rows, size, **{key: options.pop(key) for key in ("drop_last", "shuffle") if key in options})
    model, witness = net(layers, loss, options.pop("dtype", "float64")), Witness()
    how = resolved(Optimizer, optimizer) if isinstance(optimizer, str) else optimizer
    evaluate = options.pop("evaluate", dict)
    plan = Plan(how, how.default_lr if lr is None else lr, **options)
    return Trainer(model, batches, plan, [*callbacks, witness], evaluate), witness


def one_step(layers: Sequence[str], data: tuple[Array, Array], **options: Any) -> tuple[Any, Any, Any]:
    """All weights before and after a step with all rows, and the gradient between, each by name."""
    fitted, _ = trainer(size=ROWS, shuffle=False, layers=layers, **options)
    start = {name: array.copy() for name, array in fitted.model.parameters.arrays.items()}
    twin = net(layers)
    twin.differentiate(*data)
    fitted.fit(*data, 1)
    return start, fitted.model.parameters.arrays, twin.gradients.arrays


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
        def on_end(self, training: Training) -> None:
            raise OSError("no space")

    fitted, witness = trainer(callbacks=[Broken()])
    with pytest.raises(OSError, match="no space"):
        fitted.fit(*data, 1)
    assert witness.ended == 1


def test_divergence_stops_within_a_batch(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(lr=1e6)
    with pytest.raises(DivergedError, match=r"epoch \d+, batch \d, after \d+ steps, at lr 1e\+06; .* try a smaller lr"):
        fitted.fit(*data, 1000)
    assert witness.ended == 1
    assert all(np.isfinite(row["train_loss"]) for row in witness.rows)


def checkpointed(
    tmp_path: object, data: tuple[Array, Array], val_losses: list[float]
) -> tuple[RunDirectory, list[Array], Model]:
    run, vectors = RunDirectory.create(tmp_path, "x"), []
    answers = iter(val_losses)

    class Copy(Callback):
        def on_log(self, training: Training, row: LogRow) -> None:
            vectors.append(training.model.parameters.vector.copy())

    checkpoint = Checkpoint().into(run.arrays)
    fitted, _ = trainer(callbacks=[checkpoint, Copy()], evaluate=lambda: {"val_loss": next(answers)})
    fitted.fit(*data, len(val_losses))
    np.testing.assert_array_equal(fitted.model.parameters.vector, vectors[-1])
    checkpoint.restore_best(fitted.model)
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
        kept = np.concatenate([array.ravel() for array in weights_of(run, which).values()])
        np.testing.assert_array_equal(kept, vectors[epoch])
    np.testing.assert_array_equal(model.parameters.vector, vectors[best])


def test_checkpoints_between_leave_training_alone(
    tmp_path: object, data: tuple[Array, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain, _ = checkpointed(tmp_path, data, [3.0, 1.0, 2.0, 5.0])
    monkeypatch.setattr(Checkpoint, "seconds_between_writes", -1.0)
    _, interrupted, _ = checkpointed(tmp_path, data, [3.0, 1.0, 2.0, 5.0])
    np.testing.assert_array_equal(plain, interrupted)


def test_a_second_fit_begins_anew_from_the_weights_it_finds(data: tuple[Array, Array]) -> None:
    began: list[tuple[int, int]] = []

    class Begin(Callback):
        def on_begin(self, training: Training) -> None:
            began.append((training.progress.epoch, training.progress.step))

    options = {
        "layers": NET,
        "optimizer": "adam",
        "schedule": resolved(Schedule, "linear"),
        "averaging": SWA(start=0.5),
    }
    fitted, witness = trainer(callbacks=[Begin()], **options)
    fitted.fit(*data, 3)
    other, fresh = trainer(**options)
    other.model.load(fitted.model.parameters.arrays)
    fitted.fit(*data, 3)
    other.fit(*data, 3)
    np.testing.assert_array_equal(fitted.model.parameters.vector, other.model.parameters.vector)
    np.testing.assert_array_equal(witness.logged[3:], fresh.logged)
    assert witness.lrs == 2 * fresh.lrs
    assert witness.column("epoch") == [1, 2, 3, 1, 2, 3]
    assert began == [(0, 0), (0, 0)]


@pytest.mark.parametrize("name", ["X", "y", "weight"])
@pytest.mark.parametrize(
    "wrong", [lambda array: array.astype("float32"), lambda array: array[..., None], lambda array: array[:9]]
)
def test_arrays_that_do_not_fit_the_net_are_refused(
    data: tuple[Array, Array], weight: Array, name: str, wrong: Callable[[Array], Array]
) -> None:
    arrays = dict(zip(("X", "y", "weight"), (*data, weight), strict=True))
    arrays[name] = wrong(arrays[name])
    with pytest.raises(ValueError, match=r"should be float64 \("):
        trainer()[0].fit(epochs=1, **arrays)


# --- What a step is made of ---


@pytest.mark.parametrize("optimizer", STEPPERS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("size", "accumulate"), [(4, 3), (1, 50), (30, 2)])
def test_accumulated_batches_are_one_large_batch(
    data: tuple[Array, Array],
    weight: Array,
    optimizer: str,
    reduction: str,
    weighted: bool,
    size: int,
    accumulate: int,
) -> None:
    """The last step has fewer batches, and the last batch fewer rows, than the others."""
    options = {
        "layers": NET,
        "loss": f"mse: {{reduction: {reduction}}}",
        "optimizer": optimizer,
        "penalty": Penalty(l2=0.1),
        "clip": Clip(norm=1.0),
    }
    small, parts = trainer(0.003, size, accumulate=accumulate, **options)
    large, wholes = trainer(0.003, size * accumulate, **options)
    for fitted in (small, large):
        fitted.fit(*data, 2, weight if weighted else None)
    steps = math.ceil(ROWS / (size * accumulate))
    assert parts.steps == wholes.steps == list(range(1, 2 * steps + 1))
    assert (parts.column("step"), small.steps) == ([steps, 2 * steps], steps)
    np.testing.assert_allclose(parts.column("train_loss"), wholes.column("train_loss"), rtol=1e-9)
    np.testing.assert_allclose(small.model.parameters.vector, large.model.parameters.vector, rtol=1e-7, atol=1e-10)


def test_a_penalty_is_the_sum_it_promises_and_so_is_its_gradient() -> None:
    parameters, penalty = net(WITH_OWN).parameters, Penalty(l1=0.1, l2=0.2)
    spread, w = penalty.begin(parameters), parameters.learned
    factors = {name: PENALTIES.get(name, (0.1, 0.2)) for name in WEIGHTS}
    weights = {name: parameters.arrays[name] for name in WEIGHTS}
    expected = sum(
        l1 * abs(weights[name]).sum() + l2 / 2 * (weights[name] ** 2).sum() for name, (l1, l2) in factors.items()
    )
    assert penalty.value(w, spread) == pytest.approx(expected, rel=1e-12)
    gradient = np.ones_like(w)
    penalty.add_gradient(w, gradient, spread)
    steps = np.diag(np.full(w.size, 1e-6))
    numerical = [(penalty.value(w + h, spread) - penalty.value(w - h, spread)) / 2e-6 for h in steps]
    np.testing.assert_allclose(gradient - 1, numerical, atol=1e-8)
    assert spread
    assert not Penalty().begin(net(NET).parameters)


def test_a_step_descends_the_loss_and_the_penalties_on_weights_alone(data: tuple[Array, Array]) -> None:
    before, after, gradient = one_step(WITH_OWN, data, penalty=Penalty(l1=0.1, l2=0.2))
    for name, g in gradient.items():
        l1, l2 = PENALTIES.get(name, (0.1, 0.2)) if name in WEIGHTS else (0, 0)
        expected = before[name] - 0.1 * (g + l1 * np.sign(before[name]) + l2 * before[name])
        np.testing.assert_allclose(after[name], expected, rtol=1e-12, atol=1e-15)


def test_a_zero_weight_stays_at_rest_under_l1(data: tuple[Array, Array]) -> None:
    fitted, _ = trainer(size=ROWS, penalty=Penalty(l1=0.1))
    fitted.model.parameters.vector[:] = 0
    fitted.fit(np.zeros_like(data[0]), np.zeros_like(data[1]), 1)
    assert not fitted.model.parameters.vector.any()


def test_the_log_is_without_penalties(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(lr=1e-12, penalty=Penalty(l1=1.0, l2=1.0))
    loss, _ = fitted.model.evaluate(*data)
    fitted.fit(*data, 1)
    assert witness.column("train_loss") == pytest.approx([loss], rel=1e-9)


@pytest.mark.parametrize(
    ("optimizer", "direction"),
    [
        ("sgd: {weight_decay: 0.5}", lambda g: g),
        ("adamw: 0.5", lambda g: g / (np.abs(g) + 1e-8)),
        ("lion: {weight_decay: 0.5}", np.sign),
    ],
)
def test_weights_alone_decay_apart_from_the_gradient(
    data: tuple[Array, Array], optimizer: str, direction: Callable[[Array], Array]
) -> None:
    before, after, gradient = one_step(EVERYTHING, data, optimizer=optimizer)
    for name, g in gradient.items():
        kept = 1 - 0.1 * 0.5 if name in WEIGHTS else 1
        expected = kept * before[name] - 0.1 * direction(g)
        np.testing.assert_allclose(after[name], expected, rtol=1e-9, atol=1e-15)


def test_weights_decay_by_the_lr_of_the_step(data: tuple[Array, Array]) -> None:
    """Where nothing is to be learned, they do nothing else."""
    fitted, witness = trainer(optimizer="sgd: {weight_decay: 0.5}", schedule=resolved(Schedule, "linear: {warmup: 1}"))
    start = fitted.model.parameters.vector.copy()
    fitted.fit(np.zeros_like(data[0]), np.zeros_like(data[1]), 3)
    kept = np.prod([1 - 0.5 * lr for lr in witness.lrs])
    assert len(set(witness.lrs)) > 4
    np.testing.assert_allclose(fitted.model.parameters.vector, kept * start, rtol=1e-12)


def clipped(g: Array, norm: float | None, value: float | None) -> Array:
    if value is not None:
        g = np.sign(g) * np.minimum(np.abs(g), value)
    length = math.hypot(*g)
    return g if norm is None or length <= norm else g / length * norm


@pytest.mark.parametrize(("norm", "value"), [(0.5, None), (None, 0.1), (0.2, 0.1), (1e9, 1e9), (None, None)])
def test_what_is_clipped_is_the_gradient_with_its_penalty_and_not_the_decay(
    data: tuple[Array, Array], norm: float | None, value: float | None
) -> None:
    before, after, gradient = (
        np.concatenate([each[name].ravel() for name in ("0.weight", "2.weight", "0.bias", "2.bias")])
        for each in one_step(
            NET, data, optimizer="sgd: {weight_decay: 0.5}", penalty=Penalty(l2=0.3), clip=Clip(norm=norm, value=value)
        )
    )
    weights = np.arange(before.size) < 16
    expected = before * np.where(weights, 1 - 0.1 * 0.5, 1) - 0.1 * clipped(
        gradient + 0.3 * weights * before, norm, value
    )
    np.testing.assert_allclose(after, expected, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e-15), ("float32", 1e30), ("float64", 1e200)])
@np.errstate(over="ignore")
def test_a_gradient_whose_square_is_too_large_is_clipped_all_the_same(dtype: str, size: float) -> None:
    gradient = np.array([3, -4, 0, 12], dtype) * np.dtype(dtype).type(size)
    Clip(norm=size / 100).apply(gradient)
    expected = np.array([3, -4, 0, 12]) / 13 * (size / 100)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)
    Clip(value=size / 1e4).apply(gradient)
    np.testing.assert_allclose(gradient, np.sign(expected) * (size / 1e4), rtol=1e-5)


# --- Learning rates ---


@pytest.mark.parametrize("warmup", [0, 1.5])
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("text", [text for member in Schedule.registered.values() for text in member.examples])
def test_the_lr_in_the_log_is_the_one_of_the_steps(text: str, warmup: float, accumulate: int) -> None:
    """One weight, whose gradient is always -1, so that every step shows how long it was."""
    schedule = resolved(Schedule, text).model_copy(update={"warmup": warmup})
    options = {"layers": ["linear: {units: 1, bias: false}"], "loss": "mae", "rows": 7, "schedule": schedule}
    fitted, witness = trainer(0.5, 2, accumulate=accumulate, evaluate=lambda: {"val_loss": 1.0}, **options)
    start = fitted.model.parameters.vector[0]
    fitted.fit(np.eye(1, 3).repeat(7, axis=0), np.full((7, 1), 1e3), 6)
    made = np.diff([start, *(w[0] for w in witness.weights)])
    steps = math.ceil(4 / accumulate)
    np.testing.assert_allclose(made, witness.lrs, atol=1e-12)
    assert witness.column("lr") == witness.lrs[steps - 1 :: steps]
    if not isinstance(schedule, ReduceOnPlateau):
        expected = [0.5 * schedule.at(step, steps, 6, schedule.begin()) for step in range(6 * steps)]
        np.testing.assert_array_equal(witness.lrs, expected)


def test_a_plateau_in_the_log_lowers_the_lr_of_the_next_epoch(data: tuple[Array, Array]) -> None:
    figures = iter([5.0, 4.0, 4.0, 4.0, math.nan, 3.0, 3.0, 3.0, 3.0, 3.0])
    schedule = ReduceOnPlateau(patience=1, factor=0.5, monitor="val_loss", mode="min", min_factor=0.2)
    fitted, witness = trainer(0.8, schedule=schedule, evaluate=lambda: {"val_loss": next(figures)})
    fitted.fit(*data, 10)
    assert witness.column("lr") == [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2]
    assert witness.lrs == np.repeat(witness.column("lr"), 4).tolist()
    figures = iter([5.0, 5.0, 5.0])
    fitted, witness = trainer(0.8, schedule=schedule, log_every=2, evaluate=lambda: {"val_loss": next(figures)})
    fitted.fit(*data, 6)  # of which three are logged; a drop would come after the third
    assert witness.column("lr") == [0.8, 0.8, 0.8]


# --- Averaging ---


def test_an_average_of_the_last_weights_alone_is_plain_training_to_the_bit(data: tuple[Array, Array]) -> None:
    runs = [trainer(layers=NET, optimizer="adam", averaging=averaging) for averaging in (None, EMA(decay=0))]
    for fitted, _ in runs:
        fitted.fit(*data, 3)
    (plain, seen), (averaged, also_seen) = runs
    assert plain.model.parameters.vector.tobytes() == averaged.model.parameters.vector.tobytes()
    assert np.array(seen.logged).tobytes() == np.array(also_seen.logged).tobytes()


@pytest.mark.parametrize("averaging", [EMA(decay=0.9), SWA(start=0.5)], ids=str)
@pytest.mark.parametrize("stop", [None, 13])
def test_the_average_is_watched_and_kept_while_training_goes_on_with_its_own_weights(
    tmp_path: Path, data: tuple[Array, Array], averaging: Averaging, stop: int | None
) -> None:
    class Stop(Callback):
        def on_step(self, training: Training) -> None:
            if training.progress.step == stop:
                training.stop("enough")

    evaluated: list[Array] = []

    def evaluate() -> LogRow:
        evaluated.append(averaged.model.parameters.vector.copy())
        return {"val_loss": float(len(evaluated) == 4)}

    options = {"layers": ("linear: 4", "batch_norm", "tanh", "linear: 1"), "optimizer": "sgd: 0.9"}
    plain, own = trainer(callbacks=[Stop()], **options)
    run = RunDirectory.create(tmp_path, "x")
    checkpoint = Checkpoint(mode="max", every=2).into(run.arrays)
    averaged, seen = trainer(callbacks=[Stop(), checkpoint], averaging=averaging, evaluate=evaluate, **options)
    for fitted in (plain, averaged):
        fitted.fit(*data, 6)
    np.testing.assert_array_equal(seen.weights, own.weights)

    def average(steps: int) -> Array:
        """All over again, from the weights of plain training."""
        if isinstance(averaging, EMA):
            return np.average(own.weights[:steps], axis=0, weights=0.9 ** np.arange(steps)[::-1])
        ends = [*own.weights[:steps][3::4], *([own.weights[steps - 1]] if steps % 4 else [])]
        return np.mean(ends[3:] or ends[-1:], axis=0)

    steps = [row["step"] for row in seen.rows]
    assert steps == [4, 8, 12, *([16, 20, 24] if stop is None else [13])]
    for after, *views in zip(steps, evaluated, seen.logged, strict=True):
        for vector in views:
            np.testing.assert_allclose(vector, average(after), rtol=1e-10, atol=1e-14)
    last = averaged.model.parameters.vector
    np.testing.assert_array_equal(last, seen.logged[-1])
    arrays = averaged.model.parameters.layout.arrays
    for which, vector in {"last": last, "best": seen.logged[3], "epoch-4": seen.logged[3]}.items():
        for name, array in weights_of(run, which).items():
            np.testing.assert_array_equal(array, arrays(vector)[name])


def test_when_training_is_interrupted_the_average_is_what_is_left(tmp_path: Path, data: tuple[Array, Array]) -> None:
    class Interrupt(Callback):
        def on_step(self, training: Training) -> None:
            if training.progress.step == 7:
                raise KeyboardInterrupt

    run = RunDirectory.create(tmp_path, "x")
    fitted, witness = trainer(averaging=EMA(decay=0.5), callbacks=[Checkpoint().into(run.arrays)])
    fitted.callbacks = [*fitted.callbacks, Interrupt()]
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(*data, 3)
    expected = np.average(witness.weights, axis=0, weights=0.5 ** np.arange(7)[::-1])
    np.testing.assert_allclose(fitted.model.parameters.vector, expected, rtol=1e-12)
    np.testing.assert_array_equal(weights_of(run, "last")["0.bias"], fitted.model.parameters.arrays["0.bias"])


# --- When it ends, and what is kept ---


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([math.nan, -math.inf, 0.0, 0.4, 0.5, 1.0, 1.5, 2.0, math.inf]), min_size=1, max_size=12),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from(["min", "max"]),
)
def test_training_stops_after_so_many_epochs_without_a_better_figure(
    figures: list[float], patience: int, min_delta: float, mode: Any
) -> None:
    sign, best, newest, expected = 1 if mode == "min" else -1, math.nan, 0, len(figures)
    for epoch, figure in enumerate(figures, 1):
        if not math.isnan(figure) and (math.isnan(best) or sign * figure < sign * best - min_delta):
            best, newest = figure, epoch
        if epoch - newest == patience:
            expected = epoch
            break
    answers = iter(figures)
    stop = EarlyStopping(patience=patience, min_delta=min_delta, monitor="val_x", mode=mode)
    fitted, witness = trainer(callbacks=[stop], evaluate=lambda: {"val_x": next(answers)}, rows=2)
    fitted.fit(np.ones((2, 3)), np.ones((2, 1)), len(figures))
    assert len(witness.rows) == expected
    early = f"val_x was no better in {patience} logged epoch{'s' if patience > 1 else ''}"
    assert fitted.stopped == (early if expected < len(figures) else "")  # at the last epoch it ends by itself


@pytest.mark.parametrize("hook", ["on_begin", "on_step", "on_epoch", "on_log"])
def test_the_epoch_in_which_training_is_stopped_is_its_last_and_is_logged(data: tuple[Array, Array], hook: str) -> None:
    class Stop(Callback):
        pass

    def stop(self: Callback, training: Training, *_: object) -> None:
        if hook in ("on_begin", "on_log") or training.progress.epoch == 2:
            training.stop("enough")

    setattr(Stop, hook, stop)
    fitted, witness = trainer(callbacks=[Stop()], log_every=3)
    fitted.fit(*data, 9)
    expected = {"on_begin": (1, 1), "on_step": (2, 5), "on_epoch": (2, 8), "on_log": (3, 12)}
    assert [(row["epoch"], row["step"]) for row in witness.rows] == [expected[hook]]
    assert (fitted.stopped, witness.ended) == ("enough", 1)


@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_a_time_limit_ends_training_within_an_epoch(data: tuple[Array, Array], optimizer: str) -> None:
    lr = 0.1 if optimizer == "sgd" else None
    fitted, witness = trainer(lr, layers=NET, optimizer=optimizer, callbacks=[TimeLimit(1e-9)], log_every=5)
    fitted.fit(*data, 100)
    assert [(row["epoch"], row["step"]) for row in witness.rows] == [(1, 1)]
    assert fitted.stopped == "the time limit of 1e-09 min is over"
    assert math.isfinite(witness.rows[0]["train_loss"])


def test_enough_time_is_no_limit(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(callbacks=[TimeLimit(10)])
    fitted.fit(*data, 3)
    assert (len(witness.rows), fitted.stopped) == (3, "")


CONFIG = """\
dataset: {moons: {rows: 60, noise: 0.4}}
split: {validation: 0.5}
layers: [linear: 16, tanh, linear: 1]
loss: binary_cross_entropy
optimizer: adam
lr: 0.1
batch_size: 8
epochs: 40
name: moons
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., RunDirectory]:
    """Train the config with some changes."""

    def train(*changes: str) -> RunDirectory:
        (tmp_path / "moons.yaml").write_text(CONFIG)
        experiment = workflows.prepare(Config.load(tmp_path / "moons.yaml", changes))
        begun = workflows.begin(experiment, tmp_path / "runs")
        workflows.train(experiment, begun)
        best, model = weights_of(begun, "best"), experiment.predictor.model
        for name, array in model.parameters.arrays.items():
            np.testing.assert_array_equal(best[name], array)  # what is trained is at its best
        return begun

    return train


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
@pytest.mark.parametrize("patience", [None, 3, 39])
@pytest.mark.parametrize("averaging", ["null", "{ema: 0.9}"])
def test_the_best_weights_are_what_a_run_gives_however_it_ends(
    run: Callable[..., RunDirectory], patience: int | None, averaging: str
) -> None:
    done = run(f"early_stopping={patience or 'null'}", f"averaging={averaging}")
    losses = [row["val_loss"] for row in done.epochs()]
    best = int(np.argmin(losses))
    ending = 40 if patience is None else min(40, best + 1 + patience)
    assert len(losses) == ending
    assert best + 1 < ending
    metrics = done.metrics()
    assert metrics["best_epoch"] == best + 1
    assert metrics["validation"]["loss"] == pytest.approx(losses[best], rel=1e-6)
    assert metrics.get("stopped") == (f"val_loss was no better in {patience} logged epochs" if ending < 40 else None)
    assert workflows.evaluate(done)["validation"] == metrics["validation"]
    assert workflows.evaluate(done, weights="last")["validation"]["loss"] == pytest.approx(losses[-1], rel=1e-6)


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_a_run_whose_time_is_over_is_finished(run: Callable[..., RunDirectory]) -> None:
    done = run("max_minutes=1.0e-9")
    assert [(row["epoch"], row["step"]) for row in done.epochs()] == [(1, 1)]
    assert done.status()["state"] == "finished"
    assert done.metrics()["stopped"] == "the time limit of 1e-09 min is over"


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")
def test_every_nth_epoch_is_kept_and_the_best_by_what_is_monitored(run: Callable[..., RunDirectory]) -> None:
    done = run("epochs=7", "checkpoint={every: 3, monitor: val_accuracy}")
    assert sorted(path.stem for path in (done.path / "weights").iterdir()) == ["best", "epoch-3", "epoch-6", "last"]
    rows = done.epochs()
    assert done.metrics()["best_epoch"] == 1 + int(np.argmax([row["val_accuracy"] for row in rows]))
    for epoch in (3, 6):
        loss = workflows.evaluate(done, weights=f"epoch-{epoch}")["validation"]["loss"]
        assert loss == pytest.approx(rows[epoch - 1]["val_loss"], rel=1e-6)


# --- Minimizers ---


@pytest.fixture
def classes(data: tuple[Array, Array]) -> tuple[Array, Array]:
    return data[0], (data[1] + np.random.default_rng(3).standard_normal((ROWS, 1)) > 0).astype(np.float64)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("epochs", [4, 100])
def test_lbfgs_is_scipy_on_the_loss_and_its_penalty(
    classes: tuple[Array, Array], weight: Array, reduction: str, weighted: bool, epochs: int
) -> None:
    X, y = classes
    counts = weight if weighted else np.ones(ROWS)
    scale = 1 if reduction == "sum" else 1 / counts.sum()

    def data_loss(w: Array) -> float:
        z = X @ w[:3] + w[3]
        return float(counts @ (np.logaddexp(0, z) - y[:, 0] * z))

    def objective(w: Array) -> tuple[float, Array]:
        error = counts * (1 / (1 + np.exp(-X @ w[:3] - w[3])) - y[:, 0]) * scale
        penalty = 0.01 * np.abs(w[:3]).sum() + 0.1 / 2 * (w[:3] ** 2).sum()
        gradient = np.append(X.T @ error + 0.01 * np.sign(w[:3]) + 0.1 * w[:3], error.sum())
        return scale * data_loss(w) + penalty, gradient

    fitted, witness = trainer(
        None,
        optimizer="lbfgs: {memory: 5, tolerance: 1.0e-6}",
        loss=f"binary_cross_entropy: {{reduction: {reduction}}}",
        penalty=Penalty(l1=0.01, l2=0.1),
    )
    path: list[Array] = []
    options = {"maxcor": 5, "gtol": 1e-6, "ftol": 64 * np.finfo(float).eps, "maxiter": epochs}
    start = fitted.model.parameters.vector.copy()
    optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options, callback=path.append)
    fitted.fit(X, y, epochs, weight if weighted else None)
    assert len(path) == len(witness.rows)
    np.testing.assert_allclose(witness.logged, path, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fitted.model.parameters.vector, path[-1], rtol=1e-6, atol=1e-8)
    losses = [data_loss(w) / counts.sum() for w in path]
    np.testing.assert_allclose(witness.column("train_loss"), losses, rtol=1e-7)
    if epochs == 100:
        assert fitted.stopped == "lbfgs has converged"
        assert np.abs(objective(fitted.model.parameters.vector)[1]).max() < 1e-5
    assert "lr" not in witness.rows[0]


@pytest.mark.parametrize("log_every", [1, 3, 1000])
@pytest.mark.parametrize("averaging", [None, EMA(decay=0.9), SWA(start=0)], ids=str)
def test_the_iteration_in_which_a_minimizer_converges_is_logged_once(
    tmp_path: Path, classes: tuple[Array, Array], log_every: int, averaging: Averaging | None
) -> None:
    run = RunDirectory.create(tmp_path, "x")
    checkpoint = Checkpoint().into(run.arrays)
    fitted, witness = trainer(
        None,
        optimizer="lbfgs",
        loss="binary_cross_entropy",
        callbacks=[checkpoint],
        averaging=averaging,
        log_every=log_every,
    )
    fitted.fit(*classes, 1000)
    iterations = len(witness.steps)
    assert iterations < 1000
    assert witness.column("epoch") == sorted({*range(log_every, iterations + 1, log_every), iterations})
    assert fitted.stopped == "lbfgs has converged"
    np.testing.assert_array_equal(witness.logged[-1], fitted.model.parameters.vector)
    np.testing.assert_array_equal(weights_of(run, "last")["0.bias"], fitted.model.parameters.arrays["0.bias"])
    np.testing.assert_array_equal(weights_of(run, "best")["0.bias"], fitted.model.parameters.arrays["0.bias"])
    expected = witness.weights[-1]
    if averaging:
        shares = 0.9 ** np.arange(iterations)[::-1] if isinstance(averaging, EMA) else np.ones(iterations)
        expected = np.average(witness.weights, axis=0, weights=shares)
    np.testing.assert_allclose(fitted.model.parameters.vector, expected, rtol=1e-12)


@pytest.mark.parametrize("log_every", [1, 3])
def test_a_start_that_cannot_be_bettered_is_one_epoch(data: tuple[Array, Array], log_every: int) -> None:
    fitted, witness = trainer(None, optimizer="lbfgs", log_every=log_every)
    fitted.model.parameters.vector[:] = best = [1.0, -2.0, 0.5, 0.0]
    fitted.fit(*data, 9)
    assert [(row["epoch"], row["step"]) for row in witness.rows] == [(1, 1)]
    assert witness.column("train_loss") == pytest.approx([0.0], abs=1e-30)
    assert fitted.model.parameters.vector.tolist() == best
    assert fitted.stopped == "lbfgs has converged"


class Idle(Minimizer):
    """Does not even look."""

    def minimize(self, *_: Any) -> None:
        pass


def test_a_minimizer_that_does_nothing_leaves_a_row_of_what_there_was(data: tuple[Array, Array]) -> None:
    fitted, witness = trainer(None, optimizer=Idle())
    loss, _ = fitted.model.evaluate(*data)
    fitted.fit(*data, 9)
    assert witness.column("train_loss") == pytest.approx([loss], rel=1e-12)
    assert fitted.model.evaluate(*data)[0] == loss


class Stray(Minimizer):
    """Makes one step, then looks at a place far away, which is no good, and gives up, as a line search may."""

    def minimize(
        self, objective: Callable[..., float], start: Array, iterations: int, watch: Callable[[Array], bool]
    ) -> None:
        gradient = np.empty_like(start)
        objective(start, gradient)
        reached = start - 0.1 * gradient
        objective(reached + 7, gradient)
        watch(reached)
        objective(reached + 1000, gradient)


class Interrupted(Stray):
    """Is interrupted at that place."""

    def minimize(self, *arguments: Any) -> None:
        super().minimize(*arguments)
        raise KeyboardInterrupt


@pytest.mark.parametrize("log_every", [1, 5])
@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize(
    "layers", [("linear: 1",), ("linear: 3", "exp", "batch_norm", "linear: 1")], ids=["plain", "kept"]
)
def test_what_a_minimizer_reaches_is_what_was_watched_last(
    tmp_path: Path, data: tuple[Array, Array], log_every: int, interrupted: bool, layers: Sequence[str]
) -> None:
    """Also the statistics that are kept; those of a place far away are infinite here."""
    run, optimizer = RunDirectory.create(tmp_path, "x"), Interrupted() if interrupted else Stray()
    options = {"layers": layers, "callbacks": [Checkpoint().into(run.arrays)], "log_every": log_every}
    fitted, witness = trainer(None, optimizer=optimizer, **options)
    with pytest.raises(KeyboardInterrupt) if interrupted else contextlib.nullcontext():
        fitted.fit(*data, 9)
    np.testing.assert_array_equal(fitted.model.parameters.vector, witness.weights[-1])
    for name, array in weights_of(run, "last").items():
        np.testing.assert_array_equal(array, fitted.model.parameters.arrays[name])
    for row, vector in zip(witness.rows, witness.logged, strict=True):
        np.testing.assert_array_equal(vector, witness.weights[-1])
        assert row["train_loss"] == pytest.approx(fitted.model.differentiate(*data) / ROWS, rel=1e-12)


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.slow), "float64"])
def test_lbfgs_keeps_in_the_end_what_it_logged_last(dtype: str) -> None:
    """A net so steep that the last line search finds nothing but infinite losses."""
    X = (3 * np.random.default_rng(18).standard_normal((ROWS, 3))).astype(dtype)
    y = X @ np.array([[1], [-2], [0.5]], dtype)
    steep = ("linear: 3", "exp", "linear: 2", "exp", "linear: 1")
    fitted, witness = trainer(None, layers=steep, optimizer="lbfgs: {tolerance: 0.0}", dtype=dtype)
    fitted.fit(X, y, 200)
    assert fitted.model.evaluate(X, y)[0] == pytest.approx(witness.rows[-1]["train_loss"], rel=1e-5)


@pytest.mark.parametrize("optimizer", ["lbfgs", "sgd", "adam"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_a_start_that_is_not_finite_diverges_at_once(data: tuple[Array, Array], optimizer: str, value: float) -> None:
    fitted, witness = trainer(None, optimizer=optimizer)
    fitted.model.parameters.vector[0] = value
    with pytest.raises(DivergedError, match=r"training diverged: the loss is (nan|inf) .* after 0 steps"):
        fitted.fit(*data, 9)
    assert (witness.rows, witness.ended) == ([], 1)


# --- Rows that do not count alike ---

LOSSES = [text for member in Loss.registered.values() for text in member.examples]


def rows_for(text: str, reduction: str, n: int) -> tuple[Model, Array, Array]:
    """A net for a loss, and rows for it."""
    loss, rng = resolved(Loss, text).model_copy(update={"reduction": reduction}), np.random.default_rng(2)
    classification = loss.task == "classification"
    size = loss.n_outputs(2 if classification else None, 1)
    truth = np.arange(n) % 2 if classification else rng.poisson(3, (n, 1))
    model = net(["linear: 4", "residual: [layer_norm, linear: 3, silu]", "prelu", f"linear: {size}"], loss)
    return model, rng.standard_normal((n, 3)), loss.encode(truth, size).astype(np.float64)


def differentiated(model: Model, *rows: Array) -> tuple[float, Array]:
    return model.differentiate(*rows), model.gradients.vector.copy()


def assert_close(ours: tuple[float, Array], theirs: tuple[float, Array], rtol: float = 1e-12) -> None:
    assert ours[0] == pytest.approx(theirs[0], rel=rtol)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=rtol, atol=rtol * np.abs(theirs[1]).max())


@pytest.mark.parametrize("text", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@settings(max_examples=12)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=9).filter(any))
def test_a_row_of_weight_n_is_n_rows_and_one_of_weight_0_is_none(text: str, reduction: str, weights: list[int]) -> None:
    model, x, y = rows_for(text, reduction, len(weights))
    weighted = differentiated(model, x, y, np.array(weights, np.float64))
    repeated = differentiated(model, x.repeat(weights, axis=0), y.repeat(weights, axis=0))
    assert_close(weighted, repeated)


@pytest.mark.parametrize("text", LOSSES)
@pytest.mark.parametrize("factor", [1e-30, 0.3, 1.0, 1e30])
def test_weights_that_are_all_equal_change_nothing(text: str, factor: float) -> None:
    model, x, y = rows_for(text, "mean", 7)
    loss, gradient = differentiated(model, x, y)
    assert_close(differentiated(model, x, y, np.full(7, factor)), (factor * loss, gradient))
    weight = np.full(7, factor)
    assert model.evaluate(x, y, weight)[0] == pytest.approx(model.evaluate(x, y)[0], rel=1e-12)


@pytest.mark.parametrize("optimizer", STEPPERS)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_training_with_weights_is_training_with_so_many_rows(
    data: tuple[Array, Array], weight: Array, optimizer: str, accumulate: int
) -> None:
    """With all rows in a batch, since batches are of so many rows, whatever they weigh."""
    counts, n = weight.astype(int), int(weight.sum())
    options = {"layers": NET, "optimizer": optimizer, "shuffle": False, "accumulate": accumulate}
    weighted, one = trainer(0.01, ROWS, **options)
    weighted.fit(*data, 5, weight)
    repeated, other = trainer(0.01, n, rows=n, **options)
    repeated.fit(*(array.repeat(counts, axis=0) for array in data), 5)
    np.testing.assert_allclose(one.column("train_loss"), other.column("train_loss"), rtol=1e-10)
    np.testing.assert_allclose(weighted.model.parameters.vector, repeated.model.parameters.vector, rtol=1e-8)


@pytest.mark.parametrize("size", [1, 5, 10, 50])
def test_weights_mean_the_same_in_batches_of_any_size(data: tuple[Array, Array], weight: Array, size: int) -> None:
    """The batches' gradients are on average that of all rows, also where a batch is a single row."""
    fitted, _ = trainer(lr := 1e-9, size, layers=NET)
    start, (_, gradient) = fitted.model.parameters.vector.copy(), differentiated(fitted.model, *data, weight)
    fitted.fit(*data, 1, weight)
    np.testing.assert_allclose((start - fitted.model.parameters.vector) / lr / fitted.steps, gradient, rtol=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "penalty"), [("sgd", 0.0), ("sgd", 0.1), ("sgd: 0.9", 0.0), ("adamw", 0.0), ("lion", 0.0)]
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_batch_whose_rows_all_weigh_nothing_makes_no_step(
    data: tuple[Array, Array], optimizer: str, penalty: float, reduction: str, accumulate: int
) -> None:
    """Neither does the momentum of others move the net then, nor a penalty, nor weight decay."""
    weight = np.ones(ROWS)
    weight[16 : 16 + 8 * accumulate] = 0
    options = {"layers": NET, "loss": f"mse: {{reduction: {reduction}}}", "optimizer": optimizer}
    fitted, witness = trainer(0.01, 8, **options, penalty=Penalty(l2=penalty), accumulate=accumulate, shuffle=False)
    fitted.fit(*data, 2, weight)
    step = 16 // (8 * accumulate)
    for epoch in range(2):
        before, after, next_one = witness.weights[epoch * fitted.steps + step - 1 :][:3]
        np.testing.assert_array_equal(after, before)
        assert (next_one != after).any()


# --- Dropout, and evaluation ---

DROPOUT = ("linear: 8", "batch_norm", "dropout: 0.3", "residual: [layer_norm, tanh, dropout, linear: 8]", "linear: 1")


def test_dropout_learns_the_same_however_it_is_evaluated(data: tuple[Array, Array]) -> None:
    def weights(seed: int, batch_size: int | None) -> Array:
        def evaluate() -> LogRow:
            return {"val_loss": fitted.model.evaluate(*data, batch_size=batch_size)[0]} if batch_size else {}

        fitted, _ = trainer(layers=DROPOUT, seed=seed, evaluate=evaluate)
        fitted.fit(*data, 3)
        return fitted.model.parameters.vector

    plain = weights(7, None)
    for batch_size in (1, 7, 4096):
        np.testing.assert_array_equal(weights(7, batch_size), plain)
    assert (weights(8, None) != plain).any()


def test_every_batch_of_every_epoch_draws_from_a_stream_of_its_own(data: tuple[Array, Array]) -> None:
    """Which is that of its place, so that any epoch can be replayed alone."""
    fitted, _ = trainer(0.01, 10, layers=DROPOUT, seed=7, accumulate=2)
    drawn: list[bytes] = []
    differentiate = fitted.model.differentiate

    def witnessed(x: Array, y: Array, weight: Array | None, draws: Draws, whole: float) -> float:
        (rng,) = draws()
        drawn.append(rng.bytes(16))
        return differentiate(x, y, weight, draws, whole)

    fitted.model.differentiate = witnessed
    fitted.fit(*data, 3)
    assert drawn == [random_stream(7, "dropout", epoch, batch).bytes(16) for epoch in (1, 2, 3) for batch in range(5)]


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 70), st.sampled_from(["float32", "float64"]), st.booleans())
def test_evaluation_in_batches_of_any_size_gives_the_same_figures(
    rows: int, batch_size: int, dtype: str, weighted: bool
) -> None:
    rng = np.random.default_rng(rows)
    X, y, weight = rng.standard_normal((rows, 3)), rng.standard_normal((rows, 1)), rng.random(rows) + 0.1
    X, y, weight = (array.astype(dtype) for array in (X, y, weight))
    model = net(DROPOUT, dtype=dtype)
    for x in rng.normal(1, 2, (3, 8, 3)).astype(dtype):  # then there are statistics to go by
        model.differentiate(x, np.ones((8, 1), dtype), None, lambda: np.random.default_rng(0))
    losses = [(model.predict(X[i : i + 1]) - y[i]).item() ** 2 for i in range(rows)]
    expected = np.average(losses, weights=weight if weighted else None)
    loss, y_hat = model.evaluate(X, y, weight if weighted else None, batch_size)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-5, atol=1e-6)
