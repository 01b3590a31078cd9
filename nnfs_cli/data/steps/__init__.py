"""Preprocessing steps: fitted to columns of the training rows, then applied to every row before the net sees it.

Read `base.py` first (the three kinds of step: numbers, categories, dates), then any step: a file each. `chain.py` lets
steps for numbers follow one another, and `views.py` puts several of them side by side.
A file is imported when its step is first asked for.
"""

from nnfs_cli.data.steps.base import CategoryStep, DateStep, NumberStep, PreprocessingStep

PreprocessingStep.registered.expect(__name__, __path__)

__all__ = ["CategoryStep", "DateStep", "NumberStep", "PreprocessingStep"]
