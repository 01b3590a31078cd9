"""Find the files that a path or a pattern names."""

from __future__ import annotations

import fnmatch
import glob
import itertools
from collections.abc import Iterable
from pathlib import Path


def is_pattern(path: str) -> bool:
    """Return whether a path is a pattern, such as `part-*.csv`."""
    return glob.has_magic(path)


def files_below(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the sorted files below a folder whose names end so, without hidden ones, or those that begin with `_`."""
    found = (path for path in folder.rglob("*") if path.name.lower().endswith(suffixes) and path.is_file())
    return sorted(path for path in found if not _is_hidden(path.relative_to(folder).parts))


def name_matches(name: str, pattern: str, suffixes: tuple[str, ...]) -> bool:
    """Return whether the path of an object matches a pattern, or is below a folder and has one of the suffixes."""
    if pattern.endswith("/"):
        parts = name.removeprefix(pattern).split("/")
        return name.startswith(pattern) and name.lower().endswith(suffixes) and not _is_hidden(parts)
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def _is_hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith((".", "_")) and "=" not in part for part in parts)


def matching_files(path: Path) -> list[Path]:
    """Return the file itself, or the sorted files that match a pattern such as `part-*.csv`.

    As in a shell, `*` does not match a leading dot. `**` does not follow links, which may form a circle. A pattern
    without a match is returned as it is.
    """
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    folder = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    pattern = path.relative_to(folder)
    try:
        files = [file for file in folder.glob(str(pattern)) if file.is_file()]
    except ValueError:  # an invalid pattern, such as a**
        return [path]
    dotted = [part for part in pattern.parts if part.startswith(".")]
    hidden = {
        file
        for file in files
        for name in file.relative_to(folder).parts
        if name.startswith(".") and not any(fnmatch.fnmatch(name, part) for part in dotted)
    }
    return sorted(set(files) - hidden) or [path]
