"""Ways to fill in what a config leaves out. Importing the package registers every preset."""

from nnfs_cli.components.component import load_family
from nnfs_cli.presets.base import Preset, Seen

load_family(__name__, __path__)

__all__ = ["Preset", "Seen"]
