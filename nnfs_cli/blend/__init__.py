"""The blend: other models beside an ensemble of nets, whose predictions are averaged with those of the nets.

Read `base.py` for the contract of such a model, then `constant.py`, `linear.py`, `trees.py` and `forest.py`,
`tree_arrays.py` and `tree_sums.py` for what becomes of trees, `folded_rows.py` for the rows that models are fitted to,
`weights.py` for how much each model counts, and `blend.py` for the whole. Importing the package registers every model.
"""

from nnfs_cli.blend.base import BlendedModel
from nnfs_cli.components.component import load_family

load_family(__name__, __path__)

__all__ = ["BlendedModel"]
