"""Inputs far from the range around 0 that a net learns best from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.inputs import NumberInputs
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.layer_norm import LayerNorm
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.system.wording import counted, named

LARGE = 30.0  # root mean square of an input from which it is not scaled
NUMBERS = "numbers"  # the key of the steps for all columns of numbers
SHIFTED = 2.0  # standard deviations from 0 that are too many for a net without a bias


def input_scale(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the inputs that are large as the net sees them, or that are far from 0 where no bias can shift them."""
    layers = subject.config.layers
    if isinstance(layers[0], BatchNorm | LayerNorm):
        return
    X = subject.rows.X.astype(np.float64)
    with np.errstate(all="ignore"):
        mean, std = X.mean(axis=0), X.std(axis=0)
        size = np.sqrt(mean**2 + std**2)
    columns = _columns(subject)
    large = {name: i for i, name in columns.items() if size[i] > LARGE and std[i] > 0}
    if large:
        worst = max(large, key=lambda name: size[large[name]])
        more = f", and {counted(len(large) - 1, 'more column')} are large" if len(large) > 1 else ""
        why = "large inputs make steps too long, and saturate or silence units; nets learn best from inputs near 0"
        yield _diagnosis(subject, list(large), _described(worst, mean, std, large[worst]) + more, why)
        return
    first = next((layer for layer in layers if isinstance(layer, Linear)), None)
    shifted = {name: i for i, name in columns.items() if std[i] > 0 and abs(mean[i]) > SHIFTED * std[i]}
    if first is not None and not first.bias and len(shifted) > len(columns) / 2:
        worst = max(shifted, key=lambda name: abs(mean[shifted[name]]) / std[shifted[name]])
        measured = f"{_described(worst, mean, std, shifted[worst])}, and the first linear layer has no bias"
        why = "without a bias every unit is 0 where all inputs are 0, which is far from the rows"
        yield _diagnosis(subject, list(shifted), measured, why)


def _columns(subject: Subject) -> dict[int, str]:
    """Return the column of numbers that each input comes from."""
    columns, place = {}, 0
    for block in subject.experiment.predictor.encoder.inputs:
        for name, origin in zip(block.names, getattr(block, "origins", block.names), strict=True):
            if isinstance(block, NumberInputs) and not name.endswith(" is empty"):
                columns[place] = origin
            place += 1
    return columns


def _described(name: str, mean: Array, std: Array, i: int) -> str:
    return f"{named(name)} reaches the net with a mean of {mean[i]:,.4g} and a standard deviation of {std[i]:,.4g}"


def _diagnosis(subject: Subject, names: list[str], measured: str, why: str) -> Diagnosis:
    """Return a diagnosis whose remedy standardizes all numbers, or single columns if these have steps of their own."""
    given = subject.config.preprocessing
    edits: dict[str, Any] = {}
    for name in names:
        kept = [step.brief() for step in given.steps(name, "number") if not isinstance(step, Unchanged)]
        edits[f"columns.{name}" if name in given.columns else NUMBERS] = (
            [*kept, "standardize"] if kept else "standardize"
        )
    written = {f"preprocessing.{key}": steps for key, steps in edits.items() if key.count(".") < 2}
    key, steps = next(iter(edits.items()))
    section: Any = {key: steps} if key == NUMBERS else {"columns": {names[0]: steps}}
    return Diagnosis("input_scale", "warning", measured, why, f"preprocessing: {dump_value(section)}", written)
