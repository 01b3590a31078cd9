"""The block `track` of a config: trackers by name, each with its settings."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails

from nnfs_cli.components.section import SENTENCE_ABOUT_KEY, invalid
from nnfs_cli.errors import UserError
from nnfs_cli.system.extras import needed
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import shown
from nnfs_cli.tracking.base import Tracker
from nnfs_cli.tracking.csv import CsvTracker
from nnfs_cli.tracking.mlflow import MLflow
from nnfs_cli.tracking.tensorboard import TensorBoard


def _by_name(value: object, info: ValidationInfo) -> tuple[Tracker, ...]:
    """Return the trackers that a block describes; a single one may stand as its name."""
    match value:
        case tuple() if all(isinstance(one, Tracker) for one in value):
            return value
        case str() | Tracker():
            return (Tracker.resolve(value, info),)
        case Mapping():
            pass
        case _:
            raise invalid(f"expected trackers by name, as in {{csv: all.csv}}, found {shown(value)}")
    trackers, faults = list[Tracker](), list[InitErrorDetails]()
    for name, settings in value.items():
        try:
            trackers.append(Tracker.resolve({name: settings}, info))
        except ValidationError as error:
            for found in error.errors(include_url=False):
                sentence = invalid(found["msg"], at_key=found["type"] == SENTENCE_ABOUT_KEY)
                faults.append(InitErrorDetails(type=sentence, loc=found["loc"], input=found["input"]))
    if faults:
        raise ValidationError.from_exception_data("track", faults)
    return tuple(trackers)


def _as_block(trackers: tuple[Tracker, ...], info: SerializationInfo) -> dict[str, Any]:
    """Return the block that describes trackers: the inverse of `_by_name`."""
    block: dict[str, Any] = {}
    for tracker in trackers:
        plain = tracker.brief() if info.exclude_defaults else tracker.plain(info.context)
        block |= plain if isinstance(plain, dict) else {plain: None}
    return block


Trackers = Annotated[
    tuple[Tracker, ...],
    PlainValidator(_by_name),
    PlainSerializer(_as_block),
    WithJsonSchema({"family_by_name": "tracker"}),
]
_TRACKERS: TypeAdapter[tuple[Tracker, ...]] = TypeAdapter(Trackers)


def chosen(options: Iterable[str], folder: Path) -> tuple[Tracker, ...]:
    """Return the trackers that options name, each as ``name`` or ``name=place``; paths are relative to `folder`.

    Raises `UserError`.
    """
    trackers: dict[str, Tracker] = {}
    for option in options:
        name, equals, place = option.partition("=")
        try:
            if equals and not place:
                raise UserError(f"--track {option}: there is nothing after the =")
            if name in trackers:
                raise UserError(f"--track {name} is given twice; give it once")
            (trackers[name],) = _TRACKERS.validate_python({name: place or None}, context={"folder": folder})
        except ValidationError as error:
            raise UserError(f"--track {option}: {error.errors()[0]['msg']}") from None
    return tuple(trackers.values())


def of_resumed(run: Path, own: Sequence[Tracker], chosen: Sequence[Tracker]) -> tuple[Tracker, ...]:
    """Return the trackers of a run that is resumed: those that are chosen now, and its own ones beside the run.

    A run may come from anyone, so a place that it names itself is not written to. Warns about each.
    """
    kept, names = list[Tracker](), {tracker.name for tracker in chosen}
    for tracker in own:
        if tracker == type(tracker)():
            kept.append(tracker)
        elif tracker.name not in names:
            name, place = tracker.name, tracker.place(run)
            warn(f"{run} asks for {name} at {place}, which is not trusted; --track {name}=PLACE goes on with it")
    return merged(kept, chosen)


def merged(first: Sequence[Tracker], others: Sequence[Tracker]) -> tuple[Tracker, ...]:
    """Return the trackers of both; those of `others` replace trackers of the same name."""
    return tuple({tracker.name: tracker for tracker in (*first, *others)}.values())


def require_packages(trackers: Iterable[Tracker]) -> None:
    """Raise `UserError` if the package of a tracker is not installed. Nothing is imported."""
    for tracker in trackers:
        if tracker.package:
            with needed(tracker.extra, f"tracking with {tracker.name}"):
                if importlib.util.find_spec(tracker.package) is None:
                    raise ModuleNotFoundError


__all__ = ["CsvTracker", "MLflow", "TensorBoard", "Trackers", "chosen", "merged", "of_resumed", "require_packages"]
