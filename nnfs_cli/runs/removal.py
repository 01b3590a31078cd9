"""Delete runs, and nothing else: no link is followed, and nothing is touched that nnfs did not write.

A run is renamed before it is deleted, so that a run is either there as a whole or is no run any more.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from pathlib import Path

from nnfs_cli.errors import RunError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.overview import is_run
from nnfs_cli.runs.status_file import RECORDED
from nnfs_cli.system.files import sync_folder, unfinished_files
from nnfs_cli.system.lock import holder_of
from nnfs_cli.system.wording import listing, shown

REMOVED = ".removed"
REST = re.compile(r"\..+\.[0-9a-f]{16}" + re.escape(REMOVED))  # of a removal that was killed


def files_of(path: Path) -> dict[str, int]:
    """Return the size in bytes of each file of a directory by its name, as in `weights/best.npz`; links are files."""
    found = []
    for parent, folders, names in os.walk(path):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        found += [Path(parent, name) for name in sorted([*names, *links])]
    return {file.relative_to(path).as_posix(): os.lstat(file).st_size for file in found}


def obstacle(path: Path) -> str:
    """Return why a path cannot be removed; the empty string if it can.

    It has to be a run directory, not a link to one, that no process writes to and that holds nothing but what nnfs
    writes there.
    """
    if path.is_symlink():
        return f"{path} is a link; remove the run that it leads to"
    if not path.exists():
        return f"there is no run directory {path}"
    if not is_run(path):
        return f"{path} is not a run directory"
    if holder := holder_of(path / "lock"):
        return f"{path} is being written by {holder}"
    own, unfinished = re.compile(rf"{RECORDED.pattern}|lock"), {*unfinished_files(path)}
    others = [name for name in files_of(path) if not own.fullmatch(name) and path / name not in unfinished]
    if len(others) == 1:
        return f"{path} holds {shown(others[0], 80)}, which nnfs did not write; move it away first"
    if others:
        names = listing([*others[:3], *([f"{len(others) - 3:,} more"] if len(others) > 3 else [])])
        return f"{path} holds {len(others)} files that nnfs did not write ({names}); move them away first"
    return ""


def remove(path: Path) -> None:
    """Delete a run directory. If this is interrupted, what is left is no run, and the next removal deletes it.

    Raises `RunError` if there is an `obstacle`, and `BlockingIOError` if a process has begun to write there.
    """
    if why := obstacle(path):
        raise RunError(why)
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
        if REST.fullmatch(rest.name) and rest.is_dir() and not rest.is_symlink():
            _delete(rest)


def _delete(path: Path) -> None:
    for name in ("status.json", "spec.yaml"):  # without these, it is no run
        if (path / name).is_file():
            (path / name).unlink()
    shutil.rmtree(path)
