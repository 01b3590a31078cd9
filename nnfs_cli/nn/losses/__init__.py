"""The losses: one concept a file. Importing the package registers them all."""

from nnfs_cli.components.component import load_family
from nnfs_cli.nn.losses.base import Loss, LossBackward, Task

load_family(__name__, __path__)

__all__ = ["Loss", "LossBackward", "Task"]
