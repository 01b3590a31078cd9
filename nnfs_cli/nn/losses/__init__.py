"""The losses of a net, one file for each; a file is imported when its loss is first asked for.

Read `base` (what a loss is), then `mse` and `cross_entropy`; every other file stands by itself.
"""

from nnfs_cli.nn.losses.base import Loss, LossBackward, Task

Loss.registered.expect(__name__, __path__)

__all__ = ["Loss", "LossBackward", "Task"]
