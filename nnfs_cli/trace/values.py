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
TOLERANCE = 1e-4  # largest error of a right gradient in float64, relative to the largest entry of its array
ROUNDING = 1e-8  # the same, relative to the numbers that the differences are of


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
    """One entry of an array, such as dweight, beside its numerical value from a float64 copy of the net.

    It is `wrong` if the gradient of that copy differs from the numerical value by more than rounding explains.
    """

    name: str
    wrong: bool = False

    @classmethod
    def of(cls, name: str, shown: float, exact: Compared, array: Array, size: float) -> GradientCheck:
        """Return the check of one entry: as `shown`, and in float64 in `exact`.

        `array` is the gradient that it is an entry of, and `size` that of the numbers that the differences are of.
        """
        largest = float(np.abs(array).max(initial=0))
        right = exact.error <= TOLERANCE * largest + ROUNDING * size
        wrong = not right and not exact.kink and bool(np.isfinite(exact.numerical))
        return cls(exact.index, shown, exact.numerical, exact.kink, name=name, wrong=wrong)

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

    @property
    def checks(self) -> tuple[GradientCheck, ...]:
        """The gradient checks of all steps, without those at a kink."""
        return tuple(check for step in self.steps for check in step.checks if not check.kink)

    @property
    def wrong(self) -> bool:
        """Whether a gradient is wrong."""
        return any(check.wrong for check in self.checks)

    @property
    def agreement(self) -> str:
        """How many gradients agree with their numerical values, in words; empty if none was checked."""
        checks, wrong = self.checks, sum(check.wrong for check in self.checks)
        if wrong:
            return f"{wrong} of {len(checks)} checked are wrong; `nnfs gradcheck` names the layer at fault"
        return f"{len(checks)} checked, all right" if checks else ""

    def only(self, layer: str) -> Trace:
        """Return the steps of one layer, such as ``layers.2`` or ``2``, or of the ``loss``.

        Raises `UserError` if the net has no such layer.
        """
        place = _short(layer)
        steps = tuple(step for step in self.steps if _short(step.path).startswith(place))
        if not steps:
            paths = dict.fromkeys(step.path for step in self.steps if step.phase == "forward")
            raise UserError(f"the net has no layer {shown(layer)}; its layers are {listing(paths)}")
        return replace(self, steps=steps)


def _short(path: str) -> str:
    """Return a place as the names of parameters begin: ``2.`` for ``layers.2``."""
    return f"{path.replace('layers.', '')}."
