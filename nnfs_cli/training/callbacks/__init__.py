"""The callbacks: objects that watch training and may end it.

Read `base` first. Importing the package registers all callbacks that a config can name.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.training.callbacks.base import Callback, NamedCallback, Training

load_family(__name__, __path__)

__all__ = ["Callback", "NamedCallback", "Training"]
