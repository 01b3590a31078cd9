"""Every example in a public docstring runs and gives what it says."""

from __future__ import annotations

import doctest
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import nnfs_cli
from nnfs_cli.components.component import Component
from nnfs_cli.config import yaml
from tests.components.registry import components_restored
from tests.conftest import CONFIGS

METHODS = (FunctionType, property, staticmethod, classmethod)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PUBLIC = {name: getattr(nnfs_cli, name) for name in sorted(nnfs_cli.__all__)}
COMPONENTS = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing) and issubclass(thing, Component)}


def documented() -> Iterator[tuple[str, Any]]:
    """Yield every public name with what it stands for, and likewise the public methods of our classes."""
    yield "nnfs_cli", nnfs_cli
    for name, thing in PUBLIC.items():
        yield name, thing
        for base in thing.__mro__ if inspect.isclass(thing) else ():
            if base.__module__.startswith("nnfs_cli."):
                yield from (
                    (f"{name}.{key}", getattr(member, "__func__", member))
                    for key, member in vars(base).items()
                    if not key.startswith("_") and isinstance(member, METHODS)
                )


def examples() -> dict[str, doctest.DocTest]:
    """Return the examples of each docstring that has any, by the first name that it is found under."""
    parser, found, seen = doctest.DocTestParser(), {}, set()
    for name, thing in documented():
        text = inspect.getdoc(thing) or ""
        if text not in seen and ">>>" in text:
            found[name] = parser.get_doctest(text, {}, name, None, 0)
            seen.add(text)
    return found


EXAMPLES = examples()


@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # nets trained for a moment deserve some
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_in_a_docstring_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs", ignore=shutil.ignore_patterns("seeds", "toolbox"))
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    with components_restored():
        doctest.DocTestRunner(optionflags=FLAGS).run(EXAMPLES[name], out=said.append)
    assert "".join(said) == ""


def test_an_example_that_says_something_else_is_noticed() -> None:
    said: list[str] = []
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    doctest.DocTestRunner(optionflags=FLAGS).run(wrong, out=said.append)
    assert "Expected:" in "".join(said)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in COMPONENTS])
def test_a_public_name_has_an_example(name: str) -> None:
    assert name in EXAMPLES


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=COMPONENTS)
def test_an_example_of_a_component_is_one(component: type[Component]) -> None:
    given = [*component.examples] or [component.name] * bool(component.name)
    for example in given:
        assert isinstance(component.resolve(yaml.read(example.encode())[0]), component)
