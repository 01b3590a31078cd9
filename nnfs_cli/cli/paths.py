"""Explain a path that is not what a command expects: a missing file, a table instead of a config, a config of a run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nnfs_cli.cli.terminal import fact
from nnfs_cli.errors import ConfigError, DataError, RunError, UserError
from nnfs_cli.system.wording import closest, listing, named

if TYPE_CHECKING:
    from nnfs_cli.runs.selection import Which
    from nnfs_cli.runs.directory import RunDirectory

CONFIGS = (".yaml", ".yml")
TABLES = (".csv", ".tsv", ".parquet", ".gz", ".zst")
LISTED = 5  # runs that a message lists, at most
RUNS = Path("runs")  # where a training puts its run


def require_config(path: Path) -> None:
    """Raise `UserError` for a table or a run instead of a config, or if the file is missing and another is close."""
    where = shlex.quote(path.as_posix())
    if is_run(path):
        raise UserError(f"{path} is a run directory; `nnfs resume {where}` continues it")
    if path.suffix.lower() in TABLES and path.is_file():
        raise UserError(f"{path} is a table; `nnfs init {where}` writes a config for it")
    if not path.exists() and (hint := _nearby(path, lambda other: other.suffix in CONFIGS) or _runs_like(path)):
        raise ConfigError(f"{path}: error: there is no such file{hint}")


def require_table(path: Path) -> None:
    """Raise `DataError` if a table is missing and a file in the same folder has a close name."""
    from nnfs_cli.system.matching import matching_files

    if not any(map(Path.exists, matching_files(path))) and (hint := _nearby(path, _is_table)):
        raise DataError(f"there is no file {path}{hint}")


def run_meant(path: Path | None, quiet: bool = False, which: Which = "trained", folder: Path = RUNS) -> Path:
    """Return the path of the run that is meant: houses-1 is short for runs/houses-1, and without a name the newest is.

    A line on stderr names the newest run, unless `quiet`. Raises `RunError` if there is no run that is `which`.
    """
    if path is None:
        from nnfs_cli.runs.selection import newest

        path = newest(folder, which)
        if not quiet:
            fact("run", f"{path.as_posix()}, the newest{' that is unfinished' if which == 'unfinished' else ''}")
        return path
    from nnfs_cli.runs import overview

    inside = folder / path
    return inside if not path.is_absolute() and not path.exists() and overview.is_run(inside) else path


def open_run(path: Path) -> RunDirectory:
    """Return the run at a path. Raises `RunError`, which names the runs that may be meant."""
    from nnfs_cli.runs.directory import RunDirectory

    if path.suffix in CONFIGS and path.is_file():
        runs = _runs_in(RUNS, path.stem)
        known = f"its runs are {_listed(runs)}" if runs else f"`nnfs train {shlex.quote(path.as_posix())}` trains it"
        raise RunError(f"{path} is a config, not a run directory; {known}")
    if path.is_dir() and not is_run(path) and (runs := _runs_in(path)):
        raise RunError(f"{path} is a folder of runs; name one of them: {_listed(runs)}")
    if not path.exists():
        if hint := _runs_like(path) or _runs_like(RUNS / path) or _nearby(path, is_run) or _nearby(RUNS / path, is_run):
            raise RunError(f"there is no run directory {path}{hint}")
    return RunDirectory.open(path)


def _is_table(path: Path) -> bool:
    from nnfs_cli.data.file_source import FileSource

    kinds = [kind for kind in FileSource.registered.values() if issubclass(kind, FileSource)]
    return path.is_file() and path.name.lower().endswith(tuple(suffix for kind in kinds for suffix in kind.suffixes))


def is_run(path: Path) -> bool:
    """Tell whether a path looks like a run directory."""
    from nnfs_cli.runs.directory import RunDirectory

    return RunDirectory.is_at(path)


def _runs_in(folder: Path, name: str = "") -> list[str]:
    """Return the runs in a folder, those with large numbers first; with a name, only those of that config."""
    found = [path for path in _entries(folder) if is_run(path)]
    if name:
        found = [path for path in found if path.name.removeprefix(f"{name}-").isdecimal()]
    return [path.as_posix() for path in sorted(found, key=_by_number, reverse=True)]


def _runs_like(path: Path) -> str:
    """Return ``"; runs of that config are runs/iris-2 and runs/iris-1"`` for a missing runs/iris or runs/iris-9."""
    runs = _runs_in(path.parent, re.sub(r"-\d+$", "", path.name))
    return f"; runs of that config are {_listed(runs)}" if runs else ""


def _by_number(path: Path) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", path.name)]


def _listed(runs: list[str]) -> str:
    more = [f"{len(runs) - LISTED:,} more"] if len(runs) > LISTED else []
    return listing([*runs[:LISTED], *more])


def _nearby(path: Path, fits: Callable[[Path], bool]) -> str:
    """Return ``"; did you mean 'houses.yaml'?"`` for a path in the same folder that is close to a missing one."""
    known = {other.stem: other for other in _entries(path.parent) if fits(other)}  # suffixes are alike anyway
    close = known.get(path.name) or known.get(closest(path.stem, known) or "")
    return f"; did you mean {named(close.as_posix())}?" if close else ""


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()
