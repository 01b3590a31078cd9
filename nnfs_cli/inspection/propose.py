"""What to do with a file that was looked at: the task, the inputs, and which rows are held back.

The rules go by what is in the file and by how much of it there is; none knows any set by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.labels import TARGET
from nnfs_cli.data.table import Label, Table, gaps_of, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.column_kinds import Look, is_whole, words_of
from nnfs_cli.inspection.column_relations import Group, Relation, gives_away, groups, listed, repeats, spread
from nnfs_cli.inspection.file_profile import Glance
from nnfs_cli.presets.tabular import FEWEST
from nnfs_cli.system.wording import counted, named, percent, shown

SAMPLE = 100_000  # rows by which columns are compared
HUGE = 1e100  # numbers whose squares may overflow
CLASSES = 10  # different whole numbers that are taken for classes
LABELS = frozenset(
    ("class", "label", "target", "type", "category", "kind", "species", "group", "code", "id", "cluster")
)
COUNTS = frozenset(
    ("count", "counts", "n", "num", "number", "age", "years", "days", "hours", "price", "amount", "sales")
)
WIDTHS = (256, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 28, 24, 20, 16, 12, 10, 8, 6, 4)

Goal = Literal["binary", "classes", "regression"]


def width_for(n_rows: int, n_inputs: int, n_outputs: int, in_tables: int = 0) -> int:
    """Units of each of two hidden layers: so many that there are no more parameters than rows; 0 for too few rows.

    The solution of units² + (n_inputs + n_outputs + 2) units + n_outputs + in_tables = n_rows, rounded down;
    `in_tables` are parameters before the first layer.
    """
    b, c = n_inputs + n_outputs + 2, n_outputs + in_tables - n_rows
    most = (math.sqrt(max(b * b - 4 * c, 0)) - b) / 2
    return next((width for width in WIDTHS if width <= min(most, 128 if n_rows < 100_000 else 256)), 0)


@dataclass(frozen=True)
class Task:
    """What there is to learn, why it is taken for that, and how to have it otherwise."""

    goal: Goal
    why: str
    otherwise: str = ""
    n_classes: int = 0
    lopsided: bool = False  # numbers of which a few are far larger than the others


@dataclass(frozen=True)
class Proposal:
    """What was decided: `dropped` says why columns are left out, `suspicious` how inputs give the target away."""

    seen: Glance
    target: str
    task: Task
    inputs: Mapping[str, Look]
    dropped: Mapping[str, str]
    suspicious: Mapping[str, str]
    group: Group | None = None  # what the rows are to be kept together by

    @property
    def test(self) -> float:
        """The share of the rows that is kept for the final test."""
        return 0.2 if self.seen.n_rows >= 100 else 0.0


def propose(seen: Glance, target: str) -> Proposal:
    """Decide. Raises `DataError` when there is nothing to learn, or to learn from."""
    if seen.table.n_rows < 2:
        raise DataError(f"{seen.path.name} has {counted(seen.table.n_rows, 'row')}; it takes two to learn from")
    task = task_of(seen.table, target, seen.looks.get(target))
    group = _group(seen, target)
    inputs, dropped, suspicious = _choose(seen, target, task, group)
    return Proposal(seen, target, task, inputs, dropped, suspicious, group)


def _group(seen: Glance, target: str) -> Group | None:
    """The column that names whose rows they are, if others prove it, and rows are held back at all."""
    if seen.n_rows < FEWEST:
        return None
    names = [name for name, one in seen.looks.items() if one.usable and name != target]
    return next((group for group in groups(seen.table, names, target) if group.sure and len(names) > 1), None)


def task_of(table: Table, target: str, seen: Look | None) -> Task:
    """What there is to learn: words, truth values, codes and few whole numbers are classes, others are predicted.

    Whole numbers are classes where there are two of them, or at most ten, each of them often enough, unless their
    column is called a count or the like; up to twenty where it is called a class or the like.
    Raises `DataError` when there is nothing to learn.
    """
    if seen is None:
        raise DataError(f"{table.name}: the target {named(target)} is {table.unreadable.get(target, 'not there')}")
    name, column = f"{table.name}: the target {named(target)}", table.column(target)
    if seen.nature in ("empty", "constant"):
        raise DataError(f"{name} {seen.why}; there is nothing to learn")
    if seen.missing:
        error = table.error(int(np.argmax(gaps_of(column))), target, "a value", TARGET)
        more = f", as in {counted(seen.missing - 1, 'more row')} of {seen.rows:,}" if seen.missing > 1 else ""
        raise DataError(f"{error}{more}; leave out rows whose answer is not known")
    if seen.nature == "date":
        raise DataError(f"{name} holds dates; numbers and classes can be predicted")
    if isinstance(column, Texts):
        if seen.different > max(20, seen.rows // 2) or seen.nature == "text" or seen.odd:
            why = seen.why or f"holds {seen.different:,} different words in {counted(seen.rows, 'row')}"
            raise DataError(f"{name} {why}; these are neither classes nor numbers")
        return _classes(seen, column.distinct[np.unique(column.codes)].tolist(), "words")
    if column.dtype.kind == "b":
        return _classes(seen, [False, True], "truth values")
    if seen.nature == "text":
        raise DataError(f"{name} {seen.why}")
    if seen.coded and seen.nature == "identifier":
        raise DataError(f"{name} {seen.why}; these are too many to be classes, and codes are no quantity")
    if seen.coded:
        asked = "to predict it as a number: one output, no softmax, loss: mse, metrics: [rmse, r2]"
        return _classes(seen, np.unique(column).tolist(), "codes", asked)
    return _numbers(seen, column)


def _classes(seen: Look, labels: Sequence[Label], what: str, otherwise: str = "") -> Task:
    """`labels` are all different values of the target."""
    n = seen.different
    if n == 2:
        named = " and ".join(shown(text_of(label)) for label in sorted(labels))
        return Task("binary", f"binary classification: it holds {named}", otherwise, n)
    return Task("classes", f"classification: it holds {n} different {what}", otherwise, n)


def _numbers(seen: Look, column: Array) -> Task:
    called, n = set(words_of(seen.name)[-1:]), seen.different
    whole = is_whole(column)
    often = n <= seen.rows / 5 or set(np.unique(column).tolist()) <= {0, 1}
    few = n == 2 or n <= (0 if called & COUNTS else 2 * CLASSES if called & LABELS else CLASSES)
    if whole and often and few:
        asked = "" if n == 2 else "to predict it as a number: one output, no softmax, loss: mse, metrics: [rmse, r2]"
        return _classes(seen, np.unique(column).tolist(), "whole numbers", asked)
    low, high = float(column.min()), float(column.max())
    why = f"regression: it holds {n:,} different numbers, from {low:,.6g} to {high:,.6g}"
    classes = f"to tell the numbers apart as classes: {n} outputs, softmax, loss: cross_entropy, metrics: [accuracy]"
    otherwise = classes if whole and n <= 2 * CLASSES else ""
    return Task("regression", why, otherwise, 0, (low >= 0 and skewness(column) > 3) or seen.largest > HUGE)


def skewness(column: Array) -> float:
    """The third standardised moment of a column without gaps: 0 where it is symmetric, 2 for an exponential one."""
    values = np.asarray(column, np.float64)
    scaled = values / max(float(np.abs(values).max()), 1e-300)
    centred, std = scaled - scaled.mean(), float(scaled.std())
    return float((centred**3).mean()) / std**3 if std > 1e-12 else 0.0


def _choose(
    seen: Glance, target: str, task: Task, group: Group | None
) -> tuple[dict[str, Look], dict[str, str], dict[str, str]]:
    """The columns to learn from, those to leave out and why, and those that are to be looked at."""
    unreadable = {name: kind for name, kind in seen.table.unreadable.items() if name != target}
    dropped = {name: f"is {kind}, neither numbers nor texts" for name, kind in unreadable.items()}
    apart = {target, group.column} if group else {target}
    looks = {name: one for name, one in seen.looks.items() if name not in apart}
    for name, one in looks.items():
        if not one.usable or (why := _too_empty(one)):
            dropped[name] = one.why if not one.usable else why
    sample = seen.table.take(spread(seen.table.n_rows, SAMPLE)) if seen.table.n_rows > SAMPLE else seen.table
    kept = [name for name in looks if name not in dropped]
    for name, relation in repeats(sample, [*([group.column] if group else []), *kept]).items():
        if relation.exact:
            dropped[name] = _says(relation)
    suspicious = {}
    for name in looks:
        if name not in dropped:
            clue = gives_away(sample.column(name), sample.column(target), task.goal != "regression")
            if clue:
                suspicious[name] = f"gives the target away: it {clue.how}"
                if clue.exact:
                    dropped[name] = suspicious[name]
    inputs = {name: one for name, one in looks.items() if name not in dropped}
    if not inputs:  # a lesson with one input, say
        counting = {
            name: dropped[name] for name, one in looks.items() if one.nature == "identifier" and one.kind == "number"
        }
        suspicious = suspicious or counting
        inputs = {name: looks[name] for name in suspicious}
        dropped = {name: why for name, why in dropped.items() if name not in suspicious}
    if not inputs:
        reasons = "; ".join(f"{named(name)} {why}" for name, why in list(dropped.items())[:5])
        raise DataError(f"{seen.path.name} has no column to learn from: {reasons or 'it has no other column'}")
    return inputs, dropped, {name: why for name, why in suspicious.items() if name in inputs}


def _says(relation: Relation) -> str:
    return f"repeats {listed(relation.others)}" + (", in other units" if "units" in relation.how else "")


def _too_empty(seen: Look) -> str:
    """Half a sentence where too few rows have a value to learn from, or too few lack one to learn what that means."""
    there = seen.rows - seen.missing
    if seen.rows >= 20 and seen.nature in ("number", "date") and (there < 10 or there < 0.02 * seen.rows):
        return f"is empty in {percent(seen.share_missing)} of the rows"
    if seen.rows >= 20 and seen.nature == "date" and 0 < seen.missing < 10:
        return f"is empty in {counted(seen.missing, 'row')}, too few to learn what that means; fill them in"
    return ""
