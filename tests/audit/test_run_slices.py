"""Slices of a run: in the terminal, as JSON, in Python and in the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli.api.runs.run import Run
from nnfs_cli.audit.run_slices import slices_of_run
from nnfs_cli.report.blocks import Heading
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.sections.slices import slices
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.run_predictions import RunPredictions
from tests.conftest import Nnfs

SETTINGS: dict[str, Any] = {
    "dataset": {"csv": {"path": "houses.csv", "target": "price"}},
    "split": {"validation": 0},
    "members": 2,
    "holdout": "fold",
    "preprocessing": {"numbers": "standardize", "categories": "one_hot", "target": "standardize"},
    "layers": ["linear: 1"],
    "loss": "mse",
    "optimizer": "adam",
    "lr": 0.05,
    "epochs": 15,
}


def write_houses(folder: Path, n: int = 500) -> None:
    """Write houses of which the large ones in Bonn are dearer than a linear net can say."""
    rng = np.random.default_rng(4)
    size, city = rng.integers(40, 200, n), rng.choice(["Bonn", "Kiel", "Jena"], n)
    price = 2.0 * size + 40 * (city == "Kiel") + rng.normal(0, 15, n) + 80 * ((size > 120) & (city == "Bonn"))
    lines = [f"{s},{c},{p:.1f}" for s, c, p in zip(size, city, price, strict=True)]
    (folder / "houses.csv").write_text("\n".join(["size,city,price", *lines]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    import nnfs_cli

    folder = tmp_path_factory.mktemp("houses")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_houses(folder)
        return Run((folder / nnfs_cli.train(SETTINGS, verbose=False).path).absolute())


def test_a_group_that_a_linear_net_cannot_fit_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent.parent)
    found = run.slices()
    both = {sentence.split()[3]: one for one in found for sentence in one.sentences() if "too" in sentence}
    assert all(one.columns == ("size", "city") and "city = Bonn" in one.condition for one in both.values())
    assert "size <= " in both["high"].condition  # a straight line through Bonn is too high for small houses
    assert "size > " in both["low"].condition
    first = both["low"]
    assert first.bias is not None
    assert 15 < first.bias.low < first.bias.mean < 60
    assert found.rows == found.of_rows == 500
    assert str(found).startswith(f"the net is clearly worse in {len(found)} group")
    assert "city = Bonn" in found._repr_html_()
    there, elsewhere = first.metrics["rmse"]
    assert there > elsewhere
    again = slices_of_run(RunPredictions.of_run(RunDirectory.open(run.path)))
    assert again.plain() == found.plain()


def test_without_the_table_groups_are_named_by_inputs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent.parent)
    found = RunPredictions.of_run(RunDirectory.open(run.path))
    conditions = " ".join(one.condition for one in slices_of_run(replace(found, loaded=None)))
    assert "input city=Bonn = 1" in conditions
    assert "input size" in conditions


def test_evaluate_prints_the_groups(run: Run, inside: Nnfs) -> None:
    folder = run.path.parent.parent
    text = inside("evaluate", run.path, "--slices", cwd=folder).stdout
    assert "clearly worse" in text
    assert "city = Bonn" in text
    plain = json.loads(inside("evaluate", run.path, "--slices", "--json", cwd=folder).stdout)["slices"]
    assert plain == run.slices().plain()


def test_a_report_shows_the_groups_unless_a_training_writes_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent.parent)
    directory = RunDirectory.open(run.path)
    section = slices(RunFacts(directory, thorough=True))
    assert section is not None
    assert "city = Bonn" in " ".join(block.text for block in section.blocks if isinstance(block, Heading))
    assert slices(RunFacts(directory)) is None


@pytest.mark.parametrize("option", ["--split=test", "--weights=last", "--threshold=0.4", "--costs=fp=1,fn=2"])
def test_options_that_the_search_for_groups_does_not_heed_are_refused(nnfs: Nnfs, option: str) -> None:
    result = nnfs("evaluate", "runs/none-1", "--slices", option)
    name = option.partition("=")[0]
    assert result.returncode == 2
    assert f"give either {name} or --slices, not both: groups are looked for in the largest" in result.stderr
