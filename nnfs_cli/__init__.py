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
    "api.estimators.classifier": ("NetClassifier",),
    "api.estimators.findings": ("Findings",),
    "api.estimators.fit": ("fit",),
    "api.estimators.inputs": ("InvalidInputError",),
    "api.estimators.regressor": ("NetRegressor",),
    "api.frame": ("Frame",),
    "api.nets.sequential": ("Sequential",),
    "api.runs.audit": ("DataAudit", "audit_data"),
    "api.runs.cross_validation": ("CrossValidation",),
    "api.runs.explanation": ("Explanation",),
    "api.runs.run": ("Run",),
    "api.runs.train": ("cross_validate", "train"),
    "api.runs.tuning": ("Tuning", "tune"),
    "api.verdicts": ("Verdicts",),
    "components.user_code": ("load_code",),
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
    "metrics.base": ("Metric",),
    "nn.initializers": ("Initializer",),
    "nn.layers.ascending": ("Ascending",),
    "nn.layers.base": ("Layer",),
    "nn.layers.batch_norm": ("BatchNorm",),
    "nn.layers.cumulative_logits": ("CumulativeLogits",),
    "nn.layers.dense": ("Dense",),
    "nn.layers.dropout": ("Dropout",),
    "nn.layers.elu": ("ELU",),
    "nn.layers.exp": ("Exp",),
    "nn.layers.flatten": ("Flatten",),
    "nn.layers.gelu": ("GELU",),
    "nn.layers.identity": ("Identity",),
    "nn.layers.layer_norm": ("LayerNorm",),
    "nn.layers.leaky_relu": ("LeakyReLU",),
    "nn.layers.linear": ("Linear",),
    "nn.layers.prelu": ("PReLU",),
    "nn.layers.relu": ("ReLU",),
    "nn.layers.reshape": ("Reshape",),
    "nn.layers.residual": ("Residual",),
    "nn.layers.selu": ("SELU",),
    "nn.layers.sigmoid": ("Sigmoid",),
    "nn.layers.silu": ("SiLU",),
    "nn.layers.softmax": ("Softmax",),
    "nn.layers.softplus": ("Softplus",),
    "nn.layers.tanh": ("Tanh",),
    "nn.losses.base": ("Loss",),
    "nn.losses.binary_cross_entropy": ("BinaryCrossEntropy",),
    "nn.losses.binary_focal": ("BinaryFocal",),
    "nn.losses.cross_entropy": ("CrossEntropy",),
    "nn.losses.focal": ("Focal",),
    "nn.losses.gamma": ("Gamma",),
    "nn.losses.hinge": ("Hinge",),
    "nn.losses.huber": ("Huber",),
    "nn.losses.log_cosh": ("LogCosh",),
    "nn.losses.mae": ("MAE",),
    "nn.losses.mse": ("MSE",),
    "nn.losses.ordinal": ("Ordinal",),
    "nn.losses.poisson": ("Poisson",),
    "nn.losses.quantile": ("Quantile",),
    "nn.parameters": ("ParameterSpec",),
    "training.callbacks.base": ("Callback", "NamedCallback"),
    "training.callbacks.checkpoint": ("Checkpoint",),
    "training.callbacks.early_stopping": ("EarlyStopping",),
    "training.callbacks.stop_at": ("StopAt",),
    "training.optimizers.adagrad": ("Adagrad",),
    "training.optimizers.adam": ("Adam",),
    "training.optimizers.adamw": ("AdamW",),
    "training.optimizers.base": ("Optimizer", "Stepper"),
    "training.optimizers.lbfgs": ("LBFGS",),
    "training.optimizers.lion": ("Lion",),
    "training.optimizers.nadam": ("NAdam",),
    "training.optimizers.rmsprop": ("RMSprop",),
    "training.optimizers.sgd": ("SGD",),
    "workflows.evaluation": ("Evaluation",),
    "workflows.verdicts.verdict": ("Verdict",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [*_HOME_OF]

if TYPE_CHECKING:  # isort: off
    from typing import Any

    from nnfs_cli.api.estimators.classifier import NetClassifier as NetClassifier
    from nnfs_cli.api.estimators.findings import Findings as Findings
    from nnfs_cli.api.estimators.fit import fit as fit
    from nnfs_cli.api.estimators.inputs import InvalidInputError as InvalidInputError
    from nnfs_cli.api.estimators.regressor import NetRegressor as NetRegressor
    from nnfs_cli.api.frame import Frame as Frame
    from nnfs_cli.api.nets.sequential import Sequential as Sequential
    from nnfs_cli.api.runs.audit import DataAudit as DataAudit
    from nnfs_cli.api.runs.audit import audit_data as audit_data
    from nnfs_cli.api.runs.cross_validation import CrossValidation as CrossValidation
    from nnfs_cli.api.runs.explanation import Explanation as Explanation
    from nnfs_cli.api.runs.run import Run as Run
    from nnfs_cli.api.runs.train import cross_validate as cross_validate
    from nnfs_cli.api.runs.train import train as train
    from nnfs_cli.api.runs.tuning import Tuning as Tuning
    from nnfs_cli.api.runs.tuning import tune as tune
    from nnfs_cli.api.verdicts import Verdicts as Verdicts
    from nnfs_cli.components.user_code import load_code as load_code
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
    from nnfs_cli.metrics.base import Metric as Metric
    from nnfs_cli.nn.initializers import Initializer as Initializer
    from nnfs_cli.nn.layers.ascending import Ascending as Ascending
    from nnfs_cli.nn.layers.base import Layer as Layer
    from nnfs_cli.nn.layers.batch_norm import BatchNorm as BatchNorm
    from nnfs_cli.nn.layers.cumulative_logits import CumulativeLogits as CumulativeLogits
    from nnfs_cli.nn.layers.dense import Dense as Dense
    from nnfs_cli.nn.layers.dropout import Dropout as Dropout
    from nnfs_cli.nn.layers.elu import ELU as ELU
    from nnfs_cli.nn.layers.exp import Exp as Exp
    from nnfs_cli.nn.layers.flatten import Flatten as Flatten
    from nnfs_cli.nn.layers.gelu import GELU as GELU
    from nnfs_cli.nn.layers.identity import Identity as Identity
    from nnfs_cli.nn.layers.layer_norm import LayerNorm as LayerNorm
    from nnfs_cli.nn.layers.leaky_relu import LeakyReLU as LeakyReLU
    from nnfs_cli.nn.layers.linear import Linear as Linear
    from nnfs_cli.nn.layers.prelu import PReLU as PReLU
    from nnfs_cli.nn.layers.relu import ReLU as ReLU
    from nnfs_cli.nn.layers.reshape import Reshape as Reshape
    from nnfs_cli.nn.layers.residual import Residual as Residual
    from nnfs_cli.nn.layers.selu import SELU as SELU
    from nnfs_cli.nn.layers.sigmoid import Sigmoid as Sigmoid
    from nnfs_cli.nn.layers.silu import SiLU as SiLU
    from nnfs_cli.nn.layers.softmax import Softmax as Softmax
    from nnfs_cli.nn.layers.softplus import Softplus as Softplus
    from nnfs_cli.nn.layers.tanh import Tanh as Tanh
    from nnfs_cli.nn.losses.base import Loss as Loss
    from nnfs_cli.nn.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
    from nnfs_cli.nn.losses.binary_focal import BinaryFocal as BinaryFocal
    from nnfs_cli.nn.losses.cross_entropy import CrossEntropy as CrossEntropy
    from nnfs_cli.nn.losses.focal import Focal as Focal
    from nnfs_cli.nn.losses.gamma import Gamma as Gamma
    from nnfs_cli.nn.losses.hinge import Hinge as Hinge
    from nnfs_cli.nn.losses.huber import Huber as Huber
    from nnfs_cli.nn.losses.log_cosh import LogCosh as LogCosh
    from nnfs_cli.nn.losses.mae import MAE as MAE
    from nnfs_cli.nn.losses.mse import MSE as MSE
    from nnfs_cli.nn.losses.ordinal import Ordinal as Ordinal
    from nnfs_cli.nn.losses.poisson import Poisson as Poisson
    from nnfs_cli.nn.losses.quantile import Quantile as Quantile
    from nnfs_cli.nn.parameters import ParameterSpec as ParameterSpec
    from nnfs_cli.training.callbacks.base import Callback as Callback
    from nnfs_cli.training.callbacks.base import NamedCallback as NamedCallback
    from nnfs_cli.training.callbacks.checkpoint import Checkpoint as Checkpoint
    from nnfs_cli.training.callbacks.early_stopping import EarlyStopping as EarlyStopping
    from nnfs_cli.training.callbacks.stop_at import StopAt as StopAt
    from nnfs_cli.training.optimizers.adagrad import Adagrad as Adagrad
    from nnfs_cli.training.optimizers.adam import Adam as Adam
    from nnfs_cli.training.optimizers.adamw import AdamW as AdamW
    from nnfs_cli.training.optimizers.base import Optimizer as Optimizer
    from nnfs_cli.training.optimizers.base import Stepper as Stepper
    from nnfs_cli.training.optimizers.lbfgs import LBFGS as LBFGS
    from nnfs_cli.training.optimizers.lion import Lion as Lion
    from nnfs_cli.training.optimizers.nadam import NAdam as NAdam
    from nnfs_cli.training.optimizers.rmsprop import RMSprop as RMSprop
    from nnfs_cli.training.optimizers.sgd import SGD as SGD
    from nnfs_cli.workflows.evaluation import Evaluation as Evaluation
    from nnfs_cli.workflows.verdicts.verdict import Verdict as Verdict


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
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
