"""Units that give nothing from the start: dead relus, saturated sigmoids and tanhs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import usual_initializers
from nnfs_cli.doctor.useless_units import dead, saturated
from nnfs_cli.nn.layers import Layer
from nnfs_cli.system.wording import percent

MOST = 0.5  # share of the units of a layer whose initial weights the config has chosen
NEARLY_ALL = 0.9  # share of the units of any other layer
FEW = 8  # units of a layer of which all must be useless: with so few, half may be by chance


def dead_units(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the first layer of which most relus give 0 on every row of a sample."""
    layers, rows = subject.config.layers, len(subject.sample)
    for path, seen in subject.start.activity.items():
        if seen.dead is not None and _many(seen.dead, seen.units, _is_chosen(layers, path)):
            measured = f"{percent(seen.dead)} of the {seen.units} units of {path} are 0 on all {rows} sampled rows"
            otherwise = "bias_init: zeros, init: he_normal, and inputs that are scaled around 0"
            yield dead(layers, path, f"{measured} before training", otherwise)
            return


def saturated_units(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the first layer of which most units lie at the ends of their range on nearly every row."""
    layers = subject.config.layers
    for path, seen in subject.start.activity.items():
        if seen.saturated is not None and _many(seen.saturated, seen.units, _is_chosen(layers, path)):
            units = f"{seen.units} units of {path} ({seen.layer})"
            where = "lie at the ends of their range on 9 of 10 sampled rows before training"
            otherwise = "smaller initial weights, and inputs that are scaled around 0"
            yield saturated(layers, path, f"{percent(seen.saturated)} of the {units} {where}", otherwise)
            return


def _is_chosen(layers: Sequence[Layer], path: str) -> bool:
    """Return whether the config gives the layer at this place initial weights or biases that are not usual."""
    return bool(usual_initializers(layers, path)[1])


def _many(share: float, units: int, chosen: bool) -> bool:
    """Return whether a share of the units is too large; `chosen` is whether the config sets its initial weights."""
    return share == 1 if units <= FEW else share >= (MOST if chosen else NEARLY_ALL)
