"""The data in summary: rows by split, the target, and the inputs as they were in the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnfs_cli.display.text import value
from nnfs_cli.report.blocks import Block, Facts, Folded, Rows, Section
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import counted, percent

SHOWN, MOST = 12, 400  # inputs that are shown, and that are listed at all
CLASSES, CATEGORIES = 50, 3
HEADER, LABELS = ("input", "kind", "missing", "lowest", "highest", "most frequent"), 2


def data(facts: RunFacts) -> Section | None:
    """Return the section about the data; None if its record cannot be read."""
    if facts.data is None:
        return None
    record, blocks = facts.data, list[Block]()
    rows: dict[str, int] = record.get("rows", {})
    total = sum(rows.values())
    sizes = [(split, f"{n:,} ({percent(n / total)})") for split, n in rows.items() if total]
    blocks.append(Facts([("table", str(record.get("name", "unknown"))), *sizes]))
    blocks.extend(_target(target) for target in record.get("targets", [])[:20])
    inputs = [_input(column) for column in record["inputs"][:MOST]]
    used = [i for i in range(len(HEADER)) if i < LABELS or any(row[i] for row in inputs)]
    header, inputs = [HEADER[i] for i in used], [[row[i] for i in used] for row in inputs]
    title, shown = f"{counted(len(record['inputs']), 'input')}, in the training rows", inputs[:SHOWN]
    if len(inputs) > SHOWN:
        title += f": the first {SHOWN}"
    blocks.append(Rows(title, header, shown, LABELS))
    if rest := inputs[SHOWN:]:
        more = f"{counted(len(rest), 'more input')}"
        blocks.append(Folded(more, [Rows(more, header, rest, LABELS)]))
    return Section("data", "Data", blocks)


def _target(target: Mapping[str, Any]) -> Block:
    """Return the classes with their rows in each split, or the range of a target of numbers."""
    if target["kind"] != "class":
        low, high = value(target["min"]), value(target["max"])
        return Facts([("target", f"{target['name']}, {low} to {high} in the training rows")])
    counts: dict[str, dict[str, int]] = target["counts"]
    labels = list(dict.fromkeys(label for of_split in counts.values() for label in of_split))
    totals = {split: max(1, sum(of_split.values())) for split, of_split in counts.items()}
    rows = [
        [
            label,
            *(
                f"{counts[split].get(label, 0):,} ({percent(counts[split].get(label, 0) / totals[split])})"
                for split in counts
            ),
        ]
        for label in labels[:CLASSES]
    ]
    more = f" (the first {CLASSES} of {len(labels):,} classes)" if len(labels) > CLASSES else ""
    return Rows(f"Target {target['name']}: rows by class{more}", ["class", *counts], rows)


def _input(column: Mapping[str, Any]) -> list[str]:
    """Return a row of the table of inputs."""
    common = [str(column["name"]), str(column["kind"]), percent(column["missing"], 1) if column["missing"] else ""]
    if column["kind"] == "category":
        counts = list(column.get("counts", {}).items())[:CATEGORIES]
        return [*common, "", "", ", ".join(f"{name} {n:,}" for name, n in counts)]
    return [*common, *(end if isinstance(end, str) else value(end) for end in (column["min"], column["max"])), ""]
