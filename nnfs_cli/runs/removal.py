"""Delete runs, and nothing else: no link is followed, and nothing is touched that nnfs did not write.

A run is renamed before it is deleted, so that a run is either there as a whole or is no run any more.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Container
from pathlib import Path

from nnfs_cli.errors import RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.overview import is_run
from nnfs_cli.runs.status_file import RECORDED
from nnfs_cli.system.files import sync_folder, unfinished_files
from nnfs_cli.system.lock import holder_of
from nnfs_cli.system.wording import listing, shown

REMOVED = ".removed"
FOLDERS = re.compile("weights|code|evaluation(/[^/]+)?")
FILES = re.compile(rf"{RECORDED.pattern}|lock")
REST = re.compile(r"\..+\.[0-9a-f]{16}" + re.escape(REMOVED))  # of a removal that was killed


def files_of(path: Path) -> dict[str, int]:
    """Return the size in bytes of each file of a directory by its name, as in `weights/best.npz`; links are files."""
    found = []
    for parent, folders, names in os.walk(path):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        found += [Path(parent, name) for name in sorted([*names, *links])]
    return {file.relative_to(path).as_posix(): os.lstat(file).st_size for file in found}


def located(path: Path) -> Path:
    """Return the absolute path of a directory that is named in whatever way; it may be a link, but is in no linked one.

    All names of a run give the same path.
    """
    whole = path.absolute()
    return Path(os.path.realpath(whole)) if whole.name == ".." else Path(os.path.realpath(whole.parent), whole.name)


def obstacle(path: Path) -> str:
    """Return why a path cannot be removed; the empty string if it can.

    It has to be a run directory, not a link to one and not the current directory, that no process writes to and that
    holds nothing but what nnfs writes there.
    """
    real = located(path)
    if real.is_symlink():
        return f"{path} is a link; remove the run that it leads to"
    if not real.exists():
        return f"there is no run directory {path}"
    if not is_run(real):
        return f"{path} is not a run directory"
    if Path.cwd().is_relative_to(real):
        return f"{real} is the current directory, or holds it; change to another one first"
    if holder := holder_of(real / "lock"):
        return f"{path} is being written by {holder}"
    others = _strange(real, _code(real))
    if len(others) == 1:
        return f"{path} holds {shown(others[0], 80)}, which nnfs did not write; move it away first"
    if others:
        names = listing([*others[:3], *([f"{len(others) - 3:,} more"] if len(others) > 3 else [])])
        return f"{path} holds {len(others)} files or folders that nnfs did not write ({names}); move them away first"
    return ""


def remove(path: Path) -> None:
    """Delete a run directory. If this is interrupted, what is left is no run, and the next removal deletes it.

    Raises `RunError` if there is an `obstacle`, and `BlockingIOError` if a process has begun to write there.
    """
    if why := obstacle(path):
        raise RunError(why)
    path = located(path)
    run, gone = RunDirectory(path), path.with_name(f".{path.name}.{secrets.token_hex(8)}{REMOVED}")
    run.lock()
    try:
        if sys.platform == "win32":  # where no directory with an open file can be renamed
            run.release()
        path.rename(gone)
        sync_folder(path.parent)
        _delete(gone)
    finally:
        run.release()
    for rest in path.parent.iterdir():
        if REST.fullmatch(rest.name) and rest.is_dir() and not rest.is_symlink() and not _strange(rest):
            _delete(rest)


def remove_rest(path: Path) -> None:
    """Delete what is left of a run whose training was killed, perhaps before it counted as a run.

    Raises `RunError` if there is anything that nnfs did not write, and `BlockingIOError` if a process writes there.
    """
    if is_run(path):
        remove(path)
    elif path.is_symlink() or (path.exists() and (not path.is_dir() or _strange(path))):
        raise RunError(f"{path} is in the way, and nnfs did not write it; move it away first")
    elif path.exists():
        shutil.rmtree(path)


def _strange(path: Path, code: Container[str] | None = None) -> list[str]:
    """Return the names of what nnfs does not write into a run, such as other files, links, pipes and empty folders.

    `code` names the copies of code, such as ``code/layers.py``; by default, they may have any names.
    """
    unfinished, found = {*unfinished_files(path)}, []
    for parent, folders, names in os.walk(path):
        for entry in [Path(parent, name) for name in sorted([*folders, *names])]:
            name, mode = entry.relative_to(path).as_posix(), entry.lstat().st_mode
            if stat.S_ISDIR(mode):
                own = FOLDERS.fullmatch(name) or any(entry.iterdir())  # what it holds is looked at by itself
            else:
                own = stat.S_ISREG(mode) and (FILES.fullmatch(name) or entry in unfinished)
            if not own or (code is not None and name.startswith("code/") and name not in code):
                found.append(name)
    return found


def _code(path: Path) -> set[str]:
    """Return the names of the copies of code that a run records; one whose training was killed has no status yet."""
    run, names = RunDirectory(path), set[str]()
    with contextlib.suppress(RunError):
        names |= {*run.status().get("sha256", {})}
    with contextlib.suppress(RunError):
        names |= {f"code/{name}" for name in run.records.data()["code"]}
    return names


def _delete(path: Path) -> None:
    for name in ("status.json", "spec.yaml"):  # without these, it is no run
        if (path / name).is_file():
            (path / name).unlink()
    shutil.rmtree(path)
