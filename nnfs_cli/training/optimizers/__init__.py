"""The optimizers, one per file.

Read `base` first, then `sgd`. A file is imported when its optimizer is first asked for.
"""

from nnfs_cli.training.optimizers.base import Minimizer, Optimizer, Stepper

Optimizer.registered.expect(__name__, __path__)

__all__ = ["Minimizer", "Optimizer", "Stepper"]
