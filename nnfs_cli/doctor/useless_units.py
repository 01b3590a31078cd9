"""Units that pass no gradient: what is said of dead ones and of saturated ones, before and after training."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_cli.doctor.diagnosis import Diagnosis, Severity
from nnfs_cli.doctor.remedies import usual_initializers
from nnfs_cli.nn.layers import Layer


def dead(
    layers: Sequence[Layer], path: str, measured: str, otherwise: str, severity: Severity = "warning"
) -> Diagnosis:
    """Return the diagnosis of the layer at this place, whose units are 0 on all rows.

    `otherwise` is the remedy where the layer before it has the usual initializers.
    """
    remedy, edits = usual_initializers(layers, path)
    why = "a unit that is 0 on every row passes no gradient, so it never learns"
    return Diagnosis("dead_units", severity, measured, why, remedy or otherwise, edits)


def saturated(
    layers: Sequence[Layer], path: str, measured: str, otherwise: str, severity: Severity = "warning"
) -> Diagnosis:
    """Return the diagnosis of the layer at this place, whose outputs lie at the ends of their range; see `dead`."""
    remedy, edits = usual_initializers(layers, path)
    why = "where the activation is flat, it passes almost no gradient, so the layers before it hardly learn"
    return Diagnosis("saturated_units", severity, measured, why, remedy or otherwise, edits)
