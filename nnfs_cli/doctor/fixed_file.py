"""Write the config in which the remedies of an examination are applied beside the old one."""

from __future__ import annotations

import re
from pathlib import Path

from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.files import write_atomically
from nnfs_cli.workflows.load_run import config_of


def text_of_run(run: RunDirectory, folder: Path) -> str:
    """Return the whole config of a run, every default spelled out, with paths relative to `folder`."""
    return config_of(run).to_yaml(folder)


def write_beside(path: Path, text: str) -> Path:
    """Write a changed config to a new file beside `path`: NAME.fixed.yaml, or NAME.fixed-2.yaml and so on."""
    stem, number = re.sub(r"(\.fixed(-\d+)?)?(\.ya?ml)?$", "", path.name), 1
    while True:
        new = path.with_name(f"{stem}.fixed{'' if number == 1 else f'-{number}'}.yaml")
        if not new.exists() and not new.is_symlink():
            write_atomically(new, lambda file: file.write(text.encode()))
            return new
        number += 1
