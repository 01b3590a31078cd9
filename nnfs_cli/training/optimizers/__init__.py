"""The optimizers, one per file.

Read `base` first, then `sgd`. Importing the package registers all of them.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.training.optimizers.base import Minimizer, Optimizer, Stepper

load_family(__name__, __path__)

__all__ = ["Minimizer", "Optimizer", "Stepper"]
