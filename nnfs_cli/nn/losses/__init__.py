"""The losses, one per file.

Read `base` first, then `mse`. Importing the package registers all of them.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.nn.losses.base import Loss, LossBackward, Task

load_family(__name__, __path__)

__all__ = ["Loss", "LossBackward", "Task"]
