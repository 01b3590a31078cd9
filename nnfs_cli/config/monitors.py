"""The figures of the log that settings monitor: early_stopping, checkpoint, a schedule and callbacks name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from nnfs_cli.components.section import Section
from nnfs_cli.errors import Fault
from nnfs_cli.metrics import Metric, mode_of
from nnfs_cli.system.wording import did_you_mean, listing
from nnfs_cli.training.callbacks import NamedCallback
from nnfs_cli.training.callbacks.checkpoint import Checkpoint
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.schedules import Schedule

Monitors = Mapping[tuple[str | int, ...], str]  # the name of a figure, by the path of the setting that names it
Monitoring = TypeVar("Monitoring", bound=Section)  # settings that may have a monitor and a mode

ANY_CLASS = ("<class>",)  # stands for the labels of the classes until the data has been read


def monitors(
    early_stopping: EarlyStopping | None,
    checkpoint: Checkpoint,
    schedule: Schedule,
    callbacks: Sequence[NamedCallback],
) -> Monitors:
    """Return the monitored figures by the path of the setting that names them."""
    sections: dict[tuple[str | int, ...], object] = {
        ("early_stopping",): early_stopping,
        ("checkpoint",): checkpoint,
        ("schedule", schedule.name): schedule,
        **{("callbacks", i, callback.name): callback for i, callback in enumerate(callbacks)},
    }
    figures = {(*path, "monitor"): getattr(section, "monitor", None) for path, section in sections.items()}
    return {path: figure for path, figure in figures.items() if isinstance(figure, str)}


def with_monitors(
    early_stopping: EarlyStopping | None,
    checkpoint: Checkpoint,
    schedule: Schedule,
    callbacks: Sequence[Section],
    metrics: Sequence[Metric],
) -> dict[str, Any]:
    """Return the sections with their missing monitors and modes filled in.

    The default monitor of all sections is the monitor of `checkpoint`, else of `early_stopping`, else val_loss.
    """
    given = (checkpoint.monitor, early_stopping.monitor if early_stopping else None)
    default = next(filter(None, given), "val_loss")
    modes = {section.monitor or default: section.mode for section in (early_stopping, checkpoint) if section}

    def filled(section: Monitoring) -> Monitoring:
        if not {"monitor", "mode"} <= type(section).model_fields.keys():
            return section
        figure = getattr(section, "monitor", None) or default
        mode = getattr(section, "mode", None) or modes.get(figure) or mode_of(figure, metrics)
        return section.model_copy(update={"monitor": figure, "mode": mode})

    return {
        "early_stopping": early_stopping and filled(early_stopping),
        "checkpoint": filled(checkpoint),
        "schedule": filled(schedule),
        "callbacks": tuple(map(filled, callbacks)),
    }


def unknown_figures(monitored: Monitors, metrics: Sequence[Metric]) -> list[Fault]:
    """Return a fault for each monitored figure that no log can have."""
    known = ["train_loss", *(f"val_{column}" for column in _columns(metrics, ANY_CLASS))]
    return [
        Fault(path, _no_figure(figure, known))
        for path, figure in monitored.items()
        if mode_of(figure, tuple(metrics)) is None
    ]


def unlogged_figures(
    monitored: Monitors, metrics: Sequence[Metric], classes: tuple[str, ...], *, validated: bool
) -> list[Fault]:
    """Return a fault for each monitored figure that the log of this data does not have.

    `validated` is true if there are validation rows. Two metrics with a figure of the same name are a fault, too.
    """
    prefix, other = ("val_", "train_") if validated else ("train_", "val_")
    columns = _columns(metrics, classes)
    twice = [column for i, column in enumerate(columns) if column in columns[:i]]
    faults = [Fault(("metrics",), f"two figures would be called {column}; leave one of them out") for column in twice]
    known = list(dict.fromkeys(["train_loss", *(prefix + column for column in columns)]))
    reported: set[str] = set()  # a figure that several sections share is reported once
    for path, figure in monitored.items():
        if figure in known or figure in reported:
            continue
        if path[0] == "checkpoint" and figure == "val_loss":
            continue  # the default; without validation rows, the last epoch is the best one
        reported.add(figure)
        instead = prefix + figure.removeprefix(other)
        if figure.startswith(other) and instead in known:
            why = "there are validation rows" if validated else "there are no validation rows"
            faults.append(Fault(path, f"{why}, so the log has no {figure}; monitor {instead}"))
        else:
            faults.append(Fault(path, _no_figure(figure, known)))
    return faults


def _columns(metrics: Sequence[Metric], classes: tuple[str, ...]) -> list[str]:
    return ["loss", *(column for metric in metrics for column in metric.columns(classes))]


def _no_figure(figure: str, known: Sequence[str]) -> str:
    return f"the log has no figure '{figure}'{did_you_mean(figure, known) or f'; it has {listing(known)}'}"
