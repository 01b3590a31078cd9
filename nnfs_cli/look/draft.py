"""The text of a config for what was decided, with every choice explained beside it."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nnfs_cli.errors import counted, listing
from nnfs_cli.look.kinds import MANY
from nnfs_cli.look.proposal import HUGE, Proposal, width_for
from nnfs_cli.look.relations import listed
from nnfs_cli.plain_yaml import dump_value

WIDTH = 110  # of a line


def draft(proposal: Proposal, folder: Path) -> str:
    """A config that is to stand in `folder`, valid as it is."""
    return _Draft(proposal, folder).text()


class _Draft:
    """Section by section."""

    def __init__(self, proposal: Proposal, folder: Path) -> None:
        self.seen, self.target, self.task, self.size = proposal.seen, proposal.target, proposal.task, proposal.size
        self.inputs, self.dropped, self.suspicious = proposal.inputs, proposal.dropped, proposal.suspicious
        self.proposal, self.folder = proposal, folder
        self.numbers = [name for name, one in self.inputs.items() if one.kind == "number"]
        self.words = [name for name, one in self.inputs.items() if one.kind == "category"]
        self.dates = [name for name, one in self.inputs.items() if one.kind == "date"]

    def text(self) -> str:
        """All of it."""
        sections = (self.head, self.dataset, self.split, self.preprocessing, self.net, self.training)
        return "\n".join("\n".join(section()) + "\n" for section in sections)

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
        validation, test = self.size.split
        drawn = "drawn by whole groups" if self.proposal.group else "drawn at random"
        if not validation:
            yield from _said("Too few rows to hold any back: nothing will say how good the net is on others.")
        elif not test:
            yield from _said(f"{_percent(validation)} of the rows, {drawn}, choose the best epoch.")
        else:
            yield from _said(
                f"{_percent(validation)} of the rows, {drawn}, choose the best epoch, and {_percent(test)} are"
                " kept for the final test, of which nothing is learned."
            )
        if validation and self.dates and not self.proposal.group:
            yield from _said(
                f"To foretell what comes later, test on the latest rows: add time: {dump_value(self.dates[0])} here."
            )
        parts = f"validation: {validation:g}" + (f", test: {test:g}" if test else "")
        if group := self.proposal.group:
            follow = f"{listed(group.followers, 4)} {'follows' if len(group.followers) == 1 else 'follow'} from it"
            yield from _said(
                f"'{group.column}' names whose rows they are ({follow}): they stay together in one part, else the net"
                " would know them by heart, and the test would be too easy. It is no input."
            )
            parts += f", group: {dump_value(group.column)}"
        yield f"split: {{{parts}}}"

    def preprocessing(self) -> Iterator[str]:
        yield "preprocessing:"
        if self.numbers:
            yield from self._numbers()
        few = [name for name in self.words if not self._many(name)]
        many = [name for name in self.words if self._many(name)]
        usual = few or many
        plain = [name for name in usual if not self._named(name)]
        plain = [name for name in plain if self._step(name) == self._step(plain[0])]
        if plain:
            yield from _said(f"{_listing(plain)}: {self._about_words(plain)}", 2)
            yield f"  categories: {self._step(plain[0])}"
        if self.dates:
            yield from _said(
                f"{_listing(self.dates)}: the days passed, and where in the year, the week and the day it was.", 2
            )
            yield "  dates: calendar"
        single = [name for name in self.words if name not in plain]
        if single:
            yield "  columns:"
            for name in single:
                yield from _said(f"{name}: {self._about_words([name])}", 4)
                yield f"    {dump_value(name)}: {self._step(name)}"
        if self.task.goal == "regression":
            if self.task.lopsided:
                yield from _said("The target has a few values far above all others, so its logarithm is learned.", 2)
            yield f"  target: {'[log1p, standardize]' if self.task.lopsided else 'standardize'}"

    def _numbers(self) -> Iterator[str]:
        gaps = {name: self.inputs[name].share_missing for name in self.numbers if self.inputs[name].missing}
        steps = ["impute"] * bool(gaps) + ["quantile"] * self._bell + ["standardize"]
        booleans = sum(self.inputs[name].nature == "boolean" for name in self.numbers)
        n = {"of numbers": len(self.numbers) - booleans, "of true or false": booleans}
        text = listing([counted(n, "column") + f" {what}" for what, n in n.items() if n]) + "."
        if gaps:
            shown = [f"{name} {_percent(share)}" for name, share in list(gaps.items())[:5]]
            more = [f"{len(gaps) - 5:,} more"] if len(gaps) > 5 else []
            text += (
                f" Empty cells ({', '.join([*shown, *more])}) get the median of the training rows, and one more input"
                " says where they were."
            )
        if self._bell:
            text += " Each is brought to the shape of a bell by its ranks, so that outliers and long tails do no harm."
        yield from _said(text, 2)
        yield f"  numbers: {steps[0] if len(steps) == 1 else dump_value(steps)}"

    @property
    def _bell(self) -> bool:
        """Whether there are rows enough to know the shapes of columns, or numbers that only ranks can tame."""
        return self.size.training >= 100 or any(one.largest > HUGE for one in self.inputs.values())

    def _many(self, name: str) -> bool:
        return self.inputs[name].different > MANY

    def _named(self, name: str) -> bool:
        """Whether a column is taken for words only where it is named, since it looks like numbers."""
        return self.inputs[name].coded or self.seen.table.mostly_numbers(name)

    def _step(self, name: str) -> str:
        if self._many(name):
            vectors = self.proposal.vectors(self.inputs[name])
            size = "" if vectors.usual else f"size: {vectors.size}, "
            most = f"max_categories: {vectors.most}, " if vectors.most else ""
            return f"{{embedding: {{{size}min_frequency: 2, {most}unseen: other}}}}"
        return "{one_hot: {unseen: other}}"

    def _about_words(self, names: Sequence[str]) -> str:
        words = counted(sum(self.inputs[name].different for name in names), "different word")
        codes = "; its numbers are codes" if any(self.inputs[name].coded for name in names) else ""
        if self._many(names[0]):
            most = self.proposal.vectors(self.inputs[names[0]]).most
            each = f"The {most:,} most frequent get a vector" if most else "Each gets a vector"
            return f"{words}{codes}. {each} that is learned; rare and new ones share one."
        return f"{words}{codes}. An input of 0 or 1 for each; a new word is none of them."

    def net(self) -> Iterator[str]:
        n_inputs, in_tables = self.proposal.net_inputs
        outputs = 1 if self.task.goal != "classes" else self.task.n_classes
        width = width_for(self.size.training, n_inputs, outputs, in_tables)
        dropout = 0.1 if self.size.training < 10_000 else 0.0
        rows = f"{self.size.training:,} training rows"
        if width:
            yield from _said(f"Two hidden layers, as wide as {rows} allow: no more parameters than rows.")
        else:
            yield from _said(f"No hidden layer: for about {n_inputs:,} inputs, {rows} are too few.")
        yield "layers:"
        for _ in range(2 if width else 0):
            yield f"  - linear: {{units: {width}, init: he_normal}}"
            yield "  - relu"
            if dropout:
                yield f"  - dropout: {dropout:g}"
        yield f"  - linear: {outputs}"
        if self.task.goal != "regression":
            yield f"  - {'sigmoid' if self.task.goal == 'binary' else 'softmax'}"
        losses = {"binary": "binary_cross_entropy", "classes": "cross_entropy", "regression": "mse"}
        yield f"loss: {losses[self.task.goal]}"

    def training(self) -> Iterator[str]:
        epochs, (validation, _) = self.size.epochs, self.size.split
        metrics = {"binary": "[accuracy, roc_auc]", "classes": "[accuracy, balanced_accuracy]"}
        yield from _said("The learning rate climbs to its peak and falls again; weights shrink a little all the while.")
        yield "optimizer: {adamw: 0.1}"
        yield "lr: 0.01"
        yield "schedule: one_cycle"
        yield f"batch_size: {self.size.batch}"
        yield f"epochs: {epochs}"
        if validation:
            yield from _beside(f"early_stopping: {epochs // 3}", "epochs without a better val_loss")
        yield f"metrics: {metrics.get(self.task.goal, '[rmse, r2, mae]')}"
        yield from _beside("seed: 0", "of the split, the first weights, the order of rows and dropout")


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


def _listing(names: Sequence[str], most: int = 6) -> str:
    return listing(names) if len(names) <= most else listing([*names[: most - 1], f"{len(names) - most + 1:,} more"])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"
