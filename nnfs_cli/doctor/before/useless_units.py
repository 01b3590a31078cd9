"""Units that give nothing from the start: dead relus, saturated sigmoids and tanhs."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.doctor.remedies import usual_initializers
from nnfs_cli.system.wording import percent

MOST = 0.5  # share of the units of a layer whose initial weights the config has chosen
NEARLY_ALL = 0.9  # share of the units of any other layer
FEW = 8  # units of a layer of which all must be useless: with so few, half may be by chance


def dead_units(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the first layer of which most relus give 0 on every row of a sample."""
    for path, seen in subject.start.activity.items():
        remedy, edits = usual_initializers(subject.config.layers, path)
        if seen.dead is not None and _many(seen.dead, seen.units, chosen=bool(edits)):
            yield Diagnosis(
                "dead_units",
                "warning",
                f"{percent(seen.dead)} of the {seen.units} relus of {path} give 0 on all {len(subject.sample)} rows of"
                " a sample before training",
                "a relu that is 0 everywhere has no gradient, so it never learns",
                remedy or "bias_init: zeros, init: he_normal, and inputs that are scaled around 0",
                edits,
            )
            return


def saturated_units(subject: Subject) -> Iterator[Diagnosis]:
    """Yield the first layer of which most units lie at the ends of their range on nearly every row."""
    for path, seen in subject.start.activity.items():
        remedy, edits = usual_initializers(subject.config.layers, path)
        if seen.saturated is not None and _many(seen.saturated, seen.units, chosen=bool(edits)):
            yield Diagnosis(
                "saturated_units",
                "warning",
                f"{percent(seen.saturated)} of the {seen.units} units of {path} ({seen.layer}) lie at the ends of their"
                " range on 9 of 10 rows before training",
                "where the activation is flat, there is hardly a gradient, so the layers before it hardly learn",
                remedy or "smaller initial weights, and inputs that are scaled around 0",
                edits,
            )
            return


def _many(share: float, units: int, chosen: bool) -> bool:
    """Return whether a share of the units is too large; `chosen` is whether the initial weights are unusual."""
    return share == 1 if units <= FEW else share >= (MOST if chosen else NEARLY_ALL)
