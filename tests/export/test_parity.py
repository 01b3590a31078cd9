"""Every format predicts what the run does, for runs with every layer, loss and preprocessing step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnfs_cli as nnfs
from nnfs_cli.errors import ExportError
from nnfs_cli.export.export import FORMATS, exported_model, format_named
from nnfs_cli.export.format import Format
from nnfs_cli.export.proof import prove
from nnfs_cli.export.proof_rows import proof_rows
from nnfs_cli.prediction.cells import cells_of
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.predict import predictor_of
from tests.export.numpy_format import Numpy
from tests.export.runs import FEW, RUNS, table

CANNOT = {  # what a format cannot hold, as a part of its message
    "onnx": ("cannot compute the hash",),
    "sql": ("cannot compute the hash", "entries of the lists", "SQL holds models of at most"),
}
pytestmark = pytest.mark.filterwarnings("ignore::nnfs_cli.NnfsWarning")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def trained(folder: Path, name: str) -> RunDirectory:
    """Return the run of this name, trained when it is first asked for."""
    path = folder / str([*RUNS].index(name))
    if not path.exists():
        made = nnfs.train(dict(RUNS[name].settings), table(), folder=folder)
        Path(made.path).rename(path)
    return RunDirectory.open(path)


def prove_run(form: Format, folder: Path, name: str) -> None:
    run, interval = trained(folder, name), RUNS[name].interval
    predictor = predictor_of(run, "best", interval)
    model = exported_model(run, predictor, "best", interval)
    rows = proof_rows(run, predictor, model.pipeline, table())
    with tempfile.TemporaryDirectory() as place:
        for file, content in form.files(model, "model").items():
            (Path(place) / file).write_bytes(content)
        found = form.predict(Path(place), "model", model, cells_of(predictor.encoder, rows.table))
    proof = prove(predictor, model.pipeline, rows, found, form.overflows)
    assert proof.held_out > 0
    assert proof.held_out + proof.made_up >= 1_000
    assert proof.refused < 500
    assert proof.extreme < (100 if form.overflows else 250)  # of rows that overflow float32, too


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_numpy_predicts_what_the_run_does(folder: Path, name: str) -> None:
    prove_run(Numpy(), folder, name)


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("to", FORMATS)
def test_a_format_predicts_what_a_few_runs_do(folder: Path, to: str, name: str) -> None:
    prove_as_far_as_it_can(folder, to, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("to", FORMATS)
def test_a_format_predicts_what_every_run_does(folder: Path, to: str, name: str) -> None:
    prove_as_far_as_it_can(folder, to, name)


def prove_as_far_as_it_can(folder: Path, to: str, name: str) -> None:
    try:
        prove_run(format_named(to), folder, name)
    except ExportError as error:
        if not any(reason in str(error) for reason in CANNOT.get(to, ())):
            raise
