"""Find the files that a path or a pattern names."""

from __future__ import annotations

import fnmatch
import glob
import itertools
from pathlib import Path


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
