"""The whole config file as one frozen value, and everything that can be said against it before any data is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

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

from nnfs_cli.components.field_types import MAX_INT, Bytes, NotEmpty, PositiveFloat, PositiveInt, Seed, Switch
from nnfs_cli.components.section import SENTENCE_ABOUT_KEY, Section, invalid
from nnfs_cli.config.cross_checks import cross_check, net_faults
from nnfs_cli.config.document import Document
from nnfs_cli.config.yaml import YamlError, dump
from nnfs_cli.data import DataSource
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.weights import ClassWeights
from nnfs_cli.errors import MAX_FAULTS, ConfigError, Fault
from nnfs_cli.metrics import Metric, default_metrics, mode_of
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.presets import Preset
from nnfs_cli.system.wording import closest, did_you_mean, named, shown
from nnfs_cli.training.averaging import Averaging
from nnfs_cli.training.checkpoints import Checkpoints
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.early_stopping import EarlyStopping
from nnfs_cli.training.optimizers import Minimizer, Optimizer
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.schedules import Constant, ReduceOnPlateau, Schedule

Watching = TypeVar("Watching", Checkpoints, EarlyStopping, ReduceOnPlateau)


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
    """What to learn from, the net, and how it is trained. The keys of a config file, with their defaults."""

    name: Annotated[str, PlainValidator(_run_name, json_schema_input_type=Annotated[str, Field(pattern=_NAME)])] = "run"
    """Of run directories; the file's own name unless given."""
    preset: Preset | None = None
    """Fills in every key that is not given; `tabular` where there are no layers."""
    dataset: DataSource
    """A set by name, or a `csv`, `parquet` or `npz` file; relative paths are relative to the config."""
    split: Split = Split()
    """What is held back: fractions or files for `validation` and `test`, or a `column` that names each row's part."""
    preprocessing: Preprocessing = Preprocessing()
    """What is done to `numbers`, `categories` and `dates`, to single `columns`, and to a `target` of numbers."""
    layers: Annotated[tuple[Layer, ...], NotEmpty]
    """The net, from the inputs on; sizes of inputs are inferred."""
    members: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """How many such nets are trained as one, each with first weights and dropout of its own; the prediction is the mean
    of theirs."""
    holdout: Literal["fold"] | None = None
    """`fold` deals the training rows into as many folds as there are members and keeps each member from one. What is
    said of every row by the member that never saw it then takes the place of validation rows."""
    loss: Loss
    """What training descends; it also says whether the target is classes or numbers."""
    class_weights: ClassWeights | None = None
    """How much the rows of each class count: `balanced`, or numbers by label, as in `{malignant: 3}`."""
    optimizer: Optimizer = SGD()
    """The rule of a step."""
    lr: PositiveFloat | None = None
    """The learning rate; the optimizer's own default unless given."""
    schedule: Schedule = Constant()
    """How the learning rate changes; every schedule takes a `warmup` in epochs."""
    penalty: Penalty = Penalty()
    """On large weights: `l2`, `l1` or both."""
    clip: Clip | None = None
    """How large a gradient may be, by its `norm` or by `value`."""
    epochs: PositiveInt
    """How often all training rows are seen; for a minimizer such as lbfgs, how many iterations there are at most."""
    batch_size: Annotated[
        int | Literal["full"] | None,
        PlainValidator(_batch_size, json_schema_input_type=PositiveInt | Literal["full"] | None),
    ] = None
    """Rows a batch, or `full`; 32 unless given, and `full` for a minimizer."""
    accumulate: PositiveInt = 1
    """Batches a step, whose gradients are put together as if they were one batch."""
    shuffle: Switch = True
    """A new order of the rows every epoch."""
    replacement: Switch = False
    """Draw the rows of each batch with replacement."""
    drop_last: Switch = False
    """Leave out a last batch that is not full."""
    averaging: Averaging | None = None
    """Evaluate and keep the weights averaged over training."""
    metrics: tuple[Metric, ...] | None = None
    """What is reported beside the loss: `[accuracy]`, or `[rmse, r2]`, unless given."""
    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch: its `patience`, in logged epochs."""
    checkpoint: Checkpoints = Checkpoints()
    """Which epoch is the best, by `monitor`, and whether to keep `every` n-th epoch's weights too."""
    max_minutes: PositiveFloat | None = None
    """Stop after so long; `nnfs resume` goes on for as long again."""
    threads: PositiveInt | None = None
    """How many may make a product of matrices, where it is worth it: as many as there are cores unless given."""
    memory_limit: Bytes | None = None
    """How much memory training may take, 250 MB or more, as in `2 GB`; a larger table is read piece by piece."""
    log_every: PositiveInt = 1
    """Epochs between two evaluations; only these are rows of the log and can be the best epoch."""
    seed: Seed = 0
    """Of the first weights, the split, the order of rows and dropout."""
    dtype: Literal["float32", "float64"] | None = None
    """The kind of number that the net computes with: float32 unless given, and float64 for a minimizer."""

    FILLED: ClassVar = ("layers", "loss", "epochs")  # must be there, but may be left to a preset

    _document: Document | None = PrivateAttr(None)

    @classmethod
    def title(cls) -> str:
        """What a message calls the top level."""
        return "the config"

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = (), *, files_must_exist: bool = True) -> Config:
        """Read a config file, apply ``key.sub=value`` overrides, check all of it, and spell out every default.

        Raises `ConfigError` with every fault, each with its line and column.
        """
        return cls.read(Document.load(Path(path), overrides), files_must_exist=files_must_exist)

    @classmethod
    def read(cls, document: Document, *, files_must_exist: bool = True) -> Config:
        """The same from a file that has been read, with what is to be changed in it."""
        context = _context(document, files_must_exist)
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(document.name).stem).lstrip("._-")[:100]
        return cls.model_validate({"name": stem or "run", **document.data}, context=context)

    @classmethod
    def outline(cls, document: Document) -> dict[str, Any]:
        """The settings that a config has, by key, checked as far as they can be by themselves.

        Raises `ConfigError` with every fault, but for keys that a preset may fill in.
        """
        values, faults = _validate_fields(cls, document.data, _context(document, True), filled=True)
        faults += cross_check({key: values[key] for key in values if key in document.data})
        if faults:
            raise _error(faults, document)
        return {key: value for key, value in values.items() if key in document.data and value is not None}

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, value: Any, handler: ModelWrapValidatorHandler[Config], info: ValidationInfo) -> Config:
        """Check everything that can be checked, report all faults at once, and spell out what depends on other keys."""
        if isinstance(value, cls):
            return value
        document = (info.context or {}).get("document")
        values, faults = _validate_fields(cls, value, info.context)
        faults += cross_check(values)
        if faults:
            raise _error(faults, document)
        spec = handler(values | _spelled_out(**values))
        spec._document = document
        return spec

    def __eq__(self, other: object) -> bool:
        """Specs are equal when their settings are, wherever they came from."""
        return isinstance(other, Config) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def check(self, facts: Facts, data: str) -> None:
        """Raise `ConfigError` unless the net fits the data as it turned out to be."""
        faults = net_faults(self.layers, self.loss, facts, data)
        if faults:
            raise self.error(faults)

    def error(self, faults: list[Fault]) -> ConfigError:
        """One error for all the faults, with their places where the spec came from a file."""
        return _error(faults, self._document)

    @property
    def source(self) -> bytes:
        """The file as it was given, byte for byte; empty when there was none."""
        return self._document.source if self._document else b""

    def to_yaml(self, folder: Path) -> str:
        """The whole spec as a config that could stand in `folder`: paths are relative to it.

        Raises `ConfigError` where it would be larger than a config may be.
        """
        try:
            return dump(self.model_dump(mode="json", context={"folder": folder}))
        except YamlError as error:
            raise ConfigError(f"{self.name} is too large with every default spelled out: {error}") from None


def _spelled_out(
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
    checkpoint: Checkpoints,
    **others: object,
) -> dict[str, Any]:
    """The defaults that depend on other keys."""
    scaled = loss.task == "regression" and loss.target_range is None
    minimizes = isinstance(optimizer, Minimizer)
    reported = default_metrics(loss.task) if metrics is None else metrics
    given = (checkpoint.monitor, early_stopping.monitor if early_stopping else None)
    monitor = next(filter(None, given), "val_loss")

    modes = {section.monitor or monitor: section.mode for section in (early_stopping, checkpoint) if section}

    def watching(section: Watching) -> Watching:
        figure = section.monitor or monitor
        mode = section.mode or modes.get(figure) or mode_of(figure, reported)
        return section.model_copy(update={"monitor": figure, "mode": mode})

    return {
        "split": split if holdout is None else split.without_default_validation(),
        "preprocessing": preprocessing.model_copy(
            update={"target": preprocessing.target or ((Standardize() if scaled else Unchanged()),)}
        ),
        "lr": lr or optimizer.default_lr,
        "batch_size": batch_size or ("full" if minimizes else 32),
        "dtype": dtype or ("float64" if minimizes else "float32"),
        "metrics": reported,
        "schedule": watching(schedule) if isinstance(schedule, ReduceOnPlateau) else schedule,
        "early_stopping": early_stopping and watching(early_stopping),
        "checkpoint": watching(checkpoint),
    }


def _context(document: Document, files_must_exist: bool) -> dict[str, Any]:
    return {"folder": document.folder, "files_must_exist": files_must_exist, "document": document}


def _error(faults: list[Fault], document: Document | None) -> ConfigError:
    if document:
        return document.error(faults)
    return ConfigError("\n".join(f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in faults))


def _validate_fields(
    cls: type[Config], data: Mapping[str, Any], context: dict[str, Any] | None, filled: bool = False
) -> tuple[dict[str, Any], list[Fault]]:
    """Validate key by key, so that one bad key does not keep the others from being checked together.

    With `filled` they may lack what a preset is going to fill in.
    """
    values: dict[str, Any] = {}
    unknown = [key for key in data if key not in cls.model_fields]
    meant = {closest(key, cls.model_fields) for key in unknown[:MAX_FAULTS]}
    faults = []
    for i, key in enumerate(unknown):
        meaning = did_you_mean(key, cls.model_fields) if i < MAX_FAULTS else ""
        faults.append(Fault((key,), f"there is no key {named(key)}{meaning}", at_key=True))
    for key, field in cls.model_fields.items():
        if key not in data:
            if field.is_required() and key not in meant and not (filled and key in cls.FILLED):
                faults.append(Fault((key,), f"the key '{key}' is missing", at_key=True))
            elif not field.is_required():
                values[key] = field.get_default()
            continue
        adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
        try:
            values[key] = adapter.validate_python(data[key], context=context)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                path = (key, *found["loc"])
                faults.append(Fault(path, str(cls._sentence(found)), found["type"] == SENTENCE_ABOUT_KEY))
    return values, faults
