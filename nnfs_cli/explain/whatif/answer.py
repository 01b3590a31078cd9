"""What a what-if found: rows with the wanted answer, and what changes in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnfs_cli.display.html import facts_html, table_html, titled_html
from nnfs_cli.display.text import fold, table
from nnfs_cli.system.wording import counted, listing, named, percent, visible

WIDTH, INDENT, LONGEST = 80, 12, 30  # of lines, of labels and of a cell, in characters
LEVEL = 0.9  # of the prediction interval


@dataclass(frozen=True)
class Change:
    """A cell that changes: its column, the cell `before` and the one `after`; None is an empty cell.

    `rank_before` and `rank_after` are the shares of training rows with less, equal ones counted half; None without an
    order.
    """

    column: str
    before: Any
    after: Any
    rank_before: float | None = None
    rank_after: float | None = None

    @property
    def ranks(self) -> str:
        """The ranks among the training rows, as in "21 % to 48 %"; empty if cells have no order."""
        if self.rank_before is None or self.rank_after is None:
            return ""
        return f"{percent(self.rank_before)} to {percent(self.rank_after)}"


@dataclass(frozen=True)
class Prediction:
    """What the model predicts for a row, and how sure it is.

    `prediction` is a label or a number, and `probability` that of the class asked for, `label`. `members` are the
    lowest and the highest prediction (for classes: probability) of the members of an ensemble, and `agree` how many of
    the `n_members` give the answer asked for. `interval` holds the truth with a probability of 90 %, if the run is
    calibrated.
    """

    prediction: Any
    label: str = ""
    probability: float | None = None
    members: tuple[float, float] | None = None
    agree: int | None = None
    n_members: int = 1
    interval: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """The prediction in words, with how sure the model is."""
        return "; ".join([self.brief, *self.doubts])

    @property
    def brief(self) -> str:
        """The prediction, with its probability."""
        found = shown_cell(self.prediction)
        of = "" if found == self.label else f" of {self.label}:"
        return found if self.probability is None else f"{found} (probability{of} {self.probability:.2f})"

    @property
    def doubts(self) -> Iterator[str]:
        """How far the members agree, and the interval."""
        if self.agree is not None and self.members is not None:
            low, high = self.members
            ends = (
                f"{low:.2f} to {high:.2f}"
                if self.probability is not None
                else f"{shown_cell(low)} to {shown_cell(high)}"
            )
            say = f"predict {self.label}" if self.label else "reach it"
            yield f"{self.agree} of {counted(self.n_members, 'member')} {say} ({ends})"
        if self.interval is not None:
            lower, upper = map(shown_cell, self.interval)
            yield f"{percent(LEVEL)} interval {lower} to {upper}"


@dataclass(frozen=True)
class Answer:
    """A row with the answer that is asked for, as `predict` confirms; or the row that came nearest to it.

    `row` has all input columns, with cells that `predict` reads. `distance` is the sum over the changed columns of the
    differences in training quantiles, and 1 for each category. `unusual` says so in words if the row is far from all
    training rows, as far as the run can tell; else it is empty.
    """

    changes: tuple[Change, ...]
    row: Mapping[str, Any]
    distance: float
    prediction: Prediction
    unusual: str = ""

    @property
    def text(self) -> str:
        """The prediction in words, how sure the model is, and how unusual the row is."""
        return "; ".join(filter(None, [self.prediction.text, self.unusual]))

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "changes": [vars(change) for change in self.changes],
            "distance": self.distance,
            **_plain(self.prediction),
            "unusual": self.unusual,
            "row": dict(self.row),
        }


@dataclass(frozen=True)
class WhatIf:
    """What a row would need to get the answer `wanted`: the `answers`, the nearest first.

    `now` is the prediction for the row as it is; if it is what is wanted, `reached` is true and there are no answers.
    If there are none, `nearest` is the row that came nearest. `varied` are the columns that could change, `kept` those
    that could not, and `tried` is the number of rows that were predicted.

    >>> from nnfs_cli import train
    >>> table = {"size": [*range(40, 100)], "price": [0.5 + size / 40 for size in range(40, 100)]}
    >>> settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "price"}}
    >>> settings |= {"preprocessing": {"numbers": "standardize", "target": "standardize"}, "epochs": 200}
    >>> found = train(settings, table).whatif({"size": 50}, ">= 2.49")
    >>> found.answers[0].changes[0].after
    80
    """

    wanted: str
    now: Prediction
    reached: bool
    answers: tuple[Answer, ...]
    nearest: Answer | None
    varied: tuple[str, ...]
    kept: tuple[str, ...]
    tried: int

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "wanted": self.wanted,
            "now": _plain(self.now),
            "reached": self.reached,
            "answers": [answer.plain() for answer in self.answers],
            "nearest": None if self.nearest is None else self.nearest.plain(),
            "varied": list(self.varied),
            "kept": list(self.kept),
            "tried": self.tried,
        }

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Labels and texts: what is predicted now and what is wanted, and how it ended if there is no answer."""
        found = [("now", self.now.text), ("wanted", self.wanted)]
        if self.reached:
            found.append(("answer", "the row has it already; nothing needs to change"))
        elif not self.tried:
            found.append(("answer", "none: no column may change"))
        elif not self.answers:
            where = "within the ranges of the training rows"
            kept = f", with {listing(self.kept_named)} as now" if self.kept else ""
            found.append(("answer", f"none: {where}{kept}, none of the {self.tried:,} rows that were tried gets it"))
        return found

    @property
    def kept_named(self) -> list[str]:
        """The columns that could not change, a few of them by name."""
        more = len(self.kept) - 4
        return [*map(named, self.kept[:4]), *([f"{more} more"] if more > 0 else [])]

    @property
    def titled(self) -> Iterator[tuple[str, Answer]]:
        """Each answer with its title; without answers, the row that came nearest, if anything helped."""
        for i, answer in enumerate(self.answers):
            yield f"answer {i + 1}", answer
        if self.nearest is not None and not self.answers:
            yield "nearest", self.nearest

    def __str__(self) -> str:
        """Return it in lines of at most 80 columns."""
        lines = [_labelled(*fact) for fact in self.facts]
        for title, answer in self.titled:
            lines += ["", _labelled(title, answer.text), change_lines(answer)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        answers = (
            (facts_html([(title, answer.text)]), table_html(*change_table(answer))) for title, answer in self.titled
        )
        return titled_html("What the row would need", facts_html(self.facts), *itertools.chain(*answers))


def change_table(answer: Answer) -> tuple[list[str], list[list[str]]]:
    """Return the header and the lines of a table of what changes."""
    header = ["column", "now", "then", "rank in training rows"]
    lines = [[one.column, shown_cell(one.before), shown_cell(one.after), one.ranks] for one in answer.changes]
    return (header, lines) if any(line[3] for line in lines) else (header[:3], [line[:3] for line in lines])


def change_lines(answer: Answer) -> str:
    """Return the table of what changes as indented lines."""
    header, lines = change_table(answer)
    short = [[cell if len(cell) <= LONGEST else f"{cell[: LONGEST - 3]}..." for cell in line] for line in lines]
    return "\n".join(f"{' ' * INDENT}{line.rstrip()}" for line in table(header, short).splitlines())


def shown_cell(cell: Any) -> str:
    """Return a cell for a table: a number with at most six digits, unless it is whole; an empty cell in words."""
    if cell is None:
        return "(empty)"
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int):
        return f"{cell:,}" if abs(cell) >= 10_000 else str(cell)
    if isinstance(cell, float):
        return f"{cell:,.0f}" if 1e4 <= abs(cell) < 1e15 else f"{cell:.6g}"
    return visible(str(cell))


def _labelled(label: str, text: str) -> str:
    return "\n".join(fold(f"{label:<{INDENT}}{text}", WIDTH, " " * INDENT))


def _plain(found: Prediction) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(found).items()}
