"""Exports: nothing is written that has not proved itself, and what was written is recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

import nnfs_cli as nnfs
from nnfs_cli.arrays import Array
from nnfs_cli.errors import DivergedError, ExportError, RunError, UserError
from nnfs_cli.export import export as module
from nnfs_cli.export import proof
from nnfs_cli.export.export import FORMATS, export, format_named
from nnfs_cli.export.proof_rows import MADE_UP, made_up, proof_rows
from nnfs_cli.export.rounding import rounding_errors
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.prediction.as_pipeline import as_pipeline
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.workflows.predict import predictor_of
from tests.conftest import ROOT
from tests.export.numpy_format import Numpy

pytestmark = pytest.mark.filterwarnings("ignore:the net has")
Fault = Callable[[dict[str, Array], Array], None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.warns(match="it may overfit"):
        found = nnfs.train(ROOT / "configs" / "breast_cancer.yaml", epochs=2, folder=folder)
    return RunDirectory.open(found.path)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], None]:
    """A function after which every format is one of tests with this fault."""

    def set_fault(fault: Fault) -> None:
        form = Numpy()
        form.fault = fault
        monkeypatch.setattr(module, "format_named", lambda name: form)

    return set_fault


def nothing(outputs: dict[str, Array], usable: Array) -> None:
    pass


def test_an_export_is_recorded_in_the_run(
    run: RunDirectory, tmp_path: Path, faulty: Callable[[Fault], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty(nothing)
    found = export(run, "numpy", tmp_path / "model.npy")
    assert found.files == (tmp_path / "model.npy", tmp_path / "model.beside")
    assert found.proof.difference <= found.proof.tolerance
    assert (found.proof.held_out, found.proof.made_up) == (114, MADE_UP)
    entry = RunDirectory.open(run.path).records.exports()[-1]
    assert entry["file"] == "model.npy"
    assert entry["sha256"] == hashlib.sha256((tmp_path / "model.npy").read_bytes()).hexdigest()
    assert entry["proof"] == vars(found.proof)
    assert f"largest difference {found.proof.difference:.1e}" in (tmp_path / "model.npy").read_text()
    export(run, "numpy", tmp_path / "model.npy")
    monkeypatch.chdir(tmp_path)
    assert export(run, "numpy").files[0] == Path(f"{run.path.name}.npy")
    files = [one["file"] for one in RunDirectory.open(run.path).records.exports()]
    assert files == ["model.npy", f"{run.path.name}.npy"]


def shift_one(outputs: dict[str, Array], usable: Array) -> None:
    outputs["probability_benign"][3] += 1e-4


def spoil_one(outputs: dict[str, Array], usable: Array) -> None:
    outputs["probability_benign"][3] = np.nan


def swap_labels(outputs: dict[str, Array], usable: Array) -> None:
    outputs["prediction"][:] = outputs["prediction"][::-1].copy()


def refuse_one(outputs: dict[str, Array], usable: Array) -> None:
    usable[5] = False


def accept_all(outputs: dict[str, Array], usable: Array) -> None:
    usable[:] = True


def lose_one(outputs: dict[str, Array], usable: Array) -> None:
    del outputs["prediction"]


@pytest.mark.parametrize("fault", [shift_one, spoil_one, swap_labels, refuse_one, accept_all, lose_one])
def test_a_model_that_differs_leaves_no_file(
    run: RunDirectory, tmp_path: Path, faulty: Callable[[Fault], None], fault: Fault
) -> None:
    faulty(fault)
    before = RunDirectory.open(run.path).records.exports()
    with pytest.raises(ExportError):
        export(run, "numpy", tmp_path / "model.npy")
    assert not list(tmp_path.iterdir())
    assert RunDirectory.open(run.path).records.exports() == before


def test_a_label_may_differ_where_rounding_decides(
    run: RunDirectory, tmp_path: Path, faulty: Callable[[Fault], None]
) -> None:
    """At a threshold that equals the probability of a row, the slightest difference turns the label."""
    predictor = predictor_of(run)
    rows = proof_rows(run, predictor, as_pipeline(predictor))
    p = predictor.predict(rows.table, np.zeros(rows.table.n_rows, bool))["probability_benign"]
    run.records.write_decision({"threshold": float(p[7]), "class": "benign", "by": "hand"})

    def turn(outputs: dict[str, Array], usable: Array) -> None:
        outputs["prediction"][7] = "malignant"

    faulty(turn)
    try:
        assert export(run, "numpy", tmp_path / "model.npy").proof.difference == 0
    finally:
        run.records.write_decision(None)


def test_a_label_may_differ_where_rounding_alone_moves_its_probability(
    run: RunDirectory, tmp_path: Path, faulty: Callable[[Fault], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a sine of an angle that is far outside."""

    def wild(pipeline: Pipeline, cells: Mapping[str, Array]) -> dict[str, Array]:
        errors = rounding_errors(pipeline, cells)
        for error in errors.values():
            error[7] = 0.1
        return errors

    def turned(row: int) -> Fault:
        def turn(outputs: dict[str, Array], usable: Array) -> None:
            outputs["prediction"][row] = "benign" if outputs["prediction"][row] == "malignant" else "malignant"

        return turn

    monkeypatch.setattr(proof, "rounding_errors", wild)
    faulty(turned(7))
    assert export(run, "numpy", tmp_path / "model.npy").proof.extreme > 0
    faulty(turned(8))
    with pytest.raises(ExportError, match="for 'prediction'"):
        export(run, "numpy", tmp_path / "model.npy")


def test_without_its_data_a_run_is_proved_by_made_up_rows(tmp_path: Path, faulty: Callable[[Fault], None]) -> None:
    table = {"size": np.arange(40.0), "city": ["a", "b"] * 20, "price": np.arange(40.0) * 2}
    preprocessing = {"numbers": ["impute", "standardize"], "categories": "one_hot"}
    settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "price"}, "preprocessing": preprocessing}
    run = RunDirectory.open(nnfs.train(settings, table, folder=tmp_path, epochs=2).path)
    faulty(nothing)
    found = export(run, "numpy", tmp_path / "model.npy")
    assert (found.proof.held_out, found.proof.made_up) == (0, MADE_UP)
    assert 100 < found.proof.refused < 500  # unseen words, but no gaps


@pytest.mark.filterwarnings("ignore:the training of")
def test_a_proof_without_a_prediction_is_none(tmp_path: Path, faulty: Callable[[Fault], None]) -> None:
    table = {"size": np.arange(40.0), "price": np.arange(40.0) * 2}
    layers = ["linear: 6", "relu", "linear: 1"]
    settings = {
        "layers": layers,
        "loss": "mse",
        "dataset": {"table": "price"},
        "epochs": 2,
        "batch_size": 4,
        "lr": 1e30,
    }
    with pytest.raises(DivergedError):
        nnfs.train(settings, table, folder=tmp_path / "runs")
    run = RunDirectory.open(next((tmp_path / "runs").iterdir()))
    faulty(nothing)
    with pytest.raises(RunError, match="has no best weights"):
        export(run, "numpy", tmp_path / "model.npy")
    with pytest.raises(ExportError, match="no prediction for any of 1,000 rows"):
        export(run, "numpy", tmp_path / "model.npy", weights="last")
    assert [one.name for one in tmp_path.iterdir()] == ["runs"]


def test_made_up_rows_have_edge_cases_in_their_second_half(run: RunDirectory) -> None:
    inputs = [
        {"name": "n", "kind": "number", "min": -1.5, "max": 2.0, "edges": [-1.0, 0.0]},
        {"name": "c", "kind": "category", "counts": {"a": 3, "b": 1}},
        {"name": "d", "kind": "date", "min": "2020-01-01", "max": "2021-01-01"},
        {"name": "empty", "kind": "number", "min": None, "max": None, "edges": []},
    ]
    columns = made_up(inputs, 0)
    usual = slice(0, MADE_UP // 2)
    assert ((columns["n"][usual] >= -1.5) & (columns["n"][usual] <= 2)).all()
    assert {*columns["c"][usual].tolist()} == {"a", "b"}
    assert not np.isnat(columns["d"][usual]).any()
    edge = slice(MADE_UP // 2, None)
    assert np.isnan(columns["n"][edge]).any()
    assert (columns["n"][edge] > 1e38).any()
    assert {None, "", "A", "a;ax"} < {*columns["c"][edge].tolist()}
    assert np.isnat(columns["d"][edge]).any()
    ends = {"2020-02-29", "2020-03-01", "2020-12-31", "2021-01-01"}
    assert ends < {*columns["d"][edge].astype("datetime64[D]").astype(str).tolist()}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pge", "did you mean 'page'"),
        ("HTML", "no format 'HTML'; did you mean 'page'\\?$"),
        (".py", "did you mean 'python'"),
        ("excel", "; there are onnx, python, c, page and sql$"),
        ("", "choose a format with --to: onnx,"),
    ],
)
def test_an_unknown_format_is_refused(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        format_named(name)


def test_every_format_has_the_name_that_it_is_listed_under() -> None:
    assert [format_named(name).name for name in FORMATS] == [*FORMATS]


def test_an_output_that_cannot_be_written_is_refused_before_any_work(run: RunDirectory, tmp_path: Path) -> None:
    for path, message in [
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "x.html", "there is no folder"),
        (run.path / "x.html", "lies in the run"),
        (tmp_path / "x.py", "must end in .html"),
        (Path("-"), "must end in .html"),
    ]:
        with pytest.raises(UserError, match=message):
            export(run, "page", path)


def test_data_is_never_overwritten(tmp_path: Path, faulty: Callable[[Fault], None]) -> None:
    """Neither by the file of the model nor by one beside it."""
    for name in ("model.npy", "model.beside"):
        path = tmp_path / name
        path.write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(40)))
        before = path.read_bytes()
        settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"csv": {"path": str(path), "target": "b"}}}
        run = RunDirectory.open(nnfs.train(settings, folder=tmp_path / "runs", epochs=1).path)
        faulty(nothing)
        with pytest.raises(UserError, match="is the data of the run"):
            export(run, "numpy", tmp_path / "model.npy")
        assert path.read_bytes() == before
        path.unlink()
    assert [one.name for one in tmp_path.iterdir()] == ["runs"]


def test_a_folder_beside_the_file_is_noticed_before_anything_is_written(
    run: RunDirectory, tmp_path: Path, faulty: Callable[[Fault], None]
) -> None:
    faulty(nothing)
    (tmp_path / "model.beside").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        export(run, "numpy", tmp_path / "model.npy")
    assert [one.name for one in tmp_path.iterdir()] == ["model.beside"]


def test_a_run_that_is_the_current_folder_keeps_its_name(
    run: RunDirectory, tmp_path: Path, faulty: Callable[[Fault], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty(nothing)
    monkeypatch.chdir(run.path)
    export(RunDirectory.open("."), "numpy", tmp_path / "model.npy")
    assert f"('run', '{run.path.name}')" in (tmp_path / "model.npy").read_text()
