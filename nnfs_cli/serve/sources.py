"""Which run a name stands for: always the same one, or the newest finished run of a config or a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nnfs_cli.errors import RunError, UserError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.system.wording import in_a_line, named

LONGEST = 100  # characters of a name


@dataclass(frozen=True)
class RunSource:
    """A name of a model, and the path by which its run is found.

    `path` is a run directory, or the beginning of their names without the number, as in runs/houses, or a folder of
    runs.
    """

    name: str
    path: Path

    @classmethod
    def of(cls, text: str, folder: Path) -> RunSource:
        """Return the source that is written as PATH or NAME=PATH; `folder` is where runs without a folder lie.

        Without a name, that of the config is taken. Raises `UserError` for a name that cannot be part of a URL's path.
        """
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = "", text
        found = Path(path)
        if not found.is_absolute() and not cls("", found).candidates() and cls("", folder / found).candidates():
            found = folder / found
        if not name:
            name = re.sub(r"-[0-9]+$", "", found.resolve().name) or found.resolve().name
        if not name or "/" in name or len(name) > LONGEST or in_a_line(name) != name or name in (".", ".."):
            raise UserError(f"{named(name)} cannot be the name of a model; write NAME={path}")
        return cls(name, found)

    def candidates(self) -> list[Path]:
        """Return the run directories that it may stand for."""
        if RunDirectory.is_at(self.path):
            return [self.path]
        if self.path.is_dir():
            folder, pattern = self.path, re.compile(r"(?!\.).+")
        else:
            folder, pattern = self.path.parent, re.compile(re.escape(self.path.name) + r"-[0-9]+")
        if not folder.is_dir():
            return []
        return [one for one in sorted(folder.iterdir()) if pattern.fullmatch(one.name) and RunDirectory.is_at(one)]

    def resolve(self) -> RunDirectory:
        """Return the run: the only one, or the finished one that was started last. Raises `RunError`."""
        paths = self.candidates()
        if paths == [self.path]:
            return RunDirectory.open(self.path)
        finished: dict[tuple[str, str], RunDirectory] = {}
        for path in paths:
            run = RunDirectory(path)
            try:
                with ignored_warnings():
                    status = run.status()
            except (RunError, OSError):  # damaged, or being removed
                continue
            if status.get("state") == "finished":
                finished[str(status.get("begun", "")), path.name] = run
        if not finished and self.path.is_file():
            runs = self.path.with_suffix("").name
            raise RunError(f"{self.path} is a file, not a run; runs/{runs} stands for the newest run of {runs}.yaml")
        if not finished:
            raise RunError(f"there is no finished run {self.path}" if paths else f"there is no run {self.path}")
        return finished[max(finished)]
