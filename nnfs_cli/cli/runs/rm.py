"""`nnfs runs rm`: delete runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.completion import complete_run
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Quiet
from nnfs_cli.cli.paths import run_meant
from nnfs_cli.cli.runs.list_runs import By, RunsFolder, best_of
from nnfs_cli.cli.terminal import fact
from nnfs_cli.display.stderr import note, write
from nnfs_cli.display.text import byte_size, table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, in_a_line

if TYPE_CHECKING:
    from collections.abc import Sequence


@manual(
    "nnfs runs rm --older-than 30d",
    "nnfs runs rm --keep-best 5 --by accuracy --yes",
    guide="runs",
)
def rm(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN", help="Run directories to delete.", autocompletion=complete_run),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Delete runs that nobody has trained for so long, such as 12h, 30d or 2w."),
    ] = None,
    keep_best: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Delete all runs of each config but the best N.")
    ] = None,
    by: By = None,
    folder: RunsFolder = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    quiet: Quiet = False,
) -> None:
    """Delete the runs that are named, or those of a folder that are old or not among the best.

    The runs are listed with their sizes, and you are asked first. With both --older-than and --keep-best, a run has to
    be old and not among the best. A run that a process writes to is kept, as is one that holds files of your own.
    """
    chosen = _chosen(runs or [], older_than, keep_best, by, folder)
    from nnfs_cli.runs.overview import overview
    from nnfs_cli.runs.removal import files_of, located, obstacle, remove

    names = dict[Path, Path]()
    for name in chosen:  # some may be names of the same run
        names.setdefault(located(name), name)
    why = {path: obstacle(name) for path, name in names.items()}
    if runs and (first := next(filter(None, why.values()), "")):
        raise UserError(first)
    for reason in filter(None, why.values()):
        fact("kept", reason, "warning")
    going = {path: name for path, name in names.items() if not why[path]}
    if not going:
        note("there is nothing to delete")
        return
    sizes = {path: sum(files_of(path).values()) for path in going}
    if not (quiet and yes):
        known = {path: overview(path) for path in going}
        rows = [
            [going[path].as_posix(), run.state, best_of(run, by), byte_size(sizes[path])] for path, run in known.items()
        ]
        note(table(["run", "state", "best", "size"], rows, (0, 1)))
    if not (yes or _agreed(f"delete {counted(len(going), 'run')} ({byte_size(sum(sizes.values()))})?")):
        note("nothing was deleted")
        return
    for path, name in going.items():
        remove(path)
        print(in_a_line(name.as_posix()))


def _chosen(
    runs: Sequence[Path], older_than: str | None, keep_best: int | None, by: str | None, folder: Path
) -> list[Path]:
    """Return the paths that the arguments choose. Raises `UserError` if they contradict each other."""
    wanted = older_than is not None or keep_best is not None
    if runs and wanted:
        raise UserError("name runs, or choose them with --older-than and --keep-best, but not both")
    if not runs and not wanted:
        raise UserError("name the runs to delete, or choose them with --older-than or --keep-best")
    if by is not None and keep_best is None:
        raise UserError("--by says which runs --keep-best keeps; give that, too")
    if runs:
        return [run_meant(run, folder=folder) for run in runs]
    from nnfs_cli.runs import selection
    from nnfs_cli.runs.overview import runs_in

    found = everything = runs_in(folder)
    if older_than is not None:
        found = selection.older_than(found, selection.parse_age(older_than))
    if keep_best is not None:
        worse = {run.path for run in selection.all_but_the_best(everything, keep_best, by)}
        found = [run for run in found if run.path in worse]
    return [run.path for run in found]


def _agreed(question: str) -> bool:
    """Ask on the terminal, and return whether the answer is yes. Raises `UserError` without a terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError("nothing is deleted without a question, and there is no terminal to ask on; give --yes")
    write(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
