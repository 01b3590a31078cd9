"""Preprocessing steps: fitted to columns of the training rows, then applied to every row before the net sees it.

Read `base.py` first (the three kinds of step: numbers, categories, dates), then any step: a file each. `chain.py` lets
steps for numbers follow one another, and `views.py` puts several of them side by side.
Importing the package registers every step.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.data.steps.base import CategoryStep, DateStep, NumberStep, PreprocessingStep

load_family(__name__, __path__)

__all__ = ["CategoryStep", "DateStep", "NumberStep", "PreprocessingStep"]
