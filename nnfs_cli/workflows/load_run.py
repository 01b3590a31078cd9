"""Load the net, the config and the data of a run. Every error names the run and, if it can, what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_cli.blend.blend import Blend
from nnfs_cli.components.component import Component
from nnfs_cli.components.user_code import known_code
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.in_memory import InMemory, rows_for
from nnfs_cli.data.source import NO_KINDS
from nnfs_cli.data.sql.source import QuerySource
from nnfs_cli.data.table import Column, Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ConfigError, DataError, RunError
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.experiment.usable_rows import without_unusable
from nnfs_cli.prediction.batch_predict import BatchPredictor
from nnfs_cli.prediction.blending import restored_blend
from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import shown

# What Python raises when a record holds values that no object can be made of.
UNUSABLE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, MemoryError, RecursionError)
EARLIER = {"edition": 1, "engine": "numpy", "probes": False, "background": 0}  # what held before there was such a key
BLANK: dict[Kind, Column] = {
    "number": np.zeros(1),
    "category": Texts(np.zeros(1, np.int64), np.array(["a category"], object)),
    "date": np.zeros(1, "datetime64[us]"),
}


def restore(run: RunDirectory, weights: str = "best", with_threshold: bool = True) -> Predictor:
    """Return the trained net of a run, which decides by the saved threshold if there is one.

    Raises `RunError` if the directory is incomplete or damaged.
    """
    predictor = net_of(run, config_of(run))
    run.arrays.read_weights(weights, predictor.model.parameters.arrays)
    predictor.blend = _blend_of(run, predictor)
    if with_threshold and weights == "best" and (decision := run.records.decision()):  # chosen for these weights
        predictor = predictor.with_decision(decision)
    state = run.status().get("state", "unknown")
    if state != "finished":
        warn(f"the training of {run.path} has not finished; its state is '{state}'")
    return predictor


def _blend_of(run: RunDirectory, predictor: Predictor) -> Blend | None:
    """Return the models that are blended with the net of a run, once it is trained. Raises `RunError` for damage."""
    if not predictor.config.blend:
        return None
    arrays = run.arrays.blend()
    if arrays is None:
        if run.status().get("state") == "finished":
            raise RunError(f"{run.path} is damaged: it lacks blend.npz, the models that are blended with its net")
        return None
    with blame_run(run):
        return restored_blend(predictor, arrays)


def calibration_of(run: RunDirectory, predictor: Predictor) -> NumberCalibration | ClassCalibration:
    """Return the calibration of the net of a run. Raises `RunError` if there is none, or if it is of another net."""
    if predictor.encoder.exposure is not None:
        why = "because the spread of a count depends on its exposure"
        raise RunError(f"{run.path} has no intervals: it predicts counts with an exposure, {why}")
    calibration = run.calibration()
    if isinstance(calibration, NumberCalibration) and not calibration.fits(predictor.encoder):
        raise RunError(f"{run.path} is damaged: its calibration.json is that of another net")
    if isinstance(calibration, ClassCalibration) and len(calibration.scores) not in (1, len(predictor.labels)):
        raise RunError(f"{run.path} is damaged: its calibration.json has scores of other classes than its net")
    return calibration


def config_of(run: RunDirectory) -> Config:
    """Return the config of a run. Raises `RunError` if it needs components of the user's that are not defined.

    A run of an earlier release keeps to what held then, such as the rules of edition 1.
    """
    _require_code(run)
    with blame_run(run):
        spec = Document.load(run.spec_file)
        earlier = {key: value for key, value in EARLIER.items() if key not in spec.data}
        return Config.read(spec.replaced(earlier) if earlier else spec, files_must_exist=False)


def net_of(run: RunDirectory, config: Config) -> Predictor:
    """Return the net of a run, without its weights.

    Raises `RunError` unless a dummy row passes through every step that real rows pass through later.
    """
    with blame_run(run), ignored_warnings():
        data = run.records.data()
        predictor = Predictor(config, Encoder.from_json(data["fitted"], config.preprocessing), drawn=False)
        encoder, marks = predictor.encoder, np.zeros(1, bool)
        if encoder.targets != config.dataset.target_columns():
            raise ValueError("its data.json and its spec.yaml name different targets")
        row = Table("a row", {name: BLANK[kind] for name, kind in encoder.kinds.items()})
        predictor.predict(row, marks)
        encoder.encode(row, predictor.model.dtype, encoder.assign_folds(1, config.seed), marks)
        batches = BatchPredictor(predictor, data["inputs"], config.dataset, drift=True)
        batches.far.count(row)
        if batches.drift:
            batches.drift.add(row)
            batches.drift.report()
    return predictor


@contextlib.contextmanager
def blame_run(run: RunDirectory) -> Iterator[None]:
    """Turn errors about the content of a run's files into a `RunError` that names the run."""
    try:
        yield
    except (ConfigError, DataError, *UNUSABLE) as error:
        what = (
            error if isinstance(error, ConfigError) else f"{error!s:.300}"
        )  # Python's messages quote values of any length
        data = run.records.data()
        if data["code"] or data["components"]:
            raise RunError(f"{run.path} does not fit the given code: {what}") from None
        raise RunError(f"{run.path} is damaged: {what}") from None


def _require_code(run: RunDirectory) -> None:
    """Raise `RunError` unless the user's components that a run was trained with are defined."""
    data = run.records.data()
    for part in data["components"]:
        family = Component.families.get(part["family"])
        if family is None or part["name"] not in family.registered:
            what, module = f"the {part['family']:.40} {shown(part['name'])}", part["module"]
            if module == "__main__":
                where = f"of the notebook or script that trained it; define the class {part['class']:.40} first"
            else:
                where = f"of the module {module:.80}; import that first"
            raise RunError(f"{run.path} was trained with {what} {where}, or give its file with --code")
    loaded = known_code() if data["code"] else {}
    for name, sha256 in data["code"].items():
        if sha256 in loaded.values():
            continue
        if name not in loaded:
            remedy = f"give that file, with --code {name} or load_code({name!r})"
            raise RunError(f"{run.path} was trained with components of {name}; {remedy}")
        warn(f"{name} is not the file that {run.path} was trained with")


def data_of(run: RunDirectory, config: Config, remedy: str | None, data: Any = None) -> LoadedData:
    """Return the data of a run, split as in training.

    `data`, a file or a table given in Python, takes the place of the data set of the config, see `rows_for`.
    Raises `DataError` if the data is missing, or if it has changed and there is a `remedy` to name. Without a remedy,
    changed data is only warned about.
    """
    if data is not None:
        config = config.model_copy(update={"dataset": rows_for(data, config.dataset)})
    source = config.dataset
    files = [*(source.files if isinstance(source, FileSource) else ()), *config.split.files.values()]
    if isinstance(source, FileSource) and not all(path.is_file() for path in files):  # a pipe would never end
        raise DataError(
            f"the data of {run.path} is no longer at {source.path}; put it back, or {remedy or 'give its path'}"
        )
    if isinstance(source, InMemory) and not source.has_rows:
        kept = f"{run.path} was trained on a table given in Python, and does not keep its rows"
        raise DataError(f"{kept}; give the same table again in Python, as data=table")
    with blame_run(run):
        recorded_kinds = {column["name"]: column["kind"] for column in run.records.data()["inputs"]}
    loaded = load_data(config, recorded_kinds if isinstance(source, InMemory) else NO_KINDS)
    recorded = run.records.trained_on()
    for split, reader in loaded.readers.items():
        if reader.sha256 == recorded.get(split):
            continue
        rows = "the result of the query" if isinstance(source, QuerySource) else reader.name
        changed = f"{rows} has changed since {run.path} was trained, so it is not known which rows were held out"
        if remedy is not None:
            raise DataError(f"{changed}; {remedy}")
        warn(changed)
        break
    if config.on_error != "skip":
        return loaded
    with blame_run(run):
        encoder = Encoder.from_json(run.records.data()["fitted"], config.preprocessing)
    return without_unusable(config, encoder, loaded)
