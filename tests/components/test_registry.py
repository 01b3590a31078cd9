"""The registry of a family, which imports a component when somebody asks for it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnfs_cli.components.registry import Registry
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.training.optimizers import Optimizer

PACKAGE = "package_of_a_test"
REGISTRY: Registry[str] = Registry()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry[str]]:
    """Return a registry whose components lie in the files b.py and a.py; base.py defines none."""
    line = f"from {__name__} import REGISTRY; REGISTRY[__name__.partition('.')[2]] = 'kind'"
    for name, text in {"__init__": "", "b": line, "a": line, "base": ""}.items():
        (tmp_path / PACKAGE).mkdir(exist_ok=True)
        (tmp_path / PACKAGE / f"{name}.py").write_text(text)
    sys.path.insert(0, str(tmp_path))
    REGISTRY.expect(PACKAGE, [str(tmp_path / PACKAGE)])
    yield REGISTRY
    sys.path.remove(str(tmp_path))
    for module in [module for module in sys.modules if module.startswith(PACKAGE)]:
        del sys.modules[module]


def test_a_component_is_imported_when_it_is_asked_for_and_all_when_they_are_listed(registry: Registry[str]) -> None:
    assert registry["b"] == "kind"
    assert "base" not in registry
    assert registry.get("c") is None
    assert f"{PACKAGE}.a" not in sys.modules
    assert list(registry) == ["a", "b"]
    assert len(registry) == 2


@pytest.mark.parametrize("family", [Layer, Loss, Optimizer, PreprocessingStep], ids=lambda family: family.family)
def test_each_component_lies_in_the_file_of_its_name(family: type[Layer]) -> None:
    own = {name: kind.__module__ for name, kind in family.registered.items() if not kind.is_own()}
    assert own == {name: f"{sys.modules[family.__module__].__package__}.{name}" for name in own}
