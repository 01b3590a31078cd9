"""A format of exported models: how it writes a model, and how its own runtime computes predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.explain.attributions import Attributor
from nnfs_cli.pipeline.pipeline import Pipeline
from nnfs_cli.pipeline.value import Value
from nnfs_cli.system.wording import in_a_line, listing, shown

SEEN = 3  # categories of a column that are named


@dataclass(frozen=True)
class ExportedModel:
    """A trained model that is to be exported: its pipeline, and what people want to know about it.

    `name` is that of the run. `inputs` describes the input columns as a run records them in its data.json: name, kind,
    and the range, the quantiles or the categories of the training rows. `about` has plain texts for the metadata of a
    file, such as the version of nnfs and the largest difference that the proof found. `targets` are the names of what
    is predicted, and `interval` is the probability of its intervals or sets, if it has any. The `attributor` divides
    predictions among the columns, for formats that give reasons; None if the run keeps no rows for it. `meanings` says
    what the numbers of some columns mean, as in "in euros".
    """

    name: str
    pipeline: Pipeline
    inputs: Sequence[Mapping[str, Any]]
    about: Mapping[str, str] = field(default_factory=dict)
    targets: Sequence[str] = ()
    interval: float | None = None
    attributor: Attributor | None = None
    meanings: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def described(self) -> dict[str, Mapping[str, Any]]:
        """The descriptions of the input columns, by name."""
        return {one["name"]: one for one in self.inputs}

    def note_on(self, column: str) -> str:
        """Return what to know about a column, in a line: what its numbers mean, and what the training rows held."""
        seen = self._seen_in(column)
        return "; ".join(filter(None, [self.meanings.get(column), f"{seen} in training" if seen else ""]))

    def _seen_in(self, column: str) -> str:
        """Return the range of a column in the training rows, or its most frequent categories."""
        about = self.described.get(column, {})
        if about.get("counts"):
            first, n_others = [shown(one, 30) for one in list(about["counts"])[:SEEN]], len(about["counts"]) - SEEN
            return f"{', '.join(first)} and {n_others:,} more" if n_others > 0 else listing(first)
        low, high = about.get("min"), about.get("max")
        return "" if low is None or high is None else in_a_line(f"{low} to {high}")

    @property
    def float64(self) -> bool:
        """Whether the net computes in float64."""
        products = [value for value in self.pipeline.operations if value.operation == "matmul"]
        return all(value.dtype == "float64" for value in products)


class Format(ABC):
    """A format of exported models."""

    name: ClassVar[str]
    """The name that `--to` takes."""
    suffix: ClassVar[str]
    """The end of the name of the main file, with its point."""
    overflows: ClassVar[bool] = True
    """Whether numbers of float32 become infinite where they do in the run."""

    @abstractmethod
    def files(self, model: ExportedModel, stem: str) -> dict[str, bytes]:
        """Return the content of each file by name, the main file `stem + suffix` first.

        Raises `ExportError` that names the column or the part which the format cannot hold.
        """

    @abstractmethod
    def predict(self, folder: Path, stem: str, model: ExportedModel, cells: Mapping[str, Array]) -> Predictions:
        """Return what the files in a folder predict for cells, computed by the format's own runtime.

        `cells` are as for `pipeline.evaluate`.
        """


@dataclass(frozen=True)
class Predictions:
    """What a model predicts: each output (rows,) by name, and which rows it accepts (rows,).

    Outputs of rows that are not accepted mean nothing.
    """

    outputs: Mapping[str, Array]
    usable: Array

    def equal(self, other: Predictions) -> bool:
        """Return whether both accept the same rows, and predict the very same for them."""
        if self.outputs.keys() != other.outputs.keys() or not np.array_equal(self.usable, other.usable):
            return False
        pairs = ((column[self.usable], other.outputs[name][self.usable]) for name, column in self.outputs.items())
        return all(np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f") for ours, theirs in pairs)


def output_types(pipeline: Pipeline) -> dict[str, np.dtype[Any]]:
    """Return the NumPy type of each output by name; texts are objects."""
    return {name: _numpy_type(value) for name, value in pipeline.outputs.items()}


def _numpy_type(value: Value) -> np.dtype[Any]:
    return np.dtype(object if value.dtype == "text" else value.dtype)
