"""Every setting of a config with its origin: the values are those of spec.yaml, the origins those of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.report.settings import settings
from tests.conftest import CONFIGS

COMMAND = "nnfs train x.yaml --set lr=0.05 --set=layers.0.linear.bias=false"


def leaves(key: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the settings of a parsed spec.yaml by their dotted keys."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(f"{key}.{name}" if key else name, inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for i, inner in enumerate(value):
            yield from leaves(f"{key}.{i}", inner)
    else:
        yield key, value


@pytest.mark.parametrize("name", ["iris", "toolbox/nested", "toolbox/houses", "toolbox/members", "toolbox/residual"])
def test_the_values_are_those_of_the_spec(name: str, tmp_path: Path) -> None:
    config = workflows.load(CONFIGS / f"{name}.yaml")
    shown = {setting.key: setting.value for setting in settings(config, config.source, "")}
    missed = 0
    for key, value in leaves("", yaml.safe_load(config.to_yaml(tmp_path))):
        if isinstance(value, list):
            assert all(f"{key}.{i}" in shown for i in range(len(value))) or yaml.safe_load(shown[key]) == value
        elif key in shown and not isinstance(value, str):
            assert yaml.safe_load(shown[key]) == value, key
        missed += key not in shown and f"{key}.0" not in shown
    assert missed == 0


def origins(config: Config, command: str = "") -> dict[str, str]:
    return {setting.key: setting.origin for setting in settings(config, config.source, command)}


def test_origins_follow_the_grammar_of_components(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        "dataset: iris\nlayers: [{linear: {units: 8}}, linear: 4, tanh, linear: 3]\nloss: cross_entropy\nepochs: 3\n"
    )
    found = origins(Config.load(file, ["lr=0.05", "layers.0.linear.bias=false"]), COMMAND)
    expected = {
        "dataset": "config file",
        "layers.0": "config file",
        "layers.0.linear.units": "config file",
        "layers.0.linear.bias": "command line",
        "layers.0.linear.init": "default",
        "layers.1.linear.units": "config file",
        "layers.2": "config file",
        "lr": "command line",
        "optimizer": "default",
        "batch_size": "derived",
        "seed": "default",
    }
    assert {key: found[key] for key in expected} == expected


def test_what_a_preset_fills_in_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("dataset: iris\nepochs: 3\n")
    found = origins(workflows.load(file))
    assert (found["layers.0"], found["epochs"], found["clip"]) == ("preset", "config file", "default")


@pytest.mark.parametrize(
    "source", [b"", b"\xff", b"[1, 2]", b"lr: {a: 1}\nlayers: 7\noptimizer: [x]\n", b"a: !!python/x"]
)
@pytest.mark.parametrize("command", ["", "nnfs train --set", "nnfs 'unclosed", "nnfs train --set lr --set layers.99=1"])
def test_a_file_that_is_no_config_and_a_strange_command_change_no_value(source: bytes, command: str) -> None:
    config = workflows.load(CONFIGS / "iris.yaml")
    usual = settings(config, config.source, "")
    assert [s[:2] for s in settings(config, source, command)] == [s[:2] for s in usual]
