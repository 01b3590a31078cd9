"""The folder of a search. Only this wing knows what the files in it are called.

    runs/<config name>-tune-<n>/
      config.yaml     the config with its block `search`, and with what the command line changed
      search.json     what was asked for: trials, metrics, sampler, pruner, seed
      journal.log     all trials, as Optuna's JournalStorage keeps them; its own tools read it
      best.yaml       the config with the values of the best trial
      trial-<i>/      each trial, an ordinary run directory
      lock            names the process that searches, for as long as it does

`nnfs guide tuning` says more. The folder may come from anyone, so what is read is checked, and no link is followed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.runs.numbered import make_numbered
from nnfs_cli.runs.removal import remove_rest
from nnfs_cli.system.files import sync_folder, unfinished_files
from nnfs_cli.system.lock import Lock

CONFIG, PLAN, JOURNAL, BEST = "config.yaml", "search.json", "journal.log", "best.yaml"
LARGEST_JOURNAL = 1 << 30  # bytes


class SearchDirectory:
    """The folder of one search, and the lock that only one process at a time holds."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._files = CheckedFiles(self.path)
        self._lock: Lock | None = None

    @classmethod
    def create(cls, folder: str | os.PathLike[str], name: str) -> Self:
        """Make and lock ``folder/name-tune-n`` with the next free number n."""
        search = cls(make_numbered(folder, f"{name}-tune"))
        try:
            search.lock()
            sync_folder(search.path.parent)
        except BaseException:
            search.discard()
            raise
        return search

    def furnish(self, config: str, plan: Mapping[str, Any]) -> None:
        """Record the config and the plan of a new search."""
        self._files.write(CONFIG, config.encode())
        self.write_plan(plan)  # the last file, because a folder that has it counts as a search

    def discard(self) -> None:
        """Delete the whole folder, which was just made."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    @staticmethod
    def is_at(path: Path) -> bool:
        """Tell whether a path looks like the folder of a search, without checking what is in it."""
        return not path.is_symlink() and (path / PLAN).is_file()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Return an existing search. Raises `RunError` if the folder is none."""
        search = cls(path)
        if not cls.is_at(search.path):
            raise RunError(f"{path} is not the folder of a search: it has no {PLAN}")
        return search

    def lock(self) -> None:
        """Become the only process that searches here. Raises `BlockingIOError`, which names another one that does."""
        if self._lock is None:
            self._lock = Lock(self._files.locate("lock"), str(self.path))
            for rest in unfinished_files(self.path):
                if rest.parent == self.path:  # of a writer that was killed; those of a trial go with it
                    rest.unlink(missing_ok=True)

    def release(self) -> None:
        """Let other processes search here."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def config_file(self) -> Path:
        """The config of the search, which may come from anyone."""
        return self._files.locate(CONFIG)

    def config(self) -> bytes:
        """Return the text of the config."""
        return self._files.read(CONFIG)

    def plan(self) -> dict[str, Any]:
        """Return what was asked for."""
        return self._files.read_json(PLAN)

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Record what was asked for."""
        self._files.write_json(PLAN, plan)

    def journal(self) -> Path:
        """Return the path of the journal, without the half of a line that a killed process may have left at its end."""
        path = self._files.locate(JOURNAL)
        if path.exists():
            with path.open("r+b") as file:
                content = file.read(LARGEST_JOURNAL + 1)
                if len(content) > LARGEST_JOURNAL:
                    raise RunError(f"{path} has more than {LARGEST_JOURNAL:,} bytes")
                if content and not content.endswith(b"\n"):
                    file.truncate(content.rfind(b"\n") + 1)
                    file.flush()
                    os.fsync(file.fileno())
        Path(f"{path}.lock").unlink(missing_ok=True)  # of a killed process: ours is the only one that may write
        return path

    def trial(self, number: int) -> RunDirectory:
        """Return the run of a trial, counted from 1, which need not exist."""
        return RunDirectory(self.path / f"trial-{number}")

    def new_trial(self, number: int) -> RunDirectory:
        """Make the run directory of a trial anew. What is left of a run that was killed is deleted."""
        path = self.path / f"trial-{number}"
        remove_rest(path)
        return RunDirectory.create_at(path)

    def write_best(self, config: str) -> Path:
        """Write the config of the best trial, and return its path."""
        self._files.write(BEST, config.encode())
        return self.path / BEST
