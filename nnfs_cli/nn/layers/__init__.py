"""The layers of a net, one file for each; importing this package registers them all.

Read `base` (what a layer is), then `linear` and `relu`, then `sequential`; every other file stands by itself.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.nn.context import Context, Draws
from nnfs_cli.nn.layers.base import Backward, Layer, ShapeError

load_family(__name__, __path__)

__all__ = ["Backward", "Context", "Draws", "Layer", "ShapeError"]
