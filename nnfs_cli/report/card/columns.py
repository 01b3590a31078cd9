"""What a model card says about the columns: their kinds, and the values that training rows had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnfs_cli.display.text import value
from nnfs_cli.report.blocks import Block, Rows
from nnfs_cli.system.wording import counted, listing, percent, shown

MOST = 60  # columns that are listed
LEVELS, LEAST = 4, 10  # categories that are named, and the training rows that each of them has at least


def inputs_of(record: Mapping[str, Any]) -> Block:
    """Return the table of the input columns, from the record of the data.

    A category is named if at least ten training rows have it: a rarer one might tell who was among them.
    """
    inputs = record["inputs"]
    rows = [[str(one["name"]), str(one["kind"]), _values(one), _gaps(one)] for one in inputs[:MOST]]
    more = f"; the first {MOST} of them" if len(inputs) > MOST else ""
    caption = f"{counted(len(inputs), 'input column')}, with the values of the training rows{more}"
    shown = 4 if any(row[3] for row in rows) else 3
    return Rows(caption, ["column", "kind", "values", "empty"][:shown], [row[:shown] for row in rows], 3)


def target_of(record: Mapping[str, Any]) -> list[str]:
    """Return a sentence about each target: its classes with their shares, or its range, in the training rows."""
    return [_target(one) for one in record.get("targets", ())[:20]]


def _target(target: Mapping[str, Any]) -> str:
    name = shown(str(target["name"]), 80)
    if target["kind"] != "class":
        return f"{name} is a number, from {value(target['min'])} to {value(target['max'])} in the training rows."
    counts: dict[str, int] = target["counts"].get("train", {})
    total = max(sum(counts.values()), 1)
    classes = [f"{shown(label)} ({percent(n / total)})" for label, n in [*counts.items()][:12]]
    more = [f"{len(counts) - 12:,} more"] if len(counts) > 12 else []
    return f"{name} is one of {counted(len(counts), 'class')}: {listing([*classes, *more])} of the training rows."


def _values(column: Mapping[str, Any]) -> str:
    if column["kind"] != "category":
        ends = [column.get(end) for end in ("min", "max")]
        low, high = (end if isinstance(end, str) else value(end) for end in ends)
        return "none" if ends[0] is None else low if low == high else f"{low} to {high}"
    counts = column.get("counts", {})
    named = [shown(name, 20) for name, n in counts.items() if n >= LEAST][:LEVELS]
    others = len(counts) - len(named)
    beyond = " or more" if column.get("others") else ""
    noun = "other" if named else "category"
    rest = [f"{counted(others, noun)}{beyond}"] if others else []
    return listing([*named, *rest])


def _gaps(column: Mapping[str, Any]) -> str:
    return percent(column["missing"], 1) if column.get("missing") else ""
