"""What users see of a blend."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnfs_cli import Run, workflows
from nnfs_cli.errors import RunError
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.report.sections.blend import blend
from nnfs_cli.runs.directory import RunDirectory
from tests.blend.runs import experiment
from tests.conftest import Nnfs, unsealed

pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")


@pytest.fixture
def inside_folder(classes: RunDirectory, inside: Nnfs) -> Nnfs:
    """Run commands beside the run on classes."""
    return lambda *words: inside(*words, cwd=classes.path.parent.parent)


def test_a_training_tells_what_joins_the_net_and_how_much_each_model_counts(tmp_path: Path, inside: Nnfs) -> None:
    experiment(tmp_path)
    done = inside("train", "c.yaml")
    lines = [" ".join(line.split()) for line in done.stderr.splitlines()]
    assert "blend trees, forest, linear and constant join the net after its training" in lines
    parts = Run.newest(tmp_path / "runs").blend
    assert parts is not None
    told = next(line for line in lines if "the net alone has a loss of" in line)
    for model, weight in zip(parts["model"], parts["weight"], strict=True):
        assert (f"{model} {weight:.2f}" in told) == (weight >= 0.005)
    assert told.endswith(f"; the net alone has a loss of {parts['loss'][0]:.4f}")
    validation = next(line for line in lines if line.startswith("validation"))
    assert lines.index(told) == lines.index(validation) + 2  # the test rows lie between


def test_python_and_json_have_weights_and_losses_by_model(classes: RunDirectory, inside_folder: Nnfs) -> None:
    run, whole = Run(classes), workflows.restore(classes).blend
    assert whole is not None
    assert run.blend is not None
    assert tuple(run.blend["model"]) == whole.names
    np.testing.assert_array_equal(run.blend["weight"], whole.weights[0])
    np.testing.assert_array_equal(run.blend["loss"], whole.losses[1:])
    assert "blend" not in run.metrics
    assert "the net alone has a loss of" in " ".join(str(run).split())
    found = json.loads(inside_folder("evaluate", run.path, "--json").stdout)
    assert found["blend"] == classes.metrics()["blend"]
    assert json.loads(inside_folder("runs", "show", run.path, "--json").stdout)["metrics"]["blend"] == found["blend"]


def test_the_report_has_the_weights_and_losses_and_names_the_blend(classes: RunDirectory) -> None:
    section = blend(RunFacts(classes))
    assert section is not None
    rows = next(block.rows for block in section.blocks if block.kind == "rows")  # type: ignore[attr-defined]
    assert [row[0] for row in rows] == ["net", "trees", "forest", "linear", "constant", "the blend"]
    assert float(rows[-1][2]) == pytest.approx(classes.metrics()["validation"]["loss"], abs=1e-4)


def test_who_shows_the_net_alone_says_so(classes: RunDirectory, inside_folder: Nnfs) -> None:
    for words, sentence in (
        (("doctor", classes.path), "the diagnoses are about the net alone"),
        (("trace", classes.path), "without its blend"),
        (("summary", classes.path), "trees, forest, linear and constant, beside the net and not in this table"),
    ):
        assert sentence in " ".join(inside_folder(*words).stdout.split())


@pytest.mark.parametrize(
    "parts", [{}, "net", [1], [{"model": "net", "weight": 0.5}], [{"model": 3, "weight": 0.5, "loss": 0.5}]], ids=str
)
def test_a_damaged_record_of_a_blend_is_refused(parts: object, classes: RunDirectory, tmp_path: Path) -> None:
    path = unsealed(Path(shutil.copytree(classes.path, tmp_path / "run-1")))
    (path / "metrics.json").write_text(json.dumps({**classes.metrics(), "blend": parts}))
    with pytest.raises(RunError, match="holds no figure for 'blend'"):
        RunDirectory.open(path).metrics()
