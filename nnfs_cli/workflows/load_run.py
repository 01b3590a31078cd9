"""From the files of a run to its net and its rows."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np

from nnfs_cli.components.user_code import LOADED
from nnfs_cli.config.config import Config
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.table import Column, Kind, Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import ConfigError, DataError, NnfsWarning, RunError
from nnfs_cli.experiment.read_data import LoadedData, load_data
from nnfs_cli.prediction.batch_predict import Predictions
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.run import Run

# What Python says of values that nothing can be made of.
UNMADE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, MemoryError, RecursionError)
BLANK: dict[Kind, Column] = {
    "number": np.zeros(1),
    "category": Texts(np.zeros(1, np.int64), np.array(["a word"], object)),
    "date": np.zeros(1, "datetime64[us]"),
}


def restore(run: Run, weights: str = "best", decided: bool = True) -> Predictor:
    """The trained net of a run, which goes by the threshold that was kept, unless it is to be decided anew.

    Raises `RunError` when the directory is incomplete or damaged.
    """
    predictor = net_of(run, spec_of(run))
    run.arrays.read_weights(weights, predictor.model.parameters.arrays)
    decision = run.records.decision() if decided and weights == "best" else None  # for which it was chosen
    predictor.threshold = decision["threshold"] if decision else None
    state = run.status().get("state", "unknown")
    if state != "finished":
        warnings.warn(f"the training of {run.path} has not finished; its state is '{state}'", NnfsWarning, stacklevel=3)
    return predictor


def spec_of(run: Run) -> Config:
    """The spec of a run, whose own components have been loaded."""
    _require_code(run)
    with damage_said(run):
        return Config.load(run.spec_file, files_must_exist=False)


def net_of(run: Run, spec: Config) -> Predictor:
    """The net of a run, without its weights.

    Raises `RunError` unless a made-up row can go all the ways with it that rows go.
    """
    with damage_said(run), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = run.records.data()
        predictor = Predictor(spec, Encoder.from_json(data["fitted"], spec.preprocessing), drawn=False)
        encoder, marks = predictor.encoder, np.zeros(1, bool)
        if encoder.targets != spec.dataset.target_columns():
            raise ValueError("its record of the data names other targets than its spec")
        row = Table("a row", {name: BLANK[kind] for name, kind in encoder.kinds.items()})
        predictor.predict(row, marks)
        encoder.encode(row, predictor.model.dtype, encoder.assign_folds(1, spec.seed), marks)
        predictions = Predictions(predictor, data["inputs"], spec.dataset, drift=True)
        predictions.watch(row)
        if predictions.drift:
            predictions.drift.add(row)
            predictions.drift.report()
    return predictor


@contextlib.contextmanager
def damage_said(run: Run) -> Iterator[None]:
    """Let what cannot be made of a run's files be about the run."""
    try:
        yield
    except (ConfigError, DataError, *UNMADE) as error:
        what = error if isinstance(error, ConfigError) else f"{error!s:.300}"  # Python quotes values of any length
        if run.records.data()["code"]:
            raise RunError(f"{run.path} does not go with the code that was given: {what}") from None
        raise RunError(f"{run.path} is damaged: {what}") from None


def _require_code(run: Run) -> None:
    """Raise `RunError` unless the user's own files that a run was trained with have been loaded."""
    loaded = {code.path.name: code.sha256 for code in LOADED.values()}
    for name, sha256 in run.records.data()["code"].items():
        if sha256 in loaded.values():
            continue
        if name not in loaded:
            raise RunError(f"{run.path} was trained with components of {name}; give that file, with --code {name}")
        warnings.warn(f"{name} is not what {run.path} was trained with", NnfsWarning, stacklevel=3)


def gathered(run: Run, spec: Config, remedy: str | None) -> LoadedData:
    """The data of a run, split as it was. Raises `DataError` when it is gone or, where there is a remedy, has changed.

    Without a remedy a warning will do.
    """
    source = spec.dataset
    files = [*(source.files if isinstance(source, FileSource) else ()), *spec.split.files.values()]
    if isinstance(source, FileSource) and not all(path.is_file() for path in files):  # nor a pipe that never ends
        raise DataError(
            f"the data of {run.path} is not at {source.path} any more; put it there, or {remedy or 'name it'}"
        )
    loaded = load_data(spec)
    recorded = run.records.trained_on()
    for split, of_split in loaded.readers.items():
        if of_split.sha256 == recorded.get(split):
            continue
        changed = (
            f"{of_split.name} is no longer what {run.path} was trained on, so which rows were held back is not known"
        )
        if remedy is not None:
            raise DataError(f"{changed}; {remedy}")
        warnings.warn(changed, NnfsWarning, stacklevel=5)
        break
    return loaded
