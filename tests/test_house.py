"""Promises about the source: one concept per file, short functions, documentation, and no code that runs data."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nnfs_cli.components.component import Component
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.metrics import Metric
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.training.optimizers import Optimizer
from tests.conftest import ROOT

LOOSE = {"__init__", "__main__", "arrays", "errors"}  # the modules outside all wings
MOST_LINES = {"file": 350, "class": 250, "function": 60}  # of code: no blank lines, comments or docstrings
MODULES = sorted((ROOT / "nnfs_cli").rglob("*.py"))
LAYER_FILES = [
    path for path in (ROOT / "nnfs_cli" / "nn" / "layers").glob("*.py") if path.stem not in ("__init__", "base")
]
PARTS = [member for family in (Layer, Loss, Optimizer) for member in family.registered.values()]


def code_lines(text: str, nodes: list[ast.AST]) -> set[int]:
    """Return the numbers of the lines that hold code."""
    blocks = [node.body for node in nodes if isinstance(getattr(node, "body", None), list)]
    strings = [  # docstrings, and descriptions of settings
        line.value
        for line in itertools.chain(*blocks)
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
    ]
    documentation = {number for node in strings for number in range(node.lineno, (node.end_lineno or 0) + 1)}
    lines = {i for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.strip().startswith("#")}
    return lines - documentation


def sizes(module: str, nodes: list[ast.AST], lines: set[int]) -> Iterator[tuple[str, str, int]]:
    """Yield the kind, the name and the lines of code of a module and of each class and function in it."""
    yield "file", module, len(lines)
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield kind, f"{module}:{node.name}", len(lines & {*range(node.lineno, (node.end_lineno or 0) + 1)})


def dangers(nodes: list[ast.AST]) -> list[str]:
    """Return the imports and calls of a module that could run what they read."""
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    called = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}
    pickling = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "allow_pickle"]
    return [
        *({name.partition(".")[0] for name in imported} & {"pickle", "joblib", "shelve", "marshal", "dill"}),
        *(called & {"eval", "exec", "unsafe_load", "full_load"}),
        *("allow_pickle" for value in pickling if not (isinstance(value, ast.Constant) and value.value is False)),
    ]


@dataclass(frozen=True)
class Facts:
    """What is asked of a module, which is parsed once."""

    n_lines: int
    too_long: list[str]
    dangers: list[str]
    strings: set[str]  # of one line


@functools.cache
def facts(path: Path) -> Facts:
    """Look at a module."""
    text, module = path.read_text(encoding="utf-8"), path.relative_to(ROOT / "nnfs_cli").as_posix()
    nodes = [*ast.walk(ast.parse(text))]
    lines = code_lines(text, nodes)
    too_long = [f"{name}: {n} lines" for kind, name, n in sizes(module, nodes, lines) if n > MOST_LINES[kind]]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return Facts(len(lines), too_long, dangers(nodes), {value for value in strings if "\n" not in value})


def test_only_the_named_modules_lie_outside_the_wings() -> None:
    assert {path.stem for path in MODULES if path.parent.name == "nnfs_cli"} <= LOOSE


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem == "__init__"], ids=lambda p: p.parent.name)
def test_a_wing_says_in_a_few_lines_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    prose = [line for line in docstring.splitlines() if line and not line.startswith(" ")]  # examples do not count
    assert 2 <= len(prose) <= 6


def test_nothing_is_too_long_to_read() -> None:
    assert [long for path in MODULES for long in facts(path).too_long] == []


@pytest.mark.parametrize("path", LAYER_FILES, ids=lambda path: path.stem)
def test_a_layer_file_is_one_concept_on_one_page(path: Path) -> None:
    module = importlib.import_module(f"{Layer.__module__.rpartition('.')[0]}.{path.stem}")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    classes = [getattr(module, node.name) for node in body if isinstance(node, ast.ClassDef)]
    (layer,) = classes
    assert issubclass(layer, Layer)
    assert layer.name == path.stem
    assert facts(path).n_lines <= 70


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_gives_its_formula_and_its_source(part: type[Component]) -> None:
    text = inspect.getdoc(part)
    assert "Source: " in text
    assert "=" in text or "<-" in text
    if not issubclass(part, Optimizer):
        assert "Shapes: " in text


@pytest.mark.parametrize(
    "step", [step for step in PreprocessingStep.registered.values() if step.name not in ("none", "standardize")]
)
def test_a_step_gives_its_source(step: type[PreprocessingStep]) -> None:
    assert "Source: " in (inspect.getdoc(step) or "")


@pytest.mark.parametrize("family", [Layer, Loss, Optimizer, Metric, PreprocessingStep])
def test_a_summary_fits_a_line(family: type[Component]) -> None:
    assert [member.name for member in family.registered.values() if not 10 < len(member.headline()) <= 120] == []


def test_nothing_here_can_run_what_it_reads() -> None:
    assert {path.relative_to(ROOT).as_posix(): facts(path).dangers for path in MODULES if facts(path).dangers} == {}


@pytest.mark.parametrize(
    "line", ["import pickle", "from dill.x import y", "x = eval('')", "np.load(f, allow_pickle=1)", "yaml.full_load(f)"]
)
def test_code_that_could_run_what_it_reads_is_found(line: str) -> None:
    assert len(dangers([*ast.walk(ast.parse(line))])) == 1


def test_a_module_that_is_too_long_is_found() -> None:
    text = "def f(x):\n" + "    x += 1\n" * 60
    nodes = [*ast.walk(ast.parse(text))]
    assert [*sizes("m.py", nodes, code_lines(text, nodes))] == [("file", "m.py", 61), ("function", "m.py:f", 61)]


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib",
        "import dill",
        "import cloudpickle",
        "import shelve",
        "import marshal",
        "import yaml; yaml.load('')",
        "import importlib; importlib.import_module('')",
        "eval('')",
        "exec('')",
    ],
)
def test_a_lint_rule_refuses_what_could_run_what_is_read(line: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251,S102,S307", "--output-format=concise"]
    place = ROOT / "nnfs_cli" / "anything.py"
    done = subprocess.run(
        [*command, "--stdin-filename", place, "-"], input=line, cwd=ROOT, capture_output=True, text=True
    )
    assert re.search(r"TID251|S102|S307", done.stdout)
    assert done.returncode == 1
    assert {"S", "TID251"} <= set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["select"]
    )


def test_the_linter_makes_no_new_exception() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert set(lint["ignore"]) == {"D105", "D107", "D203", "D213", "N803", "N806"}  # D205 and D401 are on
    assert list(lint["per-file-ignores"]) == ["tests/*"]


def test_the_top_level_is_what_it_should_be() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    top = {name.partition("/")[0] for name in listed if name and not name.startswith(".")}
    expected = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "nnfs_cli", "configs", "tests", "runs"}
    assert top <= expected  # equal in a checkout; empty where there is no git
    assert {entry for entry in expected if (ROOT / entry).exists()} == expected


def test_only_one_module_spells_the_files_of_a_run() -> None:
    names = ("epochs.csv", "status.json", "metrics.json", "environment.json", "data.json", "spec.yaml", ".npz")
    for path in MODULES:
        spelled = {
            text for text in facts(path).strings if any(text.endswith(name) for name in names) and " " not in text
        }
        of_data = path.stem in ("npz", "completion") or path.parent.parent.name == "export"  # and of exported models
        if path.parent.name != "runs" and not of_data:
            assert spelled == set(), path
