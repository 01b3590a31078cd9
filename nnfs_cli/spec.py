"""The whole config file as one frozen value, and everything that can be said against it before any data is read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    ModelWrapValidatorHandler,
    PlainValidator,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from nnfs_cli.data import DataSource
from nnfs_cli.data.file_source import ColumnSource, FileSource
from nnfs_cli.data.preprocessing import Preprocessing, Standardize, Unchanged
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.document import Document
from nnfs_cli.errors import ConfigError, Fault, closest, counted, did_you_mean, shown
from nnfs_cli.layers import Layer
from nnfs_cli.layers.base import ShapeError
from nnfs_cli.layers.sequential import Sequential
from nnfs_cli.losses import Loss
from nnfs_cli.metrics import Metric, default_metrics
from nnfs_cli.optimizers import Optimizer
from nnfs_cli.optimizers.sgd import SGD
from nnfs_cli.plain_yaml import dump
from nnfs_cli.settings import (
    OUR_WORDS_AT_KEY,
    NotEmpty,
    PositiveFloat,
    PositiveInt,
    Section,
    Seed,
    Switch,
    wrong,
)


def _run_name(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        return value
    raise wrong(f"expected a name of letters, digits, '.', '_' and '-', found {shown(value)}")


def _batch_size(value: object) -> int | str:
    if value == "full" or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise wrong(f"expected a number of rows, such as 32, or full, found {shown(value)}")


class Spec(Section):
    """What to learn from, the net, and how it is trained. The keys of a config file, with their defaults."""

    name: Annotated[str, PlainValidator(_run_name)] = "run"  # of run directories; a file's own name if not set
    dataset: DataSource
    split: Split = Split()
    preprocessing: Preprocessing = Preprocessing()
    layers: Annotated[tuple[Layer, ...], NotEmpty]
    loss: Loss
    optimizer: Optimizer = SGD()
    lr: PositiveFloat | None = None  # the optimizer's own default if not set
    epochs: PositiveInt
    batch_size: Annotated[int | Literal["full"], PlainValidator(_batch_size)] = 32
    shuffle: Switch = True  # a new order every epoch
    replacement: Switch = False  # draw rows with replacement
    drop_last: Switch = False  # leave out a last batch that is not full
    metrics: tuple[Metric, ...] | None = None  # accuracy, or rmse and r2
    log_every: PositiveInt = 1  # epochs between two rows of the log
    seed: Seed = 0
    dtype: Literal["float32", "float64"] = "float32"

    _document: Document | None = PrivateAttr(None)

    @classmethod
    def title(cls) -> str:
        """What a message calls the top level."""
        return "the config"

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = (), *, files_must_exist: bool = True) -> Spec:
        """Read a config file, apply ``key.sub=value`` overrides, check all of it, and spell out every default.

        Raises `ConfigError` with every fault, each with its line and column.
        """
        document = Document.load(Path(path))
        for override in overrides:
            document.override(override)
        context = {"folder": document.folder, "files_must_exist": files_must_exist, "document": document}
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(path).stem).lstrip("._-")[:100]
        return cls.model_validate({"name": stem or "run", **document.data}, context=context)

    @model_validator(mode="wrap")
    @classmethod
    def _in_sentences(cls, value: Any, handler: ModelWrapValidatorHandler[Spec], info: ValidationInfo) -> Spec:
        """Check everything that can be checked, report all faults at once, and spell out what depends on other keys."""
        if isinstance(value, cls):
            return value
        document = (info.context or {}).get("document")
        values, faults = _validate_fields(cls, value, info.context)
        faults += _cross_check(values)
        if faults:
            raise _error(faults, document)
        loss, preprocessing = values["loss"], values["preprocessing"]
        classes = loss.task == "classification"
        target = preprocessing.target or (Unchanged() if classes else Standardize())
        values |= {
            "lr": values["lr"] or values["optimizer"].default_lr,
            "metrics": default_metrics(loss.task) if values["metrics"] is None else values["metrics"],
            "preprocessing": preprocessing.model_copy(update={"target": target}),
        }
        spec = handler(values)
        spec._document = document
        return spec

    def __eq__(self, other: object) -> bool:
        """Specs are equal when their settings are, wherever they came from."""
        return isinstance(other, Spec) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def check(self, facts: Facts, data: str) -> None:
        """Raise `ConfigError` unless the net fits the data as it turned out to be."""
        faults = _misfits(self.layers, self.loss, facts, data)
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
        """The whole spec as a config that could stand in `folder`: paths are relative to it."""
        return dump(self.model_dump(mode="json", context={"folder": folder}))


def _error(faults: list[Fault], document: Document | None) -> ConfigError:
    if document:
        return document.error(faults)
    return ConfigError("\n".join(f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in faults))


def _validate_fields(
    cls: type[Spec], data: Mapping[str, Any], context: dict[str, Any] | None
) -> tuple[dict[str, Any], list[Fault]]:
    """Validate key by key, so that one bad key does not keep the others from being checked together."""
    values: dict[str, Any] = {}
    unknown = [key for key in data if key not in cls.model_fields]
    meant = {closest(key, cls.model_fields) for key in unknown}
    faults = [
        Fault((key,), f"there is no key '{key}'{did_you_mean(key, cls.model_fields)}", at_key=True) for key in unknown
    ]
    for key, field in cls.model_fields.items():
        if key not in data:
            if field.is_required() and key not in meant:
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
                faults.append(Fault(path, str(cls._sentence(found)), found["type"] == OUR_WORDS_AT_KEY))
    return values, faults


def _cross_check(values: dict[str, Any]) -> list[Fault]:
    """Run every check below whose keys are all valid."""
    faults = []
    for check in _CHECKS:
        needed = inspect.signature(check).parameters
        if all(key in values for key in needed):
            faults += check(**{key: values[key] for key in needed})
    return faults


def _metrics_fit(loss: Loss, metrics: tuple[Metric, ...] | None) -> list[Fault]:
    faults = []
    seen: set[str] = set()
    for i, metric in enumerate(metrics or ()):
        if metric.task != loss.task:
            message = f"{metric.name} is a metric for {metric.task}; {loss.name} is a loss for {loss.task}"
            faults.append(Fault(("metrics", i), message))
        if metric.name in seen:
            faults.append(Fault(("metrics", i), f"{metric.name} stands here a second time"))
        seen.add(metric.name)
    return faults


def _output_fits_loss(layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    final = layers[-1].final
    if loss.activation is None or final.output_range in (None, (0, 1)):
        return []
    message = f"{loss.name} needs probabilities; end with {loss.activation.name} instead of {final.name}"
    return [Fault(("layers", len(layers) - 1), message)]


def _net_fits_data(dataset: DataSource, layers: tuple[Layer, ...], loss: Loss) -> list[Fault]:
    facts = dataset.facts()
    return _misfits(layers, loss, facts, dataset.name) if facts else []


def _target_step_fits(loss: Loss, preprocessing: Preprocessing) -> list[Fault]:
    step = preprocessing.target
    if loss.task == "regression" or step is None or isinstance(step, Unchanged):
        return []
    return [Fault(("preprocessing", "target"), f"{step.name} is for numbers; {loss.name} has classes as its target")]


def _split_fits(dataset: DataSource, split: Split) -> list[Fault]:
    faults = []
    if split.column is not None and not isinstance(dataset, ColumnSource):
        faults.append(Fault(("split", "column"), f"{dataset.name} has no such column; give fractions"))
    for part in split.files:
        if not isinstance(dataset, FileSource):
            faults.append(Fault(("split", part), f"{dataset.name} is not a file; give a fraction"))
        elif split.column is not None:
            faults.append(Fault(("split", part), "give either a column or files, not both"))
    return faults


def _batches_fit(shuffle: bool, replacement: bool) -> list[Fault]:
    if replacement and not shuffle:
        return [Fault(("shuffle",), "replacement draws rows at random; leave shuffle out")]
    return []


_CHECKS: tuple[Callable[..., list[Fault]], ...] = (
    _metrics_fit,
    _output_fits_loss,
    _net_fits_data,
    _target_step_fits,
    _split_fits,
    _batches_fit,
)


def _misfits(layers: tuple[Layer, ...], loss: Loss, facts: Facts, data: str) -> list[Fault]:
    """Where the net, the loss and the data do not go together."""
    if facts.n_classes and loss.task == "regression":
        return [Fault(("loss",), f"{data} has {facts.n_classes} classes; {loss.name} predicts numbers")]
    if not facts.n_classes and loss.task == "classification":
        return [Fault(("loss",), f"{data} has numbers as its target; {loss.name} tells classes apart")]
    try:
        needed = loss.n_outputs(facts.n_classes, facts.n_targets)
    except ValueError as error:
        return [Fault(("loss",), f"{data} has {facts.n_classes} classes; {error}")]
    try:
        shape, _ = Sequential(layers=layers).build((facts.n_features,))
    except ShapeError as error:
        return [Fault(_path_of(layers, error.index), error.message)]
    if shape == (needed,):
        return []
    has = counted(facts.n_classes, "class", "classes") if facts.n_classes else counted(facts.n_targets, "target")
    gives = counted(shape[0], "output") if len(shape) == 1 else f"outputs of shape {shape}"
    at = max((i for i, layer in enumerate(layers) if "units" in type(layer).model_fields), default=len(layers) - 1)
    return [Fault(("layers", at), f"the net gives {gives}; {data} has {has}, for which {loss.name} needs {needed}")]


def _path_of(layers: tuple[Layer, ...], index: tuple[int, ...]) -> tuple[str | int, ...]:
    """Where a config names the layer that stands at these places, outermost first."""
    path: tuple[str | int, ...] = ("layers",)
    for i in index:
        path = (*path, i, layers[i].name)
        layers = getattr(layers[i], "layers", ())
    return path[:-1]
