"""Checks between the keys of a config: whether net, loss, data, metrics and training fit together.

Each check is a function whose parameters are the keys that it needs. `cross_check` runs all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnfs_cli.blend import BlendedModel
from nnfs_cli.blend.blend import SUPPORTED
from nnfs_cli.config import target_checks
from nnfs_cli.config.monitors import monitors, unknown_figures
from nnfs_cli.data import DataSource
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.named_columns import NamedColumns
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.data.steps import CategoryStep, NumberStep
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.errors import Fault
from nnfs_cli.metrics import Metric, default_metrics
from nnfs_cli.metrics.numbers import Pinball
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.base import ShapeError
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.quantile import Quantile
from nnfs_cli.nn.parameters import n_numbers
from nnfs_cli.system.memory import physical_memory
from nnfs_cli.system.wording import counted, listing, named
from nnfs_cli.training.callbacks import NamedCallback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Minimizer, Optimizer
from nnfs_cli.training.schedules import Constant, Schedule


def cross_check(values: Mapping[str, Any]) -> list[Fault]:
    """Return the faults of all checks.

    `values` holds the keys that are valid by themselves. A check is skipped if one of its keys is missing.
    """
    faults = []
    for check in _CHECKS:
        needed = check.__code__.co_varnames[: check.__code__.co_argcount]
        if all(key in values for key in needed):
            faults += check(**{key: values[key] for key in needed})
    return faults


def net_faults(layers: tuple[Layer, ...], loss: Loss, facts: Facts, data: str) -> list[Fault]:
    """Return a fault where the net, the loss and the data do not fit together."""
    if facts.n_classes and loss.task == "regression":
        return [Fault(("loss",), f"{data} has {facts.n_classes} classes; {loss.name} predicts numbers")]
    if not facts.n_classes and loss.task == "classification":
        return [Fault(("loss",), f"{data} has numbers as its target; {loss.name} predicts classes")]
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
    has = counted(facts.n_classes, "class") if facts.n_classes else counted(facts.n_targets, "target")
    gives = counted(shape[0], "output") if len(shape) == 1 else f"{' x '.join(map(str, shape))} outputs a row"
    at = max((i for i, layer in enumerate(layers) if "units" in type(layer).model_fields), default=len(layers) - 1)
    hint = "; flatten makes a plain list of them" if len(shape) > 1 else ""
    message = f"the net gives {gives}; {data} has {has}, for which {loss.name} needs {needed}{hint}"
    return [Fault(("layers", at), message)]


def memory_faults(
    layers: tuple[Layer, ...], n_features: int, members: int, dtype: str | None, limit: int | None = None
) -> list[Fault]:
    """Return a fault at the largest layer if parameters and gradients take more bytes than `limit`.

    The limit is the memory of the machine unless given. The layers must fit together.
    """
    limit = physical_memory() or sys.maxsize if limit is None else limit
    shape: tuple[int, ...] = (n_features,)
    sizes = []
    for layer in layers:
        shape, tree = layer.build(shape)
        sizes.append(n_numbers(tree))
    total = sum(sizes) * members
    needed = 2 * total * np.dtype(dtype or "float32").itemsize
    if needed <= limit:
        return []
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    message = (
        f"the net does not fit in memory: its {total:,} parameters and their gradients take {needed / 1e9:,.1f} GB;"
        f" this layer has {sizes[largest]:,} parameters{f' in each of {members} members' if members > 1 else ''}"
    )
    return [Fault(("layers", largest), message)]


def _path_of(layers: tuple[Layer, ...], index: tuple[int, ...]) -> tuple[str | int, ...]:
    """Return the path of a layer in a config from its index in each block, outermost first."""
    path: tuple[str | int, ...] = ("layers",)
    for i in index:
        path = (*path, i, layers[i].name)
        layers = layers[i].inner
    return path[:-1]


def _metrics_fit(loss: Loss, metrics: tuple[Metric, ...] | None) -> list[Fault]:
    faults = []
    seen: set[str] = set()
    for i, metric in enumerate(metrics or ()):
        if metric.task != loss.task:
            message = f"{metric.name} is a metric for {metric.task}; {loss.name} is a loss for {loss.task}"
            faults.append(Fault(("metrics", i), message))
        elif metric.needs_probabilities and not loss.probabilistic:
            message = f"{metric.name} needs probabilities, and {loss.name} predicts scores instead"
            faults.append(Fault(("metrics", i), message))
        elif isinstance(metric, Pinball) and isinstance(loss, Quantile) and metric.level not in loss.levels:
            message = f"{loss.name} predicts the levels {listing(map(str, loss.levels))}, not {metric.level}"
            faults.append(Fault(("metrics", i), message))
        columns = metric.columns(("<class>",))
        if not seen.isdisjoint(columns):
            faults.append(Fault(("metrics", i), f"{metric.label()} is listed twice"))
        seen.update(columns)
    return faults


def _output_fits_loss(layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    net, at = Sequential(layers=layers), ("layers", len(layers) - 1)
    final, bounding = net.final, net.bounding_layer
    if bounding.output_range is None:
        return []
    low, high = bounding.output_range
    if final is not bounding and loss.activation and (low, high) == loss.activation.output_range:
        message = f"{loss.name} needs {bounding.name} as the last layer; leave {final.name} out"
        return [Fault(at, message)]
    if loss.activation is None or loss.activation.output_range is None:
        if loss.task == "classification" and low >= 0:
            return [Fault(at, f"{loss.name} needs scores of any sign; leave {bounding.name} out")]
        return []
    lowest, highest = loss.activation.output_range
    if lowest <= low and high <= highest and (loss.task == "classification" or high == highest):
        return []
    needs = "probabilities" if loss.task == "classification" else "numbers above 0, of any size"
    return [Fault(at, f"{loss.name} needs {needs}; end with {loss.activation.name} instead of {bounding.name}")]


def _net_fits_data(dataset: DataSource, layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    facts = dataset.facts()
    return net_faults(layers, loss, facts, dataset.name) if facts else []


def _net_fits_memory(
    dataset: DataSource, layers: tuple[Layer, ...], loss: Loss, members: int, dtype: str | None
) -> list[Fault]:
    facts = dataset.facts()
    if facts is None or net_faults(layers, loss, facts, dataset.name):
        return []
    return memory_faults(layers, facts.n_features, members, dtype)


def _output_reaches_target(
    dataset: DataSource, layers: tuple[Layer, ...], loss: Loss, preprocessing: Preprocessing
) -> list[Fault]:
    """Check that the range of the last activation covers a target that is scaled to a mean of 0."""
    final, facts = Sequential(layers=layers).bounding_layer, dataset.facts()
    centred = [step.centred for step in preprocessing.target or (Standardize(),) if isinstance(step, NumberStep)]
    if (
        loss.task == "classification"
        or loss.target_range is not None
        or (facts and facts.n_classes)
        or final.output_range is None
        or not centred[-1]
    ):
        return []
    low, high = final.output_range
    reach = f"from {low:g} to {high:g}" if high < float("inf") else f"of {low:g} or more"
    message = (
        f"{final.name} gives numbers {reach}, but the target is scaled to numbers around 0;"
        f" leave {final.name} out, or, if all targets are numbers {reach}, set preprocessing to {{target: none}}"
    )
    return [Fault(("layers", len(layers) - 1), message)]


def _columns_are_inputs(dataset: DataSource, preprocessing: Preprocessing) -> list[Fault]:
    others = dict.fromkeys(dataset.target_columns(), "is the target; its steps belong in preprocessing.target")
    others |= dict.fromkeys(dataset.dropped_columns(), "is also listed in drop; leave one of them out")
    return [
        Fault(("preprocessing", "columns", name), f"{named(name)} {others[name]}", at_key=True)
        for name in preprocessing.columns
        if name in others
    ]


def _split_fits(dataset: DataSource, split: Split) -> list[Fault]:
    faults = []
    for way, name in split.column_by_key.items():
        if name in dataset.dropped_columns():
            message = f"{named(name)} is in drop, so it is not read; remove it there (it does not become an input)"
            faults.append(Fault(("split", way), message))
        if way != "time" and name in dataset.target_columns():
            message = f"{named(name)} is the target, so no two splits would share a value of it"
            faults.append(Fault(("split", way), message))
        if not isinstance(dataset, NamedColumns):
            faults.append(Fault(("split", way), f"{dataset.name} has no such column; give fractions"))
        elif way != "column" and split.files and not any(split.fractions.values()):
            message = f"with {listing(split.files)} from files, {way} has no rows to divide; leave {way} out"
            faults.append(Fault(("split", way), message, at_key=True))
    for name in split.files:
        if not isinstance(dataset, FileSource):
            faults.append(Fault(("split", name), f"{dataset.name} is not a file; give a fraction"))
        elif split.column is not None:
            faults.append(Fault(("split", name), "give either a column or files, not both"))
    return faults


def _batches_fit(shuffle: bool, replacement: bool) -> list[Fault]:
    if replacement and not shuffle:
        return [Fault(("shuffle",), "replacement always draws rows at random; leave shuffle out")]
    return []


def _batches_are_large_enough(layers: tuple[Layer, ...], batch_size: int | str | None) -> list[Fault]:
    needs = Sequential(layers=layers).min_batch_layer
    if not isinstance(batch_size, int) or batch_size >= needs.min_batch:
        return []
    return [Fault(("batch_size",), f"{needs.name} needs batches of at least {needs.min_batch} rows")]


def _warmup_leaves_epochs(schedule: Schedule, epochs: int) -> list[Fault]:
    if schedule.warmup < epochs:
        return []
    message = f"a warmup of {schedule.warmup:g} takes all of {counted(epochs, 'epoch')}; make it shorter"
    return [Fault(("schedule", schedule.name, "warmup"), message)]


def _minimizer_fits(
    optimizer: Optimizer,
    layers: tuple[Layer, ...],
    lr: float | None,
    schedule: Schedule,
    clip: Clip | None,
    batch_size: int | str | None,
    accumulate: int,
    replacement: bool,
    drop_last: bool,
    members: int,
) -> list[Fault]:
    """Check that a minimizer, which uses all rows at once, gets no settings about steps and batches."""
    if not isinstance(optimizer, Minimizer):
        return []
    useless = {
        "lr": lr is not None,
        "schedule": schedule != Constant(),
        "clip": clip is not None,
        "batch_size": batch_size not in (None, "full"),
        "accumulate": accumulate > 1,
        "replacement": replacement,
        "drop_last": drop_last,
        "members": members > 1,
    }
    faults = [
        Fault((key,), f"{optimizer.name} uses all rows at once and chooses its own steps; leave {key} out", at_key=True)
        for key, given in useless.items()
        if given
    ]
    for layer in Sequential(layers=layers).walk():
        if layer.differs_in_training:
            message = f"{optimizer.name} needs a loss that is the same in every step, but {layer.name} changes it"
            return [*faults, Fault(("optimizer",), f"{message}; leave one of them out")]
    return faults


def _holdout_fits(
    holdout: str | None,
    members: int,
    split: Split,
    layers: tuple[Layer, ...],
    preprocessing: Preprocessing,
    memory_limit: int | None,
    edition: int,
) -> list[Fault]:
    """Check that no member of an ensemble learns anything from the fold that is held out from it."""
    if holdout is None:
        return []
    faults = []
    if members == 1:
        faults.append(Fault(("holdout",), "a single net would have no rows to train on; set members to 2 or more"))
    if split.without_default_validation().validation != 0:
        message = "holdout scores each member on its own fold, without validation rows; leave holdout or validation out"
        faults.append(Fault(("split", "validation"), message))
    if memory_limit is not None:
        faults.append(
            Fault(
                ("holdout",), "holdout needs all rows in memory; leave memory_limit out, or use validation rows instead"
            )
        )
    for layer in Sequential(layers=layers).walk():
        if layer.min_batch > 1:
            message = f"{layer.name} mixes the rows of a batch, even rows held out from a member; layer_norm does not"
            faults.append(Fault(("holdout",), message))
    steps = {("categories",): preprocessing.categories} | {
        ("columns", name): steps[0] for name, steps in preprocessing.columns.items()
    }
    for at, step in steps.items():
        forward = split.time is not None and edition > 1  # then steps learn from the rows before all folds
        if isinstance(step, CategoryStep) and step.learns_target and not forward:
            message = f"{step.name} shows every member its held-out targets; one_hot or embedding does not"
            faults.append(Fault(("preprocessing", *at), message))
    return faults


def _blend_fits(
    blend: tuple[BlendedModel, ...], holdout: str | None, loss: Loss, layers: tuple[Layer, ...], dataset: DataSource
) -> list[Fault]:
    """Check that there are folds to fit blended models to, and that they predict what the net predicts."""
    if not blend:
        return []
    faults = []
    if holdout is None:
        message = "the weights of a blend are chosen out of fold; set holdout: fold and members to 2 or more"
        faults.append(Fault(("blend",), message))
    if loss.name not in SUPPORTED:
        message = f"blended models are fitted to the losses {listing(SUPPORTED)}; leave blend out for {loss.name}"
        faults.append(Fault(("blend",), message))
    if loss.several_labels and len(dataset.target_columns()) > 1:
        faults.append(Fault(("blend",), "blended models learn a single target of classes; leave blend out"))
    final = Sequential(layers=layers).final
    if loss.activation is not None and not (isinstance(final, loss.activation) or final.output_range is None):
        faults.append(Fault(("blend",), f"a blend needs probabilities, so the net must end in {loss.activation.name}"))
    names = [model.name for model in blend]
    faults += [Fault(("blend", i), f"{name} is listed twice") for i, name in enumerate(names) if name in names[:i]]
    return faults


def _monitors_exist(
    loss: Loss,
    metrics: tuple[Metric, ...] | None,
    early_stopping: EarlyStopping | None,
    checkpoint: Checkpoint,
    schedule: Schedule,
    callbacks: tuple[NamedCallback, ...],
) -> list[Fault]:
    metrics = default_metrics(loss) if metrics is None else metrics
    return unknown_figures(monitors(early_stopping, checkpoint, schedule, callbacks), metrics)


_CHECKS: tuple[Callable[..., list[Fault]], ...] = (
    _metrics_fit,
    target_checks.labels_fit,
    target_checks.exposure_fits,
    _output_fits_loss,
    target_checks.last_layer_fits_loss,
    _output_reaches_target,
    _net_fits_data,
    _net_fits_memory,
    target_checks.target_step_fits,
    _columns_are_inputs,
    _split_fits,
    _batches_fit,
    _batches_are_large_enough,
    _warmup_leaves_epochs,
    target_checks.class_weights_fit,
    _minimizer_fits,
    _holdout_fits,
    _blend_fits,
    _monitors_exist,
)
