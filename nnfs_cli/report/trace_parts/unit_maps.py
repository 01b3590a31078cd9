"""What every unit answers over the plane of two inputs, as numbers of 8 bits for small pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.nn.model import Model
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.report.trace_parts.net_graph import INPUTS, Column, drawn
from nnfs_cli.report.trace_parts.numbers import numbers, packed
from nnfs_cli.report.trace_parts.plane_axes import PlaneAxis
from nnfs_cli.system.wording import in_a_line
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.record import Recorder

SIZE, LARGE = 24, 60  # points along each side of the maps of units, and of the map of the output
MARGIN = 0.08  # around the points, as a share of their range
FULL = 127
COLOURS, LEVELS = 8, 16  # of a map of classes
MOST_POINTS = 400


@dataclass(frozen=True)
class OutputScale:
    """How outputs become colours: around `middle` by `reach`, or by class where there are more than two.

    A map of numbers goes from -127 to 127. A map of classes has 16 levels of probability for each of up to 8 classes.
    """

    classes: int = 0  # if there are more than two
    pair: bool = False  # whether the difference of two outputs counts
    middle: float = 0.0
    reach: float = 1.0

    @classmethod
    def of(cls, predictor: Predictor, y: Array) -> OutputScale:
        """Return the scale for a net with targets y (rows, outputs) in its own units."""
        n = predictor.model.output_shape[0]
        if predictor.encoder.classes:
            probability = predictor.config.loss.probabilistic and n == 1
            return cls(n if n > 2 else 0, n == 2, *((0.5, 0.5) if probability else (0.0, 1.0)))
        low, high = float(y[:, 0].min()), float(y[:, 0].max())
        return cls(middle=(low + high) / 2, reach=(high - low) / 2 or 1.0)

    def shares(self, outputs: Array) -> Array:
        """Return where outputs (points, outputs) lie between -1 and 1; of two classes, the second is above 0."""
        first = outputs[:, 1] - outputs[:, 0] if self.pair else outputs[:, 0]
        return np.asarray(np.clip((first - self.middle) / self.reach, -1, 1))

    def quantized(self, outputs: Array) -> Array:
        """Return the numbers of 8 bits for outputs (points, outputs)."""
        if not self.classes:
            return np.asarray(np.rint(self.shares(outputs) * FULL), np.int8)
        best, level = outputs.argmax(axis=1) % COLOURS, np.clip(outputs.max(axis=1), 0, 1)
        return np.asarray(best * LEVELS + np.rint(level * (LEVELS - 1)), np.int8)


class UnitMaps:
    """The maps of a net with two inputs, at one set of weights after the other. The inputs are as the net takes them.

    `rows` are training rows, which lie over the map of the output.
    """

    def __init__(self, predictor: Predictor, rows: EncodedRows, columns: Sequence[Column]) -> None:
        self.columns, self.labels, self.names = columns, predictor.labels, predictor.encoder.names
        points = evenly_spaced(len(rows), MOST_POINTS)
        self.points, self.scale = rows.X[points], OutputScale.of(predictor, rows.y)
        self.marks = rows.truth[points] if self.labels else self.scale.shares(rows.y[points])
        low, high = rows.X.min(axis=0), rows.X.max(axis=0)
        margin = MARGIN * np.where(high > low, high - low, 1)
        self.low, self.high = low - margin, high + margin
        self.axes = PlaneAxis.both(predictor.encoder, self.low, self.high)
        self.kept: list[bytes] = []

    @classmethod
    def of(cls, batch: TracedBatch, columns: Sequence[Column]) -> Self | None:
        """Return the maps of the net of a batch, without any yet; None unless it has two inputs, both numbers."""
        predictor, rows = batch.predictor, batch.experiment.splits["train"]
        two = len(predictor.encoder.names) == 2 and list(predictor.encoder.kinds.values()) == ["number", "number"]
        return cls(predictor, rows, columns) if two else None

    def keep(self, model: Model) -> None:
        """Add the maps of the weights that the net has now: those of the units, by column, then that of the output."""
        recorder, small = Recorder(), self._grid(SIZE)
        with model.observed(recorder), np.errstate(all="ignore"):
            output = model.predict(small, batch_size=len(small))
        outputs = {INPUTS: small, "loss.activation": output, **{one.path: one.y for one in recorder.walk()}}
        maps = [_quantized(drawn(outputs[column.places[-1]], column.units)) for column in self.columns]
        maps.append(self.scale.quantized(np.nan_to_num(model.predict(self._grid(LARGE)))))
        self.kept.append(b"".join(part.tobytes() for part in maps))

    def _grid(self, size: int) -> Array:
        """Return size x size points of the plane, (size * size, 2), from the upper left, line by line."""
        across, up = (np.linspace(low, high, size) for low, high in zip(self.low, self.high, strict=True))
        x, y = np.meshgrid(across, up[::-1])
        return np.stack([x.ravel(), y.ravel()], axis=1).astype(self.points.dtype)

    def to_json(self, frames: Sequence[int], rows: Array) -> dict[str, Any]:
        """Return what the page draws, for the frames that it has; `rows` (n, 2) are those that are traced."""
        starts, at = [], 0
        for column in self.columns:
            starts.append([at + SIZE * SIZE * u for u in range(len(column.units))])
            at += SIZE * SIZE * len(column.units)
        points = numbers(self.points)
        return {
            "size": SIZE,
            "large": LARGE,
            "units": starts,
            "output": at,
            "per_frame": at + LARGE * LARGE,
            "classes": len(self.labels),
            "names": [in_a_line(name) for name in self.names],
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "points": [[*point, round(float(mark), 2)] for point, mark in zip(points, self.marks, strict=True)],
            "rows": numbers(rows),
            "packed": packed(b"".join(self.kept[i] for i in frames)),
        }


def _quantized(values: Array) -> Array:
    """Return the maps of units, (points, units) -> (units, points): zero is the middle.

    Full are the largest tenth of the numbers that are not zero, so that a relu with one steep corner can be read.
    """
    values = np.nan_to_num(values)
    sizes = np.sort(np.abs(values), axis=0)
    place = len(sizes) - 1 - (sizes > 0).sum(axis=0) // 10
    most = np.take_along_axis(sizes, place[None], axis=0)[0]
    shares = np.clip(values / np.where(most > 0, most, 1), -1, 1)
    return np.asarray(np.rint(shares * FULL).astype(np.int8).T)
