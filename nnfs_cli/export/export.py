"""Export a run: write its model in another format, once the file has proved that it predicts the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nnfs_cli
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DataError, UserError
from nnfs_cli.explain.attributions import Attributor
from nnfs_cli.export.format import ExportedModel, Format, Predictions
from nnfs_cli.export.meanings import meanings
from nnfs_cli.export.proof import Proof, prove
from nnfs_cli.export.proof_rows import proof_rows
from nnfs_cli.prediction.as_pipeline import as_pipeline
from nnfs_cli.prediction.cells import cells_of
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.files import attach_path, is_one_of, require_folder_of, write_atomically
from nnfs_cli.system.wording import did_you_mean, listing, named
from nnfs_cli.workflows.background import background_of
from nnfs_cli.workflows.evaluate import writing_if_possible
from nnfs_cli.workflows.predict import predictor_of

FORMATS = ("onnx", "python", "c", "page", "sql")
SYNONYMS = {
    **dict.fromkeys(("py", "numpy"), "python"),
    **dict.fromkeys(("html", "browser", "javascript", "js", "web"), "page"),
    **dict.fromkeys(("duckdb", "postgres", "postgresql", "sqlite"), "sql"),
    **dict.fromkeys(("c99", "h"), "c"),
}


@dataclass(frozen=True)
class Export:
    """What an export has written: the files, the main one first, and the proof that they predict what the run does."""

    format: str
    files: tuple[Path, ...]
    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    proof: Proof

    def plain(self) -> dict[str, Any]:
        """Return everything as values for JSON."""
        return {
            "format": self.format,
            "files": [path.as_posix() for path in self.files],
            "bytes": [path.stat().st_size for path in self.files],
            "columns": list(self.columns),
            "outputs": list(self.outputs),
            "proof": vars(self.proof),
        }


def format_named(name: str) -> Format:
    """Return the format of this name. Raises `UserError` if there is none."""
    if name == "onnx":
        from nnfs_cli.export.onnx.format import OnnxFormat

        return OnnxFormat()
    if name == "python":
        from nnfs_cli.export.python.format import PythonFormat

        return PythonFormat()
    if name == "c":
        from nnfs_cli.export.c.format import CFormat

        return CFormat()
    if name == "page":
        from nnfs_cli.export.page.format import PageFormat

        return PageFormat()
    if name == "sql":
        from nnfs_cli.export.sql.format import SqlFormat

        return SqlFormat()
    if not name:
        raise UserError(f"choose a format with --to: {listing(FORMATS, 'or')}")
    word = name.lower().lstrip(".")
    hint = did_you_mean(SYNONYMS.get(word, word), FORMATS) or f"; there are {listing(FORMATS)}"
    raise UserError(f"there is no format {named(name)}{hint}")


def export(
    run: RunDirectory,
    to: str,
    output: Path | None = None,
    *,
    interval: float | None = None,
    weights: str = "best",
    data: Any = None,
    told: Callable[[str], object] = lambda doing: None,
) -> Export:
    """Write the model of a run to `output`, by default a file of the run's name in the current folder.

    Before anything is written, the exported model predicts at least 1,000 rows in its own runtime, and must agree with
    the run; see `prove`. Then the run keeps in its export.json what was found. `interval` adds intervals or sets of
    classes; see `predictor_of`. `data` holds the rows of the run, if they are not where the config says; without any,
    made-up rows alone are compared. `told` is called with what is being done.
    Raises `ExportError` if the format cannot hold the model or the proof fails, `UserError` for a format that there
    is not, an output that cannot be written, or a package that is missing.
    """
    form = format_named(to)
    path = output or Path(_name(run) + form.suffix)
    _require_place(path, form.suffix, run)
    predictor = predictor_of(run, weights, interval)
    _require_no_data(path, predictor.config)
    told("writing the model")
    model = exported_model(run, predictor, weights, interval)
    told("predicting rows with both")
    rows = proof_rows(run, predictor, model.pipeline, data)
    stem, cells = path.name.removesuffix(form.suffix), cells_of(predictor.encoder, rows.table)
    predictions = _predictions(form, model, form.files(model, stem), stem, cells)
    proof = prove(predictor, model.pipeline, rows, predictions, form.overflows)
    final = replace(model, about={**model.about, "proof": str(proof)})
    files = form.files(final, stem)
    if not _predictions(form, final, files, stem, cells).equal(predictions):
        raise AssertionError("the text of the proof changed the model")
    paths = [path, *(path.with_name(name) for name in [*files][1:])]
    for other in paths[1:]:
        _require_place(other, other.suffix, run)
        _require_no_data(other, predictor.config)
    for file, content in zip(paths, files.values(), strict=True):
        _write(file, content)
    found = Export(form.name, tuple(paths), tuple(model.pipeline.columns), tuple(model.pipeline.outputs), proof)
    _record(run, found, weights, interval, next(iter(files.values())))
    return found


def exported_model(run: RunDirectory, predictor: Predictor, weights: str, interval: float | None) -> ExportedModel:
    """Return the model of a run as formats take it."""
    data = run.records.data()
    about = {
        "run": _name(run),
        "nnfs": nnfs_cli.__version__,
        "weights": weights,
        "targets": ", ".join(predictor.encoder.targets),
        **({} if interval is None else {"interval": f"{interval:g}"}),
    }
    targets = predictor.encoder.targets
    attributor = _attributor(run, predictor)
    of_columns = meanings(predictor.config.dataset.parsers)
    return ExportedModel(
        _name(run), as_pipeline(predictor), data["inputs"], about, targets, interval, attributor, of_columns
    )


def _attributor(run: RunDirectory, predictor: Predictor) -> Attributor | None:
    """Return what divides predictions among the columns; None if neither the run nor its data has rows for it."""
    try:
        return Attributor(predictor, background_of(run, predictor))
    except DataError:
        return None


def _predictions(
    form: Format, model: ExportedModel, files: Mapping[str, bytes], stem: str, cells: Mapping[str, Array]
) -> Predictions:
    """Return what files predict for cells, in the format's own runtime."""
    with tempfile.TemporaryDirectory(prefix="nnfs-export-") as folder:
        for name, content in files.items():
            path = Path(folder) / name
            with attach_path(path):
                path.write_bytes(content)
        return form.predict(Path(folder), stem, model, cells)


def _name(run: RunDirectory) -> str:
    return run.path.resolve().name  # which "." has, too


def _require_place(path: Path, suffix: str, run: RunDirectory) -> None:
    """Raise `UserError` for an output that cannot be written, has another suffix, or lies in the run."""
    if path.is_dir() or path == Path():
        raise UserError(f"{named(str(path))} is a folder; give the name of a file")
    if path.suffix != suffix:
        raise UserError(f"{named(str(path))}: the name of the output must end in {suffix}")
    require_folder_of(path)
    if run.path.resolve() in path.resolve().parents:
        raise UserError(f"{named(str(path))} lies in the run; choose a place outside of it")


def _require_no_data(path: Path, config: Config) -> None:
    """Raise `UserError` for an output that is a file of the data: it would be lost."""
    if is_one_of(path, config.data_files):
        raise UserError(f"{named(str(path))} is the data of the run; name another file for the model")


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))


def _record(run: RunDirectory, found: Export, weights: str, interval: float | None, content: bytes) -> None:
    """Keep in the run what was exported, unless another process writes there."""
    entry = {
        "format": found.format,
        "file": found.files[0].name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "nnfs": nnfs_cli.__version__,
        "weights": weights,
        "interval": interval,
        "proof": vars(found.proof),
    }
    with writing_if_possible(run):
        if run.locked:
            run.records.add_export(entry)
