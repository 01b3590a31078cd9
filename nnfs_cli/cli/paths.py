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
    from nnfs_cli.data.sql.source import QuerySource
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.runs.selection import Which
    from nnfs_cli.system.remote.file import Location

CONFIGS = (".yaml", ".yml")
DATABASES = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".duckdb": "duckdb"}
LISTED = 5  # runs that a message lists, at most
RUNS = Path("runs")  # where a training puts its run


def require_config(path: Path) -> None:
    """Raise `UserError` for what is no config: a table, a run, a folder, or a file that is missing."""
    where = shlex.quote(path.as_posix())
    if is_run(path):
        from nnfs_cli.runs.directory import RunDirectory

        spec = shlex.quote(RunDirectory(path).spec_file.as_posix())
        raise UserError(f"{path} is a run directory; `nnfs resume {where}` continues it, and {spec} is its config")
    if path.suffix.lower() not in CONFIGS and is_table(path):
        raise UserError(f"{path} is a table; `nnfs init {where}` writes a config for it")
    if path.is_dir():
        example = next((f", such as {other.as_posix()}" for other in _entries(path) if other.suffix in CONFIGS), "")
        raise UserError(f"{path} is a folder; expected a YAML file{example}")
    if not path.exists() and (hint := _hint_of_config(path)):
        raise ConfigError(f"{path}: error: there is no such file{hint}")


def _hint_of_config(path: Path) -> str:
    """Return a clause about what was probably meant by a config that does not exist, or an empty string."""
    from nnfs_cli.data import DataSource

    kind = DataSource.registered.get(str(path))
    if kind is not None and not any(field.is_required() for field in kind.model_fields.values()):
        return f"; {path} is a built-in data set, which a config names with the line `dataset: {path}`"
    if _has_suffix_of_table(path):
        return "; a config is a YAML file, and `nnfs init` writes one for a table"
    return _nearby(path, lambda other: other.suffix in CONFIGS) or _runs_like(path)


def use_of(path: Path) -> str:
    """Return the command for a table, a config or a run that exists; the empty string for anything else."""
    where = shlex.quote(path.as_posix())
    if is_run(path):
        return f"`nnfs runs show {where}` shows the run"
    if path.suffix.lower() in CONFIGS and path.is_file():
        return f"`nnfs train {where}` trains it"
    return f"`nnfs init {where}` writes a config for it" if is_table(path) else ""


def require_table(path: Path) -> None:
    """Raise `UserError` for a config, a run or a database; `DataError` for a missing table if another name is close."""
    from nnfs_cli.system.matching import matching_files

    where = shlex.quote(path.as_posix())
    if is_run(path):
        raise UserError(f"{path} is a run directory, not a table; `nnfs predict --run {where}` predicts with it")
    if path.suffix.lower() in CONFIGS and path.is_file():
        raise UserError(f"{path} is a config, not a table; `nnfs train {where}` trains it")
    if (scheme := DATABASES.get(path.suffix.lower())) and path.is_file():
        raise UserError(f"{path} is a database; name it {scheme}:{where}, and give the rows with --query")
    if not any(map(Path.exists, matching_files(path))) and (hint := _nearby(path, is_table)):
        raise DataError(f"there is no file {path}{hint}")


def run_meant(path: Path | None, quiet: bool = False, which: Which = "trained", folder: Path = RUNS) -> Path:
    """Return the path of a run: houses-1 is short for runs/houses-1, and no name at all means the newest run.

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


def rows_at(text: str, query: str | None = None) -> Location | QuerySource:
    """Return the file at a path or a URL, or the rows of a query to the database at a URL.

    Raises `DataError` for a missing file, and `UserError` if a query is missing or asks no database.
    """
    from nnfs_cli.data.sql.source import query_at
    from nnfs_cli.data.sql.url import is_database
    from nnfs_cli.system.remote.file import location

    if is_database(text):
        if query is None:
            raise UserError("the URL of a database needs a query for the rows: --query 'select * from sales'")
        return query_at(text, query, ["?"])
    if query is not None:
        raise UserError(f"--query asks a database, and {text} is none; give a URL such as sqlite:sales.db or duckdb:")
    found = location(text)
    if isinstance(found, Path):
        require_table(found)
    return found


def open_run(path: Path) -> RunDirectory:
    """Return the run at a path. Raises `RunError`, which names the runs that may be meant."""
    from nnfs_cli.runs.directory import RunDirectory

    if path.suffix in CONFIGS and path.is_file():
        runs = _runs_in(RUNS, path.stem)
        known = f"its runs are {_listed(runs)}" if runs else f"`nnfs train {shlex.quote(path.as_posix())}` trains it"
        raise RunError(f"{path} is a config, not a run directory; {known}")
    if is_table(path):
        where = shlex.quote(path.as_posix())
        use = f"`nnfs evaluate --input {where}` scores its rows, and `nnfs predict --input {where}` predicts them"
        raise RunError(f"{path} is a table, not a run directory; {use}")
    if path.is_dir() and not is_run(path) and (runs := _runs_in(path)):
        raise RunError(f"{path} is a folder of runs; name one of them: {_listed(runs)}")
    places = [] if path.exists() else [path, RUNS / path]
    hints = [*map(_runs_like, places), *(_nearby(place, is_run) for place in places)]
    if hint := next(filter(None, hints), ""):
        raise RunError(f"there is no run directory {path}{hint}")
    return RunDirectory.open(path)


def is_table(path: Path) -> bool:
    """Tell whether a path is a file whose name ends like that of a table."""
    return path.is_file() and _has_suffix_of_table(path)


def _has_suffix_of_table(path: Path) -> bool:
    from nnfs_cli.data.file_source import FileSource

    kinds = [kind for kind in FileSource.registered.values() if issubclass(kind, FileSource)]
    return path.name.lower().endswith(tuple(suffix for kind in kinds for suffix in kind.suffixes))


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
