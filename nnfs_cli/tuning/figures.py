"""The figures that trials are scored by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.errors import ConfigError, Fault, UserError
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.metrics import Metric
from nnfs_cli.metrics.base import mode_of
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.system.wording import did_you_mean, listing, named

PREFIX = "val_"


def with_metrics(document: Document, config: Config, wanted: Iterable[Any]) -> Document:
    """Return a config whose metrics include those that are wanted; `config` is what it says, complete.

    Raises `UserError` for what is no metric.
    """
    known = config.metrics or ()
    added = []
    for one in wanted:
        if isinstance(one, str) and mode_of(f"{PREFIX}{one.removeprefix(PREFIX)}", known):
            continue
        try:
            metric = Metric.resolve(one)
        except ValidationError as error:
            raise UserError(f"--metric: {error.errors()[0]['msg']}") from None
        except ValueError as error:
            raise UserError(f"--metric: {error}") from None
        if metric not in known:
            added.append(metric)
    if not added:
        return document
    return document.replaced({"metrics": tuple(metric.brief() for metric in (*known, *added))})


def chosen_figures(
    experiment: Experiment, wanted: Sequence[Any], space: Mapping[str, object], config: Config
) -> dict[str, Mode]:
    """Return the names of the figures that trials are scored by, each with its direction.

    By default it is the figure that chooses the best epoch. Raises `UserError` if there is no such figure, or if trials
    could not be compared by it.
    """
    if "validation" not in experiment.splits:
        raise UserError(
            "the config holds no rows out for validation, so nothing says which trial is best; set split.validation"
        )
    metrics, classes = config.metrics or (), experiment.predictor.names_of_outputs
    names = [_name(one) for one in wanted] or [config.checkpoint.monitor or f"{PREFIX}loss"]
    names = [name.removeprefix(PREFIX) for name in names]
    there = {"loss", *(column for metric in metrics for column in metric.columns(classes))}
    found: dict[str, Mode] = {}
    for name in names:
        if name not in there:
            hint = did_you_mean(name, there) or f"; there are {listing(sorted(there))}"
            raise UserError(f"there is no figure {named(name)} of validation rows{hint}")
        if name in found:
            raise UserError(f"the metric {named(name)} is given twice")
        if not wanted and config.checkpoint.mode:
            found[name] = config.checkpoint.mode
        else:
            found[name] = mode_of(f"{PREFIX}{name}", metrics) or "min"
    other = next((path for path in space if path.startswith(("loss", "preprocessing.target"))), None)
    if other is not None and "loss" in found:
        message = "trials that differ in this cannot be compared by their loss; name another metric, by --metric"
        raise ConfigError.of([Fault(("search", other), message)])
    return found


def _name(wanted: Any) -> str:
    """Return the name of the figure that a metric gives. Raises `UserError` if it gives several."""
    try:
        metric = Metric.resolve(wanted)
    except ValueError:
        return str(wanted)
    (*columns,) = metric.columns(())
    if len(columns) != 1:
        raise UserError(f"{metric.label()} gives a figure for each class; name one of them, such as {metric.column}_a")
    return columns[0]
