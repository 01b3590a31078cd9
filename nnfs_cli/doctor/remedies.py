"""Remedies that several checks give: each is the text of a remedy and its edits, the keys of the config with values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_cli.nn.initializers import Zeros
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.tanh import Tanh

DEEP = 4  # saturating activations from which they are to blame


def another_lr(lr: float) -> tuple[str, dict[str, Any]]:
    """Return the remedy of another learning rate, rounded to one digit."""
    lr = float(f"{lr:.1g}")
    return f"lr: {lr:g}", {"lr": lr}


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
