"""Train a neural network from a table, with a short YAML file or from Python, in NumPy.

    >>> from nnfs_cli import NetClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> NetClassifier(layers=["linear: 16", "relu"], epochs=60, lr=0.01).fit(X, y).score(X, y) > 0.9
    True

Each folder is one wing, and imports only from itself and those below it. From the ground up: system, components, nn
and data, metrics, training, presets, config, prediction, experiment, inspection, runs, workflows, display, guide, and
at the top cli and api. `errors` and `arrays` serve all of them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know this name; importing it from typing takes longer than all the rest here

__version__ = "0.1.0"

# The names that Python users import from here, by the module that defines them. A module is imported when one of its
# names is first used, so that the command line pays for nothing here.
_HOMES = {
    "api.classifier": ("NetClassifier",),
    "api.regressor": ("NetRegressor",),
    "config.config": ("Config",),
    "errors": (
        "ConfigError",
        "DataError",
        "DivergedError",
        "NnfsError",
        "NnfsWarning",
        "RunError",
        "UserError",
    ),
    "training.callbacks.base": ("Callback",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [*_HOME_OF]

if TYPE_CHECKING:  # isort: off
    from typing import Any

    from nnfs_cli.api.classifier import NetClassifier as NetClassifier
    from nnfs_cli.api.regressor import NetRegressor as NetRegressor
    from nnfs_cli.config.config import Config as Config
    from nnfs_cli.errors import (
        ConfigError as ConfigError,
        DataError as DataError,
        DivergedError as DivergedError,
        NnfsError as NnfsError,
        NnfsWarning as NnfsWarning,
        RunError as RunError,
        UserError as UserError,
    )
    from nnfs_cli.training.callbacks.base import Callback as Callback


def __getattr__(name: str) -> Any:
    """Import the module that defines a public name, and return what the name stands for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'nnfs_cli' has no attribute '{name}'")
    import importlib

    found = getattr(importlib.import_module(f"nnfs_cli.{_HOME_OF[name]}"), name)  # noqa: TID251 - only names listed here
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names."""
    return [*globals(), *_HOME_OF]
