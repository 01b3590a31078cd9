"""Choose some of the runs of a folder: those that fit a filter, the best ones, and the order to list them in."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnfs_cli.errors import RunError, UserError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.overview import PREFIXES, STATES, RunOverview, runs_in
from nnfs_cli.system.wording import counted, did_you_mean, listing

if TYPE_CHECKING:
    from nnfs_cli.metrics.direction import Mode

FILTERS: dict[str, Callable[[RunOverview], str]] = {
    "state": lambda run: run.state,
    "name": lambda run: run.name,
    "config": lambda run: run.config,
    "data": lambda run: run.data,
    "loss": lambda run: run.loss,
}

Which = Literal["trained", "unfinished", "any"]


def newest(folder: Path, which: Which = "trained") -> Path:
    """Return the run that was started last, of those that are trained, of those that can be resumed, or of all.

    Raises `RunError` if there is none.
    """
    if which == "trained":
        return RunDirectory.newest(folder).path
    runs = runs_in(folder)
    for run in runs:
        if which == "any" or run.state in ("interrupted", "failed"):
            return run.path
    if not runs:
        raise RunError(f"there is no run in {folder}; train one, or name the run")
    further = f"`nnfs resume {shlex.quote(runs[0].path.as_posix())} --epochs N` trains the newest further"
    raise RunError(f"no run in {folder} is unfinished; {further}")


def matching(runs: Iterable[RunOverview], filters: Sequence[str]) -> list[RunOverview]:
    """Return the runs that fit all filters, such as `state=finished` or `name=houses-*`. Raises `UserError`."""
    found = [*runs]
    for text in filters:
        key, equals, pattern = text.partition("=")
        if not equals or key not in FILTERS:
            hint = did_you_mean(key, FILTERS) if equals else ""
            raise UserError(f"a filter is KEY=VALUE with one of the keys {listing(FILTERS)}, found '{text}'{hint}")
        if key == "state" and not any(fnmatchcase(state, pattern) for state in STATES):
            hint = did_you_mean(pattern, STATES) or f"; there are {listing(STATES)}"
            raise UserError(f"there is no state '{pattern}'{hint}")
        found = [run for run in found if fnmatchcase(FILTERS[key](run), pattern)]
    return found


def figure_of(run: RunOverview, by: str | None = None) -> tuple[str, float | None]:
    """Return the name and the value of a figure: by default the one that chose the best epoch.

    A name without `train_`, `val_` or `test_` is that of a figure of the validation rows.
    """
    name = by or run.figure
    if not name.startswith(tuple(PREFIXES.values())):
        name = f"val_{name}"
    return name, run.figures.get(name)


def in_order(runs: Iterable[RunOverview], order: str, by: str | None = None) -> list[RunOverview]:
    """Return runs in an order: the newest, the longest or the best first, and texts by the alphabet."""
    found = [*runs]
    if order == "best":
        return _best_first(found, by)
    if order in ("name", "state", "data"):
        return sorted(found, key=lambda run: (FILTERS[order](run), run.name))
    lowest: Any = datetime.min.replace(tzinfo=UTC) if order == "started" else -1
    values: dict[str, Callable[[RunOverview], Any]] = {
        "started": lambda run: run.begun,
        "epochs": lambda run: run.epochs,
        "seconds": lambda run: run.seconds,
    }
    return sorted(found, key=lambda run: lowest if values[order](run) is None else values[order](run), reverse=True)


def all_but_the_best(runs: Iterable[RunOverview], keep: int, by: str | None = None) -> list[RunOverview]:
    """Return the runs of each config except its best ones; damaged runs and those in use are none of both.

    Raises `UserError` if the runs of a config have no figure in common that says which one is better.
    """
    configs: dict[str, list[RunOverview]] = {}
    for run in runs:
        if run.state != "damaged" and not run.locked:
            configs.setdefault(run.config, []).append(run)
    worse = []
    for config, of_config in configs.items():
        losses = {run.loss for run in of_config}
        if len(losses) > 1 and any(figure_of(run, by)[0].endswith("_loss") for run in of_config):
            message = f"the runs of {config} minimize different losses ({listing(sorted(losses))})"
            raise UserError(f"{message}, which cannot be compared; name another figure, such as --by accuracy")
        worse += _best_first(of_config, by)[keep:]
    return worse


def older_than(runs: Iterable[RunOverview], age: timedelta, now: datetime | None = None) -> list[RunOverview]:
    """Return the runs that nobody has trained for so long; those of unknown age and those in use are not among them."""
    now = now or datetime.now(UTC)
    return [run for run in runs if run.since is not None and not run.locked and now - run.since > age]


def _best_first(runs: Sequence[RunOverview], by: str | None) -> list[RunOverview]:
    """Return runs with the best figure first and those without it last; the newer first of equals."""
    known = {name: mode for run in runs if (name := figure_of(run, by)[0]) for mode in [_mode(run, name)]}
    if len(known) > 1:
        raise UserError(f"the runs have different figures ({listing(known)}); name one, such as --by accuracy")

    def key(run: RunOverview) -> tuple[bool, float]:
        name, value = figure_of(run, by)
        return value is None, 0.0 if value is None else value if known[name] == "min" else -value

    return sorted(in_order(runs, "started"), key=key)


def _mode(run: RunOverview, figure: str) -> Mode:
    """Return the direction in which a figure is better. Raises `UserError` if it is unknown."""
    if figure == run.monitor:
        return run.mode
    name = figure.partition("_")[2]
    if name == "loss":
        return "min"
    from nnfs_cli.metrics import Metric  # which imports NumPy, and most lists need no metric

    named = [known for known in Metric.registered if name == known or name.startswith(f"{known}_")]
    if not named:
        known = listing(sorted(Metric.registered))
        raise UserError(f"it is not known whether less or more {figure} is better; figures are loss, {known}")
    return "max" if Metric.registered[max(named, key=len)].greater_is_better else "min"  # type: ignore[attr-defined]


def parse_age(text: str) -> timedelta:
    """Return the time that a text such as `30d`, `12h` or `2w` names. Raises `UserError`."""
    units = {"h": "hours", "d": "days", "w": "weeks"}
    number, unit = text[:-1], text[-1:]
    if not (number.isdecimal() and number.isascii() and len(number) < 6 and unit in units):
        raise UserError(f"an age is a number of hours, days or weeks, such as 12h, 30d or 2w, found '{text}'")
    return timedelta(**{units[unit]: int(number)})


def in_words(age: timedelta) -> str:
    """Return an age in its largest unit, as in "3 days"."""
    seconds = max(age.total_seconds(), 0.0)
    for noun, size in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= (2 * size if noun == "week" else size):
            return counted(int(seconds // size), noun)
    return "less than a minute"
