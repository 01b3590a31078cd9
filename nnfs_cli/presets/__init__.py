"""Presets: rules that fill in the keys that a config leaves out, from a few facts about its table.

Read `base.py` for the contract, then `tabular.py`, the preset of a config without layers. `inspection/load_config.py`
collects the facts. Importing the package registers every preset.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.presets.base import Preset, TableFacts

load_family(__name__, __path__)

__all__ = ["Preset", "TableFacts"]
