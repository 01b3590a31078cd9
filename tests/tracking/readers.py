"""What TensorBoard's own reader, and a reader of CSV, find of tracked runs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from nnfs_cli.system.ignored_warnings import ignored_warnings

Figures = dict[tuple[int, str], list[float]]  # by epoch and name; more than one value if an epoch was passed on twice


def figures_of(rows: list[dict[str, float]]) -> Figures:
    """The figures of an epoch log."""
    return {(int(row["epoch"]), name): [value] for row in rows for name, value in row.items() if name != "epoch"}


def in_single_precision(rows: list[dict[str, float]]) -> Figures:
    """The figures of an epoch log as TensorBoard keeps them."""
    with np.errstate(over="ignore"):
        return {key: [float(np.float32(value))] for key, (value,) in figures_of(rows).items()}


def in_tensorboard(folder: Path) -> Figures:
    """The figures that TensorBoard finds in a folder of a run."""
    with ignored_warnings():
        from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray
    found: Figures = {}
    for part, prefix in (("", ""), ("train", "train_"), ("val", "val_")):
        if not (folder / part).exists():
            continue
        with ignored_warnings():
            reader = EventAccumulator(str(folder / part), tensor_size_guidance={"scalars": 0})
            reader.Reload()
            plugins = {tag: reader.SummaryMetadata(tag).plugin_data.plugin_name for tag in reader.Tags()["tensors"]}
            for tag in (tag for tag, plugin in plugins.items() if plugin == "scalars"):
                for event in reader.Tensors(tag):
                    value = make_ndarray(event.tensor_proto).item()
                    found.setdefault((event.step, prefix + tag), []).append(value)
    return found


def texts_in_tensorboard(folder: Path) -> dict[str, str]:
    """The texts that TensorBoard finds in a folder of a run."""
    with ignored_warnings():
        from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

        reader = EventAccumulator(str(folder))
        reader.Reload()
        tags = [t for t in reader.Tags()["tensors"] if reader.SummaryMetadata(t).plugin_data.plugin_name == "text"]
        return {tag: reader.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags}


def in_csv(path: Path, run: str) -> Figures:
    """The figures of a run in a file of tracked runs."""
    found: Figures = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["run"] == run:
                found.setdefault((int(row["epoch"]), row["figure"]), []).append(float(row["value"]))
    return found
