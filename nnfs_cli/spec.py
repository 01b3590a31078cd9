"""The whole config file as one frozen value, and everything that can be said against it before any data is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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

from nnfs_cli.checks import cross_check, misfits
from nnfs_cli.data import DataSource
from nnfs_cli.data.preprocessing import Preprocessing, Standardize, Unchanged
from nnfs_cli.data.source import Facts
from nnfs_cli.data.split import Split
from nnfs_cli.document import Document
from nnfs_cli.errors import ConfigError, Fault, closest, did_you_mean, shown
from nnfs_cli.layers import Layer
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
        faults += cross_check(values)
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
        faults = misfits(self.layers, self.loss, facts, data)
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
