"""The config as one frozen value: every key with its type, default and description."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from nnfs_cli.blend import BlendedModel
from nnfs_cli.components.field_types import MAX_INT, Bytes, NotEmpty, PositiveFloat, PositiveInt, Seed, Switch, Text
from nnfs_cli.components.section import SENTENCE_ABOUT_KEY, Section, invalid
from nnfs_cli.config.cross_checks import cross_check, memory_faults, net_faults
from nnfs_cli.config.document import Document
from nnfs_cli.config.monitors import with_monitors
from nnfs_cli.config.search_checks import search_faults
from nnfs_cli.config.synonyms import hint, setting_meant_by
from nnfs_cli.config.yaml import YamlError, dump, dump_value
from nnfs_cli.data import DataSource
from nnfs_cli.data.file_source import FileSource
from nnfs_cli.data.parsing import Parser
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.weights import ClassWeights
from nnfs_cli.errors import MAX_FAULTS, ConfigError, Fault
from nnfs_cli.metrics import Metric, default_metrics
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.presets import Preset
from nnfs_cli.search import Distribution
from nnfs_cli.system.remote.file import Location
from nnfs_cli.system.wording import named, shown
from nnfs_cli.tracking.trackers import Trackers
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.callbacks import NamedCallback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Minimizer, Optimizer
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.schedules import Constant, Schedule

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


def _run_name(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_NAME, value):
        return value
    raise invalid(f"expected a name of letters, digits, '.', '_' and '-', found {shown(value)}")


def _batch_size(value: object) -> int | str | None:
    if value in ("full", None) or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_INT):
        return value
    if isinstance(value, int) and value > MAX_INT:
        raise invalid(f"must be at most {MAX_INT:,}, found {value}")
    raise invalid(f"expected a number of rows, such as 32, or full, found {shown(value)}")


class Config(Section):
    """The settings of a run: the data, the net and the training. Each field is a key of the config file.

    >>> from nnfs_cli import Config
    >>> config = Config.load("configs/iris.yaml")
    >>> config.loss
    CrossEntropy()
    >>> config.dataset.name
    'iris'
    """

    name: Annotated[str, PlainValidator(_run_name, json_schema_input_type=Annotated[str, Field(pattern=_NAME)])] = "run"
    """Name of the run directories. By default, the name of the config file."""
    preset: Preset | None = None
    """Preset that fills in every key you leave out. By default `tabular` if there are no `layers`, else none."""
    dataset: DataSource
    """Data to learn from: a built-in data set, a file such as `csv` (path relative to the config), or a query."""
    missing_target: Literal["refuse", "drop"] = "refuse"
    """What to do with rows whose target is empty: `refuse` them, or `drop` them, which leaves them out."""
    on_error: Literal["stop", "skip"] = "stop"
    """What to do with a row that cannot be used, such as one with a text in a column of numbers, or with an empty cell
    that no step fills: `stop`, or `skip` it. The run counts the rows that are left out by reason."""
    split: Split = Split()
    """Held-out rows: fractions or files for `validation` and `test`, or a `column` that names the split of each row."""
    parse: Mapping[Text, Parser] = {}
    """Parsers of columns whose texts are numbers or dates, as in `{price: number, sold: {date: '%d.%m.%Y'}}`."""
    preprocessing: Preprocessing = Preprocessing()
    """Preprocessing steps for all `numbers`, `categories` and `dates`, for single `columns`, and for the `target`."""
    layers: Annotated[tuple[Layer, ...], NotEmpty]
    """Layers of the net, from first to last. Input sizes are inferred."""
    members: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """Number of nets in the ensemble. Each has its own initial weights and dropout; their predictions are averaged."""
    holdout: Literal["fold"] | None = None
    """With `fold`, the training rows are dealt into one fold per member, and each member trains without its fold. The
    predictions of each member on its own fold then replace validation rows. With `split: {time: ...}`, the latest
    quarter of the rows is dealt into folds for a quarter of the members, which train on the rows before their fold."""
    blend: tuple[BlendedModel, ...] = ()
    """Models to blend with an ensemble that has `holdout: fold`. Each is fitted without each fold in turn, and the
    predictions of all are pooled by weights that are chosen out of fold. The log shows the net alone."""
    loss: Loss
    """Loss to minimize. It also decides whether the target is read as classes or as numbers."""
    class_weights: ClassWeights | None = None
    """Weight of the rows of each class: `balanced`, or a number per label, as in `{malignant: 3}`."""
    optimizer: Optimizer = SGD()
    """Rule that updates the weights."""
    lr: PositiveFloat | None = None
    """Learning rate. Each optimizer has its own default."""
    schedule: Schedule = Constant()
    """Rule that changes the learning rate during training. Every schedule accepts a `warmup` in epochs."""
    penalty: Penalty = Penalty()
    """Penalty on large weights: `l2`, `l1` or both."""
    clip: Clip | None = None
    """Upper limit on the gradient: on its `norm`, or on the `value` of each entry."""
    epochs: PositiveInt
    """Number of passes over the training rows. For a minimizer such as lbfgs, the maximum number of iterations."""
    batch_size: Annotated[
        int | Literal["full"] | None,
        PlainValidator(_batch_size, json_schema_input_type=PositiveInt | Literal["full"] | None),
    ] = None
    """Rows per batch, or `full` for all rows. By default 32, or `full` for a minimizer such as lbfgs."""
    accumulate: PositiveInt = 1
    """Number of batches per step. Their gradients are combined as if the batches were one."""
    shuffle: Switch = True
    """Shuffle the rows in every epoch."""
    replacement: Switch = False
    """Draw the rows of each batch with replacement."""
    drop_last: Switch = False
    """Leave out the last batch of an epoch if it is not full."""
    averaging: Averaging | None = None
    """Evaluate and save an average of the weights over training, instead of the weights themselves."""
    metrics: tuple[Metric, ...] | None = None
    """Metrics to report besides the loss. By default `[accuracy]` for classes (also `rank_mae` and
    `quadratic_kappa` for ordered ones), or `[rmse, r2]` for numbers."""
    early_stopping: EarlyStopping | None = None
    """Stop training early, after `patience` logged epochs without improvement."""
    checkpoint: Checkpoint = Checkpoint()
    """Figure to `monitor` to find the best epoch. `every: 20` also saves the weights of every 20th epoch."""
    callbacks: tuple[NamedCallback, ...] = ()
    """Callbacks that watch training: built-in ones such as `stop_at`, or custom ones from a --code file."""
    max_minutes: PositiveFloat | None = None
    """Stop training after this number of minutes. `nnfs resume` continues for the same time again."""
    threads: PositiveInt | None = None
    """Maximum number of threads or processes. It changes no byte of a result. By default, the number of cores."""
    engine: Literal["auto", "numpy", "compiled"] = "auto"
    """What makes the training steps: `numpy`, or machine code that Numba has `compiled`. By default, machine code if
    the extra `fast` is installed and knows all parts of the net. Each engine rounds in its own way."""
    memory_limit: Bytes | None = None
    """Memory that training may use, such as `2 GB`, at least 250 MB. A table that does not fit is read in pieces."""
    log_every: PositiveInt = 1
    """Evaluate and log only every n-th epoch. Only a logged epoch can be the best one."""
    probes: Switch = True
    """Record statistics of each layer, and the weights of small nets, at up to 60 epochs, for reports."""
    track: Trackers = ()
    """Trackers that get the figures of every epoch as it is logged, by name, as in `{tensorboard: logs, csv: all.csv}`.
    None of them can fail a training."""
    background: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 128
    """Number of training rows that the run keeps, as inputs of the net, so that predictions can be explained without
    the data; 0 for none."""
    seed: Seed = 0
    """Seed of all random numbers: initial weights, split, order of rows and dropout."""
    dtype: Literal["float32", "float64"] | None = None
    """Number format that the net computes with. By default float32, or float64 for a minimizer."""
    search: Mapping[Text, Distribution] = {}
    """What `nnfs tune` varies: distributions by the paths of settings, as in `{lr: {log: [1e-4, 1e-2]}}`. Other
    commands only check it."""
    edition: Annotated[int, Field(strict=True, ge=1, le=2)] = 2
    """Edition of the rules for random streams, folds and weighted statistics. Earlier runs keep edition 1,
    so that they can be resumed and verified."""

    FILLED: ClassVar = ("layers", "loss", "epochs")  # required keys that a preset can fill in

    _document: Document | None = PrivateAttr(None)

    @classmethod
    def title(cls) -> str:
        """Return the name of the whole config in messages."""
        return "the config"

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = (), *, files_must_exist: bool = True) -> Config:
        """Read a config file, apply ``key.sub=value`` overrides, check it, and fill in every default.

        Raises `ConfigError` with every fault, each with its line and column.
        """
        return cls.read(Document.load(Path(path), overrides), files_must_exist=files_must_exist)

    @classmethod
    def read(cls, document: Document, *, files_must_exist: bool = True) -> Config:
        """Check a document that has been read, and fill in every default, as `load` does."""
        context = _context(document, files_must_exist)
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(document.name).stem).lstrip("._-")[:100]
        config = cls.model_validate({"name": stem or "run", **document.data}, context=context)
        if faults := cls.faults_of_search(document, config.search):
            raise _error(faults, document)
        return config

    @classmethod
    def faults_of_search(cls, document: Document, space: Mapping[str, Distribution]) -> list[Fault]:
        """Return the faults of what a search of this config varies."""
        context = _context(document, files_must_exist=False)

        def faults_of(data: Mapping[str, Any]) -> list[Fault]:
            values, faults = _validate_fields(cls, data, context)
            return faults or cross_check(values)

        return search_faults(space, document.data, faults_of)

    @classmethod
    def outline(cls, document: Document, *, files_must_exist: bool = True) -> dict[str, Any]:
        """Return the checked value of each key that a document gives.

        Raises `ConfigError` with every fault, except for missing keys that a preset can fill in.
        """
        values, faults = _validate_fields(cls, document.data, _context(document, files_must_exist), may_miss=cls.FILLED)
        faults += cross_check({key: values[key] for key in values if key in document.data})
        if faults:
            raise _error(faults, document)
        if "dataset" in values:
            values["dataset"] = values["dataset"].parsed_by(values["parse"])
        return {key: value for key, value in values.items() if key in document.data and value is not None}

    @classmethod
    def without_data(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the checked value of every key except `dataset`, with defaults for the keys that are not given.

        Raises `ConfigError` with every fault.
        """
        values, faults = _validate_fields(cls, given, None, may_miss=("dataset",))
        faults += cross_check(values)
        if faults:
            raise _error(faults, None)
        return values | _dependent_defaults(**values)

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, value: Any, handler: ModelWrapValidatorHandler[Config], info: ValidationInfo) -> Config:
        """Check every key, report all faults at once, and fill in the defaults that depend on other keys."""
        if isinstance(value, cls):
            return value
        document = (info.context or {}).get("document")
        values, faults = _validate_fields(cls, value, info.context)
        faults += cross_check(values)
        if faults:
            raise _error(faults, document)
        dataset = values["dataset"].parsed_by(values["parse"])
        config = handler(values | {"dataset": dataset} | _dependent_defaults(**values))
        config._document = document if document and document.source else None  # else it would keep the data of Python
        return config

    @property
    def forward(self) -> bool:
        """Whether each member of an ensemble is scored on rows that are later than those it trains on."""
        return self.holdout is not None and self.split.time is not None and self.edition > 1

    def __eq__(self, other: object) -> bool:
        """Compare the settings; the file that they came from does not matter."""
        return isinstance(other, Config) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def with_parsers(self, parsers: Mapping[str, Parser]) -> Config:
        """Return this config with other parsers of columns, such as those that its rows have settled."""
        return self.model_copy(update={"parse": parsers, "dataset": self.dataset.parsed_by(parsers)})

    def check(self, facts: Facts, data: str) -> None:
        """Raise `ConfigError` unless the net fits the data that was read."""
        faults = net_faults(self.layers, self.loss, facts, data)
        faults = faults or memory_faults(self.layers, facts.n_features, self.members, self.dtype)
        if faults:
            raise self.error(faults)

    def error(self, faults: list[Fault]) -> ConfigError:
        """Return one error for all the faults, with their positions if the config came from a file."""
        return _error(faults, self._document)

    def with_metrics(self, given: Iterable[Any]) -> Config:
        """Return this config with other metrics, each as YAML would hold it. Raises `ConfigError` with every fault."""
        values, faults = _validate_fields(Config, {"metrics": tuple(given)}, None, may_miss=Config.model_fields)
        faults += cross_check({"loss": self.loss, "metrics": values["metrics"]} if not faults else {})
        if faults:
            raise _error(faults, None)
        return self.model_copy(update={"metrics": values["metrics"]})

    @property
    def data_files(self) -> list[Location]:
        """The files that hold the rows, if they are in files."""
        files = self.dataset.files if isinstance(self.dataset, FileSource) else ()
        return [*files, *self.split.files.values()]

    @property
    def source(self) -> bytes:
        """The bytes of the config file, or nothing if there was no file."""
        return self._document.source if self._document else b""

    def to_yaml(self, folder: Path) -> str:
        """Return the complete config as YAML for a file in `folder`, with paths relative to that folder.

        Raises `ConfigError` if the YAML would be too large for a config.
        """
        try:
            return dump(self.model_dump(mode="json", context={"folder": folder}))
        except YamlError as error:
            raise ConfigError(f"{self.name} is too large with every default spelled out: {error}") from None


def _dependent_defaults(
    split: Split,
    holdout: str | None,
    loss: Loss,
    preprocessing: Preprocessing,
    optimizer: Optimizer,
    lr: float | None,
    schedule: Schedule,
    batch_size: int | str | None,
    dtype: str | None,
    metrics: tuple[Metric, ...] | None,
    early_stopping: EarlyStopping | None,
    checkpoint: Checkpoint,
    callbacks: tuple[NamedCallback, ...],
    **others: object,
) -> dict[str, Any]:
    """Return the values of the keys whose defaults depend on other keys."""
    scaled = loss.task == "regression" and loss.target_range is None
    minimizes = isinstance(optimizer, Minimizer)
    reported = default_metrics(loss) if metrics is None else metrics
    return {
        "split": split if holdout is None else split.without_default_validation(),
        "preprocessing": preprocessing.model_copy(
            update={"target": preprocessing.target or ((Standardize() if scaled else Unchanged()),)}
        ),
        "lr": lr or optimizer.default_lr,
        "batch_size": batch_size or ("full" if minimizes else 32),
        "dtype": dtype or ("float64" if minimizes else "float32"),
        "metrics": reported,
        **with_monitors(early_stopping, checkpoint, schedule, callbacks, reported),
    }


def _context(document: Document, files_must_exist: bool) -> dict[str, Any]:
    return {"folder": document.folder, "files_must_exist": files_must_exist, "document": document}


def _error(faults: list[Fault], document: Document | None) -> ConfigError:
    if document and document.source:
        return document.error(faults)
    return ConfigError.of(faults)


def as_setting_of_optimizer(key: str, data: Mapping[str, Any]) -> str:
    """Return ``"; set it in the optimizer: adamw: {weight_decay: 0.1}"`` for a setting of optimizers, else ""."""
    takers = {name: kind for name, kind in Optimizer.registered.items() if key in kind.model_fields}
    if not takers:
        return ""
    given = data.get("optimizer")
    given = next(iter(given), "") if isinstance(given, Mapping) else str(given)
    best = max(takers, key=lambda name: (name == given, takers[name].main == key))
    return f"; set it in the optimizer, such as optimizer: {dump_value({best: {key: data[key]}})}"


def _validate_fields(
    cls: type[Config], data: Mapping[str, Any], context: dict[str, Any] | None, may_miss: Iterable[str] = ()
) -> tuple[dict[str, Any], list[Fault]]:
    """Validate each key by itself, so that a fault in one does not stop the checks of the others.

    The required keys in `may_miss` may be missing.
    """
    values: dict[str, Any] = {}
    unknown = [key for key in data if key not in cls.model_fields]
    meant = [setting_meant_by(key, cls.model_fields) if i < MAX_FAULTS else None for i, key in enumerate(unknown)]
    faults = []
    for key, setting in zip(unknown, meant, strict=True):
        remedy = hint(setting) if setting else as_setting_of_optimizer(key, data)
        faults.append(Fault((key,), f"there is no key {named(key)}{remedy}", at_key=True))
    for key, field in cls.model_fields.items():
        if key not in data:
            if field.is_required() and key not in meant and key not in may_miss:
                faults.append(Fault((key,), f"the key '{key}' is missing", at_key=True))
            elif not field.is_required():
                values[key] = field.get_default()
            continue
        try:
            values[key] = _adapter(cls, key).validate_python(data[key], context=context)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                path = (key, *found["loc"])
                faults.append(Fault(path, str(cls._sentence(found)), found["type"] == SENTENCE_ABOUT_KEY))
    return values, faults


@functools.cache  # it takes longer to make than to use
def _adapter(cls: type[Config], key: str) -> TypeAdapter[Any]:
    """Return what validates one key by itself."""
    return TypeAdapter(cls.model_fields[key].rebuild_annotation())
