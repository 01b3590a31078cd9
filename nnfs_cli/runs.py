"""A run directory: the only module that knows what the files in it are called.

What lies in one:

    runs/<config name>-<n>/
      config.yaml         the config as it was given, byte for byte
      spec.yaml           the same with every default spelled out; itself a valid config
      data.json           columns, classes, fitted statistics, row counts, SHA-256 of the data
      environment.json    versions, machine, command line, git commit
      status.json         running, finished, interrupted, diverged or failed, and since when
      epochs.csv          a row for each logged epoch
      weights/best.npz    the parameters by name, of the best epoch
      weights/last.npz    and of the last, and epoch-<n>.npz where they are kept
      metrics.json        the final figures, by split
      decision.json       the threshold between two classes, where one was chosen
      evaluation/<split>/confusion.csv   how often each class was taken for which; <split>-<weights> unless by the best
      code/               a copy of the user's own components, if there are any; never run from here
"""

from __future__ import annotations

import csv
import json
import os
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from nnfs_cli.errors import RunError, listing, shown
from nnfs_cli.files import sync_folder, write_whole
from nnfs_cli.parameters import Array

State = Literal["running", "finished", "interrupted", "diverged", "failed"]
FORMAT = 2  # of a run directory; a release reads all up to its own


class Run:
    """One run directory, existing."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._epochs: TextIOWrapper | None = None

    @classmethod
    def create(cls, folder: str | os.PathLike[str], name: str) -> Run:
        """Make ``folder/name-n`` with the next free number. Nothing that exists is touched."""
        folder = Path(folder)
        if folder.is_file():
            raise RunError(f"{folder} is a file; runs need a folder")
        folder.mkdir(parents=True, exist_ok=True)
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
        (path / "weights").mkdir()
        sync_folder(folder)
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """An existing run. Raises `RunError` when the directory is not one."""
        run = cls(path)
        if not run.path.is_dir():
            raise RunError(f"there is no run directory {path}")
        if not run.spec_file.is_file():
            raise RunError(f"{path} is not a run directory: it has no {run.spec_file.name}")
        return run

    @classmethod
    def newest(cls, folder: str | Path) -> Run:
        """The run in `folder` with weights that was begun last. Raises `RunError` when there is none."""
        folder = Path(folder)
        runs = [cls(path) for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        usable = [run for run in runs if run.spec_file.is_file() and run.has_weights("best")]
        if not usable:
            raise RunError(f"there is no trained run in {folder}; `nnfs train CONFIG` makes one, --run names another")
        return max(usable, key=lambda run: (run.status().get("begun", ""), run.path.name))

    @property
    def spec_file(self) -> Path:
        """The resolved spec, a config."""
        return self.path / "spec.yaml"

    def write_config(self, source: bytes, spec_yaml: str) -> None:
        """Keep the config as given, if it was a file, and as it was understood."""
        if source:
            self._write("config.yaml", source)
        self._write(self.spec_file.name, spec_yaml.encode())

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
        lacking = [key for key in ("sha256", "inputs", "fitted") if key not in data]
        if lacking:
            raise RunError(f"{self.path} is damaged: the record of its data lacks '{lacking[0]}'")
        return data

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Keep where and with what the run was made."""
        self._write_json("environment.json", environment)

    def set_status(self, state: State) -> None:
        """Say how the run stands, and since when."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        begun = now if state == "running" else self.status().get("begun", now)
        self._write_json("status.json", {"state": state, "begun": begun, "since": now})

    def status(self) -> dict[str, Any]:
        """The last status; empty when there is none."""
        try:
            return self._read_json("status.json")
        except RunError:
            return {}

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Keep the final figures."""
        self._write_json("metrics.json", metrics)

    def metrics(self) -> dict[str, Any]:
        """Take `write_metrics` back."""
        return self._read_json("metrics.json")

    def write_code(self, name: str, source: bytes) -> None:
        """Keep a copy of a file of the user's own."""
        (self.path / "code").mkdir(exist_ok=True)
        self._write(f"code/{name}", source)

    def write_decision(self, decision: Mapping[str, Any]) -> None:
        """Keep the threshold between two classes, and how it was chosen."""
        self._write_json("decision.json", decision)

    def forget_decision(self) -> None:
        """Take the threshold away, if there is one."""
        (self.path / "decision.json").unlink(missing_ok=True)
        sync_folder(self.path)

    def decision(self) -> dict[str, Any] | None:
        """Take `write_decision` back: the `threshold`, of which `class`, chosen `by` what; None when there is none."""
        if not (self.path / "decision.json").exists():
            return None
        decision = self._read_json("decision.json")
        threshold = decision.get("threshold")
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 2:
            remedy = "`nnfs evaluate --threshold` writes it anew"
            raise RunError(f"{self.path} is damaged: its decision.json holds no threshold; {remedy}")
        return decision

    def write_confusion(self, part: str, weights: str, labels: Sequence[str], counts: Array) -> None:
        """Keep how many rows of each class (a line) were taken for which (a column)."""
        file = self._confusion_file(part, weights)
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [["truth", *labels], *([label, *row] for label, row in zip(labels, counts.tolist(), strict=True))]
        write_whole(file, lambda out: out.write(_csv(rows).encode()))

    def confusion(self, part: str, weights: str = "best") -> dict[str, dict[str, int]] | None:
        """Take `write_confusion` back: counts by true class, then by predicted class; None when there are none."""
        try:
            (_, *labels), *rows = _read_csv(self._confusion_file(part, weights))
        except FileNotFoundError:
            return None
        return {truth: dict(zip(labels, map(int, counts), strict=True)) for truth, *counts in rows}

    def append_epoch(self, row: Mapping[str, float]) -> None:
        """Add a row to the epoch log; the first one brings the header."""
        if self._epochs is None:
            self._epochs = (self.path / "epochs.csv").open("w", encoding="utf-8", newline="")
            self._epochs.write(_csv([list(row)]))
        self._epochs.write(",".join(map(repr, row.values())) + "\n")  # repr: what reads back as the same number

    def flush_epochs(self) -> None:
        """Let readers see the rows so far."""
        if self._epochs:
            self._epochs.flush()

    def close_epochs(self) -> None:
        """The log is complete."""
        if self._epochs:
            self._epochs.flush()
            os.fsync(self._epochs.fileno())
            self._epochs.close()
            self._epochs = None

    def epochs(self) -> list[dict[str, float]]:
        """The epoch log."""
        try:
            header, *rows = _read_csv(self.path / "epochs.csv")
        except (FileNotFoundError, ValueError):
            return []
        return [dict(zip(header, map(float, row), strict=True)) for row in rows]

    def write_weights(self, which: str, arrays: Mapping[str, Array]) -> None:
        """Keep parameters by name; `numpy.load(..., allow_pickle=False)` reads them anywhere."""
        write_whole(self._weights_file(which), lambda file: _write_npz(file, arrays))

    def has_weights(self, which: str) -> bool:
        """Whether they were written."""
        return self._weights_file(which).is_file()

    def weights(self, which: str) -> dict[str, Array]:
        """Take `write_weights` back: best, last or epoch-<n>. Raises `RunError` when they are missing or damaged."""
        if not re.fullmatch(r"best|last|epoch-[1-9][0-9]*", which):
            raise RunError(f"weights are called best, last or, as in epoch-10, by their epoch; found {shown(which)}")
        path = self._weights_file(which)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            state = self.status().get("state", "unknown")
            others = sorted((file.stem for file in path.parent.glob("*.npz")), key=lambda name: (len(name), name))
            if len(others) > 8:
                others[4:-3] = ["..."]
            kept = f"it has {listing(others)}" if others else f"the state of its training is '{state}'"
            raise RunError(f"{self.path} has no {which} weights; {kept}") from None
        except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile):
            raise RunError(f"{path} is damaged: it is not a whole npz file of plain arrays") from None

    def _confusion_file(self, part: str, weights: str) -> Path:
        return self.path / "evaluation" / (part if weights == "best" else f"{part}-{weights}") / "confusion.csv"

    def _weights_file(self, which: str) -> Path:
        return self.path / "weights" / f"{which}.npz"

    def _write(self, name: str, content: bytes) -> None:
        write_whole(self.path / name, lambda file: file.write(content))

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self._write(name, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())

    def _read_json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise RunError(f"{self.path} has no {name}; its training did not get that far") from None
        except ValueError as error:
            raise RunError(f"{path} is damaged: {error}") from None
        if not isinstance(content, dict):
            raise RunError(f"{path} is damaged: it holds no settings")
        return content


def _write_npz(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """What `numpy.savez` writes, from contiguous arrays, of which no copies are made on the way."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
                member.write(array.data)


def _read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:  # there may be line breaks in a label
        return list(csv.reader(file))


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text, rows = StringIO(), list(rows)
    if any("\r" in str(cell) for row in rows for cell in row):  # which Python 3.11 would not quote by itself
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
