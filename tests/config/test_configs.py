"""Every config in the repository trains to the end and reaches the figures in its comments."""

from __future__ import annotations

import csv
import operator
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel

from nnfs_cli import workflows
from nnfs_cli.components.component import Component
from nnfs_cli.config.config import Config
from nnfs_cli.data import DataSource
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.data.sql.source import QuerySource
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.metrics import Metric
from nnfs_cli.nn.initializers import Initializer
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.schedules import Schedule
from tests.conftest import CONFIGS, Nnfs

FILES = sorted(CONFIGS.rglob("*.yaml"))
EXPECTATION = re.compile(r"# expect: (train|validation|test) (\w+) (>=|<=) (\d+(?:\.\d+)?)")
HOLDS = {">=": operator.ge, "<=": operator.le}

every_config = pytest.mark.parametrize("path", FILES, ids=[path.relative_to(CONFIGS).as_posix() for path in FILES])


def expectations(path: Path) -> list[tuple[str, str, str, float]]:
    """The part, the figure, the comparison and the bound of each `# expect:` line."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"#\s*expect\w*\s*:", line)]
    matches = [EXPECTATION.fullmatch(line) for line in lines]
    assert all(matches), f"no expectation: {lines}"
    return [(part, figure, sign, float(bound)) for part, figure, sign, bound in (m.groups() for m in matches if m)]


@every_config
@pytest.mark.filterwarnings("ignore::nnfs_cli.errors.NnfsWarning")  # some nets have more parameters than rows
def test_a_config_reaches_the_figures_that_it_promises(path: Path, tmp_path: Path) -> None:
    experiment = workflows.prepare(Config.load(path))
    run = workflows.begin(experiment, tmp_path)
    workflows.train(experiment, run)
    assert run.status()["state"] == "finished"
    metrics = run.metrics()
    for part, figure, sign, bound in expectations(path):
        found = metrics[part][figure]
        assert HOLDS[sign](found, bound), f"{part} {figure} is {found}, not {sign} {bound}"


@every_config
def test_a_config_begins_with_its_purpose_and_what_to_expect(path: Path) -> None:
    first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert re.match(r"# (?!expect:)\w", first)
    assert expectations(path)


@pytest.mark.parametrize(
    "name",
    [n for n, source in DataSource.registered.items() if not issubclass(source, FileSource | QuerySource | InMemory)],
)
def test_every_built_in_data_set_has_a_config_of_its_name(name: str) -> None:
    assert Config.load(CONFIGS / f"{name}.yaml").dataset.name == name


def parts(value: object) -> set[type[Component]]:
    """The components that a config names, at any depth."""
    match value:
        case BaseModel():
            inner = list(vars(value).values())
        case Mapping():
            inner = list(value.values())
        case _:
            inner = list(value) if isinstance(value, tuple) else []
    own = {type(value)} if isinstance(value, Component) else set()
    return own.union(*map(parts, inner))


@pytest.mark.parametrize(
    "family", [Layer, Initializer, Loss, Optimizer, Schedule, Averaging, Metric, PreprocessingStep]
)
def test_every_component_is_used_in_some_config(family: type[Component]) -> None:
    used = set().union(*(parts(Config.load(path)) for path in FILES))
    assert [name for name, member in family.registered.items() if member not in used] == []


def test_every_notebook_has_a_config() -> None:
    notebooks = {path.name.split("_")[0] for path in (CONFIGS / "seeds").glob("*.yaml")}
    assert notebooks == {f"{number:03}" for number in range(5)}


def test_arithmetic_predicts_what_the_notebook_got_wrong(inside: Nnfs, tmp_path: Path) -> None:
    """Notebook 002 says 48 for |30 - 70|, and -26 for 30 - 70. The fourth pair lies outside the training range."""
    pairs = [(30, 70), (70, 30), (3, 5), (888, 122)]
    rows = tmp_path / "pairs.csv"
    rows.write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in pairs), encoding="utf-8")

    trained = inside("train", CONFIGS / "arithmetic.yaml", "--quiet", "--runs", tmp_path)
    assert trained.returncode == 0, trained.stderr
    predicted = inside("predict", "--input", rows, "--run", trained.stdout.strip())
    assert predicted.returncode == 0, predicted.stderr

    answers = list(csv.DictReader(predicted.stdout.splitlines()))
    assert len(answers) == len(pairs)
    for (a, b), answer in zip(pairs[:3], answers, strict=False):
        found = [float(answer[f"prediction_{target}"]) for target in ("a+b", "a-b", "abs(a-b)")]
        assert found == pytest.approx([a + b, a - b, abs(a - b)], abs=1)
