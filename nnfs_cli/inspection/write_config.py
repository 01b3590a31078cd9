"""Write the config that `nnfs init` proposes, with a comment on every choice."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.in_memory import InMemory
from nnfs_cli.inspection.column_relations import list_columns
from nnfs_cli.inspection.disguises import parser_of
from nnfs_cli.inspection.propose import BY_LOGARITHM, TEXTS_REMEDY, Proposal
from nnfs_cli.nn.losses.ordinal import Ordinal
from nnfs_cli.presets.tabular import DATES, EMBEDDING, MANY_CATEGORIES, MIN_HOLDOUT_ROWS, ONE_HOT
from nnfs_cli.system.remote.file import Location, RemoteFile
from nnfs_cli.system.wording import capitalized, counted, listing, named, percent, shown

WIDTH = 79  # characters of a line

_LOSSES = {
    "binary": "binary_cross_entropy",
    "labels": "binary_cross_entropy",
    "classes": "cross_entropy",
    "regression": "mse",
}
_METRICS = {
    "binary": "[accuracy, roc_auc]",
    "labels": "[accuracy, subset_accuracy, roc_auc]",
    "classes": "[accuracy, balanced_accuracy]",
    "regression": "[rmse, r2, mae]",
}


def write_config(proposal: Proposal, folder: Path) -> str:
    """Return a valid config in YAML for a proposal; paths in it are relative to `folder`.

    For a table given in Python it is valid, but does not hold the rows.
    """
    sections = (
        _head(proposal),
        _dataset(proposal, folder),
        _split(proposal),
        _missing_target(proposal),
        _parse(proposal),
        _preprocessing(proposal),
        _training(proposal),
        _preset(proposal),
    )
    blocks = [list(section) for section in sections]
    return "\n".join("\n".join(lines) + "\n" for lines in blocks if lines)


def _head(proposal: Proposal) -> Iterator[str]:
    profile = proposal.profile
    rows = f"{'about ' * profile.partial}{counted(profile.n_rows, 'row')}"
    if profile.partial:
        rows += f" (only the first {profile.table.n_rows:,} were inspected)"
    who, then = "nnfs init", "Change what you know better, then run `nnfs check` on this file."
    if profile.source == InMemory.name:
        who, then = "nnfs_cli.fit", "A key that is given to `fit` overrides it."
    name = profile.table.name
    yield from _comment(f"Proposed by `{who}` for {name}: {rows}, {counted(profile.n_columns, 'column')}. {then}")


def _dataset(proposal: Proposal, folder: Path) -> Iterator[str]:
    profile, task = proposal.profile, proposal.task
    yield "dataset:"
    yield f"  {profile.source}:"
    if profile.path is not None:
        yield f"    path: {dump_value(_relative(profile.path, folder))}"
    notes = {
        "sheet": "one of several",
        "delimiter": "delimiter of the cells",
        "decimal": "decimal mark of numbers, as in 1,5",
        "encoding": "encoding of the file",
        "skip_rows": "lines or rows before the header",
        "comment": "how comment lines begin",
        "header": "names of the columns, which a comment in the file holds",
        "skip_footer": "rows at the end that sum up the others",
        "null": _about_nulls(proposal),
        **profile.reasons,
    }
    for odd in profile.odd:
        yield from _comment(f"{odd}. Such cells are read as missing values; correct the file if that is wrong.", 4)
    for key, value in profile.settings.items():
        line = f"    {key}: {dump_value(value)}"
        yield from _with_comment(line, notes[key], 40) if key in notes else (line,)
    yield from _comment(_sentence(task.why), 4)
    if task.alternative:
        yield from _comment(_sentence(task.alternative), 4)
    targets = proposal.targets
    yield f"    target: {dump_value(targets[0] if len(targets) == 1 else list(targets))}"
    if proposal.weight:
        yield f"    weight: {dump_value(proposal.weight)}"
    if proposal.dropped:
        yield from _drop(proposal)
    for name, why in proposal.suspicious.items():
        yield from _comment(
            f"Check {named(name)}: it {why}. If its value is unknown at the time of a prediction, add it to drop.", 4
        )


def _about_nulls(proposal: Proposal) -> str:
    columns, nulls = proposal.profile.columns, proposal.profile.settings.get("null", ())
    names = [name for name, column in columns.items() if column.kind != "category" and column.missing]
    spellings = f"{listing(map(repr, nulls))} {'mean' if len(nulls) > 1 else 'means'} a missing value"
    return f"{spellings} among numbers or dates, as in {list_columns(names, 3)}"


def _drop(proposal: Proposal) -> Iterator[str]:
    dropped = proposal.dropped
    if len(dropped) <= 20:
        yield "    drop:"
        for name, why in dropped.items():
            column = proposal.profile.columns.get(name)
            remedy = f"; {TEXTS_REMEDY}" if column and column.is_free_text else ""
            yield from _with_comment(f"      - {dump_value(name)}", why + remedy)
        return
    reasons = list(Counter(dropped.values()))[:5]
    yield from _comment(f"These columns are not inputs. Reasons: a column {', '.join(reasons)}.", 4)
    yield f"    drop: {dump_value(list(dropped))}"


def _split(proposal: Proposal) -> Iterator[str]:
    profile, test, group = proposal.profile, proposal.test, proposal.group
    if test:
        drawn = "as whole groups" if group else "at random"
        yield from _comment(
            f"{percent(test)} of the rows, drawn {drawn}, are held out for the final test. No validation rows are"
            " needed: each member of the ensemble is evaluated on the fold of training rows that it never saw."
        )
    elif profile.n_rows >= MIN_HOLDOUT_ROWS:
        yield from _comment(
            f"{counted(profile.n_rows, 'row')} are too few for a final test. The figures of the net come from the folds"
            " of training rows that its members never saw."
        )
    else:
        yield from _comment("There are too few rows to hold any out: no figure will tell how good the net is.")
    if test and proposal.dates and not group:
        yield from _comment("To predict the future, hold out the latest rows instead:")
        yield f"#   split: {{test: {test:g}, time: {_printable(dump_value(proposal.dates[0]))}}}"
    settings = ["validation: 0"] * (profile.n_rows < MIN_HOLDOUT_ROWS) + [f"test: {test:g}"] * (test > 0)
    if group:
        yield from _comment(
            f"{named(group.column)} {group}. Rows with the same value stay in one split; otherwise the net could"
            " recognize the owner and the test would be too easy. It is not an input."
        )
        settings.append(f"group: {dump_value(group.column)}")
    if settings:
        yield f"split: {{{', '.join(settings)}}}"


def _missing_target(proposal: Proposal) -> Iterator[str]:
    if proposal.without_target:
        yield from _with_comment("missing_target: drop", f"leaves out {counted(proposal.without_target, 'row')}")


def _parse(proposal: Proposal) -> Iterator[str]:
    """Yield how columns of texts are read as numbers or dates, with the evidence."""
    if not proposal.parsed:
        return
    yield "parse:"
    lines = {
        f"  {dump_value(name)}: {dump_value(parser_of(one).brief())}": one for name, one in proposal.parsed.items()
    }
    longest = max(len(line) + len(one.evidence) for line, one in lines.items())
    for (line, one), name in zip(lines.items(), proposal.parsed, strict=True):
        if one.question:
            yield from _comment(f"{named(name)} {one.question}. Training asks until you choose.", 2)
            yield line
        else:
            yield from _with_comment(line, one.evidence, WIDTH if longest + 4 <= WIDTH else 0)


def _preprocessing(proposal: Proposal) -> Iterator[str]:
    """Yield what the preset cannot know: codes, lists, texts that are dates, and a skewed target."""
    table = proposal.profile.table
    categories = [name for name, column in proposal.inputs.items() if column.kind == "category"]
    coded = [
        name
        for name in categories
        if proposal.inputs[name].coded or (table.is_mostly_numbers(name) and not proposal.inputs[name].lists)
    ]
    dates = [name for name, column in proposal.inputs.items() if column.as_texts]
    lists = {name: column.lists for name, column in proposal.inputs.items() if column.lists}
    steps = proposal.task.steps
    if not coded and not dates and not lists and not steps:
        return
    yield "preprocessing:"
    if coded or dates or lists:
        yield "  columns:"
    for name in coded:
        column = proposal.inputs[name]
        many = column.different > MANY_CATEGORIES
        codes = "; the numbers are codes" if column.coded else ""
        encoding = (
            "Each becomes a learned vector; rare and new ones share one."
            if many
            else "Each becomes an input of 0 or 1; for a new category all of them are 0."
        )
        yield from _comment(f"{name}: {counted(column.different, 'category')}{codes}. {encoding}", 4)
        yield f"    {dump_value(name)}: {dump_value(EMBEDDING if many else ONE_HOT)}"
    for name, one in lists.items():
        what = f"lists of {counted(one.n_entries, 'different entry')}, such as {shown(one.example)}"
        yield from _comment(f"{name}: {what}. Each entry becomes an input of 0 or 1.", 4)
        yield f"    {dump_value(name)}: {dump_value(one.step)}"
    for name in dates:
        yield from _with_comment(f"    {dump_value(name)}: {dump_value(DATES)}", "the texts are dates")
    if steps:
        what = "logarithm" if steps == BY_LOGARITHM else "rank"
        yield from _comment(f"A few target values are far larger than all others, so the net learns their {what}.", 2)
        yield f"  target: {dump_value(list(steps))}"


def _training(proposal: Proposal) -> Iterator[str]:
    if proposal.task.order:
        yield from _comment("The classes look like steps on a scale. If this is their order, this loss uses it:")
        yield f"#   loss: {_printable(dump_value({Ordinal.name: list(proposal.task.order)}))}"
    yield f"loss: {_LOSSES[proposal.task.goal]}"
    yield f"metrics: {_METRICS[proposal.task.goal]}"
    yield from _with_comment("seed: 0", "for the split, the initial weights, the order of rows and dropout")


def _preset(proposal: Proposal) -> Iterator[str]:
    whole = "`config_`" if proposal.profile.source == InMemory.name else "spec.yaml in the run directory"
    yield from _comment(
        "The preset chooses everything else: preprocessing, net and training. A key given here overrides it, and"
        f" {whole} shows every value."
    )
    yield "preset: tabular"


def _relative(path: Location, folder: Path) -> str:
    if isinstance(path, RemoteFile):
        return path.url
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows has no relative path
        return path.absolute().as_posix()


def _comment(text: str, indent: int = 0) -> Iterator[str]:
    before = " " * indent + "# "
    yield from textwrap.wrap(
        _printable(text), WIDTH, initial_indent=before, subsequent_indent=before, break_on_hyphens=False
    )


def _with_comment(line: str, comment: str, most: int = WIDTH) -> Iterator[str]:
    """Yield a line with the comment behind it, or above it if the comment or the line would be too long."""
    if len(comment) <= most and len(line) + len(comment) + 4 <= WIDTH:
        yield f"{line}  # {_printable(comment)}"
    else:
        yield from _comment(comment, len(line) - len(line.lstrip()))
        yield line


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _sentence(text: str) -> str:
    return f"{capitalized(text)}."
