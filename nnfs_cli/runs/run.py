"""A run directory: the only module that knows what the files in it are called.

What lies in one:

    runs/<config name>-<n>/
      config.yaml         the config as it was given, byte for byte
      spec.yaml           the same with every default spelled out; itself a valid config
      data.json           columns, classes, fitted statistics, row counts, SHA-256 of the data
      environment.json    versions, machine, command line, git commit
      status.json         running, finished, interrupted, diverged or failed, since when, the SHA-256 of files here,
                          and how it was resumed: each time from where, to how many epochs, and in what environment
      epochs.csv          a row for each logged epoch
      weights/best.npz    the parameters by name, of the best epoch
      weights/last.npz    and of the last, and epoch-<n>.npz where they are kept
      state.npz           all that it takes to go on as if nothing had been in between
      metrics.json        the final figures, by split
      calibration.json    how strange the truth of rows not learned from was: what intervals are made of
      decision.json       the threshold between two classes, where one was chosen
      evaluation/<split>/confusion.csv   how often each class was taken for which; <split>-<weights> unless by the best
      code/               a copy of the user's own components, if there are any; never run from here
      lock                who is writing, as long as somebody is

Every file but the epoch log is replaced as a whole. A directory may come from anyone: what is read is checked, and no
link in it is followed.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import BufferedRandom, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from nnfs_cli.errors import RunError
from nnfs_cli.runs.checked_files import CheckedFiles
from nnfs_cli.system.files import attach_path, make_folder, sync_folder, unfinished_files
from nnfs_cli.system.lock import Lock
from nnfs_cli.system.wording import listing, shown

if TYPE_CHECKING:
    from nnfs_cli.arrays import Array
    from nnfs_cli.prediction.calibration import Calibration

Status = Literal["running", "finished", "interrupted", "diverged", "failed"]
WEIGHTS = re.compile("best|last|epoch-[1-9][0-9]*")
FORMAT = 2  # of a run directory; a release reads all up to its own


class Run(CheckedFiles):
    """One run directory, existing."""

    larger: ClassVar[dict[str, int]] = {"data.json": 1 << 28, "epochs.csv": 1 << 28, "evaluation": 1 << 24}

    def __init__(self, path: str | Path) -> None:
        super().__init__(Path(path))
        self._epochs: BufferedRandom | None = None
        self._lock: Lock | None = None

    @classmethod
    def create(cls, folder: str | os.PathLike[str], name: str) -> Run:
        """Make ``folder/name-n`` with the next free number, and be its writer. Nothing that exists is touched."""
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
                break
            except FileExistsError:  # another process was faster
                number += 1
        run = cls(path)
        try:
            run.lock()
            make_folder(path / "weights")
            sync_folder(folder)
        except BaseException:
            run.discard()
            raise
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """An existing run. Raises `RunError` when the directory is not one."""
        run = cls(path)
        if not run.path.is_dir():
            raise RunError(f"there is no run directory {path}")
        if not run.spec_file.exists():
            raise RunError(f"{path} is not a run directory: it has no {run.spec_file.name}")
        return run

    @classmethod
    def newest(cls, folder: str | Path) -> Run:
        """The run in `folder` with weights that was begun last. Raises `RunError` when there is none."""
        folder = Path(folder)
        runs = [cls(path) for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        usable = {}
        for run in runs:
            with contextlib.suppress(RunError):  # what is damaged is not the one that is meant
                if run.spec_file.exists() and run.has_weights("best"):
                    usable[run.status().get("begun", ""), run.path.name] = run
        if not usable:
            raise RunError(f"there is no trained run in {folder}; `nnfs train CONFIG` makes one, --run names another")
        return usable[max(usable)]

    def lock(self) -> None:
        """Be the one who writes here, until `release` or the end of the process.

        Raises `BlockingIOError`, which names the one who does, when it is somebody else.
        """
        if self._lock is None:
            self._lock = Lock(self._file("lock"), str(self.path))
            for rest in unfinished_files(self.path):  # of a writer that was killed
                rest.unlink(missing_ok=True)

    def release(self) -> None:
        """Let others write here."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def locked(self) -> bool:
        """Whether this is the one who writes here."""
        return self._lock is not None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """For a while, be the one who writes here; see `lock`."""
        if self.locked:
            yield
            return
        self.lock()
        try:
            yield
        finally:
            self.release()

    def discard(self) -> None:
        """Take the whole directory away again, which was just made."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    @property
    def spec_file(self) -> Path:
        """The resolved spec, a config. Raises `RunError` when it is not what it was when it was written."""
        path = self._file("spec.yaml")
        if path.exists():
            self._open(path.name).close()
        return path

    def write_config(self, source: bytes, spec_yaml: str) -> None:
        """Keep the config as given, if it was a file, and as it was understood."""
        if source:
            self._write("config.yaml", source)
        self._write("spec.yaml", spec_yaml.encode())

    def write_data(self, data: Mapping[str, Any]) -> None:
        """Keep what the data was and how it was split and fitted."""
        self._write_json("data.json", {"format": FORMAT, **data})

    def data(self) -> dict[str, Any]:
        """Take `write_data` back. Raises `RunError` when a later release wrote it in a way unknown to this one."""
        data = self._read_json("data.json")
        if data.get("format") not in range(1, FORMAT + 1):
            raise RunError(f"{self.path} has the format {data.get('format')!r}; this release reads 1 to {FORMAT}")
        if not isinstance(data.setdefault("code", {}), dict):
            raise RunError(f"{self.path} is damaged: the record of its code names no files")
        try:
            weights = data.setdefault("weights", {})
            weights["classes"] = {label: float(weight) for label, weight in weights.get("classes", {}).items()}
        except (AttributeError, TypeError, ValueError, OverflowError):
            raise RunError(f"{self.path} is damaged: the record of its data does not say how much rows count") from None
        lacking = [key for key in ("sha256", "inputs", "fitted") if key not in data]
        if lacking:
            raise RunError(f"{self.path} is damaged: the record of its data lacks '{lacking[0]}'")
        return data

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Keep where and with what the run was made."""
        self._write_json("environment.json", environment)

    def trained_on(self) -> dict[str, str]:
        """The SHA-256 of the data of each split, as it was when the run was last trained."""
        lineage = self.lineage()
        digests = lineage[-1].get("sha256") if lineage else self.data()["sha256"]
        return digests if isinstance(digests, dict) else {}

    def environment(self) -> dict[str, Any]:
        """Where and with what it was begun."""
        return self._read_json("environment.json")

    def set_status(self, state: Status) -> None:
        """Say how the run stands, and since when. What is not going to change has its SHA-256 written down."""
        self._write_status(state, self.lineage())

    def take_up(self, sitting: Mapping[str, Any]) -> None:
        """Say that it is trained again: from which `epoch` and `step`, to how many `epochs`, when and where.

        A sitting before that made no step since has come to nothing, and is forgotten.
        """
        make_folder(self._folder("weights"))
        self._write_status("running", [*(past for past in self.lineage() if past["step"] < sitting["step"]), sitting])

    def _write_status(self, state: Status, sittings: Sequence[Mapping[str, Any]]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        files = ["spec.yaml", "data.json"]
        if state != "running":
            files += [
                "epochs.csv",
                "metrics.json",
                "calibration.json",
                "state.npz",
                *(f"weights/{which}.npz" for which in self.weights_kept()),
            ]
        sha256 = {name: digest for name in files if (digest := self._digest(name))}
        status = {"state": state, "begun": self.status().get("begun", now), "since": now, "sha256": sha256}
        self._write_json("status.json", {**status, "resumed": sittings} if sittings else status)

    def status(self) -> dict[str, Any]:
        """The last status; empty when there is none."""
        if not self._file("status.json").exists():
            return {}
        status = self._read_json("status.json")
        digests = status.setdefault("sha256", {})
        if status.get("state") not in get_args(Status) or not isinstance(status.setdefault("begun", ""), str):
            raise RunError(f"{self.path} is damaged: its status.json does not say how it stands")
        if not isinstance(digests, dict):
            raise RunError(f"{self.path} is damaged: its status.json does not say which files there are")
        return status

    def lineage(self) -> list[dict[str, Any]]:
        """Each time that it was taken up; see `take_up`. Empty where it never was."""
        sittings = self.status().get("resumed", [])
        wanted = {"epoch": int, "step": int, "epochs": int, "environment": dict}
        if not isinstance(sittings, list) or not all(
            isinstance(sitting, dict) and all(isinstance(sitting.get(key), kind) for key, kind in wanted.items())
            for sitting in sittings
        ):
            raise RunError(f"{self.path} is damaged: its status.json does not say how it was resumed")
        return sittings

    def recorded(self, name: str) -> str | None:
        """The SHA-256 that the status says a file has."""
        return None if name == "status.json" else self.status().get("sha256", {}).get(name)

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Keep the final figures."""
        self._write_json("metrics.json", metrics)

    def metrics(self) -> dict[str, Any]:
        """Take `write_metrics` back: figures by split, the best epoch, and why training `stopped` early, if it did."""
        metrics = self._read_json("metrics.json")
        for name, of in metrics.items():
            if name == "stopped":
                sound = isinstance(of, str) and len(of) < 1_000 and of.isprintable()
            else:
                sound = all(map(_is_figure, of.values() if isinstance(of, dict) else [of]))
            if not sound:
                raise RunError(f"{self.path} is damaged: its metrics.json holds what is no figure, as {name!r:.40}")
        return metrics

    def write_code(self, name: str, source: bytes) -> None:
        """Keep a copy of a file of the user's own."""
        make_folder(self._folder("code"))
        self._write(f"code/{name}", source)

    def write_calibration(self, calibration: Calibration | None) -> None:
        """Keep what intervals are made of; or nothing, where there is nothing."""
        if calibration is None:
            self._file("calibration.json").unlink(missing_ok=True)
        else:
            self._write_json("calibration.json", calibration.to_json())

    def calibration(self) -> Calibration:
        """Take `write_calibration` back. Raises `RunError` where there is none."""
        from nnfs_cli.prediction.calibration import Calibration

        if not self._file("calibration.json").exists():
            without = "it was trained without rows that say how sure to be (validation, or holdout: fold)"
            raise RunError(f"{self.path} has no calibration: {without}, or by an earlier release")
        try:
            return Calibration.from_json(self._read_json("calibration.json"))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            raise RunError(f"{self.path} is damaged: its calibration.json holds no calibration") from None

    def write_decision(self, decision: Mapping[str, Any]) -> None:
        """Keep the threshold between two classes, and how it was chosen."""
        self._write_json("decision.json", decision)

    def forget_decision(self) -> None:
        """Take the threshold away, if there is one."""
        self._file("decision.json").unlink(missing_ok=True)
        sync_folder(self.path)

    def decision(self) -> dict[str, Any] | None:
        """Take `write_decision` back: the `threshold`, of which `class`, chosen `by` what; None when there is none."""
        if not self._file("decision.json").exists():
            return None
        decision = self._read_json("decision.json")
        threshold = decision.get("threshold")
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 2:
            remedy = "`nnfs evaluate --threshold` writes it anew"
            raise RunError(f"{self.path} is damaged: its decision.json holds no threshold; {remedy}")
        decision["class"] = f"{decision.get('class', 'the second class')!s:.200}"
        return decision

    def write_confusion(self, split: str, weights: str, labels: Sequence[str], counts: Array) -> None:
        """Keep how many rows of each class (a line) were taken for which (a column)."""
        name = _confusion_file(split, weights)
        make_folder(self._folder(os.path.dirname(name)))
        rows = [["truth", *labels], *([label, *row] for label, row in zip(labels, counts.tolist(), strict=True))]
        self._write(name, _csv(rows).encode())

    def confusion(self, split: str, weights: str = "best") -> dict[str, dict[str, int]] | None:
        """Take `write_confusion` back: counts by true class, then by predicted class; None when there are none."""
        name = _confusion_file(split, weights)
        if not self._file(name).exists():
            return None
        try:
            (_, *labels), *rows = _rows(self._read(name))
            return {truth: dict(zip(labels, map(int, counts), strict=True)) for truth, *counts in rows}
        except (ValueError, csv.Error):
            raise RunError(f"{self.path} is damaged: its {name} is no table of counts") from None

    def append_epoch(self, row: Mapping[str, float]) -> None:
        """Add a row to the epoch log; the first one brings the header."""
        path = self._file("epochs.csv")
        with attach_path(path):
            if self._epochs is None:
                self._epochs = path.open("w+b")
                sync_folder(self.path)  # a state that counts on it may last from now on
            if not self._epochs.tell():
                self._epochs.write(_csv([list(row)]).encode())
            line = ",".join(map(repr, row.values()))  # repr: reads back as the same number
            self._epochs.write(f"{line}\n".encode())

    def flush_epochs(self) -> None:
        """Let readers see the rows so far."""
        if self._epochs:
            with attach_path(self.path / "epochs.csv"):
                self._epochs.flush()

    def sync_epochs(self) -> int:
        """Have the rows so far safe on the disk, and say how many bytes they are."""
        if self._epochs is None:
            return 0
        with attach_path(self.path / "epochs.csv"):
            self._epochs.flush()
            os.fsync(self._epochs.fileno())
            return self._epochs.tell()

    def close_epochs(self) -> None:
        """The log is complete for now."""
        if self._epochs is not None:
            with attach_path(self.path / "epochs.csv"), contextlib.closing(self._epochs):
                self.sync_epochs()
            self._epochs = None

    def require_epochs(self, size: int) -> None:
        """Raise `RunError` unless the log has so many bytes, or more, and is what it was when training ended."""
        path = self._file("epochs.csv")
        if path.exists():
            self._open(path.name).close()
        if not 0 <= size <= (path.stat().st_size if path.exists() else 0):
            raise RunError(f"{self.path} is damaged: its epochs.csv has not the length that its state.npz says")

    def cut_epochs(self, size: int) -> None:
        """Leave so many bytes of the log, in a file that is nobody else's, and go on behind them."""
        path = self._file("epochs.csv")
        with attach_path(path):
            kept = path.read_bytes()[:size] if path.exists() else b""
            self._write("epochs.csv", kept)
            self._epochs = path.open("r+b")
            self._epochs.seek(len(kept))

    def epochs(self) -> list[dict[str, float]]:
        """The epoch log, as far as its lines are whole: a power cut may leave zeros where something was to be."""
        if not self._file("epochs.csv").exists():
            return []
        content = self._read("epochs.csv").partition(b"\0")[0]
        try:
            header, *rows = _rows(content[: content.rfind(b"\n") + 1]) or [["epoch", "step"]]
            if not {"epoch", "step"} <= set(header):
                raise ValueError
            return [dict(zip(header, map(float, row), strict=True)) for row in rows]
        except (ValueError, csv.Error):
            raise RunError(f"{self.path} is damaged: its epochs.csv is no table of numbers") from None

    def write_weights(self, which: str, arrays: Mapping[str, Array]) -> None:
        """Keep parameters by name; `numpy.load(..., allow_pickle=False)` reads them anywhere."""
        self._write_arrays(f"weights/{which}.npz", arrays)

    def has_weights(self, which: str) -> bool:
        """Whether they were written."""
        return self._file(f"weights/{which}.npz").exists()

    def weights_kept(self) -> list[str]:
        """Which there are."""
        names = (file.stem for file in self._folder("weights").glob("*.npz"))
        return sorted(filter(WEIGHTS.fullmatch, names), key=lambda name: (len(name), name))

    def forget_weights(self, after: int) -> None:
        """Take away those of epochs after this one, which training is going to come to again, or never."""
        for which in self.weights_kept():
            if which.startswith("epoch-") and int(which.removeprefix("epoch-")) > after:
                self._file(f"weights/{which}.npz").unlink()
        sync_folder(self._folder("weights"))

    def weights_sha256(self, which: str) -> str | None:
        """The digest of the file; None when there is none."""
        return self._digest(f"weights/{which}.npz")

    def read_weights(self, which: str, into: Mapping[str, Array]) -> None:
        """Take `write_weights` back: best, last or epoch-<n>, into the arrays of the net that they are to be of.

        Raises `RunError` when they are missing, damaged, or those of another net.
        """
        if not WEIGHTS.fullmatch(which):
            raise RunError(f"weights are called best, last or, as in epoch-10, by their epoch; found {shown(which)}")
        name = f"weights/{which}.npz"
        if not self._file(name).exists():
            state = self.status().get("state", "unknown")
            others = self.weights_kept()
            if len(others) > 8:
                others[4:-3] = ["..."]
            kept = f"it has {listing(others)}" if others else f"the state of its training is '{state}'"
            raise RunError(f"{self.path} has no {which} weights; {kept}")
        self._read_arrays(name, into, list(into))

    def write_state(self, arrays: Mapping[str, Array]) -> None:
        """Keep all that it takes to go on from here."""
        self._write_arrays("state.npz", arrays)

    def has_state(self) -> bool:
        """Whether there is a place to go on from."""
        return self._file("state.npz").exists()

    def read_state(self, into: Mapping[str, Array], weights: Sequence[str] = ()) -> None:
        """Take `write_state` back, into arrays of these names, shapes and types; `weights` have to be finite."""
        self._read_arrays("state.npz", into, weights)


def _is_figure(value: object) -> bool:
    """Whether it is a number, or nothing in the place of one that is not defined."""
    return value is None or isinstance(value, float) or (type(value) is int and abs(value) < 1 << 63)


def _confusion_file(split: str, weights: str) -> str:
    return f"evaluation/{split if weights == 'best' else f'{split}-{weights}'}/confusion.csv"


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(content.decode(), newline="")))  # there may be line breaks in a label


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text, rows = StringIO(), list(rows)
    if any("\r" in str(cell) for row in rows for cell in row):  # which Python 3.11 would not quote by itself
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
