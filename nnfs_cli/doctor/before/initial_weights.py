"""The initial weights of a layer: the key of the config that sets them, and the edit that removes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_cli.nn.initializers import Zeros
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear


def usual_initializers(layers: Sequence[Layer], path: str) -> tuple[str, dict[str, Any]]:
    """Return a sentence and the edits that give the linear layer before an activation its usual initializers.

    `path` is the place of the activation, such as ``layers.1``, or of the linear layer itself. Both are empty if the
    layer has the usual ones already, or is inside of another one.
    """
    parts = path.split(".")
    at = int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else len(layers)
    if len(parts) > 3 or at >= len(layers):
        return "", {}
    layer = layers[at] if isinstance(layers[at], Linear) else layers[at - 1] if at else None
    place = at if isinstance(layers[at], Linear) else at - 1
    if not isinstance(layer, Linear):
        return "", {}
    usual = type(layer)(units=layer.units)
    changed = [name for name in ("init", "bias_init") if getattr(layer, name) != getattr(usual, name)]
    changed = [name for name in changed if name != "bias_init" or not isinstance(layer.bias_init, Zeros)]
    edits = {f"layers.{place}.{layer.name}.{name}": None for name in changed}
    return f"leave out {' and '.join(changed)} of layers.{place}" if changed else "", edits
