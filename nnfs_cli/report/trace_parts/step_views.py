"""The steps of a trace as the template prints them: every number is a slot, which another epoch fills again.

Most of a step is the same at all weights, but not all of it: clipping, for example, is said only where it happens. So
the page holds every block that any epoch has, and hides those that the shown one has not.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnfs_cli.arrays import Shape
from nnfs_cli.nn.entry_formulas import four_digits
from nnfs_cli.system.wording import in_a_line
from nnfs_cli.trace.values import GradientCheck, Step, Trace, TracedArray

PHASES = {
    "data": "Data",
    "forward": "Forward pass",
    "loss": "Loss",
    "backward": "Backward pass",
    "update": "Update",
}
OF_ROWS = frozenset({"x", "y", "dx", "dy", "J"})  # arrays of a layer whose first axis has the rows
PARTS = ("applied", "notes", "arrays", "checks")  # of a step
INDEX = re.compile(r"_(batch|[a-z]{1,2})\b")  # in a formula
MINUS, TIMES = "\N{MINUS SIGN}", " \N{MULTIPLICATION SIGN} "


@dataclass(frozen=True)
class Slot:
    """A text that depends on the weights, and its place among all of them. A text of None is not there."""

    at: int
    text: str | None

    @property
    def sign(self) -> str:
        """Whether the number is above or below zero, for its colour."""
        text = self.text or "0"
        return "minus" if text.startswith(MINUS) else "zero" if text == "0" else "plus"


class SlotMap:
    """Where the texts of each block of a page are, for all epochs."""

    def __init__(self) -> None:
        self.starts: dict[Hashable, int] = {}
        self.size = 0

    def start(self, block: Hashable, size: int) -> int:
        """Return where the texts of a block begin; the same block has the same place at every epoch."""
        if block not in self.starts:
            self.starts[block] = self.size
            self.size += size
        return self.starts[block]


@dataclass(frozen=True)
class Block:
    """A part of a step that is shown or hidden as a whole, and its texts."""

    slots: list[Slot]

    @property
    def at(self) -> int:
        """The place of its first text."""
        return self.slots[0].at

    @property
    def absent(self) -> bool:
        """Whether it is not there."""
        return self.slots[0].text is None


@dataclass(frozen=True)
class ArrayView(Block):
    """An array: all its numbers if it is small, else its smallest and its largest one."""

    name: str
    what: str
    shape: str
    heads: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of the lines; none if only the range is shown
    rows: int = 0  # if the first axis has the rows that are traced, how many; each has as many lines

    @property
    def lines(self) -> list[tuple[str, list[Slot], int | None]]:
        """The lines: the name of each, its numbers, and the place of its row if it has one."""
        n, each = len(self.heads), len(self.names) // (self.rows or 1)
        return [
            (name, self.slots[i * n : (i + 1) * n], i // each if self.rows else None)
            for i, name in enumerate(self.names)
        ]

    @property
    def one_row(self) -> bool:
        """Whether each row has several lines, such as its Jacobian, so that one row at a time is best."""
        return 0 < self.rows < len(self.names)


@dataclass(frozen=True)
class AppliedView(Block):
    """A formula with numbers in it; `row` is the place of the row that they are of, if they are of one."""

    row: int | None


@dataclass(frozen=True)
class StepView:
    """A step with its blocks, by what they are."""

    number: int
    phase: str
    path: str
    title: str
    depth: int
    formula: str
    applied: dict[Hashable, AppliedView]
    notes: dict[Hashable, Block]
    arrays: dict[Hashable, ArrayView]
    checks: dict[Hashable, Block]

    @property
    def formula_parts(self) -> list[str]:
        """The formula in parts: every second one is an index, which stands below the line."""
        return INDEX.split(self.formula.replace("<-", "←").replace(" - ", f" {MINUS} "))

    @property
    def id(self) -> str:
        """The anchor of the step."""
        return f"step-{self.number}"

    @property
    def blocks(self) -> Iterator[Block]:
        """All blocks."""
        return itertools.chain(*(getattr(self, part).values() for part in PARTS))


def step_views(trace: Trace, slots: SlotMap) -> list[StepView]:
    """Return the steps of a trace."""
    return [_StepWriter(i, step, trace, slots).view() for i, step in enumerate(trace.steps, 1)]


def texts(views: Sequence[StepView], size: int) -> list[str | None]:
    """Return the texts of all slots, None for those that are not there."""
    found: list[str | None] = [None] * size
    for view in views:
        for block in view.blocks:
            for slot in block.slots:
                found[slot.at] = slot.text
    return found


def with_absent(views: Sequence[StepView], others: Sequence[Sequence[StepView]]) -> list[StepView]:
    """Return the steps with the blocks that they have only at other epochs; those are absent."""
    found = []
    for view, *same in zip(views, *others, strict=True):
        parts: dict[str, Any] = {}
        for part in PARTS:
            own = dict(getattr(view, part))
            for other in same:
                for key, block in getattr(other, part).items():
                    own.setdefault(key, replace(block, slots=[Slot(slot.at, None) for slot in block.slots]))
            parts[part] = own
        found.append(replace(view, **parts))
    return found


def by_phase(views: Sequence[StepView]) -> list[tuple[str, list[StepView]]]:
    """Return the steps under the heading of their phase, in order."""
    return [(PHASES[phase], list(some)) for phase, some in itertools.groupby(views, lambda view: view.phase)]


class _StepWriter:
    """Write one step: give every text its slot."""

    def __init__(self, number: int, step: Step, trace: Trace, slots: SlotMap) -> None:
        self.number, self.step, self.trace, self.slots = number, step, trace, slots

    def view(self) -> StepView:
        """Return the step with its blocks."""
        step, times = self.step, Counter[str]()
        arrays: dict[Hashable, ArrayView] = {}
        for array in step.arrays:
            times[array.name] += 1
            key = "array", array.name, times[array.name], array.shape
            arrays[key] = self._array(key, array)
        return StepView(
            self.number,
            step.phase,
            step.path,
            step.title,
            step.depth,
            step.formula,
            dict(self._applied()),
            dict(self._texts("note", step.notes)),
            arrays,
            {("check", i): self._block(("check", i), _check(check)) for i, check in enumerate(step.checks)},
        )

    def _block(self, key: Hashable, texts: Sequence[str]) -> Block:
        return Block(self._slots(key, texts))

    def _slots(self, key: Hashable, texts: Sequence[str]) -> list[Slot]:
        """Return slots with texts; what is a hyphen in a terminal is a minus sign here."""
        start = self.slots.start((self.number, key), len(texts))
        return [Slot(start + i, in_a_line(text).replace("-", MINUS)) for i, text in enumerate(texts)]

    def _texts(self, what: str, lines: Iterable[str]) -> Iterator[tuple[Hashable, Block]]:
        for i, line in enumerate(lines):
            yield (what, i), self._block((what, i), [line])

    def _applied(self) -> Iterator[tuple[Hashable, AppliedView]]:
        for i, one in enumerate(self.step.applied):
            row = one.index[0] if one.index and self._of_rows(one.name) else None
            yield ("applied", i), AppliedView(self._slots(("applied", i), [str(one)]), row)

    def _of_rows(self, name: str) -> bool:
        """Return whether the first axis of this array has the rows."""
        return name in OF_ROWS or self.step.phase in ("data", "loss") or self.step.path.startswith("loss")

    def _array(self, key: Hashable, array: TracedArray) -> ArrayView:
        shape = TIMES.join(map(str, array.shape)) or "a number"
        if not array.small or not array.values.size:
            ends = ["none" if math.isnan(end) else four_digits(end) for end in array.range]
            return ArrayView(self._slots(key, ends), array.name, array.what, shape)
        slots = self._slots(key, [four_digits(number) for number in array.values.ravel().tolist()])
        by_row = self._of_rows(array.name) and array.shape[:1] == (len(self.trace.rows),)
        shaped = (*array.shape, 1) if by_row and len(array.shape) == 1 else array.shape or (1,)
        names, heads = list(self._line_names(shaped, by_row)), list(self._heads(array, shaped[-1]))
        return ArrayView(slots, array.name, array.what, shape, heads, names, shaped[0] if by_row else 0)

    def _heads(self, array: TracedArray, n: int) -> Iterable[str]:
        """Return the names of the columns: those of the inputs and outputs of the net in its data, else numbers."""
        known = {"x": self.trace.inputs, "y": self.trace.outputs} if self.step.phase == "data" else {}
        names = known.get(array.name, ())
        return map(in_a_line, names) if len(names) == n else map(str, range(n))

    def _line_names(self, shape: Shape, by_row: bool) -> Iterator[str]:
        """Yield the name of each line of an array: the row of the table, or the indices before the last one."""
        for index in np.ndindex(shape[:-1]):
            first = [f"{index[0]} (row {self.trace.rows[index[0]]})"] if by_row else map(str, index[:1])
            yield ", ".join([*first, *map(str, index[1:])])


def _check(check: GradientCheck) -> list[str]:
    """Return the entry, its gradient, its numerical gradient and the difference."""
    difference = "at a kink" if check.kink else f"{check.error:.0e}{', wrong' if check.wrong else ''}"
    return [check.entry, f"{check.gradient:.6g}", f"{check.numerical:.6g}", difference]
