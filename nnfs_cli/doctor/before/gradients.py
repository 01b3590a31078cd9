"""Gradients that vanish or explode on their way to the first layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnfs_cli.doctor.before.subject import Subject
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.tanh import Tanh

RATIO = 1e4  # between the gradients of two layers
DEEP = 4  # saturating activations from which they are to blame


def gradients(subject: Subject) -> Iterator[Diagnosis]:
    """Yield that the gradient of the first weights is 10,000 times smaller or larger than that of the last ones."""
    norms = subject.start.gradients
    weights = [array for name, array in subject.net().parameters.arrays.items() if name.endswith(".weight")]
    if len(norms) < 2 or not all(map(np.any, weights)):  # before a layer that is 0 at first there is no gradient yet
        return
    (first, early), *_, (last, late) = norms.items()
    sizes = f"the gradient of the weights of {first} has the norm {early:.2g}, that of {last} {late:.2g}"
    if late > RATIO * early:
        remedy, edits = unsaturated(subject.config.layers)
        yield Diagnosis(
            "vanishing_gradient",
            "warning",
            f"before training, {sizes}",
            "the first layers hardly learn, and pass on the noise of their initial weights",
            remedy,
            edits,
        )
    elif early > RATIO * late > 0:
        yield Diagnosis(
            "exploding_gradient",
            "warning",
            f"before training, {sizes}",
            "steps that suit the last layers throw the first ones far away",
            "clip: {norm: 1}, and smaller initial weights",
            {"clip": {"norm": 1.0}},
        )


def unsaturated(layers: Sequence[Layer]) -> tuple[str, dict[str, Any]]:
    """Return the remedy: relu with he_normal in the place of many sigmoids or tanhs."""
    hidden = [i for i, layer in enumerate(layers[:-1]) if isinstance(layer, Sigmoid | Tanh)]
    if len(hidden) < DEEP:
        return "fewer layers, batch_norm between them, or residual around them", {}
    edits: dict[str, Any] = {f"layers.{i}": "relu" for i in hidden}
    for i in hidden:
        if i and type(layers[i - 1]) is Linear:
            linear: Any = layers[i - 1].brief()
            settings = linear["linear"] if isinstance(linear["linear"], dict) else {"units": linear["linear"]}
            edits[f"layers.{i - 1}"] = {"linear": {**settings, "init": "he_normal"}}
    return f"fewer layers, or relu with init: he_normal instead of {layers[hidden[0]].name}", edits
