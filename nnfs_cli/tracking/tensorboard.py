"""Event files for TensorBoard, written without TensorFlow and without TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from nnfs_cli.components.field_types import OutputPath
from nnfs_cli.system.files import make_folder, path_without_links
from nnfs_cli.system.hidden import hidden
from nnfs_cli.tracking.base import Ending, Row, TrackedRun, Tracker

if TYPE_CHECKING:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

IN_RUN = "tensorboard"
SPLITS = ("train", "val")  # prefixes of figures in the epoch log


class TensorBoard(Tracker, name="tensorboard", main="folder"):
    """Event files with every figure of every epoch, for `tensorboard --logdir`, and the config as a text.

    A figure of training rows and the same figure of validation rows stand in one chart: they have one tag, such as
    `loss`, in the event files of the folders `train` and `val`. The others, such as `lr`, are in the folder above them.
    """

    extra = "tensorboard"
    package = "tensorboardX"
    examples = ("tensorboard: logs",)

    folder: OutputPath | None = Field(default=None, kw_only=False)
    """Folder in which each run gets a folder of its own, relative to the folder of the config. By default the files are
    in the run directory."""

    def open(self, run: TrackedRun) -> EventWriter:
        """Begin new event files, and delete those of earlier sessions of the run."""
        if self.folder is not None:
            return EventWriter(_own_folder(self.folder, run), run)
        return EventWriter(path_without_links(run.path, f"{IN_RUN}/events").parent, run)

    def place(self, run: Path) -> str:
        """Return the folder of the event files."""
        return (run / IN_RUN if self.folder is None else self.folder / run.name).as_posix()


class EventWriter:
    """Writes the event files of one run."""

    def __init__(self, folder: Path, run: TrackedRun) -> None:
        self._folder, self._run = folder, run
        self._files: dict[str, RecordWriter] = {}  # by the name of a folder in `folder`; "" is that folder itself
        earlier = _event_files(folder, run)
        taken, moment = {path.name for path in earlier}, time.time_ns() // 1_000_000
        while (name := f"events.out.tfevents.{moment:013}.{run.stamp}.nnfs") in taken:
            moment += 1  # another session has begun in the same millisecond
        self._session = name
        self._files[""] = self._begin("")
        self._add("", _event(run.begun.timestamp(), 0, [_text("config", run.spec)]))
        self._flush()
        for path in earlier:
            path.unlink()

    def write(self, rows: Sequence[Row]) -> None:
        """Write the figures of each row, with the epoch as the step."""
        for row in rows:
            by_folder: dict[str, list[Summary.Value]] = {}
            for figure, value in row.items():
                split, _, name = figure.partition("_")
                folder, tag = (split, name) if name and split in SPLITS else ("", figure)
                if figure != "epoch":
                    by_folder.setdefault(folder, []).append(_scalar(tag, value))
            for folder, values in by_folder.items():
                self._add(folder, _event(self._run.time(row), int(row["epoch"]), values))
        self._flush()

    def finish(self, ending: Ending) -> None:
        """Write the final figures as a text."""
        if ending.metrics:
            self._add("", _event(time.time(), 0, [_text("metrics", _table(ending.metrics))]))
        self._flush()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _add(self, folder: str, event: Event) -> None:
        if folder not in self._files:
            self._files[folder] = self._begin(folder)
        self._files[folder].write(event.SerializeToString())

    def _begin(self, folder: str) -> RecordWriter:
        """Begin a file. A TensorBoard that has read the one before it drops what that one had said."""
        with hidden("torch"):  # which the package would import, in two seconds, for what is not used here
            from tensorboardX.proto.event_pb2 import Event, SessionLog
            from tensorboardX.record_writer import RecordWriter

        path = path_without_links(self._folder, f"{folder}/{self._session}" if folder else self._session)
        make_folder(path.parent)
        file = RecordWriter(str(path.absolute()))
        start, begun = SessionLog(status=SessionLog.START), self._run.begun.timestamp()
        file.write(Event(wall_time=begun, file_version="brain.Event:2").SerializeToString())
        file.write(Event(wall_time=begun, step=0, session_log=start).SerializeToString())
        return file

    def _flush(self) -> None:
        for file in self._files.values():
            file.flush()


def _event(seconds: float, step: int, values: Iterable[Summary.Value]) -> Event:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    return Event(wall_time=seconds, step=step, summary=Summary(value=values))


def _scalar(tag: str, value: float) -> Summary.Value:
    """Return a figure, which TensorBoard keeps in single precision."""
    from tensorboardX.proto.summary_pb2 import Summary

    return Summary.Value(tag=tag, simple_value=value)


def _text(tag: str, text: str) -> Summary.Value:
    """Return a text that TensorBoard shows as it is: each line is code in Markdown."""
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboardX.proto.tensor_pb2 import TensorProto
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

    code = "\n".join(f"    {line}" for line in text.splitlines())
    about = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    tensor = TensorProto(dtype="DT_STRING", tensor_shape=TensorShapeProto(), string_val=[code.encode()])
    return Summary.Value(tag=tag, metadata=about, tensor=tensor)


def _table(metrics: Mapping[str, Any]) -> str:
    """Return the figures by split, one in a line."""
    return "\n".join(
        f"{split} {name}: {value}"
        for split, figures in metrics.items()
        if isinstance(figures, dict)
        for name, value in figures.items()
    )


def _own_folder(base: Path, run: TrackedRun) -> Path:
    """Return the folder of a run in a folder of many; the name of the run, unless another run's events are there."""
    folder = base / run.name
    others = {*_event_files(folder)} - {*_event_files(folder, run)}
    return base / f"{run.name}-{run.stamp}" if others else folder


def _event_files(folder: Path, run: TrackedRun | None = None) -> list[Path]:
    """Return the event files in a folder and those of its parts, or only those that were written for a run."""
    places = [folder, *(folder / split for split in SPLITS)]
    files = [path for place in places for path in place.glob("*tfevents*")]
    return [path for path in files if run is None or path.name.endswith(f".{run.stamp}.nnfs")]
