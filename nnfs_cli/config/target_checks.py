"""Checks of what suits the kind of target: classes, classes in order, several labels, or numbers."""

from __future__ import annotations

from nnfs_cli.data import DataSource
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.errors import Fault
from nnfs_cli.metrics import Metric
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.system.wording import listing


def labels_fit(
    dataset: DataSource, loss: Loss, metrics: tuple[Metric, ...] | None, class_weights: object
) -> list[Fault]:
    """Check that several labels come without what is for a single target of classes."""
    if len(dataset.target_columns()) < 2 or not loss.several_labels:
        return []
    for_one = "is for a single target of classes, and there are several; leave it out"
    faults = [
        Fault(("metrics", i), f"{metric.name} {for_one}")
        for i, metric in enumerate(metrics or ())
        if metric.task == loss.task and not metric.several_labels
    ]
    if class_weights is not None:
        faults.append(Fault(("class_weights",), f"class_weights {for_one}, and choose thresholds with  nnfs decide"))
    return faults


def last_layer_fits_loss(layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    """Check that the net ends in one of the layers that the loss relies on."""
    if not loss.last_layers:
        return []
    inner = layers[:-1] if loss.activation and isinstance(layers[-1], loss.activation) else layers
    if inner and isinstance(inner[-1], loss.last_layers):
        return []
    at = max(len(inner) - 1, 0)
    found = inner[-1].describe() if inner else layers[-1].describe()
    needed = listing((layer.name for layer in loss.last_layers), "or")
    message = f"{loss.name} needs {needed} as the last layer, with one unit less than there are classes, found {found}"
    return [Fault(("layers", at), message)]


def exposure_fits(dataset: DataSource, loss: Loss) -> list[Fault]:
    """Check that only counts have an exposure."""
    if dataset.exposure_column() is None or loss.counts:
        return []
    message = f"an exposure is for counts, which need the loss poisson; with {loss.name}, a weight may be what you need"
    return [Fault(("dataset", dataset.name, "exposure"), message, at_key=True)]


def class_weights_fit(class_weights: object, loss: Loss) -> list[Fault]:
    """Check that only classes have class weights."""
    if class_weights is None or loss.task == "classification":
        return []
    return [Fault(("class_weights",), f"{loss.name} predicts numbers, which have no classes")]


def target_step_fits(loss: Loss, preprocessing: Preprocessing) -> list[Fault]:
    """Check that a target has steps only if it is of numbers, and the loss does not need these as they are."""
    if preprocessing.leaves_target:
        return []
    step = (preprocessing.target or ())[-1]
    if loss.task == "classification":
        message = f"{step.name} is for numbers; {loss.name} has classes as its target"
    elif loss.target_range is not None:
        message = f"{loss.name} takes its target as it is; leave {step.name} out"
    else:
        return []
    return [Fault(("preprocessing", "target"), message)]
