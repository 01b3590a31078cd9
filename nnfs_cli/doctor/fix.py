"""Write a config in which the remedies of an examination are applied, beside the old one."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnfs_cli.config.document import Document
from nnfs_cli.config.edit import edited
from nnfs_cli.config.yaml import YamlError
from nnfs_cli.data.preprocessing import Preprocessing
from nnfs_cli.doctor.diagnosis import Diagnosis
from nnfs_cli.errors import NnfsError
from nnfs_cli.inspection.load_config import complete
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.files import write_atomically
from nnfs_cli.workflows.load_run import config_of

MAIN = {"preprocessing": Preprocessing.main or ""}  # what a bare value of a section stands for


@dataclass(frozen=True)
class Fix:
    """The text of a config before and after, and the codes of the diagnoses whose remedies it has."""

    before: str
    after: str
    applied: tuple[str, ...]

    @property
    def difference(self) -> Iterator[str]:
        """The lines that differ, each after a - or a +."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), n=0, lineterm="")
        return (line for line in list(lines)[2:] if not line.startswith("@@"))


def fix(text: str, folder: Path, diagnoses: Sequence[Diagnosis]) -> Fix:
    """Apply the edits of each diagnosis to the text of a config in `folder`, unless the config would not load then."""
    after, applied = text, []
    for diagnosis in diagnoses:
        with contextlib.suppress(NnfsError, YamlError):
            changed = edited(after, diagnosis.edits, MAIN)
            if changed != after:
                complete(Document.parse(changed.encode(), "the fixed config", folder))
                after = changed
                applied.append(diagnosis.code)
    return Fix(text, after, tuple(applied))


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
