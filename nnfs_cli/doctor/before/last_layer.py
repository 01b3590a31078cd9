"""A last layer that does not fit the loss or the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.experiment.warnings import net_warnings
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.system.wording import percent

LEAST = 0.05  # share of the rows out of reach up to which nothing is said


def last_layer(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that the last layers make poor probabilities, or cannot reach the target of many rows."""
    layers, loss = subject.config.layers, subject.config.loss
    for sentence in net_warnings(layers, loss):
        measured, _, remedy = sentence.partition("; ")
        edits: dict[str, Any] = {}
        if loss.activation is Softmax and isinstance(layers[-1], Sigmoid):
            edits = {f"layers.{len(layers) - 1}": "softmax"}
        elif len(layers) > 1 and isinstance(layers[-2], Sigmoid | Softmax):
            edits = {f"layers.{len(layers) - 2}": None}
        why = "the loss compares the outputs with probabilities, so the best weights give poor ones"
        yield Diagnosis("last_layer", "warning", measured, why, remedy, edits)
    yield from _out_of_reach(subject)


def _out_of_reach(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that the last activation cannot give the target of many rows, as the net sees it."""
    model, loss = subject.experiment.predictor.model, subject.config.loss
    bounding = model.layers.bounding_layer
    if loss.task != "regression" or loss.target_range is not None or bounding.output_range is None:
        return
    low, high = bounding.output_range
    y = subject.rows.y
    beyond = float(((y < low) | (y > high)).mean())
    if beyond > LEAST:
        yield Diagnosis(
            "last_layer",
            "warning",
            f"{bounding.name} gives numbers from {low:g} to {high:g}, but {percent(beyond)} of the targets lie outside:"
            f" from {np.min(y):,.4g} to {np.max(y):,.4g}, as the net sees them",
            "no weights can reach these targets",
            f"leave {bounding.name} out",
            {f"layers.{len(subject.config.layers) - 1}": None} if subject.config.layers[-1] is bounding else {},
        )
