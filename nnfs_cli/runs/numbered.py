"""Folders with numbers: the next free one for a name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nnfs_cli.errors import RunError
from nnfs_cli.system.files import make_folder


def make_numbered(folder: str | os.PathLike[str], name: str) -> Path:
    """Make ``folder/name-n`` with the next free number n, and return it. Nothing that exists is touched."""
    folder = Path(folder)
    if folder.is_file():
        raise RunError(f"{folder} is a file; runs need a folder")
    make_folder(folder)
    pattern = re.compile(re.escape(name) + r"-([1-9][0-9]*)")
    taken = [int(match[1]) for entry in folder.iterdir() if (match := pattern.fullmatch(entry.name))]
    number = max(taken, default=0) + 1
    while True:
        path = folder / f"{name}-{number}"
        try:
            path.mkdir()
        except FileExistsError:  # another process was faster
            number += 1
        else:
            return path
