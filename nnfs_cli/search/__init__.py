"""The words of a search: distributions that values of settings are drawn from.

Read `base` for the contract, then `uniform`, `log`, `whole` and `choice`. `space` is all that a search varies: a
distribution for each path of a setting. Nothing here knows how values are proposed; `tuning` does, with Optuna.
Importing the package registers every distribution.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.search.base import Distribution, Draws

load_family(__name__, __path__)

__all__ = ["Distribution", "Draws"]
