"""What is worth knowing about a config and its data before any training, each with a line of YAML that would help."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import dump_value
from nnfs_cli.data.labels import class_indices
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.steps.base import quantiles
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.table import Table, concatenate_tables, gaps_of, text_of
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.inspection.column_kinds import Look, look
from nnfs_cli.inspection.column_relations import (
    Group,
    followers,
    gives_away,
    groups,
    listed,
    repeats,
    row_hashes,
    spread,
)
from nnfs_cli.inspection.propose import skewness, width_for
from nnfs_cli.system.wording import counted, percent

CELLS = 5_000_000  # of a table that are looked at
FEWEST = 5_000  # rows that are looked at, however many columns there are
RARE = 10  # training rows of a class that are few
LEARNABLE = 20  # training rows of a class that more weight may help
TAMING = frozenset(("quantile", "robust", "clip", "smooth_clip", "log1p"))  # steps that outliers do not trouble


@dataclass(frozen=True)
class Finding:
    """Something about a column, the rows or the net: a sentence, and a line of YAML that would help, if there is one.

    `what` is a word for programs; `column` is None where it is not about a single one.
    """

    what: str
    column: str | None
    message: str
    suggestion: str | None = None

    def plain(self) -> dict[str, str | None]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Data:
    """The rows of each split, or a sample of them, as they were read: a table, and the places of the split in it."""

    tables: Mapping[str, Table]
    rows: Mapping[str, Array]
    looked_at: int | None  # how many rows there are in the sample; None where it is all of them

    @property
    def table(self) -> Table:
        """That of the training rows, and mostly of the others."""
        return self.tables["train"]

    @classmethod
    def of(cls, loaded: LoadedData) -> Data:
        """So many rows of each table as `CELLS` allow: evenly spread, or the first ones where it is not in memory."""
        most = max(FEWEST, CELLS // max(len(loaded.kinds), 1))
        tables: dict[str, Table] = {}
        rows: dict[str, Array] = {}
        sampled: dict[int, tuple[Table, Array]] = {}
        for split, source in loaded.readers.items():
            if id(source) not in sampled:
                held = loaded.budget is None
                sampled[id(source)] = _spread(source.survey, most) if held else _first(source.blocks(), most)
            tables[split], kept = sampled[id(source)]
            places = np.minimum(np.searchsorted(kept, loaded.rows[split]), len(kept) - 1)
            rows[split] = places[kept[places] == loaded.rows[split]]
        whole = all(len(rows[split]) == len(loaded.rows[split]) for split in rows)
        return cls(tables, rows, None if whole else sum(map(len, rows.values())))

    def rows_of(self, split: str) -> Table:
        """The rows of a split alone."""
        return self.tables[split].take(self.rows[split])


def _spread(table: Table, most: int) -> tuple[Table, Array]:
    places = spread(table.n_rows, most)
    return (table if len(places) == table.n_rows else table.take(places)), places


def _first(blocks: Iterator[Table], most: int) -> tuple[Table, Array]:
    tables, n_rows = [], 0
    for block in blocks:
        tables.append(block)
        n_rows += block.n_rows
        if n_rows >= most:
            break
    return concatenate_tables(tables), np.arange(n_rows)


def find(spec: Config, loaded: LoadedData, experiment: Experiment, data: Data) -> list[Finding]:
    """Everything, in the order in which one would look at it; a sample is looked at as far as it goes."""
    compared, _ = _spread(data.table, max(FEWEST, CELLS // 4 // max(len(loaded.kinds), 1)))
    inputs = [name for name in loaded.kinds if name in compared.columns]
    looks = {name: look(data.table, name) for name in inputs}
    findings = [*_columns(spec, looks)]
    bad = {finding.column for finding in findings if finding.what in ("constant", "empty", "identifier", "text")}
    inputs = [name for name in inputs if name not in bad]
    found = _groups(spec, data.table, inputs)
    findings += _grouped(spec, found)
    findings += _relations(spec, compared, inputs, found)
    findings += _ranges(spec, data, [name for name in inputs if loaded.kinds[name] == "number"])
    findings += _target(spec, data, loaded)
    findings += _rows(data, [*loaded.kinds, *spec.dataset.target_columns()])
    findings += _sizes(experiment, loaded)
    return findings


def _drop(name: str) -> str:
    return f"drop: {dump_value([name])}"


def _columns(spec: Config, looks: Mapping[str, Look]) -> Iterator[Finding]:
    """Single columns by what they hold, and by how much of it."""
    for name, one in looks.items():
        if not one.usable:
            yield Finding(one.nature, name, _because(one), _drop(name))
            continue
        if one.share_missing > 0.5:
            share = f"is empty in {percent(one.share_missing)} of the rows"
            yield Finding("missing", name, share, _drop(name))
        elif one.missing:
            how = {"number": "which are filled in", "category": "which counts as a word", "date": "which it says apart"}
            share = f"is empty in {percent(one.share_missing)} of the rows, {how[one.kind]}"
            yield Finding("missing", name, share)
        if one.coded and name not in spec.preprocessing.columns:
            yield Finding(
                "code",
                name,
                "seems to hold codes, and is taken for a quantity",
                _column(name, "{one_hot: {unseen: other}}"),
            )


def _because(one: Look) -> str:
    if one.nature == "identifier":
        return f"{one.why}: there is nothing in it to learn from"
    return one.why


def _column(name: str, steps: str) -> str:
    return f"preprocessing: {{columns: {{{dump_value(name)}: {steps}}}}}"


def _groups(spec: Config, table: Table, inputs: Sequence[str]) -> list[Group]:
    """The inputs that name whose rows they are."""
    return groups(table, inputs, spec.dataset.target_columns()[0])


def _grouped(spec: Config, found: Sequence[Group]) -> Iterator[Finding]:
    """Groups that are torn apart, where rows are held back by chance."""
    if not any(spec.split.fractions.values()) or spec.split.named.keys() & {"column", "time"}:
        return
    for group in found:
        verb = "follows" if len(group.followers) == 1 else "follow"
        proof = f" ({listed(group.followers)} {verb} from it)" if group.followers else ""
        message = f"names whose rows they are{proof}: rows of one in two splits make the test too easy"
        suggestion = None if spec.split.named else f"split: {{group: {dump_value(group.column)}}}"
        yield Finding("group", group.column, message, suggestion)


def _relations(spec: Config, table: Table, inputs: Sequence[str], found_groups: Sequence[Group]) -> Iterator[Finding]:
    """Columns that give the target away, and those that others make superfluous."""
    classes, away = spec.loss.task == "classification", set()
    owners = {group.column for group in found_groups}
    theirs = {name for group in found_groups for name in group.followers}
    inputs = [name for name in inputs if name not in owners]
    for target in spec.dataset.target_columns():
        y = table.column(target)
        if gaps_of(y).any():
            continue
        for name in inputs:
            clue = gives_away(table.column(name), y, classes)
            if clue and name not in away:
                away.add(name)
                yield Finding("leak", name, f"gives the target '{target}' away: it {clue.how}", _drop(name))
    others = [name for name in inputs if name not in away]
    found = {name: one for name, one in repeats(table, [*sorted(owners), *others]).items() if name not in owners}
    for name, relation in found.items():
        yield Finding("repeats", name, f"repeats {listed(relation.others)}: it {relation.how}", _drop(name))
    for relation in followers(table, [name for name in others if name not in found and name not in theirs]):
        message = f"follows from {listed(relation.others)}, in every row"
        yield Finding("follows", relation.column, message, _drop(relation.column))


def _ranges(spec: Config, data: Data, numbers: Sequence[str]) -> Iterator[Finding]:
    """Outliers, and scales that no step takes care of."""
    table = data.rows_of("train")
    for name in numbers:
        values = np.asarray(table.column(name), np.float64)
        values = values[np.isfinite(values)]
        if len(values) < 20:
            continue
        steps = spec.preprocessing.steps(name, "number")
        low, q1, median, q99, high = quantiles(values, (0, 0.01, 0.5, 0.99, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            size = max(abs(median), float(values.std()))
        far = max(high - q99, q1 - low)
        if far > 10 * (q99 - q1) and q99 > q1 and TAMING.isdisjoint(step.name for step in steps):
            message = f"has outliers: from {low:,.6g} to {high:,.6g}, but 98 % from {q1:,.6g} to {q99:,.6g}"
            impute = "impute, " if spec.preprocessing.takes_gaps(name) else ""
            yield Finding("outliers", name, message, _column(name, f"[{impute}quantile, standardize]"))
        elif all(isinstance(step, Unchanged) for step in steps) and size > 100:
            message = f"is taken as it is, from {low:,.6g} to {high:,.6g}; nets learn best from numbers around 0"
            yield Finding("scale", name, message, _column(name, "standardize"))


def _target(spec: Config, data: Data, loaded: LoadedData) -> Iterator[Finding]:
    """How the classes, or the numbers to predict, are spread."""
    targets = spec.dataset.target_columns()
    if loaded.classes:
        yield from _classes(spec, data, loaded, targets[0])
        return
    for target in targets:
        y = data.rows_of("train").numbers(target)
        low, high = float(y.min()), float(y.max())
        steps = {step.name for step in spec.preprocessing.target or ()}
        if (
            len(y) >= 20
            and low >= 0
            and skewness(y) > 3
            and steps == {"standardize"}
            and spec.loss.target_range is None
        ):
            message = f"is lopsided, from {low:,.6g} to {high:,.6g} with a median of {np.median(y):,.6g}"
            yield Finding("lopsided", target, message, "preprocessing: {target: [log1p, standardize]}")
        at_end = {value: int((y == value).sum()) for value in (low, high)}
        for value, n in at_end.items():
            if low < high and n >= 20 and n > 0.02 * len(y) and len(np.unique(y)) > 100 and value:
                end = "largest" if value == high else "smallest"
                message = (
                    f"has its {end} value, {value:,.6g}, in {percent(n / len(y))} of the rows: it seems cut off there"
                )
                yield Finding("capped", target, message)


def _classes(spec: Config, data: Data, loaded: LoadedData, target: str) -> Iterator[Finding]:
    classes = loaded.classes or ()
    counts = {}
    for split, source in loaded.readers.items():
        if len(loaded.rows[split]):
            indices = class_indices(source.survey, target, classes)[loaded.rows[split]]
            counts[split] = np.bincount(indices, minlength=len(classes))
    train = counts["train"]
    for i, label in enumerate(classes):
        by_split = ", ".join(f"{counts[split][i]:,} {verb}" for split, verb in _VERBS.items() if split in counts)
        held_back = [split for split in counts if split != "train" and not counts[split][i]]
        if train[i] < RARE:
            yield Finding("rare", target, f"its class '{text_of(label)}' is rare: {by_split}")
        elif held_back:
            yield Finding(
                "rare", target, f"its class '{text_of(label)}' has no row to {_GOALS[held_back[0]]}: {by_split}"
            )
    least, most = int(train.min()), int(train.max())
    if most > 10 * max(least, 1) and spec.class_weights is None:
        message = (
            f"its classes are far from equal: '{text_of(classes[int(train.argmax())])}' has "
            f"{percent(most / train.sum())} of the training rows, "
            f"'{text_of(classes[int(train.argmin())])}' {percent(least / train.sum())}"
        )
        if least < LEARNABLE:
            message += f"; {counted(least, 'row')} {'is' if least == 1 else 'are'} too few to learn it from"
        yield Finding("imbalance", target, message, "class_weights: balanced" if least >= LEARNABLE else None)


_VERBS = {"train": "to train", "validation": "to validate", "test": "to test"}
_GOALS = {"validation": "validate", "test": "test"}


def _rows(data: Data, names: Sequence[str]) -> Iterator[Finding]:
    """Rows that are there twice, and above all in two splits."""
    hashes = {}
    for split in SPLITS:
        if len(data.rows[split]):
            table = data.rows_of(split)
            hashes[split] = row_hashes(table, [name for name in names if name in table.columns])
    everything = np.concatenate(list(hashes.values()))
    twice = len(everything) - len(np.unique(everything))
    if twice:
        share = percent(twice / len(everything))
        verb = "repeats" if twice == 1 else "repeat"
        message = f"{counted(twice, 'row')} of {len(everything):,} ({share}) {verb} another one in every column"
        yield Finding("duplicates", None, message)
    for one, other in itertools.combinations(hashes, 2):
        shared = int(np.isin(hashes[other], hashes[one]).sum())
        if shared:
            of_split = f"{shared:,} of the {len(hashes[other]):,} {other} rows"
            verb, among = "stands" if shared == 1 else "stand", "training" if one == "train" else one
            message = f"{of_split} {verb} among the {among} rows too, so {other} figures are a little too good"
            yield Finding("two_parts", None, message)


def _sizes(experiment: Experiment, loaded: LoadedData) -> Iterator[Finding]:
    """The net against the rows, and the rows that judge it."""
    if experiment.warning:
        model, wide = experiment.predictor.model, experiment.predictor.encoder.facts.n_features
        in_tables = sum(table.rows * table.width for table in model.lookup.tables) if model.lookup else 0
        width = width_for(len(experiment.learned), wide, model.output_shape[0], in_tables)
        hint = f"- linear: {width}  # in both of two hidden layers" if width else "- dropout: 0.2"
        yield Finding("parameters", None, experiment.warning, hint)
    n = len(loaded.rows["validation"])
    if 0 < n < 50:
        message = f"{counted(n, 'validation row')} {'is' if n == 1 else 'are'} few to choose the best epoch by"
        yield Finding("few", None, message)
