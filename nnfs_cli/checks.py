"""What the keys of a config say about each other: whether net, loss, data and metrics go together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nnfs_cli.data import DataSource
from nnfs_cli.data.file_source import ColumnSource, FileSource
from nnfs_cli.data.preprocessing import Preprocessing, Unchanged
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.errors import Fault, counted
from nnfs_cli.layers import Layer
from nnfs_cli.layers.base import ShapeError
from nnfs_cli.layers.sequential import Sequential
from nnfs_cli.losses import Loss
from nnfs_cli.metrics import Metric


def cross_check(values: Mapping[str, Any]) -> list[Fault]:
    """Every fault that lies between keys; `values` are the valid ones, and a check without all its keys is left out."""
    faults = []
    for check in _CHECKS:
        needed = inspect.signature(check).parameters
        if all(key in values for key in needed):
            faults += check(**{key: values[key] for key in needed})
    return faults


def misfits(layers: tuple[Layer, ...], loss: Loss, facts: Facts, data: str) -> list[Fault]:
    """Where the net, the loss and the data do not go together."""
    if facts.n_classes and loss.task == "regression":
        return [Fault(("loss",), f"{data} has {facts.n_classes} classes; {loss.name} predicts numbers")]
    if not facts.n_classes and loss.task == "classification":
        return [Fault(("loss",), f"{data} has numbers as its target; {loss.name} tells classes apart")]
    try:
        needed = loss.n_outputs(facts.n_classes, facts.n_targets)
    except ValueError as error:
        return [Fault(("loss",), f"{data} has {facts.n_classes} classes; {error}")]
    try:
        shape, _ = Sequential(layers=layers).build((facts.n_features,))
    except ShapeError as error:
        return [Fault(_path_of(layers, error.index), error.message)]
    if shape == (needed,):
        return []
    has = counted(facts.n_classes, "class", "classes") if facts.n_classes else counted(facts.n_targets, "target")
    gives = counted(shape[0], "output") if len(shape) == 1 else f"outputs of shape {shape}"
    at = max((i for i, layer in enumerate(layers) if "units" in type(layer).model_fields), default=len(layers) - 1)
    return [Fault(("layers", at), f"the net gives {gives}; {data} has {has}, for which {loss.name} needs {needed}")]


def _path_of(layers: tuple[Layer, ...], index: tuple[int, ...]) -> tuple[str | int, ...]:
    """Where a config names the layer that stands at these places, outermost first."""
    path: tuple[str | int, ...] = ("layers",)
    for i in index:
        path = (*path, i, layers[i].name)
        layers = getattr(layers[i], "layers", ())
    return path[:-1]


def _metrics_fit(loss: Loss, metrics: tuple[Metric, ...] | None) -> list[Fault]:
    faults = []
    seen: set[str] = set()
    for i, metric in enumerate(metrics or ()):
        if metric.task != loss.task:
            message = f"{metric.name} is a metric for {metric.task}; {loss.name} is a loss for {loss.task}"
            faults.append(Fault(("metrics", i), message))
        if metric.name in seen:
            faults.append(Fault(("metrics", i), f"{metric.name} stands here a second time"))
        seen.add(metric.name)
    return faults


def _output_fits_loss(layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    final = Sequential(layers=layers).final
    if loss.activation is None or final.output_range in (None, (0, 1)):
        return []
    message = f"{loss.name} needs probabilities; end with {loss.activation.name} instead of {final.name}"
    return [Fault(("layers", len(layers) - 1), message)]


def _net_fits_data(dataset: DataSource, layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    facts = dataset.facts()
    return misfits(layers, loss, facts, dataset.name) if facts else []


def _output_reaches_target(
    dataset: DataSource, layers: tuple[Layer, ...], loss: Loss, preprocessing: Preprocessing
) -> list[Fault]:
    """A target that is scaled to mean 0 lies where a net that ends with, say, sigmoid cannot get."""
    final, step, facts = Sequential(layers=layers).final, preprocessing.target, dataset.facts()
    if (
        loss.task == "classification"
        or (facts and facts.n_classes)
        or final.output_range is None
        or isinstance(step, Unchanged)
    ):
        return []
    low, high = final.output_range
    reach = f"from {low:g} to {high:g}" if high < float("inf") else f"of {low:g} and more"
    message = (
        f"{final.name} gives numbers {reach}, and the target is standardised, to numbers around 0;"
        f" leave {final.name} out, or set preprocessing to {{target: none}}"
    )
    return [Fault(("layers", len(layers) - 1), message)]


def _target_step_fits(loss: Loss, preprocessing: Preprocessing) -> list[Fault]:
    step = preprocessing.target
    if loss.task == "regression" or step is None or isinstance(step, Unchanged):
        return []
    return [Fault(("preprocessing", "target"), f"{step.name} is for numbers; {loss.name} has classes as its target")]


def _split_fits(dataset: DataSource, split: Split) -> list[Fault]:
    faults = []
    if split.column is not None and not isinstance(dataset, ColumnSource):
        faults.append(Fault(("split", "column"), f"{dataset.name} has no such column; give fractions"))
    for part in split.files:
        if not isinstance(dataset, FileSource):
            faults.append(Fault(("split", part), f"{dataset.name} is not a file; give a fraction"))
        elif split.column is not None:
            faults.append(Fault(("split", part), "give either a column or files, not both"))
    return faults


def _batches_fit(shuffle: bool, replacement: bool) -> list[Fault]:
    if replacement and not shuffle:
        return [Fault(("shuffle",), "replacement draws rows at random; leave shuffle out")]
    return []


_CHECKS: tuple[Callable[..., list[Fault]], ...] = (
    _metrics_fit,
    _output_fits_loss,
    _output_reaches_target,
    _net_fits_data,
    _target_step_fits,
    _split_fits,
    _batches_fit,
)
