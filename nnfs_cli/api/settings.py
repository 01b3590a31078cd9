"""Settings of a config as Python values: strings, numbers, lists, dicts and components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pydantic import ValidationError

from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.cross_checks import cross_check, net_faults
from nnfs_cli.config.document import Document
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data import DataSource
from nnfs_cli.data.source import Facts
from nnfs_cli.errors import ConfigError
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.losses import Loss

Setting: TypeAlias = str | Mapping[str, Any]
"""A component as a config file would hold it, such as `"relu"`, `"linear: 16"` or `{"linear": {"units": 16}}`."""


def config_of(settings: Mapping[str, Any], dataset: DataSource, name: str = "run") -> Config:
    """Return the complete config for settings given in Python; the preset reads the data set and fills in the rest.

    A value is what a config file would hold (`"relu"`, `{"linear": 16}`, also as a text, `"linear: 16"`), or an object,
    such as `Linear(16)`. Raises `ConfigError` with every fault, and `DataError` if the data cannot be used.
    """
    given = {key: plain(value, key) for key, value in settings.items()}
    return complete(Document(name, Path.cwd(), data={"name": name, **given, "dataset": dataset}))


def plain(value: Any, key: str) -> Any:
    """Return a setting as a config file would hold it: tuples for lists, Python's numbers, texts parsed as YAML.

    The texts within a data set or a split are names of columns and files, and stay as they are.
    """
    if isinstance(value, str) and any(mark in value for mark in ":[{") and key != "name":
        try:
            return yaml.read(value.encode())[0]
        except (YamlError, UnicodeEncodeError) as error:
            raise ConfigError(f"{key}: {value!r} is not a setting: {error}") from None
    if isinstance(value, list | tuple):
        return tuple(plain(entry, key) for entry in value)
    if isinstance(value, Mapping):
        within = "name" if key in ("dataset", "split") else key
        return {str(name): plain(entry, within) for name, entry in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def loss_of(value: Any) -> Loss:
    """Return the loss that a setting describes. Raises `ConfigError`."""
    try:
        return Loss.resolve(plain(value, "loss"))
    except ValidationError as error:
        faults = "; ".join(str(found["msg"]) for found in error.errors(include_url=False))
    except ValueError as error:
        faults = str(error)
    raise ConfigError(f"loss: {faults}")


def complete_net(layers: Any, loss: Loss, facts: Facts) -> Any:
    """Return the layers of a whole net, with an output layer if `layers` are only the hidden ones.

    They are the whole net if they give what the loss needs: an output for each class or target, without a bound that
    the loss does not expect. Otherwise a linear layer is added. A single layer needs no list. Layers that cannot be
    used are returned unchanged, so that the check of the config reports them.
    """
    if isinstance(layers, Sequential):
        layers = layers.layers  # a net of its own lends its layers, and not its weights
    elif isinstance(layers, str | Mapping | Layer):
        layers = (layers,)
    try:
        given = tuple(Layer.resolve(plain(layer, "layers")) for layer in layers)
    except (ValueError, ConfigError):  # pydantic's errors are ValueErrors
        return layers
    if not given or (not net_faults(given, loss, facts, "") and not cross_check({"layers": given, "loss": loss})):
        return layers
    whole = (*given, Linear(units=loss.n_outputs(facts.n_classes, facts.n_targets)))
    return layers if net_faults(whole, loss, facts, "") else whole
