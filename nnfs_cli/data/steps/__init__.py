"""What is done to columns before the net sees them. Importing the package registers every step."""

from nnfs_cli.components.component import load_family
from nnfs_cli.data.steps.base import CategoryStep, DateStep, NumberStep, PreprocessingStep

load_family(__name__, __path__)

__all__ = ["CategoryStep", "DateStep", "NumberStep", "PreprocessingStep"]
