"""Train the model of a `Sequential` on arrays, with the parts that `nnfs train` is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.api.settings import plain
from nnfs_cli.arrays import Shape
from nnfs_cli.components.section import Section
from nnfs_cli.config.config import Config
from nnfs_cli.config.cross_checks import memory_faults, net_faults
from nnfs_cli.config.monitors import unlogged_figures, with_monitors
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.source import Facts
from nnfs_cli.errors import ConfigError, DataError, Fault
from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.nn.layers import Layer, ShapeError
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.system.wording import counted
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.engine import engine_for
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow, evaluated
from nnfs_cli.training.trainer import Trainer

Settings = Mapping[str, Any]  # checked values by the keys of a config


def checked_settings(given: Mapping[str, Any], *, validated: bool) -> Settings:
    """Return every setting of a training, with defaults. Raises `ConfigError` with every fault of those given.

    With `validated` rows, `val_loss` is the figure to monitor by default, else `train_loss`.
    """
    monitor = "val_loss" if validated else "train_loss"
    given = {key: plain(value, key) for key, value in given.items() if value is not None or key == "seed"}
    return Config.without_data({**given, "checkpoint": {"monitor": monitor}})


def count_outputs(layers: Sequence[Layer], loss: Loss, n_features: int, dtype: Any) -> int:
    """Return how many outputs the net has. Raises `ConfigError` unless layers, inputs and loss fit together."""
    layers, classes = tuple(layers), loss.task == "classification"
    try:
        shape, _ = Sequential(layers=layers).build((n_features,))
    except ShapeError:
        facts = Facts(n_features, 2 if classes else None, 1)
        raise ConfigError.of(net_faults(layers, loss, facts, "y")) from None  # with the place of the layer
    if message := _misfit(shape, loss):
        raise ConfigError.of([Fault(("layers", len(layers) - 1), message)])
    if faults := memory_faults(layers, n_features, 1, dtype):
        raise ConfigError.of(faults)
    return shape[0]


def _misfit(shape: Shape, loss: Loss) -> str:
    """Return why a loss cannot take outputs of this shape, or the empty string. It suits any number of targets."""
    if len(shape) > 1:
        return f"the net gives {' x '.join(map(str, shape))} outputs a row; flatten makes a plain list of them"
    gives = f"the net gives {counted(shape[0], 'output')}"
    if loss.task == "regression":
        each = loss.n_outputs(None, 1)
        return f"{gives}; {loss.name} needs {each} for each target" if shape[0] % each else ""
    n_classes = loss.n_classes(shape[0])
    try:
        needed = loss.n_outputs(n_classes, 1)
    except ValueError as error:
        return f"{gives}; {error}"
    if needed == shape[0]:
        return ""
    wanted = f"one for each class, at least {needed}" if needed == n_classes else f"{needed} for {n_classes} classes"
    return f"{gives}; {loss.name} needs {wanted}"


def trainer_for(
    model: Model,
    rows: EncodedRows,
    validation: EncodedRows | None,
    settings: Settings,
    callbacks: Sequence[Callback],
) -> Trainer:
    """Return the trainer of a model, which evaluates the validation rows, or else the training rows.

    Raises `DataError` for too few rows, and `ConfigError` if the engine cannot train the model.
    """
    metrics, n_rows = settings["metrics"], len(rows)
    watched, prefix = (rows, "train_") if validation is None else (validation, "val_")

    def evaluate() -> LogRow:
        return evaluated(prefix, figures_of(model, watched, metrics))

    needs = model.layers.min_batch_layer
    if n_rows < needs.min_batch:
        least = f"{needs.name} needs batches of at least {needs.min_batch} rows"
        raise DataError(f"{least}, but there is only {counted(n_rows, 'row')}")
    size = n_rows if settings["batch_size"] == "full" else settings["batch_size"]
    batches = Batches(n_rows, size, settings["shuffle"], seed=settings["seed"], smallest=needs.min_batch)
    plan = Plan(
        settings["optimizer"],
        settings["lr"],
        settings["schedule"],
        clip=settings["clip"],
        seed=settings["seed"],
        engine=settings["engine"],
        threads=settings["threads"],
    )
    try:
        engine_for(model, plan)
    except ValueError as error:
        raise ConfigError.of([Fault(("engine",), str(error))]) from None
    return Trainer(model, batches, plan, callbacks, evaluate)


def train(trainer: Trainer, rows: EncodedRows, epochs: int) -> None:
    """Train. A `Checkpoint` among the callbacks puts the best weights into the model, however training ends.

    Raises `DivergedError` if a loss or gradient is not finite.
    """
    try:
        trainer.fit(rows.X, rows.y, epochs, rows.weight)
    finally:
        for callback in trainer.callbacks:
            if isinstance(callback, Checkpoint):
                callback.restore_best(trainer.model)


def figures_of(model: Model, rows: EncodedRows, metrics: Iterable[Metric]) -> dict[str, float]:
    """Return the loss and every metric of a model on some rows, by their names in a log."""
    loss, y_hat = model.evaluate(rows.X, rows.y, rows.weight)
    if model.loss.task == "regression":
        y_hat = y_hat.astype(np.float64)
    predicted = PredictedRows(rows.truth, model.loss.answer(y_hat), rows.weight, quantiles=model.loss.quantiles(y_hat))
    figures = {"loss": loss}
    for metric in metrics:
        figures |= {name: float(figure) for name, figure in metric.figures(predicted).items()}
    return figures


def with_figures(callbacks: Sequence[Callback], settings: Settings, model: Model, *, validated: bool) -> list[Callback]:
    """Return the callbacks with the figures that they monitor by default. The built-in ones are copies.

    Raises `ConfigError` if the log will not have one of the figures.
    """
    metrics, schedule = settings["metrics"], settings["schedule"]
    sections = {i: callback for i, callback in enumerate(callbacks) if isinstance(callback, Section)}
    watched = (one.monitor for one in callbacks if isinstance(one, EarlyStopping | Checkpoint))
    default = Checkpoint(monitor=next(filter(None, watched), settings["checkpoint"].monitor))
    filled = with_monitors(None, default, schedule, tuple(sections.values()), metrics)["callbacks"]
    made = dict(enumerate(callbacks)) | dict(zip(sections, filled, strict=True))
    watching = {("schedule",): schedule} | {("callbacks", i): callback for i, callback in made.items()}
    monitored = {path: getattr(one, "monitor", None) for path, one in watching.items()}
    labels = tuple(map(str, range(model.loss.n_classes(model.output_shape[0]))))
    faults = unlogged_figures(
        {path: figure for path, figure in monitored.items() if isinstance(figure, str)},
        metrics,
        labels if model.loss.task == "classification" else (),
        validated=validated,
    )
    if faults:
        raise ConfigError.of(faults)
    return list(made.values())
