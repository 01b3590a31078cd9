"""Settings of a config as Python values: strings, numbers, lists, dicts and components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from pydantic import ValidationError

from nnfs_cli.config import yaml
from nnfs_cli.config.cross_checks import cross_check, net_faults
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data.source import Facts
from nnfs_cli.errors import ConfigError
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.cross_entropy import CrossEntropy
from nnfs_cli.system.wording import listing

Setting: TypeAlias = str | Mapping[str, Any]
"""A component as a config file would hold it, such as `"relu"`, `"linear: 16"` or `{"linear": {"units": 16}}`."""

MAX_SHOWN = 3  # sizes that a message names


def plain(value: Any, key: str) -> Any:
    """Return a setting as a config file would hold it: tuples for lists, Python's numbers, texts parsed as YAML.

    The texts within a data set or a split are names of columns and files, those within a parser are formats of dates
    and the like, and a monitor is the name of a figure, which may contain the label of a class: they stay as they are.
    """
    if isinstance(value, str) and any(mark in value for mark in ":[{") and key != "name":
        try:
            return yaml.read(value.encode())[0]
        except (YamlError, UnicodeEncodeError) as error:
            raise ConfigError(f"{key}: {value!r} is not a setting: {error}") from None
    if isinstance(value, list | tuple):
        return tuple(plain(entry, key) for entry in value)
    if isinstance(value, Mapping):
        within = {"dataset": "name", "split": "name", "parse": "parser", "parser": "name"}.get(key, key)
        return {str(name): plain(entry, "name" if name == "monitor" else within) for name, entry in value.items()}
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
    used are returned unchanged, so that the check of the config reports them. Raises `ConfigError` for bare numbers.
    """
    layers = _listed(layers)
    given = _resolved(layers)
    if not given or _suits(given, loss, facts):
        return layers
    output_layer: type[Any] = next(iter(loss.last_layers), Linear)
    whole = (*given, output_layer(units=loss.n_outputs(facts.n_classes, facts.n_targets)))
    return layers if net_faults(whole, loss, facts, "") else whole


def class_loss(layers: Any, facts: Facts) -> str:
    """Return the default loss for classes: the binary one for two, unless the net ends in an output for each of them.

    `layers` are None if the preset chooses them.
    """
    if facts.n_targets > 1:
        return "binary_cross_entropy"
    if facts.n_classes != 2:
        return "cross_entropy"
    given = _resolved(_listed(layers)) if layers is not None else ()
    is_output = given and ("units" in type(given[-1]).model_fields or isinstance(given[-1], Softmax))
    return "cross_entropy" if is_output and _suits(given, CrossEntropy(), facts) else "binary_cross_entropy"


def _suits(layers: tuple[Layer, ...], loss: Loss, facts: Facts) -> bool:
    return not net_faults(layers, loss, facts, "") and not cross_check({"layers": layers, "loss": loss})


def _resolved(layers: Sequence[Any]) -> tuple[Layer, ...]:
    """Return layers as objects, or nothing if one of them cannot be used."""
    try:
        return tuple(Layer.resolve(plain(layer, "layers")) for layer in layers)
    except (ValueError, ConfigError):  # pydantic's errors are ValueErrors
        return ()


def _listed(layers: Any) -> Sequence[Any]:
    """Return layers as a list. Raises `ConfigError` for anything else, such as the sizes that other tools take."""
    if isinstance(layers, Sequential):
        return layers.layers  # only the layers of a net count, not its weights
    if isinstance(layers, str | Mapping | Layer):
        return (layers,)
    entries = list(layers) if isinstance(layers, Iterable) else [layers]
    sizes = [entry for entry in entries if isinstance(entry, Real)]
    if sizes or not isinstance(layers, Iterable):
        units = [str(size) for size in sizes if isinstance(size, int | np.integer) and size > 0] or ["10"]
        example = ", ".join(f'"linear: {n}", "relu"' for n in units[:MAX_SHOWN])
        found = listing(str(size) for size in sizes[:MAX_SHOWN]) or type(layers).__name__
        raise ConfigError(f"layers: expected a list of layers, such as [{example}], found {found}")
    return entries
