"""Where rows come from, how they are split, and how columns become arrays and back.

Importing the package registers every data set and every preprocessing step.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.data.source import DataSource

load_family(__name__, __path__)

__all__ = ["DataSource"]
