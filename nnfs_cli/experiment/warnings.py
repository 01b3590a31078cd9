"""What can be trained, and still is not what anybody wants: said before it is, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnfs_cli.system.wording import counted, listing, named

NAMED = 3  # as many columns or classes are named
DEFAULT = 32  # rows of a batch, which nobody may have chosen


def cautions(data: Mapping[str, Any], batch_size: int) -> Iterator[str]:
    """What to say of data, as data.json keeps it, and of batches that are to be so large."""
    constant = [column["name"] for column in data["inputs"] if _constant(column)]
    if constant:
        are = "is" if len(constant) == 1 else "are"
        yield f"{_some(constant)} {are} the same in all training rows: there is nothing to be learned from that"
    for target in data["targets"]:
        if target["kind"] == "class":
            yield from _of_classes(target["counts"])
        elif target["min"] == target["max"]:
            value = f"{target['min']:g} in all training rows"
            yield f"the target {named(target['name'])} is {value}: that is all there is to learn"
    n_rows = data["rows"]["train"]
    if batch_size > max(n_rows, DEFAULT):
        yield f"there are {counted(n_rows, 'training row')}, so a batch of {batch_size} is all of them"


def _constant(column: Mapping[str, Any]) -> bool:
    """Whether there is one value in a column, and no gap, or nothing but gaps."""
    if column["missing"]:
        return bool(column["missing"] == 1)
    if column["kind"] == "category":
        return len(column["counts"]) == 1 and not column["others"]
    return bool(column["min"] == column["max"])


def _of_classes(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """`counts` are rows by split, then by class."""
    for split, by_class in counts.items():
        if lacking := [label for label, n in by_class.items() if not n]:
            them = "it" if len(lacking) == 1 else "them"
            what = f"the net does not learn {them}" if split == "train" else f"the figures there say nothing of {them}"
            yield f"no {'training' if split == 'train' else split} row is {_some(lacking, 'or')}: {what}"


def _some(names: list[str], conjunction: str = "and") -> str:
    more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return listing([*map(named, names[:NAMED]), *more], conjunction)
