"""Propose the task, the inputs and the held-out rows for a profiled file.

The rules depend only on what the file holds and on how many rows it has; none knows a data set by name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.data.labels import IF_MISSING, TARGET
from nnfs_cli.data.left_out import LeftOut
from nnfs_cli.data.parsing.recognise import Recognised
from nnfs_cli.data.table import Label, Table, gaps_of, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.errors import DataError
from nnfs_cli.inspection.column_kinds import ColumnProfile, is_whole, profile_column, words_of
from nnfs_cli.inspection.column_relations import (
    Relation,
    RowGroups,
    find_leak,
    find_repeats,
    find_row_groups,
    list_columns,
)
from nnfs_cli.inspection.disguises import misfits_of
from nnfs_cli.inspection.table_profile import TableProfile
from nnfs_cli.inspection.tails import is_heavy_tailed
from nnfs_cli.inspection.word_orders import order_of
from nnfs_cli.presets.tabular import MIN_HOLDOUT_ROWS
from nnfs_cli.system.wording import counted, listing, named, percent, shown

SAMPLE = 100_000  # rows by which columns are compared
BY_LOGARITHM, BY_RANK = ("clamp", "log1p", "standardize"), ("clamp", "quantile")  # steps of a target
HUGE = 1e100  # numbers whose squares may overflow
TEXTS_REMEDY = (
    "no step reads free text; add columns that are made from it, such as its length, or whether it holds a word"
)
SHOWN = 3  # targets that a sentence describes
AS_ASKED = "is left out as asked"  # the reason of a column that the user drops
CLASSES = 10  # different whole numbers, at most, that are classes
LABELS = frozenset(
    ("class", "label", "target", "type", "category", "kind", "species", "group", "code", "id", "cluster")
)
COUNTS = frozenset(
    ("count", "counts", "n", "num", "number", "age", "years", "days", "hours", "price", "amount", "sales")
)

Goal = Literal["binary", "labels", "classes", "regression"]


@dataclass(frozen=True)
class ProposedTask:
    """The task that a target suggests, the reason, and how to choose another one."""

    goal: Goal
    why: str
    alternative: str = ""
    n_classes: int = 0
    steps: tuple[str, ...] = ()  # of a target with a few numbers far larger than all others
    order: tuple[str, ...] = ()  # of classes that are words on a scale, from lowest to highest


@dataclass(frozen=True)
class Proposal:
    """What `nnfs init` writes.

    `dropped` gives the reason for each column left out; `suspicious` describes how an input seems to leak the target.
    `weight` is the column with the weights of the rows, if there is one.
    """

    profile: TableProfile
    targets: tuple[str, ...]
    task: ProposedTask
    inputs: Mapping[str, ColumnProfile]
    dropped: Mapping[str, str]
    suspicious: Mapping[str, str]
    group: RowGroups | None = None  # rows of one group stay in one split
    weight: str | None = None
    without_target: int = 0  # rows whose target is empty, which the config leaves out

    @property
    def parsed(self) -> dict[str, Recognised]:
        """How columns of texts are read that are an input or have a role, by name."""
        used = {*self.inputs, *self.targets, self.weight, self.group and self.group.column}
        found = self.profile.parsed
        return {name: one for name, one in found.items() if not used.isdisjoint(one.parser.outputs(name))}

    @property
    def dates(self) -> list[str]:
        """The inputs that hold dates and do not leak the target."""
        return [name for name, one in self.inputs.items() if one.kind == "date" and name not in self.suspicious]

    @property
    def test(self) -> float:
        """The fraction of rows held out for the final test."""
        return 0.2 if self.profile.n_rows >= 100 else 0.0


def propose(
    profile: TableProfile,
    targets: str | Sequence[str],
    drop: Collection[str] = (),
    weight: str | None = None,
    leaves_out: bool = False,
) -> Proposal:
    """Propose how to predict one or several targets, without the columns in `drop` and with the weights in `weight`.

    `leaves_out` says that the config leaves out the rows with an empty target.
    Raises `DataError` when one of these columns does not exist, or the target or the inputs leave nothing to learn.
    """
    table, targets = profile.table, (targets,) if isinstance(targets, str) else tuple(targets)
    if unknown := [name for name in (*drop, *filter(None, [weight])) if not table.has(name)]:
        raise DataError(table.no_such_column(unknown[0]))
    if table.n_rows < 2:
        raise DataError(f"{table.name} has {counted(table.n_rows, 'row')}; training needs at least two")
    for target in targets if not leaves_out else ():
        if (found := profile.parsed.get(target)) and (misfits := misfits_of(target, found)):
            raise DataError(f"{table.name}: the target {misfits}; correct these cells, or remove their rows")
    seen, there = {target: profile.columns.get(target) for target in targets}, table
    if leaves_out and any(one is not None and one.missing for one in seen.values()):
        there = LeftOut(dict.fromkeys(targets, TARGET), faults=False).kept(table)
        seen = {target: profile_column(there, target) for target in targets}
    task = joint_task(table.name, {target: task_of(there, target, one) for target, one in seen.items()})
    apart = {*targets, *drop, *filter(None, [weight])}
    group = _group(profile, targets[0], apart)
    inputs, dropped, suspicious = _choose(profile, targets, task, group, apart)
    index = {profile.index: "has no name and numbers the rows, like an index of pandas"} if profile.index else {}
    dropped = dict.fromkeys(drop, AS_ASKED) | index | dropped
    without = table.n_rows - there.n_rows
    return Proposal(profile, targets, task, inputs, dropped, suspicious, group, weight, without)


def joint_task(table: str, tasks: Mapping[str, ProposedTask]) -> ProposedTask:
    """Return the task of all targets together: that of a single one, several labels, or several numbers.

    Whole numbers that may be classes are numbers beside others. Raises `DataError` if the targets do not fit together.
    """
    if len(tasks) == 1:
        return next(iter(tasks.values()))
    each = [f"{named(name)} {one.why.partition(': it ')[2]}" for name, one in [*tasks.items()][:SHOWN]]
    more = [f"{len(tasks) - SHOWN} more"] if len(tasks) > SHOWN else []
    of_each = "; ".join([*each, *more])
    goals = {name: one.goal for name, one in tasks.items()}
    if {*goals.values()} == {"binary"}:
        return ProposedTask("labels", f"{len(tasks)} labels that may be true together: {of_each}")
    steps = {one.steps for one in tasks.values()}
    unfit = [name for name, one in tasks.items() if one.goal != "regression" and not one.alternative]
    if not unfit:
        return ProposedTask(
            "regression",
            f"regression of {len(tasks)} targets: {of_each}",
            steps=steps.pop() if len(steps) == 1 else (),
        )
    others = [named(name) for name in tasks if name not in unfit]
    odd = max(unfit, key=lambda name: tasks[name].n_classes)
    beside = f", and {others[0]} holds numbers" if others else ""
    found = f"the target {named(odd)} holds {tasks[odd].n_classes:,} classes{beside}"
    raise DataError(f"{table}: {found}; several targets must all hold numbers, or two classes each")


def _group(profile: TableProfile, target: str, apart: set[str]) -> RowGroups | None:
    """Return the column that names the owner of each row, if any rows are held out."""
    if profile.n_rows < MIN_HOLDOUT_ROWS:
        return None
    names = [name for name, column in profile.columns.items() if column.usable and name not in apart]
    found = find_row_groups(profile.table, names, target)
    return found[0] if found and len(names) > 1 else None


def task_of(table: Table, target: str, seen: ColumnProfile | None) -> ProposedTask:
    """Decide what to learn: texts, booleans, codes and few whole numbers are classes; other numbers are regression.

    Whole numbers are classes if they repeat enough and at most ten of them are different. The limit is two for a
    column named like a count, and twenty for a column named like a class.
    Raises `DataError` when there is nothing to learn.
    """
    if seen is None:
        raise DataError(f"{table.name}: the target {named(target)} is {table.unreadable.get(target, 'missing')}")
    name, column = f"{table.name}: the target {named(target)}", table.column(target)
    if seen.nature in ("empty", "constant"):
        raise DataError(f"{name} {seen.why}; there is nothing to learn")
    if seen.missing:
        error = table.error(int(np.argmax(gaps_of(column))), target, "a value", TARGET)
        more = f", as in {counted(seen.missing - 1, 'more row')} of {seen.rows:,}" if seen.missing > 1 else ""
        raise DataError(f"{error}{more}; {IF_MISSING}")
    if seen.nature == "date":
        raise DataError(f"{name} holds dates; a target is numbers or classes")
    if isinstance(column, Texts):
        if seen.different > max(20, seen.rows // 2) or seen.nature == "text" or seen.odd:
            why = seen.why or f"holds {seen.different:,} different texts in {counted(seen.rows, 'row')}"
            raise DataError(f"{name} {why}; a target is classes or numbers")
        return _classes(seen, column.distinct[np.unique(column.codes)].tolist(), "labels")
    if column.dtype.kind == "b":
        return _classes(seen, [False, True], "booleans")
    if seen.nature == "text":
        raise DataError(f"{name} {seen.why}")
    if seen.coded and seen.nature == "identifier":
        raise DataError(f"{name} {seen.why}; these are too many classes, and codes are not quantities")
    if seen.coded:
        asked = "to predict a number instead, set loss: mse and metrics: [rmse, r2]"
        return _classes(seen, np.unique(column).tolist(), "codes", asked)
    return _numbers(seen, column)


def _classes(seen: ColumnProfile, labels: Sequence[Label], what: str, alternative: str = "") -> ProposedTask:
    """Propose classification for a target with these different values."""
    n = seen.different
    if n == 2:
        named = " and ".join(shown(text_of(label)) for label in sorted(labels))
        return ProposedTask("binary", f"binary classification: it holds {named}", alternative, n)
    order = order_of([label for label in labels if isinstance(label, str)])
    return ProposedTask("classes", f"classification: it holds {n} different {what}", alternative, n, order=order)


def _numbers(seen: ColumnProfile, column: Array) -> ProposedTask:
    called, n = set(words_of(seen.name)[-1:]), seen.different
    whole = is_whole(column)
    often = n <= seen.rows / 5 or set(np.unique(column).tolist()) <= {0, 1}
    few = n == 2 or n <= (0 if called & COUNTS else 2 * CLASSES if called & LABELS else CLASSES)
    if whole and often and few:
        number = "to predict a number instead, set loss: mse and metrics: [rmse, r2]"
        asked = "" if n == 2 else f"{number}; if the classes are ordered, such as grades, try loss: ordinal"
        return _classes(seen, np.unique(column).tolist(), "whole numbers", asked)
    low, high = float(column.min()), float(column.max())
    why = f"regression: it holds {n:,} different numbers, from {low:,.6g} to {high:,.6g}"
    classes = "to predict classes instead, set loss: cross_entropy and metrics: [accuracy]"
    alternative = classes if whole and n <= 2 * CLASSES else ""
    return ProposedTask("regression", why, alternative, 0, _steps(column, seen.largest))


def _steps(column: Array, largest: float) -> tuple[str, ...]:
    """Return the steps of a target that keep a few numbers, far larger than all others, from deciding what is learned.

    Without such numbers there are none.
    """
    if (column.min() >= 0 and skewness(column) > 3) or largest > HUGE:
        return BY_LOGARITHM
    return BY_RANK if column.min() < 0 and is_heavy_tailed(*np.unique(column, return_counts=True)) else ()


def skewness(column: Array) -> float:
    """Return the skewness (third standardized moment) of a column without missing values; 0 if it is constant."""
    values = np.asarray(column, np.float64)
    scaled = values / max(float(np.abs(values).max()), 1e-300)
    centred, std = scaled - scaled.mean(), float(scaled.std())
    return float((centred**3).mean()) / std**3 if std > 1e-12 else 0.0


def _choose(
    profile: TableProfile, targets: Sequence[str], task: ProposedTask, group: RowGroups | None, apart: set[str]
) -> tuple[dict[str, ColumnProfile], dict[str, str], dict[str, str]]:
    """Return the inputs, the dropped columns with the reasons, and the inputs that seem to leak the target."""
    unreadable = {name: kind for name, kind in profile.table.unreadable.items() if name not in apart}
    dropped = {name: f"is {kind}, which is neither numbers nor texts" for name, kind in unreadable.items()}
    apart = apart | ({group.column} if group else set())
    columns = {name: column for name, column in profile.columns.items() if name not in apart}
    for name, one in columns.items():
        if not one.usable or (why := too_empty(one)):
            dropped[name] = one.why if not one.usable else why
    table = profile.table
    sample = table.take(evenly_spaced(table.n_rows, SAMPLE)) if table.n_rows > SAMPLE else table
    kept = [name for name in columns if name not in dropped]
    for name, relation in find_repeats(sample, [*([group.column] if group else []), *kept]).items():
        if relation.exact:
            dropped[name] = _repeats(relation)
    suspicious = {}
    for name in columns:
        for target in targets if name not in dropped else ():
            leak = find_leak(sample.column(name), sample.column(target), task.goal != "regression")
            if leak:
                which = f" {named(target)}" if len(targets) > 1 else ""
                suspicious[name] = f"leaks the target{which}: it {leak.how}"
                if leak.exact:
                    dropped[name] = suspicious[name]
                break
    inputs = {name: column for name, column in columns.items() if name not in dropped}
    if not inputs:  # for example a lesson with one input
        counting = {
            name: dropped[name] for name, one in columns.items() if one.nature == "identifier" and one.kind == "number"
        }
        suspicious = suspicious or counting
        inputs = {name: columns[name] for name in suspicious}
        dropped = {name: why for name, why in dropped.items() if name not in suspicious}
    if not inputs and columns and all(one.is_free_text for one in columns.values()):
        names = listing([named(name) for name in list(columns)[:5]])
        raise DataError(f"{profile.table.name} holds only free text ({names}) beside the target; {TEXTS_REMEDY}")
    if not inputs:
        reasons = "; ".join(f"{named(name)} {why}" for name, why in list(dropped.items())[:5])
        raise DataError(f"{profile.table.name} has no usable input: {reasons or 'it has no other column'}")
    return inputs, dropped, {name: why for name, why in suspicious.items() if name in inputs}


def _repeats(relation: Relation) -> str:
    return f"repeats {list_columns(relation.others)}" + (", in other units" if "units" in relation.how else "")


def too_empty(seen: ColumnProfile) -> str:
    """Return a clause if too few rows have a value, or else nothing."""
    present = seen.rows - seen.missing
    if seen.rows >= 20 and seen.nature in ("number", "date") and (present < 10 or present < 0.02 * seen.rows):
        return f"is empty in {percent(seen.share_missing)} of the rows"
    return ""
