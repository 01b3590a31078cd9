"""`nnfs tune`: search for good settings, or go on with a search."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_config, complete_metric
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Overrides, Quiet, load, metrics_in
from nnfs_cli.cli.paths import require_config
from nnfs_cli.cli.terminal import fact, print_fact, print_json, suggest, width_of
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import duration, narrow_table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, listing, percent

if TYPE_CHECKING:
    from nnfs_cli.tuning import Found, Search, TrialRow
    from nnfs_cli.tuning.crew import Done

SHOWN = 10  # trials in the table
MATTERING = 5  # settings whose importance is printed

Subject = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG|SEARCH",
        help="YAML file, or the folder of a search to go on with, such as runs/houses-tune-1.",
        autocompletion=complete_config,
    ),
]


@manual(
    "nnfs tune configs/wine.yaml --trials 3 --metric accuracy",
    "nnfs tune runs/wine-tune-1 --trials 4 --workers 1",
    guide="tuning",
)
def tune(
    subject: Subject,
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Number of trials in all; by default 100.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="X", help="Start no trial after this time, and break off those that run.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Number of processes that train at once; by default one per core."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC",
            help="What trials are scored by, such as roc_auc; by default, what chooses the best epoch. Repeatable.",
            autocompletion=complete_metric,
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Optuna's sampler: tpe (the default), random, qmc, cmaes or nsgaii."),
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Optuna's pruner: none (the default), median, halving or hyperband."),
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder in which the search gets its own; by default runs.")
    ] = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Search for good settings of CONFIG: train it many times with settings that vary.

    What varies stands in the block `search` of the config; without one, a preset brings it. Each trial is an ordinary
    run in the folder of the search. Whatever ends the search, the same command on its folder goes on with it. Prints
    the best trials; the config of the best one is best.yaml in the folder.
    """
    from nnfs_cli.runs.search_directory import SearchDirectory

    given = {"--metric": metric, "--sampler": sampler, "--pruner": pruner, "--runs": runs, "--set": set_}
    load(code)
    if SearchDirectory.is_at(subject):
        if refused := [option for option, value in given.items() if value]:
            raise UserError(f"{subject} goes on as it began; leave out {listing(refused)}")
        search = reopened(subject, trials, minutes)
    else:
        require_config(subject)
        from nnfs_cli import tuning
        from nnfs_cli.config.document import Document

        document = Document.load(subject, set_ or ())
        metrics = [_metric(text) for text in metric or ()]
        asked: dict[str, Any] = {"trials": trials, "minutes": minutes, "sampler": sampler, "pruner": pruner}
        search = tuning.begin(document, runs or "runs", metrics, **asked)
    conduct(search, workers, json=json, quiet=quiet, code=code)


def reopened(path: Path, trials: int | None = None, minutes: float | None = None) -> Search:
    """Open the folder of a search to go on with it."""
    from nnfs_cli import tuning

    return tuning.reopen(path, trials, minutes)


def conduct(search: Search, workers: int | None, *, json: bool, quiet: bool, code: list[Path] | None) -> None:
    """Search, and print what was found, or how to go on."""
    from nnfs_cli import tuning

    path = search.path.as_posix()
    again = shlex.join(["nnfs", "tune", path, *(word for file in code or () for word in ("--code", str(file)))])
    if not quiet:
        _announce(search)
    try:
        found = tuning.tune(search, workers, _reporter(search) if not quiet else lambda done: None)
    except KeyboardInterrupt as stop:
        stop.args = (f"{path} keeps every trial that has ended; to go on:\n  {again}",)
        raise
    except OSError:
        note(f"{path} keeps every trial that has ended; to go on:\n  {again}")
        raise
    if found.best is None:
        why = next((f"; the last: {row.message}" for row in reversed(found.trials) if row.message), "")
        raise UserError(f"none of {counted(len(found.trials), 'trial')} has finished{why}")
    if json:
        print_json(found.plain())
    else:
        _print(found, quiet)
    done = len(found.trials) == search.plan.trials and not found.count("interrupted")
    look = f"nnfs evaluate {shlex.quote(found.best.run.as_posix())}"
    suggest(look if done else f"{look}; to go on: {again}", quiet or json)


def _metric(text: str) -> Any:
    """Return a metric as a config has it: a name, or a name with a setting, such as f1:macro."""
    expected = f"--metric takes a metric as in a config, such as roc_auc or f1:macro, found '{text}'"
    return metrics_in(text, expected)


def _announce(search: Search) -> None:
    plan = search.plan
    varied = listing([*search.recipe.space][:6]) + (" and more" if len(search.recipe.space) > 6 else "")
    goals = [f"{'lower' if mode == 'min' else 'higher'} {name}" for name, mode in plan.figures.items()]
    fact("search", search.path.as_posix())
    fact("varied", varied)
    limit = f" or {plan.minutes:g} min" if plan.minutes else ""
    pruned = f", pruned by {plan.pruner}" if plan.pruner != "none" else ""
    fact("trials", f"{plan.trials:,}{limit}, proposed by {plan.sampler}{pruned}, for {listing(goals)}")
    note("")


def _reporter(search: Search) -> Callable[[Done], object]:
    """Return what writes a line about each trial that has ended."""
    first, mode = next(iter(search.plan.figures.items()))
    sign, best = (1 if mode == "min" else -1), [float("inf")]
    note(f"{'trial':>7}  {'state':<9} {first:>12}  {'time':>8}")

    def report(done: Done) -> None:
        number, outcome = done
        value = outcome.figures[0] if outcome.figures else None
        is_best = outcome.state == "finished" and value is not None and sign * value < best[0]
        if is_best and value is not None:
            best[0] = sign * value
        shown = f"{value:12.6g}" if value is not None else " " * 12
        line = f"{number:>7}  {outcome.state:<9} {shown}  {duration(outcome.seconds):>8}"
        note(f"{line}  {'best so far' if is_best else outcome.message}".rstrip())

    return report


def _print(found: Found, quiet: bool) -> None:
    """Print the best trials, and what matters."""
    print(narrow_table(*_table(found), width_of(sys.stdout) or 100))
    print()
    others = {state: found.count(state) for state in ("finished", "pruned", "diverged", "failed", "interrupted")}
    print_fact("trials", ", ".join(f"{n:,} {state}" for state, n in others.items() if n))
    if len(found.figures) > 1:
        print_fact("front", f"trials {listing(map(str, found.front))}: none is better in every figure")
    if found.importances:
        most = [*found.importances.items()][:MATTERING]
        print_fact("matter", ", ".join(f"{name} {percent(share)}" for name, share in most))
    if found.config_file is not None:
        print_fact("config", found.config_file.as_posix())


def _table(found: Found) -> tuple[list[str], list[list[str]]]:
    """Return the best trials as a table: figures, then what was drawn."""
    best = found.best_first()[:SHOWN]
    names = list(dict.fromkeys(name for row in best for name in row.drawn))
    header = ["trial", *found.figures, *names]
    return header, [[_named(row, found), *_figures(row), *(_value(row, name) for name in names)] for row in best]


def _named(row: TrialRow, found: Found) -> str:
    mark = " *" if len(found.figures) > 1 and row.number in found.front else ""
    return f"{row.run.name}{mark}"


def _figures(row: TrialRow) -> list[str]:
    return [f"{value:.6g}" for value in row.figures.values()]


def _value(row: TrialRow, name: str) -> str:
    if name not in row.drawn:
        return ""
    value = row.drawn[name]
    return f"{value:.4g}" if isinstance(value, float) else "null" if value is None else str(value)
