"""The layers of a net, one file for each; a file is imported when its layer is first asked for.

Read `base` (what a layer is), then `linear` and `relu`, then `sequential`; every other file stands by itself.
"""

from nnfs_cli.nn.context import Context, Draws
from nnfs_cli.nn.layers.base import Backward, Layer, ShapeError

Layer.registered.expect(__name__, __path__)

__all__ = ["Backward", "Context", "Draws", "Layer", "ShapeError"]
