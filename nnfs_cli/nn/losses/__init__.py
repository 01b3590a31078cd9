"""The losses of a net, one file for each; importing this package registers them all.

Read `base` (what a loss is), then `mse` and `cross_entropy`; every other file stands by itself.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.nn.losses.base import Loss, LossBackward, Task

load_family(__name__, __path__)

__all__ = ["Loss", "LossBackward", "Task"]
