"""A run directory. Only this wing knows what the files in it are called.

    runs/<config name>-<n>/
      config.yaml         the config as it was given, byte for byte
      spec.yaml           the same with every default spelled out; itself a valid config
      data.json           columns, classes, fitted preprocessing, row counts, SHA-256 of the data
      environment.json    versions, machine, command line, git commit
      status.json         running, finished, interrupted, diverged or failed; the SHA-256 of all files; the resumptions
      epochs.csv          one row for each logged epoch
      weights/            parameters by name: best.npz, last.npz, and epoch-<n>.npz where the config asks for them
      state.npz           what training needs to continue exactly
      blend.npz           the models that are blended with the net, and their weights
      background.npz      the net's inputs for some training rows, for explanations
      probes.npz          statistics of each layer and parameter at up to 60 epochs
      snapshots.npz       parameters by name at these epochs, for a small net
      metrics.json        the final figures, by split
      verdict.json        how good the net is, in sentences
      calibration.json    nonconformity scores and temperature, for `nnfs predict --interval`
      spread.npz          small nets that predict how large the error of a row is likely to be, for intervals
      decision.json       the threshold between two classes, where one was chosen
      explanation.json    which columns matter and how, where `nnfs explain` was asked
      export.json         what `nnfs export` has written, with its proofs
      report.html         the run as one page, for a browser
      evaluation/<split>/confusion.csv   rows by true and predicted class; <split>-<weights> unless for the best weights
      tensorboard/        event files, where `track: {tensorboard: }` asks for them
      code/               copies of the user's own components, if there are any; never run from here
      lock                names the process that writes here, for as long as it does

`nnfs guide runs` describes each file. Every file but the epoch log is replaced as a whole. A directory may come from
anyone, so what is read is checked, and no link in it is followed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nnfs_cli.errors import RunError
from nnfs_cli.runs.arrays import RunArrays
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.runs.epoch_log import EpochLog
from nnfs_cli.runs.numbered import make_numbered
from nnfs_cli.runs.records import Records
from nnfs_cli.runs.status_file import StatusFile
from nnfs_cli.system.files import make_folder, sync_folder, unfinished_files
from nnfs_cli.system.lock import Lock
from nnfs_cli.system.warn import warn

if TYPE_CHECKING:
    from nnfs_cli.prediction.calibration import ClassCalibration, NumberCalibration

LARGER = {  # bytes that these files, or the files in these folders, may have
    "background.npz": 1 << 28,
    "blend.npz": 1 << 30,
    "data.json": 1 << 28,
    "epochs.csv": 1 << 28,
    "evaluation": 1 << 24,
    "explanation.json": 1 << 24,
    "probes.npz": 1 << 26,
    "snapshots.npz": 1 << 26,
}


IN_TRAINING = {"state.npz", "probes.npz", "snapshots.npz", "lock"}  # what only training writes and reads


class RunDirectory:
    """One run directory: who may write to it, and the parts that read and write its files.

    The parts are `status_file`, `records`, `log` (the epoch log) and `arrays` (weights and state).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.status_file = StatusFile(self.path)
        self._files = CheckedFiles(self.path, LARGER, self.status_file.recorded)
        self.records = Records(self._files, self.status_file)
        self.log = EpochLog(self._files)
        self.arrays = RunArrays(self._files, self.status_file)
        self._lock: Lock | None = None

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        """Copy and pickle the path, and not the lock."""
        return type(self), (self.path,)

    @classmethod
    def create(cls, folder: str | os.PathLike[str], name: str) -> Self:
        """Make and lock ``folder/name-n`` with the next free number n. Nothing that exists is touched."""
        return cls(make_numbered(folder, name))._furnish()

    @classmethod
    def create_at(cls, path: str | os.PathLike[str]) -> Self:
        """Make and lock a run directory at exactly this path. Raises `RunError` if something is there already."""
        path = Path(path)
        make_folder(path.parent)
        try:
            path.mkdir()
        except FileExistsError:
            raise RunError(f"{path} exists already; choose another name, or delete it first") from None
        return cls(path)._furnish()

    def _furnish(self) -> Self:
        """Lock the directory that was just made, and make the folders in it; if that fails, delete it."""
        try:
            self.lock()
            make_folder(self.path / "weights")
            sync_folder(self.path.parent)
        except BaseException:
            self.discard()
            raise
        return self

    @staticmethod
    def is_at(path: Path) -> bool:
        """Tell whether a path looks like a run directory, without checking what is in it."""
        return (path / "spec.yaml").is_file()

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Return an existing run. Raises `RunError` if the directory is not one."""
        run = cls(path)
        if not run.path.is_dir():
            raise RunError(f"there is no run directory {path}")
        if not run.spec_file.exists():
            raise RunError(f"{path} is not a run directory: it has no {run.spec_file.name}")
        return run

    @classmethod
    def newest(cls, folder: str | Path) -> RunDirectory:
        """Return the run in `folder` that was started last and has weights. Raises `RunError` if there is none.

        A warning names the damaged runs, which are skipped.
        """
        folder = Path(folder)
        runs = [cls(path) for path in sorted(folder.iterdir()) if path.is_dir()] if folder.is_dir() else []
        usable, damaged = {}, []
        for run in runs:
            if run.path.name.startswith("."):  # the rest of a removal
                continue
            try:
                if run.spec_file.exists() and run.arrays.has_weights("best"):
                    usable[run.status().get("begun", ""), run.path.name] = run
            except RunError as error:
                damaged.append(str(error))
        if damaged:
            more = f"; {len(damaged) - 1:,} more, see `nnfs runs`" if len(damaged) > 1 else ""
            warn(f"a damaged run is not considered: {damaged[0]}{more}")
        if not usable:
            remedy = "train one, or name the run"
            raise RunError(f"there is no trained run in {folder}; {remedy}")
        return usable[max(usable)]

    def lock(self) -> None:
        """Become the only process that writes here, until `release` or the end of the process.

        Raises `BlockingIOError`, which names the process that writes here already.
        """
        if self._lock is None:
            self._lock = Lock(self._files.locate("lock"), str(self.path))
            for rest in unfinished_files(self.path):  # of a writer that was killed
                rest.unlink(missing_ok=True)

    def release(self) -> None:
        """Let other processes write here."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def locked(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock is not None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock within a `with` block; see `lock`."""
        if self.locked:
            yield
            return
        self.lock()
        try:
            yield
        finally:
            self.release()

    def discard(self) -> None:
        """Delete the whole directory, which was just made."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    def copy_net(self, folder: Path) -> None:
        """Copy the run into a new folder, without what only training needs. Predictions of the copy are the same."""
        make_folder(folder / "weights")
        names = [path.name for path in self.path.iterdir() if path.is_file() and path.name not in IN_TRAINING]
        for name in ("weights/best.npz", *names):
            shutil.copyfile(self._files.locate(name), folder / name)

    @property
    def spec_file(self) -> Path:
        """The resolved config. Raises `RunError` if its digest is not the recorded one."""
        path = self._files.locate("spec.yaml")
        if path.exists():
            self._files.open(path.name).close()
        return path

    def status(self) -> dict[str, Any]:
        """Return how the run stands, see `StatusFile.read`."""
        return self.status_file.read()

    def metrics(self) -> dict[str, Any]:
        """Return the final figures, see `Records.metrics`."""
        return self.records.metrics()

    def write_calibration(self, calibration: NumberCalibration | ClassCalibration | None) -> None:
        """Write the calibration of the net; with None, delete the one from an earlier session."""
        self.arrays.write_spread(getattr(calibration, "arrays", {}))
        self.records.write_calibration(calibration)

    def calibration(self) -> NumberCalibration | ClassCalibration:
        """Return the calibration of the net. Raises `RunError` if there is none, or if it is damaged."""
        calibration = self.records.calibration()
        if arrays := getattr(calibration, "arrays", {}):
            self.arrays.read_spread(arrays)
        return calibration

    def epochs(self) -> list[dict[str, float]]:
        """Return the rows of the epoch log, see `EpochLog.rows`."""
        return self.log.rows()
