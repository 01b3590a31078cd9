"""Layers whose own forward pass is their twin: they are made of products and of other layers."""

from __future__ import annotations

from typing import Any

from nnfs_cli.arrays import Array
from nnfs_cli.nn.layers.base import Backward
from nnfs_cli.nn.parameters import Views
from nnfs_cli.training.compiled.recorder import Recorder, twin


@twin("Dense", "EmbeddedSequential", "Flatten", "Identity", "Linear", "Reshape", "Sequential")
def _as_it_stands(layer: Any, p: Views, x: Array, recorder: Recorder) -> tuple[Array, Backward]:
    found: tuple[Array, Backward] = type(layer).forward(layer, p, x, recorder)
    return found
