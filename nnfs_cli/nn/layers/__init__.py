"""The layers: one concept a file. Importing the package registers them all."""

from nnfs_cli.components.component import load_family
from nnfs_cli.nn.layers.base import Backward, Context, Draws, Layer

load_family(__name__, __path__)

__all__ = ["Backward", "Context", "Draws", "Layer"]
