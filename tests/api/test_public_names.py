"""The names that `nnfs_cli` offers: complete, loaded only when they are used, known to type checkers, documented."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

import nnfs_cli
from nnfs_cli.components.component import Component
from nnfs_cli.config.yaml import read
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.training.callbacks import NamedCallback
from nnfs_cli.training.optimizers import Optimizer
from tests.conftest import ROOT

FAMILIES = (Layer, Loss, Optimizer, NamedCallback)
COMPONENTS = [member for family in FAMILIES for member in family.registered.values()]
EXAMPLES = [(member, text) for member in COMPONENTS for text in member.examples]


def python(code: str) -> str:
    """Return what a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = (
        "sorted(name for name in sys.modules if name.partition('.')[0] in ('nnfs_cli', 'numpy', 'sklearn', 'typing'))"
    )
    assert python(f"import sys, nnfs_cli; print({loaded})") == "['nnfs_cli']"


def test_a_learners_names_do_not_load_scikit_learn_or_arrow() -> None:
    code = (
        "import sys; from nnfs_cli import Linear, ReLU, Adam, Callback; print({'sklearn', 'pyarrow'} & {*sys.modules})"
    )
    assert python(code) == "set()"


def test_importing_every_name_changes_nothing_global() -> None:
    code = """
import logging, os, random, signal, sys, threading, warnings
import numpy as np, sklearn.base, threadpoolctl
def world():
    threads = [library["num_threads"] for library in threadpoolctl.threadpool_info()]
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    logs = logging.getLogger().handlers, logging.getLogger().level
    hooks = sys.excepthook, warnings.showwarning, sys.stdout, sys.stderr, threading.active_count()
    draws = random.getstate(), str(np.random.get_state())
    return threads, handlers, logs, hooks, draws, list(warnings.filters), np.geterr(), dict(os.environ)
before = world()
from nnfs_cli import *
NetClassifier(layers=["linear: 2"], epochs=1).fit([[0.0], [1.0]], [0, 1])
print(before == world())
"""
    assert python(code) == "True"


def test_every_name_can_be_imported_and_is_listed() -> None:
    for name in nnfs_cli.__all__:
        assert getattr(nnfs_cli, name).__name__ == name
    assert "__version__" in dir(nnfs_cli)
    assert [name for name in dir(nnfs_cli) if not name.startswith("__")] == sorted(nnfs_cli.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Liner'"):
        nnfs_cli.Liner  # noqa: B018


def test_type_checkers_know_the_same_names() -> None:
    tree = ast.parse((ROOT / "nnfs_cli" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        alias.asname: (node.module or "").removeprefix("nnfs_cli.")
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    assert imported == nnfs_cli._HOME_OF


def test_every_layer_loss_and_optimizer_is_offered() -> None:
    missing = [member.__name__ for member in COMPONENTS if not hasattr(nnfs_cli, member.__name__)]
    assert missing == []


@pytest.mark.parametrize("name", nnfs_cli.__all__)
def test_a_public_name_says_what_it_is(name: str) -> None:
    found = getattr(nnfs_cli, name)
    assert inspect.getdoc(found)
    if inspect.isclass(found):
        own = [value for key, value in vars(found).items() if not key.startswith("_") and inspect.isfunction(value)]
        assert [method.__qualname__ for method in own if not inspect.getdoc(method)] == []


@pytest.mark.parametrize(("member", "text"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_a_component_is_shown_as_the_expression_that_makes_it(member: type[Component], text: str) -> None:
    made = member.resolve(read(text.encode())[0])
    names = {name: getattr(nnfs_cli, name) for name in nnfs_cli.__all__}
    initializers = Component.families["initializer"].registered.values()
    shown = eval(repr(made), {}, names | {one.__name__: one for one in initializers})  # noqa: S307
    assert shown.plain() == made.plain()  # the public Sequential is a subclass of the layer
