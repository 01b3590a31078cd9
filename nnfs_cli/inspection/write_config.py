"""The text of a config for what was decided, with every choice explained beside it."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nnfs_cli.config.yaml import dump_value
from nnfs_cli.inspection.column_relations import listed
from nnfs_cli.inspection.propose import Proposal
from nnfs_cli.presets.tabular import FEWEST, INDICATORS, MANY, VECTORS
from nnfs_cli.system.wording import counted, listing, percent

WIDTH = 110  # of a line


def draft(proposal: Proposal, folder: Path) -> str:
    """A config that is to stand in `folder`, valid as it is."""
    return _Draft(proposal, folder).text()


class _Draft:
    """Section by section."""

    def __init__(self, proposal: Proposal, folder: Path) -> None:
        self.seen, self.target, self.task = proposal.seen, proposal.target, proposal.task
        self.inputs, self.dropped, self.suspicious = proposal.inputs, proposal.dropped, proposal.suspicious
        self.proposal, self.folder = proposal, folder
        self.words = [name for name, one in self.inputs.items() if one.kind == "category"]
        self.dates = [name for name, one in self.inputs.items() if one.kind == "date"]

    def text(self) -> str:
        """All of it."""
        parts = (self.head, self.dataset, self.split, self.preprocessing, self.training, self.preset)
        return "\n".join("\n".join(lines) + "\n" for part in parts if (lines := list(part())))

    def head(self) -> Iterator[str]:
        name, n = self.seen.path.name, len(self.seen.looks) + len(self.seen.table.unreadable)
        looked = f", of which the first {self.seen.table.n_rows:,} were looked at" if self.seen.partial else ""
        rows = f"{'about ' * self.seen.partial}{counted(self.seen.n_rows, 'row')}{looked}"
        yield from _said(
            f"What `nnfs init` proposes for {name}: {rows}, {counted(n, 'column')}."
            " Change what you know better; `nnfs check` reads this file and the data before any training."
        )

    def dataset(self) -> Iterator[str]:
        yield "dataset:"
        yield f"  {self.seen.source}:"
        yield f"    path: {dump_value(_relative(self.seen.path, self.folder))}"
        notes = {
            "delimiter": "between two cells",
            "decimal": "numbers are written as in 1,5",
            "encoding": "as it was given",
            "null": self._about_nulls(),
        }
        for odd in self.seen.odd:
            yield from _said(f"{odd}: taken for empty cells; mend the file if you know better.", 4)
        for key, value in self.seen.settings.items():
            if len(notes[key]) > 40:
                yield from _said(notes[key], 4)
                yield f"    {dump_value(key)}: {dump_value(value)}"
            else:
                yield f"    {key}: {dump_value(value)}  # {notes[key]}"
        yield from _said(_sentence(self.task.why), 4)
        if self.task.otherwise:
            yield from _said(_sentence(self.task.otherwise), 4)
        yield f"    target: {dump_value(self.target)}"
        if self.dropped:
            yield from self._drop()
        for name, why in self.suspicious.items():
            yield from _said(
                f"Look at '{name}': it {why}. If it is not known by the time of a prediction, add it to drop.", 4
            )

    def _about_nulls(self) -> str:
        looks, nulls = self.seen.looks, self.seen.settings.get("null", ())
        columns = [name for name, one in looks.items() if one.kind != "category" and one.missing]
        where = f"among numbers or dates, as in {listed(columns, 3)}"
        return f"{listing(map(repr, nulls))} {where}, {'count' if len(nulls) > 1 else 'counts'} as an empty cell"

    def _drop(self) -> Iterator[str]:
        if len(self.dropped) <= 20:
            yield "    drop:"
            for name, why in self.dropped.items():
                yield from _beside(f"      - {dump_value(name)}", why)
            return
        reasons = Counter(self.dropped.values())
        yield from _said("Left out, since a column " + ", ".join(list(reasons)[:5]) + ".", 4)
        yield f"    drop: {dump_value(list(self.dropped))}"

    def split(self) -> Iterator[str]:
        test, group = self.proposal.test, self.proposal.group
        drawn = "drawn by whole groups" if group else "drawn at random"
        if test:
            yield from _said(
                f"{percent(test)} of the rows, {drawn}, are kept for the final test, of which nothing is learned. None"
                " need be held back to validate: each member of the net is judged by rows that it was kept from."
            )
        else:
            yield from _said(
                f"{counted(self.seen.n_rows, 'row')} are too few to keep some for a final test; how good the net is, is"
                " estimated from what each of its members says of rows that it was kept from."
                if self.seen.n_rows >= FEWEST
                else "Too few rows to hold any back: nothing will say how good the net is on others."
            )
        if test and self.dates and not group:
            yield from _said(
                f"To foretell what comes later, test on the latest rows: add time: {dump_value(self.dates[0])} here."
            )
        parts = ["validation: 0"] * (self.seen.n_rows < FEWEST) + [f"test: {test:g}"] * (test > 0)
        if group:
            follow = f"{listed(group.followers, 4)} {'follows' if len(group.followers) == 1 else 'follow'} from it"
            yield from _said(
                f"'{group.column}' names whose rows they are ({follow}): they stay together in one part, else the net"
                " would know them by heart, and the test would be too easy. It is no input."
            )
            parts.append(f"group: {dump_value(group.column)}")
        if parts:
            yield f"split: {{{', '.join(parts)}}}"

    def preprocessing(self) -> Iterator[str]:
        """What the preset does not know: numbers that are names, and a target of which a few are far larger."""
        named = [name for name in self.words if self.inputs[name].coded or self.seen.table.is_mostly_numbers(name)]
        lopsided = self.task.goal == "regression" and self.task.lopsided
        if not named and not lopsided:
            return
        yield "preprocessing:"
        if named:
            yield "  columns:"
        for name in named:
            words = counted(self.inputs[name].different, "different word")
            codes = "; its numbers are codes" if self.inputs[name].coded else ""
            many = self.inputs[name].different > MANY
            what = (
                "Each gets a vector that is learned; rare and new ones share one."
                if many
                else "An input of 0 or 1 for each; a new word is none of them."
            )
            yield from _said(f"{name}: {words}{codes}. {what}", 4)
            yield f"    {dump_value(name)}: {dump_value(VECTORS if many else INDICATORS)}"
        if lopsided:
            yield from _said("The target has a few values far above all others, so its logarithm is learned.", 2)
            yield "  target: [clamp, log1p, standardize]"

    def training(self) -> Iterator[str]:
        losses = {"binary": "binary_cross_entropy", "classes": "cross_entropy", "regression": "mse"}
        metrics = {"binary": "[accuracy, roc_auc]", "classes": "[accuracy, balanced_accuracy]"}
        yield f"loss: {losses[self.task.goal]}"
        yield f"metrics: {metrics.get(self.task.goal, '[rmse, r2, mae]')}"
        yield from _beside("seed: 0", "of the split, the first weights, the order of rows and dropout")

    def preset(self) -> Iterator[str]:
        yield from _said(
            "The preprocessing of all other columns, the net and its training: spec.yaml in the run shows every part of"
            " it, with every number, and a key that is given here takes the place of the preset's."
        )
        yield "preset: tabular"


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows: there is no relative path
        return path.absolute().as_posix()


def _said(text: str, indent: int = 0) -> Iterator[str]:
    """A comment, folded."""
    before = " " * indent + "# "
    yield from textwrap.wrap(
        _printable(text), WIDTH, initial_indent=before, subsequent_indent=before, break_on_hyphens=False
    )


def _beside(line: str, comment: str) -> Iterator[str]:
    """A line and a comment behind it, or above where it would be too long."""
    if len(line) + len(comment) + 4 <= WIDTH:
        yield f"{line}  # {_printable(comment)}"
    else:
        yield from _said(comment, len(line) - len(line.lstrip()))
        yield line


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
