"""Read the epochs of a run as it grows, and pass them on to a tracker."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.components.user_code import LOADED
from nnfs_cli.config import yaml
from nnfs_cli.data.table import Table
from nnfs_cli.errors import NnfsError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.secrets import without_secrets
from nnfs_cli.system.wording import cut
from nnfs_cli.tracking.base import Columns, Ending, TrackedRun, Tracker, TrackerWriter
from nnfs_cli.workflows.load_run import BLANK, restore

LONGEST = 300  # characters of a problem
RETRY = 60.0  # seconds after which a tracker that has failed is tried again
RETRY_AT_END = 10.0  # likewise, when the training has ended


class Progress(NamedTuple):
    """What a look at a run has come to."""

    behind: bool  # whether there may be more rows to pass on
    problem: str = ""  # why the tracker has failed; empty if it has not


class Follower:
    """Passes a run on to a tracker, whenever it is called.

    The first call opens the tracker, and each call passes on the rows that are new. A tracker that has failed is opened
    again a minute later, or at the end, unless it has failed just before.

    A tracker that cannot take rows back gets only those that the run has kept in a state: a training that is killed and
    resumed computes the others again.
    """

    def __init__(self, path: Path, tracker: Tracker) -> None:
        self._code = tuple(LOADED.values())  # the first that another process gets: it defines the user's components
        self._run, self._tracker = RunDirectory(path.absolute()), tracker
        self._writer: TrackerWriter | None = None
        self._read = 0  # bytes of the epoch log that were passed on
        self._failed = -math.inf  # the time when the tracker has failed

    def __call__(self, ended: bool) -> Progress:
        """Pass on new rows and, when the training has `ended` and there are no more, its end."""
        try:
            return Progress(self._follow(ended))
        except Exception as error:  # whatever a tracker raises, the training goes on
            self._close()
            self._failed = time.monotonic()
            return Progress(False, _in_a_line(error))

    def _follow(self, ended: bool) -> bool:
        if self._writer is None:
            if time.monotonic() < self._failed + (RETRY_AT_END if ended else RETRY):
                return False
            self._writer, self._read = self._tracker.open(self._about()), 0
        rows, self._read = self._run.log.rows_from(self._read, self._end(ended))
        if rows:
            self._writer.write(rows)
        elif ended:
            self._writer.finish(self._ending())
            self._close()
        return bool(rows)

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        with contextlib.suppress(Exception):  # such as a disk that is still full
            if writer is not None:
                writer.close()

    def _end(self, ended: bool) -> int | None:
        """Return the byte of the log after the last row that may be passed on; None for all rows."""
        final = ended and self._run.status().get("state") in ("finished", "diverged")
        return None if final or self._tracker.withdraws else self._run.arrays.kept_log()

    def _about(self) -> TrackedRun:
        """Return what a tracker is told before the first row."""
        run = self._run
        spec = run.spec_file.read_text(encoding="utf-8")
        last = run.log.last(self._end(ended=True))
        return TrackedRun(
            path=run.path,
            begun=datetime.fromisoformat(run.status()["begun"]),
            epoch=int(last["epoch"]) if last else 0,
            spec=spec,
            settings=dict(_flat("", yaml.read(spec.encode())[0])),
        )

    def _ending(self) -> Ending:
        """Return what a tracker is told after the last row."""
        run, state = self._run, self._run.status()["state"]
        return Ending(state, run.metrics() if state == "finished" else {}, lambda folder: _saved(run, folder))


def _saved(run: RunDirectory, folder: Path) -> Columns:
    """Copy the net of a run, and return its columns; those of its predictions are those for a row without values."""
    run.copy_net(folder)
    inputs = [(column["name"], column["kind"]) for column in run.records.data()["inputs"]]
    predictor = restore(run)
    row = Table("a row", {name: BLANK[kind] for name, kind in predictor.encoder.kinds.items()})
    columns = predictor.predict(row, np.ones(1, bool))
    kinds = {name: column.dtype.kind for name, column in columns.items() if isinstance(column, np.ndarray)}
    return Columns(inputs, [(name, _KINDS.get(kinds.get(name, ""), "text")) for name in columns])


_KINDS = {"f": "number", "b": "truth"}  # by the kind of an array's dtype; all others are texts


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the settings within a value by their dotted keys. A list of plain values is one setting."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), inner)
    elif isinstance(value, list | tuple) and any(isinstance(one, dict | list | tuple) for one in value):
        for i, inner in enumerate(value):
            yield from _flat(f"{key}.{i}", inner)
    else:
        yield key, yaml.dump_value(value)


def _in_a_line(error: Exception) -> str:
    """Return what is wrong in one line."""
    text, kind = " ".join(without_secrets(str(error)).split()), type(error).__name__
    known = text and isinstance(error, NnfsError | OSError)
    return cut(text if known else f"{kind}: {text}" if text else kind, LONGEST)
