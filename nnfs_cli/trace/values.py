"""What a trace holds: steps with their formulas, arrays, numbers and gradient checks. Plain values, for any display."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import UserError
from nnfs_cli.nn.differences import Compared, entry_text
from nnfs_cli.nn.entry_formulas import Applied
from nnfs_cli.system.wording import listing, shown

Phase = Literal["data", "forward", "loss", "backward", "update"]

SMALL = 240  # entries of an array whose numbers are worth showing, at most


@dataclass(frozen=True)
class TracedArray:
    """An array of a step, copied: `name` is that in formulas, `what` says in words what it is."""

    name: str
    what: str
    values: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape; the first axis of a batch has its rows."""
        return tuple(self.values.shape)

    @property
    def small(self) -> bool:
        """Whether all numbers are worth showing."""
        return self.values.size <= SMALL

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest number; NaN for an array without numbers."""
        if not self.values.size:
            return float("nan"), float("nan")
        return float(np.min(self.values)), float(np.max(self.values))


@dataclass(frozen=True, kw_only=True)
class GradientCheck(Compared):
    """One entry of an array, such as dweight, beside its numerical value from a float64 copy of the net."""

    name: str

    @property
    def entry(self) -> str:
        """The entry, as in ``dweight[0,2]``."""
        return entry_text(self.name, self.index)


@dataclass(frozen=True)
class Step:
    """One step of a trace.

    `path` is the place in the config: ``layers.0``, ``layers.2.layers.1``, ``layers.1.activation``, and ``embedding``,
    ``loss``, ``optimizer`` or ``data``. `depth` is 1 for a layer inside another one, and so on.
    """

    phase: Phase
    path: str
    title: str
    depth: int = 0
    formula: str = ""  # as declared; empty if there is none
    arrays: tuple[TracedArray, ...] = ()
    applied: tuple[Applied, ...] = ()  # the formula with numbers in it, for one entry of each array
    checks: tuple[GradientCheck, ...] = ()
    notes: tuple[str, ...] = ()  # sentences

    def array(self, name: str) -> Array:
        """Return the numbers of an array by its name. Raises `KeyError` if the step has no such array."""
        return {array.name: array.values for array in self.arrays}[name]


@dataclass(frozen=True)
class Trace:
    """One training step of a net on a few rows.

    `rows` are the indices of the training rows, `inputs` the names of the net's inputs, `outputs` those of its outputs,
    and `targets` the target of each row, as text.
    """

    name: str  # of the config or the run
    weights: str  # where the weights are from, in words
    net: str  # in a line
    dtype: str
    member: int | None  # None if the net is no ensemble
    rows: tuple[int, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    targets: tuple[str, ...]
    loss: float  # the mean over the rows
    lr: float | None
    steps: tuple[Step, ...]

    def only(self, layer: str) -> Trace:
        """Return the steps of one layer, such as ``layers.2``, or of the ``loss``.

        Raises `UserError` if the net has no such layer.
        """
        places = (f"{layer}.", f"{layer.replace('layers.', '')}.")  # in the config, and in the names of parameters
        steps = tuple(step for step in self.steps if f"{step.path}.".startswith(places))
        if not steps:
            paths = dict.fromkeys(step.path for step in self.steps if step.phase == "forward")
            raise UserError(f"the net has no layer {shown(layer)}; its layers are {listing(paths)}")
        return replace(self, steps=steps)
